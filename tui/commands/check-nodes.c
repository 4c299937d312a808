/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/commands/check-nodes.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

#define SUFFIX ".json"

/* One answer file, and what is the same of it on every machine. */
struct asked {
	const struct sw_answers *a;
	const char *file;
	struct sw_layout *layout;	/* NULL: every machine refuses for the reason in err */
	struct sw_error err;
};

struct verdict {
	bool good;
	struct sw_plan *plan;	/* NULL where it is good as well as for the file before */
	struct sw_error *err;	/* NULL also where no disk is meant: the file is for others */
	bool told;
};

static bool is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool sw_nodes_wanted(const struct sw_cli *cli)
{
	return cli->n_facts > 1 || (cli->n_facts == 1 && is_directory(cli->all_facts[0]));
}

static char *name_of(const char *path)
{
	const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	size_t n = strlen(base), end = strlen(SUFFIX);

	if (n > end && strcmp(base + n - end, SUFFIX) == 0)
		n -= end;
	return strndup(base, n);
}

static int add_file(const struct sw_cli *cli, const char *path, struct sw_nodes *nodes,
		    struct sw_error *err)
{
	struct sw_node_facts *more = reallocarray(nodes->list, nodes->n + 1, sizeof(*more));
	struct sw_cli one = *cli;
	int r;

	if (!more)
		return sw_fail_oom(err);
	nodes->list = more;
	more[nodes->n] = (struct sw_node_facts){ .name = name_of(path) };
	if (!more[nodes->n].name)
		return sw_fail_oom(err);
	one.facts = path;
	r = sw_target_open(&one, &more[nodes->n].t, err);
	nodes->n++;
	if (r < 0)
		sw_error_where(err, "%s", path);
	return r;
}

static int is_facts(const struct dirent *e)
{
	return e->d_name[0] != '.' && sw_ends_with(e->d_name, SUFFIX);
}

static int add_directory(const struct sw_cli *cli, const char *path, struct sw_nodes *nodes,
			 struct sw_error *err)
{
	struct dirent **names = NULL;
	int n = scandir(path, &names, is_facts, alphasort), r = n < 0 ? -errno : 0;

	if (r < 0)
		sw_fail_errno(err, SW_EXIT_MISSING, r, "cannot read the directory of facts");
	else if (n == 0)
		r = sw_fail(err, SW_EXIT_MISSING, -ENOENT, "no *.json is in the directory");
	for (int i = 0; i < n; i++) {
		_cleanup_free_ char *file = sw_fmt("%s/%s", path, names[i]->d_name);

		if (r == 0)
			r = file ? add_file(cli, file, nodes, err) : sw_fail_oom(err);
		free(names[i]);
	}
	free(names);
	if (r == 0)
		return 0;
	sw_error_where(err, "%s", path);
	sw_error_hint(err, "capture each machine with `slipway facts --json > NAME.json`");
	return r;
}

int sw_nodes_open(const struct sw_cli *cli, struct sw_nodes *ret_nodes, struct sw_error *err)
{
	_cleanup_nodes_ struct sw_nodes nodes = {};
	int r = 0;

	for (size_t i = 0; i < cli->n_facts && r == 0; i++) {
		const char *path = cli->all_facts[i];

		r = is_directory(path) ? add_directory(cli, path, &nodes, err)
				       : add_file(cli, path, &nodes, err);
	}
	if (r < 0)
		return r;
	*ret_nodes = nodes;
	nodes = (struct sw_nodes){};
	return 0;
}

void sw_nodes_clear(struct sw_nodes *nodes)
{
	for (size_t i = 0; i < nodes->n; i++) {
		free(nodes->list[i].name);
		sw_target_clear(&nodes->list[i].t);
	}
	free(nodes->list);
	*nodes = (struct sw_nodes){};
}

static bool same_mistake(const struct sw_error *a, const struct sw_error *b)
{
	return strcmp(a->what, b->what) == 0 && strcmp(a->where, b->where) == 0;
}

/* What is said in several lines, as a table of disks: each below the first, indented. */
static void print_lines(const char *text, int indent)
{
	for (const char *p = text; *p; p += strspn(p, "\n")) {
		size_t n = strcspn(p, "\n");

		printf("%*s%.*s\n", p == text ? 0 : indent, "", (int)n, p);
		p += n;
	}
}

/* Marks those that refuse as the one at `at` does, and says whether all say the same of it. */
static void take_group(const struct sw_nodes *nodes, struct verdict *v, size_t at, bool *ret_in,
		       bool *ret_why, bool *ret_hint)
{
	*ret_why = *ret_hint = true;
	for (size_t i = at; i < nodes->n; i++) {
		ret_in[i] = v[i].err && !v[i].told && same_mistake(v[at].err, v[i].err);
		v[i].told |= ret_in[i];
		*ret_why &= !ret_in[i] || strcmp(v[at].err->why, v[i].err->why) == 0;
		*ret_hint &= !ret_in[i] || strcmp(v[at].err->hint, v[i].err->hint) == 0;
	}
}

/* One machine of a group whose members do not say the same. */
static void print_member(const char *name, const struct sw_error *e, bool with_hint)
{
	printf("    %s: ", name);
	print_lines(e->why[0] ? e->why : e->what, 6);
	if (with_hint && *e->hint)
		printf("      -> %s\n", e->hint);
}

/* The machines that refuse for the reason of the one at `at`; what differs among them below. */
static void print_group(const struct sw_nodes *nodes, struct verdict *v, size_t at, bool *in)
{
	const struct sw_error *e = v[at].err;
	bool same, hint;

	take_group(nodes, v, at, in, &same, &hint);
	same &= hint;
	printf("  ");
	for (size_t i = at; i < nodes->n; i++)
		if (in[i])
			printf("%s%s", i == at ? "" : ", ", nodes->list[i].name);
	printf(": %s%s%s%s", e->where, *e->where ? ": " : "", e->what,
	       same && *e->why ? ": " : "\n");
	if (same && *e->why)
		print_lines(e->why, 4);
	for (size_t i = at; i < nodes->n && !same; i++)
		if (in[i])
			print_member(nodes->list[i].name, v[i].err, !hint);
	if (hint && *e->hint)
		printf("    -> %s\n", e->hint);
}

#define NAMED 8		/* machines that a file is said to plan on by name, when others are its */

static void print_text(const struct sw_nodes *nodes, struct verdict *v, const char *file, bool *in,
		       bool shared)
{
	size_t good = 0;

	for (size_t i = 0; i < nodes->n; i++)
		good += v[i].good;
	printf("%s: valid; it plans on %zu of %zu machines", file, good, nodes->n);
	for (size_t i = 0, said = 0; shared && good <= NAMED && i < nodes->n; i++)
		if (v[i].good)
			printf("%s%s", said++ ? ", " : ": ", nodes->list[i].name);
	printf("\n");
	for (size_t i = 0; i < nodes->n; i++)
		if (v[i].err && !v[i].told)
			print_group(nodes, v, i, in);
}

static void print_json(const struct sw_nodes *nodes, const struct verdict *v, const char *file)
{
	_cleanup_json_ json_object *o = json_object_new_object();
	json_object *list = json_object_new_array();

	sw_json_add_str(o, "file", file);
	sw_json_add_bool(o, "valid", true);
	for (size_t i = 0; i < nodes->n; i++) {
		json_object *node = json_object_new_object();

		sw_json_add_str(node, "name", nodes->list[i].name);
		sw_json_add_bool(node, "planned", v[i].plan != NULL);
		if (v[i].plan)
			sw_json_add(node, "disks", sw_check_disks_json(v[i].plan));
		else if (v[i].err)
			sw_json_add(node, "error", sw_error_to_json(v[i].err));
		json_object_array_add(list, node);
	}
	sw_json_add(o, "machines", list);
	sw_json_add(o, "errors", json_object_new_array());
	sw_print_json(o);
}

/* 0, or the exit code of the machine that refuses; -ENOMEM. */
static int judge(const struct sw_target *t, const struct asked *q, bool shared, struct verdict *v)
{
	struct sw_error err = q->err;

	if (shared && !sw_answers_diskless(q->a) && !sw_disk_choice_meets(t->f, &q->a->disk))
		return 0;
	v->good = q->layout && sw_plan_try(t->f, t->vars, t->old, q->a, q->layout, &v->plan,
					   &err) == 0;
	if (v->good)
		return 0;
	v->err = malloc(sizeof(*v->err));
	if (!v->err)
		return -ENOMEM;
	*v->err = err;
	return (int)err.exit;
}

/* For those that the host name can make no difference to; text names no disks. */
static int share(struct sw_rack *rack, const struct sw_nodes *nodes, const struct sw_answers *a,
		 size_t from, struct verdict *v)
{
	int alike = sw_rack_alike(rack, nodes, a);

	for (size_t i = from; alike > 0 && i < nodes->n; i++)
		v[i].good = rack->planned[i];
	return alike;
}

static int take_all(struct sw_rack *rack, const struct sw_nodes *nodes, const struct verdict *v,
		    size_t good, bool shared, const char *file)
{
	int r = 0;

	for (size_t i = 0; i < nodes->n && r == 0; i++) {
		if (v[i].good)
			r = sw_rack_take(rack, i, file);
		if (shared)
			rack->planned[i] = v[i].good && sw_rack_shares(&nodes->list[i].t);
	}
	rack->lonely += good == 0;
	return r;
}

static int judge_all(const struct sw_nodes *nodes, const struct asked *q, bool json,
		     struct sw_rack *rack, struct verdict *v)
{
	bool shared = false;
	size_t good = 0;
	int code = 0;

	for (size_t i = 0; i < nodes->n; i++) {
		int r = v[i].good ? 0 : judge(&nodes->list[i].t, q, rack != NULL, &v[i]);

		if (r < 0)
			return r;
		code = code ? code : r;
		good += v[i].good;
		/* Most files have a machine of their own, for which it is not worth comparing. */
		if (!rack || json || shared || good < 2)
			continue;
		shared = true;
		if (share(rack, nodes, q->a, i + 1, v) < 0)
			return -ENOMEM;
	}
	return rack && take_all(rack, nodes, v, good, shared, q->file) < 0 ? -ENOMEM : code;
}

int sw_nodes_check(const struct sw_nodes *nodes, const struct sw_answers *a, const char *file,
		   bool json, struct sw_rack *rack, struct sw_error *err)
{
	_cleanup_free_ struct verdict *v = calloc(nodes->n, sizeof(*v));
	_cleanup_free_ bool *in = calloc(nodes->n, sizeof(*in));
	struct asked q = { .a = a, .file = file };
	int code;

	(void)sw_cli_layout(a, file, &q.layout, &q.err);
	code = v && in ? judge_all(nodes, &q, json, rack, v) : -ENOMEM;
	sw_layout_free(q.layout);

	if (code >= 0 && json)
		print_json(nodes, v, file);
	else if (code >= 0)
		print_text(nodes, v, file, in, rack != NULL);
	for (size_t i = 0; v && i < nodes->n; i++) {
		sw_plan_free(v[i].plan);
		free(v[i].err);
	}
	return code < 0 ? sw_fail_oom(err) : code;
}
