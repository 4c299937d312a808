/* SPDX-License-Identifier: Apache-2.0 */
/* Encrypted partitions and arrays of a plan: what they need here, and what they are worth. */
#include "plan/protect.h"

#include <string.h>

#include "base/file.h"
#include "disk/recovery.h"
#include "plan/secrets.h"
#include "plan/steps.h"
#include "tpm/pcr-key.h"
#include "tpm/seal.h"

unsigned int sw_plan_encrypts(const struct sw_plan *p)
{
	unsigned int all = 0;

	for (size_t i = 0; i < p->n_parts; i++)
		all |= p->parts[i].encrypt;
	return all;
}

bool sw_plan_makes_host_key(const struct sw_plan *p)
{
	return p->answers->ssh_host_key == SW_HOST_KEY_MAKE && !sw_answers_diskless(p->answers) &&
	       !sw_plan_keeps_host_key(p);
}

bool sw_plan_gives_secrets(const struct sw_plan *p)
{
	return sw_answers_have_secrets(p->answers) && !sw_answers_diskless(p->answers);
}

bool sw_plan_seals(const struct sw_plan *p)
{
	return (sw_plan_encrypts(p) & SW_ENCRYPT_TPM2) || sw_plan_makes_host_key(p) ||
	       sw_plan_gives_secrets(p);
}

bool sw_plan_makes_recovery(const struct sw_plan *p)
{
	/* With a key file beside the TPM that file is what opens it when the TPM does not. */
	for (size_t i = 0; i < p->n_parts; i++)
		if (p->parts[i].encrypt == SW_ENCRYPT_TPM2)
			return p->answers->recovery != SW_RECOVERY_NONE;
	return false;
}

bool sw_plan_awaits_recovery(const struct sw_plan *p)
{
	return !p->recovery && p->answers->recovery != SW_RECOVERY_ESCROW &&
	       sw_plan_makes_recovery(p);
}

int sw_plan_nobody_confirms(struct sw_error *err)
{
	sw_fail(err, SW_EXIT_INVALID, -EPERM, "nobody is there to keep the recovery key");
	sw_error_why(err, "the layout encrypts with the TPM, and disk.recovery says show: a person "
			  "has to see the key and type a part of it back");
	sw_error_hint(err, "set disk.recovery: escrow with a certificate in disk.escrow, or "
			   "disk.recovery: none and lose the data when the TPM does");
	return -EPERM;
}

/* ---- arrays ---- */

static bool together(const struct sw_placed *a, const struct sw_placed *b)
{
	return a == b || (a->raid && b->raid && !strcmp(a->label, b->label));
}

const struct sw_placed *sw_plan_leader(const struct sw_plan *p, const struct sw_placed *part)
{
	for (size_t i = 0; i < p->n_parts; i++)
		if (together(&p->parts[i], part))
			return &p->parts[i];
	return part;
}

/* ---- can it be ---- */

bool sw_plan_tpm_usable(const struct sw_facts *f)
{
	return f->tpm_present && f->tpm_version && f->tpm_version[0] == '2';
}

static int no_tpm(const struct sw_facts *f, const struct sw_layout *l, struct sw_error *err)
{
	sw_fail(err, SW_EXIT_MISSING, -ENODEV, "the layout %s needs a TPM to keep the disk's key",
		l->name);
	sw_error_why(err, f->tpm_present ? "this machine's TPM is not version 2.0, or does not "
					   "answer"
					 : "this machine shows no TPM");
	sw_error_hint(err, "turn the TPM on in the firmware setup, or choose a layout that does "
			   "not encrypt, such as node");
	return -ENODEV;
}

static int no_tpm_for_host_key(struct sw_error *err)
{
	sw_fail(err, SW_EXIT_MISSING, -ENODEV, "node.ssh.host-key: make needs a TPM 2.0 to keep "
					       "the key");
	sw_error_hint(err, "turn the TPM on in the firmware setup, or leave the key away: then the "
			   "node makes its own, which nobody can compare");
	return -ENODEV;
}

static int no_tpm_for_secrets(struct sw_error *err)
{
	sw_fail(err, SW_EXIT_MISSING, -ENODEV, "secrets needs a TPM 2.0 to keep them");
	sw_error_why(err, "a node's secrets are sealed to its TPM and kept in no other way");
	sw_error_hint(err, "turn the TPM on in the firmware setup, or take the secrets out");
	return -ENODEV;
}

static int no_key_file(const struct sw_layout *l, struct sw_error *err)
{
	sw_fail(err, SW_EXIT_INVALID, -ENOKEY, "the layout %s encrypts with a key file, and none "
					       "is given", l->name);
	sw_error_hint(err, "set disk.keyfile to where it is, such as medium:/state.key");
	return -ENOKEY;
}

static int too_small(const struct sw_placed *part, const struct sw_layout *l, struct sw_error *err)
{
	sw_fail(err, SW_EXIT_INVALID, -ENOSPC, "partition %s is too small for its content",
		part->label);
	sw_error_where(err, "%s", l->name);
	sw_error_why(err, "encryption takes 16M of it, and RAID 1M");
	sw_error_hint(err, "give it a larger SizeMinBytes=");
	return -ENOSPC;
}

/* The TPM alone would open it, and nothing says that it will. */
static int no_log(struct sw_error *err)
{
	sw_fail(err, SW_EXIT_MISSING, -ENODATA, "the node might not be able to open its disk");
	sw_error_why(err, "with disk.recovery: none only the TPM opens it, and this system has no "
			  "log of what the firmware measured, to seal to what the node will have");
	sw_error_hint(err, "set disk.recovery to show or escrow, or install from slipway's medium");
	return -ENODATA;
}

static bool only_tpm_opens(const struct sw_plan *p)
{
	for (size_t i = 0; i < p->n_parts; i++)
		if (p->parts[i].encrypt == SW_ENCRYPT_TPM2)
			return p->answers->recovery == SW_RECOVERY_NONE;
	return false;
}

int sw_plan_check_protection(const struct sw_plan *p, const struct sw_facts *f,
			     const struct sw_layout *l, struct sw_error *err)
{
	unsigned int all = sw_plan_encrypts(p);

	if ((all & SW_ENCRYPT_TPM2) && !sw_plan_tpm_usable(f))
		return no_tpm(f, l, err);
	if (sw_plan_makes_host_key(p) && !sw_plan_tpm_usable(f))
		return no_tpm_for_host_key(err);
	if (sw_plan_gives_secrets(p) && !sw_plan_tpm_usable(f))
		return no_tpm_for_secrets(err);
	if (f->tpm_log_missing && only_tpm_opens(p))
		return no_log(err);
	if ((all & SW_ENCRYPT_KEY_FILE) && !(p->answers->key_file && *p->answers->key_file))
		return no_key_file(l, err);
	for (size_t i = 0; i < p->n_parts; i++) {
		const struct sw_placed *part = &p->parts[i];
		uint64_t taken = (part->encrypt ? 16ULL << 20 : 0) + (part->raid ? 2ULL << 20 : 0);

		if (taken && part->size < taken + (1ULL << 20))
			return too_small(part, l, err);
	}
	return 0;
}

/* ---- what it is worth ---- */

static char *worth(const struct sw_facts *f, const char *label)
{
	return sw_fmt("%s is opened by this machine's TPM: %s", label,
		      f->secure_boot ? SW_TPM_WORTH_SECURE : SW_TPM_WORTH_OPEN);
}

static char *signer_words(const char *label, const char *text)
{
	struct sw_pcr_key key;

	if (sw_pcr_key_from_text(text, &key, NULL) < 0)
		return NULL;
	return sw_fmt("the TPM opens %s only for images that bring a signature of PCR 11 by the "
		      "key %.16s... along: an update that is not signed by it asks for the "
		      "recovery key", label, key.fingerprint);
}

static char *no_log_words(const char *label)
{
	return sw_fmt("this system has no log of what the firmware measured, so nobody can tell "
		      "whether the TPM will open %s on the node: have the recovery key or key file "
		      "at hand for its first start", label);
}

static char *recovery_words(const struct sw_plan *p)
{
	_cleanup_free_ char *subject = NULL;

	switch (p->answers->recovery) {
	case SW_RECOVERY_ESCROW:
		if (!p->answers->escrow ||
		    sw_escrow_check(p->answers->escrow, &subject, NULL) < 0)
			return NULL;
		return sw_fmt("the recovery key is encrypted to the certificate %s, and kept in "
			      "the node data", subject);
	case SW_RECOVERY_NONE:
		return strdup("there will be no recovery key: when the TPM is cleared or breaks, "
			      "or Secure Boot's settings change, what is encrypted is lost for "
			      "good");
	default:
		return strdup("the recovery key is shown before the install starts, and a part of "
			      "it has to be typed back");
	}
}

static const struct sw_placed *first_with(const struct sw_plan *p, unsigned int encrypt)
{
	for (size_t i = 0; i < p->n_parts; i++)
		if (p->parts[i].encrypt & encrypt)
			return &p->parts[i];
	return NULL;
}

/* What a partition that is kept holds now. */
static const char *kept_content(const struct sw_plan *p, const struct sw_placed *part)
{
	const struct sw_plan_disk *d = &p->disks[part->disk];

	for (size_t i = 0; i < d->n_old_parts; i++)
		if (d->old_parts[i].start == part->start && d->old_parts[i].fs_type)
			return d->old_parts[i].fs_type;
	return "";
}

/* An array that is kept is left out: what is in it is not looked at. */
static char *state_words(const struct sw_plan *p, const struct sw_placed *part, bool tpm)
{
	if (part->kept && !strcmp(kept_content(p, part), "crypto_LUKS"))
		return sw_fmt("%s is kept, encrypted as it is: what opens it now opens it "
			      "afterwards. A recovery key that the node data hold in escrow is "
			      "kept, too", part->label);
	if (part->encrypt || !tpm || (part->kept && part->raid))
		return NULL;
	return sw_fmt("%s is not encrypted: whoever gets hold of the disk can read it. %s",
		      part->label,
		      part->kept ? "It is kept as it is"
				 : "The layout encrypted keeps its key in this machine's TPM");
}

static int warn_states(struct sw_plan *p, bool tpm)
{
	for (size_t i = 0; i < p->n_parts; i++) {
		char *words = NULL;

		if (p->parts[i].role == SW_ROLE_STATE)
			words = state_words(p, &p->parts[i], tpm);
		/* One is enough: its copies and members are no different. */
		if (words)
			return sw_plan_warn(p, words);
	}
	return 0;
}

int sw_plan_warn_protection(struct sw_plan *p, const struct sw_facts *f)
{
	const struct sw_placed *tpm = first_with(p, SW_ENCRYPT_TPM2);
	int r = 0;

	if (tpm)
		r = sw_plan_warn(p, worth(f, tpm->label));
	if (r == 0 && tpm && p->answers->pcr_key && *p->answers->pcr_key)
		r = sw_plan_warn(p, signer_words(tpm->label, p->answers->pcr_key));
	if (r == 0 && tpm && f->tpm_log_missing)
		r = sw_plan_warn(p, no_log_words(tpm->label));
	if (r == 0 && tpm && tpm->encrypt == SW_ENCRYPT_TPM2)
		r = sw_plan_warn(p, recovery_words(p));
	return r == 0 ? warn_states(p, sw_plan_tpm_usable(f)) : r;
}
