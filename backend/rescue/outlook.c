/* SPDX-License-Identifier: Apache-2.0 */
#include "rescue/outlook.h"

#include <stdarg.h>
#include <string.h>

#include "admission/profile.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

#define DAY 86400
#define IMAGE_OLD_DAYS 90	/* a quarter: images of a fleet are built more often than that */
#define TOKEN "token-"		/* before an admission's kind: a token among the node's secrets */
#define TOKEN_SOON 3		/* days before its end at which a token is told of */
#define CLOCK_SLACK 600		/* seconds that a clock may have been set back */

struct list {
	json_object *array;
	bool oom;
};

static bool is_full(const struct list *l)
{
	return l->oom || json_object_array_length(l->array) >= SW_OUTLOOK_MAX;
}

static void put(struct list *l, const char *id, const char *severity, const char *what,
		const char *evidence, const char *advice)
{
	json_object *o = is_full(l) ? NULL : json_object_new_object();

	if (!o) {
		l->oom = l->oom || !is_full(l);
		return;
	}
	sw_json_add_str(o, "id", id);
	sw_json_add_str(o, "severity", severity);
	sw_json_add_str(o, "what", what);
	sw_json_add_str(o, "evidence", evidence);
	sw_json_add_str(o, "advice", advice);
	json_object_array_add(l->array, o);
}

SW_PRINTF(5, 6) static void ahead(struct list *l, const char *id, const char *what,
				  const char *advice, const char *evidence, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;

	va_start(ap, evidence);
	if (vasprintf(&text, evidence, ap) < 0)
		text = NULL;
	va_end(ap);
	put(l, id, "ahead", what, text, advice);
}

/* They are sorted: the worst first. Mere information is no problem to come. */
static void from_findings(struct list *l, const struct sw_findings *found)
{
	for (size_t i = 0; found && i < found->n; i++) {
		const struct sw_finding *fi = &found->v[i];
		_cleanup_free_ char *advice = NULL;

		if (fi->severity == SW_FINDING_INFO)
			continue;
		if (fi->repair)
			advice = sw_fmt("`slipway doctor --repair %s`: %s", fi->id,
					fi->repair->text);
		put(l, fi->id, sw_severity_name(fi->severity), fi->what, fi->evidence,
		    advice ? advice : fi->advice);
	}
}

/* The images of all slots, of all disks: how many are good, and the newest of them. */
struct images {
	size_t slots, good;
	int64_t newest;		/* when it was written, 0: unknown */
};

static void count_slots(json_object *slots, struct images *im)
{
	for (size_t i = 0; slots && i < json_object_array_length(slots); i++) {
		json_object *s = json_object_array_get_idx(slots, i);
		int64_t t = sw_json_int(s, "time", 0);

		im->slots++;
		if (!sw_json_bool(s, "filled", false) || !sw_json_bool(s, "hash_ok", false))
			continue;
		im->good++;
		im->newest = t > im->newest ? t : im->newest;
	}
}

static struct images images_of(json_object *status)
{
	json_object *list = sw_json_array(status, "installed");
	struct images im = {};

	for (size_t i = 0; list && i < json_object_array_length(list); i++)
		count_slots(sw_json_array(json_object_array_get_idx(list, i), "slots"), &im);
	return im;
}

static void clock_back(struct list *l, const struct images *im, int64_t now)
{
	char is[SW_TIME_TEXT], was[SW_TIME_TEXT];

	if (im->newest > now + CLOCK_SLACK)
		ahead(l, "clock-back", "the clock has gone back",
		      "set it; when it goes back with each power cut, the battery on the board is "
		      "empty, and https and admission will fail",
		      "it says %s, and the newest image was written at %s", sw_time_text(now, is),
		      sw_time_text(im->newest, was));
}

/* Those that were tried and refused; of one that was not tried nothing is known. */
static void admissions(struct list *l, json_object *list)
{
	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		json_object *a = json_object_array_get_idx(list, i);

		if (sw_json_bool(a, "admitted", true))
			continue;
		ahead(l, "admission", "the last admission was refused",
		      "the next start will be refused as well; the server's log says why",
		      "%s: %s", sw_json_str(a, "url", "?"),
		      sw_json_str(a, "error", "no reason was given"));
		return;
	}
}

/* ---- tokens that the node keeps ---- */

static bool was_admitted(json_object *status, const char *kind)
{
	json_object *list = sw_json_array(status, "admissions");

	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		json_object *a = json_object_array_get_idx(list, i);

		if (strcmp(sw_json_str(a, "kind", ""), kind) == 0)
			return sw_json_bool(a, "admitted", false);
	}
	return false;
}

static void token_burnt(struct list *l, const char *kind, const char *name)
{
	_cleanup_free_ char *advice =
		sw_fmt("ask for a new one before the node has to be admitted again; `slipway "
		       "secret remove %s` takes it away", name);
	_cleanup_free_ char *what = sw_fmt("the token for %s is used up", kind);

	if (what && advice)
		ahead(l, "token-burnt", what, advice,
		      "the secret %s: its server takes a token once, and has admitted the node",
		      name);
	else
		l->oom = true;
}

static void token_ends(struct list *l, const char *kind, const char *name, int64_t sealed,
		       int64_t left)
{
	long long n = left < DAY ? (left + 3599) / 3600 : (left + DAY - 1) / DAY;
	_cleanup_free_ char *what =
		left <= 0 ? sw_fmt("the token for %s has expired", kind)
			  : sw_fmt("the token for %s expires in %lld %s%s", kind, n,
				   left < DAY ? "hour" : "day", n == 1 ? "" : "s");
	char text[SW_TIME_TEXT];

	if (!what)
		l->oom = true;
	else
		ahead(l, "token-expires", what,
		      "have a new one ready before the node has to be admitted again",
		      "the secret %s was sealed at %s, and its cluster's tokens live a day unless "
		      "they were made with another life", name, sw_time_text(sealed, text));
}

/* A token that was made long before it was sealed ends earlier: nobody but its server knows. */
static void one_token(struct list *l, const struct sw_outlook *in, const char *name,
		      json_object *secret)
{
	const char *kind = name + strlen(TOKEN);
	const struct sw_profile *p = sw_profile_find(kind);
	int64_t sealed = sw_json_int(secret, "time", 0), left;

	if (!p || !p->needs_token)
		return;
	left = sealed + p->token_life_s - in->now;
	if (p->once && was_admitted(in->status, kind))
		token_burnt(l, kind, name);
	else if (sealed && p->token_life_s && left < (int64_t)TOKEN_SOON * DAY)
		token_ends(l, kind, name, sealed, left);
}

static void tokens(struct list *l, const struct sw_outlook *in)
{
	json_object *list = sw_json_array(in->status, "installed");

	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		json_object *node = sw_json_get(json_object_array_get_idx(list, i), "node");
		json_object *secrets = node ? sw_json_get(node, "secrets") : NULL;

		if (!secrets || !json_object_is_type(secrets, json_type_object))
			continue;
		json_object_object_foreach(secrets, name, secret)
			if (strncmp(name, TOKEN, strlen(TOKEN)) == 0)
				one_token(l, in, name, secret);
		return;	/* further disks hold copies of it */
	}
}

static void tpm_guesses(struct list *l, const struct sw_outlook *in)
{
	if (in->failures_max && in->failures * 2 >= in->failures_max)
		ahead(l, "tpm-guesses", "the TPM is close to locking itself",
		      "find out what asks it wrongly (`slipway tpm facts`); locked, it opens no "
		      "encrypted state", "%u of %u wrong attempts are used up", in->failures,
		      in->failures_max);
}

static void one_image(struct list *l, const struct images *im)
{
	if (im->good == 1 && im->slots > 1)
		ahead(l, "one-image", "one good image is all there is on the disk",
		      "a start over the network or `slipway promote` fills the other slot",
		      "%zu of %zu slots are good", im->good, im->slots);
}

/* Below a tenth the doctor has a finding or soon will. */
static void store_filling(struct list *l, const struct sw_outlook *in)
{
	if (in->store_total && in->store_free < in->store_total / 4)
		ahead(l, "store-filling", "the firmware's variable store is filling up",
		      "`slipway boot` lists the entries; delete those that nobody needs",
		      "%llu of %llu bytes are free", (unsigned long long)in->store_free,
		      (unsigned long long)in->store_total);
}

static void image_old(struct list *l, const struct images *im, int64_t now)
{
	int64_t days = im->newest ? (now - im->newest) / DAY : 0;
	char text[SW_TIME_TEXT];

	if (days >= IMAGE_OLD_DAYS)
		ahead(l, "image-old", "the newest image on the disk is old",
		      "a start over the network or `slipway promote` brings a new one",
		      "it was written %lld days ago, at %s", (long long)days,
		      sw_time_text(im->newest, text));
}

static bool has(const struct sw_findings *found, const char *id)
{
	return found && sw_findings_get(found, id);
}

json_object *sw_outlook_make(const struct sw_outlook *in)
{
	struct list l = { .array = json_object_new_array() };
	struct images im = images_of(in->status);

	if (!l.array)
		return NULL;
	from_findings(&l, in->found);
	if (!has(in->found, "clock"))
		clock_back(&l, &im, in->now);
	if (!has(in->found, "admission-refused"))
		admissions(&l, sw_json_array(in->status, "admissions"));
	tokens(&l, in);
	if (!has(in->found, "tpm"))
		tpm_guesses(&l, in);
	one_image(&l, &im);
	if (!has(in->found, "nvram-full"))
		store_filling(&l, in);
	image_old(&l, &im, in->now);
	if (!l.oom)
		return l.array;
	json_object_put(l.array);
	return NULL;
}
