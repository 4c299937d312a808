/* SPDX-License-Identifier: Apache-2.0 */
#include "tpm/eventlog.h"

#include <endian.h>
#include <string.h>

#include "base/file.h"
#include "base/le.h"

#define SHA1_LEN 20U
#define TPM_ALG_SHA1 0x0004U

static const char spec_id[16] = "Spec ID Event03";
static const char startup_locality[16] = "StartupLocality";

/* What is still to be read. Every take checks its bound; once short, always short. */
struct cursor {
	const uint8_t *p;
	size_t len, at;
	bool short_;
};

static const uint8_t *take(struct cursor *c, size_t n)
{
	const uint8_t *p = c->p + c->at;

	if (c->short_ || n > c->len - c->at) {
		c->short_ = true;
		return NULL;
	}
	c->at += n;
	return p;
}

static uint32_t take32(struct cursor *c)
{
	const uint8_t *p = take(c, 4);
	uint32_t v = 0;

	if (p)
		memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

static uint16_t take16(struct cursor *c)
{
	const uint8_t *p = take(c, 2);
	uint16_t v = 0;

	if (p)
		memcpy(&v, p, sizeof(v));
	return le16toh(v);
}

static uint8_t take8(struct cursor *c)
{
	const uint8_t *p = take(c, 1);

	return p ? *p : 0;
}

static struct sw_log_event *add_event(struct sw_eventlog *l)
{
	/* Grown by doubling: a log of 16 MiB could hold half a million records. */
	if ((l->n_events & (l->n_events + 1)) == 0) {
		struct sw_log_event *more = reallocarray(l->events, 2 * l->n_events + 2,
							 sizeof(*more));

		if (!more)
			return NULL;
		l->events = more;
	}
	l->events[l->n_events] = (struct sw_log_event){};
	return &l->events[l->n_events++];
}

/* The locality is told by an event that extends nothing, in the last byte of its data. */
static void note_locality(struct sw_eventlog *l, const struct sw_log_event *e)
{
	if (e->type == SW_EV_NO_ACTION && e->len == sizeof(startup_locality) + 1 &&
	    memcmp(e->data, startup_locality, sizeof(startup_locality)) == 0)
		l->locality = e->data[sizeof(startup_locality)];
}

/* A record of the SHA-1 form; also the first record of every log. */
static int read_sha1(struct sw_eventlog *l, struct cursor *c)
{
	struct sw_log_event *e = add_event(l);

	if (!e)
		return -ENOMEM;
	e->offset = c->at;
	e->pcr = take32(c);
	e->type = take32(c);
	e->digest[0] = take(c, SHA1_LEN);
	e->len = take32(c);
	e->data = take(c, e->len);
	return 0;
}

static int find_bank(const struct sw_eventlog *l, uint16_t alg)
{
	for (size_t i = 0; i < l->n_banks; i++)
		if (l->bank[i].alg == alg)
			return (int)i;
	return -ENOENT;
}

static int read_digests(struct sw_eventlog *l, struct cursor *c, struct sw_log_event *e)
{
	uint32_t n = take32(c);

	if (n > l->n_banks)
		return -EBADMSG;
	for (uint32_t i = 0; i < n && !c->short_; i++) {
		int bank = find_bank(l, take16(c));

		if (c->short_)
			break;
		if (bank < 0 || e->digest[bank])
			return -EBADMSG;
		e->digest[bank] = take(c, l->bank[bank].size);
	}
	return 0;
}

static int read_agile(struct sw_eventlog *l, struct cursor *c)
{
	struct sw_log_event *e = add_event(l);
	int r;

	if (!e)
		return -ENOMEM;
	e->offset = c->at;
	e->pcr = take32(c);
	e->type = take32(c);
	r = read_digests(l, c, e);
	if (r < 0)
		return r;
	e->len = take32(c);
	e->data = take(c, e->len);
	return 0;
}

/* The data of the first record of a crypto-agile log: which hashes, and how long they are. */
static int read_spec(struct sw_eventlog *l, const struct sw_log_event *e)
{
	struct cursor c = { .p = e->data, .len = e->len };
	uint32_t n;

	(void)take(&c, sizeof(spec_id));
	(void)take(&c, 4 + 4);	/* platform class; minor, major, errata, size of a pointer */
	n = take32(&c);
	if (c.short_ || n == 0 || n > SW_EVENTLOG_BANKS)
		return -EBADMSG;
	l->n_banks = 0;
	for (uint32_t i = 0; i < n; i++) {
		uint16_t alg = take16(&c), size = take16(&c);
		size_t known = sw_tpm_alg_size(alg);

		if (c.short_ || size == 0 || size > SW_DIGEST_MAX || (known && size != known) ||
		    find_bank(l, alg) >= 0)
			return -EBADMSG;
		l->bank[l->n_banks].alg = alg;
		l->bank[l->n_banks++].size = size;
	}
	(void)take(&c, take8(&c));	/* the vendor's own */
	l->agile = true;
	return c.short_ ? -EBADMSG : 0;
}

static bool is_spec(const struct sw_log_event *e)
{
	return e->type == SW_EV_NO_ACTION && e->len >= sizeof(spec_id) &&
	       memcmp(e->data, spec_id, sizeof(spec_id)) == 0;
}

/* Firmware hands over a whole area; what was never written is all zeros or all ones. */
static bool is_padding(const struct cursor *c)
{
	uint8_t first = c->p[c->at];

	if (first != 0 && first != 0xff)
		return false;
	for (size_t i = c->at; i < c->len; i++)
		if (c->p[i] != first)
			return false;
	return true;
}

static int read_all(struct sw_eventlog *l, struct cursor *c)
{
	int r;

	l->bank[0].alg = TPM_ALG_SHA1;
	l->bank[0].size = SHA1_LEN;
	l->n_banks = 1;
	r = read_sha1(l, c);
	if (r < 0 || c->short_)
		return r;
	if (is_spec(&l->events[0])) {
		r = read_spec(l, &l->events[0]);
		/* Its SHA-1 field is no digest of the first bank declared. */
		l->events[0].digest[0] = NULL;
	} else {
		note_locality(l, &l->events[0]);
	}
	while (r == 0 && !c->short_ && c->at < c->len && !is_padding(c)) {
		r = l->agile ? read_agile(l, c) : read_sha1(l, c);
		if (r == 0 && !c->short_)
			note_locality(l, &l->events[l->n_events - 1]);
	}
	return r;
}

static int refuse(const char *file, const struct sw_eventlog *l, int r, const char *why,
		  struct sw_error *err)
{
	sw_fail(err, SW_EXIT_VERIFY, r, "the event log is damaged");
	if (l && l->n_events > 0)
		sw_error_where(err, "%s: record %zu, at byte %zu", file, l->n_events,
			       l->events[l->n_events - 1].offset);
	else
		sw_error_where(err, "%s", file);
	sw_error_why(err, "%s", why);
	return r;
}

int sw_eventlog_parse(const void *data, size_t len, const char *file,
		      struct sw_eventlog **ret_log, struct sw_error *err)
{
	_cleanup_eventlog_ struct sw_eventlog *l = calloc(1, sizeof(*l));
	struct cursor c = { .len = len };
	int r;

	if (len == 0)
		return refuse(file, NULL, -ENODATA, "it is empty: the firmware kept no log", err);
	if (len > SW_EVENTLOG_MAX)
		return refuse(file, NULL, -E2BIG, "it is larger than 16 MiB", err);
	if (!l || !(l->bytes = malloc(len)))
		return sw_fail_oom(err);
	memcpy(l->bytes, data, len);
	c.p = l->bytes;
	r = read_all(l, &c);
	if (r == -ENOMEM)
		return sw_fail_oom(err);
	if (r == 0 && c.short_)
		return refuse(file, l, -EBADMSG, "the record is longer than what is left", err);
	if (r < 0)
		return refuse(file, l, r, "its digests are not of the banks that the log declares",
			      err);
	*ret_log = TAKE_PTR(l);
	return 0;
}

int sw_eventlog_read(const char *path, struct sw_eventlog **ret_log, struct sw_error *err)
{
	_cleanup_buf_ struct sw_buf b = { .max = SW_EVENTLOG_MAX + 1 };
	int r = sw_file_read(path, &b);

	if (r < 0 && r != -E2BIG) {
		sw_fail_errno(err, r == -ENOENT ? SW_EXIT_MISSING : SW_EXIT_FAILED, r,
			      "the event log cannot be read");
		sw_error_where(err, "%s", path);
		return r;
	}
	return sw_eventlog_parse(b.data, r == -E2BIG ? SW_EVENTLOG_MAX + 1 : b.len, path, ret_log,
				 err);
}

struct sw_eventlog *sw_eventlog_free(struct sw_eventlog *l)
{
	if (!l)
		return NULL;
	free(l->bytes);
	free(l->events);
	free(l);
	return NULL;
}

int sw_eventlog_bank(const struct sw_eventlog *l, const char *name)
{
	for (size_t i = 0; i < l->n_banks; i++) {
		const char *known = sw_tpm_alg_name(l->bank[i].alg);

		if (known && strcmp(known, name) == 0)
			return (int)i;
	}
	return -ENOENT;
}

bool sw_log_variable(const struct sw_log_event *e, struct sw_log_variable *ret_variable)
{
	const uint8_t *at = e->data;
	uint64_t chars, len;

	if (e->len < SW_LOG_VARIABLE_HEAD)
		return false;
	chars = sw_le64(at + 16);
	len = sw_le64(at + 24);
	if (chars > (e->len - SW_LOG_VARIABLE_HEAD) / 2 ||
	    len != e->len - SW_LOG_VARIABLE_HEAD - 2 * chars)
		return false;
	at += SW_LOG_VARIABLE_HEAD;
	*ret_variable = (struct sw_log_variable){ .name = at, .name_len = 2 * (size_t)chars,
						  .value = at + 2 * chars, .len = (size_t)len };
	return true;
}
