/* SPDX-License-Identifier: Apache-2.0 */
/* The stand-in machine: made, opened, described, captured, and gone without a trace. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/json.h"
#include "base/proc.h"
#include "boot/varstore.h"
#include "machine/machine.h"
#include "machine/private.h"
#include "base/strv.h"
#include "base/text.h"

static const struct sw_standin_disk disks[] = {
	{ "NODE07SYS", "Samsung \"PM9A3\" \\1", "nvme", 64ULL << 30, 512 },
	{ NULL, NULL, "sata", 16ULL << 20, 4096 },
	{ "STICK", "Ultra", "usb", 16ULL << 20, 0 },
	{ "V1", NULL, "virtio", 16ULL << 20, 512 },
};

static char *fresh(const struct sw_standin_config *c)
{
	struct sw_error err = {};
	char *dir;

	assert_int_equal(sw_scratch_new("slipway-test", &dir), 0);
	if (sw_standin_create(dir, c, &err) < 0)
		fail_msg("%s: %s", err.what, err.why);
	return dir;
}

static char *four(bool tpm)
{
	const struct sw_standin_config c = { .disks = disks, .n_disks = ARRAY_SIZE(disks),
					     .medium_serial = "STICK", .no_tpm = !tpm };

	return fresh(&c);
}

static void done(char **dir)
{
	assert_int_equal(sw_remove_tree(*dir), 0);
	free(*dir);
}
#define _cleanup_dir_ _cleanup_(done)

static struct sw_machine *opened(const char *dir)
{
	struct sw_machine *m = NULL;
	struct sw_error err = {};

	if (sw_machine_open_standin(dir, &m, &err) < 0)
		fail_msg("%s: %s: %s", err.where, err.what, err.why);
	return m;
}

static struct sw_facts *facts_of(struct sw_machine *m)
{
	struct sw_facts *f = NULL;

	assert_int_equal(sw_machine_facts(m, &f, NULL), 0);
	return f;
}

static char *json_of(const struct sw_facts *f)
{
	_cleanup_json_ json_object *o = sw_facts_to_json(f);

	return strdup(json_object_to_json_string(o));
}

static void test_disks_are_named_as_the_kernel_would(void **state SW_UNUSED)
{
	_cleanup_dir_ char *dir = four(false);
	_cleanup_machine_ struct sw_machine *m = opened(dir);
	_cleanup_facts_ struct sw_facts *f = facts_of(m);
	struct stat st;

	assert_int_equal(f->n_disks, 4);
	assert_string_equal(f->disks[0].name, "nvme0n1");
	assert_string_equal(f->disks[0].serial, "NODE07SYS");
	assert_string_equal(f->disks[0].model, "Samsung \"PM9A3\" \\1");
	assert_int_equal(f->disks[0].size, 64ULL << 30);
	assert_string_equal(f->disks[1].name, "sda");
	assert_null(f->disks[1].serial);
	assert_int_equal(f->disks[1].sector, 4096);
	assert_string_equal(f->disks[2].name, "sdb");
	assert_true(f->disks[2].medium && f->disks[2].removable);
	assert_int_equal(f->disks[2].sector, 512);
	assert_string_equal(f->disks[3].name, "vda");
	assert_int_equal(stat(f->disks[0].node, &st), 0);
	/* 64 GiB that take no room */
	assert_true(st.st_blocks < 128);
	assert_int_equal(f->disks[0].table.type, SW_TABLE_NONE);
	assert_null(f->disks[0].uses);
}

static void test_firmware_starts_with_foreign_entries(void **state SW_UNUSED)
{
	_cleanup_dir_ char *dir = four(false);
	_cleanup_machine_ struct sw_machine *m = opened(dir);
	_cleanup_facts_ struct sw_facts *f = facts_of(m);

	assert_int_equal(f->firmware, SW_FIRMWARE_UEFI);
	assert_true(f->boot.supported && f->boot.writable);
	assert_int_equal(f->boot.n_entries, 3);
	assert_int_equal(f->boot.current, 2);
	assert_int_equal(f->boot.next, -1);
	assert_int_equal(f->boot.n_order, 3);
	assert_non_null(strstr(f->boot.entries[1].path, "MAC(525400123456"));
	for (size_t i = 0; i < f->boot.n_entries; i++)
		assert_string_not_equal(f->boot.entries[i].owner, "ours");
	assert_false(f->secure_boot || f->setup_mode);
}

static void test_bios_has_no_variables(void **state SW_UNUSED)
{
	const struct sw_standin_config c = { .bios = true, .no_tpm = true };
	_cleanup_dir_ char *dir = fresh(&c);
	_cleanup_machine_ struct sw_machine *m = opened(dir);
	_cleanup_facts_ struct sw_facts *f = facts_of(m);
	struct sw_varstore *vars;
	struct sw_error err = {};

	assert_int_equal(f->firmware, SW_FIRMWARE_BIOS);
	assert_false(f->boot.supported);
	assert_int_equal(f->n_disks, 0);
	assert_int_equal(sw_machine_vars(m, &vars, &err), -EOPNOTSUPP);
	assert_true(err.what[0]);
}

static void test_captured_facts_say_the_same_and_open_nothing(void **state SW_UNUSED)
{
	_cleanup_dir_ char *dir = four(false);
	_cleanup_machine_ struct sw_machine *m = opened(dir), *captured = NULL;
	_cleanup_facts_ struct sw_facts *f = facts_of(m), *g = NULL;
	_cleanup_free_ char *one = json_of(f), *two = NULL, *path = sw_fmt("%s/f.json", dir);
	struct sw_error err = {}, err2 = {}, err3 = {};
	struct sw_varstore *vars;
	struct sw_io *io = NULL;
	const char *tcti;

	assert_int_equal(sw_file_write(path, one, strlen(one), 0644), 0);
	assert_int_equal(sw_machine_open_captured(path, &captured, NULL), 0);
	g = facts_of(captured);
	two = json_of(g);
	assert_string_equal(one, two);
	assert_int_equal(sw_machine_open_disk(captured, &g->disks[0], false, false, &io, &err),
			 -EROFS);
	assert_int_equal(err.exit, SW_EXIT_REFUSED);
	assert_true(err.hint[0]);
	assert_int_equal(sw_machine_vars(captured, &vars, &err2), -EROFS);
	assert_int_equal(sw_machine_power(captured, SW_POWER_OFF, &err3), -EROFS);
	assert_int_equal(sw_machine_tcti(captured, &tcti, NULL), -EROFS);
	assert_int_equal(sw_machine_medium_file(captured, "x", &two, NULL), -ENOENT);
	assert_int_equal(sw_machine_settle(captured, &g->disks[0]), 0);
}

static void test_disk_lock_keeps_a_second_writer_out(void **state SW_UNUSED)
{
	_cleanup_dir_ char *dir = four(false);
	_cleanup_machine_ struct sw_machine *m = opened(dir), *n = opened(dir);
	_cleanup_facts_ struct sw_facts *f = facts_of(m);
	_cleanup_io_ struct sw_io *a = NULL, *b = NULL, *c = NULL;
	uint8_t byte = 7, back = 0;

	assert_int_equal(sw_machine_open_disk(m, &f->disks[0], true, true, &a, NULL), 0);
	assert_int_equal(sw_machine_open_disk(n, &f->disks[0], true, true, &b, NULL), -EWOULDBLOCK);
	assert_int_equal(sw_io_write(a, a->size - 1, &byte, 1), 0);
	a = sw_io_close(a);
	assert_int_equal(sw_machine_open_disk(n, &f->disks[0], false, false, &c, NULL), 0);
	assert_int_equal(sw_io_read(c, c->size - 1, &back, 1), 0);
	assert_int_equal(back, 7);
}

static void test_a_vanished_image_is_a_disk_that_cannot_be_read(void **state SW_UNUSED)
{
	_cleanup_dir_ char *dir = four(false);
	_cleanup_machine_ struct sw_machine *m = opened(dir);
	_cleanup_facts_ struct sw_facts *f = facts_of(m), *g = NULL;
	struct sw_error err = {};
	struct sw_io *io = NULL;

	assert_int_equal(unlink(f->disks[1].node), 0);
	g = facts_of(m);
	assert_int_equal(g->n_disks, 4);
	assert_int_equal(sw_strv_len(g->disks[1].uses), 1);
	assert_string_equal(g->disks[1].uses[0], "sda cannot be read: No such file or directory");
	assert_int_equal(sw_machine_open_disk(m, &f->disks[1], true, true, &io, &err), -ENOENT);
	assert_string_equal(err.where, f->disks[1].node);
}

static void test_medium_files_stay_on_the_medium(void **state SW_UNUSED)
{
	_cleanup_dir_ char *dir = four(false);
	_cleanup_machine_ struct sw_machine *m = opened(dir);
	_cleanup_free_ char *file = sw_fmt("%s/medium/slipway.yaml", dir), *path = NULL;
	_cleanup_free_ char *link = sw_fmt("%s/medium/out", dir), *gone = NULL;
	static const char *const bad[] = { "../machine.yaml", "/etc/passwd", "out", "",
					   "a/../../x" };

	assert_int_equal(sw_file_write(file, "x", 1, 0644), 0);
	assert_int_equal(symlink("/etc/passwd", link), 0);
	assert_int_equal(sw_machine_medium_file(m, "slipway.yaml", &path, NULL), 0);
	assert_int_equal(access(path, R_OK), 0);
	assert_int_equal(sw_machine_medium_file(m, "no", &gone, NULL), -ENOENT);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct sw_error err = {};
		int r = sw_machine_medium_file(m, bad[i], &gone, &err);

		assert_true(r == -EINVAL || r == -ENOENT);
		assert_true(err.what[0]);
		assert_null(gone);
	}
}

static void test_power_is_only_noted_and_the_boot_id_changes(void **state SW_UNUSED)
{
	_cleanup_dir_ char *dir = four(false);
	_cleanup_machine_ struct sw_machine *m = opened(dir);
	_cleanup_facts_ struct sw_facts *f = facts_of(m), *same = facts_of(m), *after = NULL;
	_cleanup_free_ char *note = sw_fmt("%s/run/power", dir), *line = NULL;

	assert_string_equal(f->boot_id, same->boot_id);
	assert_int_equal(sw_machine_power(m, SW_POWER_REBOOT, NULL), 0);
	assert_int_equal(sw_file_read_line(note, &line), 0);
	assert_string_equal(line, "reboot");
	after = facts_of(m);
	assert_string_not_equal(f->boot_id, after->boot_id);
}

static void test_a_used_directory_is_left_alone(void **state SW_UNUSED)
{
	const struct sw_standin_config c = { .disks = disks, .n_disks = 1 };
	_cleanup_dir_ char *dir = NULL;
	_cleanup_free_ char *file = NULL;
	struct sw_error err = {};

	assert_int_equal(sw_scratch_new("slipway-test", &dir), 0);
	file = sw_fmt("%s/precious", dir);
	assert_int_equal(sw_file_write(file, "x", 1, 0644), 0);
	assert_int_equal(sw_standin_create(dir, &c, &err), -ENOTEMPTY);
	assert_string_equal(err.where, dir);
	assert_int_equal(access(file, F_OK), 0);
}

static void test_impossible_disks_are_refused_before_anything_is_made(void **state SW_UNUSED)
{
	static const struct sw_standin_disk bad[] = {
		{ "A", NULL, "floppy", 1 << 20, 512 },
		{ "A", NULL, "nvme", 0, 512 },
		{ "A", NULL, "nvme", 1000, 512 },
		{ "A", NULL, "nvme", 1 << 20, 520 },
		{ "A\nB", NULL, "nvme", 1 << 20, 512 },
	};
	_cleanup_dir_ char *top = NULL;
	_cleanup_free_ char *dir = NULL;
	const struct sw_standin_config none = { .disks = disks, .n_disks = 1,
						.medium_serial = "OTHER" };

	assert_int_equal(sw_scratch_new("slipway-test", &top), 0);
	dir = sw_fmt("%s/m", top);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		const struct sw_standin_config c = { .disks = &bad[i], .n_disks = 1 };
		struct sw_error err = {};

		assert_int_equal(sw_standin_create(dir, &c, &err), -EINVAL);
		assert_int_equal(err.exit, SW_EXIT_USAGE);
		assert_int_equal(access(dir, F_OK), -1);
	}
	assert_int_equal(sw_standin_create(dir, &none, NULL), -EINVAL);
	assert_int_equal(access(dir, F_OK), -1);
}

static void test_bad_machine_yaml_is_refused_at_line_and_column(void **state SW_UNUSED)
{
	static const struct {
		const char *text, *at;
	} bad[] = {
		{ "", ":1:1" },
		{ "- a\n", ":1:1" },
		{ "machine: 2\n", ":1:10" },
		{ "machine: 1\nfirmware: coreboot\n", ":2:11" },
		{ "machine: 1\ntpm: maybe\n", ":2:6" },
		{ "machine: 1\nwhat: 1\n", ":2:7" },
		{ "machine: 1\ndisks: 3\n", ":2:8" },
		{ "disks:\n  - name: sda\n", ":2:5" },
		{ "disks:\n  - name: sda\n    size: big\n", ":3:11" },
		{ "disks:\n  - name: sda\n    sector: 520\n", ":3:13" },
		{ "disks:\n  - name: sda\n    image: ../../dev/sda\n", ":3:12" },
		{ "disks:\n  - name: sda\n    image: /dev/sda\n", ":3:12" },
		{ "disks:\n  - name: ../x\n", ":2:11" },
		{ "disks:\n  - serial: \"a\\e[2J\"\n", ":2:13" },
		{ "disks:\n  - {name: a, image: a, size: 1M}\n  - {name: a, image: b, size: 1M}\n",
		  ":3:12" },
		{ "disks:\n  - {name: b, image: a, size: 1M}\n  - {name: a, image: b, size: 1M}\n"
		  "  - {image: c, size: 1M, name: b}\n",
		  ":4:32" },
		{ "disks:\n  - {name: a, image: a, size: 1000}\n", ":2:5" },
		{ "name: [\n", ":2:1" },
	};
	_cleanup_dir_ char *dir = four(false);
	_cleanup_free_ char *yaml = sw_fmt("%s/machine.yaml", dir);

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct sw_machine *m = NULL;
		struct sw_error err = {};

		assert_int_equal(sw_file_write(yaml, bad[i].text, strlen(bad[i].text), 0644), 0);
		if (sw_machine_open_standin(dir, &m, &err) != -EINVAL)
			fail_msg("accepted: %s", bad[i].text);
		assert_int_equal(err.exit, SW_EXIT_INVALID);
		assert_memory_equal(err.where, yaml, strlen(yaml));
		assert_string_equal(err.where + strlen(yaml), bad[i].at);
		assert_true(err.why[0] && err.hint[0]);
	}
}

static int open_with(const char *dir, size_t n)
{
	_cleanup_free_ char *path = sw_fmt("%s/machine.yaml", dir);
	FILE *file = fopen(path, "we");
	struct sw_machine *m = NULL;
	int r;

	assert_non_null(file);
	(void)fputs("machine: 1\ndisks:\n", file);
	for (size_t i = 0; i < n; i++)
		(void)fprintf(file, "- {name: sd%zu, image: disk-1.img, size: 1M}\n", i);
	assert_int_equal(fclose(file), 0);
	r = sw_machine_open_standin(dir, &m, NULL);
	sw_machine_free(m);
	return r;
}

static void test_thousands_of_disks_and_no_more(void **state SW_UNUSED)
{
	_cleanup_dir_ char *dir = four(false);

	assert_int_equal(open_with(dir, 8192), 0);
	assert_int_equal(open_with(dir, 8193), -EINVAL);
}

static void test_no_stand_in_is_one_clear_error(void **state SW_UNUSED)
{
	struct sw_machine *m = NULL;
	struct sw_error err = {};

	assert_int_equal(sw_machine_open_standin("/nonexistent/machine", &m, &err), -ENOENT);
	assert_int_equal(err.exit, SW_EXIT_MISSING);
	assert_non_null(strstr(err.hint, "slipway machine create"));
}

/* ---- the TPM ---- */

static void test_swtpm_lives_and_dies_with_the_machine(void **state SW_UNUSED)
{
	_cleanup_dir_ char *dir = four(true);
	_cleanup_machine_ struct sw_machine *m = NULL, *second = NULL;
	_cleanup_facts_ struct sw_facts *f = NULL, *g = NULL;
	_cleanup_free_ char *sock = sw_fmt("%s/run/tpm.sock", dir);
	pid_t pid;

	if (!sw_proc_exists("swtpm"))
		skip();
	m = opened(dir);
	assert_int_equal(m->standin->tpm_pid, 0);
	f = facts_of(m);
	assert_true(f->tpm_present);
	assert_string_equal(f->tpm_version, "2.0");
	assert_true(f->tpm_vendor[0]);
	assert_null(f->notes);
	pid = m->standin->tpm_pid;
	assert_true(pid > 0);
	/* A second one on the same directory shares it and leaves it alone. */
	second = opened(dir);
	g = facts_of(second);
	assert_true(g->tpm_present);
	assert_int_equal(second->standin->tpm_pid, 0);
	second = sw_machine_free(second);
	assert_int_equal(kill(pid, 0), 0);
	m = sw_machine_free(m);
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
	assert_int_equal(access(sock, F_OK), -1);
}

static void test_swtpm_is_started_again_after_it_died(void **state SW_UNUSED)
{
	_cleanup_dir_ char *dir = four(true);
	_cleanup_machine_ struct sw_machine *m = opened(dir);
	_cleanup_facts_ struct sw_facts *f = NULL, *g = NULL;
	pid_t pid;

	if (!sw_proc_exists("swtpm"))
		skip();
	f = facts_of(m);
	pid = m->standin->tpm_pid;
	assert_int_equal(kill(pid, SIGKILL), 0);
	/* Gone, but not yet reaped: the machine has to notice. */
	for (int i = 0; i < 6000; i++) {
		siginfo_t si = {};

		assert_int_equal(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG | WNOWAIT), 0);
		if (si.si_pid == pid)
			break;
		usleep(10000);
	}
	g = facts_of(m);
	assert_true(g->tpm_present);
	assert_int_not_equal(m->standin->tpm_pid, pid);
}

static void test_swtpm_does_not_outlive_a_killed_owner(void **state SW_UNUSED)
{
	_cleanup_dir_ char *dir = four(true);
	int fds[2];
	pid_t owner, tpm = 0;

	if (!sw_proc_exists("swtpm"))
		skip();
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	owner = fork();
	if (owner == 0) {
		struct sw_machine *m = NULL;
		const char *tcti;

		if (sw_machine_open_standin(dir, &m, NULL) < 0 ||
		    sw_machine_tcti(m, &tcti, NULL) < 0 ||
		    write(fds[1], &m->standin->tpm_pid, sizeof(int)) != sizeof(int))
			_exit(1);
		for (;;)
			pause();
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &tpm, sizeof(tpm)), sizeof(tpm));
	assert_int_equal(kill(tpm, 0), 0);
	assert_int_equal(kill(owner, SIGKILL), 0);
	assert_int_equal(waitpid(owner, NULL, 0), owner);
	/* Its new parent reaps it; the listening socket goes with it at once. */
	for (int i = 0; i < 6000; i++) {
		_cleanup_free_ char *stat = sw_fmt("/proc/%d/stat", tpm), *line = NULL;

		if (sw_file_read_line(stat, &line) < 0 || strstr(line, ") Z "))
			tpm = 0;
		if (!tpm)
			break;
		usleep(10000);
	}
	assert_int_equal(tpm, 0);
	close(fds[0]);
}

static void test_no_tpm_is_asked_for_when_there_is_none(void **state SW_UNUSED)
{
	_cleanup_dir_ char *dir = four(false);
	_cleanup_machine_ struct sw_machine *m = opened(dir);
	_cleanup_facts_ struct sw_facts *f = facts_of(m);
	const char *tcti;

	assert_false(f->tpm_present);
	assert_null(f->notes);
	assert_null(m->tcti);
	assert_int_equal(sw_machine_tcti(m, &tcti, NULL), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_disks_are_named_as_the_kernel_would),
		cmocka_unit_test(test_firmware_starts_with_foreign_entries),
		cmocka_unit_test(test_bios_has_no_variables),
		cmocka_unit_test(test_captured_facts_say_the_same_and_open_nothing),
		cmocka_unit_test(test_disk_lock_keeps_a_second_writer_out),
		cmocka_unit_test(test_a_vanished_image_is_a_disk_that_cannot_be_read),
		cmocka_unit_test(test_medium_files_stay_on_the_medium),
		cmocka_unit_test(test_power_is_only_noted_and_the_boot_id_changes),
		cmocka_unit_test(test_a_used_directory_is_left_alone),
		cmocka_unit_test(test_impossible_disks_are_refused_before_anything_is_made),
		cmocka_unit_test(test_bad_machine_yaml_is_refused_at_line_and_column),
		cmocka_unit_test(test_thousands_of_disks_and_no_more),
		cmocka_unit_test(test_no_stand_in_is_one_clear_error),
		cmocka_unit_test(test_swtpm_lives_and_dies_with_the_machine),
		cmocka_unit_test(test_swtpm_is_started_again_after_it_died),
		cmocka_unit_test(test_swtpm_does_not_outlive_a_killed_owner),
		cmocka_unit_test(test_no_tpm_is_asked_for_when_there_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
