/* SPDX-License-Identifier: Apache-2.0 */
/* `slipway check`: are these answers valid, and do they plan on a machine? */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "tui/commands/answer-file.h"
#include "tui/commands/check-nodes.h"
#include "tui/commands/list.h"

struct result {
	struct sw_file_errors wrong;
	struct sw_plan *plan;	/* with a machine, when there was nothing wrong */
	char *open;		/* the keys that are asked; "" without any */
};

/* What is found one at a time comes alone. */
static struct sw_error *alone(struct result *res)
{
	res->wrong.v[0] = (struct sw_error){};
	return &res->wrong.v[0];
}

static int keep(struct result *res, int r)
{
	res->wrong.n = r < 0;
	return r;
}

/* Whether there are layouts here at all, as on any system that slipway is installed on. */
static bool have_layouts(void)
{
	_cleanup_layout_ struct sw_layout *l = NULL;

	return sw_layout_find("node", &l, NULL) == 0;
}

/* A name is one of slipway's own; a path may be the medium's, where this is not. */
static int find_layout(const struct sw_answers *a, const char *file, struct result *res)
{
	_cleanup_layout_ struct sw_layout *l = NULL;

	if (strchr(sw_answers_layout(a), '/') || !have_layouts())
		return 0;
	return keep(res, sw_cli_layout(a, file, &l, alone(res)));
}

static int plan_one(const struct sw_target *t, const struct sw_answers *a, const char *file,
		    struct result *res)
{
	/* What depends on a person has no plan yet. */
	if (!t->m || a->open)
		return 0;
	return keep(res, sw_target_plan(t, a, file, &res->plan, alone(res)));
}

json_object *sw_check_disks_json(const struct sw_plan *p)
{
	json_object *list = json_object_new_array();

	for (size_t i = 0; i < p->n_disks; i++) {
		json_object *o = json_object_new_object();

		sw_json_add_str(o, "name", p->disks[i].name);
		sw_json_add_str(o, "node", p->disks[i].node);
		sw_json_add_str(o, "serial", p->disks[i].serial);
		json_object_array_add(list, o);
	}
	return list;
}

static void print_json(const char *file, const struct result *res)
{
	_cleanup_json_ json_object *o = json_object_new_object();

	sw_answer_file_add_json(o, file, &res->wrong);
	sw_json_add_bool(o, "planned", res->plan != NULL);
	if (res->open && *res->open)
		sw_json_add_str(o, "asked", res->open);
	if (res->plan)
		sw_json_add(o, "disks", sw_check_disks_json(res->plan));
	sw_print_json(o);
}

static void print_valid(const char *file, const struct sw_plan *p, const char *open)
{
	printf("%s: valid%s", file, p ? ", and it plans on this machine" : "");
	if (open && *open)
		printf("; it asks for %s", open);
	for (size_t i = 0; p && i < p->n_disks; i++)
		printf("%s %s on %s%s%s%s", i ? "," : ":", p->disks[i].name, p->disks[i].node,
		       p->disks[i].serial ? " (serial " : "",
		       p->disks[i].serial ? p->disks[i].serial : "", p->disks[i].serial ? ")" : "");
	printf("\n");
}

static void print_text(const char *file, const struct result *res)
{
	sw_answer_file_tell(file, &res->wrong);
	if (res->wrong.n == 0)
		print_valid(sw_answer_file_name(file), res->plan, res->open);
}

/* Against nothing, one machine or many; the exit code for the file, or -errno. */
static int check_one(const struct sw_cli *cli, const struct sw_target *t,
		     const struct sw_nodes *nodes, struct sw_rack *rack, const char *file,
		     struct sw_error *err)
{
	_cleanup_answers_ struct sw_answers *a = NULL;
	_cleanup_free_ struct result *res = calloc(1, sizeof(*res));
	const char *name = sw_answer_file_name(file);
	int r;

	if (!res)
		return sw_fail_oom(err);
	r = sw_answer_file_check(file, true, &a, &res->wrong);
	if (r == 0 && nodes->n && !a->open)
		return sw_nodes_check(nodes, a, name, cli->json, rack, err);
	if (r == 0)
		r = find_layout(a, name, res);
	if (r == 0)
		r = plan_one(t, a, name, res);
	if (r == 0)
		res->open = sw_answers_open_text(a);
	(cli->json ? print_json : print_text)(file, res);
	res->plan = sw_plan_free(res->plan);
	free(res->open);
	return r < 0 ? (int)res->wrong.v[0].exit : 0;
}

/* `--facts a.json b.json`: an option takes one word, and the second would be read as answers. */
static int no_facts_here(const struct sw_cli *cli, struct sw_error *err)
{
	for (int i = 0; i < cli->args.n_rest; i++) {
		const char *file = cli->args.rest[i];
		_cleanup_json_ json_object *o = NULL;

		if (!sw_ends_with(file, ".json") || sw_json_load(file, &o, NULL) < 0 ||
		    !sw_json_get(o, "disks") || !sw_json_get(o, "machine_name"))
			continue;
		sw_fail(err, SW_EXIT_USAGE, -EINVAL,
			"check: this is a machine's facts, no answers");
		sw_error_where(err, "%s", file);
		sw_error_hint(err, "--facts takes one file: give it before each, or name a "
				   "directory of them");
		return -EINVAL;
	}
	return 0;
}

/* Every file is looked at; the exit code is that of the first one that failed. */
static int run(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_target_ struct sw_target t = {};
	_cleanup_nodes_ struct sw_nodes nodes = {};
	struct sw_rack rack = {};
	int code = 0, r = 0;
	bool several;

	r = no_facts_here(cli, err);
	if (r < 0)
		return r;
	if (sw_nodes_wanted(cli))
		r = sw_nodes_open(cli, &nodes, err);
	else if (cli->machine_dir || cli->facts)
		r = sw_target_open(cli, &t, err);
	several = nodes.n > 1 && cli->args.n_rest > 1;
	if (r == 0 && several && sw_rack_init(&rack, &nodes) < 0)
		r = sw_fail_oom(err);
	for (int i = 0; i < cli->args.n_rest && r >= 0; i++) {
		r = check_one(cli, &t, &nodes, several ? &rack : NULL, cli->args.rest[i], err);
		if (code == 0 && r > 0)
			code = r;
	}
	/* Which machine has which file is known when all of them can be read. */
	if (several && r >= 0 && code != SW_EXIT_INVALID)
		r = sw_rack_print(&rack, &nodes, cli->json);
	sw_rack_clear(&rack, &nodes);
	return r < 0 || code == 0 ? r : code;
}

const struct sw_command sw_command_check = {
	.name = "check",
	.summary = "Check answer files; with --machine or --facts also whether they plan there",
	.operands = "FILE...",
	.min_rest = 1,
	.max_rest = -1,
	.many_facts = true,
	.details = "FILE - is standard input. --facts may be given more than once, and may name\n"
		   "a directory of facts: the answers are then planned on every machine, and\n"
		   "those that refuse them are named with the reason. With several files too,\n"
		   "each machine needs one of them: a file that means another machine's disk is\n"
		   "not a refusal.",
	.run = run,
};
