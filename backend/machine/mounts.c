/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/mounts.h"

#include <string.h>

#include "base/file.h"

#define FILE_MAX ((size_t)16 << 20)

char *sw_mounts_unescape(char *s)
{
	char *to = s;

	for (char *p = s; *p; to++) {
		if (p[0] == '\\' && p[1] >= '0' && p[1] <= '3' && p[2] >= '0' && p[2] <= '7' &&
		    p[3] >= '0' && p[3] <= '7') {
			*to = (char)((p[1] - '0') * 64 + (p[2] - '0') * 8 + p[3] - '0');
			p += 4;
		} else {
			*to = *p++;
		}
	}
	*to = '\0';
	return s;
}

static void mount_clear(struct sw_mount *m)
{
	free(m->at);
	free(m->type);
	free(m->source);
	free(m->options);
}

void sw_mounts_clear(struct sw_mounts *t)
{
	for (size_t i = 0; i < t->n; i++)
		mount_clear(&t->list[i]);
	free(t->list);
	*t = (struct sw_mounts){};
}

static struct sw_mount *add(struct sw_mounts *t)
{
	struct sw_mount *list = t->list;

	if ((t->n & (t->n + 1)) == 0 || !list) {
		list = reallocarray(list, 2 * t->n + 2, sizeof(*list));
		if (!list)
			return NULL;
		t->list = list;
	}
	list[t->n] = (struct sw_mount){};
	return &list[t->n++];
}

static size_t split(char *s, char **fields, size_t n)
{
	char *save = NULL;
	size_t i = 0;

	for (char *w = strtok_r(s, " ", &save); w && i < n; w = strtok_r(NULL, " ", &save))
		fields[i++] = w;
	return i;
}

/* "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw" */
static int read_line(struct sw_mounts *t, char *line)
{
	char empty[1] = "", *before[5], *after[3] = { NULL, NULL, empty };
	char *tail = strstr(line, " - ");
	unsigned int major, minor;
	struct sw_mount *m;

	if (!tail)
		return 0;
	*tail = '\0';
	if (split(line, before, ARRAY_SIZE(before)) < ARRAY_SIZE(before) ||
	    sscanf(before[2], "%u:%u", &major, &minor) != 2)
		return 0;
	if (split(tail + 3, after, ARRAY_SIZE(after)) < 2)
		return 0;
	m = add(t);
	if (!m)
		return -ENOMEM;
	m->major = major;
	m->minor = minor;
	m->at = strdup(sw_mounts_unescape(before[4]));
	m->type = strdup(after[0]);
	m->source = strdup(sw_mounts_unescape(after[1]));
	m->options = strdup(sw_mounts_unescape(after[2]));
	return m->at && m->type && m->source && m->options ? 0 : -ENOMEM;
}

int sw_mounts_read(const char *file, struct sw_mounts *ret_mounts)
{
	_cleanup_buf_ struct sw_buf text = { .max = FILE_MAX };
	_cleanup_mounts_ struct sw_mounts t = {};
	char *save = NULL;
	int r = sw_file_read(file, &text);

	for (char *l = r == 0 && text.data ? strtok_r((char *)text.data, "\n", &save) : NULL;
	     l && r == 0; l = strtok_r(NULL, "\n", &save))
		r = read_line(&t, l);
	if (r < 0)
		return r;
	*ret_mounts = t;
	t = (struct sw_mounts){};
	return 0;
}

static size_t covers(const char *at, const char *path)
{
	size_t n = strlen(at);

	if (n == 1 && *at == '/')
		return 1;
	return strncmp(at, path, n) == 0 && (path[n] == '/' || path[n] == '\0') ? n : 0;
}

const struct sw_mount *sw_mounts_of(const struct sw_mounts *t, const char *path)
{
	const struct sw_mount *found = NULL;
	size_t best = 0;

	for (size_t i = 0; i < t->n; i++) {
		size_t n = covers(t->list[i].at, path);

		if (n > 0 && n >= best) {
			best = n;
			found = &t->list[i];
		}
	}
	return found;
}
