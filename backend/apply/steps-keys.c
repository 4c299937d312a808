/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys of encrypted partitions: made, sealed and tried before the first write, so that a TPM
 * that fails has cost nothing. They live in this process only; a resume makes new ones.
 */
#include <limits.h>
#include <string.h>

#include "apply/run.h"
#include "base/file.h"
#include "boot/secrets.h"
#include "disk/recovery.h"
#include "machine/shell.h"
#include "payload/payload.h"
#include "plan/secrets.h"

void sw_run_clear_keys(struct sw_run *run)
{
	for (size_t i = 0; i < run->n_keys; i++) {
		sw_secret_free(run->keys[i].key);
		free(run->keys[i].header);
	}
	free(run->keys);
	free(run->escrow);
	run->keys = NULL;
	run->n_keys = 0;
	run->escrow = NULL;
}

const struct sw_run_key *sw_run_key(const struct sw_run *run, const struct sw_placed *part)
{
	const struct sw_placed *leader = sw_plan_leader(run->p, part);

	for (size_t i = 0; i < run->n_keys; i++)
		if (run->keys[i].leader == leader)
			return &run->keys[i];
	return NULL;
}

int sw_run_check_keys(const struct sw_run *run, struct sw_error *err)
{
	bool makes = sw_plan_encrypts(run->p) || sw_plan_seals(run->p) ||
		     sw_plan_keeps_secrets(run->p);

	if (makes && sw_plan_step_number(run->p, SW_STEP_KEYS) == UINT_MAX) {
		sw_fail(err, SW_EXIT_INVALID, -EINVAL, "the plan needs keys, but makes none");
		sw_error_hint(err, "make it anew with `slipway plan`");
		return -EINVAL;
	}
	return sw_plan_awaits_recovery(run->p) ? sw_plan_nobody_confirms(err) : 0;
}

/* The person's key, one for escrow, or none: as the answers say. *ret_key is malloc'd. */
static int recovery_key(struct sw_run *run, struct sw_secret **ret_key, struct sw_error *err)
{
	int r;

	if (!sw_plan_makes_recovery(run->p))
		return 0;
	if (run->p->answers->recovery != SW_RECOVERY_ESCROW) {
		r = sw_secret_relock(run->p->recovery, err);
		return r < 0 ? r : sw_secret_copy(run->p->recovery, ret_key, err);
	}
	r = sw_recovery_new(ret_key, err);
	if (r == 0)
		r = sw_escrow_seal(run->p->answers->escrow, *ret_key, &run->escrow, err);
	if (r == 0 && strlen(run->escrow) >= sizeof(((struct sw_event *)0)->escrow)) {
		r = sw_fail(err, SW_EXIT_INVALID, -E2BIG,
			    "the recovery key's escrow is too large");
		sw_error_hint(err, "give disk.escrow a certificate with a smaller key");
	}
	return r;
}

static int read_key_file(struct sw_run *run, struct sw_secret **ret_key, struct sw_error *err)
{
	const char *from = run->p->answers->key_file;
	_cleanup_free_ char *path = NULL;
	int r;

	if (!from || !*from)
		return sw_fail(err, SW_EXIT_INVALID, -ENOKEY, "disk.keyfile is missing");
	r = sw_source_local_path(run->m, from, &path, err);
	return r < 0 ? r : sw_secret_read(path, SW_LUKS_KEY_FILE_MAX, ret_key, err);
}

static int make_key(struct sw_run *run, const struct sw_placed *part,
		    const struct sw_layout_keys *keys, const struct sw_secret *recovery,
		    struct sw_error *err)
{
	struct sw_run_key *grown = reallocarray(run->keys, run->n_keys + 1, sizeof(*grown)), *k;
	struct sw_encrypt_note note = {};
	int r;

	if (!grown)
		return sw_fail_oom(err);
	run->keys = grown;
	k = &run->keys[run->n_keys];
	*k = (struct sw_run_key){ .leader = part };
	k->header = sw_fmt("%s/luks-header.%zu", run->work, run->n_keys++);
	if (!k->header)
		return sw_fail_oom(err);
	sw_event_log(run->sink, "making the keys of %s", part->label);
	r = sw_encrypt_make(part->encrypt, &part->uuid, keys,
			    part->encrypt == SW_ENCRYPT_TPM2 ? recovery : NULL, k->header,
			    &note, &k->key, err);
	if (r == 0 && !note.measured)
		sw_event_log(run->sink, "warning: " SW_TPM_NOT_MEASURED);
	if (r == 0 && note.later && keys->signer)
		sw_event_log(run->sink, "sealed to PCR 11 as %.16s... signs it; only an image that "
			     "brings its signature can try it", keys->signer->fingerprint);
	else if (r == 0 && note.later)
		sw_event_log(run->sink, "sealed to PCR 7 as the node will have it, which started "
					"without this medium's loader; only the node can try it");
	return r;
}

/* Why the PCR 7 of the node cannot be told, in words. */
static const char *why_unknown(const struct sw_run *run, int r)
{
	switch (r) {
	case -ENOKEY:
		return run->signatures.len
			       ? "Secure Boot is on, and no certificate in its db is above the "
				 "signer of the boot image"
			       : "Secure Boot is on, and the plan has no boot image yet whose "
				 "signer could be looked for in its db";
	case -EOPNOTSUPP:
		return "Secure Boot is on, and this firmware measures its keys in a way of its own";
	case -ENODATA:
		return "the firmware's event log says nothing of PCR 7 in the sha256 bank";
	default:
		return "the firmware's event log cannot be read";
	}
}

/* Known before the first write, so that nobody finds out at the node's first start. */
static int not_foretold(struct sw_run *run, int r, struct sw_error *err)
{
	bool other_way = sw_plan_makes_recovery(run->p);

	for (size_t i = 0; i < run->p->n_parts && !other_way; i++)
		other_way = run->p->parts[i].encrypt & SW_ENCRYPT_KEY_FILE;
	if (!(sw_plan_encrypts(run->p) & SW_ENCRYPT_TPM2)) {
		if (sw_plan_makes_host_key(run->p))
			sw_event_log(run->sink, "warning: %s: the SSH host key is sealed to PCR 7 "
				     "as it is under this system, and the node may have to make "
				     "another", why_unknown(run, r));
		if (sw_plan_gives_secrets(run->p))
			sw_event_log(run->sink, "warning: %s: the secrets of the answers are "
				     "sealed to PCR 7 as it is under this system, and the node may "
				     "not open them", why_unknown(run, r));
		return 0;
	}
	if (other_way) {
		sw_event_log(run->sink, "warning: %s: the TPM's key is sealed to PCR 7 as it is "
			     "under this system. If the TPM does not open it on the node, open it "
			     "with the recovery key or key file and seal it there: "
			     "slipway state reseal, or systemd-cryptenroll --wipe-slot=tpm2 "
			     "--tpm2-device=auto --tpm2-pcrs=7", why_unknown(run, r));
		return 0;
	}
	sw_fail(err, SW_EXIT_MISSING, -EPERM, "the node might not be able to open its state");
	sw_error_why(err, "%s, and with disk.recovery: none only the TPM opens it",
		     why_unknown(run, r));
	sw_error_hint(err, "nothing was written; set disk.recovery to show or escrow");
	return -EPERM;
}

/*
 * The medium is started through shim, which measures into PCR 7; the node is started by the
 * firmware itself. *ret_known: NULL where the seal is to PCR 7 as it is.
 */
static int node_pcr7(struct sw_run *run, struct sw_pcr7 *pcr7, const struct sw_pcr7 **ret_known,
		     struct sw_error *err)
{
	_cleanup_eventlog_ struct sw_eventlog *l = NULL;
	_cleanup_free_ char *path = sw_machine_tpm_log(run->m);
	int r;

	*ret_known = NULL;
	if (run->m->kind != SW_MACHINE_REAL)
		return 0;
	if (!path)
		return sw_fail_oom(err);
	r = sw_eventlog_read(path, &l, NULL);
	/* What it says by these codes is another matter. */
	r = r < 0 ? -EIO : sw_eventlog_pcr7(l, run->signatures.data, run->signatures.len, pcr7);
	if (r < 0)
		return not_foretold(run, r, err);
	*ret_known = pcr7;
	return 0;
}

/* What opens the TPM's keys, and what they are sealed to. */
static int aim_at_tpm(struct sw_run *run, struct sw_layout_keys *keys, struct sw_pcr7 *pcr7,
		      struct sw_error *err)
{
	int r = sw_shell_may_seal(run->m, err);

	/* A copy that a recovery key opens is kept without one. */
	if (r == 0 && !sw_plan_seals(run->p) && sw_machine_tcti(run->m, &keys->tcti, NULL) < 0)
		return 0;
	if (r == 0)
		r = sw_machine_tcti(run->m, &keys->tcti, err);
	return r < 0 ? r : node_pcr7(run, pcr7, &keys->pcr7, err);
}

/* An image that nobody signed would leave the node in front of a state that it cannot open. */
static int check_signed(struct sw_run *run, const struct sw_pcr_key *key, struct sw_error *err)
{
	bool other_way = sw_plan_makes_recovery(run->p);

	if (run->pcr_signed || !sw_answers_have_payload(run->p->answers))
		return 0;
	for (size_t i = 0; i < run->p->n_parts && !other_way; i++)
		other_way = run->p->parts[i].encrypt & SW_ENCRYPT_KEY_FILE;
	if (other_way) {
		sw_event_log(run->sink, "warning: the boot image brings no signature of PCR 11 by "
			     "the key %.16s... along: the TPM will not open the state for it",
			     key->fingerprint);
		return 0;
	}
	sw_fail(err, SW_EXIT_REFUSED, -ENOKEY, "the node could not open its state");
	sw_error_why(err, "the boot image brings no signature of PCR 11 by the key of disk.pcr-key "
			  "along, and with disk.recovery: none only the TPM opens it");
	sw_error_hint(err, "nothing was written; sign the image (ukify, systemd-measure), or set "
			   "disk.recovery to show or escrow");
	return -ENOKEY;
}

static int get_signer(struct sw_run *run, struct sw_pcr_key *key, struct sw_layout_keys *keys,
		      struct sw_error *err)
{
	const char *text = run->p->answers->pcr_key;
	int r;

	if (!text || !*text || !(sw_plan_encrypts(run->p) & SW_ENCRYPT_TPM2))
		return 0;
	r = sw_pcr_key_from_text(text, key, err);
	if (r == 0)
		r = check_signed(run, key, err);
	keys->signer = key;
	return r;
}

int sw_step_keys(struct sw_run *run, const struct sw_step *s SW_UNUSED, struct sw_error *err)
{
	_cleanup_secret_ struct sw_secret *recovery = NULL, *file = NULL;
	_cleanup_free_ char *log = sw_machine_tpm_log(run->m);
	struct sw_layout_keys keys = { .pcrs = SW_TPM_PCRS_DEFAULT, .log = log };
	unsigned int all = sw_plan_encrypts(run->p);
	struct sw_pcr_key signer;
	struct sw_pcr7 pcr7;
	int r = get_signer(run, &signer, &keys, err);

	if (r == 0 && (sw_plan_seals(run->p) || sw_plan_keeps_secrets(run->p)))
		r = aim_at_tpm(run, &keys, &pcr7, err);
	if (r == 0 && (all & SW_ENCRYPT_KEY_FILE))
		r = read_key_file(run, &file, err);
	if (r == 0)
		r = recovery_key(run, &recovery, err);
	keys.key_file = file;
	for (size_t i = 0; i < run->p->n_parts && r == 0; i++) {
		const struct sw_placed *part = &run->p->parts[i];

		if (part->encrypt && sw_plan_leader(run->p, part) == part)
			r = make_key(run, part, &keys, recovery, err);
	}
	if (r == 0)
		r = sw_run_keep_secrets(run, &keys, err);
	if (r == 0 && sw_plan_makes_host_key(run->p) && !sw_run_has_kept(run, SW_SECRET_HOST_KEY))
		r = sw_run_make_host_key(run, &keys, err);
	if (r == 0 && sw_plan_gives_secrets(run->p))
		r = sw_run_seal_site_secrets(run, &keys, err);
	return r;
}
