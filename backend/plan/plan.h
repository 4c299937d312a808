/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan: an ordered list of steps made from facts, answers and a layout.
 * Pure and deterministic, shown before anything is written, bound to the
 * machine, and the only input of apply.
 */
#pragma once

#include "answers/answers.h"
#include "base/secret.h"
#include "boot/modes.h"
#include "disk/select.h"
#include "disk/table.h"
#include "layout/layout.h"
#include "machine/facts.h"

#define SW_PLAN_VERSION 2
#define SW_PLAN_MAX_DISKS 64U
#define SW_PLAN_MAX_LEFT 64U	/* disks that a plan tells why it left: the list is in events */

enum sw_step_kind {
	SW_STEP_FETCH,		/* payload into the work directory; writes nothing to the machine */
	SW_STEP_IMAGE,		/* UKI and slot image in the work directory */
	SW_STEP_KEYS,		/* keys of encrypted partitions, sealed to the TPM */
	SW_STEP_JOURNAL,	/* journal and undo data: the first write */
	SW_STEP_SLOT,		/* a slot's partition image */
	SW_STEP_BLANK,		/* a range left without recognisable content */
	SW_STEP_NODE_DATA,
	SW_STEP_FORMAT,		/* a file system, built in a file and copied */
	SW_STEP_TABLE,		/* commits the new partition table */
	SW_STEP_ASIDE,		/* other names for partitions of other disks: sw_plan.asides */
	SW_STEP_ENTRIES,	/* EFI boot variables */
	SW_STEP_VERIFY,		/* reads everything back */
};

struct sw_step {
	enum sw_step_kind kind;
	unsigned int disk;	/* index into the plan's disks */
	char *title;		/* "Write slot A (512M at 1M)" */
	char *part_label;	/* the partition it concerns, or NULL */
	uint64_t off, len;	/* bytes on the disk; 0,0: none */
	unsigned int weight;	/* estimated cost, for progress */
	char *destroys;		/* words, or NULL */
	char *undo;		/* words: how it is undone */
	char *format;		/* SW_STEP_FORMAT */
};

struct sw_plan_disk {
	char *name;		/* in the layout: "system", "data" */
	/* binding: what must still be true when the plan is applied */
	char *node;		/* hint only; identity is in the next lines */
	char *serial, *wwn, *model;
	uint64_t size, seq;
	uint32_t sector;
	char table_digest[65];
	/* what becomes of it */
	struct sw_guid id;	/* of the new table */
	char new_table_digest[65];
	uint64_t journal_off, journal_len;	/* bytes on the disk */
	char *old_table_text;	/* what is on the disk now, in words, a line each */
	struct sw_part *old_parts;	/* the partitions that the disk has now */
	size_t n_old_parts;
	char *confirm;		/* what a person has to type; NULL: nothing on it can be lost */
	/* why it is this one, for people; NULL and 0 in the plan of an older version */
	char *chosen_by;	/* "disk.match", "disk.match[2]", "disk.more[1].match" */
	char *rule;		/* "serial: S123" */
	struct sw_disk_left *left;	/* others of the machine, on none of which it installs */
	size_t n_left, n_more;	/* told, and those that are only counted */
};

struct sw_placed {
	unsigned int disk;	/* index into the plan's disks */
	unsigned int number;	/* of the partition on it, from 1 */
	char *label;
	char *format;		/* what it holds: see struct sw_layout_part */
	char *copy_blocks;
	uint64_t copy_blocks_size;
	char **copy_files, **make_directories;
	char *entry;		/* a slot: what its boot entry is called */
	enum sw_role role;
	unsigned int encrypt;	/* SW_ENCRYPT_*, 0: off */
	bool kept;		/* it is there and stays as it is: nothing in it is written */
	bool raid;		/* a member of the RAID1 array that all of this label make up */
	uint64_t start, size, attrs;
	struct sw_guid type, uuid;
	char *fs_uuid;		/* kept: of the file system that must still be there */
};

/*
 * Partitions of a disk that is not installed to, which would be taken for the
 * new node's and therefore get other names (disk.conflicts: rename).
 */
struct sw_aside {
	struct sw_plan_disk disk;	/* name (the kernel's) and binding only */
	struct sw_rename {
		unsigned int number;
		char *old_label, *new_label;	/* "" is a name, too */
		struct sw_guid old_uuid, new_uuid;
	} *parts;
	size_t n_parts;
};

/*
 * The system disk comes first; it keeps the journal's records and is committed last.
 * A node without a disk has none of them, nor partitions.
 */
struct sw_plan {
	struct sw_plan_disk *disks;
	size_t n_disks;
	char *boot_id;		/* binding: the disks' numbers count only within this boot */
	char boot_digest[65];
	/* what it does */
	struct sw_answers *answers;
	struct sw_guid seed;
	struct sw_placed *parts;	/* disk by disk, in the order of the layout */
	size_t n_parts;
	struct sw_aside *asides;
	size_t n_asides;
	struct sw_entry_plan entries;
	struct sw_step *steps;
	size_t n_steps;
	char **warnings;	/* NULL-terminated, may be NULL */
	int64_t time;		/* from the facts; goes into manifests */
	/*
	 * Recovery keys in escrow that open what is kept, out of the node data that were there:
	 * an array of objects as the node data have them, or NULL. Read before the first
	 * write, and in the journal from then on, for node data are written anew.
	 */
	json_object *kept_escrow;
	/*
	 * What becomes of the secrets of the node that is there (plan/secrets.h): an array, or
	 * NULL; and those that are taken over, out of its node data, which like kept_escrow are
	 * in the journal: {"secrets": as node data have them, "ssh_host_key": public half}.
	 */
	json_object *old_secrets, *kept_secrets;
	json_object *network;	/* plan/network.h; NULL: the answers say nothing of it */
	/*
	 * The recovery key that a person was shown and has confirmed, or NULL. Only in
	 * memory: it is in no JSON and no journal.
	 */
	struct sw_secret *recovery;
};

/*
 * raw_vars: sw_entries_snapshot() of the machine, NULL on BIOS. old: sw_old_nodes() of it, or
 * NULL.
 */
int sw_plan_build(const struct sw_facts *f, json_object *raw_vars, json_object *old,
		  const struct sw_answers *a, const struct sw_layout *l, struct sw_plan **ret_plan,
		  struct sw_error *err);
/*
 * Whether these answers plan on this machine, and on which disks: the same but for the bytes of the
 * tables, which cost most of it. A rack is checked with this; what it returns cannot be applied.
 */
int sw_plan_try(const struct sw_facts *f, json_object *raw_vars, json_object *old,
		const struct sw_answers *a, const struct sw_layout *l, struct sw_plan **ret_plan,
		struct sw_error *err);
struct sw_plan *sw_plan_free(struct sw_plan *p);
SW_DEFINE_CLEANUP(struct sw_plan, sw_plan_free)
#define _cleanup_plan_ _cleanup_(sw_plan_freep)

/*
 * Where the journal of a disk of this size lies: 4 MiB that end 1 MiB before the
 * (MiB-rounded) end.
 */
#define SW_JOURNAL_LEN (4ULL << 20)
uint64_t sw_plan_journal_offset(uint64_t disk_size);

/*
 * A plan without disks (disk: none) has one journal all the same, in a file that
 * is laid out like a disk of this size.
 */
#define SW_PLAN_FILE_SIZE (6ULL << 20)
size_t sw_plan_journals(const struct sw_plan *p);
/* The bytes of what the journal is on, and where it begins there. */
uint64_t sw_plan_journal_size(const struct sw_plan *p, size_t disk);
uint64_t sw_plan_journal_place(const struct sw_plan *p, size_t disk);

/* The node data that the plan writes, but for keys in escrow; new reference, NULL: no memory. */
json_object *sw_plan_node_data(const struct sw_plan *p);

/*
 * The entries the plan wants, in boot order: one for each slot, its copies on
 * other disks right behind it, then rescue images; *ret_wanted is malloc'd with
 * room for one for each partition, its texts borrowed.
 */
int sw_plan_wanted_entries(const struct sw_plan *p, struct sw_entry_wanted **ret_wanted,
			   size_t *ret_n);

/* The boot entry that leads to a file of one of the plan's partitions; texts borrowed. */
struct sw_entry_wanted sw_plan_entry(const struct sw_plan *p, const struct sw_placed *part,
				     const char *path);
/* What a step of kind SW_STEP_SLOT writes into a partition: its role's image, or nothing. */
bool sw_plan_fills(const struct sw_plan *p, const struct sw_placed *part);

/*
 * The writes of boot variables that give the node its entries and its mode, from
 * what the variables are now; empty in hands-off. -ENOENT: mode network, and the
 * firmware has no entry for the network.
 */
int sw_plan_entries(const struct sw_plan *p, json_object *raw, struct sw_entry_plan *ret_entries,
		    struct sw_error *err);
enum sw_node_mode sw_plan_node_mode(const struct sw_answers *a);
/* What our own variable says once the plan's entries stand; raw: the variables as they are then. */
int sw_plan_mode_state(const struct sw_plan *p, json_object *raw,
		       struct sw_mode_state *ret_state);
/* The node data's "mode", "strategy" and "network", as the mode switch reads them. */
void sw_plan_mode_to_json(const struct sw_answers *a, json_object *o);

/*
 * The node's machine ID as 32 hex digits, as node.machine-id says. -ENODATA: it says nothing;
 * -EIO when libcrypto fails.
 */
int sw_plan_machine_id(const struct sw_plan *p, char ret_hex[static 33]);

/* The same table of one of its disks that the plan's digest was taken of. */
int sw_plan_table(const struct sw_plan *p, size_t disk, struct sw_table_image *ret_image,
		  struct sw_error *err);

/*
 * The array that a partition is a member of: how many members, which one it is
 * (from 0), and the array's size in bytes. False when it is none.
 */
bool sw_plan_array(const struct sw_plan *p, const struct sw_placed *part, unsigned int *ret_members,
		   unsigned int *ret_number, uint64_t *ret_size);

/* The part of this role that comes first on a disk, or NULL. */
const struct sw_placed *sw_plan_find(const struct sw_plan *p, size_t disk, enum sw_role role);


/* Whether a TPM is there that keys can be sealed to: version 2.0, and it answers. */
bool sw_plan_tpm_usable(const struct sw_facts *f);
/* What opens the plan's encrypted partitions, all together: SW_ENCRYPT_*. */
unsigned int sw_plan_encrypts(const struct sw_plan *p);
/* True when the answers give the node secrets, which the install seals to the TPM. */
bool sw_plan_gives_secrets(const struct sw_plan *p);
/* True when the install makes the node's SSH host key, which it seals to the TPM. */
bool sw_plan_makes_host_key(const struct sw_plan *p);
/* True when anything is sealed to the TPM. */
bool sw_plan_seals(const struct sw_plan *p);
/* True when something could be opened by the TPM alone, so that a recovery key is made. */
bool sw_plan_makes_recovery(const struct sw_plan *p);
/*
 * True when a recovery key is still to be shown to a person and confirmed before the plan
 * can be applied: p->recovery is what it waits for.
 */
bool sw_plan_awaits_recovery(const struct sw_plan *p);
/* The error of a plan that awaits it where nobody is there; -EPERM, exit 3. */
int sw_plan_nobody_confirms(struct sw_error *err);
/* The first of the array's members, which gives it its UUIDs; the part itself without an array. */
const struct sw_placed *sw_plan_leader(const struct sw_plan *p, const struct sw_placed *part);

/*
 * Whether every range that a step writes is a partition that this plan makes, or
 * a journal zone, and none touches a partition that is kept. -EPERM.
 */
int sw_plan_check_ranges(const struct sw_plan *p, struct sw_error *err);

const char *sw_step_kind_name(enum sw_step_kind kind);

json_object *sw_plan_to_json(const struct sw_plan *p);
/*
 * exit 3 for what is no plan, exit 4 (-EBADMSG) for one that does not have the
 * digest that it was made with.
 */
int sw_plan_from_json(json_object *o, struct sw_plan **ret_plan, struct sw_error *err);

#define SW_PLAN_DIGEST "digest"
/*
 * sha256 over all that the JSON of a plan says but for this key. -EINVAL, -ELOOP
 * when it is not a plan's.
 */
int sw_plan_digest(json_object *o, char ret_hex[static 65]);
/*
 * The review as text: disk, before and after, what dies, steps, warnings. Lines of
 * at most `width` columns; malloc'd.
 */
char *sw_plan_text(const struct sw_plan *p, unsigned int width);
/*
 * The choice of the disks alone, for those who are told of an install: an array of objects with
 * "name", "node", "serial", "wwn", "model", "size" (bytes), "before" (what is on it, in words),
 * "chosen_by", "rule", "others" (each "name", "serial", "size", "why") and, with more than were
 * told, "more_others". New reference.
 */
json_object *sw_plan_choice_json(const struct sw_plan *p);
/* The same as lines for a log; *ret_lines NULL for a plan without disks. -ENOMEM. */
int sw_plan_choice_lines(const struct sw_plan *p, char ***ret_lines);
