/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PCR 7 as the firmware will measure it when it starts an image directly. Under
 * Secure Boot the entry of db that the image is trusted by is measured as well: UEFI
 * 2.10 section 32.4.1 (signature lists), TCG PC Client Platform Firmware Profile 1.05
 * sections 3.3.4.8 and 10.4.2 (EV_EFI_VARIABLE_AUTHORITY).
 */
#include <string.h>

#include "base/crypto.h"
#include "base/hash.h"

#include "tpm/eventlog.h"
#include "tpm/siglist.h"

static bool is_named(const struct sw_log_variable *v, const char *name)
{
	size_t n = strlen(name);

	if (v->name_len != 2 * n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (v->name[2 * i] != (uint8_t)name[i] || v->name[2 * i + 1])
			return false;
	return true;
}

/* ---- which part of the log is the firmware's own ---- */

/* From here on the firmware tries what the boot order names. */
static bool starts_booting(const struct sw_log_event *e)
{
	static const char calling[] = "Calling EFI Application from Boot Option";

	return e->pcr == 4 && (e->type == SW_EV_SEPARATOR ||
			       (e->type == SW_EV_EFI_ACTION && e->len >= sizeof(calling) - 1 &&
				memcmp(e->data, calling, sizeof(calling) - 1) == 0));
}

struct firmware {
	size_t end;		/* events before it are not of what was started */
	bool secure_boot;
	struct sw_log_variable db;	/* empty: not in the log */
};

static void note_variable(const struct sw_log_event *e, struct firmware *fw)
{
	struct sw_log_variable v;

	if (e->type != SW_EV_EFI_VARIABLE_DRIVER_CONFIG || !sw_log_variable(e, &v))
		return;
	if (is_named(&v, "SecureBoot"))
		fw->secure_boot = v.len == 1 && v.value[0] == 1;
	if (is_named(&v, "db"))
		fw->db = v;
}

/*
 * Drivers of cards may have been trusted by then, behind the separator of PCR 7. A log
 * that does not say when booting began has only the separator to go by.
 */
static int find_firmware(const struct sw_eventlog *l, struct firmware *ret)
{
	size_t parted = 0, booting = 0;

	*ret = (struct firmware){};
	for (size_t i = 0; i < l->n_events; i++) {
		const struct sw_log_event *e = &l->events[i];

		if (!booting && starts_booting(e))
			booting = i;
		if (e->pcr == 7 && e->type == SW_EV_SEPARATOR && !parted)
			parted = i + 1;
		if (e->pcr == 7 && !parted)
			note_variable(e, ret);
	}
	ret->end = booting > parted ? booting : parted;
	return parted ? 0 : -ENODATA;
}

bool sw_eventlog_secure_boot(const struct sw_eventlog *l)
{
	struct firmware fw;

	return find_firmware(l, &fw) == 0 && fw.secure_boot;
}

/* ---- who is trusted for the image ---- */

static bool is_above(X509 *anchor, X509 *signer, STACK_OF(X509) *chain)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	bool ok = store && ctx && X509_STORE_add_cert(store, anchor) == 1 &&
		  X509_STORE_CTX_init(ctx, store, signer, chain) == 1;

	if (ok) {
		/* As firmware does: any certificate of db is an anchor, and it has no clock. */
		X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_PARTIAL_CHAIN |
						      X509_V_FLAG_NO_CHECK_TIME);
		(void)X509_STORE_CTX_set_purpose(ctx, X509_PURPOSE_ANY);
		ok = X509_verify_cert(ctx) == 1;
	}
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	return ok;
}

struct wanted {
	X509 *signer;
	STACK_OF(X509) *chain;
	struct sw_signature found;
};

/* Stops at the first entry of db that the signer stands below. */
static int match_entry(const struct sw_signature *s, void *userdata)
{
	struct wanted *w = userdata;
	const uint8_t *der = s->data + SW_SIGNATURE_OWNER;
	X509 *anchor = s->x509 ? d2i_X509(NULL, &der, (long)(s->len - SW_SIGNATURE_OWNER)) : NULL;
	bool above = anchor && is_above(anchor, w->signer, w->chain);

	X509_free(anchor);
	if (above)
		w->found = *s;
	return above;
}

static bool match_signature(const struct firmware *fw, const uint8_t *der, size_t len,
			    struct sw_signature *ret)
{
	PKCS7 *p7 = d2i_PKCS7(NULL, &der, (long)len);
	STACK_OF(X509) *signers = NULL;
	struct wanted w = {};

	if (p7 && PKCS7_type_is_signed(p7))
		signers = PKCS7_get0_signers(p7, NULL, 0);
	if (signers && sk_X509_num(signers) > 0) {
		w.signer = sk_X509_value(signers, 0);
		w.chain = p7->d.sign->cert;
		(void)sw_siglist_each(fw->db.value, fw->db.len, match_entry, &w);
	}
	sk_X509_free(signers);
	PKCS7_free(p7);
	*ret = w.found;
	return w.found.data != NULL;
}

/* The image's signatures in order, as the firmware tries them. */
static int find_authority(const struct firmware *fw, const void *table, size_t len,
			  struct sw_signature *ret)
{
	const uint8_t *p = table;
	struct sw_wincert c;

	for (size_t at = 0; sw_wincert_next(p, len, &at, &c);)
		if (c.pkcs7 && match_signature(fw, c.data, c.len, ret))
			return 0;
	return -ENOKEY;
}

/* ---- what it measures of it ---- */

/* Name and GUID of db, then the entry, as the firmware puts them together. */
static int make_event(const struct sw_signature *s, uint8_t **ret_data, size_t *ret_len)
{
	static const uint8_t head[SW_LOG_VARIABLE_HEAD + 4] = {
		/* EFI_IMAGE_SECURITY_DATABASE_GUID */
		0xcb, 0xb2, 0x19, 0xd7, 0x3a, 0x3d, 0x96, 0x45,
		0xa3, 0xbc, 0xda, 0xd0, 0x0e, 0x67, 0x65, 0x6f,
		[16] = 2, [32] = 'd', [34] = 'b',
	};
	uint8_t *data = malloc(sizeof(head) + s->len);

	if (!data)
		return -ENOMEM;
	memcpy(data, head, sizeof(head));
	for (int i = 0; i < 8; i++)
		data[24 + i] = (uint8_t)((uint64_t)s->len >> 8 * i);
	memcpy(data + sizeof(head), s->data, s->len);
	*ret_data = data;
	*ret_len = sizeof(head) + s->len;
	return 0;
}

static bool is_hash_of(const uint8_t *digest, const void *data, size_t len)
{
	uint8_t md[SW_SHA256_LEN];

	sw_sha256_raw(data, len, md);
	return digest && memcmp(md, digest, sizeof(md)) == 0;
}

/* What this firmware measured of db for others was the hash of the event's own data. */
static bool measures_so(const struct sw_eventlog *l, size_t bank)
{
	for (size_t i = 0; i < l->n_events; i++) {
		const struct sw_log_event *e = &l->events[i];
		struct sw_log_variable v;

		if (e->pcr == 7 && e->type == SW_EV_EFI_VARIABLE_AUTHORITY &&
		    sw_log_variable(e, &v) && is_named(&v, "db") &&
		    !is_hash_of(e->digest[bank], e->data, e->len))
			return false;
	}
	return true;
}

/* An entry is measured once, however many images it is the reason to trust. */
static bool measured_before(const struct sw_eventlog *l, const struct firmware *fw,
			    const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < fw->end; i++) {
		const struct sw_log_event *e = &l->events[i];

		if (e->pcr == 7 && e->type == SW_EV_EFI_VARIABLE_AUTHORITY && e->len == len &&
		    memcmp(e->data, data, len) == 0)
			return true;
	}
	return false;
}

static int add_authority(const struct sw_eventlog *l, size_t bank, const struct firmware *fw,
			 const struct sw_signature *s, struct sw_pcrs *pcrs)
{
	struct sw_log_event e = { .pcr = 7, .type = SW_EV_EFI_VARIABLE_AUTHORITY };
	_cleanup_free_ uint8_t *data = NULL;
	uint8_t digest[32];
	int r = make_event(s, &data, &e.len);

	if (r < 0 || measured_before(l, fw, data, e.len))
		return r;
	sw_sha256_raw(data, e.len, digest);
	e.data = data;
	e.digest[bank] = digest;
	return sw_pcrs_extend(l, bank, &e, pcrs);
}

int sw_eventlog_pcr7(const struct sw_eventlog *l, const void *signatures, size_t len,
		     struct sw_pcr7 *ret_pcr7)
{
	int bank = sw_eventlog_bank(l, "sha256"), r;
	struct sw_pcrs now, node;
	struct sw_signature authority;
	struct firmware fw;

	if (bank < 0)
		return -ENODATA;
	r = sw_crypto_open(NULL);
	if (r < 0)
		return r;
	r = find_firmware(l, &fw);
	sw_pcrs_init(l, (size_t)bank, &now);
	node = now;
	for (size_t i = 0; i < l->n_events && r == 0; i++) {
		const struct sw_log_event *e = &l->events[i];

		if (e->pcr == 7)
			r = sw_pcrs_extend(l, (size_t)bank, e, &now);
		if (e->pcr == 7 && r == 0 && i < fw.end)
			r = sw_pcrs_extend(l, (size_t)bank, e, &node);
	}
	if (r == 0 && fw.secure_boot && !measures_so(l, (size_t)bank))
		r = -EOPNOTSUPP;
	if (r == 0 && fw.secure_boot)
		r = find_authority(&fw, signatures, len, &authority);
	if (r == 0 && fw.secure_boot)
		r = add_authority(l, (size_t)bank, &fw, &authority, &node);
	if (r < 0)
		return r;
	memcpy(ret_pcr7->now, now.value[7], sizeof(ret_pcr7->now));
	memcpy(ret_pcr7->node, node.value[7], sizeof(ret_pcr7->node));
	return 0;
}
