/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the firmware and systemd's stub measure of a unified kernel image before its kernel runs:
 * systemd-stub(7), "TPM PCR Notes". The firmware takes the image and then, except under Secure
 * Boot, the kernel in it into PCR 4, the stub its sections into PCR 11; into PCR 12 come what a
 * boot entry adds to the command line and credentials beside the image, of which slipway's own
 * entries have none.
 */
#pragma once

#include "base/error.h"
#include "base/hash.h"

#define SW_STUB_MAX 64U

struct sw_uki_measured {
	char stub[SW_STUB_MAX];		/* "systemd-stub 252.39", "" for another */
	/* Why what is below is not known; NULL: it is. */
	const char *no_kernel, *no_sections;
	uint8_t image[SW_SHA256_LEN];	/* Authenticode digest */
	uint8_t kernel[SW_SHA256_LEN];	/* the same of the kernel in it */
	uint8_t pcr11[SW_SHA256_LEN];	/* of the sha256 bank, when the kernel starts */
};

/* Of any EFI program; for one that is no unified kernel image only its own digest is known. */
int sw_uki_measure(const char *path, struct sw_uki_measured *ret_measured, struct sw_error *err);

/*
 * What the system measures into PCR 11 while it starts, words as of systemd-pcrphase, one after the
 * other with a ':' between them ("enter-initrd:leave-initrd"); "" is none.
 */
void sw_uki_phases(uint8_t pcr11[static SW_SHA256_LEN], const char *phases);
