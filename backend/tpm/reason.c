/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a TPM's refusal means to a person: one sentence and a next step for each response code
 * that can be met (TPM 2.0 Library, part 2, section 6.6; the stack's own from tss2_common.h).
 */
#include "tpm/context.h"

#include <string.h>

struct reason {
	TSS2_RC rc;
	int r;
	const char *why, *hint;
};

#define OWNED "the TPM has an owner password"
#define CLEAR_IT "clear the TPM in the firmware setup"
#define OPEN_AND_RESEAL "open the volume with its recovery key; `slipway state reseal` seals it " \
	"anew"
#define A_BUG "this is an error in slipway: report it with the output of `slipway tpm facts`"
#define RESTART "restart the machine"

static const struct reason reasons[] = {
	{ TPM2_RC_POLICY_FAIL, -EPERM,
	  "its PCRs do not hold what they held when the secret was sealed", OPEN_AND_RESEAL },
	{ TPM2_RC_INTEGRITY, -EPERM,
	  "the secret was sealed by another TPM, or the TPM was cleared since", OPEN_AND_RESEAL },
	{ TPM2_RC_SIGNATURE, -EPERM, "the signature of its PCRs was not made with the key",
	  "sign the image's PCRs anew: systemd-measure sign" },
	{ TPM2_RC_PCR_CHANGED, -EAGAIN, "a PCR changed while the TPM was asked", "try again" },
	{ TPM2_RC_POLICY, -EPERM, "what is asked for is older than the TPM allows",
	  "use the newest image" },
	{ TPM2_RC_LOCKOUT, -EIO, "the TPM is locked after too many wrong attempts",
	  "wait until it unlocks itself, or clear it in the firmware setup; `slipway tpm facts` "
	  "tells how long" },
	{ TPM2_RC_AUTH_FAIL, -EIO, OWNED, CLEAR_IT },
	{ TPM2_RC_BAD_AUTH, -EIO, OWNED, CLEAR_IT },
	{ TPM2_RC_AUTH_TYPE, -EIO, "it was given a password where it wants a policy", A_BUG },
	{ TPM2_RC_SIZE, -EBADMSG, "it was given something of a size that it does not take",
	  A_BUG },
	{ TPM2_RC_VALUE, -EOPNOTSUPP, "it does not support this algorithm or size",
	  "a TPM 2.0 of the PC Client profile has RSA 2048, P-256, SHA-256 and AES-128: look for "
	  "newer firmware of the TPM" },
	{ TPM2_RC_HIERARCHY, -EIO, "its storage or endorsement hierarchy is turned off",
	  "turn it on in the firmware setup" },
	{ TPM2_RC_DISABLED, -EIO, "this part of it is turned off",
	  "turn the TPM on in the firmware setup" },
	{ TPM2_RC_INITIALIZE, -EIO, "the firmware has not started it",
	  "turn the TPM on in the firmware setup" },
	{ TPM2_RC_FAILURE, -EIO, "it is in failure mode",
	  "turn the machine off and on; if it stays so, the TPM is broken" },
	{ TPM2_RC_OBJECT_MEMORY, -EIO, "its memory is full of other programs' keys", RESTART },
	{ TPM2_RC_SESSION_MEMORY, -EIO, "its memory is full of other programs' sessions",
	  RESTART },
	{ TPM2_RC_SESSION_HANDLES, -EIO, "other programs left it no room for a session",
	  RESTART },
	{ TPM2_RC_MEMORY, -EIO, "its memory is full", RESTART },
	{ TPM2_RC_HANDLE, -ENOENT, "it does not have this key or index",
	  "`slipway tpm facts` tells what it has" },
	{ TPM2_RC_NV_UNINITIALIZED, -ENOENT, "this index was never written",
	  "`slipway tpm facts` tells what it has" },
	{ TPM2_RC_NV_DEFINED, -EEXIST, "this index is there already",
	  "clear the TPM in the firmware setup, if nothing on this machine needs it" },
	{ TPM2_RC_NV_SPACE, -EIO, "it has no room for another index",
	  "`tpm2_getcap handles-nv-index` lists what it has, tpm2_nvundefine removes what nothing "
	  "needs" },
	{ TPM2_RC_NV_RATE, -EAGAIN, "it saves its memory from wear and wants to wait",
	  "wait a minute, then try again" },
	{ TPM2_RC_NV_UNAVAILABLE, -EAGAIN, "its memory cannot be written just now",
	  "wait a minute, then try again" },
	{ TPM2_RC_RETRY, -EAGAIN, "it stays busy", "wait a minute, then try again" },
	{ TPM2_RC_TESTING, -EAGAIN, "it is still testing itself", "wait a minute, then try again" },
	{ TPM2_RC_YIELDED, -EAGAIN, "it stays busy", "wait a minute, then try again" },
	{ TSS2_TCTI_RC_IO_ERROR, -ENODEV, "it does not answer",
	  "see that the TPM is turned on in the firmware setup" },
	{ TSS2_ESYS_RC_RSP_AUTH_FAILED, -EBADMSG,
	  "its answer was changed on the way, or garbled on the bus",
	  "turn the machine off and on; if it stays so, look for something between board and TPM" },
};

static const struct reason *find_reason(TSS2_RC rc)
{
	/* Which handle, session or parameter it was about is of no use here. */
	if (!(rc & TSS2_RC_LAYER_MASK) && (rc & TPM2_RC_FMT1))
		rc = TPM2_RC_FMT1 | (rc & 0x3f);
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		if (rc == reasons[i].rc)
			return &reasons[i];
	return NULL;
}

int sw_tpm_fail(struct sw_tpm *t, TSS2_RC rc, const char *what)
{
	const struct reason *why = find_reason(rc);
	int r = why ? why->r : -EIO;

	sw_fail(t->err, SW_EXIT_MISSING, r, "%s", what);
	sw_error_why(t->err, "%s", why ? why->why : Tss2_RC_Decode(rc));
	sw_error_hint(t->err, "%s", why ? why->hint
					: "restart the machine; if it stays so, clear the TPM in "
					  "the firmware setup");
	return r;
}

int sw_tpm_fail_device(struct sw_tpm *t, int r)
{
	sw_fail(t->err, SW_EXIT_MISSING, r, "the TPM cannot be opened");
	if (r == -ENOENT || r == -ENODEV || r == -ENXIO) {
		sw_error_why(t->err, "there is none, or it is turned off");
		sw_error_hint(t->err, "turn the TPM on in the firmware setup");
	} else if (r == -EBUSY) {
		sw_error_why(t->err, "another program holds it");
		sw_error_hint(t->err, "end the program that uses the TPM's raw device");
	} else if (r == -EACCES || r == -EPERM) {
		sw_error_why(t->err, "this user may not use it");
		sw_error_hint(t->err, "run slipway as root");
	} else {
		sw_error_why(t->err, "%s", strerror(-r));
		sw_error_hint(t->err, "see what the kernel says about the TPM: dmesg");
	}
	return r;
}
