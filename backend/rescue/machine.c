/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a node stands on besides its disk's content: the disks' health, the firmware's mode and
 * its store, the clock, the TPM, the network card that it starts from. None of it can be repaired
 * by writing to a disk, so each says what a person can do.
 */
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "boot/nodedata.h"
#include "boot/secrets.h"
#include "disk/luks.h"
#include "rescue/private.h"
#include "rescue/reseal.h"
#include "tpm/facts.h"
#include "tpm/tpm.h"

/* Of what Linux lets us use: room for a few boot entries. */
#define STORE_LOW 2048U
#define PATIENCE_S 10U		/* beyond what the facts give the TPM */
#define CLOCK_AHEAD (20LL * 366 * 86400)	/* s; no slipway is used for so long */

static struct sw_finding *add(struct sw_examine *x, const char *disk, const char *id,
			      enum sw_severity severity, const char *what, const char *effect,
			      const char *advice)
{
	struct sw_finding *fi = sw_finding_add(x, disk, id, severity, SW_SURE_CERTAIN);

	if (!fi)
		return NULL;
	(void)snprintf(fi->what, sizeof(fi->what), "%s", what);
	(void)snprintf(fi->effect, sizeof(fi->effect), "%s", effect);
	(void)snprintf(fi->advice, sizeof(fi->advice), "%s", advice);
	return fi;
}

/* ---- disks ---- */

static int disk_health(struct sw_examine *x, const struct sw_disk *d)
{
	bool failing = d->health == SW_HEALTH_FAILING;
	struct sw_finding *fi;

	if (d->medium || (!failing && d->health != SW_HEALTH_WORN))
		return 0;
	fi = add(x, d->name, "health", failing ? SW_FINDING_ERROR : SW_FINDING_WARNING,
		 failing ? "the disk says that it is failing" : "the disk is worn",
		 failing ? "what is on it can be lost at any time, and a repair may not hold"
			 : "it works, and will not for ever",
		 failing ? "save what is needed, put in another disk and install on that one"
			 : "plan to put in another disk");
	if (!fi)
		return -ENOMEM;
	(void)snprintf(fi->evidence, sizeof(fi->evidence), "%.200s",
		       d->health_text ? d->health_text : "its own health report");
	return 0;
}

/* ---- the firmware's store ---- */

struct usage {
	struct sw_varstore *vars;
	char name[48];		/* of the largest variable */
	size_t bytes;
};

static int measure(const struct sw_guid *guid, const char *name, void *userdata)
{
	struct usage *u = userdata;
	_cleanup_free_ uint8_t *data = NULL;
	uint32_t attrs;
	size_t len;

	if (sw_var_get(u->vars, guid, name, &data, &len, &attrs) == 0 &&
	    attrs & SW_VAR_NON_VOLATILE && len > u->bytes) {
		(void)snprintf(u->name, sizeof(u->name), "%.40s", name);
		u->bytes = len;
	}
	return 0;
}

/* Crash dumps have a finding of their own: they can be taken away. */
static int store_full(struct sw_examine *x)
{
	struct usage u = { .vars = x->vars };
	uint64_t total, free_bytes = 0;
	struct sw_finding *fi;
	size_t dumps = 0;
	bool low;
	int r;

	if (!x->vars)
		return 0;
	low = sw_var_space(x->vars, &total, &free_bytes) == 0 && free_bytes < STORE_LOW;
	r = sw_examine_dumps(x, low, &dumps);
	if (r < 0 || !low || dumps)
		return r;
	if (sw_var_list(x->vars, measure, &u) == -ENOMEM)
		return -ENOMEM;
	fi = add(x, NULL, "nvram-full", SW_FINDING_WARNING,
		 "the firmware's variable store is nearly full",
		 "new boot entries or another order may be refused: switching and repairs fail",
		 "start anew if something was deleted: the firmware reclaims its space then; "
		 "delete boot entries that nobody needs with `slipway boot delete`, or load the "
		 "firmware setup's defaults");
	if (!fi)
		return -ENOMEM;
	(void)snprintf(fi->evidence, sizeof(fi->evidence),
		       "%llu of %llu bytes are free; the largest variable is %s with %zu bytes",
		       (unsigned long long)free_bytes, (unsigned long long)total, u.name, u.bytes);
	return 0;
}

/* ---- the clock ---- */

static int clock_off(struct sw_examine *x)
{
	bool ahead = x->f->time > sw_build_time() + CLOCK_AHEAD;
	char now[SW_TIME_TEXT], built[SW_TIME_TEXT];
	struct sw_finding *fi;

	if (x->f->time >= sw_build_time() && !ahead)
		return 0;
	fi = add(x, NULL, "clock", SW_FINDING_WARNING,
		 ahead ? "the clock is far ahead" : "the clock is behind",
		 ahead ? "certificates look as if they had expired: https and admission fail"
		       : "certificates look as if they were not valid yet: https and admission "
			 "fail",
		 "set it in firmware setup or with `date`; when it is wrong again after the power "
		 "was off, the battery on the board is empty");
	if (!fi)
		return -ENOMEM;
	(void)snprintf(fi->evidence, sizeof(fi->evidence),
		       "it says %s, and this slipway was made at %s",
		       sw_time_text(x->f->time, now), sw_time_text(sw_build_time(), built));
	return 0;
}

/* ---- what the node needs ---- */

/* On a mirror the encryption lies behind the array's superblock, which its type does not say. */
static bool is_encrypted(const struct sw_examine *x, const struct sw_disk *d,
			 const struct sw_part *p)
{
	struct sw_luks_seal *seals = NULL;
	size_t n = 0;

	if (sw_part_holds(p, SW_FS_LUKS))
		return true;
	if (sw_part_holds(p, SW_FS_RAID))
		(void)sw_reseal_seals(x->m, d, p, &seals, &n);
	sw_luks_seals_free(seals, n);
	return n;
}

static bool has_encrypted(const struct sw_examine *x, const struct sw_node *n)
{
	const struct sw_table *t = n->disk ? &n->disk->table : NULL;

	for (size_t i = 0; t && i < t->n_parts; i++)
		if (is_encrypted(x, n->disk, &t->parts[i]))
			return true;
	return false;
}

static bool attests(const struct sw_node *n)
{
	return sw_nodedata_admission(n->data, "attest");
}

/* What the node wants of a TPM, in words; NULL: nothing. */
static const char *wants_tpm(const struct sw_examine *x, const struct sw_node *n,
			     char text[static 128])
{
	json_object *secrets = sw_secrets_of(n->data);
	const char *const wants[] = {
		has_encrypted(x, n) ? "its state is sealed to the TPM" : NULL,
		secrets && json_object_object_length(secrets) ? "its secrets are sealed to the TPM"
							      : NULL,
		attests(n) ? "it attests with the TPM" : NULL,
	};
	size_t at = 0;

	for (size_t i = 0; i < ARRAY_SIZE(wants); i++)
		if (wants[i])
			at += (size_t)snprintf(text + at, 128 - at, "%s%s", at ? ", " : "",
					       wants[i]);
	return at ? text : NULL;
}

/*
 * The facts give a TPM a few seconds, which a busy machine may need for itself. Before it is told
 * as broken it is asked once more, with patience. True: it does answer.
 */
static bool tpm_is_slow(const char *tcti)
{
	_cleanup_tpm_info_ struct sw_tpm_info info = {};

	return sw_tpm_query(tcti, PATIENCE_S, &info, NULL) == 0;
}

static int tpm_slow(struct sw_examine *x, const char *wants)
{
	struct sw_finding *fi;

	fi = add(x, NULL, "tpm-slow", SW_FINDING_INFO, "the TPM answered late",
		 "what is sealed to it was not looked at this time",
		 "look again when the machine has less to do");
	if (!fi)
		return -ENOMEM;
	(void)snprintf(fi->evidence, sizeof(fi->evidence),
		       "%s; the first question had no answer in time, the second one had within "
		       "%u seconds", wants, PATIENCE_S);
	return 0;
}

/* silent: the kernel has one, which does not answer, not even with patience. */
static int tpm_gone(struct sw_examine *x, const char *wants, bool silent)
{
	struct sw_finding *fi;

	fi = add(x, NULL, silent ? "tpm-silent" : "tpm-gone", SW_FINDING_ERROR,
		 silent ? "the TPM does not answer, and the node needs it"
			: "there is no TPM, and the node needs one",
		 "the node starts, but is not admitted and does not open what is sealed",
		 silent ? "look again; when it stays silent, switch the machine off and on again; "
			  "an encrypted state opens with its recovery key"
			: "turn the TPM (fTPM, PTT, TPM 2.0) on in firmware setup; an encrypted "
			  "state opens with its recovery key");
	if (!fi)
		return -ENOMEM;
	fi->sure = silent ? SW_SURE_LIKELY : SW_SURE_CERTAIN;
	(void)snprintf(fi->evidence, sizeof(fi->evidence), "%s; the kernel shows %s", wants,
		       silent ? "it; it was asked twice" : "none");
	return 0;
}

/* Only what stops the node: the rest is `slipway tpm facts`. */
static int tpm_state(struct sw_examine *x, const struct sw_node *n)
{
	char text[128];
	const char *wants = wants_tpm(x, n, text), *tcti;
	struct sw_tpm_facts t = {};
	int r;

	if (!wants)
		return 0;
	r = sw_machine_tcti(x->m, &tcti, NULL);
	if (!x->f->tpm_present && r == 0 && x->m->kind != SW_MACHINE_CAPTURED && tpm_is_slow(tcti))
		return tpm_slow(x, wants);
	if (!x->f->tpm_present)
		return tpm_gone(x, wants, r != -ENOENT);
	if (r < 0 || sw_tpm_read_facts(tcti, &t, NULL) < 0)
		return 0;	/* a TPM that is busy is no finding */
	for (size_t i = 0; i < t.n_findings; i++) {
		struct sw_finding *fi;

		if (t.finding[i].stops == SW_TPM_USE_NONE)
			continue;
		fi = add(x, NULL, "tpm", SW_FINDING_WARNING,
			 "the TPM does not do what the node needs of it",
			 "the node starts, but is not admitted or does not open what is sealed",
			 t.finding[i].hint ? t.finding[i].hint : "");
		if (!fi)
			return -ENOMEM;
		(void)snprintf(fi->evidence, sizeof(fi->evidence),
			       "%s; the node needs it: %s; `slipway tpm facts`",
			       t.finding[i].what, wants);
		return 0;
	}
	return 0;
}

static bool has_link(const struct sw_facts *f, const char *mac)
{
	for (size_t i = 0; i < f->n_links; i++)
		if (f->links[i].mac && strcasecmp(f->links[i].mac, mac) == 0)
			return true;
	return false;
}

static int card_gone(struct sw_examine *x, const struct sw_node *n)
{
	const char *mac = sw_json_str(sw_json_get(n->data, "network"), "nic", NULL);
	const char *mode = sw_json_str(n->data, "mode", "");
	struct sw_finding *fi;

	if (!mac || has_link(x->f, mac))
		return 0;
	fi = add(x, NULL, "nic-gone",
		 strcmp(mode, "network") == 0 ? SW_FINDING_ERROR : SW_FINDING_WARNING,
		 "the network card that the node starts from is not here",
		 "it does not start from the network; what it does then is in its mode",
		 "`slipway mode network --nic MAC` names another card");
	if (!fi)
		return -ENOMEM;
	fi->sure = SW_SURE_LIKELY;	/* its driver may be missing here */
	(void)snprintf(fi->evidence, sizeof(fi->evidence),
		       "node data name %.40s, and none of %zu links has that address", mac,
		       x->f->n_links);
	return 0;
}

static int old_firmware_mode(struct sw_examine *x, const struct sw_node *n)
{
	struct sw_finding *fi;

	if (!n->disk || x->f->firmware != SW_FIRMWARE_BIOS)
		return 0;
	fi = add(x, NULL, "bios-mode", SW_FINDING_ERROR,
		 "this system was started the old way (BIOS, or CSM)",
		 "a node's slots are UEFI programs: a firmware that is set to BIOS does not start "
		 "them, and its boot entries cannot be seen from here",
		 "choose UEFI (CSM off) in firmware setup, and start this medium as a UEFI one");
	if (!fi)
		return -ENOMEM;
	(void)snprintf(fi->evidence, sizeof(fi->evidence),
		       "the kernel has no EFI, and %.40s holds the slots of a node",
		       n->disk->name);
	return 0;
}

int sw_examine_needs(struct sw_examine *x, const struct sw_node *n)
{
	int r = old_firmware_mode(x, n);

	if (r == 0)
		r = tpm_state(x, n);
	for (size_t i = 0; r == 0 && i < x->f->n_disks; i++)
		r = sw_examine_state(x, &x->f->disks[i]);
	return r < 0 ? r : card_gone(x, n);
}

int sw_examine_machine(struct sw_examine *x)
{
	int r = store_full(x);

	for (size_t i = 0; r == 0 && i < x->f->n_disks; i++)
		r = disk_health(x, &x->f->disks[i]);
	return r < 0 ? r : clock_off(x);
}
