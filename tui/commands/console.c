/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `slipway` without a command: the console. A session that already runs is
 * joined; else one is started in a process of its own, so that it outlives this
 * terminal while it installs.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/file.h"
#include "base/json.h"
#include "base/proc.h"
#include "tui/commands/common.h"
#include "tui/commands/consoles.h"
#include "tui/commands/list.h"
#include "tui/session/session.h"
#include "tui/term/terminal.h"

static void on_ready(void *fd)
{
	(void)sw_fd_write_all(*(int *)fd, "\n", 1);
	close(*(int *)fd);
}

/* The session's process: nothing of the terminal stays open in it. */
static int session(const struct sw_cli *cli, struct sw_machine *m, const char *path, int ready)
{
	struct sw_session_options o = {
		.answers = sw_answers_for_person(m),
		.can_quit = true,
		.ready = on_ready,
		.userdata = &ready,
	};
	_cleanup_json_ json_object *o_err = NULL;
	struct sw_error err = {};
	const char *text;
	int r;

	(void)setsid();
	(void)prctl(PR_SET_NAME, "slipway-session");
	(void)sw_proc_silence();
	r = sw_consoles_start(cli, path, true, &err);
	if (r == 0)
		r = sw_session_run(m, &o, &err);
	if (r == 0)
		return 0;
	o_err = sw_error_to_json(&err);
	text = json_object_to_json_string_ext(o_err, JSON_C_TO_STRING_PLAIN);
	(void)sw_fd_write_all(ready, text, strlen(text));
	return (int)err.exit;
}

/* An empty line: it listens. Anything else is its error. */
static int wait_ready(int fd, struct sw_error *err)
{
	_cleanup_buf_ struct sw_buf text = { .max = 16384 };
	_cleanup_json_ json_object *o = NULL;
	int r = sw_fd_read(fd, &text);

	if (r == 0 && strcmp(sw_buf_text(&text), "\n") == 0)
		return 0;
	if (r == 0 && sw_json_parse(sw_buf_text(&text), text.len, "session", &o, NULL) == 0) {
		sw_error_from_json(o, err);
		return err->r;
	}
	return sw_fail(err, SW_EXIT_INTERNAL, -ECHILD, "the session ended before it started");
}

static int start_session(const struct sw_cli *cli, struct sw_machine *m, const char *path,
			 struct sw_error *err)
{
	_cleanup_close_ int rd = -EBADF;
	int fds[2], r;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, -errno, "cannot start the session");
	rd = fds[0];
	pid = fork();
	if (pid < 0) {
		r = -errno;
		close(fds[1]);
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot start the session");
	}
	if (pid == 0) {
		close(TAKE_FD(rd));
		_exit(session(cli, m, path, fds[1]));
	}
	close(fds[1]);
	return wait_ready(rd, err);
}

static int run(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_machine_ struct sw_machine *m = NULL;
	_cleanup_free_ char *path = NULL;
	int r = sw_cli_machine(cli, &m, err);

	if (r < 0)
		return r;
	if (!sw_is_interactive()) {
		sw_fail(err, SW_EXIT_USAGE, -ENOTTY, "the console needs a terminal");
		sw_error_hint(err, "`slipway --help` lists the commands that need none");
		return -ENOTTY;
	}
	r = sw_consoles_check(cli, err);
	if (r < 0)
		return r;
	path = sw_session_socket(m);
	if (!path)
		return sw_fail_oom(err);
	r = sw_session_answers(path) ? sw_consoles_start(cli, path, false, err)
				     : start_session(cli, m, path, err);
	if (r < 0)
		return r;
	return sw_terminal_run(path, NULL, NULL, cli->plain, err);
}

static const struct sw_opt opts[] = {
	SW_CONSOLE_OPT,
	{ 0, NULL, NULL, NULL },
};

const struct sw_command sw_command_console = {
	.name = "console",
	.summary = "Open the console (also without a command); joins a session that runs",
	.operands = "",
	.opts = opts,
	.run = run,
};
