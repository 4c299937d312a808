/* SPDX-License-Identifier: Apache-2.0 */
/* Unified kernel images: assembled around systemd's stub, and inspected. */
#pragma once

#include "base/error.h"

struct sw_uki_parts {
	const char *stub;	/* path of linuxx64.efi.stub */
	const char *kernel;	/* paths */
	const char *initrd;
	const char *cmdline;	/* text, at most 4096 bytes */
	const char *osrel;	/* os-release text, or NULL */
};

/* Writes the image to out. Deterministic: the same parts give the same bytes. */
int sw_uki_assemble(const struct sw_uki_parts *parts, const char *out, struct sw_error *err);

struct sw_uki_info {
	bool is_uki;		/* has .linux */
	bool is_signed;		/* has an Authenticode certificate table */
	char *cmdline;		/* malloc'd, NULL without .cmdline */
	uint64_t size;
};

/* Bounded PE reader (fuzzed). Says why a file is not a UKI: truncated, not PE, wrong machine. */
int sw_uki_inspect(const char *path, struct sw_uki_info *ret_info, struct sw_error *err);
void sw_uki_info_clear(struct sw_uki_info *info);
