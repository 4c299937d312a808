/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Declarative layouts: the syntax and semantics of repart.d(5); slipway's own
 * keys carry the prefix X-Slipway-, which systemd ignores.
 */
#pragma once

#include "base/error.h"
#include "base/guid.h"
#include "machine/facts.h"

enum sw_role { SW_ROLE_NONE, SW_ROLE_SLOT, SW_ROLE_NODE_DATA, SW_ROLE_STATE, SW_ROLE_RESCUE,
	       SW_ROLE_IPXE };

/* What opens an encrypted partition. */
#define SW_ENCRYPT_TPM2 1U
#define SW_ENCRYPT_KEY_FILE 2U
/* "tpm2" "key-file" "key-file+tpm2" and back; "off" for 0. -EINVAL */
const char *sw_encrypt_name(unsigned int encrypt);
int sw_encrypt_parse(const char *text, unsigned int *ret_encrypt);

/*
 * What %-specifiers stand for. Each is malloc'd; NULL: unknown here, and then a
 * definition that asks for it is refused (those of os-release are empty instead).
 */
struct sw_layout_machine {
	char *architecture, *boot_id, *hostname, *short_hostname, *machine_id, *kernel;
	char *os_id, *version_id, *variant_id, *build_id, *image_id, *image_version;
	char *tmp, *var_tmp;	/* $TMPDIR, $TEMP or $TMP; else /tmp and /var/tmp */
};

/* Of the running system. */
void sw_layout_machine_read(struct sw_layout_machine *ret_machine);
void sw_layout_machine_clear(struct sw_layout_machine *m);
/* "x86-64": as repart.d(5) calls the architecture that this is built for; static. */
const char *sw_layout_architecture(void);

struct sw_layout_part {
	char *file;		/* "10-slot-a.conf", for errors */
	struct sw_guid type;
	struct sw_guid uuid;	/* zero: derived from the seed, unless uuid_null */
	bool uuid_null;		/* UUID=null: stays zero */
	char *label;
	bool own_label;		/* Label= was given, not made from the type */
	char type_name[40];	/* "esp", or "linux": what it is called without a Label= */
	int priority;
	uint32_t weight, padding_weight;
	uint64_t size_min, size_max;	/* bytes; size_max UINT64_MAX: none */
	uint64_t padding_min, padding_max;
	char *format;		/* "vfat" "ext4" "xfs" "btrfs" "swap" or NULL */
	char *copy_blocks;	/* a file or block device to copy, or NULL */
	uint64_t copy_blocks_size;	/* bytes; 0 until the layout was read from files */
	char **copy_files;	/* source, target, source, target ...; NULL-terminated or NULL */
	char **make_directories;	/* absolute paths; NULL-terminated or NULL */
	bool factory_reset;
	uint64_t attrs;
	unsigned int encrypt;	/* Encrypt=: SW_ENCRYPT_*, 0: off */
	enum sw_role role;	/* X-Slipway-Role= */
	char **disks;		/* X-Slipway-Disk=: names, NULL-terminated; NULL: the system disk */
	bool raid;		/* X-Slipway-Raid=: its copies are the members of one RAID1 array */
	unsigned int size_percent;	/* X-Slipway-SizePercent=: of the usable space; 0: none */
};

#define SW_LAYOUT_SYSTEM "system"

struct sw_layout_disk {
	char *name;		/* "system", "data" */
	bool many;		/* data+: as many disks as there are, at least one */
	uint64_t min_size;	/* its least size, bytes */
};

struct sw_layout {
	char *name;		/* "node" */
	char *description;	/* X-Slipway-Description of the first file that has one */
	struct sw_layout_part *parts;
	size_t n_parts;
	struct sw_layout_disk *disks;	/* in order of first appearance, the system disk first */
	size_t n_disks;
	uint64_t min_size;	/* least size of the system disk, bytes */
};

/*
 * Reads the .conf files of a directory in name order. Errors carry
 * file:line:column, and did-you-mean for keys and types; exit 3.
 */
int sw_layout_read(const char *dir, struct sw_layout **ret_layout, struct sw_error *err);
/*
 * The same over several directories: their files sorted together by name, and
 * of one name that of the directory named first. NAME.conf.d/ of each directory
 * holds drop-ins for NAME.conf. A file that is empty or a link to /dev/null hides
 * those of its name. m is for %-specifiers; NULL refuses them. The layout is
 * called after the first directory.
 */
int sw_layout_read_dirs(const char *const *dirs, size_t n, const struct sw_layout_machine *m,
			struct sw_layout **ret_layout, struct sw_error *err);
/*
 * Finds a layout by name in $SLIPWAY_LAYOUTS, in layouts/ of the source tree
 * that the program was built in, and in /usr/share/slipway/layouts; a name with
 * a slash is a path.
 */
int sw_layout_find(const char *name, struct sw_layout **ret_layout, struct sw_error *err);
struct sw_layout *sw_layout_free(struct sw_layout *l);
/* The names that sw_layout_find() knows, sorted, each once; NULL-terminated, free both levels. */
int sw_layout_names(char ***ret_names);
SW_DEFINE_CLEANUP(struct sw_layout, sw_layout_free)
#define _cleanup_layout_ _cleanup_(sw_layout_freep)

#define SW_LABEL_UNITS 36U	/* UTF-16 units of a GPT name */
#define SW_LABEL_BYTES 148	/* 36 UTF-16 units as UTF-8, and the NUL */

struct sw_placement {
	const struct sw_layout_part *part;	/* borrowed from the layout; NULL: not in it */
	uint64_t start, size;	/* bytes */
	struct sw_guid uuid;
	const struct sw_part *old;	/* borrowed: it exists, with its present size; NULL: new */
	unsigned int number;	/* of the partition, from 1 */
	char label[SW_LABEL_BYTES];
};

/*
 * Pure. Places all partitions on an empty table of a disk of this size
 * (4096-aligned, first at 1 MiB, priorities dropped as repart does, remaining
 * space by weight). -ENOSPC says what does not fit and by how much.
 */
int sw_layout_solve(const struct sw_layout *l, uint64_t disk_size, uint32_t sector,
		    const struct sw_guid *seed, struct sw_placement **ret_placements,
		    size_t *ret_n, struct sw_guid *ret_disk_id, struct sw_error *err);

/*
 * The definitions of one of the layout's disks as a layout of their own: it
 * shares everything with l but the array of parts, which is the caller's to
 * free. -ENOMEM.
 */
int sw_layout_on_disk(const struct sw_layout *l, size_t disk, struct sw_layout *ret_sub);
/* Does this definition put a partition on the disk of this name? */
bool sw_layout_part_is_on(const struct sw_layout_part *p, const char *disk);

struct sw_layout_ground {
	uint64_t start, end;	/* the bytes that the table lets partitions have */
	unsigned int numbers;		/* how many partitions the table has entries for */
	const struct sw_table *table;	/* its type must be GPT */
	/*
	 * The table's partitions stay exactly as they are, and belong to the
	 * definition of their label; otherwise as below.
	 */
	bool kept;
	const char *where;	/* the disk, for errors */
};

/*
 * Pure. The same on a disk with partitions: the n-th of a type belongs to the
 * n-th definition of it and may grow into the free space behind it; what has no
 * definition is left as it is, and nothing is shrunk, moved or deleted. Each new
 * partition goes into the smallest free area that takes it. UUIDs and labels
 * that are set stay. The placements are those of the layout in its order, then
 * the partitions without a definition. -EINVAL (exit 4) for a table whose
 * partitions overlap or stick out, -EEXIST (exit 3) for one UUID twice.
 */
int sw_layout_solve_on(const struct sw_layout *l, const struct sw_layout_ground *g,
		       const struct sw_guid *seed, struct sw_placement **ret_placements,
		       size_t *ret_n, struct sw_error *err);

/* The UUID that the seed gives to a new table. -EIO when libcrypto fails. */
int sw_layout_disk_id(const struct sw_guid *seed, struct sw_guid *ret_disk_id);

/* The least size of a disk that takes the layout beside these partitions (table may be NULL). */
uint64_t sw_layout_least_size(const struct sw_layout *l, const struct sw_table *table);
