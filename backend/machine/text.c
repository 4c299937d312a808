/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/text.h"

#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"

/* Length of the sequence that the first byte announces; 0 when none starts so. */
static size_t sequence_len(uint8_t c)
{
	if (c < 0x80)
		return 1;
	if (c >= 0xc2 && c <= 0xdf)
		return 2;
	if ((c & 0xf0) == 0xe0)
		return 3;
	return c >= 0xf0 && c <= 0xf4 ? 4 : 0;
}

static bool printable(uint32_t u)
{
	if (u < 0x20 || (u >= 0x7f && u <= 0x9f))
		return false;
	if (u >= 0xd800 && u <= 0xdfff)
		return false;
	/* Marks that turn the direction or break the line can make one name look like another. */
	if (u == 0x200e || u == 0x200f || (u >= 0x2028 && u <= 0x202e) ||
	    (u >= 0x2066 && u <= 0x2069) || u == 0xfeff)
		return false;
	return u <= 0x10ffff;
}

/* Bytes of the clean character at p, or 0. */
static size_t clean_len(const char *p)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const uint8_t *s = (const uint8_t *)p;
	size_t n = sequence_len(s[0]);
	uint32_t u;

	if (n == 0)
		return 0;
	u = n == 1 ? s[0] : s[0] & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		u = u << 6 | (s[i] & 0x3f);
	}
	return u >= least[n] && printable(u) ? n : 0;
}

char *sw_text_clean(char *s)
{
	size_t from = strspn(s, " \t\r\n\v\f"), len = strlen(s);

	while (len > from && strchr(" \t\r\n\v\f", s[len - 1]))
		s[--len] = '\0';
	memmove(s, s + from, len - from + 1);
	for (char *p = s; *p;) {
		size_t n = clean_len(p);

		if (n == 0)
			*p = '?';
		p += n ? n : 1;
	}
	return s;
}

bool sw_text_is_clean(const char *s)
{
	while (*s) {
		size_t n = clean_len(s);

		if (n == 0)
			return false;
		s += n;
	}
	return true;
}

size_t sw_strv_len(char *const *list)
{
	size_t n = 0;

	while (list && list[n])
		n++;
	return n;
}

int sw_strv_add(char ***list, const char *s)
{
	size_t n = sw_strv_len(*list);
	char **grown = reallocarray(*list, n + 2, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	*list = grown;
	grown[n] = strdup(s);
	grown[n + 1] = NULL;
	return grown[n] ? 0 : -ENOMEM;
}

char **sw_strv_free(char **list)
{
	for (size_t i = 0; list && list[i]; i++)
		free(list[i]);
	free(list);
	return NULL;
}
