/* SPDX-License-Identifier: Apache-2.0 */
/* What may be lost on a disk that is chosen. */
#include "disk/select.h"

#include <string.h>

#include "disk/disk.h"

static bool is_blank(const struct sw_disk *d)
{
	return d->table.type == SW_TABLE_NONE && !d->table.damage &&
	       !(d->signatures && d->signatures[0]);
}

/*
 * Our labels and nothing else, or an empty table. A lone "state" is a name that
 * anyone may use, so one of the others must be there too. A table damaged by a
 * power cut in our own install still counts, if a whole copy shows our labels.
 */
static bool is_ours(const struct sw_disk *d)
{
	static const char *const labels[] = { "slipway-a", "slipway-b", "slipway-node",
					      "slipway-rescue", "state" };
	const struct sw_table *t = &d->table;
	bool named = false;

	if (d->signatures && d->signatures[0])
		return false;
	if (t->n_parts == 0)
		return !t->damage && t->type != SW_TABLE_DAMAGED_GPT;
	if (t->type == SW_TABLE_DOS)
		return false;
	for (size_t i = 0; i < t->n_parts; i++) {
		size_t k = 0;

		while (k < ARRAY_SIZE(labels) &&
		       (!t->parts[i].label || strcmp(t->parts[i].label, labels[k]) != 0))
			k++;
		if (k == ARRAY_SIZE(labels))
			return false;
		named = named || k < ARRAY_SIZE(labels) - 1;
	}
	return named;
}

/* Does a pattern point at one disk by identity? "*" does not, "NODE07*" does. */
static bool identifies(const char *pattern)
{
	size_t literal = 0;

	if (!pattern || !*pattern)
		return false;
	if (!strpbrk(pattern, "*?["))
		return true;
	for (const char *p = pattern; *p; p++) {
		if (*p == '[')
			while (*p && *p != ']')
				p++;
		else if (*p != '*' && *p != '?')
			literal++;
		if (!*p)
			break;
	}
	return literal >= 4;
}

static int deny(const struct sw_disk *d, struct sw_error *err, const char *what, const char *hint)
{
	_cleanup_free_ char *words = sw_disk_describe(d);

	sw_fail(err, SW_EXIT_REFUSED, -EPERM, "%s", what);
	sw_error_where(err, "%s", d->name ? d->name : "disk");
	sw_error_why(err, "%s", words ? words : "");
	sw_error_hint(err, "%s", hint);
	return -EPERM;
}

int sw_disk_wipe_allowed(const struct sw_disk *d, enum sw_wipe wipe,
			 const struct sw_disk_match *m, struct sw_error *err)
{
	if (is_blank(d))
		return 0;
	if (wipe == SW_WIPE_BLANK)
		return deny(d, err, "the disk is not blank",
			    "Use wipe: ours or wipe: any, or empty the disk yourself");
	if (is_ours(d))
		return 0;
	if (wipe == SW_WIPE_OURS)
		return deny(d, err, "the disk holds what slipway did not put there",
			    "Use wipe: any with the disk's serial if it may all be lost");
	if (identifies(m->serial) || identifies(m->wwn) || identifies(m->path))
		return 0;
	return deny(d, err, "wipe: any needs the disk's serial, WWN or path",
		    "A size or model may fit another disk tomorrow: add serial, wwn or path to "
		    "disk.match");
}

int sw_disk_choice_allows(const struct sw_disk *d, const struct sw_disk_choice *c,
			  struct sw_error *err)
{
	/* An earlier alternative that fits it would have decided, or refused. */
	for (size_t i = 0; i < c->n_match; i++)
		if (sw_disk_matches(d, &c->match[i]))
			return sw_disk_wipe_allowed(d, c->wipe, &c->match[i], err);
	return deny(d, err, "no rule names this disk", "Name it in disk.match");
}
