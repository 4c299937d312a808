/* SPDX-License-Identifier: Apache-2.0 */
/* What the node's TPM says: to the images on its disks, and whether it still opens its secrets. */
#include <string.h>

#include "rescue/count.h"
#include "rescue/private.h"
#include "boot/secrets.h"

static int count_finding(struct sw_examine *x, const struct sw_count *c)
{
	struct sw_finding *fi = sw_finding_add(x, NULL, "tpm-count", c->state == SW_COUNT_OLDER
						? SW_FINDING_ERROR : SW_FINDING_WARNING,
					       SW_SURE_CERTAIN);
	struct sw_error e = {};
	char text[300];

	if (!fi)
		return -ENOMEM;
	sw_count_text(c, text);
	(void)snprintf(fi->what, sizeof(fi->what), "the TPM does not confirm the node's images");
	(void)snprintf(fi->evidence, sizeof(fi->evidence), "%s", text);
	(void)sw_count_check(c, &e);
	(void)snprintf(fi->effect, sizeof(fi->effect),
		       "promote is refused until somebody has looked");
	(void)snprintf(fi->advice, sizeof(fi->advice), "%.230s", e.hint);
	return 0;
}

/* The way back is the operator's: he knows whether he updated it. */
static int firmware_finding(struct sw_examine *x, const struct sw_count *c)
{
	struct sw_finding *fi = sw_finding_add(x, NULL, "tpm-firmware", SW_FINDING_INFO,
					       SW_SURE_CERTAIN);

	if (!fi)
		return -ENOMEM;
	(void)snprintf(fi->what, sizeof(fi->what),
		       "the firmware is another one than at the last promote");
	(void)snprintf(fi->evidence, sizeof(fi->evidence),
		       "the TPM is the same; PCR 0 is %.16s..., it was %.16s...", c->firmware,
		       c->known_firmware);
	(void)snprintf(fi->effect, sizeof(fi->effect),
		       "a server that compares PCRs may refuse the node; what is sealed to PCR 7 "
		       "alone still opens");
	(void)snprintf(fi->advice, sizeof(fi->advice),
		       "if it was updated: tell the attestation server; the next promote remembers "
		       "it. If nobody did: `slipway tpm pcrs 0` shows what was measured");
	return 0;
}

static int secret_finding(struct sw_examine *x, const char *name, const struct sw_error *e)
{
	char id[64];
	struct sw_finding *fi;

	(void)snprintf(id, sizeof(id), "secret-%.50s", name);
	fi = sw_finding_add(x, NULL, id, SW_FINDING_WARNING, SW_SURE_CERTAIN);
	if (!fi)
		return -ENOMEM;
	(void)snprintf(fi->what, sizeof(fi->what), "the secret \"%.64s\" cannot be opened", name);
	(void)snprintf(fi->evidence, sizeof(fi->evidence), "%.100s: %.200s", e->what, e->why);
	(void)snprintf(fi->effect, sizeof(fi->effect), "what needs it on the node goes without");
	(void)snprintf(fi->advice, sizeof(fi->advice),
		       "`slipway secret reseal --recovery-file FILE`, or seal it again from where "
		       "it came from");
	return 0;
}

/* Under another system than the node's own PCR 7 may well be another one. */
static int examine_secrets(struct sw_examine *x, const struct sw_switch *s, const char *tcti)
{
	json_object *all = s->node.data ? sw_secrets_of(s->node.data) : NULL;
	_cleanup_json_ json_object *signatures = NULL;
	struct sw_secret_keys by = { .tcti = tcti };
	int r = 0;

	if (!all || !tcti || (s->road != SW_ROAD_SLOT && s->road != SW_ROAD_NETWORK))
		return 0;
	r = sw_secrets_signatures(x->m, NULL, &signatures, x->err);
	by.signatures = signatures;
	json_object_object_foreach(all, name, entry) {
		_cleanup_secret_ struct sw_secret *secret = NULL;
		struct sw_error e = {};

		(void)entry;
		if (r == 0 && sw_secrets_open(s->node.data, &by, name, &secret, &e) < 0)
			r = secret_finding(x, name, &e);
	}
	return r;
}

int sw_examine_tpm(struct sw_examine *x, const struct sw_switch *s)
{
	struct sw_count c;
	int r;

	/* One disk of several by name: what the others hold is not known. */
	if (x->m->kind == SW_MACHINE_CAPTURED || x->disk)
		return 0;
	r = sw_count_look(s, &c);
	if (r == 0 && c.state >= SW_COUNT_OLDER)
		r = count_finding(x, &c);
	if (r == 0 && sw_count_other_firmware(&c))
		r = firmware_finding(x, &c);
	return r < 0 ? r : examine_secrets(x, s, c.tcti);
}
