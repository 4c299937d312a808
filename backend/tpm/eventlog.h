/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The firmware's measured-boot log: what was measured, in order, into which PCR.
 * Bounded reader and replay. Format: TCG PC Client Platform Firmware Profile
 * 1.05, sections 10.2 (records) and 10.4 (events); the first record tells
 * whether the log is of the SHA-1 or of the crypto-agile form.
 */
#pragma once

#include "base/error.h"

#define SW_EVENTLOG_MAX ((size_t)16 << 20)	/* bytes; real logs are far below 1 MiB */
#define SW_EVENTLOG_BANKS 8
#define SW_PCRS 24
#define SW_DIGEST_MAX 64

/* Types that slipway itself looks at; the others have a name only. */
#define SW_EV_NO_ACTION 0x00000003U
#define SW_EV_SEPARATOR 0x00000004U
#define SW_EV_ACTION 0x00000005U
#define SW_EV_EVENT_TAG 0x00000006U
#define SW_EV_IPL 0x0000000dU
#define SW_EV_EFI_VARIABLE_DRIVER_CONFIG 0x80000001U
#define SW_EV_EFI_VARIABLE_BOOT 0x80000002U
#define SW_EV_EFI_BOOT_SERVICES_APPLICATION 0x80000003U
#define SW_EV_EFI_BOOT_SERVICES_DRIVER 0x80000004U
#define SW_EV_EFI_RUNTIME_SERVICES_DRIVER 0x80000005U
#define SW_EV_EFI_GPT_EVENT 0x80000006U
#define SW_EV_EFI_ACTION 0x80000007U
#define SW_EV_EFI_VARIABLE_BOOT2 0x8000000cU
#define SW_EV_EFI_VARIABLE_AUTHORITY 0x800000e0U

struct sw_log_event {
	uint32_t pcr, type;
	size_t offset;			/* of the record in the log, for messages */
	/* One for each bank of the log, in the same order; NULL when the record lacks it. */
	const uint8_t *digest[SW_EVENTLOG_BANKS];
	const uint8_t *data;		/* borrowed from the log */
	size_t len;
};

/* The value of a firmware variable, as an event of one holds it (UEFI_VARIABLE_DATA). */
struct sw_log_variable {
	const uint8_t *name, *value;	/* borrowed; the name in UTF-16, without a NUL */
	size_t name_len, len;		/* bytes */
};

#define SW_LOG_VARIABLE_HEAD 32U	/* GUID, characters of the name, bytes of the value */

/* False when the event's lengths do not fit such data. */
bool sw_log_variable(const struct sw_log_event *e, struct sw_log_variable *ret_variable);

struct sw_eventlog {
	uint8_t *bytes;			/* the whole log, owned */
	struct {
		uint16_t alg;		/* TPM_ALG_ID */
		uint16_t size;		/* bytes of a digest */
	} bank[SW_EVENTLOG_BANKS];
	size_t n_banks;
	bool agile;			/* the crypto-agile form, several banks */
	unsigned int locality;		/* at which the TPM was started; PCR 0 begins with it */
	struct sw_log_event *events;
	size_t n_events;
};

/*
 * Reads a log; the bytes are copied. -EBADMSG with the offset in err->where when
 * a record does not fit, names a bank that the log does not declare, or names one
 * twice; -E2BIG past SW_EVENTLOG_MAX; -ENODATA for an empty log. Exit 8 for all.
 */
int sw_eventlog_parse(const void *data, size_t len, const char *file,
		      struct sw_eventlog **ret_log, struct sw_error *err);
/* The same from a file; -errno of open or read with exit 5 or 6. */
int sw_eventlog_read(const char *path, struct sw_eventlog **ret_log, struct sw_error *err);
struct sw_eventlog *sw_eventlog_free(struct sw_eventlog *l);
SW_DEFINE_CLEANUP(struct sw_eventlog, sw_eventlog_free)
#define _cleanup_eventlog_ _cleanup_(sw_eventlog_freep)

/* The values of one bank after the log, or after a part of it. */
struct sw_pcrs {
	size_t size;			/* bytes of a value */
	bool used[SW_PCRS];		/* something was extended into it */
	uint8_t value[SW_PCRS][SW_DIGEST_MAX];
};

/* A bank as it is before the first event: 17 to 22 all ones, PCR 0 with the locality. */
void sw_pcrs_init(const struct sw_eventlog *l, size_t bank, struct sw_pcrs *ret_pcrs);
/*
 * Takes one event into the values. Events that extend nothing are passed over.
 * -EBADMSG for a PCR that does not exist or a record without this bank,
 * -EOPNOTSUPP for a hash that libcrypto does not have.
 */
int sw_pcrs_extend(const struct sw_eventlog *l, size_t bank, const struct sw_log_event *e,
		   struct sw_pcrs *pcrs);
/* All events of a log: exit 8, with the place of the first that cannot be replayed. */
int sw_eventlog_replay(const struct sw_eventlog *l, size_t bank, struct sw_pcrs *ret_pcrs,
		       struct sw_error *err);

/* Extends a value of the sha256 bank by a digest, as a TPM does. */
void sw_pcr_extend(uint8_t value[static 32], const uint8_t digest[static 32]);

/*
 * PCR 4 of the sha256 bank as the firmware leaves it when it starts what the boot order names
 * first: nothing else was tried before. -ENODATA without that bank or a separator.
 */
int sw_eventlog_pcr4(const struct sw_eventlog *l, uint8_t ret_value[static 32]);

/* Whether the firmware measured that Secure Boot is on. */
bool sw_eventlog_secure_boot(const struct sw_eventlog *l);

/* PCR 7 of the sha256 bank: as it is, and as it will be for a node that the firmware starts. */
struct sw_pcr7 {
	uint8_t now[32];
	uint8_t node[32];
};

/*
 * What the loader of the running system added (shim measures its SbatLevel, and under
 * Secure Boot what it is trusted by itself) is not there when the firmware starts a
 * unified kernel image directly. Under Secure Boot the entry of db is measured that the
 * image's signature leads to: signatures is the image's certificate table, NULL: none.
 *
 * -ENOKEY: Secure Boot is on, and no certificate in db is above the image's signer;
 * -EOPNOTSUPP: this firmware measures db in a way of its own; -ENODATA without a sha256
 * bank or a separator; -ENOMEM, -EIO.
 */
int sw_eventlog_pcr7(const struct sw_eventlog *l, const void *signatures, size_t len,
		     struct sw_pcr7 *ret_pcr7);

/* "sha256"; NULL for an algorithm that is not a hash we know; static. */
const char *sw_tpm_alg_name(uint16_t alg);
/* Bytes of its digest, 0 when unknown. */
size_t sw_tpm_alg_size(uint16_t alg);
/* "EV_SEPARATOR"; NULL when unknown; static. */
const char *sw_event_type_name(uint32_t type);
/* The index of the bank of this name; -ENOENT. */
int sw_eventlog_bank(const struct sw_eventlog *l, const char *name);
