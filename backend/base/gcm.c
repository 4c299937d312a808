/* SPDX-License-Identifier: Apache-2.0 */
#include "base/gcm.h"

#include <string.h>

#include "base/crypto.h"

static bool start(EVP_CIPHER_CTX *c, const struct sw_gcm *g, bool encrypt)
{
	int n;

	return c && EVP_CipherInit_ex(c, EVP_aes_256_gcm(), NULL, g->key, g->iv, encrypt) == 1 &&
	       EVP_CipherUpdate(c, NULL, &n, g->head, (int)g->head_len) == 1;
}

static bool finish(EVP_CIPHER_CTX *c, const struct sw_gcm *g, const uint8_t *in, uint8_t *out)
{
	int n = 0, rest;

	return EVP_CipherUpdate(c, out, &n, in, (int)g->len) == 1 && (size_t)n == g->len &&
	       EVP_CipherFinal_ex(c, out + n, &rest) == 1;
}

bool sw_gcm_close(const struct sw_gcm *g, const uint8_t *plain, uint8_t *ret_cipher,
		  uint8_t ret_tag[static SW_GCM_TAG])
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	bool done = start(c, g, true) && finish(c, g, plain, ret_cipher) &&
		    EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, SW_GCM_TAG, ret_tag) == 1;

	EVP_CIPHER_CTX_free(c);
	return done;
}

bool sw_gcm_open(const struct sw_gcm *g, const uint8_t *cipher,
		 const uint8_t tag[static SW_GCM_TAG], uint8_t *ret_plain)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	uint8_t held[SW_GCM_TAG];
	bool done;

	memcpy(held, tag, sizeof(held));
	done = start(c, g, false) &&
	       EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, SW_GCM_TAG, held) == 1 &&
	       finish(c, g, cipher, ret_plain);
	EVP_CIPHER_CTX_free(c);
	ERR_clear_error();
	if (!done)
		explicit_bzero(ret_plain, g->len);
	return done;
}
