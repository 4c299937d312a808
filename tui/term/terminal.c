/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/term/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curses.h>
#include <term.h>

#include "base/catalogue.h"
#include "base/secret.h"
#include "tui/term/plain.h"
#include "tui/term/viewer.h"

/* Known here, and with a cursor that can be moved. */
static bool can_draw(const char *term)
{
	TERMINAL *was = cur_term;
	int status = 0;
	bool can = setupterm(term, STDOUT_FILENO, &status) == OK && cursor_address != NULL;

	if (cur_term && cur_term != was)
		(void)del_curterm(cur_term);
	return can;
}

int sw_terminal_run(const char *socket_path, const char *tty, const char *term, bool plain,
		    struct sw_error *err)
{
	/* Another terminal's type is not what this one's environment says. */
	const char *env = tty ? NULL : getenv("TERM"), *type = term && *term ? term : env;

	/* Tokens are typed here, and recovery keys shown. */
	sw_secret_guard();
	if (plain || (type && strcmp(type, "dumb") == 0))
		return sw_plain_run(socket_path, tty, err);
	/* A type that was named is an error when it is not known; a set one may be foreign. */
	if (type == env && env && *env && !can_draw(env)) {
		printf(_("The terminal type \"%s\" cannot be drawn on here; asking on lines "
			 "(TERM=vt220 slipway draws).\n"), env);
		fflush(stdout);
		return sw_plain_run(socket_path, tty, err);
	}
	return sw_viewer_run(socket_path, tty, term, err);
}
