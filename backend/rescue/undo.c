/* SPDX-License-Identifier: Apache-2.0 */
/* Taking a repair back: first every place is looked at, then all are written. */
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "boot/hex.h"
#include "rescue/private.h"

#define BYTES_MAX (4u << 20)	/* of one place; a repair writes far less */

struct piece {
	const struct sw_disk *disk;
	uint64_t off;
	uint8_t *old;
	size_t len;
	const char *now;	/* sha256, borrowed */
};

static int bad(struct sw_error *err, const char *why)
{
	sw_fail(err, SW_EXIT_INVALID, -EINVAL, "this is not an undo file of slipway doctor");
	sw_error_why(err, "%s", why);
	return -EINVAL;
}

static const struct sw_disk *find_disk(const struct sw_facts *f, json_object *o)
{
	const char *serial = sw_json_str(o, "serial", NULL), *name = sw_json_str(o, "disk", "");
	const struct sw_disk *one = NULL;

	for (size_t i = 0; i < f->n_disks; i++) {
		const struct sw_disk *d = &f->disks[i];

		if (d->size != sw_json_u64(o, "size", 0) ||
		    (serial ? !d->serial || strcmp(d->serial, serial) != 0
			    : strcmp(d->name, name) != 0))
			continue;
		if (one)
			return NULL;
		one = d;
	}
	return one;
}

static int read_piece(const struct sw_facts *f, json_object *o, struct piece *p,
		      struct sw_error *err)
{
	const char *old = sw_json_str(o, "old", "");

	p->now = sw_json_str(o, "new_sha256", "");
	p->off = sw_json_u64(o, "offset", UINT64_MAX);
	if (!sw_sha256_is_hex(p->now) || strlen(old) > 2 * (size_t)BYTES_MAX ||
	    sw_hex_decode(old, &p->old, &p->len) < 0 || p->len == 0)
		return bad(err, "a place on a disk is not described whole");
	p->disk = find_disk(f, o);
	if (!p->disk) {
		sw_fail(err, SW_EXIT_MISSING, -ENOENT, "the repaired disk is not here");
		sw_error_why(err, "serial %s, %s", sw_json_str(o, "serial", "-"),
			     sw_json_str(o, "disk", "-"));
		return -ENOENT;
	}
	return p->off > p->disk->size || p->len > p->disk->size - p->off
		       ? bad(err, "a place lies past the end of its disk") : 0;
}

static int on_disk(struct sw_machine *m, const struct piece *p, bool write, struct sw_error *err)
{
	_cleanup_io_ struct sw_io *io = NULL;
	_cleanup_free_ uint8_t *d = malloc(p->len);
	char now[SW_SHA256_TEXT];
	int r = d ? sw_machine_open_disk(m, p->disk, write, write, &io, err) : -ENOMEM;

	if (r < 0)
		return r;
	r = sw_io_read(io, p->off, d, p->len);
	if (r == 0)
		r = sw_sha256(d, p->len, now);
	if (r == 0 && strcasecmp(now, p->now) != 0) {
		sw_fail(err, SW_EXIT_REFUSED, -ESTALE, "the disk was changed since the repair");
		sw_error_where(err, "%s at byte %llu", p->disk->name, (unsigned long long)p->off);
		return -ESTALE;
	}
	if (r == 0 && write)
		r = sw_io_write(io, p->off, p->old, p->len);
	if (r == 0 && write)
		r = sw_io_flush(io);
	return r < 0 ? sw_fail_errno(err, SW_EXIT_FAILED, r, "the repair cannot be taken back") : 0;
}

static int undo_bytes(struct sw_machine *m, const struct sw_facts *f, json_object *list,
		      bool write, struct sw_error *err)
{
	size_t n = list ? json_object_array_length(list) : 0;
	int r = 0;

	for (size_t i = n; r == 0 && i > 0; i--) {
		struct piece p = {};

		r = read_piece(f, json_object_array_get_idx(list, i - 1), &p, err);
		if (r == 0)
			r = on_disk(m, &p, write, err);
		free(p.old);
	}
	return r;
}

static int undo_vars(struct sw_varstore *vars, json_object *list, bool write, struct sw_error *err)
{
	size_t n = list ? json_object_array_length(list) : 0;
	int r = 0;

	for (size_t i = n; r == 0 && i > 0; i--) {
		struct sw_entry_write w = {};

		if (sw_entry_write_from_json(json_object_array_get_idx(list, i - 1), &w) < 0)
			return bad(err, "a boot variable is not described whole");
		if (!vars)
			r = sw_fail(err, SW_EXIT_MISSING, -EOPNOTSUPP,
				    "there are no boot variables");
		else if (write)
			r = sw_entry_write_undo(vars, &w, err);
		sw_entry_write_clear(&w);
	}
	return r;
}

int sw_rescue_undo(struct sw_machine *m, const struct sw_facts *f, struct sw_varstore *vars,
		   json_object *undo, struct sw_error *err)
{
	json_object *bytes = sw_json_array(undo, "bytes");
	json_object *list = sw_json_array(undo, "variables");
	int r = 0;

	if (sw_json_u64(undo, "slipway_undo", 0) != 1 || !bytes || !list)
		return bad(err, "its first words are others");
	for (int write = 0; r == 0 && write < 2; write++) {
		r = undo_bytes(m, f, bytes, write, err);
		if (r == 0)
			r = undo_vars(vars, list, write, err);
	}
	return r;
}
