/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is wrong with a node, and putting it right. Examining only reads. Each
 * finding says what it rests on, what it leads to and how sure it is; a repair is
 * a list of writes that is shown first, saved for undo, and looked at again.
 */
#pragma once

#include "base/event.h"
#include "boot/switch.h"

enum sw_severity { SW_FINDING_INFO, SW_FINDING_WARNING, SW_FINDING_ERROR };
enum sw_sure { SW_SURE_CERTAIN, SW_SURE_LIKELY };

/* One run of bytes on a disk, before and after. */
struct sw_rescue_bytes {
	/* NULL: the repair's own. It may be named as well: undo goes back through those in turn. */
	const struct sw_disk *disk;
	uint64_t off;
	size_t len;
	uint8_t *old, *now;
	char text[80];
};

/*
 * What is copied from one place to another of the same size, perhaps on another disk of
 * the node: a FAT file system (of which what is in use is taken) or a run of bytes that
 * begins with a header.
 */
struct sw_rescue_copy {
	const struct sw_disk *from_disk;	/* borrowed from the facts */
	uint64_t from, to, len;	/* bytes; len 0: nothing is copied */
	uint32_t header;	/* so many bytes are written last; 0: a FAT file system */
	/* A whole slot in a file of a scratch directory in place of from_disk; owned, or NULL. */
	char *file, *dir;
	char from_name[64], to_name[64];	/* for people: "slipway-a", "slipway-ipxe of sda" */
};

/* A variable that is taken away; its content is kept for whoever wants to read it. */
struct sw_rescue_var {
	struct sw_guid guid;
	char name[80];
	uint8_t *data;
	size_t len;
	uint32_t attrs;
};

/* A file system that its own program repairs: a partition of the repair's disk. */
struct sw_fsck {
	enum { SW_FSCK_NONE, SW_FSCK_EXT, SW_FSCK_FAT, SW_FSCK_XFS, SW_FSCK_BTRFS } kind;
	unsigned int number;
	uint64_t start, size;	/* bytes on the disk */
	uint32_t backup, block;	/* EXT: of a superblock, and the block size; 0: the first one */
};

struct sw_repair;
struct sw_finding;

/* An image that somebody names for a slot. All borrowed. */
struct sw_rescue_image {
	/* Of a unified kernel image, as in payload.h, or stick:/FILE of the operator's stick. */
	const char *source;
	const char *sha256;	/* its hash, or NULL */
	char *const *signatures;	/* where they are; NULL: beside it */
	const char *ca;		/* PEM, the only CA that an https server is believed; NULL: any */
	bool trust_none;	/* nobody has to have signed it */
};

/* What a person has to give for a repair; it goes into no file and no message. */
enum sw_repair_needs {
	SW_NEEDS_NOTHING,
	SW_NEEDS_KEY,		/* the recovery key, or the content of a key file */
	SW_NEEDS_SECRET,	/* what was sealed, again */
	SW_NEEDS_TOKEN,		/* of an admission */
};

/* What a repair whose writes come out of what is given works on. All borrowed. */
struct sw_rescue_ask {
	struct sw_machine *m;
	const struct sw_facts *f;
	struct sw_varstore *vars;
	json_object *raw;
	const char *disk;	/* the node's, or NULL */
	const struct sw_secret *given;	/* NULL: nothing */
	const struct sw_sink *sink;	/* of what a repair does elsewhere: told, polled; or NULL */
};

struct sw_repair {
	char text[200];		/* what it does, for people */
	const struct sw_disk *disk;	/* borrowed from the facts; of bytes, from and to */
	struct sw_rescue_bytes *bytes;	/* written in this order, a flush after each */
	size_t n_bytes;
	struct sw_entry_plan vars;
	struct sw_mode_state state;	/* our variable afterwards */
	bool state_changed;
	struct sw_rescue_copy copy;
	struct sw_rescue_var *gone;
	size_t n_gone;
	struct sw_fsck fsck;
	char **said;		/* what its program says that it would do */
	size_t n_said;
	bool no_undo;		/* it cannot be taken back */
	const char *loses;	/* what it may cost, in words; static, NULL: nothing */
	char *confirm;		/* what a person has to type then: of the disk, see disk/select.h */
	/* ---- of those that are worked out when they are wanted ---- */
	enum sw_repair_needs needs;
	char subject[72];	/* the secret, the partition's label, the kind of admission */
	char asks[120];		/* what for, for people: "recovery key of state" */
	char before[160], after[160];	/* what changes, in words; "": the writes above say it */
	const struct sw_part *part;	/* borrowed from the facts, or NULL */
	const struct sw_rescue_image *image;	/* borrowed; NULL: it takes none */
	/* Works out the bytes. Writes nothing. NULL: they are there already. */
	int (*prepare)(const struct sw_rescue_ask *q, struct sw_repair *r, struct sw_error *err);
	/* In place of writing, for what happens elsewhere and cannot be taken back; or NULL. */
	int (*carry_out)(const struct sw_rescue_ask *q, struct sw_repair *r, struct sw_error *err);
};

/* Whether it can be a source of an image; exit 3. Nothing is looked for. */
int sw_rescue_image_check(const char *source, struct sw_error *err);
/* True when it is a damaged slot, which sw_rescue_offer_image() can fill. */
bool sw_rescue_takes_image(const struct sw_finding *fi);
/* True when it is an encrypted state that was not looked into, for want of its key. */
bool sw_rescue_takes_key(const struct sw_finding *fi);
/*
 * Makes the finding's repair one that fills the slot from this image. Nothing is fetched yet: that
 * is its prepare, which leaves the machine alone as well. Refusals: exit 3 the source, 4 nobody
 * vouches or it is older than the good one, 8 hash or signature, 10 network.
 */
int sw_rescue_offer_image(const struct sw_rescue_ask *q, const struct sw_rescue_image *image,
			  struct sw_finding *fi, struct sw_error *err);

/* "", "key", "secret", "token": for JSON and the console. */
const char *sw_repair_needs_name(enum sw_repair_needs n);

struct sw_finding {
	char id[64];		/* "nvme0n1/gpt-backup", "boot-order"; stable between runs */
	enum sw_severity severity;
	enum sw_sure sure;
	bool asked;		/* servers said so: seen only when they are asked */
	char what[160], evidence[320], effect[200];
	char advice[240];	/* what a person can do where there is no repair, or "" */
	struct sw_repair *repair;	/* NULL: none */
};

struct sw_findings {
	struct sw_finding *v;	/* the worst first */
	size_t n;
	/*
	 * The node that was looked at: {"disk", "hostname"} and what sw_why_make() says;
	 * NULL: none was found.
	 */
	json_object *node;
};

/* How an encrypted state is looked into: by this key, as it opens, or by the TPM. */
struct sw_rescue_inside {
	const struct sw_secret *key;	/* borrowed; NULL: what the TPM gives */
	/* What came of it, added to; borrowed; or NULL. */
	struct sw_rescue_opened {
		unsigned int n;		/* that were opened */
		struct sw_error why;	/* of the first that was not; r 0: there is none */
	} *opened;
};

/*
 * Reads every disk's table, the node's slots, its data and the boot variables
 * (vars and raw NULL: no UEFI variables). disk: the node's, when several have one,
 * or NULL. known: what sw_switch_open() made of the same vars, raw and disk, which saves
 * hashing every image again; or NULL. inside: NULL leaves an encrypted state closed. Fails only
 * when it cannot look; what it finds is never an error.
 */
int sw_rescue_examine(struct sw_machine *m, const struct sw_facts *f, struct sw_varstore *vars,
		      json_object *raw, const char *disk, const struct sw_switch *known,
		      const struct sw_rescue_inside *inside, struct sw_findings *ret_findings,
		      struct sw_error *err);
/*
 * Asks the node's boot server, in mode network, and those of its admission, and adds what is
 * wrong. Nothing is written, and no secret or proof is sent; up to 10 s for each. sink: told of
 * each before it is asked, polled between them; or NULL. Cancelled: -ECANCELED.
 */
int sw_rescue_ask_servers(struct sw_machine *m, const struct sw_facts *f, const char *disk,
			  const struct sw_sink *sink, struct sw_findings *l, struct sw_error *err);
void sw_findings_clear(struct sw_findings *l);
#define _cleanup_findings_ _cleanup_(sw_findings_clear)
const struct sw_finding *sw_findings_get(const struct sw_findings *l, const char *id);
/* The worst of them; INFO when there is none. */
enum sw_severity sw_findings_worst(const struct sw_findings *l);

const char *sw_severity_name(enum sw_severity s);	/* "info" "warning" "error" */
const char *sw_sure_name(enum sw_sure s);		/* "certain" "likely" */
json_object *sw_finding_to_json(const struct sw_finding *fi);

/*
 * Saves what it is about to overwrite into the new file undo_path (0600), and what
 * a copy covers into UNDO_PATH.slot, which is as large as what is copied, a slot that
 * comes out of a file into UNDO_PATH.image, and
 * variables that go as files into UNDO_PATH.vars/, what e2fsck overwrites into
 * UNDO_PATH.e2undo and what it said into UNDO_PATH.log;
 * NULL: nothing is saved. Then writes and reads back. -EEXIST when there is such a
 * file. sink: polled until the first write (-ECANCELED, exit 130, and nothing was
 * changed), told of that (SW_EVENT_START) and of how far a copy is; or NULL.
 * ret_told: what a program that repaired said, in our words, malloc'd, or NULL.
 * Cut off anywhere, the finding is there again and can be repaired again.
 */
int sw_rescue_repair(struct sw_machine *m, struct sw_varstore *vars, const struct sw_repair *r,
		     const char *undo_path, const struct sw_sink *sink, char **ret_told,
		     struct sw_error *err);

/*
 * Takes a repair back from its file at undo_path, whose content is undo. Every
 * sector must hold what the repair wrote or what was there before it (-ESTALE
 * otherwise, nothing written): so an undo that was cut off is simply repeated.
 * vars may be NULL when the file names none.
 */
int sw_rescue_undo(struct sw_machine *m, const struct sw_facts *f, struct sw_varstore *vars,
		   json_object *undo, const char *undo_path, struct sw_error *err);
