/* SPDX-License-Identifier: Apache-2.0 */
/* The rescue shell: what comes before it, and that a terminal is the session's again after it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/lib/rig.h"

#include "base/file.h"
#include "base/proc.h"
#include "machine/shell.h"
#include "tpm/seal.h"

#define WAIT_MS 60000

static const struct sw_standin_disk disk = { "NODE07SYS", "Disk", "nvme", 64ULL << 20, 512 };

static char *standin(bool tpm, struct sw_machine **ret_machine)
{
	const struct sw_standin_config c = { .disks = &disk, .n_disks = 1, .no_tpm = !tpm };
	struct sw_error err = { 0 };
	char *dir;

	assert_int_equal(sw_scratch_new("slipway-shell", &dir), 0);
	assert_int_equal(sw_standin_create(dir, &c, &err), 0);
	assert_int_equal(sw_machine_open_standin(dir, ret_machine, &err), 0);
	return dir;
}

static void done(struct sw_machine *m, char *dir)
{
	sw_machine_free(m);
	assert_int_equal(sw_remove_tree(dir), 0);
	free(dir);
}

/* A machine with a TPM and a key that is sealed to it; a test without swtpm is skipped. */
static char *sealing(struct sw_machine **ret_machine, const char **ret_tcti,
		     struct sw_sealed *ret_sealed, struct sw_secret **ret_secret)
{
	struct sw_error err = { 0 };
	char *dir;

	if (!sw_proc_exists("swtpm"))
		skip();
	dir = standin(true, ret_machine);
	assert_int_equal(sw_machine_tcti(*ret_machine, ret_tcti, &err), 0);
	assert_int_equal(sw_tpm_seal(*ret_tcti, SW_TPM_PCRS_DEFAULT, NULL, NULL,
				     ret_sealed, ret_secret,
				     &err), 0);
	return dir;
}

static void test_without_a_tpm_nothing_is_given_up(void **state SW_UNUSED)
{
	struct sw_machine *m = NULL;
	struct sw_error err = { 0 };
	char *dir = standin(false, &m);

	assert_int_equal(sw_shell_prepare(m, &err), 0);
	assert_int_equal(sw_shell_may_seal(m, &err), 0);
	done(m, dir);
}

static void test_a_tpm_gives_no_sealed_key_to_who_has_a_shell(void **state SW_UNUSED)
{
	struct sw_machine *m = NULL;
	struct sw_secret *secret = NULL, *again = NULL;
	struct sw_sealed sealed = { 0 };
	struct sw_error err = { 0 };
	const char *tcti = NULL;
	char *dir = sealing(&m, &tcti, &sealed, &secret);

	assert_int_equal(sw_tpm_unseal(tcti, &sealed, NULL, &again, &err), 0);
	sw_secret_free(again);
	again = NULL;
	assert_int_equal(sw_shell_may_seal(m, &err), 0);
	assert_int_equal(sw_shell_prepare(m, &err), 0);
	assert_int_equal(sw_tpm_unseal(tcti, &sealed, NULL, &again, &err), -EPERM);
	/* Nor is one sealed that nothing could open after a restart. */
	err = (struct sw_error){ 0 };
	assert_int_equal(sw_shell_may_seal(m, &err), -EPERM);
	assert_int_equal(err.exit, SW_EXIT_REFUSED);
	/* The second shell needs no more. */
	assert_int_equal(sw_shell_prepare(m, &err), 0);
	sw_secret_free(secret);
	done(m, dir);
}

/* Whether the process waits for a lock: proc(5), /proc/locks, "->" before a waiting one. */
static bool waits_for_lock(pid_t pid)
{
	_cleanup_buf_ struct sw_buf b = { .max = 1 << 20 };
	_cleanup_free_ char *word = sw_fmt(" %d ", (int)pid);

	assert_int_equal(sw_file_read("/proc/locks", &b), 0);
	for (const char *p = sw_buf_text(&b); (p = strstr(p, "-> FLOCK")); p++) {
		_cleanup_free_ char *line = strndup(p, strcspn(p, "\n"));

		if (line && strstr(line, word))
			return true;
	}
	return false;
}

/* Another shell is just being opened, on another console: what it does is not done twice. */
static void test_a_shell_waits_for_one_that_is_being_opened(void **state SW_UNUSED)
{
	_cleanup_free_ char *lock = NULL, *mark = NULL;
	struct sw_secret *secret = NULL, *again = NULL;
	struct sw_sealed sealed = { 0 };
	struct sw_machine *m = NULL;
	struct sw_error err = { 0 };
	const char *tcti = NULL;
	int64_t start = sw_rig_now_ms();
	int fd, status = -1;
	pid_t child;
	char *dir = sealing(&m, &tcti, &sealed, &secret);

	assert_int_equal(sw_mkdir_all(m->run_dir, 0700), 0);
	lock = sw_fmt("%s/shell-lock", m->run_dir);
	mark = sw_fmt("%s/shell-opened", m->run_dir);
	fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0 && flock(fd, LOCK_EX) == 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(fd);
		_exit(sw_shell_prepare(m, &err) < 0);
	}
	while (!waits_for_lock(child)) {
		assert_int_equal(waitpid(child, &status, WNOHANG), 0);
		assert_true(sw_rig_now_ms() - start < WAIT_MS);
		(void)usleep(10000);
	}
	assert_int_equal(sw_file_write(mark, "done\n", 5, 0600), 0);
	close(fd);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(sw_tpm_unseal(tcti, &sealed, NULL, &again, &err), 0);
	sw_secret_free(secret);
	sw_secret_free(again);
	done(m, dir);
}

/* One that was begun, and who knows whether it was done, seals nothing, and is done again. */
static void test_a_preparation_that_was_cut_off_counts_as_the_worst(void **state SW_UNUSED)
{
	_cleanup_free_ char *mark = NULL;
	struct sw_machine *m = NULL;
	struct sw_error err = { 0 };
	char *dir = standin(false, &m);

	mark = sw_fmt("%s/shell-opened", m->run_dir);
	assert_int_equal(sw_mkdir_all(m->run_dir, 0700), 0);
	assert_int_equal(sw_file_write(mark, "begun\n", 6, 0600), 0);
	assert_int_equal(sw_shell_may_seal(m, &err), -EPERM);
	done(m, dir);
}

static void test_captured_facts_have_no_shell(void **state SW_UNUSED)
{
	struct sw_machine *m = NULL;
	struct sw_error err = { 0 };

	assert_int_equal(sw_machine_open_captured("tests/screens/bios.json", &m, &err), 0);
	assert_int_equal(sw_shell_prepare(m, &err), -EROFS);
	sw_machine_free(m);
}

/* ---- on a terminal ---- */

static void wait_for(struct sw_rig *g, const char *what)
{
	int64_t start = sw_rig_now_ms();

	for (;;) {
		struct pollfd p = { .fd = g->master, .events = POLLIN };
		_cleanup_free_ char *text = sw_rig_text(g, SW_RIG_ROWS, SW_RIG_COLS);

		if (strstr(text, what))
			return;
		if (sw_rig_now_ms() - start > WAIT_MS)
			fail_msg("\"%s\" never came; there is\n%s", what, text);
		if (poll(&p, 1, 100) > 0)
			(void)sw_rig_take_output(g);
	}
}

static void type(struct sw_rig *g, const char *text)
{
	assert_int_equal(write(g->master, text, strlen(text)), (ssize_t)strlen(text));
}

/* What is typed is the shell's until it ends; then the session stands there as it was. */
static void shell_on(const char *term)
{
	const struct sw_wire_shell plain = { 0 };
	_cleanup_free_ char *text = NULL;
	struct sw_rig g;

	sw_rig_open(&g, term, SW_RIG_ROWS, SW_RIG_COLS);
	(void)sw_rig_settle(&g);
	assert_false(sw_server_shell(&g.srv, g.s, &plain));
	(void)sw_rig_type(&g, term ? "?" : "?\n");
	assert_true(sw_server_shell(&g.srv, g.s, &plain));
	wait_for(&g, "goes back to slipway");
	/* Split, so that what the terminal echoes is not taken for what the shell says. */
	type(&g, "echo of-the-sh''ell; stty size\n");
	wait_for(&g, "of-the-shell");
	wait_for(&g, "24 80");
	type(&g, "exit\n");
	(void)sw_rig_settle(&g);
	if (term) {
		sw_rig_assert_shows_the_frame(&g);
		assert_non_null(strstr(g.s->notice, "A shell is open on"));
		(void)sw_rig_type(&g, "\030");
		sw_rig_assert_shows_the_frame(&g);
	} else {
		(void)sw_rig_type(&g, "9\n");
	}
	text = sw_rig_text(&g, SW_RIG_ROWS, SW_RIG_COLS);
	assert_non_null(strstr(text, term ? "Install a node" : "Enter: go on"));
	sw_rig_close(&g);
}

static void test_a_drawing_terminal_is_the_sessions_again_after_the_shell(void **state SW_UNUSED)
{
	shell_on("vt220");
}

static void test_a_plain_terminal_is_the_sessions_again_after_the_shell(void **state SW_UNUSED)
{
	shell_on(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_a_tpm_nothing_is_given_up),
		cmocka_unit_test(test_a_tpm_gives_no_sealed_key_to_who_has_a_shell),
		cmocka_unit_test(test_a_shell_waits_for_one_that_is_being_opened),
		cmocka_unit_test(test_a_preparation_that_was_cut_off_counts_as_the_worst),
		cmocka_unit_test(test_captured_facts_have_no_shell),
		cmocka_unit_test(test_a_drawing_terminal_is_the_sessions_again_after_the_shell),
		cmocka_unit_test(test_a_plain_terminal_is_the_sessions_again_after_the_shell),
	};

	setenv("SLIPWAY_LAYOUTS", "layouts", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
