/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key scripts for the screens: a state with no machine behind it, driven line by
 * line, its frames compared with golden text.
 *
 *   facts FILE           what looking at the machine will find (JSON)
 *   answers FILE         what to start from (YAML), before `open`
 *   layouts NAME...      the shipped layouts that there are, before `open`; without it: node
 *   unattended [TEXT]    start by itself; with a text: after a countdown of 30 s
 *   utf8 yes|no          whether the terminal shows it; without it: no
 *   settled yes|no       whether more disks may come
 *   open                 makes the state and the first screen
 *   journal STATE STEP   the demo's plan as a journal: running | done | undoing
 *   keys NAME...         Enter Esc Up F1 ^U ... or single characters
 *   type TEXT            as it stands
 *   event JSON           from the running work
 *   switch NAME          what a look at the boot switch found: NAME.json
 *   wipe NAME            what a wipe would do or what its report says: NAME.json
 *   doctor NAME          what looking for faults found: NAME.json
 *   status NAME          what a look at the status found, network NAME,
 *                        reach NAME, restart NAME, tool NAME, tool-do NAME alike
 *   shell yes|no         whether this system has a shell; before `open`, without it: yes
 *   ended STATUS         its end
 *   tick MS              time that passes
 *   line [TEXT]          an answer in plain mode
 *   said NAME            what plain mode has printed since the last `said` equals NAME.txt
 *   asked TEXT           plain mode's present question contains it
 *   plan-of NAME         the plan is, to the byte, what the answer file NAME.yaml gives
 *   size ROWS COLUMNS    of the frames from here on
 *   dump NAME            the frame equals NAME.txt
 *   see TEXT             the frame shows it
 *   hide TEXT            the frame does not show it
 *   answer KEY [TEXT]    the answers' value of a key; without text: none
 *   want NAME            the session was asked for: apply resume undo cancel save reboot off
 *                        switch switch-set wipe-plan wipe report status network reach
 *                        restart-look restart-to tool tool-do shell state-shell nothing
 *   at-most N            keys pressed so far
 */
#pragma once

#include "tui/session/plain.h"

struct sw_script {
	const char *dir;	/* where files are */
	struct sw_state *state;
	struct sw_answers *answers;
	char layouts[64];	/* the shipped layouts that there are; "": node */
	char *facts;		/* path */
	unsigned int rows, cols, keys;
	uint64_t wants;
	int64_t now_ms;
	bool unattended, unsettled, no_shell;
	char countdown[80];
	struct sw_page seen;	/* plain mode: what a terminal has been told */
	struct sw_buf said;
};

/*
 * When set, what a script would compare the screen with is not asked for: the frame's text and
 * the same view as plain mode says it go here instead. For screens that are not in English.
 */
extern void (*sw_script_look)(const char *name, const char *frame, const char *plain);

/* Runs DIR/NAME.keys; fails the cmocka test with the line that does not hold. */
void sw_script_run(const char *dir, const char *name);
/* How many frames all scripts have drawn so far, and how long one took. */
void sw_script_tell_frames(void);
