/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/session/session.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "apply/handover.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/secret.h"
#include "machine/shell.h"
#include "machine/watch.h"
#include "stack/stack.h"
#include "tui/screens/screens.h"
#include "tui/session/job.h"
#include "tui/session/server.h"
#include "tui/session/text.h"
#include "tui/session/work.h"

/* Progress is worth at most two frames a second. */
#define LOOK_MS 500		/* devices come in bunches */
#define LAZY_MS 500
/* How often the log of a child that is not ours is looked at. */
#define FOLLOW_MS 300

/* How often a session without viewers looks whether anybody could still come. */
#define DESERTED_MS 2000

struct session {
	struct sw_machine *m;
	struct sw_state *state;
	struct sw_server server;
	struct sw_job jobs[SW_N_JOBS];
	struct sw_worker worker;
	bool dirty, lazy;
	int64_t shown_ms;
	struct sw_watch watch;
	const struct sw_conn *shell_for;	/* who asked for a shell; only to be compared */
	int64_t look_ms;	/* when to look at the machine again, 0: not soon */
	sigset_t unblocked;	/* signals arrive only while waiting */
};

static volatile sig_atomic_t stop;

static void on_signal(int sig SW_UNUSED)
{
	stop = 1;
}

char *sw_session_socket(const struct sw_machine *m)
{
	return sw_fmt("%s/session.sock", m->run_dir);
}

bool sw_session_answers(const char *socket_path)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	if (fd < 0 || strlen(socket_path) >= sizeof(a.sun_path))
		return false;
	memcpy(a.sun_path, socket_path, strlen(socket_path));
	return connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0;
}

static void start_job(struct session *se, enum sw_job_kind kind)
{
	struct sw_error err = { 0 };

	/* One that writes is never cut off by a second key. */
	if ((kind == SW_JOB_FACTS || kind == SW_JOB_SWITCH_SET || kind == SW_JOB_DOCTOR_REPAIR ||
	     kind == SW_JOB_DOCTOR_UNDO || kind == SW_JOB_ADMIT ||
	     kind == SW_JOB_TOOL_DO) && se->jobs[kind].pid > 0)
		return;
	if (sw_job_start(&se->jobs[kind], se->m, se->state, &err) == 0)
		return;
	if (kind == SW_JOB_FACTS)
		sw_state_facts_failed(se->state, &err);
	else if (kind == SW_JOB_PLAN)
		sw_state_plan_failed(se->state, &err);
	else if (kind == SW_JOB_WIPE_PLAN)
		sw_state_wipe_failed(se->state, &err);
	else if (kind == SW_JOB_SWITCH || kind == SW_JOB_SWITCH_SET)
		sw_state_switch_failed(se->state, &err);
	else if (kind >= SW_JOB_DOCTOR && kind <= SW_JOB_DOCTOR_UNDO)
		sw_state_doctor_failed(se->state, &err);
	else if (sw_job_is_look(kind))
		sw_state_look_failed(se->state, sw_job_look(kind), &err);
	else if (kind == SW_JOB_RESTART_TO)
		sw_state_refuse(se->state, "No restart: %s", err.what);
	else if (kind == SW_JOB_SHELL)
		sw_state_refuse(se->state, "No shell: %s", err.what);
	else if (kind == SW_JOB_TELL)
		sw_state_told(se->state);
	else if (kind == SW_JOB_WAITS)
		sw_state_wait_told(se->state);
	else
		sw_state_refuse(se->state, "Not saved: %s", err.what);
}

static void start_work(struct session *se)
{
	struct sw_error err = { 0 };

	sw_job_stop(&se->jobs[SW_JOB_DOCTOR]);	/* it reads what is about to change */
	se->state->doctor_pending = false;
	if (sw_worker_start(&se->worker, se->m, se->state, &err) < 0)
		sw_state_work_failed(se->state, &err);
}

static void power(struct session *se, enum sw_power what)
{
	struct sw_error err = { 0 };

	if (sw_machine_power(se->m, what, &err) == 0)
		se->state->quit = true;
	else
		sw_state_refuse(se->state, "%s: %s", err.what, err.why);
}

/* Reads the slot, which takes as long as reading an image does; nothing comes after it here. */
static void start_node(struct session *se)
{
	const struct sw_plan *p = sw_state_installed(se->state);
	struct sw_error err = { 0 };
	int r = p ? sw_handover_load(se->m, p, &err)
		  : sw_fail(&err, SW_EXIT_MISSING, -ENOENT, "no install of these answers is there");

	if (r == 0)
		power(se, SW_POWER_KEXEC);
	else
		sw_state_kexec_failed(se->state, &err);
}

static void do_doctor(struct session *se, uint64_t want)
{
	if (want & SW_WANT_DOCTOR_STOP)
		sw_job_stop(&se->jobs[SW_JOB_DOCTOR]);
	if (want & SW_WANT_DOCTOR)
		start_job(se, SW_JOB_DOCTOR);
	if (want & SW_WANT_DOCTOR_REPAIR_STOP)
		sw_job_ask_to_stop(&se->jobs[SW_JOB_DOCTOR_REPAIR]);
	if (!(want & (SW_WANT_DOCTOR_REPAIR | SW_WANT_DOCTOR_UNDO)))
		return;
	sw_state_doctor_writes(se->state, want & SW_WANT_DOCTOR_REPAIR);
	start_job(se, want & SW_WANT_DOCTOR_REPAIR ? SW_JOB_DOCTOR_REPAIR : SW_JOB_DOCTOR_UNDO);
}

static void do_looks(struct session *se, uint64_t want)
{
	if (want & SW_WANT_STATUS)
		start_job(se, SW_JOB_STATUS);
	if (want & SW_WANT_NETWORK)
		start_job(se, SW_JOB_NETWORK);
	if (want & SW_WANT_REACH)
		start_job(se, SW_JOB_REACH);
	if (want & SW_WANT_PREFLIGHT)
		start_job(se, SW_JOB_PREFLIGHT);
	if (want & SW_WANT_NETTEST)
		start_job(se, SW_JOB_NETTEST);
	if (want & SW_WANT_RESTART)
		start_job(se, SW_JOB_RESTART);
	if (want & SW_WANT_ADMIT)
		start_job(se, SW_JOB_ADMIT);
	if (want & SW_WANT_TOOL_STOP)
		sw_job_stop(&se->jobs[SW_JOB_TOOL]);
	if (want & SW_WANT_TOOL)
		start_job(se, SW_JOB_TOOL);
	if (want & SW_WANT_TOOL_DO)
		start_job(se, SW_JOB_TOOL_DO);
	if (want & SW_WANT_TOOL_DO_STOP)
		sw_job_ask_to_stop(&se->jobs[SW_JOB_TOOL_DO]);
}

/* It opens where it was asked for: somebody else may have taken the pen meanwhile. */
static void do_shell(struct session *se, uint64_t want)
{
	const struct sw_wire_shell plain = { 0 };

	if (want & SW_WANT_SHELL) {
		se->shell_for = se->server.pen;
		start_job(se, SW_JOB_SHELL);
	}
	if (!(want & SW_WANT_SHELL_OPEN))
		return;
	if (!se->shell_for || se->shell_for != se->server.pen ||
	    !sw_server_shell(&se->server, se->state, &plain))
		sw_state_refuse(se->state, "No shell: the console that asked for it has lost the "
					   "pen.");
	se->shell_for = NULL;
}

/*
 * The shell's own program opens the state before it gives up the TPM's keys, so nothing comes
 * before it here.
 */
static void do_state_shell(struct session *se)
{
	struct sw_wire_shell what = { .flags = se->state->state_shell };
	/* A console need not be where the session was started. */
	_cleanup_free_ char *dir = se->m->dir ? realpath(se->m->dir, NULL) : NULL;

	if (dir)
		(void)snprintf(what.machine, sizeof(what.machine), "%s", dir);
	if (!sw_server_shell(&se->server, se->state, &what))
		sw_state_refuse(se->state, "No shell: no console has the pen.");
}

/* What the last requests have asked for; doing it may ask for more. */
static void do_wants(struct session *se)
{
	struct sw_state *s = se->state;

	while (s->want) {
		uint64_t want = s->want;

		s->want = 0;
		if (want & SW_WANT_FACTS)
			start_job(se, SW_JOB_FACTS);
		if (want & SW_WANT_PLAN)
			start_job(se, SW_JOB_PLAN);
		if (want & SW_WANT_SWITCH)
			start_job(se, SW_JOB_SWITCH);
		if (want & SW_WANT_SWITCH_SET)
			start_job(se, SW_JOB_SWITCH_SET);
		if (want & SW_WANT_WIPE_PLAN)
			start_job(se, SW_JOB_WIPE_PLAN);
		if (want & SW_WANT_WIPE_REPORT)
			start_job(se, SW_JOB_WIPE_REPORT);
		do_doctor(se, want);
		do_looks(se, want);
		do_shell(se, want);
		if (want & SW_WANT_STATE_SHELL)
			do_state_shell(se);
		if (want & SW_WANT_SAVE)
			start_job(se, SW_JOB_SAVE);
		if (want & (SW_WANT_APPLY | SW_WANT_RESUME | SW_WANT_UNDO | SW_WANT_WIPE))
			start_work(se);
		if (want & SW_WANT_CANCEL)
			sw_worker_cancel(&se->worker);
		if (want & SW_WANT_PAUSE)
			sw_worker_pause(&se->worker, se->m, s);
		if (want & SW_WANT_WAITS)
			start_job(se, SW_JOB_WAITS);
		if (want & SW_WANT_TELL)
			start_job(se, SW_JOB_TELL);
		if (want & SW_WANT_RESTART_TO)
			start_job(se, SW_JOB_RESTART_TO);
		if (want & SW_WANT_REBOOT)
			power(se, SW_POWER_REBOOT);
		if (want & SW_WANT_POWEROFF)
			power(se, SW_POWER_OFF);
		if (want & SW_WANT_KEXEC)
			start_node(se);
		se->dirty = true;
	}
}

static void load_layouts(struct sw_state *s)
{
	char **names = NULL;

	if (sw_layout_names(&names) < 0)
		return;
	for (char **n = names; *n; n++) {
		struct sw_error ignored = { 0 };

		if (s->n_layouts < SW_MAX_LAYOUTS &&
		    sw_layout_find(*n, &s->layouts[s->n_layouts], &ignored) == 0)
			s->n_layouts++;
		free(*n);
	}
	free(names);
}

static int init_state(struct session *se, const struct sw_session_options *o, struct sw_error *err)
{
	struct sw_state *s = sw_state_new(o->answers, se->m->run_dir);

	if (!s)
		return sw_fail_oom(err);
	se->state = s;
	s->can_quit = o->can_quit;
	s->has_shell = se->m->kind != SW_MACHINE_CAPTURED && sw_shell_exists();
	s->now_ms = sw_now_ms();
	load_layouts(s);
	sw_view_push(s, &sw_screen_start);
	if (sw_worker_adopt(&se->worker, se->m, &s->work)) {
		(void)sw_progress_begin(&s->run, NULL);
		s->phase = SW_PHASE_RUNNING;
		sw_worker_adopt_pause(se->m, s);
		sw_view_push(s, &sw_screen_progress);
	} else if (o->unattended && o->countdown_s) {
		s->countdown_text = strdup(o->countdown_text ? o->countdown_text : "");
		s->deadline_ms = s->now_ms + (int64_t)o->countdown_s * 1000;
		s->seconds_left = o->countdown_s;
		sw_view_push(s, &sw_screen_countdown);
	} else if (o->failed) {
		sw_state_answers_failed(s, o->failed, o->rest);
	} else {
		s->unattended = o->unattended;
	}
	if (o->notice)
		sw_state_notice(s, "%s", o->notice);
	return 0;
}

static void show(struct session *se)
{
	int64_t now = se->state->now_ms;

	if (!se->dirty && !(se->lazy && now - se->shown_ms >= LAZY_MS))
		return;
	sw_server_show(&se->server, se->state);
	se->dirty = se->lazy = false;
	se->shown_ms = now;
}

static int timeout(const struct session *se)
{
	int64_t left = se->state->now_ms - se->shown_ms;

	if (se->look_ms)
		return se->look_ms > se->state->now_ms ? LOOK_MS : 0;
	if (se->lazy)
		return left >= LAZY_MS ? 0 : (int)(LAZY_MS - left);
	if (se->worker.adopted)
		return FOLLOW_MS;
	if (se->state->deadline_ms || se->state->waiting)
		return 200;
	return se->state->can_quit && se->server.n == 0 ? DESERTED_MS : -1;
}

/*
 * A person's console keeps what was typed when its terminal is lost; but when its directory is
 * removed nobody can ever come back, and it would stay for ever.
 */
static bool is_deserted(const struct session *se)
{
	return se->state->can_quit && se->server.n == 0 && !se->worker.pid &&
	       !sw_server_is_reachable(&se->server);
}

static void read_worker(struct session *se)
{
	switch (sw_worker_read(&se->worker, se->state)) {
	case SW_WORKER_NOW:
		se->dirty = true;
		break;
	case SW_WORKER_LATER:
		se->lazy = true;
		break;
	default:
		break;
	}
}

/*
 * Devices come in bunches, so the look waits a moment. While an install runs,
 * or a look is under way, it waits for the end of that.
 */
static void look_when_due(struct session *se)
{
	struct sw_state *s = se->state;

	if (sw_watch_read(&se->watch) && !se->look_ms)
		se->look_ms = s->now_ms + LOOK_MS;
	if (!se->look_ms || s->now_ms < se->look_ms)
		return;
	se->look_ms = s->phase == SW_PHASE_ASKING && s->facts_pending ? s->now_ms + LOOK_MS : 0;
	if (s->phase == SW_PHASE_ASKING && !s->facts_pending) {
		s->facts_pending = true;
		s->want |= SW_WANT_FACTS;
	}
}

static void step(struct session *se)
{
	struct pollfd fds[SW_MAX_VIEWERS + 1 + SW_N_JOBS + 1 + SW_WATCH_FDS];
	size_t viewers = sw_server_poll(&se->server, fds), n = viewers;
	size_t worker;
	struct timespec wait;
	int ms;

	for (size_t i = 0; i < SW_N_JOBS; i++)
		fds[n++] = (struct pollfd){
			.fd = se->jobs[i].pid > 0 ? se->jobs[i].fd : -1, .events = POLLIN,
		};
	fds[n++] = (struct pollfd){
		.fd = se->worker.pid && !se->worker.adopted ? se->worker.fd : -1,
		.events = POLLIN,
	};
	worker = n - 1;
	for (size_t i = 0; i < SW_WATCH_FDS; i++)
		fds[n++] = (struct pollfd){ .fd = se->watch.fd[i], .events = POLLIN };
	ms = timeout(se);
	wait = (struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };
	if (ppoll(fds, (nfds_t)n, ms < 0 ? NULL : &wait, &se->unblocked) < 0)
		return;
	se->dirty |= sw_state_tick(se->state, sw_now_ms());
	for (size_t i = 0; i < SW_N_JOBS; i++)
		if (fds[viewers + i].revents && sw_job_read(&se->jobs[i], se->state))
			se->dirty = true;
	if (fds[worker].revents || se->worker.adopted)
		read_worker(se);
	look_when_due(se);
	if (sw_server_handle(&se->server, fds, viewers, se->state))
		se->dirty = true;
}

static void catch_signals(sigset_t *ret_unblocked)
{
	struct sigaction sa = { .sa_handler = on_signal };
	sigset_t ours;

	stop = 0;
	(void)sigaction(SIGTERM, &sa, NULL);
	(void)sigaction(SIGINT, &sa, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	sigemptyset(&ours);
	sigaddset(&ours, SIGTERM);
	sigaddset(&ours, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &ours, ret_unblocked);
}

static int run(struct session *se, const struct sw_session_options *o, struct sw_error *err)
{
	_cleanup_free_ char *path = o->socket ? strdup(o->socket) : sw_session_socket(se->m);
	int r = path ? sw_mkdir_all(se->m->run_dir, 0700) : -ENOMEM;

	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot make %s", se->m->run_dir);
	r = sw_server_open(&se->server, path, err);
	if (r < 0)
		return r;
	if (o->ready)
		o->ready(o->userdata);
	while (!stop && !se->state->quit && !is_deserted(se)) {
		do_wants(se);
		show(se);
		if (!se->state->quit)
			step(se);
	}
	return 0;
}

int sw_session_run(struct sw_machine *m, const struct sw_session_options *o, struct sw_error *err)
{
	struct session se = { .m = m, .server.fd = -EBADF, .worker.fd = -EBADF };
	int r;

	/* Before the first key comes: it may be one of a token. */
	sw_secret_guard();
	sw_text_init();
	catch_signals(&se.unblocked);
	for (size_t i = 0; i < SW_N_JOBS; i++)
		se.jobs[i] = (struct sw_job){ .kind = (enum sw_job_kind)i, .fd = -EBADF };
	sw_watch_open(m, &se.watch);
	(void)sw_stack_close(m, NULL, NULL);	/* what a session that was killed had opened */
	r = init_state(&se, o, err);
	if (r == 0)
		r = run(&se, o, err);
	sw_watch_close(&se.watch);
	sw_server_close(&se.server, se.state && se.state->quit ? "" : NULL);
	for (size_t i = 0; i < SW_N_JOBS; i++)
		sw_job_stop(&se.jobs[i]);
	sw_worker_clear(&se.worker);
	sw_state_free(se.state);
	(void)sigprocmask(SIG_SETMASK, &se.unblocked, NULL);
	return r;
}
