/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All sources that were found, read and made one set of answers. What is on this machine is read
 * first: it may hold the network and the proxy by which the others are reached. What counts more
 * is not a matter of who was read first.
 */
#include <string.h>
#include <strings.h>

#include "answers/proxy.h"
#include "answers/source-private.h"
#include "answers/values.h"
#include "base/backoff.h"
#include "base/strv.h"
#include "payload/payload.h"

#define NEAR_SECONDS 120	/* as long as a stick is looked for */

struct entry {
	const struct sw_answers_source *found;	/* borrowed; NULL: own */
	struct sw_answers_source own;		/* the medium's file names it */
	struct sw_answers *answers;		/* NULL: not read yet */
	struct sw_rest rest;			/* what they still say when they are bad */
};

struct all {
	struct sw_machine *m;
	const struct sw_sources *sources;
	unsigned int wait_s;
	const struct sw_sink *sink;
	struct entry *v;	/* the weakest first */
	size_t n;
};

static void all_clear(struct all *all)
{
	for (size_t i = 0; i < all->n; i++) {
		sw_answers_source_clear(&all->v[i].own);
		sw_answers_free(all->v[i].answers);
		sw_rest_clear(&all->v[i].rest);
	}
	free(all->v);
}

static const struct sw_answers_source *source_of(const struct entry *e)
{
	return e->found ? e->found : &e->own;
}

bool sw_answers_source_is_far(const struct sw_answers_source *s)
{
	if (s->form == SW_FORM_POST || sw_source_points(s))
		return true;
	return s->form == SW_FORM_FILE &&
	       (sw_source_is_remote(s->location) || strstr(s->location, "${dhcp}") ||
		strstr(s->location, "${dns}"));
}

static int fail_named(const struct sw_answers *a, const struct sw_answers_source *s,
		      struct sw_error *err)
{
	struct sw_place at = sw_places_find(a, "sources");

	(void)sw_fail(err, SW_EXIT_INVALID, -EINVAL, "sources does not count here");
	if (at.line)
		sw_error_where(err, "%s:%u:%u", at.file ? at.file : s->text, at.line, at.column);
	else
		sw_error_where(err, "%s", s->text);
	sw_error_why(err, "only the kernel command line and the medium's own file name others");
	sw_error_hint(err, "take it out, or name the source there");
	return -EINVAL;
}

static int read_entry(const struct all *all, struct entry *e, struct sw_error *err)
{
	const struct sw_answers_source *s = source_of(e);
	int r = sw_source_read(all->m, s, all->wait_s, all->sink, &e->answers, &e->rest, err);

	return r == 0 && e->answers->sources && !s->main ? fail_named(e->answers, s, err) : r;
}

/*
 * Devices and what drives them (fw_cfg is a module) come one after the other at a start: what is
 * not there yet may come, until the machine has found what it has.
 */
static int read_near(const struct all *all, struct entry *e, struct sw_error *err)
{
	for (unsigned int waited = 0;; waited++) {
		/* Asked first, so that what settled it is looked at, too. */
		bool last = sw_machine_is_settled(all->m) || waited >= NEAR_SECONDS;
		int r = read_entry(all, e, err);

		if (last || (r != -ENOENT && r != -ENODEV))
			return r;
		if (sw_event_pause(all->sink, 1000) < 0)
			return sw_fail(err, SW_EXIT_CANCELLED, -ECANCELED, "cancelled");
		if (err)
			*err = (struct sw_error){};
	}
}

static struct entry *add_entry(struct all *all, struct sw_error *err)
{
	struct entry *v = reallocarray(all->v, all->n + 1, sizeof(*v));

	if (!v) {
		(void)sw_fail_oom(err);
		return NULL;
	}
	all->v = v;
	v[all->n] = (struct entry){};
	return &v[all->n++];
}

/*
 * trust.keys of the medium's file sign payloads; they sign answers too where nothing else
 * could vouch for them.
 */
static int give_keys(const struct all *all, struct sw_answers_source *s, char *const *trusted,
		     struct sw_error *err)
{
	bool needs = !s->sha256 && strncasecmp(s->location, "http://", 7) == 0;
	char *const *keys = all->sources->keys ? all->sources->keys : needs ? trusted : NULL;

	for (size_t i = 0; keys && keys[i]; i++)
		if (sw_strv_add(&s->keys, keys[i]) < 0)
			return sw_fail_oom(err);
	return sw_source_may(s, err);
}

/* Right behind the file that names it. */
static int add_named(struct all *all, const char *name, char *const *trusted, struct sw_error *err)
{
	struct entry *e = add_entry(all, err);
	int r;

	if (!e)
		return -ENOMEM;
	r = sw_answers_source_parse(name, SW_SOURCE_MEDIUM, SW_ANSWERS_FILE " on the medium",
				    &e->own, err);
	if (r == 0)
		r = give_keys(all, &e->own, trusted, err);
	return r < 0 || sw_answers_source_is_far(&e->own) ? r : read_near(all, e, err);
}

static int add_found(struct all *all, const struct sw_answers_source *s, struct sw_error *err)
{
	struct entry *e = add_entry(all, err);
	const struct sw_answers *a;
	int r;

	if (!e)
		return -ENOMEM;
	e->found = s;
	r = sw_answers_source_is_far(s) ? 0 : read_near(all, e, err);
	a = e->answers;
	for (size_t i = 0; r == 0 && s->main && a && a->sources && a->sources[i]; i++)
		r = add_named(all, a->sources[i], a->trust_keys, err);
	return r;
}

/* How the others are reached, as far as it is known on this machine. */
static int reach(const struct all *all, sw_sources_network *network, struct sw_error *err)
{
	_cleanup_merge_ struct sw_merge *near = sw_merge_new();
	int r = near ? 0 : sw_fail_oom(err);
	bool any = false;

	for (size_t i = 0; i < all->n && r == 0; i++) {
		any |= !all->v[i].answers;
		if (all->v[i].answers)
			r = sw_merge_add(near, all->v[i].answers, source_of(&all->v[i])->text, err);
	}
	if (r < 0 || !any)
		return r;
	if (near->answers->proxy)
		r = sw_answers_use_proxy(near->answers, all->m, err);
	if (r == 0 && network && sw_answers_have_links(near->answers))
		r = network(all->m, near->answers, all->sink, err);
	return r;
}

/* Many machines that were switched on together ask at times of their own. */
static int spread(const struct sw_sources *s, const struct sw_sink *sink, struct sw_error *err)
{
	struct sw_backoff b = {};
	unsigned int ms;

	if (!s->spread_s)
		return 0;
	sw_backoff_seed(&b, 0);
	ms = sw_backoff_start(&b, s->spread_s);
	sw_event_log(sink, "asking for the answers in %u.%u s (slipway.spread=%u)", ms / 1000,
		     ms % 1000 / 100, s->spread_s);
	if (sw_event_pause(sink, ms) < 0)
		return sw_fail(err, SW_EXIT_CANCELLED, -ECANCELED, "cancelled");
	return 0;
}

static int merge_all(const struct all *all, struct sw_merge *merge, struct sw_error *err)
{
	int r = 0;

	for (size_t i = 0; i < all->n && r == 0; i++) {
		struct entry *e = &all->v[i];
		bool near = e->answers;

		r = near ? 0 : read_entry(all, e, err);
		if (r == 0)
			r = sw_merge_add(merge, e->answers, source_of(e)->text, err);
		/* Those that follow may only be reached through it. */
		if (r == 0 && !near && e->answers->proxy)
			r = sw_answers_use_proxy(merge->answers, all->m, err);
	}
	return r == 0 && merge->answers->proxy ? sw_answers_use_proxy(merge->answers, all->m, err)
					       : r;
}

/* ---- when they cannot be used ---- */

/* The stick waits for a person; the kernel command line is heard apart, by its words. */
static bool has_a_say(const struct entry *e)
{
	const struct sw_answers_source *s = source_of(e);

	return s->kind != SW_SOURCE_STICK && s->form != SW_FORM_SET;
}

/* Those that come behind the one that is bad; what is far is not asked. */
static void read_others(struct all *all)
{
	size_t n = 0;

	for (size_t i = 0; i < all->n; i++)
		n += all->v[i].found != NULL;
	for (; n < all->sources->n; n++) {
		struct sw_error ignored = {};
		struct entry *e = add_entry(all, &ignored);

		if (!e)
			return;
		e->found = &all->sources->v[n];
		if (has_a_say(e) && !sw_answers_source_is_far(e->found))
			(void)read_entry(all, e, &ignored);
	}
}

static void add_rest(struct entry *e, struct sw_merge *merge, struct sw_rest *rest)
{
	const struct sw_answers *a = e->answers ? e->answers : e->rest.answers;
	struct sw_error ignored = {};

	if (a)
		(void)sw_merge_add(merge, a, source_of(e)->text, &ignored);
	if (rest->report.r == 0)
		rest->report = e->rest.report;
	for (char **line = e->rest.errors; line && *line; line++)
		(void)sw_strv_add(&rest->errors, *line);
}

static void take_rest(struct all *all, struct sw_rest *rest)
{
	_cleanup_merge_ struct sw_merge *merge = sw_merge_new();
	_cleanup_rest_ struct sw_rest words = {};
	struct sw_error ignored = {};

	if (!merge)
		return;
	all->wait_s = 0;
	read_others(all);
	for (size_t i = 0; i < all->n; i++)
		if (has_a_say(&all->v[i]))
			add_rest(&all->v[i], merge, rest);
	sw_rest_of_cmdline(all->m, &words);
	if (words.answers)
		(void)sw_merge_add(merge, words.answers, SW_KEY_SET "=", &ignored);
	if (rest->report.r == 0)
		rest->report = words.report;
	sw_rest_take(merge->answers, rest);
}

int sw_sources_read(struct sw_machine *m, const struct sw_sources *s, unsigned int wait_s,
		    sw_sources_network *network, const struct sw_sink *sink,
		    struct sw_merge **ret_merge, struct sw_rest *rest, struct sw_error *err)
{
	_cleanup_merge_ struct sw_merge *merge = sw_merge_new();
	_cleanup_(all_clear) struct all all = { m, s, wait_s, sink, NULL, 0 };
	int r = merge ? 0 : sw_fail_oom(err);

	for (size_t i = 0; i < s->n && r == 0; i++)
		r = add_found(&all, &s->v[i], err);
	if (r == 0)
		r = reach(&all, network, err);
	if (r == 0)
		r = spread(s, sink, err);
	if (r == 0)
		r = merge_all(&all, merge, err);
	if (r < 0 && rest)
		take_rest(&all, rest);
	if (r < 0)
		return r;
	*ret_merge = TAKE_PTR(merge);
	return 0;
}
