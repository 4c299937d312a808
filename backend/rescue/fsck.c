/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file system checked and repaired by its own program. On a machine that works on the
 * partition's device; on a stand-in, which has none, on a copy whose changes are written back.
 * e2fsck keeps what it overwrites, so that e2undo takes it back; the others do not.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/proc.h"
#include "disk/select.h"
#include "machine/part-device.h"
#include "rescue/private.h"

#define CHUNK 65536U
#define LOOK_S 120U		/* a look that takes longer is none */
#define REPAIR_S (6U * 3600U)
#define LINES 12U		/* of what the look said, for the plan */

struct program {
	const char *name;
	const char *look[4], *repair[4];	/* options, NULL-terminated */
	int good;		/* the highest exit status of a repair that worked */
	bool undo;
};

static const struct program programs[] = {
	[SW_FSCK_EXT] = { "e2fsck", { "-f", "-n" }, { "-f", "-y" }, 3, true },
	[SW_FSCK_FAT] = { "fsck.fat", { "-n" }, { "-a", "-w" }, 1, false },
	[SW_FSCK_XFS] = { "xfs_repair", { "-n" }, { NULL }, 0, false },
	[SW_FSCK_BTRFS] = { "btrfs", { "check", "--readonly" },
			    { "rescue", "super-recover", "-y" }, 2, false },
};

/* ---- where it is ---- */

struct place {
	struct sw_io *disk, *part;	/* part: a window */
	char *dir, *path;		/* dir: of a copy, or NULL */
};

static void place_clear(struct place *p)
{
	sw_io_close(p->part);
	sw_io_close(p->disk);
	sw_scratch_clear(&p->dir);
	free(p->path);
}

/* Only what has content: the rest of the copy is a hole, as in the disk's image. */
static int copy_out(struct place *p, uint64_t start)
{
	_cleanup_close_ int fd = open(p->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	_cleanup_free_ uint8_t *d = malloc(CHUNK);
	int from = sw_io_fd(p->disk), r = fd < 0 ? -errno : 0;

	if (r == 0 && ftruncate(fd, (off_t)p->part->size) < 0)
		r = -errno;
	for (uint64_t off = 0; r == 0 && off < p->part->size;) {
		off_t data = from < 0 ? -1 : lseek(from, (off_t)(start + off), SEEK_DATA);
		size_t n;

		if (from >= 0 && data < 0)
			break;
		if (data > (off_t)(start + off))
			off = ((uint64_t)data - start) / CHUNK * CHUNK;
		if (off >= p->part->size)
			break;
		n = p->part->size - off < CHUNK ? (size_t)(p->part->size - off) : CHUNK;
		r = sw_io_read(p->part, off, d, n);
		if (r == 0 && !sw_bytes_are_zero(d, n) &&
		    pwrite(fd, d, n, (off_t)off) != (ssize_t)n)
			r = -EIO;
		off += n;
	}
	return r;
}

/* The device has to be that partition, and nobody may have it mounted. */
static int check_device(const struct place *p, bool write)
{
	_cleanup_io_ struct sw_io *io = NULL;
	_cleanup_close_ int fd = open(p->path, O_RDONLY | O_EXCL | O_CLOEXEC);
	int r = fd < 0 && write ? -errno : sw_io_open(p->path, false, false, 0, &io, NULL);

	return r == 0 && io->size != p->part->size ? -ESTALE : r;
}

static int place_open(struct sw_machine *m, const struct sw_disk *d, const struct sw_fsck *f,
		      bool write, struct place *p, struct sw_error *err)
{
	bool real = m->kind == SW_MACHINE_REAL;
	int r = sw_machine_open_disk(m, d, write && !real, write && !real, &p->disk, err);

	if (r == 0)
		r = sw_io_window(p->disk, f->start, f->size, &p->part);
	if (r == 0 && !real)
		r = sw_scratch_new("slipway-fsck", &p->dir);
	if (r < 0)
		return r;
	if (real)
		r = sw_part_device(m, d, f->number, f->start, &p->path);
	else
		p->path = sw_fmt("%s/part", p->dir);
	if (r == 0)
		r = !p->path ? -ENOMEM : real ? 0 : copy_out(p, f->start);
	if (r == 0 && real)
		r = check_device(p, write);
	if (r == 0)
		return 0;
	sw_fail_errno(err, SW_EXIT_FAILED, r, "the file system cannot be worked on");
	sw_error_where(err, "%s", p->path ? p->path : d->name);
	if (r == -ESTALE)
		sw_error_why(err, "the kernel knows the disk by another table than is on it");
	sw_error_hint(err, r == -ESTALE ? "nothing was changed; restart, and look again"
					: "nothing was changed; it must not be mounted");
	return r;
}

static int put_chunk(const struct place *p, int fd, uint64_t off, uint8_t *now, uint8_t *old)
{
	size_t n = p->part->size - off < CHUNK ? (size_t)(p->part->size - off) : CHUNK;
	int r = pread(fd, now, n, (off_t)off) == (ssize_t)n ? 0 : -EIO;

	if (r == 0)
		r = sw_io_read(p->part, off, old, n);
	if (r < 0 || memcmp(now, old, n) == 0)
		return r;
	return sw_io_write(p->part, off, now, n);
}

/* The beginning, which says that all is well, comes last. */
static int place_commit(const struct place *p, struct sw_error *err)
{
	_cleanup_free_ uint8_t *now = malloc(CHUNK), *old = malloc(CHUNK);
	_cleanup_close_ int fd = -1;
	int r = now && old ? 0 : -ENOMEM;

	if (!p->dir)
		return 0;
	fd = open(p->path, O_RDONLY | O_CLOEXEC);
	r = r == 0 && fd < 0 ? -errno : r;
	for (uint64_t off = CHUNK; r == 0 && off < p->part->size; off += CHUNK) {
		off_t data = lseek(fd, (off_t)off, SEEK_DATA);

		if (data < 0)
			break;
		off = (uint64_t)data / CHUNK * CHUNK;
		r = put_chunk(p, fd, off, now, old);
	}
	if (r == 0)
		r = sw_io_flush(p->disk);
	if (r == 0)
		r = put_chunk(p, fd, 0, now, old);
	if (r == 0)
		r = sw_io_flush(p->disk);
	return r < 0 ? sw_fail_errno(err, SW_EXIT_DIRTY, r, "what was repaired cannot be written")
		     : 0;
}

/* ---- the programs ---- */

/* Its exit status or -errno; undo: a new file for what it overwrites, or NULL. */
static int run(const struct sw_fsck *f, const char *path, bool repair, const char *undo,
	       struct sw_buf *output)
{
	const struct program *pr = &programs[f->kind];
	const char *const *words = repair ? pr->repair : pr->look;
	char block[24], size[24];
	const char *argv[16] = { pr->name };
	size_t n = 1;

	while (n <= 3 && words[n - 1]) {
		argv[n] = words[n - 1];
		n++;
	}
	if (f->backup) {
		(void)snprintf(block, sizeof(block), "%" PRIu32, f->backup);
		(void)snprintf(size, sizeof(size), "%" PRIu32, f->block);
		argv[n++] = "-b";
		argv[n++] = block;
		argv[n++] = "-B";
		argv[n++] = size;
	}
	if (undo) {
		argv[n++] = "-z";
		argv[n++] = undo;
	}
	argv[n] = path;
	return sw_proc_run(argv, NULL, repair ? REPAIR_S : LOOK_S, output);
}

static int keep_lines(struct sw_repair *rep, const struct sw_buf *output)
{
	_cleanup_free_ char *text = strdup(sw_buf_text(output));
	char *save = NULL;

	if (!text)
		return -ENOMEM;
	for (char *l = strtok_r(text, "\n", &save); l && rep->n_said < LINES;
	     l = strtok_r(NULL, "\n", &save)) {
		char **v = reallocarray(rep->said, rep->n_said + 1, sizeof(*v));

		if (!v)
			return -ENOMEM;
		rep->said = v;
		v[rep->n_said] = strdup(l);
		if (!v[rep->n_said++])
			return -ENOMEM;
	}
	return 0;
}

static const char *cost(const struct sw_fsck *f)
{
	if (f->kind == SW_FSCK_BTRFS)
		return "it writes the copy of the superblock over the first one; it cannot be "
		       "taken back";
	return programs[f->kind].undo
		       ? "what has lost its name goes into lost+found, and what makes no sense is "
			 "thrown away: files can lose content"
		       : "what makes no sense is thrown away: files can lose content; it cannot be "
			 "taken back, so save what matters first";
}

/* What it would do, looked at without writing; a look that fails is left out of the plan. */
static int look(struct sw_examine *x, struct sw_repair *rep)
{
	_cleanup_(place_clear) struct place p = {};
	_cleanup_buf_ struct sw_buf output = {};
	struct sw_error e = {};
	int r = place_open(x->m, rep->disk, &rep->fsck, false, &p, &e);

	if (r == 0)
		r = run(&rep->fsck, p.path, false, NULL, &output);
	return r >= 0 ? keep_lines(rep, &output) : r == -ENOMEM ? r : 0;
}

int sw_repair_fsck(struct sw_examine *x, const struct sw_disk *d, const struct sw_fsck *f,
		   struct sw_finding *fi)
{
	const struct program *pr = &programs[f->kind];
	struct sw_repair *rep;

	if (x->layer) {
		(void)snprintf(fi->advice, sizeof(fi->advice),
			       "it lies in %s, which a look never opens for writing: have %s "
			       "repair it on the node, before it is mounted", x->layer, pr->name);
		return 0;
	}
	if (d->uses && d->uses[0]) {
		(void)snprintf(fi->advice, sizeof(fi->advice),
			       "the disk is in use: start the medium, and look again from there");
		return 0;
	}
	if (x->m->kind == SW_MACHINE_CAPTURED || !sw_proc_exists(pr->name)) {
		(void)snprintf(fi->advice, sizeof(fi->advice),
			       "%s is not on this system: start one that has it, and look again",
			       pr->name);
		return 0;
	}
	rep = sw_finding_repair(fi, d);
	if (!rep)
		return -ENOMEM;
	rep->fsck = *f;
	rep->no_undo = !pr->undo;
	rep->loses = cost(f);
	rep->confirm = sw_disk_confirm_text(x->f, d);
	(void)snprintf(rep->text, sizeof(rep->text), "have %s repair the file system of partition "
		       "%u of %.30s%s", pr->name, f->number, d->name,
		       f->backup ? ", from the backup of its superblock" : "");
	return rep->confirm ? look(x, rep) : -ENOMEM;
}

/* ---- carrying it out ---- */

static unsigned int count(const char *text, const char *word)
{
	unsigned int n = 0;

	for (const char *p = strstr(text, word); p; p = strstr(p + 1, word))
		n++;
	return n;
}

/* The program's own words in a few of ours, for who does not know it. */
static char *explain(const struct sw_fsck *f, int status, const char *text)
{
	unsigned int found = count(text, "Connect to /lost+found? yes");

	if (f->kind != SW_FSCK_EXT)
		return sw_fmt("%s ended with status %d: the file system is consistent again.",
			      programs[f->kind].name, status);
	return sw_fmt("e2fsck answered %u of its own questions with yes. %u files or folders that "
		      "had lost their name are in lost+found, called # and a number.",
		      count(text, "? yes"), found);
}

static int failed(const struct sw_fsck *f, int status, const struct sw_buf *output,
		  struct sw_error *err)
{
	const char *name = programs[f->kind].name, *text = sw_buf_text(output);
	const char *last = strrchr(text, '\n');

	while (last && last > text && last[1] == '\0')
		last = memrchr(text, '\n', (size_t)(last - text));
	sw_fail(err, SW_EXIT_DIRTY, -EUCLEAN, "%s did not put the file system right", name);
	sw_error_why(err, "it ended with status %d: %.200s", status, last ? last + 1 : text);
	if (f->kind == SW_FSCK_XFS && strstr(text, "log"))
		sw_error_hint(err, "mount it once, which replays its log, unmount it and repair "
				   "again");
	else
		sw_error_hint(err, "save what can be read from it, and make it anew");
	return -EUCLEAN;
}

static char *undo_file(const char *undo_path)
{
	return sw_fmt("%s.e2undo", undo_path);
}

static void keep_log(const char *undo_path, const struct sw_buf *output)
{
	_cleanup_free_ char *path = undo_path ? sw_fmt("%s.log", undo_path) : NULL;

	if (path)
		(void)sw_file_write(path, output->data, output->len, 0600);
}

int sw_rescue_fsck_run(struct sw_machine *m, const struct sw_repair *r, const char *undo_path,
		       char **ret_told, struct sw_error *err)
{
	const struct program *pr = &programs[r->fsck.kind];
	_cleanup_(place_clear) struct place p = {};
	_cleanup_buf_ struct sw_buf output = {};
	_cleanup_free_ char *undo = undo_path && pr->undo ? undo_file(undo_path) : NULL;
	int k = undo_path && pr->undo && !undo ? -ENOMEM
		: place_open(m, r->disk, &r->fsck, true, &p, err);

	if (k < 0)
		return k == -ENOMEM ? sw_fail_oom(err) : k;
	k = run(&r->fsck, p.path, true, undo, &output);
	keep_log(undo_path, &output);
	if (k < 0 || k > pr->good)
		return failed(&r->fsck, k, &output, err);
	*ret_told = explain(&r->fsck, k, sw_buf_text(&output));
	return place_commit(&p, err);
}

/* ---- and back ---- */

json_object *sw_rescue_fsck_json(const struct sw_fsck *f)
{
	json_object *o = json_object_new_object();

	sw_json_add_u64(o, "partition", f->number);
	sw_json_add_u64(o, "start", f->start);
	sw_json_add_u64(o, "size", f->size);
	return o;
}

int sw_rescue_fsck_undo(struct sw_machine *m, const struct sw_disk *d, json_object *o,
			const char *undo_path, bool write, struct sw_error *err)
{
	struct sw_fsck f = { .start = sw_json_u64(o, "start", 0), .size = sw_json_u64(o, "size", 0),
			     .number = (unsigned int)sw_json_u64(o, "partition", 0) };
	_cleanup_(place_clear) struct place p = {};
	_cleanup_buf_ struct sw_buf output = {};
	_cleanup_free_ char *undo = undo_file(undo_path);
	const char *argv[] = { "e2undo", NULL, NULL, NULL, NULL };
	int k = undo ? 0 : sw_fail_oom(err);

	if (k == 0 && (f.start > d->size || f.size > d->size - f.start || f.size == 0))
		return sw_fail(err, SW_EXIT_INVALID, -EINVAL,
			       "this is not an undo file of slipway doctor");
	if (k == 0)
		k = place_open(m, d, &f, write, &p, err);
	if (k < 0)
		return k;
	argv[1] = write ? undo : "-n";
	argv[2] = write ? p.path : undo;
	argv[3] = write ? NULL : p.path;
	k = sw_proc_run(argv, NULL, REPAIR_S, &output);
	if (k == 0)
		return write ? place_commit(&p, err) : 0;
	sw_fail(err, SW_EXIT_REFUSED, -ESTALE, "e2undo does not take the repair back");
	sw_error_why(err, "it ended with status %d: %.200s", k, sw_buf_text(&output));
	sw_error_hint(err, "the file system was changed since, or %.80s is not here", undo);
	return -ESTALE;
}
