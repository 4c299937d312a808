/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A shell inside the node's state: which partition that is, how it is opened, the processes, and
 * that nothing stays. Mount, decryption and loop device are made so that the kernel itself takes
 * them away with the last process of the shell, whoever is killed.
 *
 *	find -> unlock -> (the caller: sw_shell_prepare()) -> start -> go -> wait -> close
 */
#pragma once

#include <signal.h>

#include "base/buf.h"
#include "base/secret.h"
#include "machine/loop.h"
#include "machine/machine.h"

#define SW_INSIDE_LABEL "state"

/* Whether it was unmounted; what is not clean is said before it is opened for writing. */
enum sw_inside_condition {
	SW_INSIDE_CLEAN,
	SW_INSIDE_JOURNAL,	/* the first mount that may write replays its journal */
	SW_INSIDE_DAMAGED,
	SW_INSIDE_UNKNOWN,	/* not decrypted yet, or nothing is known of such a one */
};

struct sw_inside {
	struct sw_machine *m;	/* borrowed, as disk and part, which are within the facts */
	const struct sw_disk *disk;
	const struct sw_part *part;
	bool write, damaged;	/* asked for: to write, and also onto what is damaged */
	bool mirror, encrypted, seal;	/* seal: a TPM may open it */
	uint64_t start, size;	/* bytes on the disk: the partition, or what a member holds */
	char fs[16];		/* as libblkid calls it; "" while it is encrypted */
	enum sw_inside_condition condition;

	/* while it is open */
	int lock, map;		/* descriptors, or -EBADF */
	struct sw_loop loop;
	char *device;		/* what is mounted */
	char *place;		/* where; in the shell's own namespace only */
	bool root;		/* it holds a system, and the shell is that one's */
	bool cut;		/* the shell was hung up */
	pid_t pid;		/* of the first process in there, 0: none */
	int said, go;		/* pipes to it */
};

/*
 * The partition "state" of the disk of this name (NULL: of the only disk that has one, or any
 * member of a mirror), what it holds and in which condition; nothing is opened yet. Exit 5: there
 * is none; 4: several, or a member of a mirror is to be written.
 */
int sw_inside_find(struct sw_machine *m, const struct sw_facts *f, const char *disk, bool write,
		   bool damaged, struct sw_inside *ret_inside, struct sw_error *err);
/* What was found and what will be done, in words for a person, added to b. -ENOMEM. */
int sw_inside_text(const struct sw_inside *i, struct sw_buf *b);

/* The passphrase that the TPM gives for it. Exit 5 when it gives none. */
int sw_inside_ask_tpm(struct sw_inside *i, struct sw_secret **ret_key, struct sw_error *err);
/*
 * Takes the partition: nobody may have it mounted, and only one shell is in it. key: what opens an
 * encrypted one, else NULL. -EPERM: it is the wrong one, another may be tried. A damaged file
 * system is not opened for writing without i->damaged (exit 4).
 */
int sw_inside_unlock(struct sw_inside *i, const struct sw_secret *key, struct sw_error *err);
/*
 * Mounts it in a mount and a process namespace of its own, and looks whether it holds a system
 * whose /bin/sh runs: i->root. tty: the shell's, else -1; the shell waits for sw_inside_go().
 */
int sw_inside_start(struct sw_inside *i, int tty, struct sw_error *err);
void sw_inside_go(struct sw_inside *i);
/*
 * Until the shell has ended; hung up when *stop becomes true or the terminal does. unblocked: the
 * signals to wait with.
 */
void sw_inside_wait(struct sw_inside *i, int tty, const sigset_t *unblocked,
		    const volatile sig_atomic_t *stop);
/*
 * Ends what is left in there, and sees that the kernel holds nothing of it any more. Exit 7 when it
 * does. To be called after any of the above; more than once is fine.
 */
int sw_inside_close(struct sw_inside *i, struct sw_error *err);

/* ---- the parts that only choose, for tests of their own ---- */

/* Options for mount(2): what never writes, not even a journal; "" for one that has none. */
const char *sw_inside_options(const char *fs, bool write);
/* Whether it may be opened so. Exit 4 when not. */
int sw_inside_judge(const struct sw_inside *i, struct sw_error *err);
