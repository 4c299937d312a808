/* SPDX-License-Identifier: Apache-2.0 */
/* Private to apply/: the state of one run, and the functions that carry out each kind of step. */
#pragma once

#include "apply/journal.h"
#include "base/buf.h"
#include "boot/slot.h"
#include "layout/encrypted.h"

struct sw_run_disk {
	struct sw_io *io;		/* locked */
	struct sw_journal journal;
};

/* The key of an encrypted partition, or of an array's members together. */
struct sw_run_key {
	const struct sw_placed *leader;
	struct sw_secret *key;		/* the volume key */
	char *header;			/* a file in the work directory */
};

struct sw_run {
	struct sw_machine *m;
	struct sw_plan *p;		/* borrowed */
	const struct sw_sink *sink;
	struct sw_run_disk *disks;	/* one for each of the plan's journals */
	char id[65];			/* the journals' (struct sw_journal_head), once open */
	uint64_t without;		/* undo: disks that stay as they are, bit k for disks[k] */
	json_object *vars;		/* boot variables as they were before, or NULL */
	char *work;			/* scratch directory */
	char *kernel, *initrd, *uki, *image, *rescue, *ipxe;	/* files in it */
	char *ca_file;			/* and of the payload's servers; NULL: the system's CAs */
	struct sw_slot_manifest manifest;
	struct sw_buf signatures;	/* of the boot image, under Secure Boot */
	struct sw_run_key *keys;
	size_t n_keys;
	struct {
		char *public;		/* one line, "ssh-ed25519 AAAA… root@node" */
		json_object *secrets;	/* the sealed private half, as node data hold it */
	} host_key;			/* both NULL: none was asked for */
	json_object *site_secrets;	/* those of the answers, sealed, as node data; or NULL */
	char *escrow;			/* the recovery key as ciphertext, base64, or NULL */
	unsigned int step;		/* 1-based, of the step that runs */
	bool resumed;
	bool changed;			/* something was written to the machine */
	bool pcr_signed;		/* the boot image brings a signature by disk.pcr-key */
	bool secure_boot;		/* the firmware refuses what is not signed */
	bool degraded;			/* boot entries could not be written */
};

typedef int (*sw_step_fn)(struct sw_run *run, const struct sw_step *s, struct sw_error *err);

int sw_step_fetch(struct sw_run *run, const struct sw_step *s, struct sw_error *err);
int sw_step_image(struct sw_run *run, const struct sw_step *s, struct sw_error *err);
int sw_step_keys(struct sw_run *run, const struct sw_step *s, struct sw_error *err);
int sw_step_slot(struct sw_run *run, const struct sw_step *s, struct sw_error *err);
/* Checks the fetched rescue image and iPXE for this machine. */
int sw_extras_check(struct sw_run *run, struct sw_error *err);
/* Fetches them; fetch_one is steps-content's. */
int sw_run_fetch(struct sw_run *run, const char *source, const char *sha256,
		 char *const *signatures, const char *name, char **ret_path, struct sw_error *err);
struct sw_fetch;
/*
 * Fetches f->source into f->out as an install does, with the payload's CA and several tries, and
 * logs it as name; to: the path on the node that it is for, or NULL.
 */
int sw_run_get(struct sw_run *run, struct sw_fetch *f, const char *name, const char *to,
	       struct sw_error *err);
int sw_extras_fetch(struct sw_run *run, struct sw_error *err);
/* Notes in node data what sw_extra_build() makes, where no manifest says it. -ENOMEM, -EIO. */
int sw_extras_to_json(const struct sw_run *run, json_object *node_data);
/* The file system for one of their partitions, into the work directory. */
int sw_extra_build(struct sw_run *run, const struct sw_placed *part, char **ret_image,
		   struct sw_error *err);
int sw_step_blank(struct sw_run *run, const struct sw_step *s, struct sw_error *err);
int sw_step_node_data(struct sw_run *run, const struct sw_step *s, struct sw_error *err);
int sw_step_format(struct sw_run *run, const struct sw_step *s, struct sw_error *err);
/* Before the first write: are the tools and sources of all these steps here? exit 5 or 3. */
int sw_formats_check(struct sw_run *run, struct sw_error *err);
/* Reads an array's superblock and an encrypted partition's header again. */
int sw_verify_layers(struct sw_run *run, const struct sw_placed *part, struct sw_error *err);
int sw_step_table(struct sw_run *run, const struct sw_step *s, struct sw_error *err);
int sw_step_aside(struct sw_run *run, const struct sw_step *s, struct sw_error *err);
int sw_step_entries(struct sw_run *run, const struct sw_step *s, struct sw_error *err);
int sw_step_verify(struct sw_run *run, const struct sw_step *s, struct sw_error *err);

/* Takes over keys in escrow that open what is kept; before the journal is written. */
int sw_run_keep_escrow(struct sw_run *run, struct sw_error *err);
/* Keys in escrow, made now and taken over, into new node data. -ENOMEM. */
int sw_run_escrow_to_json(const struct sw_run *run, json_object *node_data);

/* The newest of all node data on the plan's disks, new reference, or NULL. */
json_object *sw_run_newest_node_data(const struct sw_run *run);

#define SW_KEPT_SECRETS_MAX (512U << 10)	/* bytes of JSON: they go into the journal */
/*
 * Takes over the old node's secrets (plan/secrets.h) before the first write, sealed anew where
 * keys->pcr7, as the node will have it, needs it. keys->tcti may be NULL. Exit 4 when one that
 * the review said is kept cannot be.
 */
int sw_run_keep_secrets(struct sw_run *run, const struct sw_layout_keys *keys,
			struct sw_error *err);
bool sw_run_has_kept(const struct sw_run *run, const char *name);
/* Those that were taken over into new node data. */
void sw_run_secrets_to_json(const struct sw_run *run, json_object *node_data);

/*
 * Fetches what node.files names into the work directory, before the first write, and holds it
 * against its size and SHA-256. Exit 5 or 8 when one is not there or not as it should be, 3 for
 * its size.
 */
int sw_run_fetch_files(struct sw_run *run, struct sw_error *err);
/* All of node.files into new node data. */
int sw_run_files_to_json(const struct sw_run *run, json_object *node_data, struct sw_error *err);

/*
 * Reads what the answers' `secrets` name and seals each as a secret of the node, before the first
 * write and after those that are kept. Exit 5 for a source that is not there or that the TPM does
 * not open, 4 (-ENOSPC) past SW_SECRETS_MAX.
 */
int sw_run_seal_site_secrets(struct sw_run *run, const struct sw_layout_keys *keys,
			     struct sw_error *err);
/* Into new node data, in place of what bears the same name. */
void sw_run_site_secrets_to_json(const struct sw_run *run, json_object *node_data);

/* Refuses a plan whose keys cannot be made: no recovery key was confirmed, or it has no step. */
int sw_run_check_keys(const struct sw_run *run, struct sw_error *err);
/* What sw_step_keys() made for a partition, or NULL. */
const struct sw_run_key *sw_run_key(const struct sw_run *run, const struct sw_placed *part);
void sw_run_clear_keys(struct sw_run *run);

/*
 * Makes the SSH host key and seals it to PCR 7, as keys->pcr7 says (NULL: as it is). Exit 5
 * without ssh-keygen or a TPM that seals.
 */
int sw_run_make_host_key(struct sw_run *run, const struct sw_layout_keys *keys,
			 struct sw_error *err);
/* What was made into new node data. */
void sw_run_host_key_to_json(const struct sw_run *run, json_object *node_data);
void sw_run_clear_host_key(struct sw_run *run);

/* The partition that a step works on, or NULL. */
static inline const struct sw_placed *sw_run_part(const struct sw_run *run, const struct sw_step *s)
{
	for (size_t i = 0; i < run->p->n_parts; i++)
		if (run->p->parts[i].disk == s->disk && run->p->parts[i].start == s->off)
			return &run->p->parts[i];
	return NULL;
}

/* The disk that a step works on. */
static inline struct sw_io *sw_run_io(const struct sw_run *run, const struct sw_step *s)
{
	return run->disks[s->disk].io;
}

/*
 * The disk of these facts that one of the plan's is bound to; NULL when it is
 * not here (or not alone).
 */
const struct sw_disk *sw_bound_disk(const struct sw_plan *p, size_t disk, const struct sw_facts *f);

/* The same for any disk that the plan names. */
const struct sw_disk *sw_bound_to(const struct sw_plan *p, const struct sw_plan_disk *pd,
				  const struct sw_facts *f);

/*
 * Whether the disks on which partitions get other names are still as planned;
 * from that step on their tables may be either.
 */
int sw_asides_check(const struct sw_plan *p, const struct sw_facts *f, bool resumed,
		    unsigned int started, struct sw_error *err);
/* Undo: the boot variables; what is no longer as the install left it stays, and is logged. */
int sw_undo_vars(struct sw_machine *m, const struct sw_journal_info *info,
		 const struct sw_sink *sink, struct sw_error *err);
/*
 * Undo: the old names again, of those in this set (sw_undo_names). What cannot be done is
 * logged; returns what may still be done when the disk is here or well again.
 */
uint64_t sw_asides_restore(struct sw_run *run, const struct sw_facts *f, uint64_t which);

/*
 * Whether each disk is still as it was planned on, but for run->without; ret_disks:
 * room for one for each of the plan's, borrowed from f. started: the number of the
 * step that the journal says was running, 0 for a first run; from its table step on
 * a disk's table may be anything.
 */
int sw_binding_check(const struct sw_run *run, const struct sw_facts *f, unsigned int started,
		     const struct sw_disk **ret_disks, struct sw_error *err);

/*
 * Locks first and looks afterwards, so that nothing can change between look and
 * write: every disk of the plan, in the plan's order. ret_disks as above.
 */
int sw_run_open_disks(struct sw_run *run, unsigned int started, struct sw_facts **ret_facts,
		      const struct sw_disk **ret_disks, struct sw_error *err);
/* The disks that the plan names and the boot variables, afresh. */
int sw_run_look(struct sw_run *run, struct sw_facts **ret_facts, struct sw_error *err);
/* Lets go of all locks. */
void sw_run_close_disks(struct sw_run *run);

/*
 * The file that stands for the disk of a plan without one; writable: made when it
 * is not there, and locked. -ENOENT.
 */
int sw_diskless_open(const struct sw_machine *m, bool writable, struct sw_io **ret_io,
		     struct sw_error *err);

/* Opens the journals of all open disks again, each of which must be of this plan. */
int sw_run_reopen_journals(struct sw_run *run, struct sw_error *err);
/*
 * Undo: those of run->without that are here, are as an undo has left them and have
 * their journal, so that they can be told how it ends. What cannot be opened is left out.
 */
void sw_run_open_witnesses(struct sw_run *run, const struct sw_facts *f, uint64_t which);

/*
 * A record on the system disk, which counts; what ends or reverses a run is
 * first noted on the others too, so that each can tell when it is alone. Disks that
 * are not open are passed over.
 */
int sw_run_note(struct sw_run *run, enum sw_record_kind kind, uint64_t step);

/*
 * On a resume or undo with the journals open: refuses a disk whose table is not
 * one that the plan can have left behind. -ESTALE then.
 */
int sw_table_check_predicted(struct sw_run *run, size_t disk, struct sw_error *err);

/*
 * Whether an undo leaves the boot entries alone: the journal is alone, and its system disk
 * is here and has other uses.
 */
bool sw_undo_keeps_vars(const struct sw_journal_info *info);
/* What an undo without these disks will still owe when it has ended well. */
uint64_t sw_undo_leaves(const struct sw_journal_info *info, uint64_t without);

/* The 1-based number of the plan's first step of this kind, UINT_MAX when there is none. */
unsigned int sw_plan_step_number(const struct sw_plan *p, enum sw_step_kind kind);
/* The same of the step that commits this disk's table. */
unsigned int sw_plan_table_step(const struct sw_plan *p, size_t disk);
