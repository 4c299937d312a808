/* SPDX-License-Identifier: Apache-2.0 */
/* `slipway undo` and `slipway resume`: what to do about an install that did not end. */
#include "apply/undo-copy.h"

#include <string.h>

#include "tui/commands/common.h"
#include "tui/commands/list.h"

struct found {
	struct sw_journal_info *infos;
	size_t n;
};

static void found_clear(struct found *f)
{
	sw_journal_infos_free(f->infos, f->n);
}

static void list_journals(const struct found *found, struct sw_error *err)
{
	char text[400] = "";
	size_t used = 0;

	for (size_t i = 0; i < found->n && used < sizeof(text); i++) {
		int n = snprintf(text + used, sizeof(text) - used, "%s%s", i ? ", " : "",
				 found->infos[i].disk_name);

		used += n > 0 ? (size_t)n : 0;
	}
	sw_error_why(err, "%s", text);
}

/* The disks of --without. */
static int read_without(const struct sw_cli *cli, const struct sw_journal_info *info,
			uint64_t *ret_set, struct sw_error *err)
{
	const char *name;
	size_t pos = 0;
	int r = 0;

	*ret_set = 0;
	while (r == 0 && (name = sw_arg_next(&cli->args, 'w', &pos)))
		r = sw_undo_add_disk(info, name, ret_set, err);
	return r;
}

/*
 * Whether the command could work with this journal. One that is alone is meant only
 * when --without names disks of its install.
 */
static bool fits(const struct sw_cli *cli, const struct sw_journal_info *info, bool resume)
{
	bool running = info->state == SW_JOURNAL_RUNNING;
	struct sw_error ignored = {};
	uint64_t set;

	if (resume)
		return running && !info->alone && !info->owed;
	if (info->state == SW_JOURNAL_UNDONE || info->state == SW_JOURNAL_NONE)
		return false;
	if (!sw_arg(&cli->args, 'w'))
		return !info->alone;
	return read_without(cli, info, &set, &ignored) == 0;
}

/* Nothing can be done with what is there; say why of what comes nearest. */
static int refuse_none(const struct sw_cli *cli, const struct sw_journal_info *near, bool resume,
		       struct sw_error *err)
{
	const char *disk = sw_arg(&cli->args, 'd');
	uint64_t set;
	int r = 0;

	if (near && !resume)
		r = read_without(cli, near, &set, err);
	if (near && r == 0)
		r = resume ? sw_journal_refuse_alone(near, err) : sw_undo_check(near, 0, err);
	if (r < 0)
		return r;
	sw_fail(err, SW_EXIT_MISSING, -ENOENT, "there is nothing to %s%s%s",
		resume ? "resume" : "undo", disk ? " on " : "", disk ? disk : "");
	sw_error_hint(err, "`slipway status` shows every journal");
	return -ENOENT;
}

/* The one journal in question: of --disk, else the only one in the state that fits. */
static int pick(const struct sw_cli *cli, const struct found *found, bool resume,
		const struct sw_journal_info **ret_info, struct sw_error *err)
{
	const char *disk = sw_arg(&cli->args, 'd');
	const struct sw_journal_info *one = NULL, *near = NULL;

	for (size_t i = 0; i < found->n; i++) {
		const struct sw_journal_info *info = &found->infos[i];

		if (disk && strcmp(disk, info->disk_name) != 0)
			continue;
		if (info->alone || (!resume && sw_arg(&cli->args, 'w')))
			near = info;
		if (!fits(cli, info, resume))
			continue;
		if (one) {
			sw_fail(err, SW_EXIT_REFUSED, -ENOTUNIQ, "there is more than one journal");
			list_journals(found, err);
			sw_error_hint(err, "say which with --disk NAME");
			return -ENOTUNIQ;
		}
		one = info;
	}
	if (!one)
		return refuse_none(cli, near, resume, err);
	*ret_info = one;
	return 0;
}

/* In a child of its own session, as an install: a lost terminal must not stop it half way. */
static int work(const struct sw_cli *cli, struct sw_machine *m, const struct sw_journal_info *info,
		enum sw_apply_kind kind, struct sw_error *err)
{
	uint64_t without = 0;
	pid_t pid;
	int fd, r = 0;

	fflush(stdout);
	/* The keys are made anew, so what was noted down before opens nothing any more. */
	if (kind == SW_APPLY_RESUME)
		r = sw_confirm_recovery(info->plan, err);
	else
		r = read_without(cli, info, &without, err);
	if (r < 0)
		return r;
	r = kind == SW_APPLY_RESUME ? sw_apply_resume_spawn(m, info, &pid, &fd, err)
				    : sw_undo_spawn(m, info, without, &pid, &fd, err);
	return r < 0 ? r : sw_follow(cli, pid, fd, err);
}

static bool same_plan(const struct sw_plan *a, const struct sw_plan *b)
{
	_cleanup_json_ json_object *x = sw_plan_to_json(a), *y = sw_plan_to_json(b);

	return json_object_equal(x, y);
}

/* The journal on the disks that a copy is of, or NULL. alone: a further disk's will do. */
static const struct sw_journal_info *find_same(const struct found *found, const struct sw_plan *p,
					       bool alone)
{
	for (size_t i = 0; i < found->n; i++)
		if ((alone || !found->infos[i].alone) && same_plan(found->infos[i].plan, p))
			return &found->infos[i];
	return NULL;
}

/* With a copy the journals are put back first; from then on all is as ever. */
static int work_from(const struct sw_cli *cli, struct sw_machine *m, struct sw_undo_copy *copy,
		     enum sw_apply_kind kind, struct sw_error *err)
{
	_cleanup_(found_clear) struct found found = {};
	_cleanup_facts_ struct sw_facts *f = NULL;
	const struct sw_journal_info *info;
	uint64_t without = 0;
	int r = kind == SW_APPLY_UNDO ? read_without(cli, copy->info, &without, err) : 0;

	if (r == 0)
		r = sw_undo_copy_restore(m, copy, without, err);
	if (r == 0)
		r = sw_machine_facts(m, &f, err);
	if (r == 0)
		r = sw_journal_scan(m, f, &found.infos, &found.n, err);
	if (r < 0)
		return r;
	info = find_same(&found, copy->info->plan, without & 1);
	if (!info)
		return sw_fail(err, SW_EXIT_VERIFY, -EBADMSG,
			       "the journal was put back, but is not found on the disk");
	return work(cli, m, info, kind, err);
}

static int undo(struct sw_cli *cli, struct sw_machine *m, const struct sw_journal_info *info,
		struct sw_undo_copy *copy, struct sw_error *err)
{
	_cleanup_free_ char *text = NULL;
	uint64_t without;
	int r = read_without(cli, info, &without, err);

	if (r < 0)
		return r;
	text = sw_undo_text(info, without);
	if (info->state == SW_JOURNAL_UNDONE)
		return sw_fail(err, SW_EXIT_REFUSED, -EALREADY,
			       "the last install was undone already");
	if (!text)
		return sw_fail_oom(err);
	if (!cli->json)
		printf("%s%s", text, text[0] && text[strlen(text) - 1] == '\n' ? "" : "\n");
	r = sw_undo_check(info, without, err);
	if (r < 0 || sw_arg(&cli->args, 'D'))
		return r;
	r = sw_confirm(cli, "Type yes to undo: ", "yes", err);
	if (r < 0)
		return r;
	return copy ? work_from(cli, m, copy, SW_APPLY_UNDO, err)
		    : work(cli, m, info, SW_APPLY_UNDO, err);
}

static int resume(struct sw_cli *cli, struct sw_machine *m, const struct sw_journal_info *info,
		  struct sw_undo_copy *copy, struct sw_error *err)
{
	int r;

	if (!cli->json)
		printf("%s: going on at step %u of %u: %s\n", info->disk_name, info->step,
		       info->steps, info->step_title ? info->step_title : "");
	fflush(stdout);
	r = copy ? work_from(cli, m, copy, SW_APPLY_RESUME, err)
		 : work(cli, m, info, SW_APPLY_RESUME, err);
	if (r < 0)
		return r;
	return sw_finish_run(cli, m, info->plan, sw_arg(&cli->args, 'n') != NULL, err);
}

/* A copy tells less than the disks do when they still have their journals. */
static int run_from(struct sw_cli *cli, struct sw_machine *m, const struct sw_facts *f,
		    const struct found *found, bool is_resume, struct sw_error *err)
{
	_cleanup_free_ char *place = sw_cli_place(sw_arg(&cli->args, 'f'));
	const struct sw_journal_info *info;
	struct sw_undo_copy copy = {};
	int r;

	if (sw_arg(&cli->args, 'd'))
		return sw_fail(err, SW_EXIT_USAGE, -EINVAL, "--from says which disk; leave out "
							    "--disk");
	r = place ? sw_undo_copy_open(m, place, &copy, err) : sw_fail_oom(err);
	if (r < 0)
		return r;
	sw_undo_copy_look(&copy, f);
	info = find_same(found, copy.info->plan, false);
	if (info && !cli->json)
		printf("The disk's own journal is whole, and is used.\n");
	if (!info)
		info = copy.info;
	r = is_resume ? resume(cli, m, info, &copy, err) : undo(cli, m, info, &copy, err);
	sw_undo_copy_clear(&copy);
	return r;
}

static int run(struct sw_cli *cli, bool is_resume, struct sw_error *err)
{
	_cleanup_machine_ struct sw_machine *m = NULL;
	_cleanup_facts_ struct sw_facts *f = NULL;
	_cleanup_(found_clear) struct found found = {};
	const struct sw_journal_info *info = NULL;
	int r;

	r = sw_cli_needs_disks(cli, is_resume ? "resume" : "undo", err);
	if (r == 0)
		r = sw_cli_machine(cli, &m, err);
	if (r == 0)
		r = sw_machine_facts(m, &f, err);
	if (r == 0)
		r = sw_journal_scan(m, f, &found.infos, &found.n, err);
	if (r == 0 && sw_arg(&cli->args, 'f'))
		return run_from(cli, m, f, &found, is_resume, err);
	if (r == 0)
		r = pick(cli, &found, is_resume, &info, err);
	if (r < 0)
		return r;
	return is_resume ? resume(cli, m, info, NULL, err) : undo(cli, m, info, NULL, err);
}

static int run_undo(struct sw_cli *cli, struct sw_error *err)
{
	return run(cli, false, err);
}

static int run_resume(struct sw_cli *cli, struct sw_error *err)
{
	return run(cli, true, err);
}

static int run_export(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_machine_ struct sw_machine *m = NULL;
	_cleanup_facts_ struct sw_facts *f = NULL;
	_cleanup_(found_clear) struct found found = {};
	const struct sw_journal_info *info = NULL;
	_cleanup_free_ char *where = sw_cli_place(cli->args.rest[0]);
	int r = sw_cli_needs_disks(cli, "undo export", err);

	if (r == 0)
		r = where ? sw_undo_copy_check(where, err) : sw_fail_oom(err);
	if (r == 0)
		r = sw_cli_machine(cli, &m, err);
	if (r == 0)
		r = sw_machine_facts(m, &f, err);
	if (r == 0)
		r = sw_journal_scan(m, f, &found.infos, &found.n, err);
	if (r == 0)
		r = pick(cli, &found, false, &info, err);
	if (r == 0)
		r = sw_undo_copy_export(m, info, where, err);
	if (r == 0 && !cli->json)
		printf("The undo data of %s is copied.\n", info->disk_name);
	return r;
}

static const struct sw_opt undo_opts[] = {
	{ 'd', "disk", "NAME", "the disk, when several have a journal" },
	{ 'f', "from", "PATH|URL|stick", "use a copy where the disk has lost its journal" },
	{ 'w', "without", "DISK", "leave out this disk, by serial, WWN or number; repeatable" },
	{ 'D', "dry-run", NULL, "say what would come back and stop" },
	{ 0, NULL, NULL, NULL },
};

static const struct sw_opt export_opts[] = {
	{ 'd', "disk", "NAME", "the disk, when several have a journal" },
	{ 0, NULL, NULL, NULL },
};

static const struct sw_opt resume_opts[] = {
	{ 'd', "disk", "NAME", "the disk, when several have a journal" },
	{ 'f', "from", "PATH|URL|stick", "use a copy where the disk has lost its journal" },
	{ 'n', "no-finish", NULL, "stay when done, whatever the answers say" },
	{ 0, NULL, NULL, NULL },
};

const struct sw_command sw_command_undo = {
	.name = "undo",
	.summary = "Take an install back, as far as its journal can",
	.operands = "",
	.opts = undo_opts,
	.details = "First says which old partitions come back whole and which had blocks\n"
		   "overwritten. Without a terminal --yes is needed. When a disk of the install\n"
		   "is away, --without takes the others back; undo again once it is here.",
	.run = run_undo,
};

const struct sw_command sw_command_undo_export = {
	.name = "undo export",
	.summary = "Copy an install's undo data to a file, a stick or a server",
	.operands = "PATH|URL|stick",
	.min_rest = 1,
	.max_rest = 1,
	.opts = export_opts,
	.details = "A LUKS header is left out, and `slipway undo --from` says so. stick: the FAT\n"
		   "partition labelled SLIPWAY of a removable disk.",
	.run = run_export,
};

const struct sw_command sw_command_resume = {
	.name = "resume",
	.summary = "Go on with an install that was interrupted",
	.operands = "",
	.opts = resume_opts,
	.run = run_resume,
};
