/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/utf16.h"

#include <stdbool.h>
#include <string.h>

#define REPLACEMENT 0xfffdu

int sw_utf8_add(struct sw_buf *b, uint32_t c)
{
	uint8_t u[4];
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	if (n == 1) {
		u[0] = (uint8_t)c;
		return sw_buf_add(b, u, 1);
	}
	for (size_t i = n - 1; i > 0; i--, c >>= 6)
		u[i] = 0x80 | (c & 0x3f);
	u[0] = (uint8_t)(0xf00u >> n) | (uint8_t)c;
	return sw_buf_add(b, u, n);
}

static uint32_t unit(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static bool is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

char *sw_utf16_to_utf8(const uint8_t *p, size_t len)
{
	_cleanup_buf_ struct sw_buf b = {};

	for (size_t i = 0; i + 2 <= len; i += 2) {
		uint32_t c = unit(p + i), low = i + 4 <= len ? unit(p + i + 2) : 0;

		if (c == 0)
			break;
		if (c >= 0xd800 && c < 0xdc00 && (low & 0xfc00) == 0xdc00) {
			c = 0x10000 + ((c & 0x3ff) << 10) + (low & 0x3ff);
			i += 2;
		} else if ((c >= 0xd800 && c < 0xe000) || is_control(c)) {
			c = REPLACEMENT;
		}
		if (sw_utf8_add(&b, c) < 0)
			return NULL;
	}
	return b.data ? sw_buf_steal(&b) : strdup("");
}

size_t sw_utf16_size(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i + 2 <= len; i += 2)
		if (unit(p + i) == 0)
			return i + 2;
	return 0;
}

/* Reads one code point; -EILSEQ for overlong forms, surrogates and the like. */
static int next_code(const uint8_t **pp, uint32_t *ret_code)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const uint8_t *p = *pp;
	size_t n = p[0] < 0x80 ? 1 : p[0] < 0xc0 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	uint32_t c = n == 1 ? p[0] : n == 0 ? 0 : p[0] & (0x7fu >> n);

	if (n == 0 || p[0] > 0xf7)
		return -EILSEQ;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return -EILSEQ;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return -EILSEQ;
	*pp = p + n;
	*ret_code = c;
	return 0;
}

static int add_unit(struct sw_buf *b, uint32_t u)
{
	uint8_t d[2] = { u & 0xff, u >> 8 & 0xff };

	return sw_buf_add(b, d, 2);
}

int sw_utf16_add(struct sw_buf *b, const char *text)
{
	const uint8_t *p = (const uint8_t *)text;

	while (*p) {
		uint32_t c;
		int r = next_code(&p, &c);

		if (r == 0 && c >= 0x10000) {
			r = add_unit(b, 0xd800 + ((c - 0x10000) >> 10));
			c = 0xdc00 + ((c - 0x10000) & 0x3ff);
		}
		if (r == 0)
			r = add_unit(b, c);
		if (r < 0)
			return r;
	}
	return add_unit(b, 0);
}
