/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/facts-shape.h"

#include <string.h>

#include "machine/facts.h"

#define F(type, member, kind_) \
	.key = #member, .kind = (kind_), .off = offsetof(struct type, member)
#define SHAPE(type, list) \
	.size = sizeof(struct type), .fields = (list), .n_fields = ARRAY_SIZE(list)

static const struct sw_field part_fields[] = {
	{ F(sw_part, number, KIND_U32), .required = true, .max = 65535 },
	{ F(sw_part, start, KIND_U64), .required = true, .max = INT64_MAX },
	{ F(sw_part, size, KIND_U64), .required = true, .max = INT64_MAX },
	{ F(sw_part, type, KIND_GUID) },
	{ F(sw_part, uuid, KIND_GUID) },
	{ F(sw_part, attrs, KIND_U64) },
	{ F(sw_part, label, KIND_STR) },
	{ F(sw_part, fs_type, KIND_STR) },
	{ F(sw_part, fs_label, KIND_STR) },
	{ F(sw_part, fs_uuid, KIND_STR) },
	{ F(sw_part, group, KIND_STR) },
};

static const struct sw_shape part_shape = { SHAPE(sw_part, part_fields) };

static const char *const table_types[] = {
	[SW_TABLE_NONE] = "none",
	[SW_TABLE_GPT] = "gpt",
	[SW_TABLE_DOS] = "dos",
	[SW_TABLE_DAMAGED_GPT] = "damaged-gpt",
	NULL
};

static const struct sw_field table_fields[] = {
	{ F(sw_table, type, KIND_ENUM), .required = true, .names = table_types },
	{ F(sw_table, id, KIND_GUID) },
	{ F(sw_table, parts, KIND_ARRAY), .count = offsetof(struct sw_table, n_parts),
	  .max = SW_SHAPE_LIST_MAX, .shape = &part_shape },
	{ F(sw_table, group, KIND_STR) },
	{ F(sw_table, damage, KIND_STR) },
	{ F(sw_table, digest, KIND_DIGEST) },
};

static const struct sw_shape table_shape = { SHAPE(sw_table, table_fields) };

static const char *const health_names[] = {
	[SW_HEALTH_UNKNOWN] = "unknown",
	[SW_HEALTH_GOOD] = "good",
	[SW_HEALTH_WORN] = "worn",
	[SW_HEALTH_FAILING] = "failing",
	NULL
};

static const struct sw_field disk_fields[] = {
	{ F(sw_disk, name, KIND_STR), .required = true },
	{ F(sw_disk, node, KIND_STR) },
	{ F(sw_disk, serial, KIND_STR) },
	{ F(sw_disk, wwn, KIND_STR) },
	{ F(sw_disk, model, KIND_STR) },
	{ F(sw_disk, vendor, KIND_STR) },
	{ F(sw_disk, transport, KIND_STR) },
	{ F(sw_disk, path, KIND_STR) },
	{ F(sw_disk, size, KIND_U64), .required = true, .max = INT64_MAX },
	{ F(sw_disk, sector, KIND_U32), .required = true, .max = 1 << 20 },
	{ F(sw_disk, diskseq, KIND_U64) },
	{ F(sw_disk, rotational, KIND_BOOL) },
	{ F(sw_disk, removable, KIND_BOOL) },
	{ F(sw_disk, read_only, KIND_BOOL) },
	{ F(sw_disk, medium, KIND_BOOL) },
	{ F(sw_disk, uses, KIND_LIST) },
	{ F(sw_disk, signatures, KIND_LIST) },
	{ F(sw_disk, paths, KIND_LIST) },
	{ F(sw_disk, health, KIND_ENUM), .names = health_names, .zero_unset = true },
	{ F(sw_disk, health_text, KIND_STR) },
	{ F(sw_disk, table, KIND_OBJECT), .shape = &table_shape },
};

static const char *check_disk(const void *record)
{
	const struct sw_disk *d = record;

	if (d->name[0] == '\0' || strchr(d->name, '/'))
		return "the name is not a kernel name";
	if (d->sector < 512 || (d->sector & (d->sector - 1)))
		return "the sector size is not a power of two of at least 512";
	for (size_t i = 0; i < d->table.n_parts; i++) {
		const struct sw_part *p = &d->table.parts[i];

		if (p->number == 0)
			return "a partition has the number 0";
		if (p->start > INT64_MAX - p->size)
			return "a partition ends past every possible disk";
	}
	return NULL;
}

static const struct sw_shape disk_shape = { SHAPE(sw_disk, disk_fields), .check = check_disk };

static const struct sw_field entry_fields[] = {
	{ F(sw_bootvar, number, KIND_U16), .required = true },
	{ F(sw_bootvar, attrs, KIND_U32) },
	{ F(sw_bootvar, label, KIND_STR) },
	{ F(sw_bootvar, path, KIND_STR) },
	{ F(sw_bootvar, owner, KIND_STR) },
};

static const struct sw_shape entry_shape = { SHAPE(sw_bootvar, entry_fields) };

static const struct sw_field boot_fields[] = {
	{ F(sw_bootvars, supported, KIND_BOOL) },
	{ F(sw_bootvars, writable, KIND_BOOL) },
	{ F(sw_bootvars, current, KIND_INDEX) },
	{ F(sw_bootvars, next, KIND_INDEX) },
	{ F(sw_bootvars, order, KIND_NUMBERS), .count = offsetof(struct sw_bootvars, n_order),
	  .max = 65536 },
	{ F(sw_bootvars, entries, KIND_ARRAY), .count = offsetof(struct sw_bootvars, n_entries),
	  .max = 65536, .shape = &entry_shape },
	{ F(sw_bootvars, digest, KIND_DIGEST) },
};

static const struct sw_shape boot_shape = { SHAPE(sw_bootvars, boot_fields) };

static const struct sw_field link_fields[] = {
	{ F(sw_link, name, KIND_STR), .required = true },
	{ F(sw_link, mac, KIND_STR) },
	{ F(sw_link, driver, KIND_STR) },
	{ F(sw_link, carrier, KIND_BOOL) },
	{ F(sw_link, addresses, KIND_LIST) },
};

static const struct sw_shape link_shape = { SHAPE(sw_link, link_fields) };

static const char *const firmware_names[] = {
	[SW_FIRMWARE_UEFI] = "uefi",
	[SW_FIRMWARE_BIOS] = "bios",
	NULL
};

static const struct sw_field facts_fields[] = {
	{ F(sw_facts, machine_name, KIND_STR) },
	{ F(sw_facts, vendor, KIND_STR) },
	{ F(sw_facts, product, KIND_STR) },
	{ F(sw_facts, serial, KIND_STR) },
	{ F(sw_facts, uuid, KIND_STR) },
	{ F(sw_facts, firmware, KIND_ENUM), .required = true, .names = firmware_names },
	{ F(sw_facts, secure_boot, KIND_BOOL) },
	{ F(sw_facts, setup_mode, KIND_BOOL) },
	{ F(sw_facts, tpm_present, KIND_BOOL) },
	{ F(sw_facts, tpm_log_missing, KIND_BOOL) },
	{ F(sw_facts, tpm_version, KIND_STR) },
	{ F(sw_facts, tpm_vendor, KIND_STR) },
	{ F(sw_facts, boot_id, KIND_STR) },
	{ F(sw_facts, time, KIND_I64) },
	{ F(sw_facts, memory, KIND_U64) },
	{ F(sw_facts, no_kexec, KIND_STR) },
	{ F(sw_facts, boot, KIND_OBJECT), .shape = &boot_shape },
	{ F(sw_facts, disks, KIND_ARRAY), .required = true,
	  .count = offsetof(struct sw_facts, n_disks), .max = SW_SHAPE_DISKS_MAX,
	  .shape = &disk_shape },
	{ F(sw_facts, links, KIND_ARRAY), .count = offsetof(struct sw_facts, n_links),
	  .max = SW_SHAPE_LIST_MAX, .shape = &link_shape },
	{ F(sw_facts, notes, KIND_LIST) },
};

const struct sw_shape sw_facts_shape = { SHAPE(sw_facts, facts_fields) };
