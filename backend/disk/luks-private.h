/* SPDX-License-Identifier: Apache-2.0 */
/* What making a LUKS2 header and changing one have in common. Private to disk/. */
#pragma once

#include "disk/cryptsetup.h"
#include "disk/luks.h"

/* Bytes of one binary header with its JSON: there are two, then come the key slots. */
#define SW_LUKS_METADATA 16384U
#define SW_LUKS_TPM2 "systemd-tpm2"	/* type of a token */

struct sw_luks_maker {
	struct crypt_device *cd;
	const struct sw_luks_spec *spec;
	struct sw_secret *key;	/* of the volume */
	char said[200];		/* by the library, the last complaint */
	struct sw_error *err;
};

void sw_luks_maker_clear(struct sw_luks_maker *m);
/* Fills m->err with what the library said, exit 6; returns r. */
int sw_luks_fail(struct sw_luks_maker *m, int r, const char *what);

/* A new scratch file with room for a header, and for a sector of data behind it. */
int sw_luks_new_file(const char *file, struct sw_error *err);
/* Opens the header in a file, afresh. */
int sw_luks_load(struct sw_luks_maker *m, const char *file);
/* Whether the key opens this slot, or CRYPT_ANY_SLOT. */
int sw_luks_try(struct sw_luks_maker *m, int slot, const struct sw_secret *key);

/* The volume key into m->key: the slot that the key opens. -EPERM (exit 4): it opens none. */
int sw_luks_volume_key(struct sw_luks_maker *m, const struct sw_secret *key);

/*
 * A key slot for this text and the token that leads to it; the slot's number. m->key is known.
 * text: systemd's passphrase is the base64 of the TPM's secret.
 */
int sw_luks_add_seal(struct sw_luks_maker *m, const struct sw_sealed *sealed,
		     const struct sw_secret *text);
