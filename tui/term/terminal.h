/* SPDX-License-Identifier: Apache-2.0 */
/* A terminal on the session, drawn where it can be drawn on, else in plain mode. */
#pragma once

#include "base/error.h"

/*
 * sw_viewer_run(), or sw_plain_run() with `plain`, for the type "dumb", and when this
 * terminal's type is not known here or has no cursor to move. That its type was not known
 * is said on it first.
 */
int sw_terminal_run(const char *socket_path, const char *tty, const char *term, bool plain,
		    struct sw_error *err);
