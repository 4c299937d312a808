/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Encryption, arrays and volume groups, put together to look into what they hold. Every member is
 * reached through a loop device that is read-only, so neither the kernel's drivers nor mdadm, lvm
 * or libcryptsetup can write to a disk, whatever they try; and what stands on such a loop is
 * slipway's, by which it is found again and ended, also after a crash.
 */
#pragma once

#include "base/buf.h"
#include "base/json.h"
#include "base/secret.h"
#include "machine/machine.h"

enum sw_stack_kind { SW_STACK_NONE, SW_STACK_LUKS, SW_STACK_MD, SW_STACK_LVM };

#define SW_STACK_NAME 128
#define SW_STACK_MEMBERS_MAX 64U

/* One of the places that belong together. */
struct sw_stack_member {
	const struct sw_disk *disk;	/* borrowed from the facts */
	unsigned int number;		/* 0: the disk as a whole */
	uint64_t start, size;		/* bytes */
};

struct sw_stack {
	enum sw_stack_kind kind;
	char name[SW_STACK_NAME];	/* of the group or array; of the first member, in LUKS */
	size_t n;
	struct sw_stack_member members[SW_STACK_MEMBERS_MAX];	/* first what was asked for */
};

/* "" "luks" "md" "lvm": for JSON and the console. */
const char *sw_stack_kind_name(enum sw_stack_kind kind);

/*
 * What the partition (0: the disk) is a part of, and all that belongs to it, by the facts alone.
 * -ENODATA (exit 5): it holds none of these; -ENOENT (exit 5): there is no such partition; -E2BIG
 * (exit 5) for more than SW_STACK_MEMBERS_MAX members.
 */
int sw_stack_find(const struct sw_facts *f, const char *disk, unsigned int number,
		  struct sw_stack *ret_stack, struct sw_error *err);

struct sw_stack_how {
	const struct sw_secret *key;	/* of LUKS, as it opens; NULL: what the TPM gives */
	bool degraded;			/* an array or group also without members that are away */
};

/*
 * Puts it together, read-only; what is together already stays so. Exit 4: the key opens nothing,
 * or members are away; 5: this machine cannot (a stand-in, no root, no driver, no program); 6: the
 * program refused. On failure nothing stays.
 */
int sw_stack_open(struct sw_machine *m, const struct sw_stack *s, const struct sw_stack_how *how,
		  struct sw_error *err);

/*
 * What is open now: [{"disk": "dm-0", "name": "vg0-root", "device": "/dev/dm-0", "size",
 * "from": [{"disk", "number"}]}], from: what it stands on, of which there may be several; new
 * reference. Nothing on a machine that is not real.
 */
int sw_stack_opened(struct sw_machine *m, json_object **ret_list, struct sw_error *err);

/* The same, each with "content": what it holds, in words, where it holds anything. Facts are read
 * afresh for that, for what was opened is a device since. */
int sw_stack_contents(struct sw_machine *m, json_object **ret_list, struct sw_error *err);

/*
 * Looks into what is open, which the facts name without looking: tables and contents, so that
 * partitions and files are found there as on a disk. Fails only for want of memory.
 */
int sw_stack_inspect(struct sw_machine *m, struct sw_facts *f);

/*
 * Ends all that is open, and nothing else. ret_n: how much there was; may be NULL. -EBUSY (exit 4)
 * when something uses it: the rest is ended.
 */
int sw_stack_close(struct sw_machine *m, size_t *ret_n, struct sw_error *err);
