/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logs of this system and of the node that is on the disks. A node's journal is read out of its
 * file system without mounting it, into a private directory, and told by journalctl.
 */
#include <string.h>

#include "base/file.h"
#include "base/proc.h"
#include "base/text.h"
#include "boot/lastfail.h"
#include "browse/browse.h"
#include "machine/kernel-log.h"
#include "show/show.h"

#define JOURNAL_S 60
#define JOURNAL_FILE_MAX ((size_t)48 << 20)	/* bytes of one file of a journal */
#define JOURNAL_FILES 4U
#define KERNEL "kernel"
#define FAILURE "failure"
#define JOURNAL "journal:"

static const char *const journal_dirs[] = { "/var/log/journal", "/log/journal" };

/* ---- which there are ---- */

static void add(json_object *list, const char *id, const char *text, const char *off)
{
	json_object *o = json_object_new_object();

	sw_json_add_str(o, "id", id);
	sw_json_add_str(o, "text", text);
	sw_json_add_str(o, "off", off);
	json_object_array_add(list, o);
}

/* Where systemd would keep it; the directory below has the machine's ID. */
static int find_journal(const struct sw_volume *v, char **ret_dir)
{
	for (size_t i = 0; i < ARRAY_SIZE(journal_dirs); i++) {
		_cleanup_listing_ struct sw_listing l = {};
		struct sw_error ignored = {};

		if (sw_volume_list(v, journal_dirs[i], &l, &ignored) < 0)
			continue;
		for (size_t k = 0; k < l.n; k++)
			if (l.v[k].kind == SW_ENTRY_DIR && strlen(l.v[k].name) == 32) {
				*ret_dir = sw_fmt("%s/%s", journal_dirs[i], l.v[k].name);
				return *ret_dir ? 0 : -ENOMEM;
			}
	}
	return -ENOENT;
}

static bool is_state(const struct sw_part *p)
{
	return (p->label && strcmp(p->label, "state") == 0) ||
	       (p->fs_type && strncmp(p->fs_type, "ext", 3) == 0);
}

static void add_journal(struct sw_machine *m, const struct sw_facts *f, const struct sw_disk *d,
			const struct sw_part *p, json_object *list)
{
	_cleanup_free_ char *id = sw_fmt(JOURNAL "%s:%u", d->name, p->number), *dir = NULL;
	_cleanup_free_ char *text = sw_fmt("Journal of the node on %s, partition %u%s%s", d->name,
					   p->number, p->label ? ", " : "",
					   p->label ? p->label : "");
	_cleanup_volume_ struct sw_volume v = {};
	struct sw_error e = {};

	if (!id || !text)
		return;
	if (sw_volume_find(m, f, d->name, p->number, &v, &e) < 0)
		add(list, id, text, sw_error_reason(&e));
	else
		add(list, id, text, find_journal(&v, &dir) < 0 ? "it has no journal" : NULL);
}

json_object *sw_show_logs(struct sw_machine *m, const struct sw_facts *f)
{
	json_object *list = json_object_new_array();
	struct sw_varstore *vars = NULL;
	struct sw_lastfail last;
	struct sw_error ignored = {};
	bool failed = sw_machine_vars(m, &vars, &ignored) == 0 &&
		      sw_lastfail_read(vars, &last) == 0;

	add(list, KERNEL, "Messages of this system's kernel",
	    m->kind == SW_MACHINE_REAL ? NULL : "this machine is made of files");
	add(list, FAILURE, "Last failure, recorded by an earlier start",
	    failed ? NULL : "none was recorded");
	for (size_t i = 0; i < f->n_disks; i++)
		for (size_t k = 0; k < f->disks[i].table.n_parts; k++)
			if (is_state(&f->disks[i].table.parts[k]))
				add_journal(m, f, &f->disks[i], &f->disks[i].table.parts[k], list);
	return list;
}

/* ---- the kernel's, and the failure ---- */

static int kernel_log(struct sw_buf *out, struct sw_error *err)
{
	_cleanup_free_ char *text = NULL;
	int r = sw_kernel_log(&text);

	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_MISSING, r, "the kernel shows no messages");
	return sw_buf_adds(out, sw_text_mask(text)) < 0 ? sw_fail_oom(err) : 0;
}

static int last_failure(struct sw_machine *m, struct sw_buf *out, struct sw_error *err)
{
	_cleanup_free_ char *text = NULL;
	struct sw_varstore *vars = NULL;
	struct sw_lastfail last;
	int r = sw_machine_vars(m, &vars, err);

	if (r == 0 && (r = sw_lastfail_read(vars, &last)) < 0)
		return sw_fail_errno(err, SW_EXIT_MISSING, r, "no failure was recorded");
	text = r == 0 ? sw_lastfail_text(&last) : NULL;
	if (r < 0 || !text)
		return r < 0 ? r : sw_fail_oom(err);
	return sw_buf_addf(out, "%s\n\nThe next install takes this note away.\n", text) < 0
		       ? sw_fail_oom(err) : 0;
}

/* ---- a node's journal ---- */

static bool is_journal(const struct sw_entry *e)
{
	return e->kind == SW_ENTRY_FILE && sw_ends_with(e->name, ".journal") &&
	       e->size <= JOURNAL_FILE_MAX;
}

static int fetch(const struct sw_volume *v, const char *from, const char *name, const char *to,
		 unsigned int n, struct sw_error *err)
{
	_cleanup_free_ char *path = sw_fmt("%s/%s", from, name);
	_cleanup_free_ char *copy = sw_fmt("%s/%u.journal", to, n);
	_cleanup_buf_ struct sw_buf b = {};
	int r = path && copy ? sw_volume_read(v, path, JOURNAL_FILE_MAX, &b, err)
			     : sw_fail_oom(err);

	if (r == 0 && (r = sw_file_write(copy, b.data, b.len, 0600)) < 0)
		sw_fail_errno(err, SW_EXIT_FAILED, r, "no room for the journal");
	return r;
}

/* system.journal is what was written last; the names of those put aside sort by time. */
static int fetch_files(const struct sw_volume *v, const char *from, const char *to,
		       struct sw_error *err)
{
	_cleanup_listing_ struct sw_listing l = {};
	unsigned int n = 0;
	int r = sw_volume_list(v, from, &l, err);

	for (size_t i = 0; i < l.n && r == 0; i++)
		if (is_journal(&l.v[i]) && strcmp(l.v[i].name, "system.journal") == 0)
			r = fetch(v, from, l.v[i].name, to, n++, err);
	for (size_t i = l.n; i-- > 0 && n < JOURNAL_FILES && r == 0;)
		if (is_journal(&l.v[i]) && strncmp(l.v[i].name, "system@", 7) == 0)
			r = fetch(v, from, l.v[i].name, to, n++, err);
	if (r == 0 && !n)
		r = sw_fail(err, SW_EXIT_MISSING, -ENOENT, "the journal has no file that can be "
							   "read");
	return r;
}

/* sw_proc_run() keeps 64 KiB: of the newest lines. */
static int tell(const char *dir, struct sw_buf *out, struct sw_error *err)
{
	const char *argv[] = { "journalctl", "--directory", dir, "--no-pager", "--quiet",
			       "--output=short-iso", "--lines=400", NULL };
	_cleanup_buf_ struct sw_buf said = {};
	int r = sw_proc_run(argv, NULL, JOURNAL_S, &said);

	if (r == -ENOENT)
		return sw_fail(err, SW_EXIT_MISSING, r, "this system has no journalctl");
	if (r) {
		sw_fail(err, SW_EXIT_MISSING, r < 0 ? r : -EIO, "journalctl cannot read it");
		sw_error_why(err, "%s", r < 0 ? strerror(-r) : sw_buf_text(&said));
		return r < 0 ? r : -EIO;
	}
	if (said.data)
		sw_text_mask((char *)said.data);
	return sw_buf_addf(out, "The newest 400 lines.\n\n%s", sw_buf_text(&said)) < 0
		       ? sw_fail_oom(err) : 0;
}

static int journal(struct sw_machine *m, const struct sw_facts *f, const char *place,
		   struct sw_buf *out, struct sw_error *err)
{
	_cleanup_free_ char *disk = strndup(place, strcspn(place, ":")), *from = NULL, *dir = NULL;
	const char *number = strchr(place, ':');
	_cleanup_volume_ struct sw_volume v = {};
	int r;

	if (!disk)
		return sw_fail_oom(err);
	r = sw_volume_find(m, f, disk, number ? (unsigned int)strtoul(number + 1, NULL, 10) : 0,
			   &v, err);
	if (r == 0 && (r = find_journal(&v, &from)) < 0)
		sw_fail_errno(err, SW_EXIT_MISSING, r, "there is no journal");
	if (r == 0 && (r = sw_scratch_new("journal", &dir)) < 0)
		sw_fail_errno(err, SW_EXIT_FAILED, r, "no scratch directory");
	if (r < 0)
		return r;
	r = fetch_files(&v, from, dir, err);
	if (r == 0)
		r = tell(dir, out, err);
	(void)sw_remove_tree(dir);
	return r;
}

int sw_show_log(struct sw_machine *m, const struct sw_facts *f, const char *id, struct sw_buf *out,
		struct sw_error *err)
{
	if (strcmp(id, KERNEL) == 0)
		return kernel_log(out, err);
	if (strcmp(id, FAILURE) == 0)
		return last_failure(m, out, err);
	if (strncmp(id, JOURNAL, strlen(JOURNAL)) == 0)
		return journal(m, f, id + strlen(JOURNAL), out, err);
	return sw_fail(err, SW_EXIT_MISSING, -ENOENT, "there is no such log");
}
