/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one binary. Everything else is a command; without one the console opens.
 */
#include <locale.h>
#include <signal.h>

#include "base/catalogue.h"
#include "tui/commands/command.h"

int main(int argc, char **argv)
{
	setlocale(LC_CTYPE, "");
	sw_catalogue_open(NULL);
	/* A reader that went away is an error to report, not a reason to die silently. */
	signal(SIGPIPE, SIG_IGN);
	return sw_cli_main(argc, argv);
}
