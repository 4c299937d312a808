/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <strings.h>

#include <ctype.h>

/* Longer words are compared by their start: the table has one row of this size. */
#define WORD_MAX 64

static size_t utf8_length(uint8_t lead)
{
	if (lead < 0x80)
		return 1;
	if (lead >= 0xc2 && lead <= 0xdf)
		return 2;
	if (lead >= 0xe0 && lead <= 0xef)
		return 3;
	if (lead >= 0xf0 && lead <= 0xf4)
		return 4;
	return 0;
}

size_t sw_utf8_decode(const char *s, size_t len, uint32_t *ret_char)
{
	static const uint8_t lead_mask[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = len ? utf8_length((uint8_t)s[0]) : 0;
	uint32_t c;

	if (n == 0 || n > len)
		return 0;
	c = (uint8_t)s[0] & lead_mask[n];
	for (size_t i = 1; i < n; i++) {
		if (((uint8_t)s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | ((uint8_t)s[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret_char = c;
	return n;
}

size_t sw_utf8_encode(uint32_t ch, char out[static 4])
{
	size_t n = ch < 0x80 ? 1 : ch < 0x800 ? 2 : ch < 0x10000 ? 3 : 4;

	if (n == 1) {
		out[0] = (char)ch;
		return 1;
	}
	for (size_t i = n - 1; i > 0; i--, ch >>= 6)
		out[i] = (char)(0x80 | (ch & 0x3f));
	/* As many ones as there are bytes, then a zero. */
	out[0] = (char)(0xf00u >> n | ch);
	return n;
}

bool sw_char_is_text(uint32_t c)
{
	if (c < 0x20 || (c >= 0x7f && c <= 0x9f))
		return false;
	if (c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
	    (c >= 0x2066 && c <= 0x2069))
		return false;
	return c != 0xfeff && c != 0xfffe && c != 0xffff;
}

/* The length of the character there, or 0 when it is none that may be shown. */
static size_t char_length(const char *s, size_t len, bool lines)
{
	uint32_t c;
	size_t n = sw_utf8_decode(s, len, &c);

	return n > 0 && (sw_char_is_text(c) || (lines && c == '\n')) ? n : 0;
}

static bool is_clean(const char *s, bool lines)
{
	size_t len = strlen(s);

	while (len > 0) {
		size_t n = char_length(s, len, lines);

		if (n == 0)
			return false;
		s += n;
		len -= n;
	}
	return true;
}

bool sw_text_is_clean(const char *s)
{
	return is_clean(s, false);
}

bool sw_ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), k = strlen(end);

	return n > k && strcmp(s + n - k, end) == 0;
}

char *sw_text_value(const char *text, const char *key)
{
	const size_t n = strlen(key);

	for (const char *p = text; *p; p += strcspn(p, "\n"), p += *p == '\n')
		if (strncmp(p, key, n) == 0 && p[n] == '=')
			return strndup(p + n + 1, strcspn(p + n + 1, "\n"));
	return NULL;
}

bool sw_text_lines_are_clean(const char *s)
{
	return is_clean(s, true);
}

static char *mask(char *s, size_t len, bool lines)
{
	for (size_t i = 0; i < len;) {
		size_t n = char_length(s + i, len - i, lines);

		if (n == 0)
			s[i] = '?';
		i += n ? n : 1;
	}
	return s;
}

char *sw_text_mask(char *s)
{
	return mask(s, strlen(s), true);
}

char *sw_text_clean(char *s)
{
	size_t from = strspn(s, " \t\r\n\v\f"), len = strlen(s);

	while (len > from && strchr(" \t\r\n\v\f", s[len - 1]))
		s[--len] = '\0';
	len -= from;
	memmove(s, s + from, len + 1);
	return mask(s, len, false);
}

static bool same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

static unsigned int least3(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int m = a < b ? a : b;

	return m < c ? m : c;
}

unsigned int sw_edit_distance(const char *a, const char *b)
{
	/* Three rows are enough: a swap of neighbours looks back two. */
	unsigned int row[3][WORD_MAX + 1];
	size_t na = strnlen(a, WORD_MAX), nb = strnlen(b, WORD_MAX);

	for (size_t j = 0; j <= nb; j++)
		row[0][j] = (unsigned int)j;
	for (size_t i = 1; i <= na; i++) {
		unsigned int *cur = row[i % 3], *up = row[(i + 2) % 3], *up2 = row[(i + 1) % 3];

		cur[0] = (unsigned int)i;
		for (size_t j = 1; j <= nb; j++) {
			cur[j] = least3(up[j] + 1, cur[j - 1] + 1,
					up[j - 1] + !same(a[i - 1], b[j - 1]));
			if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) &&
			    same(a[i - 2], b[j - 1]) && up2[j - 2] + 1 < cur[j])
				cur[j] = up2[j - 2] + 1;
		}
	}
	return row[na % 3][nb];
}

bool sw_text_is_near(const char *typed, const char *known, unsigned int *ret_distance)
{
	size_t shorter = strlen(typed) < strlen(known) ? strlen(typed) : strlen(known);
	unsigned int d = sw_edit_distance(typed, known);

	*ret_distance = d;
	/* One is the start of the other: "attestation" for "attest". */
	if (shorter >= 3 && strncasecmp(typed, known, shorter) == 0)
		return true;
	return d <= 1 + shorter / 4 && d < shorter;
}

const char *sw_text_nearest(const char *typed, const char *const *words)
{
	const char *nearest = NULL;
	unsigned int best = 0, d;

	for (size_t i = 0; words[i]; i++)
		if (sw_text_is_near(typed, words[i], &d) && (!nearest || d < best)) {
			nearest = words[i];
			best = d;
		}
	return nearest;
}

const char *sw_text_show(const char *s, char shown[static SW_TEXT_SHOW])
{
	size_t n = 0;

	for (; s[n] && n < SW_TEXT_SHOW - 4; n++)
		shown[n] = s[n] >= 0x20 && s[n] < 0x7f ? s[n] : '?';
	shown[n] = '\0';
	if (s[n])
		memcpy(shown + n, "...", 4);
	return shown;
}

const char *sw_time_text(int64_t seconds, char text[static SW_TIME_TEXT])
{
	time_t t = (time_t)seconds;
	struct tm utc, local;
	size_t n;

	text[0] = '\0';
	if (!gmtime_r(&t, &utc) || !localtime_r(&t, &local))
		return text;
	if (local.tm_gmtoff == 0)
		n = strftime(text, SW_TIME_TEXT, "%Y-%m-%d %H:%M UTC", &utc);
	else
		n = strftime(text, SW_TIME_TEXT, "%Y-%m-%d %H:%M %z", &local);
	if (n && local.tm_gmtoff != 0)
		n = strftime(text + n, SW_TIME_TEXT - n, " (%H:%M UTC)", &utc);
	if (!n)
		text[0] = '\0';
	return text;
}

const char *sw_span_text(uint64_t seconds, char text[static SW_SPAN_TEXT])
{
	if (seconds < 120)
		(void)snprintf(text, SW_SPAN_TEXT, "%" PRIu64 " s", seconds);
	else if (seconds < 3600)
		(void)snprintf(text, SW_SPAN_TEXT, "%" PRIu64 " min", (seconds + 59) / 60);
	else if (seconds < (uint64_t)2 * 86400)
		(void)snprintf(text, SW_SPAN_TEXT, "%" PRIu64 " h %" PRIu64 " min",
			       seconds / 3600, seconds % 3600 / 60);
	else
		(void)snprintf(text, SW_SPAN_TEXT, "%" PRIu64 " days", (seconds + 43200) / 86400);
	return text;
}
