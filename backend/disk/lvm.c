/* SPDX-License-Identifier: Apache-2.0 */
#include "disk/lvm.h"

#include <string.h>

#include "base/le.h"

#define LABEL_SECTORS 4U
#define SECTOR 512U
#define AREAS_MAX 16U
#define TEXT_MAX 4096U
#define MDA_MAX ((uint64_t)1 << 32)

static const char mda_magic[] = "\x20LVM2\x20x[5A%r0N*>";

struct volume {
	struct sw_io *io;
	uint64_t off, size;
};

/* Only inside the volume: what a header says is never followed out of it. */
static int read_at(const struct volume *v, uint64_t at, void *data, size_t len)
{
	if (at > v->size || len > v->size - at)
		return -ENODATA;
	return sw_io_read(v->io, v->off + at, data, len);
}

/* The label is in one of the first four sectors; the header behind it fills the same sector. */
static int find_label(const struct volume *v, uint8_t sector[static SECTOR], size_t *ret_header)
{
	for (unsigned int i = 0; i < LABEL_SECTORS; i++) {
		int r = read_at(v, (uint64_t)i * SECTOR, sector, SECTOR);
		uint32_t header;

		if (r < 0)
			return r;
		header = sw_le32(sector + 20);
		if (memcmp(sector, "LABELONE", 8) == 0 && sw_le64(sector + 8) == i &&
		    memcmp(sector + 24, "LVM2 001", 8) == 0 && header >= 32 &&
		    header < SECTOR - 40) {
			*ret_header = header;
			return 0;
		}
	}
	return -ENODATA;
}

/* Behind the header: data areas up to an empty one, then metadata areas; the first of those. */
static int find_area(const uint8_t *sector, size_t at, uint64_t *ret_off, uint64_t *ret_size)
{
	unsigned int lists = 0;

	at += 40;
	for (unsigned int i = 0; i < AREAS_MAX && at + 16 <= SECTOR; i++, at += 16) {
		uint64_t off = sw_le64(sector + at), size = sw_le64(sector + at + 8);

		if (off == 0 && lists++ == 0)
			continue;
		if (off == 0)
			return -ENODATA;
		if (lists == 1) {
			*ret_off = off;
			*ret_size = size;
			return 0;
		}
	}
	return -ENODATA;
}

/* The text lies in a ring behind the area's header: its end may be at the ring's start. */
static int read_text(const struct volume *v, uint64_t area, uint64_t size, char *text)
{
	uint8_t head[SECTOR];
	uint64_t at, len, first;
	int r = read_at(v, area, head, sizeof(head));

	if (r < 0)
		return r;
	at = sw_le64(head + 40);
	len = sw_le64(head + 48);
	if (memcmp(head + 4, mda_magic, 16) != 0 || size <= SECTOR || size > MDA_MAX ||
	    at < SECTOR || at >= size || len == 0)
		return -ENODATA;
	if (len > TEXT_MAX)
		len = TEXT_MAX;
	first = len < size - at ? len : size - at;
	r = read_at(v, area + at, text, (size_t)first);
	if (r == 0 && first < len && len - first <= size - SECTOR)
		r = read_at(v, area + SECTOR, text + first, (size_t)(len - first));
	else
		len = first;
	text[len] = '\0';
	return r;
}

static const char *copy_word(const char *from, const char *also, char *to, size_t max)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-";
	size_t n = 0;

	while (from[n] && n < max && (strchr(letters, from[n]) || strchr(also, from[n])))
		n++;
	memcpy(to, from, n);
	to[n] = '\0';
	return from + n;
}

/* "vg0 {\nid = \"a1b2c3-…\"\n…" */
static int parse(const char *text, struct sw_lvm *ret)
{
	struct sw_lvm l = {};
	const char *p = copy_word(text, "+_.", l.name, SW_LVM_NAME_MAX);

	p += strspn(p, " ");
	if (!l.name[0] || *p != '{')
		return -ENODATA;
	p++;
	p += strspn(p, " \t\n");
	if (strncmp(p, "id = \"", 6) == 0)
		(void)copy_word(p + 6, "", l.uuid, sizeof(l.uuid) - 1);
	*ret = l;
	return 0;
}

int sw_lvm_read(struct sw_io *io, uint64_t off, uint64_t size, struct sw_lvm *ret_lvm)
{
	const struct volume v = { .io = io, .off = off, .size = size };
	uint8_t sector[SECTOR];
	char text[TEXT_MAX + 1];
	uint64_t area = 0, len = 0;
	size_t header = 0;
	int r;

	if (off > io->size || size > io->size - off)
		return -ENODATA;
	r = find_label(&v, sector, &header);
	if (r == 0)
		r = find_area(sector, header, &area, &len);
	if (r == 0)
		r = read_text(&v, area, len, text);
	return r == 0 ? parse(text, ret_lvm) : r;
}
