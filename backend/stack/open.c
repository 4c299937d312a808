/* SPDX-License-Identifier: Apache-2.0 */
/* Putting a stack together, on loop devices that nothing can write through. */
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/proc.h"
#include "base/text.h"
#include "disk/luks-map.h"
#include "boot/secrets.h"
#include "machine/loop.h"
#include "stack/private.h"

#define TOOL_S 60U

/* Neither waits for rules of udev, which not every system has. */
static const char *const tool_env[] = { "DM_DISABLE_UDEV=1", "MDADM_NO_UDEV=1",
					"LVM_SUPPRESS_FD_WARNINGS=1", NULL };

struct opening {
	struct sw_machine *m;
	const struct sw_stack *s;
	const struct sw_stack_how *how;
	struct sw_loop loops[SW_STACK_MEMBERS_MAX];
	char *nodes[SW_STACK_MEMBERS_MAX + 1];	/* of the loops, borrowed, NULL-terminated */
	size_t n;
	struct sw_error *err;
};

static void opening_clear(struct opening *o)
{
	for (size_t i = 0; i < o->n; i++)
		sw_loop_close(&o->loops[i]);
	o->n = 0;
}

/* ---- whether this machine can ---- */

static int cannot(struct opening *o, const char *why, const char *hint)
{
	sw_fail(o->err, SW_EXIT_MISSING, -EOPNOTSUPP, "this cannot be put together here");
	sw_error_why(o->err, "%s", why);
	sw_error_hint(o->err, "%s", hint);
	return -EOPNOTSUPP;
}

static int check_program(struct opening *o, const char *program, const char *package)
{
	if (sw_proc_exists(program))
		return 0;
	sw_fail(o->err, SW_EXIT_MISSING, -ENOENT, "the program %s is not installed", program);
	sw_error_hint(o->err, "install the package %s, or start slipway's medium", package);
	return -ENOENT;
}

static int check_machine(struct opening *o)
{
	static const char medium[] = "start the machine from slipway's medium, and look from there";
	const char *const modules[] = { "modprobe", "-q", "-a", "loop", "dm-mod", "dm-crypt",
					"md-mod", "linear", "raid0", "raid1", "raid10", "raid456",
					NULL };
	bool md = o->s->kind == SW_STACK_MD;

	if (o->m->kind != SW_MACHINE_REAL)
		return cannot(o, "a stand-in has no kernel that does it; it is done on the machine "
				 "itself", "`slipway doctor --open` looks into an encrypted state "
					   "without one");
	if (geteuid() != 0)
		return cannot(o, "only root may have the kernel do it", "run it as root");
	(void)sw_proc_run(modules, NULL, TOOL_S, NULL);
	if (access("/dev/loop-control", F_OK) < 0)
		return cannot(o, "this kernel has no loop devices", medium);
	if (md ? access("/proc/mdstat", F_OK) < 0 : access("/dev/mapper/control", F_OK) < 0)
		return cannot(o, md ? "this kernel has no md driver"
				    : "this kernel has no device mapper", medium);
	return md ? check_program(o, "mdadm", "mdadm")
	     : o->s->kind == SW_STACK_LVM ? check_program(o, "lvm", "lvm2") : 0;
}

/* ---- the loops ---- */

static int add_loop(struct opening *o, const struct sw_stack_member *member)
{
	char mark[64];
	int r;

	sw_stack_mark(member, mark, sizeof(mark));
	r = sw_loop_open(member->disk->node, member->start, member->size, member->disk->sector,
			 true, mark, &o->loops[o->n]);
	if (r < 0) {
		sw_fail_errno(o->err, SW_EXIT_FAILED, r, "a read-only view cannot be made");
		sw_error_where(o->err, "%s", member->disk->name);
		return r;
	}
	o->nodes[o->n] = o->loops[o->n].node;
	o->n++;
	return 0;
}

/* ---- running the programs ---- */

static int tool_failed(struct opening *o, int r, const char *program, const char *what,
		       const struct sw_buf *said)
{
	_cleanup_free_ char *line = strdup(sw_buf_text(said));
	size_t n = line ? strlen(line) : 0;

	while (n && line[n - 1] == '\n')
		line[--n] = '\0';
	sw_fail(o->err, SW_EXIT_FAILED, r < 0 ? r : -EIO, "%s", what);
	sw_error_where(o->err, "%s", o->s->name);
	sw_error_why(o->err, "%s: %.300s", program, r < 0 ? strerror(-r)
							  : line ? sw_text_clean(line) : "");
	return r < 0 ? r : -EIO;
}

static int run(char *const *argv, struct sw_buf *out)
{
	return sw_proc_run((const char *const *)argv, tool_env, TOOL_S, out);
}

/* ---- md ---- */

static int md_incomplete(struct opening *o, const struct sw_buf *said)
{
	const char *text = strstr(sw_buf_text(said), "assembled from");
	_cleanup_free_ char *line = text ? strndup(text, strcspn(text, "\n(")) : NULL;

	sw_fail(o->err, SW_EXIT_REFUSED, -ENXIO, "members of the array are away");
	sw_error_where(o->err, "%s", o->s->name);
	sw_error_why(o->err, "%s", line ? sw_text_clean(line) : "");
	sw_error_hint(o->err, "--degraded looks into what is there, if that is enough");
	return -ENXIO;
}

static int open_md(struct opening *o)
{
	_cleanup_strv_ char **argv = NULL;
	_cleanup_buf_ struct sw_buf said = {};
	char name[64];
	int r;

	(void)snprintf(name, sizeof(name), "%s-%u", o->s->members[0].disk->name,
		       o->s->members[0].number);
	r = sw_stack_md_words(name, o->nodes, o->how->degraded, &argv);
	if (r < 0)
		return sw_fail_oom(o->err);
	r = run(argv, &said);
	if (r == 0 && !strstr(sw_buf_text(&said), "not enough to start") &&
	    !strstr(sw_buf_text(&said), "to start it"))
		return 0;
	(void)sw_stack_close(o->m, NULL, NULL);
	return strstr(sw_buf_text(&said), "assembled from") && !o->how->degraded
	     ? md_incomplete(o, &said)
	     : tool_failed(o, r, "mdadm", "the array cannot be assembled", &said);
}

/* ---- lvm ---- */

static int open_volume(struct opening *o, const char *config, const char *volume)
{
	_cleanup_strv_ char **argv = NULL;
	_cleanup_buf_ struct sw_buf said = {};
	int r = sw_stack_lvm_open_words(config, o->s->name, volume, o->how->degraded, &argv);

	if (r < 0)
		return sw_fail_oom(o->err);
	r = run(argv, &said);
	return r ? tool_failed(o, r, "lvm", "a volume cannot be activated", &said) : 0;
}

static int list_volumes(struct opening *o, const char *config, char ***ret_volumes)
{
	_cleanup_strv_ char **argv = NULL;
	_cleanup_buf_ struct sw_buf said = {};
	size_t left = 0;
	int r = sw_stack_lvm_list_words(config, o->s->name, &argv);

	if (r < 0)
		return sw_fail_oom(o->err);
	r = run(argv, &said);
	if (r)
		return tool_failed(o, r, "lvm", "the volumes cannot be listed", &said);
	if (sw_stack_lvs_parse(sw_buf_text(&said), ret_volumes, &left) < 0)
		return sw_fail_oom(o->err);
	if (*ret_volumes)
		return 0;
	sw_fail(o->err, SW_EXIT_MISSING, -ENODATA,
		"the group has no volume that can be looked into");
	sw_error_where(o->err, "%s", o->s->name);
	sw_error_why(o->err, "%zu are thin, cached, snapshots or RAID: their drivers write", left);
	return -ENODATA;
}

/* One that does not come up leaves the others open; when none does, that is the error. */
static int open_lvm(struct opening *o)
{
	_cleanup_free_ char *config = sw_stack_lvm_config(o->s->name, o->nodes);
	_cleanup_strv_ char **volumes = NULL;
	struct sw_error *err = o->err, first = {};
	size_t opened = 0;
	int r = config ? list_volumes(o, config, &volumes) : sw_fail_oom(err);

	if (r < 0)
		return r;
	o->err = &first;
	for (char **v = volumes; *v; v++)
		opened += open_volume(o, config, *v) == 0;
	o->err = err;
	if (opened)
		return 0;
	if (err)
		*err = first;
	return first.r;
}

/* ---- LUKS ---- */

static int tpm_key(struct opening *o, struct sw_secret **ret_key)
{
	const struct sw_stack_member *member = &o->s->members[0];
	_cleanup_io_ struct sw_io *disk = NULL, *part = NULL;
	int r = sw_machine_open_disk(o->m, member->disk, false, false, &disk, o->err);

	if (r < 0)
		return r;
	r = sw_io_window(disk, member->start, member->size, &part);
	return r < 0 ? sw_fail_errno(o->err, SW_EXIT_FAILED, r, "%s cannot be read", o->s->name)
		     : sw_secrets_part_key(o->m, part, NULL, o->s->name, ret_key, o->err);
}

static int open_luks(struct opening *o)
{
	_cleanup_free_ char *name = sw_fmt("slipway-%s", o->s->name);
	_cleanup_secret_ struct sw_secret *key = NULL;
	int r = name ? 0 : sw_fail_oom(o->err);

	if (r == 0 && !o->how->key)
		r = tpm_key(o, &key);
	return r < 0 ? r : sw_luks_map(o->nodes[0], name, key ? key : o->how->key, true, NULL,
				       o->err);
}

/* ---- all of them ---- */

/* Whether what was asked for stands on a loop of ours. */
static bool is_open(struct sw_machine *m, const struct sw_stack *s)
{
	struct sw_stack_loop *loops = NULL;
	bool open = false;
	char mark[64];
	size_t n = 0;

	sw_stack_mark(&s->members[0], mark, sizeof(mark));
	if (sw_stack_loops(m, &loops, &n) < 0)
		return false;
	for (size_t i = 0; i < n; i++) {
		_cleanup_strv_ char **holders = NULL;

		if (strcmp(loops[i].mark, mark) == 0 &&
		    sw_stack_holders(m, loops[i].name, &holders) == 0 && holders)
			open = true;
	}
	sw_stack_loops_free(loops, n);
	return open;
}

static int assemble(struct opening *o)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < o->s->n; i++)
		r = add_loop(o, &o->s->members[i]);
	if (r == 0)
		r = o->s->kind == SW_STACK_LUKS ? open_luks(o)
		  : o->s->kind == SW_STACK_MD   ? open_md(o) : open_lvm(o);
	/* LVM may have found the group's volumes active already, on the disks themselves. */
	if (r == 0 && !is_open(o->m, o->s)) {
		r = sw_fail(o->err, SW_EXIT_REFUSED, -EBUSY, "it is open already, by this system");
		sw_error_where(o->err, "%s", o->s->name);
		sw_error_hint(o->err, "look at it where this system has it");
	}
	return r;
}

int sw_stack_open(struct sw_machine *m, const struct sw_stack *s, const struct sw_stack_how *how,
		  struct sw_error *err)
{
	_cleanup_(opening_clear) struct opening o = { .m = m, .s = s, .how = how, .err = err };
	int r = check_machine(&o);

	if (r < 0)
		return r;
	return is_open(m, s) ? 0 : assemble(&o);
}
