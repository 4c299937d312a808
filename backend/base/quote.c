/* SPDX-License-Identifier: Apache-2.0 */
#include "base/quote.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* Words that a YAML 1.1 reader other than ours would take for something else than text. */
static const char *const reserved[] = { "y", "n", "yes", "no", "on", "off", "true", "false",
					"null", "nan", "inf" };

bool sw_quote_is_plain(const char *text)
{
	if (!isalpha((unsigned char)text[0]))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(reserved); i++)
		if (strcasecmp(text, reserved[i]) == 0)
			return false;
	for (const char *p = text; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("._/:-", *p))
			return false;
	return text[strlen(text) - 1] != ':';
}

int sw_quote_add_quoted(struct sw_buf *b, const char *text)
{
	int r = sw_buf_adds(b, "\"");

	for (const char *p = text; *p && r == 0; p++) {
		if (*p == '"' || *p == '\\')
			r = sw_buf_adds(b, "\\");
		if (r == 0)
			r = *p == '\n' ? sw_buf_adds(b, "\\n") : sw_buf_add(b, p, 1);
	}
	return r < 0 ? r : sw_buf_adds(b, "\"");
}

int sw_quote_add(struct sw_buf *b, const char *text)
{
	return sw_quote_is_plain(text) ? sw_buf_adds(b, text) : sw_quote_add_quoted(b, text);
}
