/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sealed again: what a person gives (a recovery key, or the secret itself) is sealed to the TPM and
 * tried, all in memory and in a scratch file; what comes out of it are writes like those of any
 * other repair, saved for undo and in an order in which a power cut leaves what opens.
 */
#include <string.h>

#include "base/file.h"
#include "base/hex.h"
#include "boot/nodedata.h"
#include "disk/recovery.h"
#include "machine/shell.h"
#include "rescue/reseal.h"
#include "rescue/sealed.h"

#define BLOCK 4096U
#define CHUNK (256U << 10)
#define METADATA 16384U	/* of each of the two LUKS2 headers */

/* ---- the plan ---- */

static void put_after(const struct sw_seal_aim *a, char *text, size_t size)
{
	char hex[65];

	if (a->later)
		(void)snprintf(text, size, "sealed to PCR 7 as the slot that starts first will "
			       "have it, %.16s...", sw_hex(a->pcr7.node, 32, hex));
	else
		(void)snprintf(text, size, "sealed to PCR 7 as it is, and opened again to try it");
}

static int prepare_secret(const struct sw_rescue_ask *q, struct sw_repair *r,
			  struct sw_error *err);
static int prepare_part(const struct sw_rescue_ask *q, struct sw_repair *r, struct sw_error *err);

int sw_seal_repair_secret(struct sw_finding *fi, const struct sw_node *n,
			  const struct sw_seal_aim *a, const char *name, bool recovery)
{
	struct sw_repair *r = n->disk && n->data_part ? sw_finding_repair(fi, n->disk) : NULL;

	if (!r)
		return n->disk && n->data_part ? -ENOMEM : 0;
	r->needs = recovery ? SW_NEEDS_KEY : SW_NEEDS_SECRET;
	r->prepare = prepare_secret;
	(void)snprintf(r->subject, sizeof(r->subject), "%.64s", name);
	(void)snprintf(r->asks, sizeof(r->asks), recovery
		       ? "recovery key of the secret %.64s" : "content of the secret %.64s, again",
		       name);
	(void)snprintf(r->text, sizeof(r->text), recovery
		       ? "open \"%.64s\" by its recovery key and seal it to the TPM again"
		       : "take the content of \"%.64s\" again and seal it to the TPM", name);
	(void)snprintf(r->before, sizeof(r->before), "sealed to what the TPM does not have");
	put_after(a, r->after, sizeof(r->after));
	return 0;
}

int sw_seal_repair_part(struct sw_finding *fi, const struct sw_disk *d, const struct sw_part *p,
			const struct sw_seal_aim *a)
{
	const char *label = p->label ? p->label : "?";
	struct sw_repair *r = sw_finding_repair(fi, d);

	if (!r)
		return -ENOMEM;
	r->needs = SW_NEEDS_KEY;
	r->prepare = prepare_part;
	r->part = p;
	(void)snprintf(r->subject, sizeof(r->subject), "LUKS2 header of %.40s", label);
	(void)snprintf(r->asks, sizeof(r->asks), "recovery key of %.40s, or its key file", label);
	(void)snprintf(r->text, sizeof(r->text),
		       "open %.40s by its recovery key and seal it to the TPM again%s; the key "
		       "stays as it is", label,
		       sw_part_holds(p, SW_FS_RAID) ? ", on each member of its mirror" : "");
	(void)snprintf(r->before, sizeof(r->before), "a seal that the TPM does not open");
	put_after(a, r->after, sizeof(r->after));
	return 0;
}

/* ---- the node again, as it is now ---- */

static int look(const struct sw_rescue_ask *q, struct sw_switch *s, struct sw_seal_aim *a,
		struct sw_error *err)
{
	int r = sw_shell_may_seal(q->m, err);

	*s = (struct sw_switch){ .m = q->m, .f = q->f };
	if (r == 0 && q->vars && q->raw)
		r = sw_switch_open(q->m, q->f, q->vars, q->raw, q->disk, s, err);
	else if (r == 0)
		r = sw_node_find(q->m, q->f, q->disk, &s->node, err);
	if (r == 0)
		r = sw_seal_aim_find(s, a, err);
	if (r == 0 && !a->tcti)
		r = sw_machine_tcti(q->m, &a->tcti, err);
	return r;
}

/* ---- a secret ---- */

static int add_copy(struct sw_repair *rep, const struct sw_rescue_ask *q, const struct sw_disk *d,
		    json_object *data, struct sw_error *err)
{
	const struct sw_part *p = sw_disk_node_data(d);
	_cleanup_buf_ struct sw_buf copy = {};
	_cleanup_io_ struct sw_io *io = NULL;
	_cleanup_free_ uint8_t *old = NULL;
	uint64_t at;
	int r = p ? sw_machine_open_disk(q->m, d, false, false, &io, err) : -ENOENT;

	if (!p)
		return sw_fail(err, SW_EXIT_MISSING, r, "%s has no node data", d->name);
	if (r == 0)
		r = sw_nodedata_next(io, p->start, p->size, data, &copy, &at, err);
	if (r < 0)
		return r;
	old = malloc(copy.len);
	r = old ? sw_io_read(io, at, old, copy.len) : -ENOMEM;
	if (r == 0)
		r = sw_repair_add_change(rep, d, at, old, copy.data, copy.len,
					 "node data, the older of their two copies");
	return r < 0 ? sw_fail_errno(err, SW_EXIT_FAILED, r, "the node data cannot be read") : 0;
}

static int add_copies(struct sw_repair *rep, const struct sw_rescue_ask *q,
		      const struct sw_node *n, struct sw_error *err)
{
	int r = add_copy(rep, q, n->disk, n->data, err);

	for (size_t i = 0; r == 0 && i < n->n_copies; i++)
		r = add_copy(rep, q, n->copies[i], n->data, err);
	return r;
}

static int seal_again(const struct sw_rescue_ask *q, const struct sw_repair *rep,
		      struct sw_secret_seal *seal, json_object *data, struct sw_error *err)
{
	_cleanup_secret_ struct sw_secret *key = NULL;
	struct sw_secret_sealed done;
	int r;

	if (rep->needs == SW_NEEDS_SECRET)
		return sw_secrets_seal(data, seal, q->given, &done, err);
	r = sw_recovery_passphrase(q->given, &key, err);
	seal->by.recovery = key;
	if (r == 0)
		r = sw_secrets_reseal(data, seal, &done, err);
	seal->by.recovery = NULL;
	return r;
}

static int prepare_secret(const struct sw_rescue_ask *q, struct sw_repair *rep,
			  struct sw_error *err)
{
	_cleanup_(sw_seal_aim_clear) struct sw_seal_aim a = {};
	_cleanup_switch_ struct sw_switch s = {};
	struct sw_secret_seal seal = { .name = rep->subject, .pcrs = SW_TPM_PCRS_DEFAULT };
	int r = look(q, &s, &a, err);

	if (r < 0)
		return r;
	if (!s.node.data)
		return sw_fail(err, SW_EXIT_MISSING, -ENOENT, "the node data are gone");
	seal.by = (struct sw_secret_keys){ .tcti = a.tcti, .signatures = a.signatures,
					   .log = a.log };
	seal.pcr7 = a.later ? &a.pcr7 : NULL;
	r = seal_again(q, rep, &seal, s.node.data, err);
	return r < 0 ? r : add_copies(rep, q, &s.node, err);
}

/* ---- an encrypted partition ---- */

struct change {
	struct sw_repair *r;
	const struct sw_mirror *places;
	struct sw_error *err;
	uint8_t *was, *now;
};

/* Only blocks that differ: a key slot that stays is not written anew. */
static int add_chunk(struct change *c, size_t place, uint64_t off, size_t len, const char *text)
{
	const struct sw_disk *d = c->places->v[place].disk;
	uint64_t start = c->places->v[place].start;
	int r = 0;

	for (size_t from = 0, to; r == 0 && from < len; from = to) {
		bool same = memcmp(c->was + from, c->now + from, BLOCK) == 0;

		for (to = from + BLOCK; to < len; to += BLOCK)
			if ((memcmp(c->was + to, c->now + to, BLOCK) == 0) != same)
				break;
		if (!same)
			r = sw_repair_add_change(c->r, d, start + off + from, c->was + from,
						 c->now + from, to - from, text);
		/* Of several each is named: their writes alternate, and so does their undo. */
		if (r == 0 && !same && c->places->n > 1)
			c->r->bytes[c->r->n_bytes - 1].disk = d;
	}
	return r;
}

static int add_range(struct change *c, size_t place, struct sw_io *part, struct sw_io *file,
		     uint64_t off, uint64_t end, const char *text)
{
	int r = 0;

	for (; r == 0 && off < end; off += CHUNK) {
		size_t n = end - off < CHUNK ? (size_t)(end - off) : CHUNK;

		r = sw_io_read(part, off, c->was, n);
		if (r == 0)
			r = sw_io_read(file, off, c->now, n);
		if (r == 0)
			r = add_chunk(c, place, off, n, text);
	}
	return r;
}

/*
 * Key slots, then the second header, then the first: cut off anywhere one of them is whole. On a
 * mirror each of the three goes to all members before the next: md reads now one, now another, and
 * so even of a mixture one header is whole.
 */
static int add_header(struct sw_io *const *at, size_t n, const char *path, void *arg)
{
	static const struct {
		uint64_t off, end;
		const char *text;
	} pieces[] = {
		{ 2ULL * METADATA, SW_LUKS_HEADER, "key slots" },
		{ METADATA, 2ULL * METADATA, "second LUKS2 header" },
		{ 0, METADATA, "first LUKS2 header" },
	};
	struct change *c = arg;
	_cleanup_io_ struct sw_io *file = NULL;
	int r = sw_io_open(path, false, false, 0, &file, c->err);

	for (size_t p = 0; r == 0 && p < ARRAY_SIZE(pieces); p++)
		for (size_t i = 0; r == 0 && i < n; i++)
			r = add_range(c, i, at[i], file, pieces[p].off, pieces[p].end,
				      pieces[p].text);
	return r < 0 ? sw_fail_errno(c->err, SW_EXIT_FAILED, r, "the LUKS2 header cannot be read")
		     : 0;
}

static int prepare_part(const struct sw_rescue_ask *q, struct sw_repair *rep, struct sw_error *err)
{
	_cleanup_free_ uint8_t *was = malloc(CHUNK), *now = malloc(CHUNK);
	_cleanup_(sw_seal_aim_clear) struct sw_seal_aim a = {};
	_cleanup_secret_ struct sw_secret *key = NULL;
	_cleanup_switch_ struct sw_switch s = {};
	struct sw_reseal w = { .m = q->m, .disk = rep->disk, .part = rep->part };
	struct change c = { .r = rep, .places = &w.places, .err = err, .was = was, .now = now };
	int r = was && now ? look(q, &s, &a, err) : sw_fail_oom(err);

	if (r == 0)
		r = sw_mirror_find(q->m, q->f, rep->disk, rep->part, &w.places, err);
	if (r == 0)
		r = sw_recovery_passphrase(q->given, &key, err);
	w.key = key;
	w.pcr7 = a.later ? &a.pcr7 : NULL;
	return r < 0 ? r : sw_reseal_make(&w, add_header, &c, err);
}
