/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking into file systems without mounting them: FAT through mtools, ext2, ext3 and ext4 through
 * debugfs(8), which opens read-only unless it is told otherwise. Nothing is written, no journal is
 * replayed, and no driver of the kernel sees the file system, so a broken one can do no harm.
 */
#pragma once

#include "base/buf.h"
#include "machine/machine.h"

enum sw_volume_kind { SW_VOLUME_NONE, SW_VOLUME_FAT, SW_VOLUME_EXT };

/* A file system on a disk. */
struct sw_volume {
	enum sw_volume_kind kind;
	char *device;		/* path of the disk's node */
	uint64_t offset;	/* bytes, where the file system begins */
};

enum sw_entry_kind { SW_ENTRY_FILE, SW_ENTRY_DIR, SW_ENTRY_LINK, SW_ENTRY_OTHER };

struct sw_entry {
	char *name;		/* as it stands there: any bytes but '/' and NUL */
	enum sw_entry_kind kind;
	uint64_t size;		/* bytes; of a directory 0 */
	uint64_t inode;		/* ext only */
};

struct sw_listing {
	struct sw_entry *v;	/* directories first, then by name */
	size_t n;
	bool cut;		/* there are more than could be listed */
};

void sw_volume_clear(struct sw_volume *v);
#define _cleanup_volume_ _cleanup_(sw_volume_clear)
void sw_listing_clear(struct sw_listing *l);
#define _cleanup_listing_ _cleanup_(sw_listing_clear)

/*
 * The file system on partition `number` of the disk with this name (0: on the disk as a whole), for
 * a RAID1 member what it holds. Exit 5 when there is none that can be looked into, with the reason:
 * encrypted, xfs, nothing.
 */
int sw_volume_find(struct sw_machine *m, const struct sw_facts *f, const char *disk,
		   unsigned int number, struct sw_volume *ret_volume, struct sw_error *err);

/* path: "/", "/a/b". Exit 5 when it is not there or no directory. */
int sw_volume_list(const struct sw_volume *v, const char *path, struct sw_listing *ret_listing,
		   struct sw_error *err);

/*
 * The content of a plain file of at most max bytes, which counts before anything is read. Exit 3
 * for one that is too large or no plain file, 5 when it is not there.
 */
int sw_volume_read(const struct sw_volume *v, const char *path, size_t max, struct sw_buf *out,
		   struct sw_error *err);

/*
 * Copies it to "stick", a path or an http(s) URL (apply/store.h), at most SW_BUF_MAX bytes. Only
 * that place is written.
 */
int sw_volume_copy(struct sw_machine *m, const struct sw_volume *v, const char *path,
		   const char *where, struct sw_error *err);

/* The FAT file system of the operator's stick; exit 5 when there is none, which names `what`. */
int sw_volume_of_stick(struct sw_machine *m, const char *what, struct sw_volume *ret_volume,
		       struct sw_error *err);

#define SW_IMAGES_MAX 50U
/*
 * The files *.efi of the medium (three folders deep) and the stick (one), as [{"source":
 * "medium:/a.efi" or "stick:/a.efi", "size": bytes}], at most SW_IMAGES_MAX; none when neither is
 * there. -ENOMEM.
 */
int sw_browse_images(struct sw_machine *m, json_object **ret_list, struct sw_error *err);

/* ---- what the tools say, as entries; for tests of their own ---- */

/* The output of mdir(1). -ENOMEM. */
int sw_mdir_parse(const char *text, struct sw_listing *l);
/* That of debugfs' `ls -p`. -ENOMEM. */
int sw_debugfs_parse(const char *text, struct sw_listing *l);
