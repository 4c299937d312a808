/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The data of an encrypted partition: each sector under AES-256-XTS with its number, in
 * units of 512 bytes from the start of the data, as the tweak ("plain64" of dm-crypt,
 * whose unit does not grow with the sector in LUKS2).
 */
#include <string.h>

#include "base/crypto.h"

#include "disk/luks.h"

#define CHUNK 65536U

struct data {
	struct sw_io io;
	struct sw_io *under;
	EVP_CIPHER_CTX *encrypt, *decrypt;
	uint32_t sector;
	uint8_t *buf;		/* CHUNK bytes */
};

static int crypt_sectors(EVP_CIPHER_CTX *ctx, uint32_t sector, uint64_t off, const uint8_t *in,
			 uint8_t *out, size_t len)
{
	for (size_t i = 0; i < len; i += sector) {
		uint64_t number = (off + i) / 512;
		uint8_t iv[16] = {};
		int n;

		for (size_t k = 0; k < 8; k++)
			iv[k] = (uint8_t)(number >> (8 * k));
		/* -1: the direction that the context has. */
		if (EVP_CipherInit_ex(ctx, NULL, NULL, NULL, iv, -1) != 1 ||
		    EVP_CipherUpdate(ctx, out + i, &n, in + i, (int)sector) != 1 ||
		    n != (int)sector)
			return -EIO;
	}
	return 0;
}

static int data_read(struct sw_io *io, uint64_t off, void *out, size_t len)
{
	struct data *d = (struct data *)io;
	int r;

	if (off % d->sector || len % d->sector)
		return -EINVAL;
	r = sw_io_read(d->under, off, out, len);
	return r < 0 ? r : crypt_sectors(d->decrypt, d->sector, off, out, out, len);
}

static int data_write(struct sw_io *io, uint64_t off, const void *in, size_t len)
{
	struct data *d = (struct data *)io;
	int r = off % d->sector || len % d->sector ? -EINVAL : 0;

	for (size_t i = 0; r == 0 && i < len; i += CHUNK) {
		size_t n = len - i < CHUNK ? len - i : CHUNK;

		r = crypt_sectors(d->encrypt, d->sector, off + i, (const uint8_t *)in + i, d->buf,
				  n);
		if (r == 0)
			r = sw_io_write(d->under, off + i, d->buf, n);
	}
	return r;
}

static int data_flush(struct sw_io *io)
{
	return sw_io_flush(((struct data *)io)->under);
}

static int data_drop(struct sw_io *io)
{
	return sw_io_drop(((struct data *)io)->under);
}

static void data_close(struct sw_io *io)
{
	struct data *d = (struct data *)io;

	EVP_CIPHER_CTX_free(d->encrypt);
	EVP_CIPHER_CTX_free(d->decrypt);
	free(d->buf);
}

static const struct sw_io_ops data_ops = {
	.read = data_read, .write = data_write, .flush = data_flush, .drop = data_drop,
	.close = data_close,
};

static EVP_CIPHER_CTX *new_context(const struct sw_secret *key, int encrypt)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();

	if (c && EVP_CipherInit_ex(c, EVP_aes_256_xts(), NULL, key->data, NULL, encrypt) == 1)
		return c;
	EVP_CIPHER_CTX_free(c);
	return NULL;
}

int sw_luks_data(struct sw_io *io, const struct sw_secret *key, uint32_t sector,
		 struct sw_io **ret_io)
{
	struct data *d;
	int r;

	if (key->len != 64 || (sector != 512 && sector != SW_LUKS_SECTOR) || sector < io->sector)
		return -EINVAL;
	r = sw_crypto_open(NULL);
	if (r < 0)
		return r;
	d = calloc(1, sizeof(*d));
	if (!d)
		return -ENOMEM;
	d->io = *io;
	d->io.ops = &data_ops;
	d->io.size = io->size / sector * sector;
	d->io.sector = sector;
	d->under = io;
	d->sector = sector;
	d->buf = malloc(CHUNK);
	d->encrypt = new_context(key, 1);
	d->decrypt = new_context(key, 0);
	*ret_io = &d->io;
	if (d->buf && d->encrypt && d->decrypt)
		return 0;
	*ret_io = sw_io_close(&d->io);
	return -EIO;
}
