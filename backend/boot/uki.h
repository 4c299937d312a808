/* SPDX-License-Identifier: Apache-2.0 */
/* Unified kernel images: assembled around systemd's stub, and inspected. */
#pragma once

#include "base/buf.h"
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

/*
 * The command line of an image that we assemble: the operator's own, panic=10 and
 * watchdog.open_timeout=300 unless it has these words with another value (0 turns
 * either off), and ember.attest_url= when there is a URL. malloc'd.
 */
char *sw_uki_cmdline(const char *own, const char *attest_url);

struct sw_uki_section {
	char name[9];
	uint64_t offset, size;	/* in the file, bytes; size without the padding */
};

struct sw_uki_info {
	bool is_uki;		/* has .linux */
	bool is_signed;		/* has an Authenticode certificate table */
	char *cmdline;		/* malloc'd, NULL without .cmdline */
	char *osrel;		/* malloc'd, NULL without .osrel */
	uint64_t size;
	struct sw_uki_section *sections;
	size_t n_sections;
};

/* Bounded PE reader (fuzzed). Says why a file is not a UKI: truncated, not PE, wrong machine. */
int sw_uki_inspect(const char *path, struct sw_uki_info *ret_info, struct sw_error *err);
void sw_uki_info_clear(struct sw_uki_info *info);

/*
 * Its attribute certificate table, which holds its signatures; empty without one.
 * -EFBIG past SW_UKI_SIGNATURES_MAX, else as sw_uki_inspect().
 */
#define SW_UKI_SIGNATURES_MAX (1U << 20)
int sw_uki_signatures(const char *path, struct sw_buf *ret_table, struct sw_error *err);

/*
 * The signatures of PCRs that it brings along (its section .pcrsig, tpm/signed.h), NULL when there
 * are none. Exit 8 for a section that is no JSON.
 */
#define SW_UKI_PCRSIG_MAX (1U << 20)
int sw_uki_pcr_signatures(const char *path, json_object **ret_signatures, struct sw_error *err);

/* The value of a key in .osrel, without quotes; malloc'd, NULL when it is not there. */
char *sw_uki_osrel(const struct sw_uki_info *info, const char *key);

/*
 * Refuses what a node cannot start: no UKI (exit 3), or one without a signature
 * where the firmware asks for one (exit 4).
 */
int sw_uki_check(const struct sw_uki_info *info, bool secure_boot, const char *where,
		 struct sw_error *err);
