/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Apply as a child in its own session: it hears no SIGHUP, holds no terminal,
 * and goes on when whoever started it dies. SIGTERM asks it to stop at the next
 * safe point.
 */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

#include "answers/proxy.h"
#include "apply/clock.h"
#include "apply/apply.h"
#include "apply/hooks.h"
#include "apply/network.h"
#include "apply/told.h"
#include "apply/wipe-private.h"
#include "base/file.h"
#include "base/json.h"
#include "base/proc.h"
#include "base/secret.h"
#include "boot/varstore.h"

struct child {
	struct sw_machine *m;
	struct sw_plan *plan;
	const struct sw_journal_info *info;
	enum sw_apply_kind kind;
	uint64_t without;	/* an undo: of these disks not */
	const struct sw_wipe_plan *wipe;	/* instead of an install */
	/* or this disk of these facts, to be wiped */
	const struct sw_facts *facts;
	const struct sw_disk *disk;
	const struct sw_wipe_options *options;
	int out, log;
};

static volatile sig_atomic_t stop_asked, stops_before, paused;
static struct child *running;	/* in its process, for what has another's userdata */

static void on_term(int sig SW_UNUSED)
{
	if (stop_asked < 2)
		stop_asked++;
}

static void on_pause(int sig)
{
	paused = sig == SIGUSR1;
}

static void write_event(const struct sw_event *ev, void *userdata);

static void tell_pause(const struct sw_sink *sink)
{
	_cleanup_free_ char *path = sw_fmt("%s/" SW_APPLY_PAUSED, running->m->run_dir), *by = NULL;

	if (path && sw_file_read_line(path, &by) == 0 && *by)
		sw_event_log(sink, "paused by %.60s", by);
	else
		sw_event_log(sink, "paused");
}

/* Between blocks is a safe point to wait at, for as long as somebody wants. */
static _Bool cancelled(void *userdata SW_UNUSED)
{
	const struct sw_sink sink = { .fn = write_event, .userdata = running };

	if (!paused || stop_asked)
		return stop_asked > 0;
	tell_pause(&sink);
	while (paused && !stop_asked)
		(void)sw_event_pause(NULL, 50);
	if (!paused)
		sw_event_log(&sink, "it goes on");
	return stop_asked > 0;
}

/* A stopped install still says so; whoever asks a second time waits for nobody. */
static _Bool cancelled_again(void *userdata SW_UNUSED)
{
	return stop_asked > stops_before;
}

static const struct sw_plan *plan_of(const struct child *c)
{
	if (c->plan)
		return c->plan;
	return c->info && c->kind == SW_APPLY_RESUME ? c->info->plan : NULL;
}

/* The log gets every event; the pipe loses some rather than hold the install up. */
static void write_event(const struct sw_event *ev, void *userdata)
{
	struct child *c = userdata;
	_cleanup_json_ json_object *o = sw_event_to_json(ev);
	_cleanup_free_ char *line = NULL;

	if (ev->type == SW_EVENT_PLAN && plan_of(c))
		sw_json_add(o, "disks", sw_plan_choice_json(plan_of(c)));
	line = sw_fmt("%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	if (!line)
		return;
	if (c->log >= 0)
		(void)sw_fd_write_all(c->log, line, strlen(line));
	if (c->out >= 0 && sw_fd_write_all(c->out, line, strlen(line)) == -EPIPE) {
		close(c->out);
		c->out = -EBADF;
	}
}

/* The report is left where whoever started it finds it, dead or alive. */
static int run_wipe(struct child *c, const struct sw_sink *sink, struct sw_error *err)
{
	_cleanup_free_ char *path = sw_wipe_report_path(c->m, c->wipe->name);
	_cleanup_json_ json_object *report = NULL;
	int r;

	if (path)
		(void)unlink(path);
	r = sw_wipe_run(c->m, c->wipe, sink, &report, err);
	if (path && report)
		(void)sw_wipe_report_save(path, report);
	return r;
}

static int plan_and_wipe(struct child *c, const struct sw_sink *sink, struct sw_error *err)
{
	_cleanup_wipe_plan_ struct sw_wipe_plan *p = NULL;
	_cleanup_free_ char *path = sw_wipe_report_path(c->m, c->disk->name);
	struct sw_event done = { .type = SW_EVENT_DONE };
	int r;

	if (path)
		(void)unlink(path);
	r = sw_wipe_plan(c->m, c->facts, c->disk, c->options, &p, err);
	if (r < 0) {
		done.result = r;
		done.error = *err;
		(void)snprintf(done.text, sizeof(done.text), "The wipe failed");
		sw_event_emit(sink, &done);
		return r;
	}
	c->wipe = p;
	r = run_wipe(c, sink, err);
	c->wipe = NULL;
	return r;
}

struct install {
	struct sw_told told;
	const struct sw_plan *p;
};

static void tell_and_write(const struct sw_event *ev, void *userdata)
{
	struct install *in = userdata;

	stops_before = stop_asked;
	sw_told_event(ev, &in->told);
}

/* What the hooks print belongs to the install, so its end is told when they have ended. */
static void end_and_tell(const struct sw_event *ev, void *userdata)
{
	struct install *in = userdata;
	const struct sw_sink log = { .fn = tell_and_write, .userdata = in };
	struct sw_event last = *ev;
	struct sw_error e = {};

	if (ev->type == SW_EVENT_DONE &&
	    sw_hooks_run(in->told.m, in->p, ev->result < 0 ? SW_HOOK_ON_ERROR : SW_HOOK_AFTER,
			 ev->result < 0 ? &ev->error : NULL, &log, &e) < 0) {
		char line[200];

		sw_error_line(&e, line, sizeof(line));
		sw_event_log(&log, "%.60s: %s", e.where, line);
		if (ev->result == 0)
			(void)snprintf(last.text, sizeof(last.text), "Installed; but %s", line);
	}
	tell_and_write(&last, in);
}

/* An install or its resumption. */
static int run_install(struct child *c, struct sw_error *err)
{
	const struct sw_plan *p = plan_of(c);
	struct install in = {
		.told = { .m = c->m, .answers = p->answers,
			  .out = { .fn = write_event, .userdata = c,
				   .cancelled = cancelled_again } },
		.p = p,
	};
	const struct sw_sink sink = { .fn = end_and_tell, .userdata = &in, .cancelled = cancelled };
	const char *at = "network";
	int r;

	r = sw_answers_use_proxy(p->answers, c->m, err);
	sw_told_begin(&in.told, p);
	/* Hooks may need it, and who is told of the install. */
	if (r == 0)
		r = sw_network_apply(c->m, p->network, &sink, err);
	if (r == 0) {
		at = "clock";
		r = sw_clock_settle(c->m, p->answers, &sink, err);
	}
	if (r == 0 && c->plan) {
		at = "hook";
		r = sw_hooks_run(c->m, p, SW_HOOK_BEFORE, NULL, &sink, err);
	}
	if (r < 0) {
		(void)sw_hooks_run(c->m, p, SW_HOOK_ON_ERROR, err, &sink, NULL);
		sw_told_end(&in.told, at, err);
		return r;
	}
	r = c->plan ? sw_apply_run(c->m, c->plan, &sink, err)
		    : sw_apply_resume(c->m, c->info, &sink, err);
	if (r < 0 && in.told.reporter)
		sw_told_end(&in.told, "start", err);
	return r;
}

static int run_child(struct child *c)
{
	struct sw_sink sink = { .fn = write_event, .userdata = c, .cancelled = cancelled };
	struct sw_error err = {};
	int r;

	running = c;
	if (c->wipe || c->disk) {
		r = c->wipe ? run_wipe(c, &sink, &err) : plan_and_wipe(c, &sink, &err);
		return r < 0 ? (int)(err.exit ? err.exit : SW_EXIT_INTERNAL) : 0;
	}
	if (c->kind == SW_APPLY_UNDO)
		r = sw_undo_run(c->m, c->info, c->without, &sink, &err);
	else
		r = run_install(c, &err);
	return r < 0 ? (int)(err.exit ? err.exit : SW_EXIT_INTERNAL) : 0;
}

/* Nothing of the parent may stay open here, or its viewers would not see it die. */
static void detach(struct child *c)
{
	struct sigaction sa = { .sa_handler = on_term };
	struct sigaction pause = { .sa_handler = on_pause, .sa_flags = SA_RESTART };
	sigset_t none;

	(void)setsid();
	(void)prctl(PR_SET_NAME, "slipway-apply");
	sw_secret_guard();
	c->m->vars = sw_varstore_close(c->m->vars);
	(void)dup2(c->out, 3);
	c->out = 3;
	(void)close_range(4, ~0U, 0);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)sigaction(SIGTERM, &sa, NULL);
	(void)sigaction(SIGUSR1, &pause, NULL);
	(void)sigaction(SIGUSR2, &pause, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGCHLD, SIG_DFL);
	(void)sw_proc_silence();
	(void)fcntl(c->out, F_SETFD, FD_CLOEXEC);
	(void)fcntl(c->out, F_SETFL, fcntl(c->out, F_GETFL) | O_NONBLOCK);
}

static void open_log(struct child *c)
{
	_cleanup_free_ char *path = sw_fmt("%s/events.jsonl", c->m->run_dir);

	c->log = -EBADF;
	if (path && sw_mkdir_all(c->m->run_dir, 0700) == 0)
		c->log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static int spawn(struct child *c, pid_t *ret_pid, int *ret_fd, struct sw_error *err)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, -errno, "cannot start the install");
	c->out = fds[1];
	pid = fork();
	if (pid < 0) {
		close(fds[0]);
		close(fds[1]);
		return sw_fail_errno(err, SW_EXIT_FAILED, -errno, "cannot start the install");
	}
	if (pid == 0) {
		detach(c);
		open_log(c);
		_exit(run_child(c));
	}
	close(fds[1]);
	*ret_pid = pid;
	*ret_fd = fds[0];
	return 0;
}

int sw_apply_spawn(struct sw_machine *m, struct sw_plan *p, pid_t *ret_pid, int *ret_fd,
		   struct sw_error *err)
{
	struct child c = { .m = m, .plan = p, .kind = SW_APPLY_INSTALL };

	return spawn(&c, ret_pid, ret_fd, err);
}

int sw_apply_resume_spawn(struct sw_machine *m, const struct sw_journal_info *info,
			  pid_t *ret_pid, int *ret_fd, struct sw_error *err)
{
	struct child c = { .m = m, .info = info, .kind = SW_APPLY_RESUME };

	return spawn(&c, ret_pid, ret_fd, err);
}

int sw_undo_spawn(struct sw_machine *m, const struct sw_journal_info *info, uint64_t without,
		  pid_t *ret_pid, int *ret_fd, struct sw_error *err)
{
	struct child c = { .m = m, .info = info, .without = without, .kind = SW_APPLY_UNDO };

	return spawn(&c, ret_pid, ret_fd, err);
}

int sw_wipe_spawn(struct sw_machine *m, const struct sw_wipe_plan *p, pid_t *ret_pid, int *ret_fd,
		  struct sw_error *err)
{
	struct child c = { .m = m, .wipe = p };

	return spawn(&c, ret_pid, ret_fd, err);
}

int sw_wipe_spawn_disk(struct sw_machine *m, const struct sw_facts *f, const struct sw_disk *d,
		       const struct sw_wipe_options *o, pid_t *ret_pid, int *ret_fd,
		       struct sw_error *err)
{
	struct child c = { .m = m, .facts = f, .disk = d, .options = o };

	return spawn(&c, ret_pid, ret_fd, err);
}
