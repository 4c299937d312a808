/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcrypto, opened at its first use (base/library.h): it has more to relocate
 * than all others together, and the first hash of a process starts its providers.
 * Calls look as they do when it is linked; what calls it includes this instead of
 * its headers. Private to the backend.
 */
#pragma once

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/error.h"
#include "base/library.h"

#define SW_CRYPTO_LIST(X)                                                             \
	X(BIO_ctrl) X(BIO_free) X(BIO_new) X(BIO_new_mem_buf) X(BIO_s_mem)            \
	X(BN_bn2binpad) X(BN_free) X(BN_get_word) X(EVP_PKEY_get_bn_param)            \
	X(CMS_ContentInfo_free) X(CMS_RecipientInfo_get0_pkey_ctx)                    \
	X(CMS_add1_recipient_cert) X(CMS_encrypt) X(CMS_final) X(CRYPTO_free)         \
	X(CRYPTO_memcmp) X(ERR_clear_error) X(EVP_CIPHER_CTX_ctrl)                    \
	X(EVP_CIPHER_CTX_free) X(EVP_CIPHER_CTX_new) X(EVP_CipherFinal_ex)            \
	X(EVP_CipherInit_ex) X(EVP_CipherUpdate) X(EVP_DecodeBlock) X(EVP_Digest)     \
	X(EVP_DigestFinal_ex) X(EVP_DigestInit_ex) X(EVP_DigestUpdate)                \
	X(EVP_EncodeBlock) X(EVP_KDF_CTX_free) X(EVP_KDF_CTX_new) X(EVP_KDF_derive)   \
	X(EVP_KDF_fetch) X(EVP_KDF_free) X(EVP_MD_CTX_free) X(EVP_MD_CTX_new)         \
	X(EVP_PKEY_CTX_free) X(EVP_PKEY_CTX_new_from_name)                            \
	X(EVP_PKEY_CTX_set_rsa_oaep_md) X(EVP_PKEY_CTX_set_rsa_padding)               \
	X(EVP_PKEY_Q_keygen) X(EVP_PKEY_eq) X(EVP_PKEY_free) X(EVP_PKEY_fromdata)     \
	X(EVP_PKEY_fromdata_init) X(EVP_PKEY_get_base_id) X(EVP_PKEY_get_bits)        \
	X(EVP_aes_256_cbc) X(EVP_aes_256_gcm) X(EVP_aes_256_xts)                      \
	X(EVP_get_digestbyname) X(EVP_sha256) X(HMAC) X(OBJ_obj2nid)                  \
	X(OPENSSL_sk_free) X(OPENSSL_sk_num) X(OPENSSL_sk_value)                      \
	X(PEM_read_bio_PUBKEY) X(PEM_read_bio_X509) X(PEM_write_bio_PUBKEY)           \
	X(PEM_write_bio_PrivateKey_traditional) X(PEM_write_bio_X509)                 \
	X(PEM_write_bio_X509_REQ) X(PKCS7_free) X(PKCS7_get0_signers)                 \
	X(X509_NAME_cmp) X(X509_NAME_oneline) X(X509_REQ_free) X(X509_REQ_new)        \
	X(X509_REQ_set_pubkey) X(X509_REQ_set_version) X(X509_REQ_sign)               \
	X(X509_STORE_CTX_free) X(X509_STORE_CTX_init) X(X509_STORE_CTX_new)           \
	X(X509_STORE_CTX_set_flags) X(X509_STORE_CTX_set_purpose)                     \
	X(X509_STORE_add_cert) X(X509_STORE_free) X(X509_STORE_new)                   \
	X(X509_STORE_set_flags) X(X509_STORE_get0_param) X(X509_VERIFY_PARAM_set_time) \
	X(X509_check_issued) X(X509_digest) X(X509_free)      \
	X(X509_get0_pubkey) X(X509_get_issuer_name) X(X509_get_subject_name)          \
	X(X509_verify) X(X509_verify_cert) X(d2i_PKCS7) X(d2i_X509)                   \
	X(i2d_CMS_ContentInfo) X(i2d_PUBKEY) X(i2d_PublicKey)

struct sw_crypto {
	SW_CRYPTO_LIST(SW_LIBRARY_POINTER)
};

extern struct sw_crypto sw_crypto;

/* Before any of the calls below. err may be NULL. */
int sw_crypto_open(struct sw_error *err);

#define BIO_ctrl (*sw_crypto.BIO_ctrl_)
#define BIO_free (*sw_crypto.BIO_free_)
#define BIO_new (*sw_crypto.BIO_new_)
#define BIO_new_mem_buf (*sw_crypto.BIO_new_mem_buf_)
#define BIO_s_mem (*sw_crypto.BIO_s_mem_)
#define BN_bn2binpad (*sw_crypto.BN_bn2binpad_)
#define BN_free (*sw_crypto.BN_free_)
#define BN_get_word (*sw_crypto.BN_get_word_)
#define CMS_ContentInfo_free (*sw_crypto.CMS_ContentInfo_free_)
#define CMS_RecipientInfo_get0_pkey_ctx (*sw_crypto.CMS_RecipientInfo_get0_pkey_ctx_)
#define CMS_add1_recipient_cert (*sw_crypto.CMS_add1_recipient_cert_)
#define CMS_encrypt (*sw_crypto.CMS_encrypt_)
#define CMS_final (*sw_crypto.CMS_final_)
#define CRYPTO_free (*sw_crypto.CRYPTO_free_)
#define CRYPTO_memcmp (*sw_crypto.CRYPTO_memcmp_)
#define ERR_clear_error (*sw_crypto.ERR_clear_error_)
#define EVP_CIPHER_CTX_ctrl (*sw_crypto.EVP_CIPHER_CTX_ctrl_)
#define EVP_CIPHER_CTX_free (*sw_crypto.EVP_CIPHER_CTX_free_)
#define EVP_CIPHER_CTX_new (*sw_crypto.EVP_CIPHER_CTX_new_)
#define EVP_CipherFinal_ex (*sw_crypto.EVP_CipherFinal_ex_)
#define EVP_CipherInit_ex (*sw_crypto.EVP_CipherInit_ex_)
#define EVP_CipherUpdate (*sw_crypto.EVP_CipherUpdate_)
#define EVP_DecodeBlock (*sw_crypto.EVP_DecodeBlock_)
#define EVP_Digest (*sw_crypto.EVP_Digest_)
#define EVP_DigestFinal_ex (*sw_crypto.EVP_DigestFinal_ex_)
#define EVP_DigestInit_ex (*sw_crypto.EVP_DigestInit_ex_)
#define EVP_DigestUpdate (*sw_crypto.EVP_DigestUpdate_)
#define EVP_EncodeBlock (*sw_crypto.EVP_EncodeBlock_)
#define EVP_KDF_CTX_free (*sw_crypto.EVP_KDF_CTX_free_)
#define EVP_KDF_CTX_new (*sw_crypto.EVP_KDF_CTX_new_)
#define EVP_KDF_derive (*sw_crypto.EVP_KDF_derive_)
#define EVP_KDF_fetch (*sw_crypto.EVP_KDF_fetch_)
#define EVP_KDF_free (*sw_crypto.EVP_KDF_free_)
#define EVP_MD_CTX_free (*sw_crypto.EVP_MD_CTX_free_)
#define EVP_MD_CTX_new (*sw_crypto.EVP_MD_CTX_new_)
#define EVP_PKEY_CTX_free (*sw_crypto.EVP_PKEY_CTX_free_)
#define EVP_PKEY_CTX_new_from_name (*sw_crypto.EVP_PKEY_CTX_new_from_name_)
#define EVP_PKEY_CTX_set_rsa_oaep_md (*sw_crypto.EVP_PKEY_CTX_set_rsa_oaep_md_)
#define EVP_PKEY_CTX_set_rsa_padding (*sw_crypto.EVP_PKEY_CTX_set_rsa_padding_)
#define EVP_PKEY_Q_keygen (*sw_crypto.EVP_PKEY_Q_keygen_)
#define EVP_PKEY_eq (*sw_crypto.EVP_PKEY_eq_)
#define EVP_PKEY_free (*sw_crypto.EVP_PKEY_free_)
#define EVP_PKEY_fromdata (*sw_crypto.EVP_PKEY_fromdata_)
#define EVP_PKEY_fromdata_init (*sw_crypto.EVP_PKEY_fromdata_init_)
#define EVP_PKEY_get_base_id (*sw_crypto.EVP_PKEY_get_base_id_)
#define EVP_PKEY_get_bits (*sw_crypto.EVP_PKEY_get_bits_)
#define EVP_PKEY_get_bn_param (*sw_crypto.EVP_PKEY_get_bn_param_)
#define EVP_aes_256_cbc (*sw_crypto.EVP_aes_256_cbc_)
#define EVP_aes_256_gcm (*sw_crypto.EVP_aes_256_gcm_)
#define EVP_aes_256_xts (*sw_crypto.EVP_aes_256_xts_)
#define EVP_get_digestbyname (*sw_crypto.EVP_get_digestbyname_)
#define EVP_sha256 (*sw_crypto.EVP_sha256_)
#define HMAC (*sw_crypto.HMAC_)
#define OBJ_obj2nid (*sw_crypto.OBJ_obj2nid_)
#define OPENSSL_sk_free (*sw_crypto.OPENSSL_sk_free_)
#define OPENSSL_sk_num (*sw_crypto.OPENSSL_sk_num_)
#define OPENSSL_sk_value (*sw_crypto.OPENSSL_sk_value_)
#define PEM_read_bio_PUBKEY (*sw_crypto.PEM_read_bio_PUBKEY_)
#define PEM_read_bio_X509 (*sw_crypto.PEM_read_bio_X509_)
#define PEM_write_bio_PUBKEY (*sw_crypto.PEM_write_bio_PUBKEY_)
#define PEM_write_bio_PrivateKey_traditional (*sw_crypto.PEM_write_bio_PrivateKey_traditional_)
#define PEM_write_bio_X509 (*sw_crypto.PEM_write_bio_X509_)
#define PEM_write_bio_X509_REQ (*sw_crypto.PEM_write_bio_X509_REQ_)
#define PKCS7_free (*sw_crypto.PKCS7_free_)
#define PKCS7_get0_signers (*sw_crypto.PKCS7_get0_signers_)
#define X509_NAME_cmp (*sw_crypto.X509_NAME_cmp_)
#define X509_NAME_oneline (*sw_crypto.X509_NAME_oneline_)
#define X509_REQ_free (*sw_crypto.X509_REQ_free_)
#define X509_REQ_new (*sw_crypto.X509_REQ_new_)
#define X509_REQ_set_pubkey (*sw_crypto.X509_REQ_set_pubkey_)
#define X509_REQ_set_version (*sw_crypto.X509_REQ_set_version_)
#define X509_REQ_sign (*sw_crypto.X509_REQ_sign_)
#define X509_STORE_CTX_free (*sw_crypto.X509_STORE_CTX_free_)
#define X509_STORE_CTX_init (*sw_crypto.X509_STORE_CTX_init_)
#define X509_STORE_CTX_new (*sw_crypto.X509_STORE_CTX_new_)
#define X509_STORE_CTX_set_flags (*sw_crypto.X509_STORE_CTX_set_flags_)
#define X509_STORE_CTX_set_purpose (*sw_crypto.X509_STORE_CTX_set_purpose_)
#define X509_STORE_add_cert (*sw_crypto.X509_STORE_add_cert_)
#define X509_STORE_free (*sw_crypto.X509_STORE_free_)
#define X509_STORE_new (*sw_crypto.X509_STORE_new_)
#define X509_STORE_set_flags (*sw_crypto.X509_STORE_set_flags_)
#define X509_STORE_get0_param (*sw_crypto.X509_STORE_get0_param_)
#define X509_VERIFY_PARAM_set_time (*sw_crypto.X509_VERIFY_PARAM_set_time_)
#define X509_check_issued (*sw_crypto.X509_check_issued_)
#define X509_digest (*sw_crypto.X509_digest_)
#define X509_free (*sw_crypto.X509_free_)
#define X509_get0_pubkey (*sw_crypto.X509_get0_pubkey_)
#define X509_get_issuer_name (*sw_crypto.X509_get_issuer_name_)
#define X509_get_subject_name (*sw_crypto.X509_get_subject_name_)
#define X509_verify (*sw_crypto.X509_verify_)
#define X509_verify_cert (*sw_crypto.X509_verify_cert_)
#define d2i_PKCS7 (*sw_crypto.d2i_PKCS7_)
#define d2i_X509 (*sw_crypto.d2i_X509_)
#define i2d_CMS_ContentInfo (*sw_crypto.i2d_CMS_ContentInfo_)
#define i2d_PUBKEY (*sw_crypto.i2d_PUBKEY_)
#define i2d_PublicKey (*sw_crypto.i2d_PublicKey_)
