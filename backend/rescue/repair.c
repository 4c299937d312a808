/* SPDX-License-Identifier: Apache-2.0 */
/* Carrying a repair out, with what it overwrites saved first. */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/json.h"
#include "boot/varstore.h"
#include "rescue/private.h"

/* ---- the file for undo ---- */

static int bytes_to_json(const struct sw_rescue_bytes *b, json_object *list)
{
	_cleanup_free_ char *old = sw_hex_encode(b->old, b->len);
	_cleanup_free_ char *now = sw_hex_encode(b->now, b->len);
	json_object *o = json_object_new_object();

	if (!old || !now || !o) {
		json_object_put(o);
		return -ENOMEM;
	}
	sw_json_add_u64(o, "offset", b->off);
	sw_json_add_str(o, "old", old);
	sw_json_add_str(o, "new", now);
	json_object_array_add(list, o);
	return 0;
}

json_object *sw_rescue_disk_json(const struct sw_disk *d)
{
	json_object *disk = json_object_new_object();

	sw_json_add_str(disk, "serial", d->serial);
	sw_json_add_str(disk, "name", d->name);
	sw_json_add_u64(disk, "size", d->size);
	return disk;
}

/* What we remember of the mode, which a repair of entries writes as well; "" where it is new. */
static int add_record(json_object *o, struct sw_varstore *vars)
{
	_cleanup_free_ uint8_t *data = NULL;
	_cleanup_free_ char *hex = NULL;
	uint32_t attrs;
	size_t n = 0;

	if (vars && sw_var_get(vars, &sw_guid_slipway, SW_MODE_VARIABLE, &data, &n, &attrs) == 0)
		hex = sw_hex_encode(data, n);
	if (data && !hex)
		return -ENOMEM;
	sw_json_add_str(o, "record", hex ? hex : "");
	return 0;
}

/*
 * An entry for each run of bytes on a further disk, or on any where they alternate, as on the
 * members of a mirror: the undo takes the last one back first.
 */
static int add_others(const struct sw_repair *r, json_object *o)
{
	json_object *others = json_object_new_array();
	const struct sw_disk *last = NULL;
	json_object *bytes = NULL;

	sw_json_add(o, "others", others);
	for (size_t i = 0; i < r->n_bytes; i++) {
		if (r->bytes[i].disk && r->bytes[i].disk != last) {
			json_object *one = json_object_new_object();

			sw_json_add(one, "disk", sw_rescue_disk_json(r->bytes[i].disk));
			sw_json_add(one, "bytes", bytes = json_object_new_array());
			json_object_array_add(others, one);
		}
		last = r->bytes[i].disk;
		if (last && bytes_to_json(&r->bytes[i], bytes) < 0)
			return -ENOMEM;
	}
	return 0;
}

static bool has_others(const struct sw_repair *r)
{
	for (size_t i = 0; i < r->n_bytes; i++)
		if (r->bytes[i].disk)
			return true;
	return false;
}

static int undo_json(const struct sw_repair *r, json_object *slot, struct sw_varstore *vars,
		     json_object **ret_undo)
{
	_cleanup_json_ json_object *o = json_object_new_object();
	json_object *bytes = json_object_new_array(), *list = json_object_new_array();
	json_object *gone = NULL;
	int k = 0;

	/*
	 * 3: a copy from another disk, which the readers of 2 would look for on the same one;
	 * 4: what they know nothing of; 5: a copy out of a file.
	 */
	sw_json_add_u64(o, "slipway_undo", r->copy.file ? 5
			: r->n_gone || r->fsck.kind || has_others(r) ? 4
			: slot && sw_json_get(slot, "from_disk") ? 3 : 2);
	sw_json_add_str(o, "text", r->text);
	if (r->disk)
		sw_json_add(o, "disk", sw_rescue_disk_json(r->disk));
	sw_json_add(o, "bytes", bytes);
	sw_json_add(o, "variables", list);
	if (r->n_gone)
		k = sw_rescue_gone_json(r, &gone);
	if (gone)
		sw_json_add(o, "gone", gone);
	if (r->fsck.kind)
		sw_json_add(o, "fsck", sw_rescue_fsck_json(&r->fsck));
	if (slot)
		sw_json_add(o, "slot", json_object_get(slot));
	if (k == 0 && r->state_changed)
		k = add_record(o, vars);
	for (size_t i = 0; k == 0 && i < r->n_bytes; i++)
		if (!r->bytes[i].disk)
			k = bytes_to_json(&r->bytes[i], bytes);
	if (k == 0 && has_others(r))
		k = add_others(r, o);
	for (size_t i = 0; i < r->vars.n_writes; i++)
		json_object_array_add(list, sw_entry_write_to_json(&r->vars.writes[i]));
	if (k == 0)
		*ret_undo = TAKE_PTR(o);
	return k;
}

static int write_undo(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int r = fd < 0 ? -errno : sw_fd_write_all(fd, text, strlen(text));

	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r < 0 && fd >= 0)
		(void)unlink(path);
	return r;
}

static int save_undo(const struct sw_repair *r, json_object *slot, struct sw_varstore *vars,
		     const char *path, struct sw_error *err)
{
	_cleanup_json_ json_object *o = NULL;
	int k = undo_json(r, slot, vars, &o);

	if (k < 0)
		return sw_fail_oom(err);
	if (r->n_gone) {
		k = sw_rescue_gone_keep(r, path, err);
		if (k < 0)
			return k;
	}
	k = write_undo(path, json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	if (k == 0)
		return 0;
	sw_fail_errno(err, SW_EXIT_FAILED, k, "cannot save what undo needs");
	sw_error_where(err, "%s", path);
	sw_error_hint(err, "nothing was changed; name another place with --save FILE");
	return k;
}

/* ---- writing ---- */

static int write_bytes(struct sw_io *io, const struct sw_rescue_bytes *b)
{
	_cleanup_free_ uint8_t *back = malloc(b->len);
	int r = back ? sw_io_read(io, b->off, back, b->len) : -ENOMEM;

	if (r == 0 && memcmp(back, b->old, b->len) != 0)
		return -ESTALE;
	if (r == 0)
		r = sw_io_write(io, b->off, b->now, b->len);
	if (r == 0)
		r = sw_io_flush(io);
	if (r == 0)
		r = sw_io_drop(io);
	if (r == 0)
		r = sw_io_read(io, b->off, back, b->len);
	return r == 0 && memcmp(back, b->now, b->len) != 0 ? -EBADMSG : r;
}

int sw_rescue_settle(struct sw_machine *m, const struct sw_disk *d)
{
	int r = sw_machine_settle(m, d);

	return r == -EBUSY ? 0 : r;
}

/* Of a further disk: opened for it alone. */
static int write_other(struct sw_machine *m, const struct sw_rescue_bytes *b,
		       struct sw_error *err)
{
	_cleanup_io_ struct sw_io *io = NULL;
	int k = sw_machine_open_disk(m, b->disk, true, true, &io, err);

	if (k == 0)
		k = write_bytes(io, b);
	io = sw_io_close(io);
	return k < 0 ? k : sw_rescue_settle(m, b->disk);
}

static int write_all(struct sw_machine *m, struct sw_io *io, const struct sw_repair *r,
		     struct sw_error *err)
{
	int k = 0;

	for (size_t i = 0; k == 0 && i < r->n_bytes; i++) {
		const struct sw_disk *d = r->bytes[i].disk ? r->bytes[i].disk : r->disk;

		k = d == r->disk ? write_bytes(io, &r->bytes[i])
				 : write_other(m, &r->bytes[i], err);
		if (k == 0)
			continue;
		sw_fail_errno(err, k == -EBADMSG ? SW_EXIT_VERIFY
			      : i ? SW_EXIT_DIRTY : SW_EXIT_FAILED, k,
			      "the repair stopped at: %s", r->bytes[i].text);
		sw_error_where(err, "%s at byte %" PRIu64, d->name, r->bytes[i].off);
	}
	return k;
}

int sw_rescue_stopped(struct sw_error *err)
{
	sw_fail(err, SW_EXIT_CANCELLED, -ECANCELED, "the repair was stopped");
	sw_error_why(err, "nothing was written");
	return -ECANCELED;
}

/* From here on nobody can stop it, for half a slot is none; who watches is told. */
static int begin(const struct sw_repair *r, const struct sw_sink *sink, struct sw_error *err)
{
	struct sw_event ev = { .type = SW_EVENT_START, .step = 1, .steps = 1 };

	if (sw_event_poll(sink) < 0)
		return sw_rescue_stopped(err);
	if (r->copy.len || r->fsck.kind)	/* all else takes no time */
		(void)snprintf(ev.text, sizeof(ev.text), "%s; from here on it goes on to its end",
			       r->fsck.kind ? "the file system's own program repairs it"
					    : "it is written and read back");
	sw_event_emit(sink, &ev);
	return 0;
}

/* Undo data first, all under one lock of the disk. */
static int repair_disk(struct sw_machine *m, const struct sw_repair *r, const char *undo_path,
		       const struct sw_sink *sink, struct sw_error *err)
{
	const struct sw_sink tell = sw_sink_told(sink);
	bool file = r->copy.file, other = file || (r->copy.len && r->copy.from_disk != r->disk);
	_cleanup_io_ struct sw_io *io = NULL, *from = NULL;
	_cleanup_json_ json_object *slot = NULL;
	int k = sw_machine_open_disk(m, r->disk, true, true, &io, err);

	if (k == 0 && file)
		k = sw_io_open(r->copy.file, false, false, 0, &from, err);
	else if (k == 0 && other)
		k = sw_machine_open_disk(m, r->copy.from_disk, false, false, &from, err);
	if (k == 0 && r->copy.len && undo_path)
		k = sw_rescue_copy_keep(io, other ? from : io, r, undo_path, sink, &slot, err);
	if (k == 0)
		k = begin(r, sink, err);
	if (k == 0 && undo_path)
		k = save_undo(r, slot, NULL, undo_path, err);
	if (k < 0 && slot)
		sw_rescue_copy_forget(undo_path);
	if (k == 0)
		k = write_all(m, io, r, err);
	if (k == 0 && r->copy.len)
		k = sw_rescue_copy_write(io, other ? from : io, r, &tell, err);
	io = sw_io_close(io);
	/* Left alone its table is not read anew, which takes partitions away for a moment. */
	return k < 0 || (r->n_bytes == 0 && r->copy.len == 0) ? k : sw_rescue_settle(m, r->disk);
}

int sw_rescue_repair(struct sw_machine *m, struct sw_varstore *vars, const struct sw_repair *r,
		     const char *undo_path, const struct sw_sink *sink, char **ret_told,
		     struct sw_error *err)
{
	int k = r->disk ? repair_disk(m, r, undo_path, sink, err) : begin(r, sink, err);

	if (k == 0 && !r->disk && undo_path)
		k = save_undo(r, NULL, vars, undo_path, err);
	if (k == 0 && r->vars.n_writes)
		k = vars ? sw_entry_plan_apply(vars, &r->vars, NULL, err)
			 : sw_fail(err, SW_EXIT_MISSING, -EOPNOTSUPP,
				   "there are no boot variables");
	if (k == 0 && r->fsck.kind)
		k = sw_rescue_fsck_run(m, r, undo_path, ret_told, err);
	if (k == 0 && r->n_gone)
		k = sw_rescue_gone_take(vars, r, err);
	if (k == 0 && r->state_changed)
		k = sw_mode_state_write(vars, &r->state, err);
	return k;
}
