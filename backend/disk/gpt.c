/* SPDX-License-Identifier: Apache-2.0 */
#include "disk/gpt.h"

#include <pthread.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"
#include "base/le.h"

#define ENTRIES_MAX ((uint64_t)1 << 20)	/* bytes we read of an entry array: 8192 usual entries */

/* last_lba may lie outside: the disk can have shrunk, and its partitions are still to be named. */
static bool header_sane(const struct sw_gpt_copy *c, uint64_t disk_size)
{
	uint64_t last = disk_size / c->sector - 1;

	return c->my_lba == c->off / c->sector && c->first_lba <= c->last_lba &&
	       c->entries_lba <= last && c->entries_lba > 0 && c->entry_len >= 128 &&
	       c->entry_len % 8 == 0 && c->n_entries > 0 &&
	       (uint64_t)c->n_entries * c->entry_len <= ENTRIES_MAX;
}

static int load_entries(struct sw_io *io, const struct sw_gpt_copy *c, uint8_t **ret_data,
			size_t *ret_len)
{
	size_t len = (size_t)c->n_entries * c->entry_len;
	_cleanup_free_ uint8_t *data = malloc(len);
	int r;

	if (!data)
		return -ENOMEM;
	r = sw_io_read(io, c->entries_lba * c->sector, data, len);
	if (r < 0)
		return r;
	*ret_data = TAKE_PTR(data);
	*ret_len = len;
	return 0;
}

static int check_entries(struct sw_io *io, struct sw_gpt_copy *c)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t len = 0;
	int r = load_entries(io, c, &data, &len);

	if (r == -ERANGE)
		return 0;
	if (r < 0)
		return r;
	c->entries_ok = sw_crc32(data, len) == c->entries_crc;
	return 0;
}

/* 1: a header is there, whole or not; 0: none. */
static int read_copy(struct sw_io *io, uint64_t off, uint32_t sector, struct sw_gpt_copy *ret_copy)
{
	struct sw_gpt_copy c = { .off = off, .sector = sector };
	uint8_t h[512];
	uint32_t len, crc;
	int r = sw_io_read(io, off, h, sizeof(h));

	if (r < 0)
		return r == -ERANGE ? 0 : r;
	if (memcmp(h, "EFI PART", 8) != 0)
		return 0;
	len = sw_le32(h + 12);
	crc = sw_le32(h + 16);
	c.my_lba = sw_le64(h + 24);
	c.other_lba = sw_le64(h + 32);
	c.first_lba = sw_le64(h + 40);
	c.last_lba = sw_le64(h + 48);
	memcpy(c.id.b, h + 56, 16);
	c.entries_lba = sw_le64(h + 72);
	c.n_entries = sw_le32(h + 80);
	c.entry_len = sw_le32(h + 84);
	c.entries_crc = sw_le32(h + 88);
	memset(h + 16, 0, 4);
	c.header_ok = len >= 92 && len <= sizeof(h) && sw_crc32(h, len) == crc &&
		      header_sane(&c, io->size);
	if (c.header_ok) {
		r = check_entries(io, &c);
		if (r < 0)
			return r;
	}
	*ret_copy = c;
	return 1;
}

static int look(struct sw_io *io, struct sw_gpt_scan *s, uint64_t lba, uint32_t sector)
{
	uint64_t off;
	int r;

	if (lba == 0 || lba >= io->size / sector || s->n == SW_GPT_COPIES_MAX)
		return 0;
	off = lba * sector;
	for (size_t i = 0; i < s->n; i++)
		if (s->copies[i].off == off && s->copies[i].sector == sector)
			return 0;
	r = read_copy(io, off, sector, &s->copies[s->n]);
	if (r > 0)
		s->n++;
	return r < 0 ? r : 0;
}

/* Sector 0: which kinds of entries, and where a protective one says that the disk ends. */
static int read_mbr(struct sw_io *io, struct sw_gpt_scan *s, uint64_t *ret_last)
{
	uint8_t b[512];
	int r = sw_io_read(io, 0, b, sizeof(b));

	*ret_last = 0;
	if (r < 0)
		return r == -ERANGE ? 0 : r;
	if (b[510] != 0x55 || b[511] != 0xaa)
		return 0;
	s->signed_mbr = true;
	s->pmbr_odd = true;
	for (size_t i = 0; i < 4; i++) {
		const uint8_t *e = b + 446 + 16 * i;
		uint32_t start = sw_le32(e + 8), len = sw_le32(e + 12);

		if (e[4] == 0xee) {
			s->pmbr = true;
			if (s->pmbr_odd && e[0] == 0 && start == 1) {
				s->pmbr_odd = false;
				s->pmbr_len = len;
			}
			if (len != UINT32_MAX && len > 0)
				*ret_last = (uint64_t)start + len - 1;
		} else if (e[4] != 0 && len > 0) {
			s->dos = true;
		}
	}
	return 0;
}

/* A copy at an offset that both sector sizes reach belongs to the size that makes it right. */
static void drop_doubles(struct sw_gpt_scan *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++) {
		bool worse = false;

		for (size_t k = 0; k < s->n; k++)
			if (k != i && s->copies[k].off == s->copies[i].off &&
			    !s->copies[i].header_ok && (s->copies[k].header_ok || k < i))
				worse = true;
		if (!worse)
			s->copies[n++] = s->copies[i];
	}
	s->n = n;
}

int sw_gpt_scan(struct sw_io *io, struct sw_gpt_scan *ret_scan)
{
	uint32_t sizes[2] = { io->sector == 4096 ? 4096 : 512, io->sector == 4096 ? 512 : 4096 };
	struct sw_gpt_scan s = {};
	uint64_t old_last;
	int r = read_mbr(io, &s, &old_last);

	for (size_t i = 0; r >= 0 && i < 2; i++) {
		uint64_t count = io->size / sizes[i];
		size_t n;

		if (count < 2)
			continue;
		r = look(io, &s, 1, sizes[i]);
		if (r >= 0)
			r = look(io, &s, count - 1, sizes[i]);
		if (r >= 0)
			r = look(io, &s, old_last, sizes[i]);
		n = s.n;
		for (size_t k = 0; r >= 0 && k < n; k++)
			if (s.copies[k].header_ok)
				r = look(io, &s, s.copies[k].other_lba, s.copies[k].sector);
	}
	if (r < 0)
		return r;
	drop_doubles(&s);
	*ret_scan = s;
	return 0;
}

/* UTF-16LE (at most 36 units) to UTF-8; a lone surrogate becomes U+FFFD. */
static char *name_from(const uint8_t *p)
{
	char out[36 * 3 + 4];
	size_t n = 0;

	for (size_t i = 0; i < 36; i++) {
		uint32_t u = p[2 * i] | (uint32_t)p[2 * i + 1] << 8;

		if (u == 0)
			break;
		if (u >= 0xd800 && u < 0xdc00 && i + 1 < 36) {
			uint32_t v = p[2 * i + 2] | (uint32_t)p[2 * i + 3] << 8;

			if (v >= 0xdc00 && v < 0xe000) {
				u = 0x10000 + ((u - 0xd800) << 10) + (v - 0xdc00);
				i++;
			}
		}
		if (u >= 0xd800 && u < 0xe000)
			u = 0xfffd;
		n += sw_utf8_encode(u, out + n);
	}
	out[n] = '\0';
	return strdup((char *)out);
}

static int add_part(struct sw_part **parts, size_t *n, const struct sw_part *p)
{
	struct sw_part *a = reallocarray(*parts, *n + 1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	*parts = a;
	a[(*n)++] = *p;
	return 0;
}

int sw_gpt_read_parts(struct sw_io *io, const struct sw_gpt_copy *c, struct sw_part **ret_parts,
		      size_t *ret_n)
{
	_cleanup_free_ uint8_t *data = NULL;
	struct sw_part *parts = NULL;
	uint64_t last = io->size / c->sector;
	size_t len = 0, n = 0;
	int r = load_entries(io, c, &data, &len);

	for (uint32_t i = 0; r >= 0 && i < c->n_entries; i++) {
		const uint8_t *e = data + (size_t)i * c->entry_len;
		struct sw_part p = { .number = i + 1 };
		uint64_t a = sw_le64(e + 32), b = sw_le64(e + 40);

		memcpy(p.type.b, e, 16);
		memcpy(p.uuid.b, e + 16, 16);
		if (sw_guid_is_zero(&p.type) || a > b || a >= last || b >= UINT64_MAX / 4096)
			continue;
		p.start = a * c->sector;
		p.size = (b - a + 1) * c->sector;
		p.attrs = sw_le64(e + 48);
		p.label = name_from(e + 56);
		r = p.label ? add_part(&parts, &n, &p) : -ENOMEM;
		if (r < 0)
			free(p.label);
	}
	if (r < 0) {
		sw_gpt_parts_free(parts, n);
		return r;
	}
	*ret_parts = parts;
	*ret_n = n;
	return 0;
}

void sw_gpt_parts_free(struct sw_part *parts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(parts[i].label);
		free(parts[i].fs_type);
		free(parts[i].fs_label);
		free(parts[i].fs_uuid);
		free(parts[i].group);
	}
	free(parts);
}

#define DIGESTED_MAX (2 * (SW_GPT_ENTRIES_LEN + 4096U) + 4096U)	/* of 4096-byte sectors */

static char blank_512[65], blank_4096[65];

static void hash_zeros(void)
{
	static const uint8_t zeros[DIGESTED_MAX];

	(void)sw_sha256(zeros, 2 * SW_GPT_ENTRIES_LEN + 3 * 512, blank_512);
	(void)sw_sha256(zeros, 2 * SW_GPT_ENTRIES_LEN + 3 * 4096, blank_4096);
}

/* Many disks are blank, and looking for zeros is much quicker than hashing them. */
static int digest_of(const uint8_t *data, size_t len, char ret_hex[static 65])
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	const char *known = len == 2 * SW_GPT_ENTRIES_LEN + 3 * 512 ? blank_512
			  : len == 2 * SW_GPT_ENTRIES_LEN + 3 * 4096 ? blank_4096 : NULL;

	if (!known || !sw_bytes_are_zero(data, len))
		return sw_sha256(data, len, ret_hex);
	(void)pthread_once(&once, hash_zeros);
	memcpy(ret_hex, known, 65);
	return 0;
}

int sw_gpt_digest(struct sw_io *io, char ret_hex[static 65])
{
	size_t head = 2UL * io->sector + SW_GPT_ENTRIES_LEN;
	size_t tail = SW_GPT_ENTRIES_LEN + (size_t)io->sector;
	uint64_t size = io->size - io->size % io->sector;
	_cleanup_free_ uint8_t *data = malloc(head + tail);
	int r = data ? 0 : -ENOMEM;

	if (r == 0 && size <= head + tail) {
		head = (size_t)size;
		tail = 0;
	}
	if (r == 0)
		r = sw_io_read(io, 0, data, head);
	if (r == 0 && tail > 0)
		r = sw_io_read(io, size - tail, data + head, tail);
	return r < 0 ? r : digest_of(data, head + tail, ret_hex);
}

bool sw_gpt_encode_name(const char *label, uint8_t out[static SW_GPT_NAME_LEN])
{
	size_t len = strlen(label), n = 0;

	memset(out, 0, SW_GPT_NAME_LEN);
	for (size_t i = 0; i < len;) {
		uint32_t c = 0;
		size_t k = sw_utf8_decode(label + i, len - i, &c);
		uint16_t units[2] = { (uint16_t)c };
		size_t count = 1;

		if (c > 0xffff) {
			units[0] = (uint16_t)(0xd800 + ((c - 0x10000) >> 10));
			units[1] = (uint16_t)(0xdc00 + (c & 0x3ff));
			count = 2;
		}
		if (k == 0 || n + count > SW_GPT_NAME_LEN / 2)
			return false;
		for (size_t u = 0; u < count; u++, n++) {
			out[2 * n] = (uint8_t)units[u];
			out[2 * n + 1] = (uint8_t)(units[u] >> 8);
		}
		i += k;
	}
	return true;
}
