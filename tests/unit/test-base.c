/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/text.h"
#include "base/buf.h"
#include "base/event.h"
#include "base/file.h"
#include "base/guid.h"
#include "base/hash.h"
#include "base/io.h"
#include "base/json.h"
#include "base/proc.h"
#include "base/size.h"

static void test_size_reads_units_and_refuses_junk(void **state SW_UNUSED)
{
	uint64_t v;

	assert_int_equal(sw_size_parse("512M", &v), 0);
	assert_int_equal(v, 512ULL << 20);
	assert_int_equal(sw_size_parse("1.5GiB", &v), 0);
	assert_int_equal(v, 1536ULL << 20);
	assert_int_equal(sw_size_parse("4096", &v), 0);
	assert_int_equal(v, 4096);
	assert_int_equal(sw_size_parse("", &v), -EINVAL);
	assert_int_equal(sw_size_parse("-1G", &v), -EINVAL);
	assert_int_equal(sw_size_parse("1Gx", &v), -EINVAL);
	assert_int_equal(sw_size_parse("99999999999P", &v), -ERANGE);
}

static void test_size_format_is_short(void **state SW_UNUSED)
{
	char t[16];

	assert_string_equal(sw_size_format(512ULL << 20, t, sizeof(t)), "512M");
	assert_string_equal(sw_size_format(1536ULL << 20, t, sizeof(t)), "1.5G");
	assert_string_equal(sw_size_format(64ULL << 30, t, sizeof(t)), "64G");
}

static void test_guid_round_trips_and_swaps_fields(void **state SW_UNUSED)
{
	struct sw_guid g, plain;
	char t[SW_GUID_TEXT];

	assert_int_equal(sw_guid_parse("C12A7328-F81F-11D2-BA4B-00A0C93EC93B", &g), 0);
	assert_int_equal(g.b[0], 0x28);
	assert_string_equal(sw_guid_format(&g, t), "c12a7328-f81f-11d2-ba4b-00a0c93ec93b");
	assert_int_equal(sw_guid_parse("c12a7328-f81f-11d2-ba4b-00a0c93ec93", &g), -EINVAL);
	assert_int_equal(sw_guid_parse("c12a7328f81f11d2ba4b00a0c93ec93bc12a", &g), -EINVAL);
	assert_int_equal(sw_guid_parse("c12a7328-f81f-11d2-ba4b-00a0c93e", &g), -EINVAL);
	assert_int_equal(sw_guid_parse("c12a7328f81f11d2ba4b00a0c93ec93b", &plain), 0);
	assert_true(sw_guid_equal(&plain, &g));
}

static void test_guid_derivation_is_stable_and_token_bound(void **state SW_UNUSED)
{
	struct sw_guid seed, a, b, c;
	char t[SW_GUID_TEXT];

	assert_int_equal(sw_guid_parse("00112233-4455-6677-8899-aabbccddeeff", &seed), 0);
	assert_int_equal(sw_guid_derive(&seed, "x", 1, &a), 0);
	assert_int_equal(sw_guid_derive(&seed, "x", 1, &b), 0);
	assert_int_equal(sw_guid_derive(&seed, "y", 1, &c), 0);
	assert_true(sw_guid_equal(&a, &b));
	assert_false(sw_guid_equal(&a, &c));
	/* HMAC-SHA256 as Python's hmac has it. */
	assert_string_equal(sw_guid_format(&a, t), "2e101866-cfa2-4577-8af3-94c5c9679618");
	assert_int_equal(a.b[7] & 0xf0, 0x40);
	assert_int_equal(a.b[8] & 0xc0, 0x80);
}

static void test_first_error_wins_and_keeps_its_parts(void **state SW_UNUSED)
{
	struct sw_error e = {}, back;
	_cleanup_free_ char *text = NULL;
	_cleanup_json_ json_object *o = NULL;

	assert_int_equal(sw_fail(&e, SW_EXIT_REFUSED, -EPERM, "the disk is in use"), -EPERM);
	sw_error_where(&e, "%s", "/dev/sda");
	sw_fail(&e, SW_EXIT_INTERNAL, -EIO, "later");
	sw_error_where(&e, "elsewhere");
	text = sw_error_text(&e);
	assert_string_equal(text, "/dev/sda: the disk is in use");
	o = sw_error_to_json(&e);
	sw_error_from_json(o, &back);
	assert_int_equal(back.exit, SW_EXIT_REFUSED);
	assert_string_equal(back.what, e.what);
}

/* Wherever a name came from: a file, a disk's label, a journal on somebody's disk. */
static void test_an_error_moves_no_cursor(void **state SW_UNUSED)
{
	_cleanup_json_ json_object *o = json_object_new_object();
	_cleanup_free_ char *text = NULL;
	struct sw_error e = {}, back;

	sw_fail(&e, SW_EXIT_INVALID, -EINVAL, "no disk \"%s\"", "a\x1b[2J");
	sw_error_where(&e, "%s", "dir\xff/\xc3\xa9.conf");
	sw_error_why(&e, "one line\nand \r%s", "\xe2\x80\xae");
	text = sw_error_text(&e);
	assert_string_equal(text, "dir?/\xc3\xa9.conf: no disk \"a?[2J\": one line\nand ????");
	sw_json_add_str(o, "what", "\x1b[31mred");
	sw_error_from_json(o, &back);
	assert_string_equal(back.what, "?[31mred");
}

static void test_json_errors_name_line_and_column(void **state SW_UNUSED)
{
	struct sw_error e = {};
	json_object *o = NULL;
	const char *bad = "{\n  \"a\": nope\n}";

	assert_true(sw_json_parse(bad, strlen(bad), "x.json", &o, &e) < 0);
	assert_non_null(strstr(e.where, "x.json:2:"));
	memset(&e, 0, sizeof(e));
	assert_true(sw_json_parse("{} x", 4, "x.json", &o, &e) < 0);
}

static void test_buffer_stops_at_its_ceiling(void **state SW_UNUSED)
{
	_cleanup_buf_ struct sw_buf b = { .max = 8 };

	assert_int_equal(sw_buf_adds(&b, "12345678"), 0);
	assert_int_equal(sw_buf_adds(&b, "9"), -E2BIG);
	assert_string_equal(sw_buf_text(&b), "12345678");
}

static void test_sha256_of_abc(void **state SW_UNUSED)
{
	char hex[SW_SHA256_TEXT];

	assert_int_equal(sw_sha256("abc", 3, hex), 0);
	assert_string_equal(hex,
			    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(sw_crc32("123456789", 9), 0xcbf43926);
}

/* FIPS 180-4's example of a million letters, in pieces that meet no boundary. */
static void test_sha256_of_a_million_letters_in_pieces(void **state SW_UNUSED)
{
	_cleanup_hash_ struct sw_hash *h = sw_hash_new();
	char piece[1237], hex[SW_SHA256_TEXT];

	assert_non_null(h);
	memset(piece, 'a', sizeof(piece));
	for (size_t left = 1000000, n; left > 0; left -= n) {
		n = left < sizeof(piece) ? left : sizeof(piece);
		assert_int_equal(sw_hash_update(h, piece, n), 0);
	}
	assert_int_equal(sw_hash_final(h, hex), 0);
	assert_string_equal(hex,
			    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* Around the length from which on another library hashes. */
static void test_sha256_is_the_same_in_one_call_and_in_pieces(void **state SW_UNUSED)
{
	static uint8_t data[2 * 65536 + 1];
	static const size_t lengths[] = { 0, 1, 65535, 65536, 65537, sizeof(data) };

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 31 >> 3);
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		for (size_t first = 0; first <= lengths[i]; first += 65535) {
			_cleanup_hash_ struct sw_hash *h = sw_hash_new();
			char whole[SW_SHA256_TEXT], pieces[SW_SHA256_TEXT];

			assert_non_null(h);
			assert_int_equal(sw_hash_update(h, data, first), 0);
			assert_int_equal(sw_hash_update(h, data + first, lengths[i] - first), 0);
			assert_int_equal(sw_hash_final(h, pieces), 0);
			assert_int_equal(sw_sha256(data, lengths[i], whole), 0);
			assert_string_equal(pieces, whole);
		}
	}
}

static void test_recorder_keeps_order_and_injects_a_fault(void **state SW_UNUSED)
{
	struct sw_io_log log = {};
	_cleanup_io_ struct sw_io *io = NULL;

	assert_int_equal(sw_io_new_recorder(4096, 512, NULL, &log, 1, ENOSPC, &io), 0);
	assert_int_equal(sw_io_write(io, 512, "ab", 2), 0);
	assert_int_equal(sw_io_flush(io), 0);
	assert_int_equal(sw_io_write(io, 514, "cd", 2), -ENOSPC);
	assert_int_equal(sw_io_write(io, 4095, "xy", 2), -ERANGE);
	assert_int_equal(log.n, 2);
	assert_int_equal(log.ops[0].kind, SW_IO_WRITE);
	assert_int_equal(log.ops[1].kind, SW_IO_FLUSH);
	assert_memory_equal(sw_io_recorder_data(io) + 512, "ab\0\0", 4);
	sw_io_log_clear(&log);
}

static void test_programs_run_without_a_shell_and_within_time(void **state SW_UNUSED)
{
	_cleanup_buf_ struct sw_buf out = {};
	const char *echo[] = { "echo", "$HOME;x", NULL };
	const char *slow[] = { "sleep", "10", NULL };
	const char *none[] = { "slipway-no-such-program", NULL };

	assert_int_equal(sw_proc_run(echo, NULL, 60, &out), 0);
	assert_string_equal(sw_buf_text(&out), "$HOME;x\n");
	assert_int_equal(sw_proc_run(slow, NULL, 1, NULL), -ETIMEDOUT);
	assert_int_equal(sw_proc_run(none, NULL, 60, NULL), -ENOENT);
}

static void test_a_program_reads_what_it_is_given(void **state SW_UNUSED)
{
	const char *cat[] = { "cat", NULL }, *deaf[] = { "true", NULL };
	_cleanup_free_ char *big = malloc(1 << 20);
	_cleanup_buf_ struct sw_buf out = {};
	struct sw_proc p = { .argv = cat, .timeout_s = 60, .input = "a\0b", .input_len = 3 };
	struct sw_proc lazy = { .argv = deaf, .timeout_s = 60, .input = big, .input_len = 1 << 20 };

	assert_int_equal(sw_proc_run_with(&p, &out), 0);
	assert_int_equal(out.len, 3);
	assert_memory_equal(out.data, "a\0b", 3);
	memset(big, 'x', 1 << 20);
	/* More than any pipe holds, and nobody reads it. */
	assert_int_equal(sw_proc_run_with(&lazy, NULL), 0);
	sw_buf_clear(&out);
	p.input_len = 0;
	assert_int_equal(sw_proc_run_with(&p, &out), 0);
	assert_int_equal(out.len, 0);
}

static void test_events_survive_json(void **state SW_UNUSED)
{
	struct sw_event ev = { .type = SW_EVENT_DONE, .step = 3, .steps = 9, .result = -EIO }, back;
	_cleanup_json_ json_object *o = NULL;

	sw_fail(&ev.error, SW_EXIT_DIRTY, -EIO, "write failed");
	o = sw_event_to_json(&ev);
	assert_int_equal(sw_event_from_json(o, &back), 0);
	assert_int_equal(back.type, SW_EVENT_DONE);
	assert_int_equal(back.result, -EIO);
	assert_int_equal(back.error.exit, SW_EXIT_DIRTY);
}

/* Zones as POSIX writes them, so that no zone files are needed: hours west of Greenwich. */
static void test_times_are_local_and_utc(void **state SW_UNUSED)
{
	char text[SW_TIME_TEXT];

	setenv("TZ", "UTC0", 1);
	tzset();
	assert_string_equal(sw_time_text(1760000000, text), "2025-10-09 08:53 UTC");
	setenv("TZ", "XXX-5:30", 1);
	tzset();
	assert_string_equal(sw_time_text(1760000000, text), "2025-10-09 14:23 +0530 (08:53 UTC)");
	setenv("TZ", "XXX10", 1);
	tzset();
	assert_string_equal(sw_time_text(1760000000, text), "2025-10-08 22:53 -1000 (08:53 UTC)");
	assert_string_equal(sw_time_text(INT64_MAX, text), "");
	unsetenv("TZ");
	tzset();
}

/* An initrd-only node need not have what TMPDIR names, nor /tmp. */
static void leaves_scratch(int fd)
{
	char *dir = NULL, *file;

	sw_scratch_sign();
	assert_int_equal(sw_scratch_new("base", &dir), 0);
	file = sw_fmt("%s/secret", dir);
	assert_int_equal(sw_file_write(file, "x", 1, 0600), 0);
	assert_int_equal(sw_fd_write_all(fd, dir, strlen(dir) + 1), 0);
	for (;;)
		pause();
}

static void test_what_a_killed_process_left_is_swept(void **state SW_UNUSED)
{
	char path[PATH_MAX], *other = NULL;
	size_t n = 0;
	int fds[2];
	pid_t pid;

	assert_int_equal(sw_scratch_new("base", &other), 0);
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0)
		leaves_scratch(fds[1]);
	do
		assert_int_equal(read(fds[0], path + n, 1), 1);
	while (path[n++]);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(access(path, F_OK), 0);
	sw_scratch_sweep(pid);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(access(other, F_OK), 0);	/* ours */
	sw_scratch_clear(&other);
	close(fds[0]);
	close(fds[1]);
}

static void test_a_scratch_directory_is_found_without_tmpdir(void **state SW_UNUSED)
{
	const char *kept = getenv("TMPDIR");
	_cleanup_free_ char *before = kept ? strdup(kept) : NULL;
	_cleanup_free_ char *dir = NULL;
	struct stat st;

	setenv("TMPDIR", "/nowhere/at/all", 1);
	assert_int_equal(sw_scratch_new("base", &dir), 0);
	assert_int_equal(strncmp(dir, "/tmp/base.", 10), 0);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(sw_remove_tree(dir), 0);
	assert_int_equal(sw_scratch_new("not/there/base", &dir), -ENOENT);
	before ? setenv("TMPDIR", before, 1) : unsetenv("TMPDIR");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_size_reads_units_and_refuses_junk),
		cmocka_unit_test(test_size_format_is_short),
		cmocka_unit_test(test_guid_round_trips_and_swaps_fields),
		cmocka_unit_test(test_guid_derivation_is_stable_and_token_bound),
		cmocka_unit_test(test_first_error_wins_and_keeps_its_parts),
		cmocka_unit_test(test_an_error_moves_no_cursor),
		cmocka_unit_test(test_json_errors_name_line_and_column),
		cmocka_unit_test(test_buffer_stops_at_its_ceiling),
		cmocka_unit_test(test_sha256_of_abc),
		cmocka_unit_test(test_sha256_of_a_million_letters_in_pieces),
		cmocka_unit_test(test_sha256_is_the_same_in_one_call_and_in_pieces),
		cmocka_unit_test(test_recorder_keeps_order_and_injects_a_fault),
		cmocka_unit_test(test_programs_run_without_a_shell_and_within_time),
		cmocka_unit_test(test_a_program_reads_what_it_is_given),
		cmocka_unit_test(test_events_survive_json),
		cmocka_unit_test(test_times_are_local_and_utc),
		cmocka_unit_test(test_a_scratch_directory_is_found_without_tmpdir),
		cmocka_unit_test(test_what_a_killed_process_left_is_swept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
