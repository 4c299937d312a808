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
#include "layout/target.h"
#include "layout/types.h"
#include "machine/shell.h"
#include "tui/commands/layout-target.h"
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

/* Keys that mean something to an install only: everything goes to the one target here. */
static const char *const install_keys[] = { "X-Slipway-Disk", "X-Slipway-Raid" };

static bool not_looked_at(const struct sw_layout *l, size_t key)
{
	for (size_t i = 0; i < l->n_parts; i++)
		if (key == 0 ? l->parts[i].disks != NULL : l->parts[i].raid)
			return true;
	return false;
}

static void print_ignored(const struct sw_layout *l)
{
	for (size_t k = 0; k < ARRAY_SIZE(install_keys); k++)
		if (not_looked_at(l, k))
			printf("Ignored: %s=, which counts in an install only; everything goes to "
			       "this target\n", install_keys[k]);
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
	json_object *dropped = json_object_new_array(), *ignored = json_object_new_array();
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
	for (size_t k = 0; k < ARRAY_SIZE(install_keys); k++)
		if (not_looked_at(q->layout, k))
			json_object_array_add(ignored, json_object_new_string(install_keys[k]));
	sw_json_add(o, "dropped", dropped);
	sw_json_add(o, "ignored", ignored);
	return o;
}

static void add_undo(json_object *o, const struct sw_layout_place *p)
{
	json_object *undo = json_object_new_object();

	sw_json_add_str(undo, "place", p->path ? p->path : p->zone ? "disk" : NULL);
	if (p->doc) {
		sw_json_add(undo, "comes_back",
			    json_object_get(sw_json_array(p->doc, "comes_back")));
		sw_json_add(undo, "does_not", json_object_get(sw_json_array(p->doc, "does_not")));
	}
	sw_json_add(o, "undo", undo);
}

static void print_undo(const struct sw_layout_place *p)
{
	if (!p->path && !p->zone)
		return;
	printf("Undo data goes to %s; `slipway layout undo` takes this back\n",
	       p->path ? p->path : "the disk's last 5M");
	sw_layout_undo_print(p->doc);
}

/* place: where undo data goes, NULL for a plan. */
static void show(const struct sw_cli *cli, const struct sw_layout_request *q,
		 const struct sw_layout_result *t, const struct sw_layout_place *place)
{
	if (cli->json) {
		_cleanup_json_ json_object *o = to_json(q, t);

		if (place)
			add_undo(o, place);
		sw_print_json(o);
		return;
	}
	(void)print_text(q, t);
	print_dropped(q->layout, t);
	print_ignored(q->layout);
	if (place)
		print_undo(place);
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

static void hint_undo(const struct sw_layout_place *place, struct sw_error *err)
{
	if (err && !err->hint[0] && (place->path || place->zone))
		sw_error_hint(err, "Run the same command again to finish it, or `slipway layout "
				   "undo` to take it back");
}

static int write_all(const struct sw_layout_request *q, const struct sw_layout_result *t,
		     struct sw_layout_place *place, struct sw_io **io, struct sw_error *err)
{
	bool make = q->empty == SW_EMPTY_CREATE;
	int r = make ? 0 : sw_layout_place_save(place, *io, err);

	if (r == 0)
		r = open_sized(q, t, io, err);
	if (r < 0)
		return r;
	r = sw_layout_carry_out(*io, t, NULL, err);
	if (r < 0 && make)
		(void)unlink(q->target);
	if (r < 0)
		hint_undo(place, err);
	if (r < 0 || !place->u.io)
		return r;
	r = sw_layout_undo_mark(&place->u, SW_LAYOUT_UNDO_DONE);
	return r < 0 ? sw_fail_errno(err, SW_EXIT_DIRTY, r, "the undo data cannot be closed") : 0;
}

static int carry_out(const struct sw_cli *cli, const struct sw_layout_request *q,
		     const struct sw_layout_result *t, struct sw_layout_place *place,
		     struct sw_io **io, struct sw_error *err)
{
	struct stat st;
	int r;

	if (!t->changed)
		return 0;
	r = sw_confirm(cli, "Type yes to write this: ", "yes", err);
	if (r == 0)
		r = write_all(q, t, place, io, err);
	if (r < 0 || stat(q->target, &st) < 0 || !S_ISBLK(st.st_mode))
		return r;
	/* The kernel is told after the lock is gone: udev waits for it. */
	*io = sw_io_close(*io);
	return sw_layout_cli_settle(cli, q->target, err);
}

/*
 * An apply that did not end: when its table is in force only the last record is
 * missing; else its writes are taken back, so that this one starts from what was
 * there, with undo data that is whole.
 */
static int clear_up(const struct sw_cli *cli, const struct sw_layout_request *q, struct sw_io *io,
		    bool apply, struct sw_error *err)
{
	_cleanup_(sw_layout_place_clear) struct sw_layout_place p = {};
	_cleanup_(sw_layout_undo_head_clear) struct sw_layout_undo_head h = {};
	int r;

	if (sw_arg(&cli->args, 'U'))
		return 0;
	r = sw_layout_place_find(cli, q->target, io, apply, &p, &h, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (h.state != SW_LAYOUT_UNDO_RUNNING && h.state != SW_LAYOUT_UNDO_UNDOING)
		return 0;
	fprintf(stderr, "slipway: an earlier %s of this target did not end\n",
		h.state == SW_LAYOUT_UNDO_RUNNING ? "apply" : "undo");
	if (!apply)
		return 0;
	if (h.state == SW_LAYOUT_UNDO_RUNNING && sw_layout_undo_is_new(io, &h))
		return sw_layout_undo_mark(&p.u, SW_LAYOUT_UNDO_DONE);
	r = sw_layout_undo_check(io, &h, err);
	if (r == 0)
		r = sw_confirm(cli, "Type yes to take back first what it wrote: ", "yes", err);
	if (r == 0)
		r = sw_layout_undo_run(&p.u, io, &h, NULL, err);
	return r == 0 ? sw_layout_cli_cut(io, &h, err) : r;
}

static int open_target(const struct sw_cli *cli, const struct sw_layout_request *q, bool apply,
		       struct sw_io **ret_io, struct sw_error *err)
{
	int r = sw_layout_cli_check(cli, q, err);

	if (r < 0 || q->empty == SW_EMPTY_CREATE)
		return r;
	r = sw_io_open(q->target, apply, apply, q->sector, ret_io, err);
	return r < 0 ? r : clear_up(cli, q, *ret_io, apply, err);
}

/* As systemd calls it: "auto", a device, or a TCTI with its argument. malloc'd; NULL: none. */
static int find_tpm(const struct sw_cli *cli, struct sw_machine **ret_machine, char **ret_tcti,
		    struct sw_error *err)
{
	const char *device = sw_arg(&cli->args, 'T'), *tcti = NULL;
	struct sw_error none = {};
	int r;

	if (device && strcmp(device, "auto") != 0) {
		*ret_tcti = device[0] == '/' ? sw_fmt("device:%s", device) : strdup(device);
		return *ret_tcti ? 0 : sw_fail_oom(err);
	}
	r = sw_cli_machine(cli, ret_machine, err);
	if (r == 0 && sw_machine_tcti(*ret_machine, &tcti, &none) == 0) {
		r = sw_shell_may_seal(*ret_machine, err);
		*ret_tcti = r == 0 ? strdup(tcti) : NULL;
		r = r < 0 || *ret_tcti ? r : sw_fail_oom(err);
	}
	return r;
}

struct keys {
	struct sw_layout_keys k;
	struct sw_secret *file;
	struct sw_machine *machine;	/* a stand-in's TPM ends with it */
	char *tcti;
};

static void keys_clear(struct keys *k)
{
	sw_secret_free(k->file);
	free(k->tcti);
	sw_machine_free(k->machine);
}

static int read_keys(const struct sw_cli *cli, const struct sw_layout *l, struct keys *k,
		     struct sw_error *err)
{
	const char *file = sw_arg(&cli->args, 'K'), *pcrs = sw_arg(&cli->args, 'P');
	unsigned int wanted = 0;
	int r = 0;

	for (size_t i = 0; i < l->n_parts; i++)
		wanted |= l->parts[i].encrypt;
	k->k.pcrs = SW_TPM_PCRS_DEFAULT;
	if (pcrs)
		r = sw_tpm_parse_pcrs(pcrs, &k->k.pcrs, err);
	if (r == 0 && file)
		r = sw_secret_read(file, SW_LUKS_KEY_FILE_MAX, &k->file, err);
	if (r == 0 && (wanted & SW_ENCRYPT_TPM2))
		r = find_tpm(cli, &k->machine, &k->tcti, err);
	k->k.key_file = k->file;
	k->k.tcti = k->tcti;
	return r;
}

static int run(struct sw_cli *cli, bool apply, struct sw_error *err)
{
	_cleanup_layout_ struct sw_layout *l = NULL;
	_cleanup_io_ struct sw_io *io = NULL;
	_cleanup_(sw_layout_place_clear) struct sw_layout_place place = {};
	_cleanup_(sw_layout_result_clear) struct sw_layout_result t = {};
	_cleanup_(keys_clear) struct keys keys = {};
	struct sw_layout_request q = { .keys = &keys.k };
	int r = read_request(cli, &q, err);

	if (r == 0)
		r = read_layout(cli, &l, err);
	if (r == 0 && apply)
		r = read_keys(cli, l, &keys, err);
	if (r == 0)
		r = open_target(cli, &q, apply, &io, err);
	if (r < 0)
		return r;
	q.layout = l;
	q.look_only = !apply;
	r = sw_layout_prepare(&q, io, &t, err);
	if (r == 0 && apply)
		r = sw_layout_place_choose(cli, q.target, io, &t, &place, err);
	if (r < 0)
		return r;
	show(cli, &q, &t, apply ? &place : NULL);
	return apply ? carry_out(cli, &q, &t, &place, &io, err) : 0;
}

static int run_plan(struct sw_cli *cli, struct sw_error *err)
{
	return run(cli, false, err);
}

static int run_apply(struct sw_cli *cli, struct sw_error *err)
{
	return run(cli, true, err);
}

static const struct sw_opt plan_opts[] = {
	{ 'D', "definitions", "DIR", "partition definitions; of several the first hides the rest" },
	{ 'd', "seed", "UUID", "what UUIDs are derived from (the machine id)" },
	{ 'e', "empty", "MODE", "refuse (default), allow, require, force or create" },
	{ 's', "size", "N", "make the file this large, or \"auto\"" },
	{ 'S', "sector-size", "N", "of a file: 512 or 4096" },
	{ 0, NULL, NULL, NULL },
};

static const struct sw_opt apply_opts[] = {
	{ 'D', "definitions", "DIR", "partition definitions; of several the first hides the rest" },
	{ 'd', "seed", "UUID", "what UUIDs are derived from (the machine id)" },
	{ 'e', "empty", "MODE", "refuse (default), allow, require, force or create" },
	{ 's', "size", "N", "make the file this large, or \"auto\"" },
	{ 'S', "sector-size", "N", "of a file: 512 or 4096" },
	{ 'K', "key-file", "FILE", "the key for Encrypt=key-file, byte for byte" },
	{ 'T', "tpm2-device", "DEVICE", "the TPM for Encrypt=tpm2: auto, a device or a TCTI" },
	{ 'P', "tpm2-pcrs", "PCRS", "what it seals to: 7 (default), or several like 7+14" },
	{ 'u', "undo", "FILE", "keep undo data there (TARGET.undo, or the disk's last 5M)" },
	{ 'U', "no-undo", NULL, "keep none: this cannot be taken back" },
	{ 0, NULL, NULL, NULL },
};

const struct sw_command sw_command_layout_plan = {
	.name = "layout plan",
	.summary = "Show what partition definitions would do to a disk or image file",
	.operands = "TARGET",
	.min_rest = 1,
	.max_rest = 1,
	.opts = plan_opts,
	.details = "The definitions are those of repart.d(5). Nothing is written.",
	.run = run_plan,
};

const struct sw_command sw_command_layout_apply = {
	.name = "layout apply",
	.summary = "Bring partition definitions to a disk or image file",
	.operands = "TARGET",
	.min_rest = 1,
	.max_rest = 1,
	.opts = apply_opts,
	.details = "Partitions are added and grown, never shrunk, moved or deleted, unless\n"
		   "--empty=force starts anew. What is written over is kept first, as undo\n"
		   "data, and `slipway layout undo` puts it back. Without a terminal --yes\n"
		   "is needed.",
	.run = run_apply,
};
