/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An encrypted partition without device mapper: the LUKS2 header is made by
 * libcryptsetup in a scratch file, and the data is encrypted block by block on its
 * way to the disk (AES-256-XTS, plain64), as dm-crypt would. LUKS2 On-Disk Format
 * Specification 1.1.1; the TPM token is that of systemd 252.
 */
#pragma once

#include "base/guid.h"
#include "base/io.h"
#include "base/secret.h"
#include "tpm/seal.h"

#define SW_LUKS_HEADER (16ULL << 20)	/* bytes before the data */
#define SW_LUKS_SECTOR 4096U
#define SW_LUKS_KEY_FILE_MAX 8192U	/* bytes; libcryptsetup takes up to 8 MiB */

/* Of argon2id. All zero: 64 MiB, 4 passes, 4 lanes, whatever the machine. */
struct sw_luks_cost {
	uint32_t memory_kib, passes, lanes;
};

struct sw_luks_spec {
	struct sw_guid uuid;	/* of the LUKS header */
	uint32_t sector;	/* of the encryption, bytes: 512 or 4096 */
	/* each borrowed, or NULL: no such key slot; at least one */
	const struct sw_secret *recovery, *key_file;
	const struct sw_secret *tpm_secret;	/* with sealed */
	const struct sw_sealed *sealed;
	struct sw_luks_cost cost;
};

/* The UUID of the header, derived from the partition's as systemd-repart derives it. -EIO. */
int sw_luks_uuid(const struct sw_guid *part_uuid, struct sw_guid *ret_uuid);

/*
 * Makes the header in a new file of SW_LUKS_HEADER bytes with a new volume key and a key
 * slot for each of spec's keys, then opens it with each of them.
 */
int sw_luks_make(const struct sw_luks_spec *spec, const char *file, struct sw_secret **ret_key,
		 struct sw_error *err);

/*
 * Writes a header file to the start of io (the partition): key slots, flush, then what
 * makes them found, flush; read back and compared.
 */
int sw_luks_write_header(struct sw_io *io, const char *file, struct sw_error *err);
/* The same to several that shall hold the same, each piece of it to all before the next one. */
int sw_luks_write_headers(struct sw_io *const *ios, size_t n, const char *file,
			  struct sw_error *err);

/*
 * How the headers at several places (one, or the members of a mirror) become that of a file: key
 * slots, then the second header, then the first, each of these pieces at all places before the
 * next. So a power cut leaves one header that is whole, and on a mirror, of which now one member
 * is read and now another, even a mixture of them does. Only blocks that differ are told: a key
 * slot that stays is not written anew.
 */
struct sw_luks_walk {
	struct sw_io *const *ios;	/* borrowed, like the file */
	size_t n;
	struct sw_io *file;
	/* A run of bytes that differ at ios[at]; 0 or -errno. */
	int (*change)(const struct sw_luks_walk *w, uint64_t off, const uint8_t *was,
		      const uint8_t *now, size_t len);
	int (*end)(const struct sw_luks_walk *w);	/* of a piece at ios[at]; or NULL */
	void *arg;
	size_t at;		/* kept by the walk: where it is, or failed */
	const char *piece;	/* the same: which, in words */
};
/* What could not be read, or what the calls say: -errno. */
int sw_luks_walk(struct sw_luks_walk *w);

/*
 * The decrypted view of the data on io, whose byte 0 is the data's first: what is
 * written is encrypted on its way. Offsets and lengths must be whole sectors:
 * -EINVAL. io and key are borrowed.
 */
int sw_luks_data(struct sw_io *io, const struct sw_secret *key, uint32_t sector,
		 struct sw_io **ret_io);

/* Beside systemd's keys, which passes over others: sw_sealed_to_json(). */
#define SW_LUKS_SEALED_TO "slipway-sealed-to"
/* The systemd-tpm2 token of this key slot, as systemd 252 writes it; new reference. */
json_object *sw_luks_tpm2_token(const struct sw_sealed *s, int slot);
/* Lower-case hex of the policy, as the token has it; text has room for 65 bytes. */
char *sw_luks_policy_text(const struct sw_sealed *s, char *text);

/*
 * ---- another seal ----
 *
 * A header is changed in a copy and written back by sw_luks_write_header(), which writes
 * the blocks that differ alone: new key slots, flush, the second header, flush, the first.
 * So a power cut leaves one header that is whole, and the operator's own key opens it.
 */
#define SW_LUKS_SLOTS 32
#define SW_LUKS_TOKENS 32

struct sw_luks_slots {
	int key;	/* that the operator's key opened */
	int seal;	/* that the TPM's secret opens */
};

/* Copies the header of io (the partition) to a new scratch file. */
int sw_luks_read_header(struct sw_io *io, const char *file, struct sw_error *err);

/*
 * Adds a seal: key (a recovery key or key file) opens the volume key, the TPM's secret gets
 * a key slot and a token, and the slot is tried. -EPERM (exit 4) for a key that opens nothing.
 */
int sw_luks_reseal(const char *file, const struct sw_secret *key, const struct sw_secret *secret,
		   const struct sw_sealed *sealed, struct sw_luks_slots *ret_slots,
		   struct sw_error *err);

/* A seal of the TPM's that a header holds: one systemd-tpm2 token. */
struct sw_luks_seal {
	struct sw_sealed sealed;	/* blob, policy, pcrs, rsa, signer */
	json_object *sealed_to;		/* SW_LUKS_SEALED_TO, or NULL */
	bool pin;			/* it also asks for a PIN */
};

/*
 * Takes a token apart, as systemd 252 and later write it. -EBADMSG for one that is damaged,
 * -EOPNOTSUPP for what is not sealed as slipway seals.
 */
int sw_luks_seal_parse(json_object *token, struct sw_luks_seal *ret_seal);
void sw_luks_seal_clear(struct sw_luks_seal *s);
/*
 * The JSON of one LUKS2 header, binary part first, as it lies at the start of a partition or right
 * behind the first: its checksum holds. -EBADMSG. Format: the specification, 2.1 and 3.
 */
#define SW_LUKS_METADATA_MAX (4U << 20)
int sw_luks_metadata(const uint8_t *data, size_t len, json_object **ret_metadata);
/*
 * The seals of the partition that io is, in the order in which they are tried; what is no such
 * token is passed over. Needs no libcryptsetup. ret_seals: malloc'd. -EBADMSG: no header is whole.
 */
int sw_luks_seals(struct sw_io *io, struct sw_luks_seal **ret_seals, size_t *ret_n);
/*
 * What the TPM gives for one, as the passphrase that opens the partition. Errors as of
 * sw_tpm_unseal().
 */
int sw_luks_seal_open(const char *tcti, const struct sw_luks_seal *seal, json_object *signatures,
		      struct sw_secret **ret_passphrase, struct sw_error *err);
void sw_luks_seals_free(struct sw_luks_seal *seals, size_t n);

/*
 * Removes all other systemd-tpm2 tokens with their key slots; with alike only those that
 * are sealed to the same values; the tokens that stay then come behind the new one.
 */
int sw_luks_drop_seals(const char *file, const struct sw_luks_slots *keep,
		       const struct sw_sealed *alike, unsigned int *ret_removed,
		       unsigned int *ret_kept, struct sw_error *err);
