/* SPDX-License-Identifier: Apache-2.0 */
/* Further terminals that show the session: --console TTY[,SPEED] of `console` and `session`. */
#pragma once

#include "tui/commands/command.h"

#define SW_OPT_CONSOLE 'c'
#define SW_CONSOLE_OPT                                                                             \
	{ SW_OPT_CONSOLE, "console", "TTY[,SPEED]", "show it there, too (ttyS1,57600); repeatable" }

/*
 * Whether each that was named is a terminal, with a speed that it takes; sets the speeds. Exit 2
 * for what cannot be meant, 5 when there is none of that name.
 */
int sw_consoles_check(const struct sw_cli *cli, struct sw_error *err);
/*
 * One process for each, which shows the session of this socket there for as long as there is one,
 * and again after the terminal was away. They wait until the session listens; own: it will be
 * this process, and they end with it.
 */
int sw_consoles_start(const struct sw_cli *cli, const char *socket_path, bool own,
		      struct sw_error *err);
