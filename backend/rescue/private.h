/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of an examination; each adds its findings. Private to backend/rescue. */
#pragma once

#include "rescue/rescue.h"

struct sw_examine {
	struct sw_machine *m;
	const struct sw_facts *f;
	struct sw_varstore *vars;
	json_object *raw;
	const char *disk;
	const struct sw_switch *known;	/* the node was read already; or NULL */
	const struct sw_rescue_inside *inside;	/* or NULL */
	const char *layer;	/* what the file system that is looked at lies in, or NULL */
	/* The node, and its copies on further disks. */
	const struct sw_node *nodes[1 + SW_NODE_COPIES];
	size_t n_nodes;
	struct sw_findings *out;
	struct sw_error *err;
};

/* A new finding to be filled; NULL when out of memory. id may begin with "DISK/". */
struct sw_finding *sw_finding_add(struct sw_examine *x, const char *disk, const char *id,
				  enum sw_severity severity, enum sw_sure sure);
void sw_findings_sort(struct sw_findings *l);
void sw_repair_free(struct sw_repair *r);	/* r may be NULL */
/* A repair for it; owned by the finding. */
struct sw_repair *sw_finding_repair(struct sw_finding *fi, const struct sw_disk *d);
/* Makes it a copy of a partition with a FAT file system over one of the same size. */
void sw_repair_copy_part(struct sw_repair *r, const struct sw_disk *from_disk,
			 const struct sw_part *from, const struct sw_part *to);
/* Adds len bytes that become `now`; the old ones are read from io. Equal ones are left out. */
int sw_repair_add_bytes(struct sw_repair *r, struct sw_io *io, uint64_t off, const void *now,
			size_t len, const char *text);

/* The same on another disk of the node (NULL: the repair's own), with the old ones at hand. */
int sw_repair_add_change(struct sw_repair *r, const struct sw_disk *d, uint64_t off,
			 const void *old, const void *now, size_t len, const char *text);

/* How an undo file names a disk; new reference. */
json_object *sw_rescue_disk_json(const struct sw_disk *d);

/* ---- a slot from the other one, and what else is kept twice (copy.c) ---- */

/*
 * Saves what the copy overwrites in UNDO_PATH.slot; the description goes into the undo file.
 * Stopped by the sink: -ECANCELED (exit 130), and nothing stays.
 */
int sw_rescue_copy_keep(struct sw_io *disk, struct sw_io *from, const struct sw_repair *r,
			const char *undo_path, const struct sw_sink *sink, json_object **ret_slot,
			struct sw_error *err);
/* Nothing was written yet, and nothing is: -ECANCELED, exit 130. */
int sw_rescue_stopped(struct sw_error *err);
/*
 * sw_machine_settle() of a disk that was written and read back. On a running node its partitions
 * are in use, and the kernel keeps those that it knows until the next start: that is no failure.
 */
int sw_rescue_settle(struct sw_machine *m, const struct sw_disk *d);
void sw_rescue_copy_forget(const char *undo_path);	/* removes UNDO_PATH.slot and .image */
int sw_rescue_copy_write(struct sw_io *disk, struct sw_io *from, const struct sw_repair *r,
			 const struct sw_sink *sink, struct sw_error *err);
/* Checks that every sector is as the repair left it or as it was; with write, puts it back. */
int sw_rescue_copy_undo(struct sw_io *disk, struct sw_io *from, json_object *slot,
			const char *undo_path, bool write, struct sw_error *err);

/*
 * What an undo file says of its disk; without write only looked at. from: the disk that a
 * copy came from, which may be io itself.
 */
int sw_rescue_undo_io(struct sw_io *io, struct sw_io *from, json_object *undo,
		      const char *undo_path, bool write, struct sw_error *err);

int sw_examine_table(struct sw_examine *x, const struct sw_disk *d);
/* What becomes of the partitions of a table, an array as of sw_gpt_read_parts(). */
typedef int (*sw_parts_change)(struct sw_part **parts, size_t *n, const void *arg);
/*
 * A repair for fi that writes the disk's table with that change; advice instead while the
 * table itself is not whole.
 */
int sw_rescue_table_change(struct sw_examine *x, const struct sw_disk *d, struct sw_finding *fi,
			   sw_parts_change change, const void *arg);
/* Partitions that are not what they hold, see parts.c. */
int sw_examine_parts(struct sw_examine *x, const struct sw_disk *d);
/* Whether a slot with its manifest, or node data with a checksum, are there. */
bool sw_rescue_is_slot(struct sw_io *io, uint64_t at, uint64_t size);
bool sw_rescue_is_data(struct sw_io *io, uint64_t at, uint64_t size);
/* How long the file system at this byte says that it is; 0: none that says so. */
uint64_t sw_rescue_fs_size(struct sw_io *io, uint64_t at);
struct sw_journal_head;
struct sw_plan;
/*
 * The journal of the install that is in force on d, and its plan; free both, also after an error.
 * size: of d when it was made, in bytes.
 * -ENOENT and others: there is none that can be read.
 */
int sw_rescue_journal(const struct sw_disk *d, struct sw_io *io, uint64_t size,
		      struct sw_journal_head *ret_head, struct sw_plan **ret_plan);
/* How many slots and node data of the plan are on its disk where it says. */
size_t sw_rescue_plan_agrees(struct sw_io *io, const struct sw_plan *p, unsigned int disk);
/* A whole table, for a disk of size bytes, against the one of the install, see origin.c. */
int sw_examine_origin(struct sw_examine *x, const struct sw_disk *d, struct sw_io *io,
		      uint64_t size);
/* A repair for fi that writes a table from the install's journal or from what is there; none. */
int sw_rescue_rebuild(struct sw_examine *x, const struct sw_disk *d, struct sw_io *io,
		      struct sw_finding *fi);
/* A disk without a GPT on which a node still lies; dos: it has a DOS table instead. */
int sw_examine_gone(struct sw_examine *x, const struct sw_disk *d, struct sw_io *io, bool dos);
/* Another disk that takes the node's place: one with its UUIDs, or with slots by name only. */
int sw_examine_clash(struct sw_examine *x, const struct sw_disk *d);
/* prefix: of the findings' IDs, the disk of a further copy of the node, or NULL. */
int sw_examine_node(struct sw_examine *x, const struct sw_node *n, const char *prefix);
/* The disks' health, the firmware's store, the clock; and what the node needs, see machine.c. */
int sw_examine_machine(struct sw_examine *x);
int sw_examine_needs(struct sw_examine *x, const struct sw_node *n);
/* Rescue image and iPXE, see extras.c. */
int sw_examine_extras(struct sw_examine *x, const struct sw_node *n, const char *prefix);
/* The overlays that slots name, see overlay.c. */
int sw_examine_overlays(struct sw_examine *x, const struct sw_node *n, const char *prefix);
/* Images without a signature under Secure Boot, see secure.c. */
int sw_examine_signatures(struct sw_examine *x, const struct sw_node *n, const char *prefix);
/* Images whose kernel is told no console, see image-console.c. */
int sw_examine_consoles(struct sw_examine *x, const struct sw_node *n, const char *prefix);
/*
 * The image of a slot against the plan of the install that it says it came with, see
 * image-planned.c. io: of the disk; cmdline: of the image, may be NULL.
 */
int sw_examine_image_planned(struct sw_examine *x, const struct sw_node *n,
			     const struct sw_node_slot *s, const char *prefix, struct sw_io *io,
			     const char *cmdline);
/* What is left of a start into the memory test, see memtest.c. */
int sw_examine_memtest(struct sw_examine *x);
/* How the last admission went, see ask.c. */
int sw_examine_admitted(struct sw_examine *x);
/*
 * What the node's servers and NTP say of this machine's clock: more than SW_TIME_AGREE_MS off is
 * the finding "clock", with a repair. -ECANCELED, -ENOMEM.
 */
int sw_examine_clock_by_servers(struct sw_examine *x, const struct sw_node *n,
				const struct sw_sink *sink);
/* What a superblock of ext2, 3 or 4 says. */
struct sw_ext {
	unsigned int state;
	uint32_t incompat, error_count;
	uint32_t log_block;	/* a block is 1024 << log_block bytes */
	uint64_t blocks, free_blocks;
};

/* Whether it was unmounted: JOURNAL is replayed by the next mount that may write. */
enum sw_ext_condition { SW_EXT_CLEAN, SW_EXT_JOURNAL, SW_EXT_UNCLEAN, SW_EXT_ERRORS };
enum sw_ext_condition sw_ext_condition(const struct sw_ext *e);

#define SW_EXT_AT 1024U		/* of the superblock, from the beginning of the file system */
/* The superblock at this byte of io; -ENOENT: there is none. */
int sw_ext_read(struct sw_io *io, uint64_t at, struct sw_ext *ret);
/* What a file system, or an encrypted partition, says that it is. */
struct sw_fs_id {
	const char *type;	/* "ext4" (any ext), "xfs", "btrfs", "vfat", SW_FS_LUKS; static */
	char uuid[SW_GUID_TEXT];	/* as libblkid shows it */
	char first[SW_GUID_TEXT];	/* the one that it was made with, "": it keeps none */
	int64_t made;		/* seconds since 1970, 0: it does not say */
};

/* Of what begins at this byte of io. -ENOENT: none of these. What reading io gives. */
int sw_fs_id(struct sw_io *io, uint64_t at, struct sw_fs_id *ret_id);
/*
 * Where the file system of the state is: on the disk itself, or inside what slipway reads in user
 * space. part: a copy of the partition's with its place on io; its strings are borrowed.
 */
struct sw_state_place {
	struct sw_io *io;	/* borrowed */
	struct sw_part part;
	const char *layer;	/* "a mirror" "an encrypted partition", or NULL */
	struct sw_io *window, *opened;	/* owned */
};
void sw_state_place_clear(struct sw_state_place *p);
/*
 * -ENOENT when it cannot be looked into or is in use; where that is for want of a key, there is a
 * finding for it.
 */
int sw_state_enter(struct sw_examine *x, const struct sw_disk *d, const struct sw_part *p,
		   struct sw_io *io, struct sw_state_place *ret);
/*
 * Whether the partition of the state, and what could be entered of it (inside), is what the
 * install made: see state-anew.c. After what else is found of it.
 */
int sw_examine_state_anew(struct sw_examine *x, const struct sw_disk *d, struct sw_io *io,
			  const struct sw_part *part, const struct sw_state_place *inside);
/* How much of a file system is free, in bytes. */
struct sw_fs_space {
	uint64_t size, free;
	bool full;
	bool likely;	/* an estimate: more may be free than it says */
};

/*
 * Of a "vfat", "xfs" or "btrfs" at this byte of io, as it was when it was last unmounted or
 * synced. -EBADMSG: it is none; -EOPNOTSUPP: it is not told of this one; -ENODATA: it does not
 * say; what reading io gives.
 */
int sw_fs_space(struct sw_io *io, uint64_t at, const char *type, struct sw_fs_space *ret_space);
/* Less than one in fifty. */
bool sw_fs_is_full(uint64_t free_bytes, uint64_t size);
/* The finding of a state that is full, see state-space.c. */
int sw_examine_state_space(struct sw_examine *x, const struct sw_disk *d, const struct sw_part *p,
			   const struct sw_fs_space *space);
/* The file system of the state on a disk, see state.c. */
int sw_examine_state(struct sw_examine *x, const struct sw_disk *d);
/* ---- a file system by its own program (fsck.c) ---- */

/* A repair for fi, or advice where the disk is in use or the program is not there. */
int sw_repair_fsck(struct sw_examine *x, const struct sw_disk *d, const struct sw_fsck *f,
		   struct sw_finding *fi);
int sw_rescue_fsck_run(struct sw_machine *m, const struct sw_repair *r, const char *undo_path,
		       char **ret_told, struct sw_error *err);
json_object *sw_rescue_fsck_json(const struct sw_fsck *f);
/* Without write it is only seen whether that would work. */
int sw_rescue_fsck_undo(struct sw_machine *m, const struct sw_disk *d, json_object *o,
			const char *undo_path, bool write, struct sw_error *err);

/* ---- crash dumps of the kernel in the firmware's store (dumps.c) ---- */

/* Counts them; adds a finding and its repair. low: the store is nearly full. */
int sw_examine_dumps(struct sw_examine *x, bool low, size_t *ret_n);
/* What an undo file has of variables that go; new reference. -ENOMEM. */
int sw_rescue_gone_json(const struct sw_repair *r, json_object **ret_list);
/* Each as a file in UNDO_PATH.vars/. */
int sw_rescue_gone_keep(const struct sw_repair *r, const char *undo_path, struct sw_error *err);
int sw_rescue_gone_take(struct sw_varstore *vars, const struct sw_repair *r,
			struct sw_error *err);
/* Puts them back; without write only checks the file. list may be NULL. */
int sw_rescue_gone_undo(struct sw_varstore *vars, json_object *list, bool write,
			struct sw_error *err);

/*
 * Whether an xfs or btrfs without its first superblock is left in a partition. A new file system
 * leaves much of an older one where it is: MAYBE, and CERTAIN when more than a superblock is there.
 */
enum sw_state_left { SW_LEFT_NOTHING, SW_LEFT_MAYBE, SW_LEFT_CERTAIN };
enum sw_state_left sw_state_other_left(struct sw_io *io, const struct sw_part *p);
/* What is wrong with a FAT ("vfat") or xfs at this byte of io, as its first bytes tell; or NULL. */
const char *sw_state_other_fault(struct sw_io *io, uint64_t at, uint64_t size, const char *type);
int sw_examine_state_other(struct sw_examine *x, const struct sw_disk *d, struct sw_io *io,
			   const struct sw_part *p);	/* see state-other.c */
/* No disk holds a node; l: NULL without UEFI variables. See no-node.c. */
int sw_examine_no_node(struct sw_examine *x, const struct sw_boot_list *l);
int sw_examine_boot(struct sw_examine *x, const struct sw_switch *s);
/* The TPM's count of images, see tpm.c. */
int sw_examine_tpm(struct sw_examine *x, const struct sw_switch *s);
/* What is sealed to the TPM and does not open: secrets and encrypted partitions, see sealed.c. */
int sw_examine_seals(struct sw_examine *x, const struct sw_switch *s);
/* How the node was admitted in this start, see admission.c. */
int sw_examine_admission(struct sw_examine *x, const struct sw_switch *s);
