/* SPDX-License-Identifier: Apache-2.0 */
/* Who is believed about the time, from what was heard alone. */
#include "net/time.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"

#define NOBODY (-1)
#define FLOOR (-2)
#define YEARS_AFTER (5LL * 366 * 86400)

bool sw_time_is_doubtful(void)
{
	const int64_t now = sw_wall_s(), floor = sw_build_time();

	return now < floor || now > floor + YEARS_AFTER;
}

static int64_t distance(int64_t a, int64_t b)
{
	return a < b ? b - a : a - b;
}

/* Said a time, and one that can be. */
static bool counts(const struct sw_time_seen *s, size_t i, enum sw_time_who who)
{
	const struct sw_time_heard *h = &s->heard[i];

	return h->who == who && !h->error.what[0] &&
	       s->now_ms + h->ahead_ms >= s->floor_s * 1000;
}

static int first_server(const struct sw_time_seen *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (counts(s, i, SW_TIME_SERVER))
			return (int)i;
	return NOBODY;
}

/* The one with as many before it as behind it; of two the earlier. */
static int middle_ntp(const struct sw_time_seen *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		n += counts(s, i, SW_TIME_NTP);
	for (size_t i = 0; i < s->n; i++) {
		size_t before = 0;

		if (!counts(s, i, SW_TIME_NTP))
			continue;
		for (size_t k = 0; k < s->n; k++)
			before += counts(s, k, SW_TIME_NTP) &&
				  (s->heard[k].ahead_ms < s->heard[i].ahead_ms ||
				   (s->heard[k].ahead_ms == s->heard[i].ahead_ms && k < i));
		if (before == (n - 1) / 2)
			return (int)i;
	}
	return NOBODY;
}

static int believed(const struct sw_time_seen *s)
{
	const int ntp = s->from == SW_TIME_SERVER_ONLY ? NOBODY : middle_ntp(s);
	const int server = s->from == SW_TIME_NTP_ONLY ? NOBODY : first_server(s);

	if (s->from == SW_TIME_LEAVE)
		return NOBODY;
	if (ntp >= 0 && server >= 0)
		return distance(s->heard[ntp].ahead_ms, s->heard[server].ahead_ms) <=
				       SW_TIME_AGREE_MS ? ntp : server;
	if (server >= 0 || ntp >= 0)
		return server >= 0 ? server : ntp;
	return s->now_ms < s->floor_s * 1000 ? FLOOR : NOBODY;
}

bool sw_time_asked(const struct sw_time_seen *seen)
{
	for (size_t i = 0; i < seen->n; i++)
		if (seen->heard[i].who != SW_TIME_BOARD)
			return true;
	return false;
}

void sw_time_judge(const struct sw_time_seen *seen, struct sw_time_verdict *ret_verdict)
{
	struct sw_time_verdict v = { .by = believed(seen) };

	if (v.by >= 0)
		v.ahead_ms = seen->heard[v.by].ahead_ms;
	else if (v.by == FLOOR)
		v.ahead_ms = seen->floor_s * 1000 - seen->now_ms;
	v.wrong = distance(v.ahead_ms, 0) > SW_TIME_RIGHT_MS;
	for (size_t i = 0; i < seen->n && v.by >= 0; i++)
		v.disputed |= seen->heard[i].who != SW_TIME_BOARD &&
			      !seen->heard[i].error.what[0] &&
			      distance(seen->heard[i].ahead_ms, v.ahead_ms) > SW_TIME_AGREE_MS;
	*ret_verdict = v;
}

/* ---- in words ---- */

static const char *name_of(const struct sw_time_seen *s, int by)
{
	return by >= 0 ? s->heard[by].name : "slipway's own making";
}

int sw_time_words(const struct sw_time_seen *seen, const struct sw_time_verdict *v,
		  struct sw_buf *out)
{
	char span[SW_SPAN_TEXT], is[SW_TIME_TEXT], should[SW_TIME_TEXT];
	const int64_t off = v->ahead_ms / 1000;
	int r;

	(void)sw_time_text(seen->now_ms / 1000, is);
	if (v->by == NOBODY)
		return sw_buf_addf(out, "it stands at %s; nobody that was asked says what time "
				   "it is", is);
	(void)sw_span_text((uint64_t)(off < 0 ? -off : off), span);
	if (!v->wrong)
		r = sw_buf_addf(out, "as that of %s, give or take %s", name_of(seen, v->by), span);
	else
		r = sw_buf_addf(out, "%s %s %s: %s here, %s there", span,
				v->ahead_ms > 0 ? "behind" : "ahead of", name_of(seen, v->by), is,
				sw_time_text((seen->now_ms + v->ahead_ms) / 1000, should));
	if (r == 0 && v->disputed)
		r = sw_buf_adds(out, "; others that were asked say another time");
	return r;
}

static const char *who_text(enum sw_time_who who)
{
	return who == SW_TIME_NTP ? "NTP" : who == SW_TIME_SERVER ? "server" : "board";
}

static int heard_text(const struct sw_time_seen *s, const struct sw_time_heard *h,
		      struct sw_buf *out)
{
	char when[SW_TIME_TEXT], span[SW_SPAN_TEXT];
	const int64_t off = h->ahead_ms / 1000;
	int r = sw_buf_addf(out, "%-8s ", who_text(h->who));

	if (r == 0 && h->name[0])
		r = sw_buf_addf(out, "%s: ", h->name);
	if (r < 0)
		return r;
	if (h->error.what[0])
		return sw_buf_addf(out, "%s (%s)\n", h->error.what, h->error.why);
	(void)sw_time_text((s->now_ms + h->ahead_ms) / 1000, when);
	(void)sw_span_text((uint64_t)(off < 0 ? -off : off), span);
	return sw_buf_addf(out, "%s, %s%s%s\n", when, off ? span : "the same",
			   off > 0 ? " ahead" : off < 0 ? " behind" : "",
			   s->now_ms + h->ahead_ms < s->floor_s * 1000
				   ? "; does not count: slipway was made later" : "");
}

int sw_time_text_all(const struct sw_time_seen *seen, struct sw_buf *out)
{
	char when[SW_TIME_TEXT];
	int r = sw_buf_addf(out, "%-8s %s\n", "clock", sw_time_text(seen->now_ms / 1000, when));

	for (size_t i = 0; i < seen->n && r == 0; i++)
		r = heard_text(seen, &seen->heard[i], out);
	return r < 0 ? r : sw_buf_addf(out, "%-8s %s, when slipway was made\n", "floor",
				       sw_time_text(seen->floor_s, when));
}

json_object *sw_time_to_json(const struct sw_time_seen *seen, const struct sw_time_verdict *v)
{
	json_object *o = json_object_new_object(), *list = json_object_new_array();

	sw_json_add(o, "clock", json_object_new_int64(seen->now_ms / 1000));
	sw_json_add(o, "floor", json_object_new_int64(seen->floor_s));
	for (size_t i = 0; i < seen->n; i++) {
		const struct sw_time_heard *h = &seen->heard[i];
		json_object *e = json_object_new_object();

		sw_json_add_str(e, "from", who_text(h->who));
		sw_json_add_str(e, "name", h->name[0] ? h->name : NULL);
		if (h->error.what[0])
			sw_json_add(e, "error", sw_error_to_json(&h->error));
		else
			sw_json_add(e, "ahead_ms", json_object_new_int64(h->ahead_ms));
		json_object_array_add(list, e);
	}
	sw_json_add(o, "heard", list);
	sw_json_add_str(o, "believed", v->by == NOBODY ? NULL : v->by == FLOOR ? "floor"
						       : seen->heard[v->by].name);
	sw_json_add(o, "ahead_ms", json_object_new_int64(v->ahead_ms));
	sw_json_add_bool(o, "wrong", v->wrong);
	sw_json_add_bool(o, "disputed", v->disputed);
	return o;
}
