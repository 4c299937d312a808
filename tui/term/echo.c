/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/term/echo.h"

#include <ctype.h>
#include <string.h>

#define SHORTEST 8u		/* a person may well type a shorter line that was shown */

/* ECMA-48: CUP, ED, EL, SGR, DECSTBM, SM, RM. */
static bool draws(const struct sw_echo *e, uint32_t final)
{
	switch (final) {
	case 'H':
		return e->params == 1;
	case 'J':
	case 'K':
	case 'm':
	case 'r':
	case 'h':
	case 'l':
		return true;
	default:
		return e->private && final != 'c' && final != 'R';
	}
}

bool sw_echo_key(struct sw_echo *e, uint32_t key)
{
	if (key == 0x1b) {
		*e = (struct sw_echo){ .state = SW_ECHO_ESC };
		return false;
	}
	switch (e->state) {
	case SW_ECHO_ESC:
		e->state = key == '[' ? SW_ECHO_CSI : SW_ECHO_TEXT;
		return false;
	case SW_ECHO_CSI:
		if (key == '?' || key == '>')
			e->private = true;
		else if (key == ';')
			e->params++;
		else if (key < '0' || key > '9')
			break;
		return false;
	default:
		return false;
	}
	e->state = SW_ECHO_TEXT;
	return draws(e, key);
}

static const char *trim(const char *s, const char **end)
{
	while (s < *end && isspace((unsigned char)*s))
		s++;
	while (*end > s && isspace((unsigned char)(*end)[-1]))
		(*end)--;
	return s;
}

bool sw_echo_line(const char *line, const char *text)
{
	const char *line_end = line + strlen(line), *end;
	size_t n;

	line = trim(line, &line_end);
	n = (size_t)(line_end - line);
	for (const char *at = text; n >= SHORTEST && *at; at = *end ? end + 1 : end) {
		const char *stop = end = strchrnul(at, '\n');
		const char *from = trim(at, &stop);

		if ((size_t)(stop - from) == n && memcmp(from, line, n) == 0)
			return true;
	}
	return false;
}
