/* SPDX-License-Identifier: Apache-2.0 */
/* What the node's TPM says to the images on its disks. */
#include <string.h>

#include "rescue/count.h"
#include "rescue/private.h"

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

int sw_examine_tpm(struct sw_examine *x, const struct sw_switch *s)
{
	const char *tcti;
	struct sw_count c;
	int r;

	/* One disk of several by name: what the others hold is not known. */
	if (x->m->kind == SW_MACHINE_CAPTURED || x->disk)
		return 0;
	/* It is there and was too slow for the facts: what it counts is not known. */
	if (!x->f->tpm_present && sw_machine_tcti(x->m, &tcti, NULL) == 0)
		return 0;
	r = sw_count_look(s, &c);
	if (r == 0 && c.state >= SW_COUNT_OLDER)
		r = count_finding(x, &c);
	if (r == 0 && sw_count_other_firmware(&c))
		r = firmware_finding(x, &c);
	return r;
}
