/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tells a line that sends our own output back (looped, or with a modem or getty at its
 * other end) from a person. Keyboards send no sequences that draw: no cursor position, no
 * erasing, no attributes, no modes. For the few that do both, ESC [ H and ESC [ n C and
 * their like, it waits for the next.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sw_echo {
	enum { SW_ECHO_TEXT, SW_ECHO_ESC, SW_ECHO_CSI } state;
	unsigned int params;	/* of the sequence so far: semicolons */
	bool private;		/* it began with '?' or '>' */
};

/* The next key that came. True: it ends a sequence that only we would have sent. */
bool sw_echo_key(struct sw_echo *e, uint32_t key);
/* True when the line, without blanks around it, is one of those of text. For plain mode. */
bool sw_echo_line(const char *line, const char *text);
