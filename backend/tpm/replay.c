/* SPDX-License-Identifier: Apache-2.0 */
/* From a log to the values that the PCRs must have: each is a chain of hashes. */
#include <string.h>

#include "base/crypto.h"
#include "base/hash.h"

#include "tpm/eventlog.h"

/* TPM_ALG_ID values: TCG Algorithm Registry. */
static const struct {
	uint16_t alg;
	const char *name, *openssl;
	size_t size;
} algs[] = {
	{ 0x0004, "sha1", "SHA1", 20 },	      { 0x000b, "sha256", "SHA256", 32 },
	{ 0x000c, "sha384", "SHA384", 48 },   { 0x000d, "sha512", "SHA512", 64 },
	{ 0x0012, "sm3_256", "SM3", 32 },     { 0x0027, "sha3_256", "SHA3-256", 32 },
	{ 0x0028, "sha3_384", "SHA3-384", 48 }, { 0x0029, "sha3_512", "SHA3-512", 64 },
};

static size_t find_alg(uint16_t alg)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(algs) && algs[i].alg != alg)
		i++;
	return i;
}

const char *sw_tpm_alg_name(uint16_t alg)
{
	size_t i = find_alg(alg);

	return i < ARRAY_SIZE(algs) ? algs[i].name : NULL;
}

size_t sw_tpm_alg_size(uint16_t alg)
{
	size_t i = find_alg(alg);

	return i < ARRAY_SIZE(algs) ? algs[i].size : 0;
}

void sw_pcrs_init(const struct sw_eventlog *l, size_t bank, struct sw_pcrs *ret_pcrs)
{
	*ret_pcrs = (struct sw_pcrs){ .size = l->bank[bank].size };
	/* The PCRs of a dynamic launch start with all ones, the others with zeros. */
	for (size_t i = 17; i <= 22; i++)
		memset(ret_pcrs->value[i], 0xff, ret_pcrs->size);
	ret_pcrs->value[0][ret_pcrs->size - 1] = (uint8_t)l->locality;
}

int sw_pcrs_extend(const struct sw_eventlog *l, size_t bank, const struct sw_log_event *e,
		   struct sw_pcrs *pcrs)
{
	size_t i = find_alg(l->bank[bank].alg);
	uint8_t joined[2 * SW_DIGEST_MAX];
	const EVP_MD *md;
	unsigned int len = 0;
	int r;

	if (e->type == SW_EV_NO_ACTION)
		return 0;
	if (e->pcr >= SW_PCRS || !e->digest[bank])
		return -EBADMSG;
	r = sw_crypto_open(NULL);
	if (r < 0)
		return r;
	md = i < ARRAY_SIZE(algs) ? EVP_get_digestbyname(algs[i].openssl) : NULL;
	if (!md)
		return -EOPNOTSUPP;
	memcpy(joined, pcrs->value[e->pcr], pcrs->size);
	memcpy(joined + pcrs->size, e->digest[bank], pcrs->size);
	if (EVP_Digest(joined, 2 * pcrs->size, pcrs->value[e->pcr], &len, md, NULL) != 1 ||
	    len != pcrs->size)
		return -EOPNOTSUPP;
	pcrs->used[e->pcr] = true;
	return 0;
}

int sw_eventlog_replay(const struct sw_eventlog *l, size_t bank, struct sw_pcrs *ret_pcrs,
		       struct sw_error *err)
{
	struct sw_pcrs pcrs;
	int r = sw_crypto_open(err);

	if (r < 0)
		return r;
	sw_pcrs_init(l, bank, &pcrs);
	for (size_t i = 0; i < l->n_events; i++) {
		r = sw_pcrs_extend(l, bank, &l->events[i], &pcrs);

		if (r == 0)
			continue;
		sw_fail(err, SW_EXIT_VERIFY, r, "the event log cannot be replayed");
		sw_error_where(err, "record %zu, at byte %zu", i + 1, l->events[i].offset);
		sw_error_why(err, "%s", r == -EOPNOTSUPP ? "its hash is not available here"
				  : l->events[i].pcr >= SW_PCRS ? "there is no such PCR"
					     : "the record has no digest for this bank");
		return r;
	}
	*ret_pcrs = pcrs;
	return 0;
}

void sw_pcr_extend(uint8_t value[static 32], const uint8_t digest[static 32])
{
	uint8_t joined[2 * SW_SHA256_LEN];

	memcpy(joined, value, SW_SHA256_LEN);
	memcpy(joined + SW_SHA256_LEN, digest, SW_SHA256_LEN);
	sw_sha256_raw(joined, sizeof(joined), value);
}

int sw_eventlog_pcr4(const struct sw_eventlog *l, uint8_t ret_value[static 32])
{
	int bank = sw_eventlog_bank(l, "sha256"), r = bank < 0 ? -ENODATA : 0;
	struct sw_pcrs pcrs;

	if (r == 0)
		sw_pcrs_init(l, (size_t)bank, &pcrs);
	for (size_t i = 0; i < l->n_events && r == 0; i++) {
		const struct sw_log_event *e = &l->events[i];

		if (e->pcr != 4)
			continue;
		r = sw_pcrs_extend(l, (size_t)bank, e, &pcrs);
		if (r < 0 || e->type != SW_EV_SEPARATOR)
			continue;
		memcpy(ret_value, pcrs.value[4], SW_SHA256_LEN);
		return 0;
	}
	return r < 0 ? r : -ENODATA;
}

const char *sw_event_type_name(uint32_t type)
{
	/* TCG PC Client Platform Firmware Profile, section 10.4.1. */
	static const char *const low[] = {
		"EV_PREBOOT_CERT", "EV_POST_CODE", "EV_UNUSED", "EV_NO_ACTION", "EV_SEPARATOR",
		"EV_ACTION", "EV_EVENT_TAG", "EV_S_CRTM_CONTENTS", "EV_S_CRTM_VERSION",
		"EV_CPU_MICROCODE", "EV_PLATFORM_CONFIG_FLAGS", "EV_TABLE_OF_DEVICES",
		"EV_COMPACT_HASH", "EV_IPL", "EV_IPL_PARTITION_DATA", "EV_NONHOST_CODE",
		"EV_NONHOST_CONFIG", "EV_NONHOST_INFO", "EV_OMIT_BOOT_DEVICE_EVENTS",
	};
	static const char *const efi[] = {
		NULL, "EV_EFI_VARIABLE_DRIVER_CONFIG", "EV_EFI_VARIABLE_BOOT",
		"EV_EFI_BOOT_SERVICES_APPLICATION", "EV_EFI_BOOT_SERVICES_DRIVER",
		"EV_EFI_RUNTIME_SERVICES_DRIVER", "EV_EFI_GPT_EVENT", "EV_EFI_ACTION",
		"EV_EFI_PLATFORM_FIRMWARE_BLOB", "EV_EFI_HANDOFF_TABLES",
		"EV_EFI_PLATFORM_FIRMWARE_BLOB2", "EV_EFI_HANDOFF_TABLES2",
		"EV_EFI_VARIABLE_BOOT2", "EV_EFI_GPT_EVENT2",
	};

	if (type < ARRAY_SIZE(low))
		return low[type];
	if (type > 0x80000000U && type - 0x80000000U < ARRAY_SIZE(efi))
		return efi[type - 0x80000000U];
	switch (type) {
	case 0x80000010U:
		return "EV_EFI_HCRTM_EVENT";
	case SW_EV_EFI_VARIABLE_AUTHORITY:
		return "EV_EFI_VARIABLE_AUTHORITY";
	case 0x800000e1U:
		return "EV_EFI_SPDM_FIRMWARE_BLOB";
	case 0x800000e2U:
		return "EV_EFI_SPDM_FIRMWARE_CONFIG";
	default:
		return NULL;
	}
}
