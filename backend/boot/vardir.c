/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listing an efivarfs-like directory. All names are gathered and sorted before
 * the first call back, so that a caller may delete while it walks and two walks
 * give the same order; a file that is no variable is passed over, while
 * libefivar's own scan ends at it.
 */
#include <string.h>

#include "boot/varstore.h"

#define TAIL 37		/* "-" and the GUID */
#define NAMES_MAX 65536

struct names {
	char **v;
	size_t n;
};

static void names_clear(struct names *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_variable(const char *file, struct sw_guid *ret_guid)
{
	size_t n = strlen(file);

	return n > TAIL && file[n - TAIL] == '-' &&
	       sw_guid_parse(file + n - TAIL + 1, ret_guid) == 0;
}

static int gather(DIR *d, struct names *l)
{
	struct dirent *de;
	struct sw_guid g;

	while (errno = 0, (de = readdir(d))) {
		char **p;

		if (!is_variable(de->d_name, &g))
			continue;
		if (l->n == NAMES_MAX)
			return -E2BIG;
		p = reallocarray(l->v, l->n + 1, sizeof(*p));
		if (!p)
			return -ENOMEM;
		l->v = p;
		l->v[l->n] = strdup(de->d_name);
		if (!l->v[l->n])
			return -ENOMEM;
		l->n++;
	}
	return -errno;
}

int sw_vardir_list(const char *dir,
		   int (*fn)(const struct sw_guid *guid, const char *name, void *userdata),
		   void *userdata)
{
	_cleanup_closedir_ DIR *d = opendir(dir);
	_cleanup_(names_clear) struct names l = {};
	int r;

	if (!d)
		return -errno;
	r = gather(d, &l);
	if (r == 0 && l.n > 1)
		qsort(l.v, l.n, sizeof(*l.v), by_name);
	for (size_t i = 0; r == 0 && i < l.n; i++) {
		struct sw_guid g;

		if (!is_variable(l.v[i], &g))
			continue;
		l.v[i][strlen(l.v[i]) - TAIL] = '\0';
		r = fn(&g, l.v[i], userdata);
	}
	return r;
}
