/* SPDX-License-Identifier: Apache-2.0 */
/* What kind of line a terminal hangs on, how large it is, and when its output has left. */
#pragma once

#include <stdbool.h>

#include "base/error.h"

enum sw_tty_kind {
	SW_TTY_PTY,		/* a window, ssh, screen: knows its size, never holds output back */
	SW_TTY_VT,		/* the machine's own screen */
	SW_TTY_SERIAL,		/* anything else: slow, and perhaps recorded */
};

/*
 * Opens a terminal (NULL: standard input's), which becomes this process's own, and names it
 * without /dev/. Fails when it is none. The caller closes it.
 */
int sw_tty_open(const char *tty, int *ret_fd, char ret_name[static 64], struct sw_error *err);
enum sw_tty_kind sw_tty_kind(int fd);
/* True when the line says that it carries UTF-8. */
bool sw_tty_is_utf8(int fd);

/*
 * Gives a terminal that does not know its size (as serial lines do) one: asks
 * the terminal itself, waits at most 300 ms, and takes 80x24 without an answer.
 * The size is stored in the line, where ncurses and others look for it.
 */
void sw_tty_probe_size(int fd);

/* True when all but a few characters of the output have been sent. */
bool sw_tty_drained(int fd, enum sw_tty_kind kind);
