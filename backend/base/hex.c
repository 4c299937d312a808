/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hex.h"

#include <string.h>

#include "base/cleanup.h"

char *sw_hex(const uint8_t *data, size_t len, char *text)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		text[2 * i] = digits[data[i] >> 4];
		text[2 * i + 1] = digits[data[i] & 15];
	}
	text[2 * len] = '\0';
	return text;
}

char *sw_hex_encode(const uint8_t *data, size_t len)
{
	char *s = malloc(2 * len + 1);

	return s ? sw_hex(data, len, s) : NULL;
}

int sw_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int sw_hex_byte(const char *text)
{
	int hi = sw_hex_digit(text[0]), lo = hi < 0 ? -1 : sw_hex_digit(text[1]);

	return lo < 0 ? -1 : hi << 4 | lo;
}

int sw_hex_decode(const char *text, uint8_t **ret_data, size_t *ret_len)
{
	size_t n = strlen(text);
	_cleanup_free_ uint8_t *d = malloc(n / 2 + 1);

	if (!d)
		return -ENOMEM;
	if (n % 2)
		return -EINVAL;
	for (size_t i = 0; i < n; i += 2) {
		int byte = sw_hex_byte(text + i);

		if (byte < 0)
			return -EINVAL;
		d[i / 2] = (uint8_t)byte;
	}
	*ret_data = TAKE_PTR(d);
	*ret_len = n / 2;
	return 0;
}
