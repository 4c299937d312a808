/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A slot: a whole FAT32 partition with one bootable file and a manifest. Built
 * as an image file (mkfs.vfat and mtools), written so that every power cut
 * leaves the old slot, an unreadable one, or the new one complete.
 */
#pragma once

#include "base/event.h"
#include "base/io.h"

#define SW_SLOT_BOOT_PATH "\\EFI\\BOOT\\BOOTX64.EFI"
/* A partition with a rescue image in the form of a slot, and its entry. */
#define SW_RESCUE_LABEL "slipway-rescue"
#define SW_RESCUE_ENTRY "Slipway rescue"

struct sw_slot_manifest {
	uint64_t sequence;
	char *build_id;		/* from the UKI's .osrel or its hash */
	char sha256[65];	/* of the UKI */
	char overlay[65];	/* of the overlay kept for it (kept.h), or "" */
	char *version;		/* IMAGE_VERSION of the UKI's .osrel, or NULL */
	char *source;		/* URL or path it came from */
	char *reason;		/* "install", "promote", ... */
	int64_t time;		/* seconds since the epoch; from the plan: reproducible */
};

/*
 * Builds the FAT32 image of exactly `size` bytes (a sparse file) at out with
 * the UKI and the manifest. Reproducible: volume id and times come from the
 * arguments. -ENOSPC says by how much it does not fit.
 */
int sw_slot_build(const char *uki, const struct sw_slot_manifest *m, uint64_t size,
		  uint32_t sector, uint32_t volume_id, const char *label, const char *out,
		  struct sw_error *err);

/* What of an image file must be written: [offset, length) runs of used blocks, 4 KiB units. */
struct sw_extent { uint64_t off, len; };
int sw_image_extents(const char *image, struct sw_extent **ret_extents, size_t *ret_n,
		     struct sw_error *err);

/*
 * Writes the image to io at offset: the reserved sectors (boot sectors and
 * FSInfo, primary and backup) zeroed, flush; body, flush; reserved sectors but
 * the first, flush; the first, flush; cache dropped, read back, compared byte by
 * byte. The body is both FATs whole and the clusters that they say are in use,
 * wherever the image file has holes. After any failure before the last write the
 * slot is unreadable, never half.
 * Progress as SW_EVENT_PROGRESS with the given step number; cancellable before
 * the boot sectors are written.
 */
int sw_slot_write(struct sw_io *io, uint64_t offset, const char *image, unsigned int step,
		  const struct sw_sink *sink, struct sw_error *err);

/*
 * What of a slot image is written: [off, off + len) runs from its beginning, of
 * which the first `boot` bytes make it readable, the first sector last of all.
 */
struct sw_slot_places {
	struct sw_extent *v;
	size_t n;
	uint64_t boot;
	uint32_t first;
};
int sw_slot_places(struct sw_io *image, struct sw_slot_places *ret_places, struct sw_error *err);
void sw_slot_places_clear(struct sw_slot_places *p);
#define _cleanup_slot_places_ _cleanup_(sw_slot_places_clear)

/* sw_slot_write() of these places; the image may be another slot, as a window of its disk. */
int sw_slot_put(struct sw_io *io, uint64_t offset, struct sw_io *image,
		const struct sw_slot_places *p, unsigned int step, const struct sw_sink *sink,
		struct sw_error *err);

/*
 * Any other image (ext4, swap): the first MiB last, same verification. Old
 * signatures in the range (first and last MiB) go first. Holes of the image are
 * not written: what must read as zero has to be data in the image file.
 */
int sw_image_write(struct sw_io *io, uint64_t offset, uint64_t size, const char *image,
		   unsigned int step, const struct sw_sink *sink, struct sw_error *err);

/* Bytes that sw_slot_write() writes for this image; for estimates. */
int sw_slot_payload(const char *image, uint64_t *ret_bytes, struct sw_error *err);

/* Makes a range carry no recognisable content: first and last MiB zeroed, flushed, read back. */
int sw_slot_invalidate(struct sw_io *io, uint64_t offset, uint64_t size, struct sw_error *err);

/* Reads the manifest and checks the UKI's hash in a slot on a disk; own bounded FAT32 reader. */
int sw_slot_read(struct sw_io *io, uint64_t offset, uint64_t size,
		 struct sw_slot_manifest *ret_manifest, bool *ret_hash_ok, struct sw_error *err);

/*
 * Whether a slot begins as a cleared one does: no image was put there yet, or the
 * last one was taken away. What cannot be read is not. -ENOMEM.
 */
int sw_slot_is_blank(struct sw_io *io, uint64_t offset, bool *ret_blank);
/* Copies the boot image of a slot to a new file. -ENOENT, -EIO; exit 8. */
int sw_slot_image(struct sw_io *io, uint64_t offset, uint64_t size, const char *out,
		  struct sw_error *err);
/* The same for who wants its first `head` bytes: behind them the file is a hole, as long as all. */
int sw_slot_image_head(struct sw_io *io, uint64_t offset, uint64_t size, uint64_t head,
		       const char *out, struct sw_error *err);

char *sw_slot_manifest_text(const struct sw_slot_manifest *m);	/* KEY=value lines */
int sw_slot_manifest_parse(const char *text, size_t len, struct sw_slot_manifest *ret_manifest);
void sw_slot_manifest_clear(struct sw_slot_manifest *m);
