/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include <pthread.h>
#include <fcntl.h>
#include <string.h>

#include <nettle/sha2.h>

#include "base/crypto.h"
#include "base/hex.h"

/*
 * Nettle needs no start, libcrypto takes 3 ms from being opened to its first
 * hash; where the processor has no instructions for SHA-256 libcrypto is twice as
 * fast. So what is small (tables, records) is kept and hashed with nettle, and
 * what turns out longer goes to libcrypto, unless that cannot be used.
 */
#define SMALL 65536U

struct sw_hash {
	EVP_MD_CTX *ctx;	/* NULL while small, and without libcrypto */
	bool large;
	struct sha256_ctx own;	/* of what is large without libcrypto */
	size_t len;
	uint8_t small[SMALL];
};

struct sw_hash *sw_hash_new(void)
{
	struct sw_hash *h = malloc(sizeof(*h));

	if (h) {
		h->ctx = NULL;
		h->large = false;
		h->len = 0;
	}
	return h;
}

struct sw_hash *sw_hash_free(struct sw_hash *h)
{
	if (h && h->ctx)
		EVP_MD_CTX_free(h->ctx);
	free(h);
	return NULL;
}

static int feed(struct sw_hash *h, const void *data, size_t len)
{
	if (h->ctx)
		return EVP_DigestUpdate(h->ctx, data, len) == 1 ? 0 : -EIO;
	sha256_update(&h->own, len, data);
	return 0;
}

static int become_large(struct sw_hash *h)
{
	h->large = true;
	if (sw_crypto_open(NULL) == 0) {
		h->ctx = EVP_MD_CTX_new();
		if (!h->ctx || EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL) != 1)
			return -EIO;
	} else {
		sha256_init(&h->own);
	}
	return feed(h, h->small, h->len);
}

int sw_hash_update(struct sw_hash *h, const void *data, size_t len)
{
	int r = 0;

	if (len == 0)
		return 0;
	if (!h->large && len <= SMALL - h->len) {
		memcpy(h->small + h->len, data, len);
		h->len += len;
		return 0;
	}
	if (!h->large)
		r = become_large(h);
	return r < 0 ? r : feed(h, data, len);
}

int sw_hash_final_raw(struct sw_hash *h, uint8_t ret_md[static SW_SHA256_LEN])
{
	if (!h->large)
		sw_sha256_raw(h->small, h->len, ret_md);
	else if (!h->ctx)
		sha256_digest(&h->own, SW_SHA256_LEN, ret_md);
	else if (EVP_DigestFinal_ex(h->ctx, ret_md, NULL) != 1)
		return -EIO;
	return 0;
}

int sw_hash_final(struct sw_hash *h, char ret_hex[static SW_SHA256_TEXT])
{
	uint8_t md[SW_SHA256_LEN];
	int r = sw_hash_final_raw(h, md);

	if (r == 0)
		(void)sw_hex(md, SW_SHA256_LEN, ret_hex);
	return r;
}

void sw_sha256_raw(const void *data, size_t len, uint8_t ret_md[static SW_SHA256_LEN])
{
	struct sha256_ctx c;

	sha256_init(&c);
	sha256_update(&c, len, data);
	sha256_digest(&c, SW_SHA256_LEN, ret_md);
	explicit_bzero(&c, sizeof(c));
}

int sw_sha256(const void *data, size_t len, char ret_hex[static SW_SHA256_TEXT])
{
	uint8_t md[SW_SHA256_LEN];

	sw_sha256_raw(data, len, md);
	(void)sw_hex(md, SW_SHA256_LEN, ret_hex);
	return 0;
}

int sw_sha256_seal(const void *data, size_t len, char ret_hex[static SW_SHA256_TEXT - 1])
{
	char hex[SW_SHA256_TEXT];
	int r = sw_sha256(data, len, hex);

	if (r == 0)
		memcpy(ret_hex, hex, SW_SHA256_TEXT - 1);
	return r;
}

_Bool sw_sha256_holds(const void *data, size_t len, const char want[static SW_SHA256_TEXT - 1])
{
	char hex[SW_SHA256_TEXT];

	return sw_sha256(data, len, hex) == 0 && memcmp(hex, want, SW_SHA256_TEXT - 1) == 0;
}

int sw_sha256_file(const char *path, char ret_hex[static SW_SHA256_TEXT])
{
	_cleanup_hash_ struct sw_hash *h = sw_hash_new();
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_free_ uint8_t *buf = malloc(1 << 16);
	ssize_t n;

	if (!h || !buf)
		return -ENOMEM;
	if (fd < 0)
		return -errno;
	while ((n = read(fd, buf, 1 << 16)) > 0)
		if (sw_hash_update(h, buf, (size_t)n) < 0)
			return -EIO;
	return n < 0 ? -errno : sw_hash_final(h, ret_hex);
}

/* crc_table[k][b]: what byte b comes to when k more bytes follow it; polynomial 0xedb88320. */
static uint32_t crc_table[8][256];

static void fill_crc_table(void)
{
	for (uint32_t b = 0; b < 256; b++) {
		uint32_t c = b;

		for (int i = 0; i < 8; i++)
			c = c & 1 ? (c >> 1) ^ 0xedb88320 : c >> 1;
		crc_table[0][b] = c;
	}
	for (size_t k = 1; k < 8; k++)
		for (size_t b = 0; b < 256; b++)
			crc_table[k][b] = (crc_table[k - 1][b] >> 8) ^
					  crc_table[0][crc_table[k - 1][b] & 0xff];
}

uint32_t sw_crc32(const void *data, size_t len)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	const uint8_t *p = data;
	uint32_t c = 0xffffffff;

	pthread_once(&once, fill_crc_table);
	/* Eight bytes at a time: facts check the tables of hundreds of disks. */
	for (; len >= 8; p += 8, len -= 8) {
		uint32_t next = 0;

		for (size_t i = 0; i < 4; i++)
			next ^= crc_table[7 - i][(p[i] ^ (c >> 8 * i)) & 0xff] ^
				crc_table[3 - i][p[4 + i]];
		c = next;
	}
	while (len--)
		c = (c >> 8) ^ crc_table[0][(c ^ *p++) & 0xff];
	return ~c;
}

_Bool sw_sha256_is_hex(const char *text)
{
	if (!text || strlen(text) != 64)
		return 0;
	for (; *text; text++)
		if (sw_hex_digit(*text) < 0)
			return 0;
	return 1;
}

_Bool sw_sha256_from_hex(const char *text, uint8_t ret_hash[static SW_SHA256_LEN])
{
	if (!sw_sha256_is_hex(text))
		return 0;
	for (size_t i = 0; i < SW_SHA256_LEN; i++)
		ret_hash[i] = (uint8_t)sw_hex_byte(text + 2 * i);
	return 1;
}
