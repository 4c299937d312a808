/* SPDX-License-Identifier: Apache-2.0 */
/* `slipway doctor`: what is wrong with the node, and putting it right one finding at a time. */
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "rescue/rescue.h"
#include "tui/commands/common.h"
#include "tui/commands/list.h"

enum { OPT_REPAIR = 300, OPT_SAVE, OPT_UNDO, OPT_NO_UNDO };

struct visit {
	const struct sw_cli *cli;
	struct sw_target t;
	struct sw_varstore *vars;	/* borrowed; NULL without UEFI variables */
	struct sw_findings found;
	json_object *done;	/* of --repair: what was made of each ID */
};

static void visit_clear(struct visit *v)
{
	sw_findings_clear(&v->found);
	sw_target_clear(&v->t);
}

/* Afresh: after a repair nothing that was read before it counts. */
static int look(struct visit *v, struct sw_error *err)
{
	int r;

	visit_clear(v);
	v->vars = NULL;
	r = sw_target_open(v->cli, &v->t, err);
	if (r < 0)
		return r;
	if (v->t.vars && sw_machine_vars(v->t.m, &v->vars, NULL) < 0)
		v->vars = NULL;
	return sw_rescue_examine(v->t.m, v->t.f, v->vars, v->t.vars, sw_arg(&v->cli->args, 'd'),
				 &v->found, err);
}

static void print_finding(const struct sw_finding *fi)
{
	static const char *const marks[] = { "info", "WARNING", "ERROR" };

	printf("%s  %s: %s\n", marks[fi->severity], fi->id, fi->what);
	if (fi->evidence[0])
		printf("   seen    %s%s\n", fi->evidence,
		       fi->sure == SW_SURE_CERTAIN ? "" : " (likely, not certain)");
	if (fi->effect[0])
		printf("   means   %s\n", fi->effect);
	if (fi->repair)
		printf("   repair  %s\n", fi->repair->text);
	else if (fi->advice[0])
		printf("   advice  %s\n", fi->advice);
}

static void print_plan(const struct sw_repair *r)
{
	printf("Repair   %s\n", r->text);
	for (size_t i = 0; i < r->n_bytes; i++) {
		const struct sw_rescue_bytes *b = &r->bytes[i];
		size_t at = 0;

		while (at < b->len && b->old[at] == b->now[at])
			at++;
		printf("         %s: %zu bytes at byte %llu of %s, first difference %02x -> %02x "
		       "at %llu\n", b->text, b->len, (unsigned long long)b->off, r->disk->name,
		       b->old[at], b->now[at], (unsigned long long)(b->off + at));
	}
	if (r->to)
		printf("         %s of %s: the places that the image of %s covers\n", r->to->label,
		       r->disk->name, r->from->label);
	for (size_t i = 0; i < r->vars.n_writes; i++)
		printf("         %s: %s\n", r->vars.writes[i].name, r->vars.writes[i].text);
	fflush(stdout);
}

/* A name beside those that are there already. */
static char *undo_path(const struct visit *v)
{
	const char *save = sw_arg(&v->cli->args, OPT_SAVE);

	if (save)
		return strdup(save);
	(void)sw_mkdir_all(v->t.m->run_dir, 0755);
	for (unsigned int i = 1; i < 1000; i++) {
		char *path = sw_fmt("%s/doctor-undo-%u.json", v->t.m->run_dir, i);

		if (!path || access(path, F_OK) < 0)
			return path;
		free(path);
	}
	return NULL;
}

static int no_such(const struct visit *v, const char *id, struct sw_error *err)
{
	sw_fail(err, SW_EXIT_USAGE, -ENOENT, "there is no finding \"%s\" now", id);
	sw_error_hint(err, v->found.n ? "`slipway doctor` lists them" : "nothing is wrong");
	return -ENOENT;
}

static int no_repair(const struct sw_finding *fi, struct sw_error *err)
{
	sw_fail(err, SW_EXIT_REFUSED, -EOPNOTSUPP, "slipway cannot repair %s", fi->id);
	sw_error_why(err, "%s", fi->what);
	if (fi->advice[0])
		sw_error_hint(err, "%s", fi->advice);
	return -EOPNOTSUPP;
}

static int gone(struct visit *v, const char *id, const char *saved, struct sw_error *err)
{
	int r = look(v, err);

	if (r < 0 || !sw_findings_get(&v->found, id))
		return r;
	sw_fail(err, SW_EXIT_VERIFY, -EBADMSG, "%s is still there after its repair", id);
	sw_error_why(err, "the firmware or the disk did not keep what was written");
	if (saved)
		sw_error_hint(err, "`slipway doctor --undo %s` takes it back", saved);
	return -EBADMSG;
}

static int apply(struct visit *v, const char *id, struct sw_error *err)
{
	const struct sw_finding *fi = sw_findings_get(&v->found, id);
	_cleanup_free_ char *path = undo_path(v);
	bool undo = !sw_arg(&v->cli->args, OPT_NO_UNDO);
	int r;

	if (!path)
		return sw_fail_oom(err);
	r = sw_confirm(v->cli, "Type yes to write this: ", "yes", err);
	if (r == 0)
		r = sw_rescue_repair(v->t.m, v->vars, fi->repair, undo ? path : NULL, NULL, err);
	if (r == 0)
		r = gone(v, id, undo ? path : NULL, err);
	if (r < 0 || v->cli->json)
		return r;
	printf("Repaired, and looked at again: %s is gone.\n", id);
	if (undo)
		printf("`slipway doctor --undo %s` takes it back.\n", path);
	return 0;
}

static int repair_one(struct visit *v, const char *id, struct sw_error *err)
{
	const struct sw_finding *fi = sw_findings_get(&v->found, id);

	if (!fi)
		return no_such(v, id, err);
	if (!fi->repair)
		return no_repair(fi, err);
	if (!v->cli->json) {
		print_finding(fi);
		print_plan(fi->repair);
	}
	json_object_array_add(v->done, sw_finding_to_json(fi));
	return sw_arg(&v->cli->args, 'D') ? 0 : apply(v, id, err);
}

/* One ID may have put another right as well: then that one is no mistake of the caller. */
static int repair_all(struct visit *v, struct sw_error *err)
{
	const struct sw_args *a = &v->cli->args;
	bool before[SW_ARGS_MAX] = {};
	int r = 0;

	for (size_t i = 0; i < a->n_opts; i++)
		before[i] = sw_findings_get(&v->found, a->opts[i].value) != NULL;
	for (size_t i = 0; r == 0 && i < a->n_opts; i++) {
		const char *id = a->opts[i].value;

		if (a->opts[i].id != OPT_REPAIR)
			continue;
		if (before[i] && !sw_findings_get(&v->found, id)) {
			if (!v->cli->json)
				printf("%s was put right already.\n", id);
			continue;
		}
		r = repair_one(v, id, err);
	}
	return r;
}

static int show(const struct visit *v, struct sw_error *err)
{
	_cleanup_json_ json_object *o = json_object_new_object();
	json_object *list = json_object_new_array();
	bool fine = sw_findings_worst(&v->found) == SW_FINDING_INFO;

	for (size_t i = 0; i < v->found.n; i++) {
		json_object_array_add(list, sw_finding_to_json(&v->found.v[i]));
		if (!v->cli->json)
			print_finding(&v->found.v[i]);
	}
	sw_json_add_bool(o, "healthy", fine);
	sw_json_add(o, "findings", list);
	if (v->done)
		sw_json_add(o, "repaired", json_object_get(v->done));
	if (v->cli->json)
		sw_print_json(o);
	else if (fine)
		printf("%sNothing is wrong.\n", v->found.n ? "\n" : "");
	if (fine || sw_arg(&v->cli->args, OPT_REPAIR))
		return 0;
	sw_fail(err, SW_EXIT_VERIFY, -EUCLEAN, "something is wrong with this machine");
	sw_error_hint(err, "`slipway doctor --repair ID` puts one thing right; with --dry-run it "
			   "only shows how");
	return -EUCLEAN;
}

static int take_back(struct visit *v, const char *file, struct sw_error *err)
{
	_cleanup_json_ json_object *undo = NULL;
	int r = sw_json_load(file, &undo, err);

	if (r == 0)
		r = sw_confirm(v->cli, "Type yes to take this repair back: ", "yes", err);
	if (r == 0)
		r = sw_rescue_undo(v->t.m, v->t.f, v->vars, undo, file, err);
	if (r < 0)
		return r;
	if (!v->cli->json)
		printf("Taken back: %s.\n", sw_json_str(undo, "text", file));
	return 0;
}

static int run(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_(visit_clear) struct visit v = { .cli = cli };
	_cleanup_json_ json_object *done = NULL;
	int r = sw_cli_needs_disks(cli, "doctor", err);

	if (r == 0)
		r = look(&v, err);
	if (r < 0)
		return r;
	if (sw_arg(&cli->args, OPT_UNDO))
		return take_back(&v, sw_arg(&cli->args, OPT_UNDO), err);
	if (sw_arg(&cli->args, OPT_REPAIR)) {
		done = v.done = json_object_new_array();
		r = repair_all(&v, err);
		if (r < 0 || !cli->json)
			return r;
	}
	return show(&v, err);
}

static const struct sw_opt opts[] = {
	{ OPT_REPAIR, "repair", "ID", "put this finding right; may be given several times" },
	{ 'D', "dry-run", NULL, "show what a repair would write and stop" },
	{ OPT_SAVE, "save", "FILE", "where the repair saves what undo needs" },
	{ OPT_NO_UNDO, "no-undo", NULL, "save nothing: the repair cannot be taken back" },
	{ OPT_UNDO, "undo", "FILE", "take a repair back" },
	{ 'd', "disk", "NAME", "the node's disk, when several have one" },
	{ 0, NULL, NULL, NULL },
};

const struct sw_command sw_command_doctor = {
	.name = "doctor",
	.summary = "Find what is wrong with the node, and put it right",
	.operands = "",
	.opts = opts,
	.details = "Partition tables, slots, node data, boot entries, order and next boot: each\n"
		   "finding says what it rests on and what it leads to. Without --repair nothing\n"
		   "is written, and exit 8 says that there is a warning or an error.",
	.run = run,
};
