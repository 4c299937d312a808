/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A terminal in plain mode (tui/session/plain.h): prints what the session says and sends
 * it lines. The terminal's own line editing and echo are used, so that braille displays,
 * scripts and printing terminals find what they expect.
 */
#pragma once

#include "base/error.h"

/*
 * Runs until the session says goodbye, the terminal hangs up or ends (^D), ^\ is typed or
 * SIGTERM comes; all of these return 0. ^C asks to cancel, as everywhere. tty: as for
 * sw_viewer_run().
 */
int sw_plain_run(const char *socket_path, const char *tty, struct sw_error *err);
