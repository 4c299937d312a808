/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is sealed to the node's TPM and does not open: secrets in the node data and encrypted
 * partitions, with the PCR that is not as it was, and the event that made it so.
 */
#include "rescue/sealed.h"

#include <string.h>

#include "machine/shell.h"
#include "rescue/mirror.h"
#include "rescue/reseal.h"

#define FOREIGN "it was sealed by another TPM, or this one was cleared since"

/* ---- what the node's PCRs are ---- */

void sw_seal_aim_clear(struct sw_seal_aim *a)
{
	json_object_put(a->signatures);
	free(a->log);
	*a = (struct sw_seal_aim){};
}

int sw_seal_aim_find(const struct sw_switch *s, struct sw_seal_aim *ret_aim, struct sw_error *err)
{
	const bool here = s->road == SW_ROAD_SLOT || s->road == SW_ROAD_NETWORK;
	/* A shell has spoilt PCR 7 until the next start. */
	const bool spoilt = sw_shell_may_seal(s->m, NULL) < 0;
	struct sw_seal_aim a = { .known = here && !spoilt, .log = sw_machine_tpm_log(s->m) };
	char letter;
	int r = a.log ? sw_secrets_signatures(s->m, NULL, &a.signatures, err) : sw_fail_oom(err);

	if (r < 0) {
		sw_seal_aim_clear(&a);
		return r;
	}
	if (s->f->tpm_present && sw_machine_tcti(s->m, &a.tcti, NULL) < 0)
		a.tcti = NULL;
	if (a.tcti && !here && s->m->kind == SW_MACHINE_REAL && s->vars)
		a.later = a.known = sw_reseal_foretell(s, NULL, a.log, &a.pcr7, &letter,
						       NULL) == 0;
	*ret_aim = a;
	return 0;
}

enum sw_seal_state sw_seal_state_of(const struct sw_seal_aim *a, const struct sw_sealed *s)
{
	const bool seven = s->pcrs == SW_TPM_PCRS_DEFAULT;
	_cleanup_secret_ struct sw_secret *secret = NULL;
	enum sw_seal_fit fit;

	if (!a->tcti ||
	    sw_tpm_judge_seal(a->tcti, s, a->later ? &a->pcr7 : NULL, &fit, NULL) < 0)
		return SW_SEAL_OPENS;
	if (fit == SW_SEAL_OTHER_TPM)
		return SW_SEAL_FOREIGN;
	if (!a->known || (a->later && !seven))
		return SW_SEAL_OPENS;
	if (fit == SW_SEAL_OTHER_PCRS)
		return SW_SEAL_CHANGED;
	if (a->later || !s->signer.pcrs)
		return SW_SEAL_OPENS;
	return sw_tpm_unseal(a->tcti, s, a->signatures, &secret, NULL) == -ENOKEY
		       ? SW_SEAL_UNSIGNED : SW_SEAL_OPENS;
}

static int put_why(const struct sw_seal_aim *a, enum sw_seal_state state,
		   const struct sw_sealed *s, json_object *sealed_to, char *text, size_t size)
{
	_cleanup_buf_ struct sw_buf words = {};
	int r = 0;

	if (state == SW_SEAL_CHANGED)
		r = sw_seal_differs(a, s, sealed_to, &words);
	if (r == 0)
		(void)snprintf(text, size, "%s", state == SW_SEAL_FOREIGN ? FOREIGN
			       : state == SW_SEAL_UNSIGNED
			       ? "nobody signed the PCRs that this image gives with the key that "
				 "it is sealed to" : sw_buf_text(&words));
	return r;
}

/* ---- secrets ---- */

static int secret_finding(struct sw_examine *x, const char *name, struct sw_finding **ret_finding)
{
	struct sw_finding *fi;
	char id[64];

	(void)snprintf(id, sizeof(id), "secret-%.50s", name);
	fi = sw_finding_add(x, NULL, id, SW_FINDING_WARNING, SW_SURE_CERTAIN);
	if (!fi)
		return -ENOMEM;
	(void)snprintf(fi->what, sizeof(fi->what), "the secret \"%.64s\" cannot be opened", name);
	(void)snprintf(fi->effect, sizeof(fi->effect), "what needs it on the node goes without");
	*ret_finding = fi;
	return 0;
}

static int damaged_secret(struct sw_examine *x, const char *name)
{
	struct sw_finding *fi;
	int r = secret_finding(x, name, &fi);

	if (r < 0)
		return r;
	(void)snprintf(fi->evidence, sizeof(fi->evidence), "what the node data hold of it is "
		       "damaged");
	(void)snprintf(fi->advice, sizeof(fi->advice), "seal it again from where it came from: "
		       "slipway secret seal %.64s", name);
	return 0;
}

static int closed_secret(struct sw_examine *x, const struct sw_switch *s,
			 const struct sw_seal_aim *a, const char *name, json_object *entry,
			 enum sw_seal_state state, const struct sw_sealed *sealed)
{
	const bool recovery = sw_json_str(entry, "recovery", NULL);
	struct sw_finding *fi;
	int r = secret_finding(x, name, &fi);

	if (r == 0)
		r = put_why(a, state, sealed, sw_json_get(entry, "sealed_to"), fi->evidence,
			    sizeof(fi->evidence));
	if (r == 0 && state == SW_SEAL_UNSIGNED)
		(void)snprintf(fi->advice, sizeof(fi->advice),
			       "start an image that brings its signature along: systemd-measure "
			       "sign makes it");
	else if (r == 0)
		r = sw_seal_repair_secret(fi, &s->node, a, name, recovery);
	return r;
}

static int examine_secret(struct sw_examine *x, const struct sw_switch *s,
			  const struct sw_seal_aim *a, const char *name, json_object *entry)
{
	const char *text = sw_secrets_text(s->node.data, name);
	_cleanup_buf_ struct sw_buf bytes = {};
	struct sw_credential c = {};
	enum sw_seal_state state;

	if (!text || sw_credential_from_text(text, &bytes, NULL) < 0 ||
	    sw_credential_parse(bytes.data, bytes.len, &c, NULL) < 0 || c.recovery)
		return damaged_secret(x, name);
	state = sw_seal_state_of(a, &c.sealed);
	return state == SW_SEAL_OPENS
		       ? 0 : closed_secret(x, s, a, name, entry, state, &c.sealed);
}

/* ---- encrypted partitions ---- */

/* One of them, and where it lies. */
struct place {
	const struct sw_disk *disk;
	const struct sw_part *part;
	struct sw_mirror at;
	struct sw_error why;	/* it cannot be sealed again here; r 0: it can */
	bool told;
};

static int offer(struct sw_finding *fi, const struct place *p, const struct sw_seal_aim *a)
{
	if (p->why.r == 0)
		return sw_seal_repair_part(fi, p->disk, p->part, a);
	(void)snprintf(fi->advice, sizeof(fi->advice), "%.70s; %.160s", p->why.what, p->why.hint);
	return 0;
}

static int closed_part(struct sw_examine *x, const struct place *p, const struct sw_seal_aim *a,
		       const struct sw_luks_seal *seal, enum sw_seal_state state)
{
	const char *label = p->part->label ? p->part->label : "?";
	struct sw_finding *fi;
	char id[40];
	int r;

	(void)snprintf(id, sizeof(id), "seal-%.30s", label);
	fi = sw_finding_add(x, p->disk->name, id, SW_FINDING_ERROR, SW_SURE_CERTAIN);
	if (!fi)
		return -ENOMEM;
	(void)snprintf(fi->what, sizeof(fi->what), "the TPM does not open %.30s", label);
	(void)snprintf(fi->effect, sizeof(fi->effect),
		       "the node stops at its start and asks for the recovery key, or goes "
		       "without %.30s", label);
	r = put_why(a, state, &seal->sealed, seal->sealed_to, fi->evidence, sizeof(fi->evidence));
	if (r == 0 && state == SW_SEAL_UNSIGNED)
		(void)snprintf(fi->advice, sizeof(fi->advice),
			       "start an image that brings its signature along: systemd-measure "
			       "sign makes it");
	else if (r == 0)
		r = offer(fi, p, a);
	return r;
}

/* One that opens is enough. What asks for a PIN besides is the operator's own. */
static int judge_seals(struct sw_examine *x, struct place *p, const struct sw_seal_aim *a,
		       const struct sw_luks_seal *seals, size_t n)
{
	enum sw_seal_state worst = SW_SEAL_OPENS, state;

	for (size_t i = n; i-- > 0; worst = state) {
		state = seals[i].pin ? SW_SEAL_OPENS : sw_seal_state_of(a, &seals[i].sealed);
		if (state == SW_SEAL_OPENS)
			return 0;
	}
	p->told = n > 0;
	return n ? closed_part(x, p, a, &seals[0], worst) : 0;
}

static int examine_place(struct sw_examine *x, struct place *p, size_t i,
			 const struct sw_seal_aim *a)
{
	_cleanup_io_ struct sw_io *disk = NULL, *io = NULL;
	struct sw_luks_seal *seals = NULL;
	size_t n = 0;
	int r = sw_machine_open_disk(x->m, p->at.v[i].disk, false, false, &disk, NULL);

	if (r == 0)
		r = sw_io_window(disk, p->at.v[i].start, p->at.size, &io);
	if (r == 0)
		r = sw_luks_seals(io, &seals, &n);
	r = r < 0 ? 0 : judge_seals(x, p, a, seals, n);
	sw_luks_seals_free(seals, n);
	return r;
}

/* Of a mirror each member: a reseal that was cut off has reached some of them. */
static int examine_part(struct sw_examine *x, const struct sw_disk *d, const struct sw_part *part,
			const struct sw_seal_aim *a)
{
	struct place p = { .disk = d, .part = part };
	int r = sw_mirror_find(x->m, x->f, d, part, &p.at, &p.why);

	if (r == -ENOMEM)
		return r;
	/* One that cannot be written: what this member says of its own. */
	if (r < 0 && sw_mirror_own(x->m, d, part, &p.at) < 0)
		return 0;
	r = 0;
	for (size_t i = 0; r == 0 && !p.told && p.at.size > SW_LUKS_HEADER && i < p.at.n; i++)
		r = examine_place(x, &p, i, a);
	return r;
}

static int examine_parts(struct sw_examine *x, const struct sw_disk *d,
			 const struct sw_seal_aim *a)
{
	int r = 0;

	for (size_t i = 0; r == 0 && d && i < d->table.n_parts; i++) {
		const struct sw_part *p = &d->table.parts[i];

		/* A mirror is told of once, with the first disk. */
		if (sw_part_holds(p, SW_FS_LUKS) ||
		    (sw_part_holds(p, SW_FS_RAID) && d == x->nodes[0]->disk))
			r = examine_part(x, d, p, a);
	}
	return r;
}

int sw_examine_seals(struct sw_examine *x, const struct sw_switch *s)
{
	json_object *all = s->node.data ? sw_secrets_of(s->node.data) : NULL;
	_cleanup_(sw_seal_aim_clear) struct sw_seal_aim a = {};
	int r;

	if (x->m->kind == SW_MACHINE_CAPTURED || x->disk)
		return 0;
	r = sw_seal_aim_find(s, &a, x->err);
	if (r < 0 || !a.tcti)
		return r;
	if (all) {
		json_object_object_foreach(all, name, entry) {
			if (r == 0)
				r = examine_secret(x, s, &a, name, entry);
		}
	}
	for (size_t i = 0; r == 0 && i < x->n_nodes; i++)
		r = examine_parts(x, x->nodes[i]->disk, &a);
	return r;
}
