/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a machine is: read-only, complete enough to plan on, and serialisable,
 * so that a plan made from a captured file equals one made on the machine.
 * Strings are malloc'd and owned by the struct that holds them; NULL = unknown.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/guid.h"

#define SW_FACTS_VERSION 1
/*
 * Captured facts may also carry the raw boot variables under this key, for
 * planning; they are not part of struct sw_facts.
 */
#define SW_FACTS_VARIABLES "boot_variables"
/* The same of what nodes on the disks would lose by an install: boot/old-node.h. */
#define SW_FACTS_NODES "old_nodes"

struct sw_part {
	unsigned int number;	/* 1-based */
	uint64_t start, size;	/* bytes */
	struct sw_guid type, uuid;	/* zero on a DOS table */
	uint64_t attrs;		/* GPT attribute bits */
	char *label;		/* GPT name, UTF-8 */
	char *fs_type, *fs_label, *fs_uuid;	/* what libblkid finds inside */
	/* what its content is a part of, equal for all parts: "volume group vg0 (UUID)"; or NULL */
	char *group;
};

enum sw_table_type { SW_TABLE_NONE, SW_TABLE_GPT, SW_TABLE_DOS, SW_TABLE_DAMAGED_GPT };

struct sw_table {
	enum sw_table_type type;
	struct sw_guid id;
	struct sw_part *parts;	/* in table order */
	size_t n_parts;
	char *group;		/* the same of the whole disk */
	char *damage;		/* words, when something is wrong with the table */
	/* sha256 over PMBR, headers and entries as found; the plan binds to it */
	char digest[65];
};

/* What the disk says about itself; each is worse than the one before. */
enum sw_health { SW_HEALTH_UNKNOWN, SW_HEALTH_GOOD, SW_HEALTH_WORN, SW_HEALTH_FAILING };

struct sw_disk {
	char *name;		/* kernel name: "nvme0n1" */
	char *node;		/* path that opens it: "/dev/nvme0n1" or an image file */
	char *serial, *wwn, *model, *vendor;
	char *transport;	/* "nvme" "sata" "usb" "virtio" "sas" "scsi" ... */
	char *path;		/* by-path name without directory */
	uint64_t size;		/* bytes */
	uint32_t sector;	/* logical sector size, bytes */
	uint64_t diskseq;	/* 0 = unknown */
	bool rotational, removable, read_only;
	bool medium;		/* slipway itself was started from it */
	char **uses;		/* why it must not be touched, in words; NULL-terminated or NULL */
	char **signatures;	/* of the whole disk; NULL-terminated or NULL */
	/* names of other nodes that seem to be paths to this very disk; or NULL */
	char **paths;
	enum sw_health health;
	char *health_text;	/* why it is not good, one line; or NULL */
	struct sw_table table;
};

struct sw_bootvars {
	bool supported;		/* UEFI with a usable variable store */
	bool writable;
	int current, next;	/* BootCurrent, BootNext; -1 = absent */
	uint16_t *order;
	size_t n_order;
	struct sw_bootvar {
		uint16_t number;
		uint32_t attrs;	/* load option attributes; bit 0 = active */
		char *label;	/* UTF-8 */
		char *path;	/* device path as text */
		char *owner;	/* "ours" "firmware" "network" "foreign" */
	} *entries;
	size_t n_entries;
	char digest[65];	/* sha256 over BootOrder, BootNext and all Boot#### as stored */
};

struct sw_link {
	char *name, *mac, *driver;
	bool carrier;
	char **addresses;	/* "192.0.2.7/24"; NULL-terminated or NULL */
};

struct sw_facts {
	char *machine_name;	/* host name, for the title line */
	char *vendor, *product, *serial, *uuid;	/* DMI */
	enum { SW_FIRMWARE_UEFI, SW_FIRMWARE_BIOS } firmware;
	bool secure_boot, setup_mode;
	bool tpm_present;
	bool tpm_log_missing;	/* a real machine's TPM without the firmware's event log */
	char *tpm_version, *tpm_vendor;	/* "2.0", manufacturer text */
	char *boot_id;		/* kernel boot id: diskseq counts only within one */
	int64_t time;		/* seconds since the epoch */
	uint64_t memory;	/* bytes */
	char *no_kexec;		/* why the running kernel starts no other one; NULL: unknown */
	struct sw_bootvars boot;
	struct sw_disk *disks;	/* sorted by name */
	size_t n_disks;
	struct sw_link *links;
	size_t n_links;
	char **notes;		/* what could not be read and why; NULL-terminated or NULL */
};

struct sw_facts *sw_facts_new(void);
struct sw_facts *sw_facts_free(struct sw_facts *f);
SW_DEFINE_CLEANUP(struct sw_facts, sw_facts_free)
#define _cleanup_facts_ _cleanup_(sw_facts_freep)

/*
 * True when two nodes seem to lead to one disk (multipath): they share WWN,
 * serial, size and sector size, and their tables do not differ.
 */
bool sw_disk_same(const struct sw_disk *a, const struct sw_disk *b);

/* The disk of this name ("nvme0n1") and the partition of this number; NULL: there is none. */
const struct sw_disk *sw_facts_disk(const struct sw_facts *f, const char *name);
const struct sw_part *sw_table_part(const struct sw_table *t, unsigned int number);

#define SW_FS_LUKS "crypto_LUKS"	/* as libblkid calls them */
#define SW_FS_RAID "linux_raid_member"
/* Whether this is what the partition holds. */
bool sw_part_holds(const struct sw_part *p, const char *fs_type);

void sw_disk_clear(struct sw_disk *d);
void sw_table_clear(struct sw_table *t);
void sw_bootvars_clear(struct sw_bootvars *b);

/*
 * Lossless for everything the structs hold, provided that the strings are
 * clean (base/text.h), as sw_machine_facts() leaves them; new reference,
 * NULL when out of memory.
 */
json_object *sw_facts_to_json(const struct sw_facts *f);
/* Refuses another version and wrong types, naming the key (bounded, fuzzed). */
int sw_facts_from_json(json_object *o, const char *file, struct sw_facts **ret_facts,
		       struct sw_error *err);
