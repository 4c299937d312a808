/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The real viewer on a pty, fed by the real server over the demo's state: the session's loop
 * is played by sw_rig_settle(). What the terminal shows is read back through libvterm.
 */
#pragma once

#include <vterm.h>

#include "tui/session/server.h"

#define SW_RIG_ROWS 24
#define SW_RIG_COLS 80

struct sw_rig {
	struct sw_server srv;
	struct sw_state *s;
	char *dir, *path;
	int master, slave;	/* the slave for a look at what the viewer has not read yet */
	unsigned int rows, cols;	/* of the terminal */
	pid_t viewer;
	VTerm *vt;
	size_t bytes;		/* since the last settle began */
	bool typed;		/* keys are on their way */
	const char *reply;	/* to a question for the cursor's position, or NULL */
};

int64_t sw_rig_now_ms(void);
/* term NULL: in plain mode. */
void sw_rig_open(struct sw_rig *g, const char *term, unsigned short rows, unsigned short cols);
/* A terminal that says that it has UTF-8. */
void sw_rig_open_utf8(struct sw_rig *g, const char *term, unsigned short rows,
		      unsigned short cols);
/* A terminal that answers the question for its size (rows and cols 0) with reply. */
void sw_rig_open_answering(struct sw_rig *g, const char *term, unsigned short rows,
			   unsigned short cols, const char *reply);
/* Takes what the terminal gets; false: nothing there. */
bool sw_rig_take_output(struct sw_rig *g);
/* The viewer waits, and has read all that was typed. */
bool sw_rig_is_idle(const struct sw_rig *g);
/* Serves until all is shown and quiet; returns the bytes that were sent meanwhile. */
size_t sw_rig_settle(struct sw_rig *g);
size_t sw_rig_type(struct sw_rig *g, const char *keys);
/* Ends session and viewer, which must leave by itself and well. */
void sw_rig_close(struct sw_rig *g);
/* What the terminal shows, in the form of sw_frame_text(); malloc'd. */
char *sw_rig_text(struct sw_rig *g, unsigned int rows, unsigned int cols);
/* Text and cursor of the terminal are those of the state's frame. */
void sw_rig_assert_shows_the_frame(struct sw_rig *g);
/* Types these on a terminal of its own; it shows the frame at the beginning and behind each. */
void sw_rig_walk(const char *term, unsigned short rows, unsigned short cols,
		 const char *const *steps, size_t n);
