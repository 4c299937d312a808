/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boot entries: reading all of them, saying whose they are, and computing the
 * smallest set of writes that leads to the wanted state. Foreign entries and
 * their relative order are never changed. Ours are recognised by partition GUID
 * and path, never by name.
 */
#pragma once

#include "boot/varstore.h"
#include "machine/facts.h"

/* What a slot's entry must say: HD() of the partition and the file path. */
struct sw_entry_wanted {
	const char *label;	/* "Slipway A" */
	unsigned int part_number;
	uint64_t part_start, part_size;	/* in logical sectors, as HD() wants them */
	struct sw_guid part_uuid;
	const char *path;	/* "\\EFI\\BOOT\\BOOTX64.EFI" */
};

enum sw_entry_write_kind { SW_ENTRY_SET, SW_ENTRY_ORDER, SW_ENTRY_NEXT, SW_ENTRY_DELETE };

/* One variable write, in the order in which they must happen (entry, order, next, delete). */
struct sw_entry_write {
	enum sw_entry_write_kind kind;
	char name[16];		/* "Boot0003", "BootOrder", "BootNext" */
	uint8_t *data;		/* new content */
	size_t len;		/* 0: delete */
	uint8_t *old;		/* content before, for undo; NULL, old_len 0: did not exist */
	size_t old_len;
	char text[200];		/* what it means, for people */
};

struct sw_entry_plan {
	struct sw_entry_write *writes;
	size_t n_writes;	/* 0: nothing to do */
};

struct sw_machine;

/* Fills b from the store: entries decoded, classified, digest. Never fails for odd content. */
int sw_entries_read(struct sw_varstore *s, struct sw_bootvars *ret_boot, struct sw_error *err);

/*
 * Pure: from the raw variables (`raw`: an array {name, hex} as
 * sw_entries_snapshot() makes it) and the wanted entries, first to last,
 * computes the writes that give BootOrder = wanted, then everything else in its
 * present order. An existing entry of ours (same partition GUID and path) is
 * reused when its content is right, rewritten in place otherwise. New numbers
 * are the lowest free ones from 0001. boot_next: index into wanted to set as
 * BootNext, -1: leave it alone.
 */
int sw_entries_plan(json_object *raw, const struct sw_entry_wanted *wanted, size_t n_wanted,
		    int boot_next, struct sw_entry_plan *ret_plan, struct sw_error *err);

/*
 * Boot####, BootOrder, BootNext as {"Boot0001": "<hex>", …}; new reference. Input
 * of the pure planner and of the digest.
 */
int sw_entries_snapshot(struct sw_varstore *s, json_object **ret_raw, struct sw_error *err);
/* The same of a machine; nothing is put into *ret_raw where the facts say that it has none. */
int sw_entries_of_machine(struct sw_machine *m, const struct sw_facts *f, json_object **ret_raw,
			  struct sw_error *err);
/* The digest that facts and plans carry: sha256 over the snapshot. */
int sw_entries_digest(json_object *raw, char ret_hex[static 65]);

/*
 * Applies one write and reads it back. Does nothing when the variable holds the
 * new content already (resume). -ESTALE, nothing written, when it holds neither
 * the old nor the new: somebody else changed it since the plan was made (not
 * asked of BootNext, which firmware consumes). -ENOSPC: variable store full;
 * -EROFS; -EBADMSG: firmware did not keep it; -EINVAL, -EIO as the store says.
 */
int sw_entry_write_apply(struct sw_varstore *s, const struct sw_entry_write *w,
			 struct sw_error *err);
/*
 * All of them in order; stops at the first that fails, and then says in err how
 * many were done (exit 7 when that is not zero). ret_done may be NULL.
 */
int sw_entry_plan_apply(struct sw_varstore *s, const struct sw_entry_plan *p, size_t *ret_done,
			struct sw_error *err);
/* Puts the old content back, unless somebody else has written since (-ESTALE). */
int sw_entry_write_undo(struct sw_varstore *s, const struct sw_entry_write *w,
			struct sw_error *err);
/* Puts a variable back to what a snapshot held: hex content, or "" for absence. */
int sw_entry_restore(struct sw_varstore *s, const char *name, const char *hex,
		     struct sw_error *err);
void sw_entry_plan_clear(struct sw_entry_plan *p);

json_object *sw_entry_write_to_json(const struct sw_entry_write *w);
/* -EINVAL for anything but a write of Boot####, BootOrder or BootNext. */
int sw_entry_write_from_json(json_object *o, struct sw_entry_write *ret_write);
void sw_entry_write_clear(struct sw_entry_write *w);

/* The number of a name that is exactly "Boot" and four upper-case hex digits, else -1. */
int sw_entry_number(const char *name);
