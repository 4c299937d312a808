/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `slipway disks`: the disks, and why some of them can never be chosen. With
 * rules it is the first half of an install: the same choice, or the same refusal
 * and exit code, with the whole table of disks and clauses.
 */
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/size.h"
#include "base/text.h"
#include "disk/disk.h"
#include "disk/health.h"
#include "layout/layout.h"
#include "tui/commands/common.h"
#include "tui/commands/list.h"

struct view {
	bool json;
	const struct sw_facts *f;
	const struct sw_layout *l;
	const struct sw_answers *a;
	bool wipe;		/* the rules say what may be lost */
	const struct sw_disk *chosen[SW_PLAN_MAX_DISKS];
};

static const char *or_dash(const char *s)
{
	return s && s[0] ? s : "-";
}

/* ---- one table ---- */

static void print_clauses(const struct sw_disk_standing *st)
{
	const char *between = "           ";

	for (enum sw_clause c = 0; c < SW_CLAUSE_N; c++) {
		if (st->clause[c] == SW_CLAUSE_UNASKED)
			continue;
		printf("%s%s %s", between, sw_clause_name(c),
		       st->clause[c] == SW_CLAUSE_FITS ? "yes" : "no");
		between = ", ";
	}
	if (*between == ',')
		printf("\n");
}

static void print_disk(const struct sw_disk *d, const struct sw_disk_standing *st, bool asked)
{
	_cleanup_free_ char *on_it = sw_disk_describe(d), *health = sw_health_words(d);
	const char *free_state = st->excluded ? st->excluded : "can be installed to";
	char size[16];

	printf("%-10s %6s %-9s %-20s %-24s %s\n", d->name,
	       sw_size_format(d->size, size, sizeof(size)), or_dash(d->transport),
	       or_dash(d->serial), or_dash(d->model), asked ? st->verdict : free_state);
	if (on_it && on_it[0])
		printf("%-10s %s\n", "", on_it);
	if (health && health[0])
		printf("%-10s health: %s\n", "", health);
	print_clauses(st);
}

static void print_table(const struct sw_facts *f, const struct sw_disk_standing *st, bool asked)
{
	printf("%-10s %6s %-9s %-20s %-24s %s\n", "NAME", "SIZE", "TRANSPORT", "SERIAL", "MODEL",
	       asked ? "VERDICT" : "STATE");
	for (size_t i = 0; i < f->n_disks; i++)
		print_disk(&f->disks[i], &st[i], asked);
	if (f->n_disks == 0)
		printf("no disks\n");
}

static json_object *clauses_json(const struct sw_disk_standing *st)
{
	json_object *o = json_object_new_object();

	for (enum sw_clause c = 0; c < SW_CLAUSE_N; c++)
		if (st->clause[c] != SW_CLAUSE_UNASKED)
			sw_json_add_bool(o, sw_clause_name(c), st->clause[c] == SW_CLAUSE_FITS);
	return o;
}

static json_object *disk_json(const struct sw_disk *d, const struct sw_disk_standing *st,
			      bool asked)
{
	json_object *o = json_object_new_object();
	_cleanup_free_ char *on_it = sw_disk_describe(d);

	sw_json_add_str(o, "name", d->name);
	sw_json_add_str(o, "serial", d->serial);
	sw_json_add_str(o, "wwn", d->wwn);
	sw_json_add_str(o, "model", d->model);
	sw_json_add_str(o, "vendor", d->vendor);
	sw_json_add_str(o, "transport", d->transport);
	sw_json_add_str(o, "path", d->path);
	sw_json_add_bool(o, "rotational", d->rotational);
	sw_json_add_u64(o, "size", d->size);
	sw_json_add_u64(o, "sector", d->sector);
	sw_json_add_str(o, "excluded", st->excluded);
	sw_json_add_str(o, "content", on_it);
	sw_json_add_str(o, "health", sw_health_name(d->health));
	sw_json_add_str(o, "health_text", d->health_text);
	if (!asked)
		return o;
	sw_json_add(o, "clauses", clauses_json(st));
	sw_json_add_bool(o, "candidate", st->candidate);
	sw_json_add_str(o, "verdict", st->verdict);
	return o;
}

static json_object *table_json(const struct sw_facts *f, const struct sw_disk_standing *st,
			       bool asked)
{
	json_object *list = json_object_new_array();

	for (size_t i = 0; i < f->n_disks; i++)
		json_object_array_add(list, disk_json(&f->disks[i], &st[i], asked));
	return list;
}

/* ---- without rules ---- */

static int show_all(const struct view *v, struct sw_error *err)
{
	static const struct sw_disk_match nothing;
	_cleanup_json_ json_object *list = NULL;
	struct sw_disk_standing *st;

	if (sw_disk_stand(v->f, &nothing, v->l->min_size, NULL, 0, &st) < 0)
		return sw_fail_oom(err);
	if (v->json)
		sw_print_json(list = table_json(v->f, st, false));
	else
		print_table(v->f, st, false);
	sw_disk_standings_free(st, v->f->n_disks);
	return 0;
}

/* ---- with rules ---- */

static const struct sw_disk_choice *choice_of(const struct view *v, size_t k)
{
	return k ? &v->a->more[k - 1] : &v->a->disk;
}

/* The last of the layout's disks may stand for several. */
static uint64_t least_size(const struct view *v, size_t k)
{
	size_t last = v->l->n_disks - 1;

	return v->l->disks[k < last ? k : last].min_size;
}

static size_t count_candidates(const struct sw_disk_standing *st, size_t n)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++)
		found += st[i].candidate;
	return found;
}

/* The alternatives as far as they are looked at: up to the first that a disk fits. */
static int show_alternatives(const struct view *v, size_t k, const char *key, json_object *o,
			     struct sw_error *err)
{
	const struct sw_disk_choice *c = choice_of(v, k);
	json_object *list = json_object_new_array();
	size_t candidates = 0;

	sw_json_add(o, "alternatives", list);
	for (size_t i = 0; i < c->n_match && candidates == 0; i++) {
		struct sw_disk_standing *st;

		if (sw_disk_stand(v->f, &c->match[i], least_size(v, k), v->chosen, k, &st) < 0)
			return sw_fail_oom(err);
		candidates = count_candidates(st, v->f->n_disks);
		if (v->json) {
			json_object_array_add(list, table_json(v->f, st, true));
		} else {
			if (c->n_match > 1)
				printf("%s%s, alternative %zu:\n", i ? "\n" : "", key, i + 1);
			else if (v->a->n_more)
				printf("%s:\n", key);
			print_table(v->f, st, true);
		}
		sw_disk_standings_free(st, v->f->n_disks);
	}
	return 0;
}

static void print_choice(const struct sw_disk *d)
{
	_cleanup_free_ char *on_it = sw_disk_describe(d);
	char size[16];

	printf("\nAn install would use %s: %s, serial %s, model %s; on it: %s\n", d->name,
	       sw_size_format(d->size, size, sizeof(size)), or_dash(d->serial), or_dash(d->model),
	       on_it ? on_it : "-");
}

static int show_choice(struct view *v, size_t k, json_object *o, struct sw_error *err)
{
	const struct sw_disk_choice *c = choice_of(v, k);
	char key[48] = "disk.match";
	int r;

	if (k)
		(void)snprintf(key, sizeof(key), "disk.more[%zu].match", k);
	if (k && !v->json)
		printf("\n");
	sw_json_add_str(o, "key", key);
	sw_json_add_u64(o, "least_size", least_size(v, k));
	r = show_alternatives(v, k, key, o, err);
	if (r == 0)
		r = sw_disk_choose_for(key, v->f, c, least_size(v, k), v->chosen, k, &v->chosen[k],
				       NULL, err);
	if (r == 0 && v->wipe)
		r = sw_disk_choice_allows(v->chosen[k], c, err);
	else if (r < 0 && !v->json)
		err->why[0] = '\0';	/* the table is on the screen already */
	if (r < 0) {
		sw_error_where(err, "%s", key);
		return r;
	}
	sw_json_add_str(o, "chosen", v->chosen[k]->name);
	if (!v->json)
		print_choice(v->chosen[k]);
	return 0;
}

static int show_choices(struct view *v, struct sw_error *err)
{
	_cleanup_json_ json_object *o = json_object_new_object();
	json_object *list = json_object_new_array();
	int r = 0;

	sw_json_add_str(o, "layout", v->l->name);
	sw_json_add(o, "choices", list);
	for (size_t k = 0; k <= v->a->n_more && r == 0; k++) {
		json_object *choice = json_object_new_object();

		json_object_array_add(list, choice);
		r = show_choice(v, k, choice, err);
	}
	if (v->json)
		sw_print_json(o);
	return r;
}

/* ---- the rules ---- */

/* NULL without rules. */
static int read_rules(const struct sw_cli *cli, struct sw_answers **ret_answers,
		      struct sw_error *err)
{
	const char *file = sw_arg(&cli->args, 'f'), *pair = sw_arg(&cli->args, 'm');
	_cleanup_answers_ struct sw_answers *a = NULL;
	size_t pos = 0;
	int r = 0;

	if (file && pair) {
		sw_fail(err, SW_EXIT_USAGE, -EINVAL, "--match and --match-file do not go together");
		return -EINVAL;
	}
	if (file)
		return sw_answers_read(file, ret_answers, err);
	if (!pair)
		return 0;
	a = sw_answers_new();
	if (!a)
		return sw_fail_oom(err);
	while (r == 0 && (pair = sw_arg_next(&cli->args, 'm', &pos)))
		r = sw_cli_add_rule(a, pair, err);
	if (r == 0)
		*ret_answers = TAKE_PTR(a);
	return r;
}

static int run(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_machine_ struct sw_machine *m = NULL;
	_cleanup_facts_ struct sw_facts *f = NULL;
	_cleanup_layout_ struct sw_layout *l = NULL;
	_cleanup_answers_ struct sw_answers *a = NULL;
	const char *layout = sw_arg(&cli->args, 'l');
	struct view v = { .json = cli->json, .wipe = sw_arg(&cli->args, 'f') != NULL };
	int r = read_rules(cli, &a, err);

	if (r == 0)
		r = sw_cli_machine(cli, &m, err);
	if (r == 0)
		r = sw_machine_facts(m, &f, err);
	if (r == 0)
		r = sw_layout_find(layout ? layout : a && a->layout ? a->layout : "node", &l, err);
	if (r < 0)
		return r;
	v.f = f;
	v.l = l;
	v.a = a;
	return a ? show_choices(&v, err) : show_all(&v, err);
}

static const struct sw_opt opts[] = {
	{ 'm', "match", "KEY=VALUE", "show what this rule of disk.match chooses; several add up" },
	{ 'f', "match-file", "ANSWERS", "the same with the rules of an answer file" },
	{ 'l', "layout", "NAME", "the layout that has to fit (default: the file's, or node)" },
	{ 0, NULL, NULL, NULL },
};

const struct sw_command sw_command_disks = {
	.name = "disks",
	.summary = "List the disks, what is on them, why some are excluded, which would be chosen",
	.operands = "",
	.opts = opts,
	.run = run,
};
