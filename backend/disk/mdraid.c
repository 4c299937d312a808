/* SPDX-License-Identifier: Apache-2.0 */
#include "disk/mdraid.h"

#include <stddef.h>
#include <string.h>

#define SUPER_OFFSET 4096U
#define SUPER_LEN 4096U		/* the superblock and its roles fit, whatever the member's sector */
#define MAGIC 0xa92b4efcU
#define ROLES 128U		/* entries that we write, as mdadm does */
#define SPARE 0xffffU
#define IN_SYNC UINT64_MAX
#define ALIGN 65536ULL		/* of the array's size */
#define SECONDS ((1ULL << 40) - 1)

/* Where the fields are; all little endian. */
enum {
	F_MAGIC = 0, F_MAJOR = 4, F_FEATURES = 8, F_UUID = 16, F_NAME = 32, F_CTIME = 64,
	F_LEVEL = 72, F_SIZE = 80, F_DISKS = 92, F_DATA_OFFSET = 128, F_DATA_SIZE = 136,
	F_SUPER_OFFSET = 144, F_NUMBER = 160, F_MEMBER_UUID = 168, F_UTIME = 192, F_EVENTS = 200,
	F_RESYNC = 208, F_CHECKSUM = 216, F_ROLES_MAX = 220, F_ROLES = 256,
};

static void put(uint8_t *b, size_t off, unsigned int bytes, uint64_t v)
{
	for (unsigned int i = 0; i < bytes; i++)
		b[off + i] = (uint8_t)(v >> (8 * i));
}

static uint64_t get(const uint8_t *b, size_t off, unsigned int bytes)
{
	uint64_t v = 0;

	for (unsigned int i = 0; i < bytes; i++)
		v |= (uint64_t)b[off + i] << (8 * i);
	return v;
}

/* A sum of 32-bit words over superblock and roles, its own field as zero; folded once. */
static uint32_t checksum(const uint8_t *b, unsigned int roles)
{
	size_t len = F_ROLES + 2UL * roles, i;
	uint64_t sum = 0;

	for (i = 0; i + 4 <= len; i += 4)
		if (i != F_CHECKSUM)
			sum += get(b, i, 4);
	if (i < len)
		sum += get(b, i, 2);
	return (uint32_t)((sum & UINT32_MAX) + (sum >> 32));
}

uint64_t sw_md_size(uint64_t member_size)
{
	if (member_size < SW_MD_DATA_OFFSET + ALIGN)
		return 0;
	return (member_size - SW_MD_DATA_OFFSET) / ALIGN * ALIGN;
}

static int derive(const struct sw_guid *seed, const char *token, uint8_t ret_uuid[static 16])
{
	struct sw_guid g;

	if (sw_guid_derive(seed, token, strlen(token), &g) < 0)
		return -EIO;
	sw_guid_to_rfc(&g, ret_uuid);
	return 0;
}

int sw_md_new(const struct sw_guid *seed, const char *name, unsigned int members,
	      unsigned int number, uint64_t size, int64_t time, struct sw_md *ret_md)
{
	struct sw_md md = { .members = members, .active = members,
			    .number = number, .size = size, .events = 2,
			    .data_offset = SW_MD_DATA_OFFSET, .time = time, .in_sync = true };
	char token[64];

	if (members == 0 || members > SW_MD_MEMBERS_MAX || number >= members || size == 0 ||
	    size % ALIGN)
		return -EINVAL;
	(void)snprintf(md.name, sizeof(md.name), "%s", name);
	(void)snprintf(token, sizeof(token), "md-array %s", md.name);
	if (derive(seed, token, md.uuid) < 0)
		return -EIO;
	(void)snprintf(token, sizeof(token), "md-member %s %u", md.name, number);
	if (derive(seed, token, md.member_uuid) < 0)
		return -EIO;
	*ret_md = md;
	return 0;
}

static void encode(const struct sw_md *md, uint64_t member_size, uint8_t *b)
{
	uint64_t when = md->time > 0 ? (uint64_t)md->time & SECONDS : 0;

	put(b, F_MAGIC, 4, MAGIC);
	put(b, F_MAJOR, 4, 1);
	memcpy(b + F_UUID, md->uuid, 16);
	memcpy(b + F_NAME, md->name, strnlen(md->name, SW_MD_NAME - 1));
	put(b, F_CTIME, 8, when);
	put(b, F_LEVEL, 4, 1);
	put(b, F_SIZE, 8, md->size / 512);
	put(b, F_DISKS, 4, md->members);
	put(b, F_DATA_OFFSET, 8, md->data_offset / 512);
	put(b, F_DATA_SIZE, 8, (member_size - md->data_offset) / 512);
	put(b, F_SUPER_OFFSET, 8, SUPER_OFFSET / 512);
	put(b, F_NUMBER, 4, md->number);
	memcpy(b + F_MEMBER_UUID, md->member_uuid, 16);
	put(b, F_UTIME, 8, when);
	put(b, F_EVENTS, 8, md->events);
	put(b, F_RESYNC, 8, md->in_sync ? IN_SYNC : 0);
	put(b, F_ROLES_MAX, 4, ROLES);
	for (unsigned int i = 0; i < ROLES; i++)
		put(b, F_ROLES + 2UL * i, 2, i < md->members ? i : SPARE);
	put(b, F_CHECKSUM, 4, checksum(b, ROLES));
}

int sw_md_write(struct sw_io *member, const struct sw_md *md)
{
	uint8_t b[SUPER_LEN] = {};
	int r;

	if (md->data_offset < SUPER_OFFSET + SUPER_LEN || md->data_offset > member->size ||
	    md->size > member->size - md->data_offset)
		return -ERANGE;
	encode(md, member->size, b);
	r = sw_io_write(member, SUPER_OFFSET, b, sizeof(b));
	return r == 0 ? sw_io_flush(member) : r;
}

static bool sizes_fit(const uint8_t *b, uint64_t member_size)
{
	uint64_t sectors = member_size / 512, at = get(b, F_DATA_OFFSET, 8);
	uint64_t size = get(b, F_SIZE, 8), room = get(b, F_DATA_SIZE, 8);

	return at >= (SUPER_OFFSET + SUPER_LEN) / 512 && at <= sectors && room <= sectors - at &&
	       size > 0 && size <= room;
}

/* Those whose number the table of roles still has: it forgets a member that is gone. */
static unsigned int count_active(const uint8_t *b, uint64_t roles, uint64_t members)
{
	unsigned int n = 0;

	for (uint64_t i = 0; i < roles; i++)
		n += get(b, F_ROLES + 2 * i, 2) < members;
	return n;
}

static int decode(const uint8_t *b, uint64_t member_size, struct sw_md *ret_md)
{
	uint64_t roles = get(b, F_ROLES_MAX, 4), number = get(b, F_NUMBER, 4);
	uint64_t members = get(b, F_DISKS, 4);
	struct sw_md md = {};

	if (get(b, F_MAGIC, 4) != MAGIC || get(b, F_MAJOR, 4) != 1)
		return -ENODATA;
	if (roles > (SUPER_LEN - F_ROLES) / 2)
		return -EINVAL;
	if (get(b, F_CHECKSUM, 4) != checksum(b, (unsigned int)roles))
		return -EBADMSG;
	if (get(b, F_SUPER_OFFSET, 8) != SUPER_OFFSET / 512 || get(b, F_FEATURES, 4) != 0 ||
	    get(b, F_LEVEL, 4) != 1 || members == 0 || members > SW_MD_MEMBERS_MAX ||
	    number >= roles || get(b, F_ROLES + 2 * number, 2) >= members ||
	    !sizes_fit(b, member_size))
		return -EINVAL;
	memcpy(md.uuid, b + F_UUID, 16);
	memcpy(md.member_uuid, b + F_MEMBER_UUID, 16);
	memcpy(md.name, b + F_NAME, SW_MD_NAME - 1);
	md.members = (unsigned int)members;
	md.number = (unsigned int)get(b, F_ROLES + 2 * number, 2);
	md.active = count_active(b, roles, members);
	md.data_offset = get(b, F_DATA_OFFSET, 8) * 512;
	md.size = get(b, F_SIZE, 8) * 512;
	md.events = get(b, F_EVENTS, 8);
	md.time = (int64_t)(get(b, F_CTIME, 8) & SECONDS);
	md.in_sync = get(b, F_RESYNC, 8) == IN_SYNC;
	*ret_md = md;
	return 0;
}

int sw_md_read(struct sw_io *member, struct sw_md *ret_md)
{
	uint8_t b[SUPER_LEN];
	int r;

	if (member->size < SUPER_OFFSET + SUPER_LEN)
		return -ENODATA;
	r = sw_io_read(member, SUPER_OFFSET, b, sizeof(b));
	return r < 0 ? r : decode(b, member->size, ret_md);
}

int sw_md_enter(struct sw_io *disk, uint64_t *start, uint64_t *size)
{
	_cleanup_io_ struct sw_io *member = NULL;
	struct sw_md md;
	int r = sw_io_window(disk, *start, *size, &member);

	if (r == 0)
		r = sw_md_read(member, &md);
	if (r < 0)
		return r;
	*start += md.data_offset;
	*size = md.size;
	return 0;
}
