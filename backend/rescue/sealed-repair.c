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
};

static int add_change(const struct sw_luks_walk *w, uint64_t off, const uint8_t *was,
		      const uint8_t *now, size_t len)
{
	struct change *c = w->arg;
	const struct sw_disk *d = c->places->v[w->at].disk;
	int r = sw_repair_add_change(c->r, d, c->places->v[w->at].start + off, was, now, len,
				     w->piece);

	/* Of several each is named: their writes alternate, and so does their undo. */
	if (r == 0 && c->places->n > 1)
		c->r->bytes[c->r->n_bytes - 1].disk = d;
	return r;
}

static int add_header(struct sw_io *const *at, size_t n, const char *path, void *arg)
{
	struct change *c = arg;
	struct sw_luks_walk w = { .ios = at, .n = n, .change = add_change, .arg = c };
	_cleanup_io_ struct sw_io *file = NULL;
	int r = sw_io_open(path, false, false, 0, &file, c->err);

	w.file = file;
	if (r == 0)
		r = sw_luks_walk(&w);
	return r < 0 ? sw_fail_errno(c->err, SW_EXIT_FAILED, r, "the LUKS2 header cannot be read")
		     : 0;
}

static int prepare_part(const struct sw_rescue_ask *q, struct sw_repair *rep, struct sw_error *err)
{
	_cleanup_(sw_seal_aim_clear) struct sw_seal_aim a = {};
	_cleanup_secret_ struct sw_secret *key = NULL;
	_cleanup_switch_ struct sw_switch s = {};
	struct sw_reseal w = { .m = q->m, .disk = rep->disk, .part = rep->part };
	struct change c = { .r = rep, .places = &w.places, .err = err };
	int r = look(q, &s, &a, err);

	if (r == 0)
		r = sw_mirror_find(q->m, q->f, rep->disk, rep->part, &w.places, err);
	if (r == 0)
		r = sw_recovery_passphrase(q->given, &key, err);
	w.key = key;
	w.pcr7 = a.later ? &a.pcr7 : NULL;
	return r < 0 ? r : sw_reseal_make(&w, add_header, &c, err);
}
