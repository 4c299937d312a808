/* SPDX-License-Identifier: Apache-2.0 */
/* What mdir(1) and debugfs(8) print of a directory. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "browse/browse.h"

#define ENTRIES_MAX 2000U

void sw_listing_clear(struct sw_listing *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i].name);
	free(l->v);
	*l = (struct sw_listing){};
}

/* Takes e.name. The listing itself and the way up are no entries. */
static int add(struct sw_listing *l, struct sw_entry e)
{
	struct sw_entry *bigger;

	if (!e.name)
		return -ENOMEM;
	if (l->n == ENTRIES_MAX || !*e.name || strcmp(e.name, ".") == 0 ||
	    strcmp(e.name, "..") == 0) {
		l->cut = l->cut || l->n == ENTRIES_MAX;
		free(e.name);
		return 0;
	}
	bigger = reallocarray(l->v, l->n + 1, sizeof(*bigger));
	if (!bigger) {
		free(e.name);
		return -ENOMEM;
	}
	l->v = bigger;
	l->v[l->n++] = e;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct sw_entry *x = a, *y = b;

	if ((x->kind == SW_ENTRY_DIR) != (y->kind == SW_ENTRY_DIR))
		return x->kind == SW_ENTRY_DIR ? -1 : 1;
	return strcmp(x->name, y->name);
}

static void sort(struct sw_listing *l)
{
	if (l->n)
		qsort(l->v, l->n, sizeof(*l->v), by_name);
}

/* ---- mdir ---- */

/* "2026-11-27  23:35 " is where the long name begins; NULL: the line is no entry. */
static const char *find_date(const char *line, size_t len)
{
	static const char shape[] = "dddd-dd-dd  dd:dd ";
	size_t n = sizeof(shape) - 1;

	for (size_t at = 0; at + n <= len; at++) {
		size_t i = 0;

		while (i < n && (shape[i] == 'd' ? isdigit((unsigned char)line[at + i]) ||
						   line[at + i] == ' ' : line[at + i] == shape[i]))
			i++;
		if (i == n)
			return line + at;
	}
	return NULL;
}

/* "README   TXT": eight characters, a blank, three. */
static char *short_name(const char *line, size_t len)
{
	size_t name = strcspn(line, " "), ext;
	const char *p;

	if (name > len)
		name = len;
	for (p = line + name; p < line + len && *p == ' '; p++)
		;
	ext = (size_t)(line + len - p);
	while (ext && p[ext - 1] == ' ')
		ext--;
	return ext ? sw_fmt("%.*s.%.*s", (int)name, line, (int)ext, p) : strndup(line, name);
}

static int mdir_line(const char *line, size_t len, struct sw_listing *l)
{
	const char *date = find_date(line, len), *size = date, *rest;
	struct sw_entry e = {};
	size_t n;

	if (!date || *line == ' ')
		return 0;
	while (size > line && size[-1] == ' ')
		size--;
	while (size > line && size[-1] != ' ')
		size--;
	e.kind = strncmp(size, "<DIR>", 5) == 0 ? SW_ENTRY_DIR : SW_ENTRY_FILE;
	e.size = e.kind == SW_ENTRY_FILE ? strtoull(size, NULL, 10) : 0;
	rest = date + strlen("2026-11-27  23:35 ");
	n = (size_t)(line + len - rest);
	e.name = n > 1 && *rest == ' ' ? strndup(rest + 1, n - 1)
				       : short_name(line, (size_t)(size - line));
	return add(l, e);
}

static int each_line(const char *text, struct sw_listing *l,
		     int (*fn)(const char *line, size_t len, struct sw_listing *l))
{
	int r = 0;

	while (*text && r == 0) {
		size_t n = strcspn(text, "\n");

		r = fn(text, n, l);
		text += n + (text[n] == '\n');
	}
	sort(l);
	return r;
}

int sw_mdir_parse(const char *text, struct sw_listing *l)
{
	return each_line(text, l, mdir_line);
}

/* ---- debugfs ---- */

static enum sw_entry_kind kind_of(unsigned long mode)
{
	switch (mode & 0170000) {
	case 0100000:
		return SW_ENTRY_FILE;
	case 0040000:
		return SW_ENTRY_DIR;
	case 0120000:
		return SW_ENTRY_LINK;
	default:
		return SW_ENTRY_OTHER;
	}
}

/* "/13/100644/0/0/NAME/2/"; a directory's size is missing. */
static int debugfs_line(const char *line, size_t len, struct sw_listing *l)
{
	const char *at[7], *end;
	struct sw_entry e = {};
	size_t n = 0;

	if (len < 8 || *line != '/' || line[len - 1] != '/')
		return 0;
	for (const char *p = line; p < line + len && n < 7; p++)
		if (*p == '/')
			at[n++] = p + 1;
	if (n < 7)
		return 0;
	end = at[5] - 1;
	e.inode = strtoull(at[0], NULL, 10);
	e.kind = kind_of(strtoul(at[1], NULL, 8));
	e.size = e.kind == SW_ENTRY_DIR ? 0 : strtoull(at[5], NULL, 10);
	if (!e.inode)
		return 0;	/* a name that was removed */
	e.name = strndup(at[4], (size_t)(end - at[4]));
	return add(l, e);
}

int sw_debugfs_parse(const char *text, struct sw_listing *l)
{
	return each_line(text, l, debugfs_line);
}
