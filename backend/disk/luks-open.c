/* SPDX-License-Identifier: Apache-2.0 */
#include "disk/luks-open.h"

#include <string.h>

#include "base/file.h"
#include "disk/luks-private.h"

/* ---- in user space ---- */

struct inside {
	struct sw_io io;
	struct sw_io *window, *data;	/* what is encrypted, and what it holds */
	struct sw_secret *key;
	uint8_t *bounce;	/* one sector */
};

/* The data come in whole sectors of the encryption; who reads a file system does not ask so. */
static int inside_read(struct sw_io *io, uint64_t off, void *out, size_t len)
{
	struct inside *in = (struct inside *)io;
	uint8_t *to = out;
	int r = 0;

	while (r == 0 && len) {
		size_t skip = off % in->data->sector, n = in->data->sector - skip;

		if (skip == 0 && len >= in->data->sector) {
			n = len / in->data->sector * in->data->sector;
			r = sw_io_read(in->data, off, to, n);
		} else {
			n = n < len ? n : len;
			r = sw_io_read(in->data, off - skip, in->bounce, in->data->sector);
			if (r == 0)
				memcpy(to, in->bounce + skip, n);
		}
		off += n;
		to += n;
		len -= n;
	}
	return r;
}

static int inside_write(struct sw_io *io SW_UNUSED, uint64_t off SW_UNUSED,
			const void *data SW_UNUSED, size_t len SW_UNUSED)
{
	return -EROFS;
}

static int inside_flush(struct sw_io *io SW_UNUSED)
{
	return 0;
}

static int inside_drop(struct sw_io *io)
{
	return sw_io_drop(((struct inside *)io)->data);
}

static void inside_close(struct sw_io *io)
{
	struct inside *in = (struct inside *)io;

	sw_io_close(in->data);
	sw_io_close(in->window);
	sw_secret_free(in->key);
	free(in->bounce);
}

static const struct sw_io_ops inside_ops = {
	.read = inside_read, .write = inside_write, .flush = inside_flush, .drop = inside_drop,
	.close = inside_close,
};

static int check_cipher(struct sw_luks_maker *m)
{
	const char *cipher = crypt_get_cipher(m->cd), *mode = crypt_get_cipher_mode(m->cd);

	if (cipher && mode && strcmp(cipher, "aes") == 0 && strcmp(mode, "xts-plain64") == 0 &&
	    m->key->len == 64)
		return 0;
	sw_fail(m->err, SW_EXIT_MISSING, -EOPNOTSUPP, "slipway does not read this encryption");
	sw_error_why(m->err, "it is %s-%s with %zu bits; AES-XTS with 512 is read",
		     cipher ? cipher : "?", mode ? mode : "?", m->key->len * 8);
	return -EOPNOTSUPP;
}

static int make_inside(struct sw_luks_maker *m, struct sw_io *part, struct sw_io **ret_io)
{
	uint64_t at = crypt_get_data_offset(m->cd) * 512;
	uint32_t sector = (uint32_t)crypt_get_sector_size(m->cd);
	struct inside *in = calloc(1, sizeof(*in));
	struct sw_io *io = in ? &in->io : NULL;
	int r;

	if (!in)
		return -ENOMEM;
	in->io.ops = &inside_ops;
	in->key = TAKE_PTR(m->key);
	in->bounce = malloc(sector);
	r = !in->bounce ? -ENOMEM : at >= part->size ? -EBADMSG
	  : sw_io_window(part, at, part->size - at, &in->window);
	if (r == 0)
		r = sw_luks_data(in->window, in->key, sector, &in->data);
	if (r < 0) {
		sw_io_close(io);
		return r;
	}
	in->io.size = in->data->size;
	in->io.sector = 512;
	memcpy(in->io.path, part->path, sizeof(in->io.path));
	*ret_io = io;
	return 0;
}

static int open_copy(struct sw_luks_maker *m, struct sw_io *part, const char *file,
		     const struct sw_secret *key, struct sw_io **ret_io)
{
	int r = sw_luks_read_header(part, file, m->err);

	if (r == 0)
		r = sw_luks_load(m, file);
	if (r == 0)
		r = sw_luks_volume_key(m, key);
	if (r >= 0)
		r = check_cipher(m);
	if (r < 0)
		return r;
	r = make_inside(m, part, ret_io);
	return r < 0 ? sw_fail_errno(m->err, SW_EXIT_FAILED, r, "what is encrypted cannot be read")
		     : 0;
}

int sw_luks_inside(struct sw_io *part, const struct sw_secret *key, struct sw_io **ret_io,
		   struct sw_error *err)
{
	static const struct sw_luks_spec spec = {};
	_cleanup_(sw_luks_maker_clear) struct sw_luks_maker m = { .spec = &spec, .err = err };
	_cleanup_(sw_scratch_clear) char *dir = NULL;
	_cleanup_free_ char *file = NULL;
	int r = sw_cryptsetup_open(err);

	if (r == 0 && sw_scratch_new("luks", &dir) < 0)
		r = sw_fail(err, SW_EXIT_FAILED, -errno, "cannot make a scratch file");
	if (r < 0)
		return r;
	file = sw_fmt("%s/header", dir);
	return file ? open_copy(&m, part, file, key, ret_io) : sw_fail_oom(err);
}

/* ---- the key ---- */

static int no_seal(const char *label, struct sw_error *err)
{
	sw_fail(err, SW_EXIT_MISSING, -ENOENT, "the header of \"%s\" has no seal of a TPM",
		label);
	sw_error_hint(err, "the recovery key or key file opens it; `slipway state reseal` adds a "
			   "seal");
	return -ENOENT;
}

int sw_luks_tpm_key(const char *tcti, struct sw_io *part, json_object *signatures,
		    const char *label, struct sw_secret **ret_key, struct sw_error *err)
{
	struct sw_luks_seal *seals = NULL;
	struct sw_error first = {};
	size_t n = 0;
	int r = sw_luks_seals(part, &seals, &n);
	bool tried = false;

	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_VERIFY, r,
				     "the LUKS2 header of \"%s\" cannot be read", label);
	for (size_t i = 0; i < n && !*ret_key; i++) {
		if (seals[i].pin)
			continue;
		r = sw_luks_seal_open(tcti, &seals[i], signatures, ret_key, tried ? NULL : &first);
		tried = true;
	}
	sw_luks_seals_free(seals, n);
	if (*ret_key)
		return 0;
	if (!tried)
		return no_seal(label, err);
	if (err)
		*err = first;
	return r;
}
