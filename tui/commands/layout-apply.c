/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `slipway layout plan` and `slipway layout apply`: definitions on one disk or
 * image file, without answers, slots or boot entries around them.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/json.h"
#include "base/size.h"
#include "base/strv.h"
#include "disk/disk.h"
#include "disk/select.h"
#include "layout/target.h"
#include "layout/types.h"
#include "tui/commands/common.h"
#include "tui/commands/list.h"

#define MACHINE_ID "/etc/machine-id"

/* ---- the request ---- */

static int read_size(const char *text, uint64_t *ret_size, struct sw_error *err)
{
	*ret_size = SW_LAYOUT_SIZE_AUTO;
	if (!text)
		*ret_size = 0;
	else if (strcmp(text, "auto") != 0 && (sw_size_parse(text, ret_size) < 0 || !*ret_size))
		return sw_fail(err, SW_EXIT_USAGE, -EINVAL,
			       "--size=%s is neither a size nor \"auto\"", text);
	return 0;
}

/* As systemd-repart: the machine's own id, so that a node makes the same UUIDs each time. */
static int read_seed(const char *text, struct sw_guid *ret_seed, struct sw_error *err)
{
	_cleanup_free_ char *id = NULL;
	uint8_t rfc[16];

	if (text) {
		if (sw_guid_parse(text, ret_seed) < 0)
			return sw_fail(err, SW_EXIT_USAGE, -EINVAL, "--seed=%s is not a UUID",
				       text);
		return 0;
	}
	if (sw_file_read_line(MACHINE_ID, &id) == 0 && strlen(id) == 32) {
		size_t i = 0;

		for (; i < 16 && sscanf(id + 2 * i, "%2hhx", &rfc[i]) == 1; i++)
			;
		if (i == 16) {
			sw_guid_from_rfc(rfc, ret_seed);
			return 0;
		}
	}
	sw_fail(err, SW_EXIT_MISSING, -ENOENT, "there is no seed for the UUIDs");
	sw_error_why(err, "%s has none", MACHINE_ID);
	sw_error_hint(err, "give --seed=UUID; uuidgen makes one");
	return -ENOENT;
}

static int read_layout(const struct sw_cli *cli, struct sw_layout **ret_layout,
		       struct sw_error *err)
{
	_cleanup_(sw_layout_machine_clear) struct sw_layout_machine m = {};
	_cleanup_strv_ char **dirs = NULL;
	size_t pos = 0;
	const char *dir;

	while ((dir = sw_arg_next(&cli->args, 'D', &pos)))
		if (sw_strv_add(&dirs, dir) < 0)
			return sw_fail_oom(err);
	if (!dirs)
		return sw_fail(err, SW_EXIT_USAGE, -EINVAL, "%s: --definitions DIR is missing",
			       cli->cmd->name);
	/* A word without a slash may be the name of a layout that is installed. */
	if (!dirs[1] && !strchr(dirs[0], '/') && access(dirs[0], F_OK) < 0)
		return sw_layout_find(dirs[0], ret_layout, err);
	sw_layout_machine_read(&m);
	return sw_layout_read_dirs((const char *const *)dirs, sw_strv_len(dirs), &m, ret_layout,
				   err);
}

static int read_request(const struct sw_cli *cli, struct sw_layout_request *q,
			struct sw_error *err)
{
	const char *empty = sw_arg(&cli->args, 'e'), *sector = sw_arg(&cli->args, 'S');
	int r;

	q->target = cli->args.rest[0];
	if (empty && sw_layout_empty_parse(empty, &q->empty) < 0)
		return sw_fail(err, SW_EXIT_USAGE, -EINVAL,
			       "--empty=%s is none of refuse, allow, require, force, create",
			       empty);
	if (sector && strcmp(sector, "512") != 0 && strcmp(sector, "4096") != 0)
		return sw_fail(err, SW_EXIT_USAGE, -EINVAL, "--sector-size is 512 or 4096");
	q->sector = sector ? (uint32_t)strtoul(sector, NULL, 10) : 0;
	r = read_size(sw_arg(&cli->args, 's'), &q->size, err);
	if (r == 0 && q->empty == SW_EMPTY_CREATE && q->size == 0)
		r = sw_fail(err, SW_EXIT_USAGE, -EINVAL, "--empty=create needs --size");
	return r < 0 ? r : read_seed(sw_arg(&cli->args, 'd'), &q->seed, err);
}

/* ---- the target ---- */

static int refuse(const char *target, const char *what, const char *why, struct sw_error *err)
{
	sw_fail(err, SW_EXIT_REFUSED, -EPERM, "%s", what);
	sw_error_where(err, "%s", target);
	if (why)
		sw_error_why(err, "%s", why);
	return -EPERM;
}

/* A disk of the machine: whole, and nothing that must not be touched. */
static int check_disk(const struct sw_cli *cli, const char *target, bool block,
		      struct sw_error *err)
{
	_cleanup_machine_ struct sw_machine *m = NULL;
	_cleanup_facts_ struct sw_facts *f = NULL;
	_cleanup_free_ char *real = realpath(target, NULL);
	int r = real ? sw_cli_machine(cli, &m, err) : -errno;

	if (r == 0)
		r = sw_machine_facts(m, &f, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < f->n_disks; i++) {
		_cleanup_free_ char *node = realpath(f->disks[i].node, NULL);
		const char *no;

		if (!node || strcmp(node, real) != 0)
			continue;
		no = sw_disk_excluded(&f->disks[i], 0);
		return no ? refuse(target, "this disk must not be touched", no, err) : 0;
	}
	if (!block)
		return 0;
	return refuse(target, "this is not a whole disk of this machine",
		      "a partition, or a device that slipway never writes to", err);
}

static int check_target(const struct sw_cli *cli, const struct sw_layout_request *q,
			struct sw_error *err)
{
	struct stat st;
	bool there = stat(q->target, &st) == 0;

	if (!there && errno != ENOENT)
		return sw_fail_errno(err, SW_EXIT_FAILED, -errno, "cannot look at %s", q->target);
	if (q->empty == SW_EMPTY_CREATE)
		return there ? refuse(q->target, "the file exists already",
				      "--empty=create makes a new one", err)
			     : 0;
	if (!there) {
		sw_fail(err, SW_EXIT_FAILED, -ENOENT, "there is no such disk or file");
		sw_error_where(err, "%s", q->target);
		sw_error_hint(err, "--empty=create --size=N makes an image file");
		return -ENOENT;
	}
	if (!S_ISBLK(st.st_mode) && !S_ISREG(st.st_mode))
		return refuse(q->target, "this is neither a disk nor a file", NULL, err);
	if (S_ISBLK(st.st_mode) && q->size)
		return sw_fail(err, SW_EXIT_USAGE, -EINVAL, "--size is for files only");
	if (S_ISBLK(st.st_mode) || cli->machine_dir)
		return check_disk(cli, q->target, S_ISBLK(st.st_mode), err);
	return 0;
}

/* ---- showing ---- */

static const char *action_of(const struct sw_placement *p)
{
	if (!p->old)
		return "create";
	if (!p->part)
		return "leave";
	return p->size > p->old->size ? "grow" : "keep";
}

static const char *type_text(const struct sw_placement *p, char uuid[static SW_GUID_TEXT])
{
	const struct sw_guid *type = p->old ? &p->old->type : &p->part->type;
	const char *name = sw_part_type_name(type);

	return name ? name : sw_guid_format(type, uuid);
}

/* On the disk in the order of their places: that is how people think of one. */
static int by_start(const void *a, const void *b)
{
	const struct sw_placement *const *x = a, *const *y = b;

	return (*x)->start < (*y)->start ? -1 : (*x)->start > (*y)->start;
}

static void print_before(const struct sw_layout_result *t)
{
	struct sw_disk d = { .table = t->before, .signatures = t->signatures };
	_cleanup_free_ char *words = t->old_size ? sw_disk_describe(&d) : NULL;

	if (words && *words)
		printf("%s: %s\n", t->fresh ? "Now there, and lost" : "Now there", words);
}

static int print_text(const struct sw_layout_request *q, const struct sw_layout_result *t)
{
	_cleanup_free_ const struct sw_placement **v = calloc(t->n_parts + 1, sizeof(*v));
	char size[16], start[16], uuid[SW_GUID_TEXT];

	if (!v)
		return -ENOMEM;
	for (size_t i = 0; i < t->n_parts; i++)
		v[i] = &t->parts[i];
	qsort(v, t->n_parts, sizeof(*v), by_start);
	printf("%s: %s, %u-byte sectors, %s\n", q->target,
	       sw_size_format(t->size, size, sizeof(size)), t->sector,
	       t->fresh ? "a new GPT" : t->changed ? "the GPT is changed" : "nothing to change");
	print_before(t);
	printf("%3s  %-16s %-16s %7s %7s  %-6s %s\n", "No", "Label", "Type", "Start", "Size", "",
	       "Definition");
	for (size_t i = 0; i < t->n_parts; i++)
		printf("%3u  %-16s %-16.16s %7s %7s  %-6s %s\n", v[i]->number, v[i]->label,
		       type_text(v[i], uuid), sw_size_format(v[i]->start, start, sizeof(start)),
		       sw_size_format(v[i]->size, size, sizeof(size)), action_of(v[i]),
		       v[i]->part ? v[i]->part->file : "");
	return 0;
}

static bool is_placed(const struct sw_layout_result *t, const struct sw_layout_part *p)
{
	for (size_t i = 0; i < t->n_parts; i++)
		if (t->parts[i].part == p)
			return true;
	return false;
}

static void print_dropped(const struct sw_layout *l, const struct sw_layout_result *t)
{
	for (size_t i = 0; i < l->n_parts; i++)
		if (!is_placed(t, &l->parts[i]))
			printf("Left out, no space: %s (priority %d)\n", l->parts[i].file,
			       l->parts[i].priority);
}

static json_object *part_to_json(const struct sw_placement *p)
{
	json_object *o = json_object_new_object();
	char text[SW_GUID_TEXT];
	const struct sw_guid *type = p->old ? &p->old->type : &p->part->type;

	sw_json_add_u64(o, "number", p->number);
	sw_json_add_str(o, "action", action_of(p));
	sw_json_add_u64(o, "start", p->start);
	sw_json_add_u64(o, "size", p->size);
	if (p->old)
		sw_json_add_u64(o, "old_size", p->old->size);
	sw_json_add_str(o, "type", sw_guid_format(type, text));
	sw_json_add_str(o, "type_name", sw_part_type_name(type));
	sw_json_add_str(o, "uuid", sw_guid_format(&p->uuid, text));
	sw_json_add_str(o, "label", p->label);
	(void)snprintf(text, sizeof(text), "0x%016llx",
		       (unsigned long long)(p->old ? p->old->attrs : p->part->attrs));
	sw_json_add_str(o, "attrs", text);
	sw_json_add_str(o, "file", p->part ? p->part->file : NULL);
	return o;
}

static json_object *to_json(const struct sw_layout_request *q, const struct sw_layout_result *t)
{
	json_object *o = json_object_new_object(), *parts = json_object_new_array();
	json_object *dropped = json_object_new_array();
	char text[SW_GUID_TEXT];

	sw_json_add_str(o, "target", q->target);
	sw_json_add_str(o, "layout", q->layout->name);
	sw_json_add_u64(o, "size", t->size);
	sw_json_add_u64(o, "sector", t->sector);
	sw_json_add_bool(o, "new_table", t->fresh);
	sw_json_add_bool(o, "changed", t->changed);
	sw_json_add_str(o, "label_id", sw_guid_format(&t->disk_id, text));
	for (size_t i = 0; i < t->n_parts; i++)
		json_object_array_add(parts, part_to_json(&t->parts[i]));
	for (size_t i = 0; i < q->layout->n_parts; i++)
		if (!is_placed(t, &q->layout->parts[i]))
			json_object_array_add(dropped,
					      json_object_new_string(q->layout->parts[i].file));
	sw_json_add(o, "partitions", parts);
	sw_json_add(o, "dropped", dropped);
	return o;
}

static void show(const struct sw_cli *cli, const struct sw_layout_request *q,
		 const struct sw_layout_result *t)
{
	if (cli->json) {
		_cleanup_json_ json_object *o = to_json(q, t);

		sw_print_json(o);
		return;
	}
	(void)print_text(q, t);
	print_dropped(q->layout, t);
	fflush(stdout);
}

/* ---- doing ---- */

/* The file is made or grown; a fresh one goes away again when that is all that came of it. */
static int open_sized(const struct sw_layout_request *q, const struct sw_layout_result *t,
		      struct sw_io **io, struct sw_error *err)
{
	bool make = q->empty == SW_EMPTY_CREATE;
	_cleanup_close_ int fd = -EBADF;

	if (!make && t->size == t->old_size)
		return 0;
	fd = open(q->target, O_RDWR | O_CLOEXEC | (make ? O_CREAT | O_EXCL : 0), 0644);
	if (fd < 0 || ftruncate(fd, (off_t)t->size) < 0) {
		int r = -errno;

		if (make && fd >= 0)
			(void)unlink(q->target);
		sw_fail_errno(err, SW_EXIT_FAILED, r, make ? "the file cannot be made"
							   : "the file cannot be made larger");
		sw_error_where(err, "%s", q->target);
		return r;
	}
	if (!make) {
		(*io)->size = t->size;
		return 0;
	}
	return sw_io_open(q->target, true, true, t->sector, io, err);
}

static int settle(const struct sw_cli *cli, const char *target, struct sw_error *err)
{
	_cleanup_machine_ struct sw_machine *m = NULL;
	struct sw_disk d = { .node = (char *)target };
	const char *slash = strrchr(target, '/');
	int r = sw_cli_machine(cli, &m, err);

	if (r < 0)
		return r;
	d.name = (char *)(slash ? slash + 1 : target);
	r = sw_machine_settle(m, &d);
	if (r < 0) {
		sw_fail_errno(err, SW_EXIT_DIRTY, r, "the kernel does not take the new table");
		sw_error_where(err, "%s", target);
		sw_error_hint(err, "it is on the disk; restart, or see `lsblk`");
	}
	return r;
}

static int carry_out(const struct sw_cli *cli, const struct sw_layout_request *q,
		     const struct sw_layout_result *t, struct sw_io **io, struct sw_error *err)
{
	struct stat st;
	int r;

	if (t->fresh || t->changed) {
		r = sw_confirm(cli, "Type yes to write this: ", "yes", err);
		if (r < 0)
			return r;
	}
	r = open_sized(q, t, io, err);
	if (r < 0)
		return r;
	r = sw_layout_carry_out(*io, t, NULL, err);
	if (r < 0 && q->empty == SW_EMPTY_CREATE)
		(void)unlink(q->target);
	if (r < 0 || stat(q->target, &st) < 0 || !S_ISBLK(st.st_mode) || !t->changed)
		return r;
	/* The kernel is told after the lock is gone: udev waits for it. */
	*io = sw_io_close(*io);
	return settle(cli, q->target, err);
}

static int run(struct sw_cli *cli, bool apply, struct sw_error *err)
{
	_cleanup_layout_ struct sw_layout *l = NULL;
	_cleanup_io_ struct sw_io *io = NULL;
	_cleanup_(sw_layout_result_clear) struct sw_layout_result t = {};
	struct sw_layout_request q = {};
	int r = read_request(cli, &q, err);

	if (r == 0)
		r = read_layout(cli, &l, err);
	if (r == 0)
		r = check_target(cli, &q, err);
	if (r == 0 && q.empty != SW_EMPTY_CREATE)
		r = sw_io_open(q.target, apply, apply, q.sector, &io, err);
	if (r < 0)
		return r;
	q.layout = l;
	r = sw_layout_prepare(&q, io, &t, err);
	if (r < 0)
		return r;
	show(cli, &q, &t);
	return apply ? carry_out(cli, &q, &t, &io, err) : 0;
}

static int run_plan(struct sw_cli *cli, struct sw_error *err)
{
	return run(cli, false, err);
}

static int run_apply(struct sw_cli *cli, struct sw_error *err)
{
	return run(cli, true, err);
}

static const struct sw_opt opts[] = {
	{ 'D', "definitions", "DIR", "partition definitions; of several the first hides the rest" },
	{ 'd', "seed", "UUID", "what UUIDs are derived from (the machine id)" },
	{ 'e', "empty", "MODE", "refuse (default), allow, require, force or create" },
	{ 's', "size", "N", "make the file this large, or \"auto\"" },
	{ 'S', "sector-size", "N", "of a file: 512 or 4096" },
	{ 0, NULL, NULL, NULL },
};

const struct sw_command sw_command_layout_plan = {
	.name = "layout plan",
	.summary = "Show what partition definitions would do to a disk or image file",
	.operands = "TARGET",
	.min_rest = 1,
	.max_rest = 1,
	.opts = opts,
	.details = "The definitions are those of repart.d(5). Nothing is written.",
	.run = run_plan,
};

const struct sw_command sw_command_layout_apply = {
	.name = "layout apply",
	.summary = "Bring partition definitions to a disk or image file",
	.operands = "TARGET",
	.min_rest = 1,
	.max_rest = 1,
	.opts = opts,
	.details = "Partitions are added and grown, never shrunk, moved or deleted, unless\n"
		   "--empty=force starts anew. Without a terminal --yes is needed.",
	.run = run_apply,
};
