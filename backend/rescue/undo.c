/* SPDX-License-Identifier: Apache-2.0 */
/* Taking a repair back: first every place is looked at, then all are written. */
#include <string.h>

#include "base/hex.h"
#include "base/json.h"
#include "boot/varstore.h"
#include "rescue/private.h"

#define BYTES_MAX (4u << 20)	/* of one place; a repair writes far less */

struct piece {
	uint64_t off;
	uint8_t *old, *now;
	size_t len;
};

static void piece_clear(struct piece *p)
{
	free(p->old);
	free(p->now);
}

static int bad(struct sw_error *err, const char *why)
{
	sw_fail(err, SW_EXIT_INVALID, -EINVAL, "this is not an undo file of slipway doctor");
	sw_error_why(err, "%s", why);
	return -EINVAL;
}

static const struct sw_disk *find_disk(const struct sw_facts *f, json_object *o)
{
	const char *serial = sw_json_str(o, "serial", NULL), *name = sw_json_str(o, "name", "");
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

static int read_piece(const struct sw_io *io, json_object *o, struct piece *p,
		      struct sw_error *err)
{
	const char *old = sw_json_str(o, "old", ""), *now = sw_json_str(o, "new", "");
	size_t len;

	p->off = sw_json_u64(o, "offset", UINT64_MAX);
	if (strlen(old) != strlen(now) || strlen(old) > 2 * (size_t)BYTES_MAX ||
	    sw_hex_decode(old, &p->old, &p->len) < 0 || sw_hex_decode(now, &p->now, &len) < 0 ||
	    p->len == 0 || len != p->len)
		return bad(err, "a place on a disk is not described whole");
	return p->off > io->size || p->len > io->size - p->off
		       ? bad(err, "a place lies past the end of its disk") : 0;
}

/* A cut tears at sectors of 512 bytes: each is as the repair left it, or as it was. */
static bool is_ours(const struct piece *p, const uint8_t *d)
{
	for (size_t i = 0; i < p->len;) {
		size_t n = 512 - (p->off + i) % 512;

		n = n < p->len - i ? n : p->len - i;
		if (memcmp(d + i, p->now + i, n) != 0 && memcmp(d + i, p->old + i, n) != 0)
			return false;
		i += n;
	}
	return true;
}

static int put_back(struct sw_io *io, const struct piece *p, uint8_t *d)
{
	int r = sw_io_write(io, p->off, p->old, p->len);

	if (r == 0)
		r = sw_io_flush(io);
	if (r == 0)
		r = sw_io_drop(io);
	if (r == 0)
		r = sw_io_read(io, p->off, d, p->len);
	return r == 0 && memcmp(d, p->old, p->len) != 0 ? -EBADMSG : r;
}

static int on_disk(struct sw_io *io, const struct piece *p, bool write, struct sw_error *err)
{
	_cleanup_free_ uint8_t *d = malloc(p->len);
	int r = d ? sw_io_read(io, p->off, d, p->len) : -ENOMEM;

	if (r == 0 && !is_ours(p, d)) {
		sw_fail(err, SW_EXIT_REFUSED, -ESTALE, "the disk was changed since the repair");
		sw_error_where(err, "%s at byte %llu", io->path, (unsigned long long)p->off);
		return -ESTALE;
	}
	if (r == 0 && write)
		r = put_back(io, p, d);
	if (r < 0)
		sw_fail_errno(err, r == -EBADMSG ? SW_EXIT_VERIFY : SW_EXIT_FAILED, r,
			      "the repair cannot be taken back");
	return r;
}

static int undo_bytes(struct sw_io *io, json_object *list, bool write, struct sw_error *err)
{
	size_t n = json_object_array_length(list);
	int r = 0;

	for (size_t i = n; r == 0 && i > 0; i--) {
		_cleanup_(piece_clear) struct piece p = {};

		r = read_piece(io, json_object_array_get_idx(list, i - 1), &p, err);
		if (r == 0)
			r = on_disk(io, &p, write, err);
	}
	return r;
}

int sw_rescue_undo_io(struct sw_io *io, struct sw_io *from, json_object *undo,
		      const char *undo_path, bool write, struct sw_error *err)
{
	json_object *slot = sw_json_get(undo, "slot");
	int r = slot ? sw_rescue_copy_undo(io, from, slot, undo_path, write, err) : 0;

	return r < 0 ? r : undo_bytes(io, sw_json_array(undo, "bytes"), write, err);
}

static const struct sw_disk *need_disk(const struct sw_facts *f, json_object *o,
				       const char *what, struct sw_error *err)
{
	const struct sw_disk *d = find_disk(f, o);

	if (d)
		return d;
	sw_fail(err, SW_EXIT_MISSING, -ENOENT, "%s", what);
	sw_error_why(err, "serial %s, %s", sw_json_str(o, "serial", "-"),
		     sw_json_str(o, "name", "-"));
	return NULL;
}

static int undo_disk(struct sw_machine *m, const struct sw_facts *f, json_object *undo,
		     const char *path, bool write, struct sw_error *err)
{
	json_object *o = sw_json_get(sw_json_get(undo, "slot"), "from_disk");
	const struct sw_disk *d = need_disk(f, sw_json_get(undo, "disk"),
					    "the repaired disk is not here", err);
	const struct sw_disk *from = d && o ? need_disk(f, o, "the disk that the repair was "
							"copied from is not here", err) : d;
	_cleanup_io_ struct sw_io *io = NULL, *other = NULL;
	int r;

	if (!d || !from)
		return -ENOENT;
	r = sw_machine_open_disk(m, d, write, write, &io, err);
	if (r == 0 && sw_json_get(undo, "fsck")) {
		io = sw_io_close(io);
		return sw_rescue_fsck_undo(m, d, sw_json_get(undo, "fsck"), path, write, err);
	}
	if (r == 0 && from != d)
		r = sw_machine_open_disk(m, from, false, false, &other, err);
	if (r == 0)
		r = sw_rescue_undo_io(io, other ? other : io, undo, path, write, err);
	io = sw_io_close(io);
	return r < 0 || !write ? r : sw_rescue_settle(m, d);
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

/* Our own record of the mode: as it was, or gone where there was none. */
static int undo_record(struct sw_varstore *vars, const char *hex, struct sw_error *err)
{
	_cleanup_free_ uint8_t *data = NULL;
	struct sw_mode_state s;
	size_t n = 0;
	int r;

	if (!hex || !vars)
		return 0;
	if (sw_hex_decode(hex, &data, &n) == 0 && sw_mode_state_decode(data, n, &s) == 0)
		return sw_mode_state_write(vars, &s, err);
	r = sw_var_del(vars, &sw_guid_slipway, SW_MODE_VARIABLE);
	return r < 0 && r != -ENOENT
		       ? sw_fail_errno(err, SW_EXIT_DIRTY, r, "cannot delete %s", SW_MODE_VARIABLE)
		       : 0;
}

/* What a repair wrote to further disks of the node, the last first. */
static int undo_others(struct sw_machine *m, const struct sw_facts *f, json_object *list,
		       bool write, struct sw_error *err)
{
	int r = 0;

	for (size_t i = list ? json_object_array_length(list) : 0; r == 0 && i > 0; i--) {
		json_object *one = json_object_array_get_idx(list, i - 1);
		json_object *bytes = sw_json_array(one, "bytes");
		_cleanup_io_ struct sw_io *io = NULL;
		const struct sw_disk *d = need_disk(f, sw_json_get(one, "disk"),
						    "a repaired disk is not here", err);

		if (!d || !bytes)
			return d ? bad(err, "a disk has no bytes") : -ENOENT;
		r = sw_machine_open_disk(m, d, write, write, &io, err);
		if (r == 0)
			r = undo_bytes(io, bytes, write, err);
		io = sw_io_close(io);
		if (r == 0 && write)
			r = sw_rescue_settle(m, d);
	}
	return r;
}

int sw_rescue_undo(struct sw_machine *m, const struct sw_facts *f, struct sw_varstore *vars,
		   json_object *undo, const char *undo_path, struct sw_error *err)
{
	json_object *bytes = sw_json_array(undo, "bytes");
	json_object *list = sw_json_array(undo, "variables");
	uint64_t version = sw_json_u64(undo, "slipway_undo", 0);
	bool disk = sw_json_get(undo, "disk");
	int r = 0;

	if (version < 2 || version > 5 || !bytes || !list)
		return bad(err, "its first words are others");
	if (!disk && (sw_json_get(undo, "slot") || json_object_array_length(bytes)))
		return bad(err, "it names no disk");
	for (int write = 0; r == 0 && write < 2; write++) {
		r = disk ? undo_disk(m, f, undo, undo_path, write, err) : 0;
		if (r == 0)
			r = undo_others(m, f, sw_json_array(undo, "others"), write, err);
		if (r == 0)
			r = undo_vars(vars, list, write, err);
		if (r == 0)
			r = sw_rescue_gone_undo(vars, sw_json_array(undo, "gone"), write, err);
	}
	return r < 0 ? r : undo_record(vars, sw_json_str(undo, "record", NULL), err);
}
