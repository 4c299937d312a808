/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The session's side of its viewers: who is there, who has the pen, and which
 * frame each of them has. Nothing here waits: a viewer gets a new frame only
 * when it has acknowledged the last one, so one that is stuck costs nothing
 * and later gets the newest frame alone.
 *
 * The pen. Keys count from one console, so that two people cannot type into
 * each other's confirmation. Until somebody has typed, nobody holds it: the
 * first key takes it, whichever console one happens to stand at.
 */
#pragma once

#include <poll.h>
#include <sys/types.h>

#include "tui/session/plain.h"
#include "tui/session/wire.h"

#define SW_MAX_VIEWERS 16u

struct sw_conn {
	int fd;
	bool greeted;
	struct sw_hello hello;
	struct sw_buf in, out;
	uint32_t sent, acked;
	struct sw_frame *shown;		/* the last frame it was sent */
	unsigned int flags;		/* SW_FRAME_* for its next frame */
	int64_t key_ms;			/* when it last sent keys */
	unsigned int keys;		/* that came since its last frame */
	bool hurried;
	int64_t hurry_ms;		/* when keys last came faster than frames were shown */
	/* in plain mode: */
	struct sw_page seen;		/* the page it was sent */
	struct sw_buf reply;		/* for it alone, before its next page */
	bool answered;			/* it has sent a line since */
};

struct sw_server {
	int fd;
	char *path;
	dev_t dev;			/* with ino: the socket's file as it was made */
	ino_t ino;
	struct sw_conn *conns[SW_MAX_VIEWERS];	/* oldest first */
	size_t n;
	struct sw_conn *pen;		/* NULL: nobody has typed yet */
	uint32_t number;
};

int sw_server_open(struct sw_server *srv, const char *path, struct sw_error *err);
/* Tells the viewers, closes everything and removes the socket. bye NULL: they are to wait. */
void sw_server_close(struct sw_server *srv, const char *bye);
/*
 * True while its path still leads here: the directory may have been removed, or another session may
 * have put its own socket there.
 */
bool sw_server_is_reachable(const struct sw_server *srv);
/* Fills fds (room for SW_MAX_VIEWERS + 1); returns how many. */
size_t sw_server_poll(const struct sw_server *srv, struct pollfd *fds);
/* Does what the poll found. True when something has changed that is to be shown. */
bool sw_server_handle(struct sw_server *srv, const struct pollfd *fds, size_t n,
		      struct sw_state *s);
/* Has the console with the pen run the rescue shell; false: nobody has the pen. */
bool sw_server_shell(struct sw_server *srv, struct sw_state *s,
		     const struct sw_wire_shell *what);
/* Draws the state for every viewer that can take a frame. */
void sw_server_show(struct sw_server *srv, struct sw_state *s);
