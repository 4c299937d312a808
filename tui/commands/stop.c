/* SPDX-License-Identifier: Apache-2.0 */
/* ^C as a wish: what runs asks for it where it can stop, and is not ended just anywhere. */
#include <signal.h>

#include "tui/commands/common.h"

static volatile sig_atomic_t stopped;

static void on_stop(int sig SW_UNUSED)
{
	stopped = 1;
}

bool sw_stop_is_wanted(void *userdata SW_UNUSED)
{
	return stopped;
}

void sw_stop_catch(void)
{
	const struct sigaction stop = { .sa_handler = on_stop };

	(void)sigaction(SIGINT, &stop, NULL);
	(void)sigaction(SIGTERM, &stop, NULL);
}

void sw_stop_leave(void)
{
	(void)signal(SIGINT, SIG_DFL);
	(void)signal(SIGTERM, SIG_DFL);
}
