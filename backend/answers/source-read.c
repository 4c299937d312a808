/* SPDX-License-Identifier: Apache-2.0 */
/* Reading one source of answers. */
#include <string.h>
#include <strings.h>

#include "answers/source-private.h"
#include "base/backoff.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/proc.h"
#include "net/post.h"
#include "net/time.h"
#include "payload/payload.h"
#include "payload/trust.h"

#define MCOPY_TIMEOUT 30
#define FETCH_STEP 0		/* events of no step */

/* One source while it is read. */
struct reading {
	struct sw_machine *m;
	const struct sw_answers_source *s;
	const struct sw_sink *sink;
	struct sw_rest *rest;	/* of answers that are bad; or NULL */
	char *location;		/* filled in; of a label the device */
	uint64_t offset;	/* of the file system on that device */
	char *dir, *out;	/* scratch, and the file in it */
	bool set;		/* it is lines of KEY=VALUE */
	bool settled;		/* the clock was looked at */
};

static void reading_clear(struct reading *rd)
{
	if (rd->dir)
		(void)sw_remove_tree(rd->dir);
	free(rd->dir);
	free(rd->out);
	free(rd->location);
}

/* mtools reads the partition in place: no mount, no kernel driver, no trace on the stick. */
static int copy_from_stick(const struct reading *rd, const char *name, const char *out,
			   struct sw_error *err)
{
	_cleanup_free_ char *image = sw_fmt("%s@@%llu", rd->location,
					    (unsigned long long)rd->offset);
	const char *argv[] = { "mcopy", "-n", "-i", image, name, out, NULL };
	const char *env[] = { "MTOOLS_SKIP_CHECK=1", NULL };
	int r;

	if (!image)
		return sw_fail_oom(err);
	r = sw_proc_check(argv, env, MCOPY_TIMEOUT, err);
	if (r < 0)
		sw_error_where(err, "%s", rd->s->text);
	return r;
}

/* A disk with this label may still be coming up: that is tried again like a network. */
static int find_label(struct reading *rd, struct sw_error *err)
{
	_cleanup_answers_source_ struct sw_answers_source part = {};
	_cleanup_facts_ struct sw_facts *f = NULL;
	int r = sw_machine_facts(rd->m, &f, err);

	if (r == 0)
		r = sw_source_from_label(f, rd->s->location, &part, err);
	if (r < 0)
		return r;
	if (part.kind == SW_SOURCE_NONE) {
		(void)sw_fail(err, SW_EXIT_MISSING, -ENODEV,
			      "no removable disk has a FAT partition labelled %s",
			      rd->s->location);
		sw_error_where(err, "%s", rd->s->text);
		sw_error_hint(err, "plug it in; partitions of inner disks do not count");
		return -ENODEV;
	}
	free(rd->location);
	rd->location = TAKE_PTR(part.location);
	rd->offset = part.offset;
	return 0;
}

static int from_label(struct reading *rd, struct sw_error *err)
{
	int r = rd->s->kind == SW_SOURCE_STICK ? 0 : find_label(rd, err);

	return r < 0 ? r : copy_from_stick(rd, "::/" SW_ANSWERS_FILE, rd->out, err);
}

/* ---- https ---- */

static int facts_text(struct sw_machine *m, char **ret_text, struct sw_error *err)
{
	_cleanup_facts_ struct sw_facts *f = NULL;
	_cleanup_json_ json_object *o = NULL;
	int r = sw_machine_facts(m, &f, err);

	if (r < 0)
		return r;
	o = sw_facts_to_json(f);
	*ret_text = o ? strdup(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN)) : NULL;
	return *ret_text ? 0 : sw_fail_oom(err);
}

static int fail_status(const struct reading *rd, long status, struct sw_error *err)
{
	bool later = status == 429 || status >= 500;

	(void)sw_fail(err, later ? SW_EXIT_NETWORK : SW_EXIT_MISSING, -EREMOTEIO,
		      "the server has no answers: HTTP status %ld", status);
	sw_error_where(err, "%s", rd->s->text);
	sw_error_hint(err, later ? "it asks to come again later"
				 : "see what the server's log says about this machine");
	return -EREMOTEIO;
}

static int check_hash(const struct reading *rd, const struct sw_buf *b, struct sw_error *err)
{
	char hex[65];

	if (!rd->s->sha256)
		return 0;
	if (sw_sha256(b->data, b->len, hex) == 0 && strcasecmp(hex, rd->s->sha256) == 0)
		return 0;
	(void)sw_fail(err, SW_EXIT_VERIFY, -EBADMSG, "the answers do not match their sha256");
	sw_error_where(err, "%s", rd->s->text);
	sw_error_why(err, "%s was promised, it is %s", rd->s->sha256, hex);
	return -EBADMSG;
}

/* Only the server that was meant is asked: nothing is followed elsewhere. */
static int from_https(struct reading *rd, struct sw_error *err)
{
	_cleanup_buf_ struct sw_buf body = { .max = SW_ANSWERS_MAX };
	_cleanup_free_ char *facts = NULL;
	struct sw_http_answer answer = {};
	struct sw_http_post post = {
		.url = rd->location,
		.trust = { .pin = rd->s->pin },
		.max = SW_ANSWERS_MAX,
		.sink = rd->sink,
	};
	int r = rd->s->form == SW_FORM_POST ? facts_text(rd->m, &facts, err) : 0;

	post.json = facts;
	if (r == 0)
		r = sw_http_post(&post, &body, &answer, err);
	if (r < 0)
		return r;
	if (answer.status != 200)
		return fail_status(rd, answer.status, err);
	r = check_hash(rd, &body, err);
	if (r == 0 && sw_file_write(rd->out, body.data, body.len, 0600) < 0)
		r = sw_fail(err, SW_EXIT_FAILED, -EIO, "the answers cannot be kept");
	return r;
}

/* ---- the others ---- */

static int from_file(struct reading *rd, struct sw_error *err)
{
	struct sw_fetch f = {
		.source = rd->location,
		.sha256 = rd->s->sha256,
		.vouched = rd->s->keys != NULL,
		.out = rd->out,
		.max = SW_ANSWERS_MAX,
		.step = FETCH_STEP,
	};
	char digest[65];

	/* A hash or a signature says all about the file; else the server has to be believed. */
	if (strncasecmp(rd->location, "https://", 8) == 0 &&
	    (rd->s->pin || (!rd->s->sha256 && !rd->s->keys)))
		return from_https(rd, err);
	return sw_fetch_run(rd->m, &f, rd->sink, digest, err);
}

static int from_machine(struct reading *rd, struct sw_error *err)
{
	_cleanup_buf_ struct sw_buf b = { .max = SW_ANSWERS_MAX };
	int r = sw_source_local(rd->m, rd->s, &b, &rd->set, err);

	if (r == 0)
		r = check_hash(rd, &b, err);
	if (r == 0 && sw_file_write(rd->out, sw_buf_text(&b), b.len, 0600) < 0)
		r = sw_fail(err, SW_EXIT_FAILED, -EIO, "the answers cannot be kept");
	return r;
}

/* The place alone: what lies there is read as a source of its own. */
static int from_pointer(struct reading *rd, struct sw_error *err)
{
	_cleanup_free_ char *text = NULL;
	int r = sw_source_look_up(rd->m, rd->s, &text, err);

	if (r == 0 && sw_file_write(rd->out, text, strlen(text), 0600) < 0)
		r = sw_fail(err, SW_EXIT_FAILED, -EIO, "the place of the answers cannot be kept");
	return r;
}

static int fetch(struct reading *rd, struct sw_error *err)
{
	if (sw_source_points(rd->s))
		return from_pointer(rd, err);
	switch (rd->s->form) {
	case SW_FORM_FILE:
		return from_file(rd, err);
	case SW_FORM_POST:
		return from_https(rd, err);
	case SW_FORM_LABEL:
		return from_label(rd, err);
	default:
		return from_machine(rd, err);
	}
}

/*
 * A server that is not believed may only be one that a wrong clock makes look so: then the clock is
 * set, where that is slipway's to do, and it is asked once more.
 */
static int fetch_by_the_clock(struct reading *rd, struct sw_error *err)
{
	const struct sw_time_server server = { .url = rd->location,
					       .trust = { .pin = rd->s->pin } };
	const struct sw_time_ask ask = { .servers = &server, .n_servers = 1, .sink = rd->sink };
	bool set = false;
	int r = fetch(rd, err);

	if (r != -EKEYREJECTED || rd->settled || !sw_machine_sets_clock(rd->m))
		return r;
	rd->settled = true;
	if (sw_time_settle(rd->m, &ask, false, &set, NULL) < 0 || !set)
		return r;
	*err = (struct sw_error){};
	return fetch(rd, err);
}

/* A server that is not believed, or sends us elsewhere, is no network that is still to come. */
static bool may_still_come(const struct reading *rd, const struct sw_error *e)
{
	if (e->r == -EKEYREJECTED || e->r == -EREMOTE || e->r == -EFBIG)
		return false;
	return e->exit == SW_EXIT_NETWORK ||
	       (rd->s->form == SW_FORM_LABEL && e->exit == SW_EXIT_MISSING);
}

/*
 * Pauses of up to 1, 2, 4, 5, 5 … seconds: a lease takes seconds, a switch port with
 * spanning tree up to half a minute.
 */
static int fetch_patiently(struct reading *rd, unsigned int wait_s, struct sw_error *err)
{
	struct sw_backoff b = { .first_ms = 1000, .max_ms = 5000,
				.end_ms = sw_now_ms() + (int64_t)wait_s * 1000 };

	sw_backoff_seed(&b, 0);
	for (;;) {
		struct sw_error e = {};
		unsigned int pause = 0;
		int r = fetch_by_the_clock(rd, &e);
		bool again = r < 0 && may_still_come(rd, &e) &&
			     sw_backoff_next(&b, sw_now_ms(), 0, &pause);

		if (r == 0)
			return 0;
		if (again)
			sw_event_log(rd->sink, "%s; trying again in %u.%u s", e.what, pause / 1000,
				     pause % 1000 / 100);
		if (!again || sw_event_pause(rd->sink, pause) < 0) {
			if (err && err->r == 0)
				*err = e;
			return r;
		}
	}
}

/* Nobody looks into answers that no trusted key has signed. */
static int vouch(struct reading *rd, struct sw_error *err)
{
	const struct sw_answers_source *s = rd->s;
	struct sw_trust t = { .keys = s->keys, .threshold = 1 };
	_cleanup_free_ char *who = NULL, *sig = sw_fmt("%s/answers.sig", rd->dir);
	char *list[] = { sig, NULL };
	int r = sig ? 0 : sw_fail_oom(err);

	if (r < 0 || !s->keys || (s->form != SW_FORM_FILE && s->form != SW_FORM_LABEL))
		return r;
	if (s->form == SW_FORM_LABEL) {
		r = copy_from_stick(rd, "::/" SW_ANSWERS_FILE ".sig", sig, err);
		if (r == 0)
			r = sw_trust_verify(&t, SW_TRUST_ANSWERS, rd->out, list, &who, err);
		/* Not our copies: what lies on the stick. */
		if (r < 0 && err && strncmp(err->where, rd->dir, strlen(rd->dir)) == 0)
			(void)snprintf(err->where, sizeof(err->where), "%s: " SW_ANSWERS_FILE "%s",
				       rd->s->text, strcmp(err->where, sig) == 0 ? ".sig" : "");
	} else {
		r = sw_trust_vouch(rd->m, &t, SW_TRUST_ANSWERS, rd->location, rd->out, NULL,
				   rd->dir, &who, err);
	}
	if (r == 0)
		sw_event_log(rd->sink, "the answers are signed by %s", who);
	return r;
}

static int parse_set(const char *lines, const char *from, struct sw_answers **ret_answers,
		     struct sw_rest *rest, struct sw_error *err)
{
	int r = sw_answers_from_set(lines, from, ret_answers, err);

	if (r < 0 && rest)
		sw_rest_of_set(lines, from, rest);
	return r;
}

static int parse(const struct reading *rd, struct sw_answers **ret_answers, struct sw_error *err)
{
	const char *name = rd->s->form == SW_FORM_FILE ? rd->location : rd->s->text;
	_cleanup_buf_ struct sw_buf text = { .max = SW_ANSWERS_MAX };
	int r = sw_file_read(rd->out, &text);

	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "the answers cannot be read");
	if (rd->set)
		return parse_set(sw_buf_text(&text), rd->s->text, ret_answers, rd->rest, err);
	r = sw_answers_parse(sw_buf_text(&text), text.len, name, ret_answers, err);
	if (r < 0 && rd->rest)
		sw_rest_of_text(sw_buf_text(&text), text.len, name, rd->rest);
	return r;
}

static int open_reading(struct reading *rd, struct sw_error *err)
{
	int r = rd->s->form == SW_FORM_FILE || rd->s->form == SW_FORM_POST
			? sw_source_fill(rd->m, rd->s->location, &rd->location, err) : 0;

	if (r < 0)
		return r;
	if (!rd->location)
		rd->location = strdup(rd->s->location);
	rd->offset = rd->s->offset;
	r = sw_scratch_new("slipway-answers", &rd->dir);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "no scratch directory");
	rd->out = sw_fmt("%s/%s", rd->dir, SW_ANSWERS_FILE);
	return rd->out && rd->location ? 0 : sw_fail_oom(err);
}

/* One step: what is pointed at is a URL, which points nowhere. */
static int follow(const struct reading *rd, unsigned int wait_s, struct sw_answers **ret_answers,
		  struct sw_error *err)
{
	_cleanup_answers_source_ struct sw_answers_source to = {};
	_cleanup_buf_ struct sw_buf text = { .max = SW_ANSWERS_MAX };
	int r = sw_file_read(rd->out, &text);

	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "the place of the answers is lost");
	r = sw_source_pointed(rd->s, sw_buf_text(&text), &to, err);
	if (r < 0)
		return r;
	sw_event_log(rd->sink, "the answers are at %s", to.text);
	return sw_source_read(rd->m, &to, wait_s, rd->sink, ret_answers, rd->rest, err);
}

int sw_source_read(struct sw_machine *m, const struct sw_answers_source *s, unsigned int wait_s,
		   const struct sw_sink *sink, struct sw_answers **ret_answers,
		   struct sw_rest *rest, struct sw_error *err)
{
	_cleanup_(reading_clear) struct reading rd = { .m = m, .s = s, .sink = sink,
						       .rest = rest };
	int r;

	if (s->form == SW_FORM_SET)
		return parse_set(s->location, s->text, ret_answers, rest, err);
	/* A file is parsed where it is, so that errors name it. */
	if (s->form == SW_FORM_FILE && s->location[0] == '/' && !s->sha256 && !s->keys &&
	    !strstr(s->location, "${")) {
		r = sw_answers_read(s->location, ret_answers, err);
		if (r < 0 && rest)
			sw_rest_of_file(s->location, rest);
		return r;
	}
	r = open_reading(&rd, err);
	if (r == 0)
		r = fetch_patiently(&rd, wait_s, err);
	if (r == 0 && sw_source_points(s))
		return follow(&rd, wait_s, ret_answers, err);
	if (r == 0)
		r = vouch(&rd, err);
	return r < 0 ? r : parse(&rd, ret_answers, err);
}
