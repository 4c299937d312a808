/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `slipway session`: the state of the console, without a terminal. On the
 * medium it also looks for answers. That may take a minute (disks appear, a
 * lease comes), and nobody at a console shall wait for it: an ordinary session
 * runs in a child meanwhile and gives way when answers have come. Viewers wait
 * for the new one by themselves.
 */
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "answers/sources.h"
#include "apply/network.h"
#include "base/file.h"
#include "base/strv.h"
#include "tui/commands/common.h"
#include "tui/commands/consoles.h"
#include "tui/commands/list.h"
#include "tui/session/session.h"

#define LOOK_SECONDS 20		/* for media that appear late: USB, slow controllers */
#define MEDIUM_SECONDS 120	/* for the one that the command line says we were started from */
#define LOOK_PAUSE 2
#define NETWORK_SECONDS 60	/* until a URL must have answered */

struct found {
	struct sw_sources sources;
	struct sw_merge *merge;
	struct sw_error error;	/* answers were named but cannot be used */
	struct sw_rest rest;	/* what these still say */
	bool child_ended;	/* a person was faster: left, or started something */
};

static void found_clear(struct found *f)
{
	sw_sources_clear(&f->sources);
	sw_merge_free(f->merge);
	sw_rest_clear(&f->rest);
}

/* ---- the session that people use meanwhile ---- */

static pid_t start_plain(struct sw_machine *m)
{
	struct sw_session_options o = {
		.notice = "Looking for answers: kernel command line, medium, stick.",
	};
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	/* It must not keep the socket when this process dies without a word. */
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	o.answers = sw_answers_for_person(m);
	_exit(sw_session_run(m, &o, NULL) < 0 ? SW_EXIT_INTERNAL : SW_EXIT_OK);
}

static volatile sig_atomic_t stop_wanted;

static void on_stop(int sig SW_UNUSED)
{
	stop_wanted = 1;
}

static int wait_for(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return SW_EXIT_INTERNAL;
		if (stop_wanted)
			(void)kill(pid, SIGTERM);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : SW_EXIT_INTERNAL;
}

/* Without saying goodbye: its viewers then wait for the next session. */
static void stop_plain(pid_t pid)
{
	(void)kill(pid, SIGTERM);
	(void)wait_for(pid);
}

/* ---- looking ---- */

static time_t uptime(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

static void look_once(struct sw_machine *m, struct found *f)
{
	_cleanup_facts_ struct sw_facts *facts = NULL;
	struct sw_error ignored = {};

	/* The command line and the medium need no facts, and looking at every disk takes time. */
	sw_sources_clear(&f->sources);
	if (sw_sources_find(m, NULL, &f->sources, &f->error) < 0 || f->sources.n)
		return;
	/* A machine whose facts cannot be read shows that on the console. */
	if (sw_machine_facts(m, &facts, &ignored) == 0)
		(void)sw_sources_find(m, facts, &f->sources, &f->error);
}

static bool plain_ended(pid_t pid, struct found *f)
{
	siginfo_t info = {};

	f->child_ended = waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
			 info.si_pid == pid;
	return f->child_ended || stop_wanted;
}

/* A busy machine, or a slow controller: it is somewhere, and answers may be on it. */
static bool awaits_medium(struct sw_machine *m)
{
	_cleanup_free_ char *path = NULL;

	/* A stand-in's is there or never comes. */
	return m->medium && m->kind == SW_MACHINE_REAL &&
	       sw_machine_medium_file(m, "boot/vmlinuz", &path, NULL) < 0;
}

/* The medium may have its own to say beside what the command line names. */
static bool have_all(const struct found *f, bool awaits)
{
	return f->sources.n && (!awaits || f->sources.v[0].main);
}

static void look(struct sw_machine *m, pid_t plain, struct found *f)
{
	time_t start = uptime();

	for (;;) {
		/* Asked first, so that what settled it is looked at, too. */
		bool settled = sw_machine_is_settled(m), awaits;

		look_once(m, f);
		awaits = awaits_medium(m);
		if (f->error.r || have_all(f, awaits) || plain_ended(plain, f))
			break;
		/* A stick may be slower than that: until the machine has found what it has. */
		if (uptime() - start >= (awaits || !settled ? MEDIUM_SECONDS : LOOK_SECONDS))
			break;
		sleep(LOOK_PAUSE);
	}
	if (f->error.r) {
		sw_rest_of_cmdline(m, &f->rest);
		sw_rest_settle(&f->rest);
	}
	if (f->error.r || !f->sources.n || plain_ended(plain, f))
		return;
	if (sw_sources_read(m, &f->sources, NETWORK_SECONDS, sw_network_of_answers, NULL,
			    &f->merge, &f->rest, &f->error) == 0)
		(void)sw_answers_validate(f->merge->answers, f->sources.text, &f->error);
	if (f->error.r == 0)
		(void)sw_answers_fill_name(m, NULL, f->merge->answers, &f->error);
	/* The stick waits for a person, and this is before the time in which one could stop it. */
	if (f->error.r && f->merge && !f->sources.countdown)
		sw_rest_of_invalid(f->merge->answers, &f->rest);
}

/*
 * Unattended installs are started once in the life of this system: a session
 * that is restarted after "finish: stay" must not install again.
 */
static bool first_time(struct sw_machine *m)
{
	_cleanup_free_ char *mark = sw_fmt("%s/unattended", m->run_dir);

	if (!mark || access(mark, F_OK) == 0)
		return false;
	return sw_mkdir_all(m->run_dir, 0700) == 0 && sw_file_write(mark, "", 0, 0600) == 0;
}

/* For the person who comes; and, when it is the first time, what is done when nobody does. */
static struct sw_answers *answers_of_failed(struct sw_machine *m, const struct found *f,
					    bool first)
{
	struct sw_answers *a = sw_answers_for_person(m);

	if (!a)
		a = sw_answers_new();
	if (a && first && f->rest.answers)
		(void)sw_answers_take_on_error(a, f->rest.answers);
	return a;
}

/* What is wrong, and that nobody hears of it who was to; malloc'd. */
static char *notice_of(const struct found *f, const char *text)
{
	return sw_fmt("No unattended install: %.*s%s", f->rest.report.r ? 150 : 200, text,
		      f->rest.report.r ? ". Nobody is told of it: report cannot be used" : "");
}

/* In the log, too. */
static void explain_silence(struct found *f)
{
	_cleanup_free_ char *text = f->rest.report.r ? sw_error_text(&f->rest.report) : NULL;
	_cleanup_free_ char *line = NULL;

	if (!text)
		return;
	text[strcspn(text, "\n")] = '\0';
	line = sw_fmt("nobody is told: report cannot be used: %s", text);
	if (!line)
		return;
	fprintf(stderr, "slipway: %s\n", line);
	(void)sw_strv_add(&f->rest.errors, line);
}

static int run_failed(struct sw_machine *m, struct found *f, struct sw_error *err)
{
	bool first = first_time(m);
	_cleanup_free_ char *text = sw_error_text(&f->error), *notice = NULL;
	struct sw_session_options o = {
		.answers = answers_of_failed(m, f, first),
		.failed = &f->error,
		.rest = first ? &f->rest : NULL,
	};

	if (text) {
		fprintf(stderr, "slipway: %s\n", text);
		text[strcspn(text, "\n")] = '\0';
		o.notice = notice = notice_of(f, text);
	}
	explain_silence(f);
	return sw_session_run(m, &o, err);
}

static int run_found(struct sw_machine *m, struct found *f, struct sw_error *err)
{
	struct sw_session_options o = {
		.answers = TAKE_PTR(f->merge->answers),
		.unattended = true,
		.countdown_s = f->sources.countdown,
		.countdown_text = f->sources.text,
	};

	fprintf(stderr, "slipway: installing from %s\n", f->sources.text);
	return sw_session_run(m, &o, err);
}

static int run_medium(struct sw_machine *m, struct sw_error *err)
{
	struct sigaction stop = { .sa_handler = on_stop };
	_cleanup_(found_clear) struct found f = {};
	pid_t plain = start_plain(m);

	if (plain < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, -errno, "cannot start the session");
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	look(m, plain, &f);
	if (stop_wanted) {
		stop_plain(plain);
		return 0;
	}
	if (f.child_ended || (f.error.r == 0 && !f.merge))
		return wait_for(plain);
	if (f.error.r == 0 && !first_time(m))
		return wait_for(plain);
	stop_plain(plain);
	return f.error.r ? run_failed(m, &f, err) : run_found(m, &f, err);
}

static int start_consoles(const struct sw_cli *cli, const struct sw_machine *m,
			  struct sw_error *err)
{
	_cleanup_free_ char *path = sw_session_socket(m);
	int r = path ? sw_consoles_check(cli, err) : sw_fail_oom(err);

	return r < 0 ? r : sw_consoles_start(cli, path, true, err);
}

static int run(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_machine_ struct sw_machine *m = NULL;
	struct sw_session_options o = { .can_quit = true };
	int r = sw_cli_machine(cli, &m, err);

	if (r < 0)
		return r;
	r = start_consoles(cli, m, err);
	if (r < 0)
		return r;
	(void)sw_forget_memory_test(m);
	if (sw_arg(&cli->args, 'm'))
		return run_medium(m, err);
	o.answers = sw_answers_for_person(m);
	return sw_session_run(m, &o, err);
}

static const struct sw_opt opts[] = {
	SW_CONSOLE_OPT,
	{ 'm', "medium", NULL, "look for answers first: kernel command line, medium, stick" },
	{ 0, NULL, NULL, NULL },
};

const struct sw_command sw_command_session = {
	.name = "session",
	.summary = "Run the console's session without a terminal",
	.operands = "",
	.opts = opts,
	.run = run,
};
