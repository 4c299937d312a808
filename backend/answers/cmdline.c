/* SPDX-License-Identifier: Apache-2.0 */
/* The words of a kernel command line. */
#include <string.h>

#include "answers/sources.h"

/* The kernel's own splitting: blanks separate words unless inside double quotes. */
static const char *word_end(const char *p)
{
	bool quoted = false;

	for (; *p && (quoted || !strchr(" \t\n", *p)); p++)
		if (*p == '"')
			quoted = !quoted;
	return p;
}

/* The value without the quotes that surround it or the whole word. */
static char *unquote(const char *value, const char *end, bool word_quoted)
{
	if (word_quoted && end > value && end[-1] == '"')
		end--;
	else if (end - value >= 2 && value[0] == '"' && end[-1] == '"') {
		value++;
		end--;
	}
	return strndup(value, (size_t)(end - value));
}

static int visit(const char *word, const char *end, bool quoted,
		 int (*fn)(const char *key, const char *value, void *arg), void *arg)
{
	const char *equal = memchr(word, '=', (size_t)(end - word));
	const char *key_end = equal ? equal : quoted && end > word && end[-1] == '"' ? end - 1
										     : end;
	_cleanup_free_ char *key = strndup(word, (size_t)(key_end - word));
	_cleanup_free_ char *value = equal ? unquote(equal + 1, end, quoted) : strdup("");

	return key && value ? fn(key, value, arg) : -ENOMEM;
}

int sw_cmdline_each(const char *cmdline, int (*fn)(const char *key, const char *value, void *arg),
		    void *arg)
{
	int r = 0;

	for (const char *p = cmdline, *end; *p && r == 0; p = end) {
		bool quoted;

		p += strspn(p, " \t\n");
		end = word_end(p);
		/* What follows "--" is for the first process, not for us. */
		if (end - p == 2 && strncmp(p, "--", 2) == 0)
			break;
		quoted = *p == '"';
		if (end > p + quoted)
			r = visit(p + quoted, end, quoted, fn, arg);
	}
	return r;
}

struct wanted {
	const char *key;
	char *value;
};

static int keep(const char *key, const char *value, void *arg)
{
	struct wanted *w = arg;

	if (strcmp(key, w->key) != 0)
		return 0;
	free(w->value);
	w->value = strdup(value);
	return w->value ? 0 : -ENOMEM;
}

int sw_cmdline_get(const char *cmdline, const char *key, char **ret_value)
{
	struct wanted w = { .key = key };
	int r = sw_cmdline_each(cmdline, keep, &w);

	if (r == 0 && !w.value)
		r = -ENOENT;
	if (r < 0)
		free(w.value);
	else
		*ret_value = w.value;
	return r;
}
