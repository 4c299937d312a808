/* SPDX-License-Identifier: Apache-2.0 */
/* A whole session process on a stand-in machine, with a viewer on a pty. */
#include <vterm.h>

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "base/file.h"
#include "tui/session/job.h"
#include "tui/session/session.h"
#include "tui/session/text.h"
#include "tui/term/viewer.h"

#define ROWS 24
#define COLS 80
#define LIMIT_MS 60000

struct rig {
	char *dir, *machine, *socket;
	int master;
	pid_t session, viewer;
	VTerm *vt;
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void start_session(struct rig *g, bool unattended)
{
	struct sw_session_options o = { .can_quit = true, .unattended = unattended,
					.socket = g->socket };
	struct sw_machine *m = NULL;
	struct sw_error err = { 0 };
	int r;

	g->session = fork();
	if (g->session)
		return;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	r = sw_answers_read("tests/screens/unattended.yaml", &o.answers, &err);
	if (r == 0)
		r = sw_machine_open_standin(g->machine, &m, &err);
	if (r == 0)
		r = sw_session_run(m, &o, &err);
	sw_machine_free(m);
	_exit(r < 0 ? 1 : 0);
}

static void start_viewer(struct rig *g)
{
	struct winsize ws = { .ws_row = ROWS, .ws_col = COLS };
	struct sw_error err = { 0 };
	char tty[64];
	int slave;

	assert_int_equal(openpty(&g->master, &slave, tty, NULL, &ws), 0);
	(void)fcntl(g->master, F_SETFD, FD_CLOEXEC);
	g->viewer = fork();
	if (g->viewer == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(g->master);
		_exit(sw_viewer_run(g->socket, tty, "vt220", &err) < 0 ? 1 : 0);
	}
	/* Kept open over the viewer's start, or the master would see a hang-up. */
	(void)poll(NULL, 0, 300);
	close(slave);
}

static void open_rig(struct rig *g, bool unattended)
{
	static const struct sw_standin_disk disks[] = {
		{ .serial = "NODE07SYS", .model = "Demo-NVMe", .transport = "nvme",
		  .size = 8ULL << 30, .sector = 512 },
		{ .serial = "DATA4711", .model = "Demo-SATA", .transport = "sata",
		  .size = 4ULL << 30, .sector = 512 },
	};
	const struct sw_standin_config config = { .disks = disks, .n_disks = 2, .no_tpm = true };
	struct sw_error err = { 0 };

	*g = (struct rig){ .master = -1 };
	assert_int_equal(sw_scratch_new("session", &g->dir), 0);
	g->machine = sw_fmt("%s/m", g->dir);
	g->socket = sw_fmt("%s/s", g->dir);
	if (sw_standin_create(g->machine, &config, &err) < 0)
		fail_msg("%s: %s", err.what, err.why);
	g->vt = vterm_new(ROWS, COLS);
	vterm_set_utf8(g->vt, 1);
	vterm_screen_reset(vterm_obtain_screen(g->vt), 1);
	start_session(g, unattended);
	start_viewer(g);
}

static int wait_end(pid_t pid)
{
	int64_t end = now_ms() + LIMIT_MS;
	int status;
	pid_t r;

	while ((r = waitpid(pid, &status, WNOHANG)) == 0 && now_ms() < end)
		(void)poll(NULL, 0, 10);
	if (r == 0) {
		kill(pid, SIGKILL);
		(void)waitpid(pid, &status, 0);
		return -1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void close_rig(struct rig *g)
{
	int session, viewer;

	if (g->session > 0)
		kill(g->session, SIGTERM);
	session = g->session > 0 ? wait_end(g->session) : 0;
	if (g->viewer > 0)
		kill(g->viewer, SIGTERM);
	viewer = g->viewer > 0 ? wait_end(g->viewer) : 0;
	close(g->master);
	vterm_free(g->vt);
	(void)sw_remove_tree(g->dir);
	free(g->dir);
	free(g->machine);
	free(g->socket);
	assert_int_equal(session, 0);
	assert_int_equal(viewer, 0);
}

static bool screen_has(struct rig *g, const char *what)
{
	VTermRect all = { .start_row = 0, .end_row = ROWS, .start_col = 0, .end_col = COLS };
	char text[ROWS * COLS * 4 + 1];
	size_t n = vterm_screen_get_text(vterm_obtain_screen(g->vt), text, sizeof(text) - 1, all);

	text[n] = '\0';
	return strstr(text, what) != NULL;
}

/* Reads the terminal until it shows this. */
static void see(struct rig *g, const char *what)
{
	int64_t start = now_ms();

	while (!screen_has(g, what)) {
		struct pollfd p = { .fd = g->master, .events = POLLIN };
		char data[4096];
		ssize_t n;

		if (now_ms() - start > LIMIT_MS)
			fail_msg("the screen never showed \"%s\"", what);
		if (poll(&p, 1, 50) <= 0 || !(p.revents & POLLIN))
			continue;
		n = read(g->master, data, sizeof(data));
		if (n > 0)
			vterm_input_write(g->vt, data, (size_t)n);
	}
}

static void type(struct rig *g, const char *keys)
{
	assert_int_equal(write(g->master, keys, strlen(keys)), (ssize_t)strlen(keys));
}

static void test_a_person_walks_to_the_review_and_leaves(void **state SW_UNUSED)
{
	struct stat st;
	struct rig g;

	open_rig(&g, false);
	see(&g, "nvme0n1 8G");
	assert_int_equal(stat(g.socket, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	type(&g, "\r");
	see(&g, "NODE07SYS");
	/* All at once: keys are never lost, however fast they come. */
	type(&g, "\r\r\r\r\r\r\r");
	see(&g, "boot slot (FAT32)");
	type(&g, "\r");
	see(&g, "To install, type");
	/* Back and out. */
	type(&g, "\030\030\030\030\030\030\030\030");
	see(&g, "> Install a node");
	type(&g, "qj\r");
	assert_int_equal(wait_end(g.session), 0);
	assert_int_equal(wait_end(g.viewer), 0);
	assert_int_equal(stat(g.socket, &st), -1);
	g.session = g.viewer = 0;
	close_rig(&g);
}

static void test_a_killed_session_is_followed_by_the_next(void **state SW_UNUSED)
{
	struct rig g;

	open_rig(&g, false);
	see(&g, "nvme0n1 8G");
	type(&g, "\r");
	see(&g, "NODE07SYS");
	kill(g.session, SIGKILL);
	(void)waitpid(g.session, NULL, 0);
	see(&g, "Waiting for slipway's session");
	start_session(&g, false);
	see(&g, "> Install a node");
	close_rig(&g);
}

static void lose_viewer(struct rig *g)
{
	kill(g->viewer, SIGKILL);
	(void)waitpid(g->viewer, NULL, 0);
	g->viewer = 0;
}

static void test_a_session_nobody_can_reach_any_more_ends(void **state SW_UNUSED)
{
	struct rig g;

	open_rig(&g, false);
	see(&g, "nvme0n1 8G");
	lose_viewer(&g);
	/* A lost terminal alone ends nothing: somebody may come back. */
	(void)poll(NULL, 0, 2500);
	assert_int_equal(waitpid(g.session, NULL, WNOHANG), 0);
	assert_int_equal(unlink(g.socket), 0);
	assert_int_equal(wait_end(g.session), 0);
	g.session = 0;
	close_rig(&g);
}

static void test_a_session_that_ends_leaves_the_next_one_its_socket(void **state SW_UNUSED)
{
	struct rig g;
	struct stat st;
	pid_t first;

	open_rig(&g, false);
	see(&g, "nvme0n1 8G");
	lose_viewer(&g);
	first = g.session;
	start_session(&g, false);
	assert_int_equal(wait_end(first), 0);
	assert_int_equal(stat(g.socket, &st), 0);
	close_rig(&g);
}

/* The payload is missing on this stand-in, so the install fails before it writes. */
static void test_an_unattended_failure_stays_on_the_screen(void **state SW_UNUSED)
{
	struct rig g;

	open_rig(&g, true);
	see(&g, "The install has failed:");
	see(&g, "Nothing on the disk was changed.");
	type(&g, "l");
	see(&g, "Fetch and check the payload");
	close_rig(&g);
}

static void test_a_job_that_dies_is_an_error_and_not_a_hang(void **state SW_UNUSED)
{
	_cleanup_state_ struct sw_state *s = sw_state_new(NULL, NULL);

	assert_non_null(s);
	sw_job_deliver(SW_JOB_PLAN, "", 0, s);
	assert_false(s->plan_pending);
	assert_string_equal(s->plan_error.what, "the helper process died");
	sw_job_deliver(SW_JOB_FACTS, "{\"facts\":{\"version\":1,", 22, s);
	assert_false(s->facts_pending);
	sw_job_deliver(SW_JOB_FACTS, "{}", 2, s);
	assert_true(s->facts_error.what[0] != '\0');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_person_walks_to_the_review_and_leaves),
		cmocka_unit_test(test_a_killed_session_is_followed_by_the_next),
		cmocka_unit_test(test_a_session_nobody_can_reach_any_more_ends),
		cmocka_unit_test(test_a_session_that_ends_leaves_the_next_one_its_socket),
		cmocka_unit_test(test_an_unattended_failure_stays_on_the_screen),
		cmocka_unit_test(test_a_job_that_dies_is_an_error_and_not_a_hang),
	};

	setenv("SLIPWAY_LAYOUTS", "layouts", 1);
	sw_text_init();
	return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
