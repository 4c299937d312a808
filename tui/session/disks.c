/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/session/disks.h"

#include <string.h>

#include "base/file.h"
#include "base/strv.h"

#define DISKS_MAX (SW_MORE_MAX + 1)

static const struct sw_layout_disk *layout_disk(const struct sw_state *s, size_t k)
{
	const struct sw_layout *l = sw_state_layout(s);

	if (!l)
		return NULL;
	return k < l->n_disks ? &l->disks[k] : &l->disks[l->n_disks - 1];
}

enum sw_disk_need sw_state_disk_need(const struct sw_state *s, size_t k)
{
	const struct sw_layout *l = sw_state_layout(s);

	if (!l || k >= DISKS_MAX)
		return SW_DISK_NOT_WANTED;
	if (k < l->n_disks)
		return SW_DISK_NEEDED;
	return l->disks[l->n_disks - 1].many ? SW_DISK_OPTIONAL : SW_DISK_NOT_WANTED;
}

const char *sw_state_disk_name(const struct sw_state *s, size_t k)
{
	const struct sw_layout_disk *d = layout_disk(s, k);

	return d ? d->name : "";
}

uint64_t sw_state_disk_least(const struct sw_state *s, size_t k)
{
	const struct sw_layout_disk *d = layout_disk(s, k);

	return d ? d->min_size : 0;
}

static struct sw_disk_choice *choice(const struct sw_state *s, size_t k)
{
	if (k == 0)
		return &s->answers->disk;
	return k <= s->answers->n_more ? &s->answers->more[k - 1] : NULL;
}

/* Disks that are not decided yet are no obstacle to the later ones. */
static size_t taken_before(const struct sw_state *s, size_t k, const struct sw_disk **taken)
{
	size_t n = 0;

	for (size_t i = 0; i < k && i < DISKS_MAX; i++) {
		const struct sw_disk_choice *c = choice(s, i);

		if (c && sw_disk_choose(s->facts, c, 0, taken, n, &taken[n], NULL, NULL) == 0)
			n++;
	}
	return n;
}

const struct sw_disk *sw_state_disk_at(const struct sw_state *s, size_t k)
{
	const struct sw_disk *taken[DISKS_MAX], *found = NULL;
	const struct sw_disk_choice *c = choice(s, k);

	size_t n = s->facts && c ? taken_before(s, k, taken) : 0;

	if (!s->facts || !c || sw_disk_choose(s->facts, c, 0, taken, n, &found, NULL, NULL) < 0)
		return NULL;
	return found;
}

int sw_state_stand(const struct sw_state *s, size_t k, struct sw_disk_standing **ret_standings)
{
	static const struct sw_disk_match nothing;
	const struct sw_disk *taken[DISKS_MAX];

	return sw_disk_stand(s->facts, &nothing, sw_state_disk_least(s, k), taken,
			     taken_before(s, k, taken), ret_standings);
}

/* Match text is a glob; what a disk calls itself is to be taken as it is. */
static char *escape_glob(const char *text)
{
	char *out = malloc(strlen(text) * 2 + 1), *p = out;

	if (!out)
		return NULL;
	for (; *text; text++) {
		if (strchr("*?[]\\", *text))
			*p++ = '\\';
		*p++ = *text;
	}
	*p = '\0';
	return out;
}

/* Whether a rule of one clause gives this very disk. */
static bool gives(const struct sw_state *s, size_t k, const struct sw_disk_match *m,
		  const struct sw_disk *d)
{
	const struct sw_disk *taken[DISKS_MAX], *found = NULL;
	struct sw_disk_match copy = *m;
	const struct sw_disk_choice c = { .match = &copy, .n_match = 1 };

	return sw_disk_choose(s->facts, &c, 0, taken, taken_before(s, k, taken), &found, NULL,
			      NULL) == 0 && found == d;
}

/* The value of the first of serial, WWN and path that is this disk's own; malloc'd or NULL. */
static char *own_name(const struct sw_state *s, size_t k, const struct sw_disk *d,
		      const struct sw_field **ret_field)
{
	const char *const values[] = { d->serial, d->wwn, d->path };
	static const char *const keys[] = { "disk.match.serial", "disk.match.wwn",
					    "disk.match.path" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const struct sw_field *f = sw_field_find(keys[i]);
		_cleanup_free_ char *glob = values[i] && *values[i] ? escape_glob(values[i]) : NULL;
		struct sw_disk_match m = {};

		if (!glob || sw_field_check(f, glob, NULL) < 0)
			continue;
		*(char **)(void *)((char *)&m + f->offset) = glob;
		if (!gives(s, k, &m, d))
			continue;
		*ret_field = f;
		return TAKE_PTR(glob);
	}
	return NULL;
}

static int pin(struct sw_state *s, size_t k, const struct sw_disk *d)
{
	const struct sw_field *f = NULL;
	_cleanup_free_ char *name = own_name(s, k, d, &f);
	_cleanup_free_ char *key = NULL;
	int r = 0;

	if (!name)
		return -ENODATA;
	if (k && k > s->answers->n_more) {
		r = sw_answers_add_more(s->answers);
		if (r == 0)
			s->answers->more[k - 1].wipe = s->answers->disk.wipe;
	}
	if (r < 0)
		return r;
	key = k ? sw_fmt("disk.more[%zu].match%s", k, strrchr(f->key, '.')) : strdup(f->key);
	if (!key)
		return -ENOMEM;
	sw_disk_choice_clear_match(choice(s, k));
	return sw_answers_set(s->answers, key, name, NULL);
}

int sw_state_choose_no_disk(struct sw_state *s, struct sw_error *err)
{
	char **dropped = NULL;
	int r = sw_answers_diskless(s->answers) ? 0
						: sw_answers_drop_disk(s->answers, &dropped, err);

	if (dropped) {
		sw_strv_free(s->dropped);
		s->dropped = dropped;
	}
	return r;
}

int sw_state_choose_disk(struct sw_state *s, size_t k, const struct sw_disk *d)
{
	if (k == 0 && sw_answers_take_disk(s->answers, s->dropped, NULL) == 0)
		s->dropped = sw_strv_free(s->dropped);
	return sw_state_disk_at(s, k) == d ? 0 : pin(s, k, d);
}

static int lose_by_name(const struct sw_state *s, size_t k, const struct sw_disk *d,
			struct sw_error *err)
{
	const struct sw_field *f = NULL;
	_cleanup_free_ char *name = own_name(s, k, d, &f);
	struct sw_disk_match m = {};

	if (name)
		*(char **)(void *)((char *)&m + f->offset) = name;
	if (sw_disk_wipe_allowed(d, choice(s, k)->wipe, &m, NULL) == 0)
		return 0;
	return sw_disk_wipe_allowed(d, s->answers->disk.wipe, &m, err);
}

int sw_state_may_lose(const struct sw_state *s, size_t k, struct sw_error *err)
{
	const struct sw_disk *d = sw_state_disk_at(s, k);

	if (!d || sw_disk_choice_allows(d, choice(s, k), NULL) == 0)
		return 0;
	return lose_by_name(s, k, d, err);
}

int sw_state_settle_loss(struct sw_state *s, size_t k, struct sw_error *err)
{
	const struct sw_disk *d = sw_state_disk_at(s, k);
	int r = sw_state_may_lose(s, k, err);

	if (r < 0 || !d || sw_disk_choice_allows(d, choice(s, k), NULL) == 0)
		return r;
	r = pin(s, k, d);
	if (r == 0 && sw_disk_choice_allows(d, choice(s, k), NULL) < 0)
		choice(s, k)->wipe = s->answers->disk.wipe;
	return r == 0 ? sw_disk_choice_allows(d, choice(s, k), err) : sw_fail_oom(err);
}

void sw_state_drop_disks(struct sw_state *s)
{
	while (s->answers->n_more && sw_state_layout(s) &&
	       sw_state_disk_need(s, s->answers->n_more) == SW_DISK_NOT_WANTED)
		sw_answers_cut_more(s->answers, s->answers->n_more - 1);
}
