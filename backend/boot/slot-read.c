/* SPDX-License-Identifier: Apache-2.0 */
/* What a slot holds, judged from its bytes alone: manifest, and whether the image is its own. */
#include <fcntl.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/hash.h"
#include "boot/fat32.h"
#include "boot/slot.h"

#define MANIFEST_PATH "\\SLIPWAY\\MANIFEST"
#define MANIFEST_MAX 65536u
#define CLEARED (1u << 20)	/* what sw_slot_invalidate() leaves as zeros at the beginning */

static int to_buf(const void *data, size_t len, void *userdata)
{
	return sw_buf_add(userdata, data, len);
}

static int to_hash(const void *data, size_t len, void *userdata)
{
	return sw_hash_update(userdata, data, len);
}

static int read_manifest(struct sw_fat *f, struct sw_slot_manifest *ret_manifest)
{
	_cleanup_buf_ struct sw_buf b = { .max = MANIFEST_MAX };
	struct sw_fat_file file;
	int r = sw_fat_find(f, MANIFEST_PATH, &file);

	if (r < 0)
		return r;
	if (file.directory || file.size > MANIFEST_MAX)
		return -EINVAL;
	r = sw_fat_read(f, &file, to_buf, &b);
	return r < 0 ? r : sw_slot_manifest_parse(sw_buf_text(&b), b.len, ret_manifest);
}

static int hash_uki(struct sw_fat *f, char ret_hex[static SW_SHA256_TEXT])
{
	_cleanup_hash_ struct sw_hash *h = sw_hash_new();
	struct sw_fat_file file;
	int r = h ? sw_fat_find(f, SW_SLOT_BOOT_PATH, &file) : -ENOMEM;

	if (r < 0)
		return r;
	if (file.directory)
		return -EISDIR;
	r = sw_fat_read(f, &file, to_hash, h);
	return r < 0 ? r : sw_hash_final(h, ret_hex);
}

int sw_slot_read(struct sw_io *io, uint64_t offset, uint64_t size,
		 struct sw_slot_manifest *ret_manifest, bool *ret_hash_ok, struct sw_error *err)
{
	_cleanup_(sw_slot_manifest_clear) struct sw_slot_manifest m = {};
	_cleanup_fat_ struct sw_fat fat = {};
	char hex[SW_SHA256_TEXT];
	const char *why = "there is no FAT32 file system";
	int r = sw_fat_open(io, offset, size, &fat);

	if (r == 0) {
		why = "its manifest is missing or damaged";
		r = read_manifest(&fat, &m);
	}
	if (r == 0) {
		why = "its boot image is missing or damaged";
		r = hash_uki(&fat, hex);
	}
	if (r < 0) {
		sw_fail(err, SW_EXIT_VERIFY, r, "this is not a readable slot");
		sw_error_where(err, "%s at byte %llu", io->path, (unsigned long long)offset);
		sw_error_why(err, "%s (%s)", why, strerror(-r));
		return r;
	}
	*ret_hash_ok = strcasecmp(hex, m.sha256) == 0;
	*ret_manifest = m;
	m = (struct sw_slot_manifest){};
	return 0;
}

int sw_slot_is_blank(struct sw_io *io, uint64_t offset, bool *ret_blank)
{
	_cleanup_free_ uint8_t *d = malloc(CLEARED);

	if (!d)
		return -ENOMEM;
	*ret_blank = sw_io_read(io, offset, d, CLEARED) == 0 && sw_bytes_are_zero(d, CLEARED);
	return 0;
}

struct head {
	int fd;
	uint64_t left;		/* bytes */
};

/* 1, which ends the reading: that was all that is wanted. */
static int to_file(const void *data, size_t len, void *userdata)
{
	struct head *h = userdata;
	int r = sw_fd_write_all(h->fd, data, len < h->left ? len : (size_t)h->left);

	h->left -= len < h->left ? len : h->left;
	return r < 0 ? r : h->left == 0;
}

int sw_slot_image(struct sw_io *io, uint64_t offset, uint64_t size, const char *out,
		  struct sw_error *err)
{
	return sw_slot_image_head(io, offset, size, UINT64_MAX, out, err);
}

int sw_slot_image_head(struct sw_io *io, uint64_t offset, uint64_t size, uint64_t head,
		       const char *out, struct sw_error *err)
{
	_cleanup_close_ int fd = open(out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	_cleanup_fat_ struct sw_fat fat = {};
	struct head h = { .fd = fd, .left = head };
	struct sw_fat_file file;
	int r = fd < 0 ? -errno : sw_fat_open(io, offset, size, &fat);

	if (r == 0)
		r = sw_fat_find(&fat, SW_SLOT_BOOT_PATH, &file);
	if (r == 0)
		r = file.directory ? -EISDIR : sw_fat_read(&fat, &file, to_file, &h);
	if (r > 0)
		r = ftruncate(fd, file.size) < 0 ? -errno : 0;
	if (r < 0) {
		sw_fail_errno(err, SW_EXIT_VERIFY, r, "the slot's image cannot be read");
		sw_error_where(err, "%s at byte %llu", io->path, (unsigned long long)offset);
	}
	return r;
}
