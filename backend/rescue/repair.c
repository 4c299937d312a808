/* SPDX-License-Identifier: Apache-2.0 */
/* Carrying a repair out, with what it overwrites saved first. */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "boot/hex.h"
#include "rescue/private.h"

#define CHUNK (1u << 20)

/* ---- the file for undo ---- */

static int bytes_to_json(const struct sw_disk *d, const struct sw_rescue_bytes *b,
			 json_object *list)
{
	_cleanup_free_ char *old = sw_hex_encode(b->old, b->len);
	json_object *o = json_object_new_object();
	char now[SW_SHA256_TEXT];

	if (!old || !o || sw_sha256(b->now, b->len, now) < 0) {
		json_object_put(o);
		return -ENOMEM;
	}
	sw_json_add_str(o, "serial", d->serial);
	sw_json_add_str(o, "disk", d->name);
	sw_json_add_u64(o, "size", d->size);
	sw_json_add_u64(o, "offset", b->off);
	sw_json_add_str(o, "old", old);
	sw_json_add_str(o, "new_sha256", now);
	json_object_array_add(list, o);
	return 0;
}

static int undo_json(const struct sw_repair *r, json_object **ret_undo)
{
	_cleanup_json_ json_object *o = json_object_new_object();
	json_object *bytes = json_object_new_array(), *vars = json_object_new_array();
	int k = 0;

	sw_json_add_u64(o, "slipway_undo", 1);
	sw_json_add_str(o, "text", r->text);
	sw_json_add(o, "bytes", bytes);
	sw_json_add(o, "variables", vars);
	for (size_t i = 0; k == 0 && i < r->n_bytes; i++)
		k = bytes_to_json(r->disk, &r->bytes[i], bytes);
	for (size_t i = 0; i < r->vars.n_writes; i++)
		json_object_array_add(vars, sw_entry_write_to_json(&r->vars.writes[i]));
	if (k == 0)
		*ret_undo = TAKE_PTR(o);
	return k;
}

static int save_undo(const struct sw_repair *r, const char *path, struct sw_error *err)
{
	_cleanup_json_ json_object *o = NULL;
	_cleanup_close_ int fd = -EBADF;
	const char *text;
	int k = undo_json(r, &o);

	if (k < 0)
		return sw_fail_oom(err);
	text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	k = fd < 0 ? -errno : sw_fd_write_all(fd, text, strlen(text));
	if (k == 0 && fsync(fd) < 0)
		k = -errno;
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

static int write_disk(struct sw_machine *m, const struct sw_repair *r, struct sw_error *err)
{
	_cleanup_io_ struct sw_io *io = NULL;
	int k = sw_machine_open_disk(m, r->disk, true, true, &io, err);

	if (k < 0)
		return k;
	for (size_t i = 0; k == 0 && i < r->n_bytes; i++) {
		k = write_bytes(io, &r->bytes[i]);
		if (k < 0) {
			sw_fail_errno(err, k == -EBADMSG ? SW_EXIT_VERIFY
				      : i ? SW_EXIT_DIRTY : SW_EXIT_FAILED, k,
				      "the repair stopped at: %s", r->bytes[i].text);
			sw_error_where(err, "%s at byte %" PRIu64, r->disk->name, r->bytes[i].off);
		}
	}
	io = sw_io_close(io);
	return k < 0 ? k : sw_machine_settle(m, r->disk);
}

/* The slot as a sparse file, from which it is written like any other slot image. */
static int read_slot(struct sw_io *io, const struct sw_part *p, const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	_cleanup_free_ uint8_t *d = malloc(CHUNK);
	int r = fd < 0 ? -errno : !d ? -ENOMEM : 0;

	for (uint64_t at = 0; r == 0 && at < p->size; at += CHUNK) {
		size_t n = p->size - at < CHUNK ? (size_t)(p->size - at) : CHUNK;

		r = sw_io_read(io, p->start + at, d, n);
		if (r < 0 || (d[0] == 0 && memcmp(d, d + 1, n - 1) == 0))
			continue;
		if (pwrite(fd, d, n, (off_t)at) != (ssize_t)n)
			r = errno ? -errno : -EIO;
	}
	if (r == 0 && ftruncate(fd, (off_t)p->size) < 0)
		r = -errno;
	return r;
}

static int copy_slot(struct sw_machine *m, const struct sw_repair *r, struct sw_error *err)
{
	_cleanup_free_ char *dir = NULL, *image = NULL;
	_cleanup_io_ struct sw_io *io = NULL;
	int k = sw_machine_open_disk(m, r->disk, true, true, &io, err);

	if (k == 0)
		k = sw_scratch_new("slipway-doctor", &dir);
	if (k == 0) {
		image = sw_fmt("%s/slot.img", dir);
		k = image ? read_slot(io, r->from, image) : -ENOMEM;
	}
	if (k < 0)
		sw_fail_errno(err, SW_EXIT_FAILED, k, "the good slot cannot be read");
	else
		k = sw_slot_write(io, r->to->start, image, 1, NULL, err);
	if (dir)
		(void)sw_remove_tree(dir);
	return k;
}

int sw_rescue_repair(struct sw_machine *m, struct sw_varstore *vars, const struct sw_repair *r,
		     const char *undo_path, struct sw_error *err)
{
	int k = sw_repair_can_undo(r) ? save_undo(r, undo_path, err) : 0;

	if (k == 0 && r->n_bytes)
		k = write_disk(m, r, err);
	if (k == 0 && r->to)
		k = copy_slot(m, r, err);
	if (k == 0 && r->vars.n_writes)
		k = vars ? sw_entry_plan_apply(vars, &r->vars, NULL, err)
			 : sw_fail(err, SW_EXIT_MISSING, -EOPNOTSUPP,
				   "there are no boot variables");
	if (k == 0 && r->state_changed)
		k = sw_mode_state_write(vars, &r->state, err);
	return k;
}
