/* SPDX-License-Identifier: Apache-2.0 */
/* Overlays: what is unpacked, and archives that try to reach beyond their directory. */
#include <archive.h>
#include <archive_entry.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "admission/overlay.h"
#include "base/file.h"

#define ROOM ((size_t)8 << 20)

/* A tar that is being made, in memory. */
struct maker {
	struct archive *a;
	char *data;
	size_t len;
};

static void begin(struct maker *m)
{
	m->data = malloc(ROOM);
	m->a = archive_write_new();
	assert_non_null(m->data);
	assert_int_equal(archive_write_set_format_pax_restricted(m->a), ARCHIVE_OK);
	assert_int_equal(archive_write_add_filter_zstd(m->a), ARCHIVE_OK);
	assert_int_equal(archive_write_open_memory(m->a, m->data, ROOM, &m->len), ARCHIVE_OK);
}

static void add(struct maker *m, const char *path, mode_t mode, const char *content,
		const char *link)
{
	struct archive_entry *e = archive_entry_new();
	size_t len = content ? strlen(content) : 0;

	archive_entry_set_pathname(e, path);
	archive_entry_set_mode(e, mode);
	archive_entry_set_size(e, (la_int64_t)len);
	if (link && S_ISLNK(mode))
		archive_entry_set_symlink(e, link);
	else if (link)
		archive_entry_set_hardlink(e, link);
	assert_int_equal(archive_write_header(m->a, e), ARCHIVE_OK);
	if (len)
		assert_int_equal(archive_write_data(m->a, content, len), (la_ssize_t)len);
	archive_entry_free(e);
}

static void end(struct maker *m)
{
	assert_int_equal(archive_write_close(m->a), ARCHIVE_OK);
	archive_write_free(m->a);
}

static char *scratch(void)
{
	char *dir = NULL;

	assert_int_equal(sw_scratch_new("slipway-test", &dir), 0);
	return dir;
}

static void test_an_overlay_is_unpacked_as_it_is(void **state SW_UNUSED)
{
	_cleanup_overlay_ struct sw_overlay *o = NULL;
	_cleanup_free_ char *dir = scratch(), *out = sw_fmt("%s/out", dir),
			    *file = sw_fmt("%s/etc/rancher/config.yaml", out),
			    *link = sw_fmt("%s/etc/config", out), *line = NULL;
	struct sw_error err = {};
	struct maker m = {};
	struct stat st;

	begin(&m);
	add(&m, "./", S_IFDIR | 0755, NULL, NULL);
	add(&m, "./etc/", S_IFDIR | 0750, NULL, NULL);
	add(&m, "./etc/rancher/config.yaml", S_IFREG | 0600, "token: x\n", NULL);
	add(&m, "etc/config", S_IFLNK | 0777, NULL, "rancher/../rancher/config.yaml");
	end(&m);
	assert_int_equal(sw_overlay_unpack(m.data, m.len, out, &o, &err), 0);
	assert_int_equal(o->n, 4);
	assert_int_equal(o->bytes, 9);
	assert_string_equal(o->items[2].path, "etc/rancher/config.yaml");
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(sw_file_read_line(link, &line), 0);
	assert_string_equal(line, "token: x");
	/* What is there is never overwritten. */
	sw_overlay_freep(&o);
	o = NULL;
	assert_int_equal(sw_overlay_unpack(m.data, m.len, out, &o, &err), -EEXIST);
	free(m.data);
	sw_remove_tree(dir);
}

/* The archive has one good entry and this one: all of it is refused, nothing stays. */
static void refused(const char *path, mode_t mode, const char *link, const char *why)
{
	_cleanup_overlay_ struct sw_overlay *o = NULL;
	_cleanup_free_ char *dir = scratch(), *out = sw_fmt("%s/out", dir);
	struct sw_error err = {};
	struct maker m = {};
	int r;

	begin(&m);
	add(&m, "etc/good", S_IFREG | 0644, "good", NULL);
	add(&m, path, mode, S_ISREG(mode) && !link ? "bad" : NULL, link);
	end(&m);
	r = sw_overlay_unpack(m.data, m.len, out, &o, &err);
	if (r >= 0 || !strstr(err.why, why))
		print_error("%s: %d, %s\n", path, r, err.why);
	assert_true(r == -EBADMSG || r == -E2BIG);
	assert_int_equal(err.exit, SW_EXIT_VERIFY);
	assert_non_null(strstr(err.why, why));
	assert_int_equal(access(out, F_OK), -1);
	free(m.data);
	sw_remove_tree(dir);
}

static void test_what_would_reach_outside_is_refused_whole(void **state SW_UNUSED)
{
	char deep[400] = "";

	for (size_t i = 0; i < 70; i++)
		memcpy(deep + 2 * i, "d/", 3);
	refused("/etc/passwd", S_IFREG | 0644, NULL, "absolute");
	refused("../passwd", S_IFREG | 0644, NULL, "leads out");
	refused("etc/../../passwd", S_IFREG | 0644, NULL, "leads out");
	refused("etc/link", S_IFLNK | 0777, "/etc/passwd", "link that leads out");
	refused("etc/link", S_IFLNK | 0777, "../../passwd", "link that leads out");
	refused("link", S_IFLNK | 0777, "etc/../../x", "link that leads out");
	refused("etc/hard", S_IFREG | 0644, "etc/good", "hard link");
	refused("etc/hard", S_IFREG | 0644, "/etc/passwd", "hard link");
	refused("dev/sda", S_IFBLK | 0600, NULL, "device");
	refused("dev/null", S_IFCHR | 0666, NULL, "device");
	refused("run/pipe", S_IFIFO | 0600, NULL, "pipe");
	refused("bin/su", S_IFREG | 04755, NULL, "set-user-id");
	refused("etc/good", S_IFREG | 0644, NULL, "twice");
	refused("./etc//good", S_IFREG | 0644, NULL, "twice");
	refused("etc/good/below", S_IFREG | 0644, NULL, "not a directory");
	refused("new\nline", S_IFREG | 0644, NULL, "no clean text");
	refused(deep, S_IFDIR | 0755, NULL, "too deep");
}

/* Through a link that stays inside, a later entry could still be written elsewhere. */
static void test_nothing_is_written_through_a_link(void **state SW_UNUSED)
{
	_cleanup_overlay_ struct sw_overlay *o = NULL;
	struct sw_error err = {};
	struct maker m = {};

	begin(&m);
	add(&m, "etc", S_IFDIR | 0755, NULL, NULL);
	add(&m, "way", S_IFLNK | 0777, NULL, "etc");
	add(&m, "way/file", S_IFREG | 0644, "x", NULL);
	end(&m);
	assert_int_equal(sw_overlay_list(m.data, m.len, &o, &err), -EBADMSG);
	assert_string_equal(err.where, "way/file");
	free(m.data);
}

static void test_a_bomb_is_noticed_before_anything_is_written(void **state SW_UNUSED)
{
	_cleanup_overlay_ struct sw_overlay *o = NULL;
	_cleanup_free_ char *zeros = calloc(1, 1 << 20);
	struct archive_entry *e = archive_entry_new();
	struct sw_error err = {};
	struct maker m = {};

	begin(&m);
	archive_entry_set_pathname(e, "bomb");
	archive_entry_set_mode(e, S_IFREG | 0644);
	archive_entry_set_size(e, 257LL << 20);
	assert_int_equal(archive_write_header(m.a, e), ARCHIVE_OK);
	for (size_t i = 0; i < 257; i++)
		assert_int_equal(archive_write_data(m.a, zeros, 1 << 20), 1 << 20);
	archive_entry_free(e);
	end(&m);
	assert_true(m.len < 1 << 20);
	assert_int_equal(sw_overlay_list(m.data, m.len, &o, &err), -E2BIG);
	free(m.data);
}

static void test_what_is_cut_or_no_archive_is_refused(void **state SW_UNUSED)
{
	struct maker m = {};
	size_t cuts[] = { 0, 1, 10, 40 };

	begin(&m);
	add(&m, "etc/good", S_IFREG | 0644, "good", NULL);
	end(&m);
	for (size_t i = 0; i < ARRAY_SIZE(cuts); i++) {
		_cleanup_overlay_ struct sw_overlay *o = NULL;
		struct sw_error err = {};

		assert_true(sw_overlay_list(m.data, cuts[i], &o, &err) < 0);
		assert_int_equal(err.exit, SW_EXIT_VERIFY);
	}
	free(m.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_overlay_is_unpacked_as_it_is),
		cmocka_unit_test(test_what_would_reach_outside_is_refused_whole),
		cmocka_unit_test(test_nothing_is_written_through_a_link),
		cmocka_unit_test(test_a_bomb_is_noticed_before_anything_is_written),
		cmocka_unit_test(test_what_is_cut_or_no_archive_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
