/* SPDX-License-Identifier: Apache-2.0 */
/* The rescue shell on a viewer's terminal. What has to come before it is the session's business. */
#pragma once

#include <signal.h>

#include "tui/session/wire.h"

/*
 * Runs the shell on tty (its type: term) and waits for its end. *stop becoming true in
 * a signal handler hangs it up. unblocked: the signals to wait with and to give it.
 * The terminal's modes are to be the shell's before, and are whatever it leaves after.
 * One in the state says afterwards what was done, and waits until that was read. Returns 0, or
 * -errno when it could not be started.
 */
int sw_shell_run(int tty, const char *term, const struct sw_wire_shell *what,
		 const sigset_t *unblocked, const volatile sig_atomic_t *stop);

/*
 * The words of the program that what asks for, NULL-terminated; the first is its path. Borrowed
 * from what.
 */
#define SW_SHELL_WORDS 8
void sw_shell_words(const struct sw_wire_shell *what, const char *words[static SW_SHELL_WORDS]);
