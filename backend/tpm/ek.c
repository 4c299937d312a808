/* SPDX-License-Identifier: Apache-2.0 */
#include "tpm/ek.h"

#include <string.h>

#include "base/hash.h"
#include "tpm/nv.h"
#include "tpm/public-key.h"

/* Where the profile has things, of the RSA key and of the ECC key (2.2.1.4 and 2.2.2). */
struct place {
	TPM2_HANDLE cert, nonce, template, persistent;
};

static const struct place places[] = {
	{ 0x01c00002, 0x01c00003, 0x01c00004, 0x81010001 },
	{ 0x01c0000a, 0x01c0000b, 0x01c0000c, 0x81010002 },
};

#define CHAIN_FIRST 0x01c00100U
#define CHAIN_LAST 0x01c001ffU

#define EK_ATTRIBUTES (TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | \
		       TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_ADMINWITHPOLICY | \
		       TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT)
/* PolicyA: TPM2_PolicySecret(TPM_RH_ENDORSEMENT). */
#define EK_POLICY { .size = 32, .buffer = { \
	0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xb3, 0xf8, 0x1a, 0x90, 0xcc, 0x8d, 0x46, 0xa5, 0xd7, \
	0x24, 0xfd, 0x52, 0xd7, 0x6e, 0x06, 0x52, 0x0b, 0x64, 0xf2, 0xa1, 0xda, 0x1b, 0x33, 0x14, \
	0x69, 0xaa } }

static const TPM2B_PUBLIC template_rsa = {
	.publicArea = {
		.type = TPM2_ALG_RSA,
		.nameAlg = TPM2_ALG_SHA256,
		.objectAttributes = EK_ATTRIBUTES,
		.authPolicy = EK_POLICY,
		.parameters.rsaDetail = {
			.symmetric = SW_TPM_AES_128_CFB,
			.scheme.scheme = TPM2_ALG_NULL,
			.keyBits = 2048,
		},
		.unique.rsa.size = 256,
	},
};
static const TPM2B_PUBLIC template_ecc = {
	.publicArea = {
		.type = TPM2_ALG_ECC,
		.nameAlg = TPM2_ALG_SHA256,
		.objectAttributes = EK_ATTRIBUTES,
		.authPolicy = EK_POLICY,
		.parameters.eccDetail = {
			.symmetric = SW_TPM_AES_128_CFB,
			.scheme.scheme = TPM2_ALG_NULL,
			.curveID = TPM2_ECC_NIST_P256,
			.kdf.scheme = TPM2_ALG_NULL,
		},
		.unique.ecc = { .x.size = 32, .y.size = 32 },
	},
};

void sw_ek_clear(struct sw_ek *ek)
{
	free(ek->pem);
	free(ek->cert);
	free(ek->chain);
	*ek = (struct sw_ek){};
}

/* ---- certificates ---- */

/* What the maker stored, in DER; an empty buffer when there is none that can be read. */
static int read_cert(struct sw_tpm *t, const struct place *p, struct sw_buf *ret_der)
{
	_cleanup_buf_ struct sw_buf raw = {};
	const uint8_t *der;
	size_t at = 0, len = 0;
	int r = sw_tpm_nv_read(t, p->cert, &raw);

	if (r == -ENOENT || r == -E2BIG)
		return 0;
	if (r < 0)
		return r;
	der = raw.len ? sw_der_next(raw.data, raw.len, &at, &len) : NULL;
	return der && sw_buf_add(ret_der, der, len) < 0 ? sw_fail_oom(t->err) : 0;
}

/* The indexes of the range follow each other; a certificate may go on in the next one. */
static int read_chain(struct sw_tpm *t, struct sw_ek *ek)
{
	_cleanup_buf_ struct sw_buf raw = {}, pem = {};
	size_t at = 0, len = 0;
	int r = 0;

	for (TPM2_HANDLE h = CHAIN_FIRST; r == 0 && h <= CHAIN_LAST; h++)
		r = sw_tpm_nv_read(t, h, &raw);
	if (r < 0 && r != -ENOENT && r != -E2BIG)
		return r;
	while (at < raw.len) {
		const uint8_t *der = sw_der_next(raw.data, raw.len, &at, &len);
		_cleanup_free_ char *one = der ? sw_tpm_cert_pem(der, len) : NULL;

		if (!one)
			break;
		if (sw_buf_adds(&pem, one) < 0)
			return sw_fail_oom(t->err);
	}
	ek->chain = pem.len ? sw_buf_steal(&pem) : NULL;
	return 0;
}

/* ---- the key ---- */

/* What the maker stored in place of the usual template; rare. */
static int own_template(struct sw_tpm *t, const struct place *p, TPM2B_PUBLIC *template)
{
	_cleanup_buf_ struct sw_buf raw = {}, nonce = {};
	TPMT_PUBLIC area = {};
	size_t off = 0;
	int r = sw_tpm_nv_read(t, p->template, &raw);

	if (r == 0 &&
	    Tss2_MU_TPMT_PUBLIC_Unmarshal(raw.data, raw.len, &off, &area) == TSS2_RC_SUCCESS)
		template->publicArea = area;
	if (r == 0 || r == -ENOENT)
		r = sw_tpm_nv_read(t, p->nonce, &nonce);
	if (r < 0)
		return r == -ENOENT || r == -E2BIG ? 0 : r;
	if (template->publicArea.type == TPM2_ALG_RSA && nonce.len <= 256)
		memcpy(template->publicArea.unique.rsa.buffer, nonce.data, nonce.len);
	else if (template->publicArea.type == TPM2_ALG_ECC && nonce.len <= 32)
		memcpy(template->publicArea.unique.ecc.x.buffer, nonce.data, nonce.len);
	return 0;
}

/*
 * A key that the maker or the system left in the TPM saves making it again, which may take a
 * minute. Whoever owns the TPM can put any key there, so it counts only with the certificate.
 */
static bool load_persistent(struct sw_tpm *t, const struct place *p, const struct sw_buf *cert,
			    TPM2B_PUBLIC **ret_public)
{
	TPM2B_PUBLIC *public = NULL;
	EVP_PKEY *key = NULL;
	bool good;

	if (cert->len == 0 ||
	    Esys_TR_FromTPMPublic(t->esys, p->persistent, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
				  &t->primary) != TSS2_RC_SUCCESS)
		return false;
	if (Esys_ReadPublic(t->esys, t->primary, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &public,
			    NULL, NULL) == TSS2_RC_SUCCESS)
		key = sw_tpm_public_key(&public->publicArea);
	good = key && public->publicArea.objectAttributes == EK_ATTRIBUTES &&
	       sw_tpm_cert_is_of(cert->data, cert->len, key);
	EVP_PKEY_free(key);
	if (good) {
		*ret_public = public;
		return true;
	}
	Esys_Free(public);
	(void)Esys_TR_Close(t->esys, &t->primary);
	t->primary = ESYS_TR_NONE;
	return false;
}

static int create(struct sw_tpm *t, const struct place *p, const TPM2B_PUBLIC *usual,
		  TPM2B_PUBLIC **ret_public)
{
	static const TPM2B_SENSITIVE_CREATE no_auth;
	static const TPM2B_DATA no_data;
	static const TPML_PCR_SELECTION no_pcrs;
	TPM2B_PUBLIC template = *usual;
	TSS2_RC rc;
	int r = own_template(t, p, &template);

	if (r < 0)
		return r;
	rc = SW_TPM_TRY(Esys_CreatePrimary(t->esys, ESYS_TR_RH_ENDORSEMENT, ESYS_TR_PASSWORD,
					   ESYS_TR_NONE, ESYS_TR_NONE, &no_auth, &template,
					   &no_data, &no_pcrs, &t->primary, ret_public, NULL, NULL,
					   NULL));
	return rc == TSS2_RC_SUCCESS ? 0 : sw_tpm_fail(t, rc, "the TPM makes no endorsement key");
}

static int describe(struct sw_tpm *t, const TPM2B_PUBLIC *public, const struct sw_buf *cert,
		    struct sw_ek *ek)
{
	EVP_PKEY *key = sw_tpm_public_key(&public->publicArea);
	int r = 0;

	ek->pem = key ? sw_tpm_key_pem(key) : NULL;
	if (!ek->pem || sw_sha256(ek->pem, strlen(ek->pem), ek->id) < 0 ||
	    !sw_tpm_key_spki(key, ek->spki))
		r = sw_fail(t->err, SW_EXIT_MISSING, -EIO,
			    "the TPM's endorsement key cannot be used");
	if (r == 0 && cert->len) {
		ek->cert = sw_tpm_cert_pem(cert->data, cert->len);
		ek->cert_fits = ek->cert && sw_tpm_cert_is_of(cert->data, cert->len, key);
	}
	EVP_PKEY_free(key);
	return r;
}

int sw_tpm_load_ek(struct sw_tpm *t, bool ecc, struct sw_ek *ret_ek)
{
	const struct place *p = &places[ecc];
	_cleanup_buf_ struct sw_buf cert = {};
	TPM2B_PUBLIC *public = NULL;
	int r = sw_crypto_open(t->err);

	*ret_ek = (struct sw_ek){ .ecc = ecc, .cert_index = p->cert };
	if (r == 0)
		r = read_cert(t, p, &cert);
	if (r == 0 && !load_persistent(t, p, &cert, &public))
		r = create(t, p, ecc ? &template_ecc : &template_rsa, &public);
	if (r == 0)
		r = describe(t, public, &cert, ret_ek);
	if (r == 0)
		r = read_chain(t, ret_ek);
	Esys_Free(public);
	if (r < 0)
		sw_ek_clear(ret_ek);
	return r;
}

int sw_tpm_ek(const char *tcti, bool ecc, struct sw_ek *ret_ek, struct sw_error *err)
{
	_cleanup_(sw_tpm_close) struct sw_tpm t = SW_TPM_NONE(err);
	int r = sw_tpm_open(&t, tcti);

	return r == 0 ? sw_tpm_load_ek(&t, ecc, ret_ek) : r;
}
