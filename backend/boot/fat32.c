/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/fat32.h"

#include <ctype.h>
#include <string.h>

#include "boot/devpath.h"

#define WINDOW_ENTRIES 16384u
#define CLUSTERS_MIN 65525u	/* fewer make it a FAT16 */
#define CLUSTERS_MAX 0x0ffffff5u
#define END_OF_CHAIN 0x0ffffff8u
#define DIR_BYTES_MAX (1u << 20)
#define READ_MAX (1u << 20)
#define DIRENT 32

static bool power_of_two(uint32_t v)
{
	return v != 0 && (v & (v - 1)) == 0;
}

static int read_bpb(const uint8_t *b, uint64_t size, struct sw_fat *f)
{
	uint32_t sectors = sw_le32(b + 32), fat_len = sw_le32(b + 36), spc = b[13];
	uint64_t fats, clusters;

	if (b[510] != 0x55 || b[511] != 0xaa || sw_le16(b + 17) != 0 || sw_le16(b + 19) != 0 ||
	    sw_le16(b + 22) != 0)
		return -EINVAL;
	f->sector = sw_le16(b + 11);
	if (!power_of_two(f->sector) || f->sector < 512 || f->sector > 4096 || !power_of_two(spc) ||
	    sw_le16(b + 14) == 0 || b[16] == 0 || b[16] > 2 || fat_len == 0)
		return -EINVAL;
	f->cluster = f->sector * spc;
	f->reserved = f->sector * sw_le16(b + 14);
	f->total = (uint64_t)sectors * f->sector;
	fats = (uint64_t)fat_len * f->sector * b[16];
	f->data = f->reserved + fats;
	if (f->cluster > 65536 || f->total > size || f->data >= f->total)
		return -EINVAL;
	clusters = (f->total - f->data) / f->cluster;
	if (clusters < CLUSTERS_MIN || clusters > CLUSTERS_MAX ||
	    (clusters + 2) * 4 > (uint64_t)fat_len * f->sector)
		return -EINVAL;
	f->n_clusters = (uint32_t)clusters;
	f->root = sw_le32(b + 44);
	f->info = sw_le16(b + 48);
	f->backup = sw_le16(b + 50);
	return 0;
}

int sw_fat_open(struct sw_io *io, uint64_t base, uint64_t size, struct sw_fat *ret_fat)
{
	struct sw_fat f = { .io = io, .base = base, .window_at = UINT32_MAX };
	uint8_t b[512];
	int r;

	if (size < 4096 || base > io->size || size > io->size - base)
		return -EINVAL;
	r = sw_io_read(io, base, b, sizeof(b));
	if (r == 0)
		r = read_bpb(b, size, &f);
	if (r < 0)
		return r;
	f.window = malloc((size_t)WINDOW_ENTRIES * 4);
	if (!f.window)
		return -ENOMEM;
	*ret_fat = f;
	return 0;
}

void sw_fat_close(struct sw_fat *f)
{
	free(f->window);
	f->window = NULL;
}

int sw_fat_entry(struct sw_fat *f, uint32_t cluster, uint32_t *ret_value)
{
	uint32_t at = cluster / WINDOW_ENTRIES * WINDOW_ENTRIES, n = f->n_clusters + 2 - at;

	if (cluster >= f->n_clusters + 2)
		return -ERANGE;
	if (at != f->window_at) {
		int r = sw_io_read(f->io, f->base + f->reserved + (uint64_t)at * 4, f->window,
				   (size_t)(n < WINDOW_ENTRIES ? n : WINDOW_ENTRIES) * 4);

		f->window_at = r < 0 ? UINT32_MAX : at;
		if (r < 0)
			return r;
	}
	*ret_value = sw_le32(f->window + (size_t)(cluster - at) * 4) & 0x0fffffff;
	return 0;
}

static bool valid(const struct sw_fat *f, uint32_t cluster)
{
	return cluster >= 2 && cluster < f->n_clusters + 2;
}

/*
 * A run of neighbouring clusters from *cluster, at most max bytes; *cluster then
 * holds what the chain says next. *budget counts down so that a loop ends.
 */
static int next_run(struct sw_fat *f, uint32_t *cluster, uint64_t max, uint32_t *budget,
		    uint64_t *ret_off, uint64_t *ret_len)
{
	uint32_t c = *cluster;
	uint64_t len = 0;

	if (!valid(f, c))
		return -EIO;
	*ret_off = f->base + f->data + (uint64_t)(c - 2) * f->cluster;
	for (;;) {
		uint32_t next;
		int r;

		if (*budget == 0)
			return -EIO;
		--*budget;
		len += f->cluster;
		r = sw_fat_entry(f, c, &next);
		if (r < 0)
			return r;
		*cluster = next;
		if (next != c + 1 || !valid(f, next) || len >= max)
			break;
		c = next;
	}
	*ret_len = len;
	return 0;
}

/* "BOOTX64.EFI" as the directory has it: "BOOTX64 EFI". */
static int short_name(const char *name, size_t len, uint8_t ret_name[static 11])
{
	const char *dot = memchr(name, '.', len);
	size_t base = dot ? (size_t)(dot - name) : len, ext = dot ? len - base - 1 : 0;

	if (base == 0 || base > 8 || ext > 3)
		return -ENOENT;
	memset(ret_name, ' ', 11);
	for (size_t i = 0; i < base; i++)
		ret_name[i] = (uint8_t)toupper((unsigned char)name[i]);
	for (size_t i = 0; i < ext; i++)
		ret_name[8 + i] = (uint8_t)toupper((unsigned char)dot[1 + i]);
	return 0;
}

/* 1: found; 2: the directory ends here; 0: not in this piece. */
static int scan_entries(const uint8_t *d, size_t len, const uint8_t name[static 11],
			struct sw_fat_file *ret_file)
{
	for (size_t i = 0; i + DIRENT <= len; i += DIRENT) {
		const uint8_t *e = d + i;

		if (e[0] == 0)
			return 2;
		/* Deleted, a long-name part, or the volume label. */
		if (e[0] == 0xe5 || (e[11] & 0x08) || memcmp(e, name, 11) != 0)
			continue;
		ret_file->first = ((uint32_t)sw_le16(e + 20) << 16 | sw_le16(e + 26)) & 0x0fffffff;
		ret_file->size = sw_le32(e + 28);
		ret_file->directory = e[11] & 0x10;
		return 1;
	}
	return 0;
}

static int find_in(struct sw_fat *f, uint32_t dir, const uint8_t name[static 11],
		   struct sw_fat_file *ret_file)
{
	_cleanup_free_ uint8_t *d = malloc(65536);
	uint32_t budget = DIR_BYTES_MAX / f->cluster, c = dir;

	if (!d)
		return -ENOMEM;
	while (c < END_OF_CHAIN) {
		uint64_t off, len;
		int r = next_run(f, &c, 1, &budget, &off, &len);

		if (r == 0)
			r = sw_io_read(f->io, off, d, (size_t)len);
		if (r == 0)
			r = scan_entries(d, (size_t)len, name, ret_file);
		if (r != 0)
			return r == 1 ? 0 : r == 2 ? -ENOENT : r;
	}
	return -ENOENT;
}

int sw_fat_find(struct sw_fat *f, const char *path, struct sw_fat_file *ret_file)
{
	struct sw_fat_file at = { .first = f->root, .directory = true };

	while (*path) {
		size_t n;
		uint8_t name[11];
		int r;

		path += strspn(path, "\\");
		n = strcspn(path, "\\");
		if (n == 0)
			break;
		if (!at.directory)
			return -ENOTDIR;
		r = short_name(path, n, name);
		if (r == 0)
			r = find_in(f, at.first, name, &at);
		if (r < 0)
			return r;
		path += n;
	}
	*ret_file = at;
	return 0;
}

int sw_fat_read(struct sw_fat *f, const struct sw_fat_file *file,
		int (*fn)(const void *data, size_t len, void *userdata), void *userdata)
{
	uint32_t budget = f->n_clusters, c = file->first;
	size_t cap = READ_MAX > f->cluster ? READ_MAX : f->cluster;
	uint64_t left = file->size;
	_cleanup_free_ uint8_t *d = malloc(cap);

	if (!d)
		return -ENOMEM;
	while (left > 0) {
		uint64_t off, len = 0;
		int r = next_run(f, &c, READ_MAX, &budget, &off, &len);

		if (len > left)
			len = left;
		if (r == 0)
			r = sw_io_read(f->io, off, d, (size_t)len);
		if (r == 0)
			r = fn(d, (size_t)len, userdata);
		if (r != 0)
			return r;
		left -= len;
	}
	return 0;
}

int sw_fat_free_bytes(struct sw_fat *f, uint64_t *ret_bytes)
{
	uint64_t n = 0;

	for (uint32_t c = 2; c < f->n_clusters + 2; c++) {
		uint32_t v;
		int r = sw_fat_entry(f, c, &v);

		if (r < 0)
			return r;
		n += v == 0;
	}
	*ret_bytes = n * f->cluster;
	return 0;
}
