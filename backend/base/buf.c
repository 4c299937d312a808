/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <stdarg.h>
#include <string.h>

int sw_buf_reserve(struct sw_buf *b, size_t more)
{
	size_t max = b->max ? b->max : SW_BUF_MAX;
	size_t cap = b->cap ? b->cap : 256;
	uint8_t *p;

	if (more > max || b->len > max - more)
		return -E2BIG;
	if (b->data && b->len + more < b->cap)
		return 0;
	while (cap <= b->len + more)
		cap *= 2;
	p = realloc(b->data, cap);
	if (!p)
		return -ENOMEM;
	b->data = p;
	b->cap = cap;
	b->data[b->len] = '\0';
	return 0;
}

int sw_buf_add(struct sw_buf *b, const void *data, size_t len)
{
	int r = sw_buf_reserve(b, len);

	if (r < 0)
		return r;
	if (len > 0)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
	return 0;
}

int sw_buf_adds(struct sw_buf *b, const char *s)
{
	return sw_buf_add(b, s, strlen(s));
}

int sw_buf_addf(struct sw_buf *b, const char *fmt, ...)
{
	_cleanup_free_ char *s = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	if (n < 0) {
		s = NULL;
		return -ENOMEM;
	}
	return sw_buf_add(b, s, (size_t)n);
}

void sw_buf_clear(struct sw_buf *b)
{
	free(b->data);
	b->data = NULL;
	b->len = b->cap = 0;
}

const char *sw_buf_text(const struct sw_buf *b)
{
	return b->data ? (const char *)b->data : "";
}

char *sw_buf_steal(struct sw_buf *b)
{
	char *s;

	if (!b->data)
		return strdup("");
	s = (char *)b->data;
	b->data = NULL;
	b->len = b->cap = 0;
	return s;
}
