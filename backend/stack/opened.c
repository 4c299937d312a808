/* SPDX-License-Identifier: Apache-2.0 */
/* What is open: listed, looked into, ended. */
#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/proc.h"
#include "disk/disk.h"
#include "machine/sysdir.h"
#include "stack/private.h"

#define TOOL_S 30U
#define ROUNDS 16U	/* of ending: each takes away what nothing stands on any more */

static const char *const tool_env[] = { "DM_DISABLE_UDEV=1", "MDADM_NO_UDEV=1", NULL };

/* The directory of a block device in sysfs. */
static int open_device(const struct sw_machine *m, const char *name, struct sw_sysdir *ret)
{
	_cleanup_free_ char *path = sw_fmt("%s/block/%s", m->sys_root, name);

	return path ? sw_sysdir_open(AT_FDCWD, path, ret) : -ENOMEM;
}

/* ---- the list ---- */

static json_object *find(json_object *list, const char *disk)
{
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		json_object *o = json_object_array_get_idx(list, i);

		if (strcmp(sw_json_str(o, "disk", ""), disk) == 0)
			return o;
	}
	return NULL;
}

static json_object *new_entry(const struct sw_machine *m, const char *disk)
{
	_cleanup_sysdir_ struct sw_sysdir dir = SW_SYSDIR_CLOSED;
	_cleanup_free_ char *name = NULL, *device = sw_fmt("%s/%s", m->dev_root, disk);
	json_object *o = json_object_new_object();
	bool open = open_device(m, disk, &dir) == 0;

	name = open ? sw_sysdir_line(&dir, "dm/name") : NULL;
	sw_json_add_str(o, "disk", disk);
	sw_json_add_str(o, "name", name ? name : disk);
	sw_json_add_str(o, "device", device);
	sw_json_add_u64(o, "size", open ? sw_sysdir_u64(&dir, "size", 0) * 512 : 0);
	sw_json_add(o, "from", json_object_new_array());
	return o;
}

static int add_loop(struct sw_machine *m, const struct sw_stack_loop *l, json_object *list)
{
	_cleanup_strv_ char **holders = NULL;
	int r = sw_stack_holders(m, l->name, &holders);
	unsigned int number;
	char disk[64];

	if (r < 0 || !sw_stack_mark_parse(l->mark, disk, &number))
		return r;
	for (char **h = holders; h && *h; h++) {
		json_object *o = find(list, *h), *from = json_object_new_object();

		sw_json_add_str(from, "disk", disk);
		sw_json_add_u64(from, "number", number);
		if (!o) {
			o = new_entry(m, *h);
			json_object_array_add(list, o);
		}
		json_object_array_add(sw_json_array(o, "from"), from);
	}
	return 0;
}

int sw_stack_opened(struct sw_machine *m, json_object **ret_list, struct sw_error *err)
{
	_cleanup_json_ json_object *list = json_object_new_array();
	struct sw_stack_loop *loops = NULL;
	size_t n = 0;
	int r = m->kind == SW_MACHINE_REAL ? sw_stack_loops(m, &loops, &n) : 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = add_loop(m, &loops[i], list);
	sw_stack_loops_free(loops, n);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "what is open cannot be listed");
	*ret_list = TAKE_PTR(list);
	return 0;
}

/* ---- a look into it ---- */

static int inspect(struct sw_disk *d, const char *name)
{
	_cleanup_io_ struct sw_io *io = NULL;
	struct sw_table table = {};
	char **signatures = NULL, *text = strdup(name);

	if (!text)
		return -ENOMEM;
	free(d->model);
	d->model = text;
	if (sw_io_open(d->node, false, false, d->sector, &io, NULL) < 0 ||
	    sw_disk_probe(io, &table, &signatures, NULL) < 0)
		return 0;	/* who opens it is told why that does not go */
	sw_table_clear(&d->table);
	sw_strv_free(d->signatures);
	d->table = table;
	d->signatures = signatures;
	return 0;
}

int sw_stack_inspect(struct sw_machine *m, struct sw_facts *f)
{
	_cleanup_json_ json_object *list = NULL;
	int r = 0;

	if (sw_stack_opened(m, &list, NULL) < 0)
		return 0;
	for (size_t i = 0; r == 0 && i < f->n_disks; i++) {
		json_object *o = find(list, f->disks[i].name);

		if (o)
			r = inspect(&f->disks[i], sw_json_str(o, "name", ""));
	}
	return r;
}

int sw_stack_contents(struct sw_machine *m, json_object **ret_list, struct sw_error *err)
{
	_cleanup_facts_ struct sw_facts *f = NULL;
	int r = sw_machine_facts(m, &f, err);

	if (r == 0 && sw_stack_inspect(m, f) < 0)
		r = sw_fail_oom(err);
	if (r == 0)
		r = sw_stack_opened(m, ret_list, err);
	for (size_t i = 0; r == 0 && i < json_object_array_length(*ret_list); i++) {
		json_object *o = json_object_array_get_idx(*ret_list, i);
		const struct sw_disk *d = sw_facts_disk(f, sw_json_str(o, "disk", ""));
		_cleanup_free_ char *what = d ? sw_disk_describe(d) : NULL;

		sw_json_add_str(o, "content", what);
	}
	return r;
}

/* ---- the end ---- */

static int end_one(struct sw_machine *m, const char *name)
{
	_cleanup_sysdir_ struct sw_sysdir dir = SW_SYSDIR_CLOSED;
	_cleanup_strv_ char **above = NULL, **argv = NULL;
	_cleanup_free_ char *dm = NULL;
	int r = sw_stack_holders(m, name, &above);

	if (r < 0 || above)
		return r < 0 ? r : -EBUSY;
	r = open_device(m, name, &dir);
	if (r < 0)
		return sw_sysdir_is_gone(r) ? 0 : r;
	dm = sw_sysdir_line(&dir, "dm/name");
	r = sw_stack_remove_words(name, dm, &argv);
	if (r == 0)
		r = sw_proc_run((const char *const *)argv, tool_env, TOOL_S, NULL);
	return r > 0 ? -EBUSY : r;
}

/* From the top down; how many are gone now. */
static int end_on_loop(struct sw_machine *m, const struct sw_stack_loop *l, size_t *gone)
{
	_cleanup_strv_ char **holders = NULL;
	int r = sw_stack_holders(m, l->name, &holders);

	if (r < 0)
		return r;
	for (size_t i = sw_strv_len(holders); i-- > 0;) {
		r = end_one(m, holders[i]);
		if (r == -ENOMEM)
			return r;
		*gone += r == 0;
	}
	return holders ? 0 : sw_stack_loop_end(m, l->name) == -ENOMEM ? -ENOMEM : 0;
}

static int end_round(struct sw_machine *m, size_t *gone)
{
	struct sw_stack_loop *loops = NULL;
	size_t n = 0;
	int r = sw_stack_loops(m, &loops, &n);

	for (size_t i = 0; r == 0 && i < n; i++)
		r = end_on_loop(m, &loops[i], gone);
	sw_stack_loops_free(loops, n);
	return r;
}

/* A link that mdadm made for a name of ours. */
static void forget_names(void)
{
	_cleanup_sysdir_ struct sw_sysdir dir = SW_SYSDIR_CLOSED;

	if (sw_sysdir_open(AT_FDCWD, "/dev/md", &dir) < 0)
		return;
	for (const char *e = NULL; (e = sw_sysdir_next(&dir, e));)
		if (strncmp(e, "slipway-", 8) == 0)
			(void)unlinkat(dir.fd, e, 0);
}

int sw_stack_close(struct sw_machine *m, size_t *ret_n, struct sw_error *err)
{
	_cleanup_json_ json_object *left = NULL;
	size_t all = 0, gone = 1;
	int r = 0;

	for (unsigned int i = 0; m->kind == SW_MACHINE_REAL && r == 0 && gone && i < ROUNDS; i++) {
		gone = 0;
		r = end_round(m, &gone);
		all += gone;
	}
	if (all)
		forget_names();
	if (ret_n)
		*ret_n = all;
	if (r == 0)
		r = sw_stack_opened(m, &left, err);
	if (r < 0 || !json_object_array_length(left))
		return r < 0 ? sw_fail_errno(err, SW_EXIT_FAILED, r, "it cannot be closed") : 0;
	sw_fail(err, SW_EXIT_REFUSED, -EBUSY, "something uses what was opened");
	sw_error_where(err, "%s", sw_json_str(json_object_array_get_idx(left, 0), "name", ""));
	sw_error_hint(err, "unmount it and leave its directory, then close it again");
	return -EBUSY;
}
