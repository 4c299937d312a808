/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One terminal showing a session: a process with an ncurses of its own, which
 * sends keys and puts frames on its screen. When its terminal stops taking
 * output only this process waits; when the terminal goes away only this
 * process ends; when the session is restarted it waits for the new one.
 */
#pragma once

#include "base/error.h"

/*
 * Runs until the session says goodbye, the terminal hangs up, ^\ is typed, or
 * SIGTERM comes; all of these return 0. tty: the terminal to use, NULL:
 * standard input and output. term: its type, NULL: $TERM, else what suits the
 * line. Fails when there is no terminal, no such type, or no session within
 * 10 s.
 */
int sw_viewer_run(const char *socket_path, const char *tty, const char *term,
		  struct sw_error *err);
