/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An encrypted partition sealed to the TPM again, after the firmware, Secure Boot or the
 * signer of the node's image has changed. Nothing is taken away before something else opens.
 */
#pragma once

#include "base/secret.h"
#include "boot/switch.h"
#include "rescue/mirror.h"
#include "tpm/eventlog.h"

/*
 * The encrypted partition of this label, on the disk of this name (NULL: on any): LUKS, or a member
 * of a mirror that holds it, then the first that is met. -ENOENT (exit 5), -ENOTUNIQ (exit 4): it
 * is on several disks, and these are no mirror; -EMEDIUMTYPE (exit 4): it is not encrypted.
 */
int sw_reseal_find(struct sw_machine *m, const struct sw_facts *f, const char *disk,
		   const char *label, const struct sw_disk **ret_disk,
		   const struct sw_part **ret_part, struct sw_error *err);
struct sw_luks_seal;
/* sw_luks_seals() of p, which may be a member of a mirror: of that one alone. -errno. */
int sw_reseal_seals(struct sw_machine *m, const struct sw_disk *d, const struct sw_part *p,
		    struct sw_luks_seal **ret_seals, size_t *ret_n);
/* What the partition p of an open disk holds, behind the superblock of a mirror, as io. -errno. */
int sw_reseal_enter(struct sw_io *disk, const struct sw_part *p, struct sw_io **ret_io);

/*
 * The PCR 7 that the firmware gives a system when it starts an image: that in a file, or (image
 * NULL) the one in the slot of s that is started first; *ret_letter is then the slot's, else 0.
 * log: a path. Exit 5 or 8 when that cannot be told.
 */
int sw_reseal_foretell(const struct sw_switch *s, const char *image, const char *log,
		       struct sw_pcr7 *ret_pcr7, char *ret_letter, struct sw_error *err);
/* Says why sw_eventlog_pcr7() could not tell it: r is what it returned. */
int sw_pcr7_failed(int r, const char *image, struct sw_error *err);

struct sw_reseal {
	struct sw_machine *m;
	const struct sw_disk *disk;
	const struct sw_part *part;
	struct sw_mirror places;	/* sw_mirror_find() */
	const struct sw_secret *key;	/* a recovery key or the content of a key file */
	const struct sw_pcr7 *pcr7;	/* as the node will have it; NULL: as it is */
};

struct sw_resealed {
	bool measured;		/* see struct sw_sealed */
	bool later;		/* only the node can try it: the older seals were left */
	uint8_t pcr7[32];	/* what it is sealed to */
	unsigned int removed, kept;	/* older seals */
};

/*
 * Makes the new header alone: with the new seal, tried unless only the node can, and without the
 * older ones that sw_reseal_run() would remove; shows it, in a scratch file, with what is at each
 * of the places.
 */
int sw_reseal_make(const struct sw_reseal *w,
		   int (*use)(struct sw_io *const *at, size_t n, const char *file, void *arg),
		   void *arg, struct sw_error *err);

/*
 * Adds the new seal, tries it (unless only the node can), writes it and reads it back; only
 * then removes the older ones. Exit 4 for a wrong key or a PCR 7 that is not what the log says,
 * 5 when the TPM refuses, 7 when the disk failed in between: the key given still opens it.
 */
int sw_reseal_run(const struct sw_reseal *w, struct sw_resealed *ret_done, struct sw_error *err);
