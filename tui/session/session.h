/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The session process: it holds the state, listens for viewers, and has its
 * children read the machine, plan and apply. It never touches a terminal and
 * never waits for anything but poll().
 */
#pragma once

#include "machine/machine.h"
#include "tui/session/state.h"

struct sw_session_options {
	struct sw_answers *answers;	/* to start from; taken over; NULL: the defaults */
	/* Install with these answers at once, and stay on the screen if that fails. */
	bool unattended;
	/* With unattended: wait this many seconds first; any key stops it. */
	unsigned int countdown_s;
	const char *countdown_text;	/* where the answers come from */
	/* There were answers, but not to be used: on-error of `answers`; or NULL. */
	const struct sw_error *failed;
	/* What they still say, so that it is told; NULL: it was, or is not to be. Outlives it. */
	const struct sw_rest *rest;
	/* The person may leave. Without, only power-off or restart end the session. */
	bool can_quit;
	const char *socket;		/* NULL: RUN_DIR/session.sock */
	const char *notice;		/* one line for the first screen, or NULL */
	/* The socket listens; may be NULL. */
	void (*ready)(void *userdata);
	void *userdata;
};

/*
 * Runs until somebody leaves, the machine is to be restarted or powered off, or
 * SIGTERM or SIGINT comes. An install that runs then goes on. Returns 0, or
 * -errno when the session could not start.
 */
int sw_session_run(struct sw_machine *m, const struct sw_session_options *o, struct sw_error *err);

/* RUN_DIR/session.sock; malloc'd. */
char *sw_session_socket(const struct sw_machine *m);
/* True when somebody listens there: a socket file alone may be left from a crash. */
bool sw_session_answers(const char *socket_path);
