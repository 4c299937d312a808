/* SPDX-License-Identifier: Apache-2.0 */
/*
 * disk: none. The plan is pure and writes boot variables only; after a power cut
 * behind each single write of a variable the undo data bring all of them back,
 * also when the undo is itself cut off behind each of its writes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "apply/apply.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/json.h"
#include "boot/entries.h"
#include "boot/modes.h"
#include "boot/nodevar.h"
#include "machine/machine.h"

#define CUT 77
#define ANSWERS "slipway: 1\nnode:\n  hostname: edge-12\ndisk: none\nboot:\n  mode: network\n" \
		"  network:\n    uri: http://boot.example/node.efi\n" \
		"admission:\n  kind: attest\n  url: https://attest.example/v1\nfinish: stay\n"

struct world {
	char *dir;
	struct sw_machine *m;
	struct sw_plan *plan;
};

/* ---- a firmware that loses its power behind its nth write ---- */

static struct sw_varstore_ops cutting;
static const struct sw_varstore_ops *real_ops;
static int writes_left;

static int written(int r)
{
	if (r == 0 && --writes_left == 0)
		_exit(CUT);
	return r;
}

static int cut_set(struct sw_varstore *s, const struct sw_guid *guid, const char *name,
		   const void *data, size_t len, uint32_t attrs)
{
	return written(real_ops->set(s, guid, name, data, len, attrs));
}

static int cut_del(struct sw_varstore *s, const struct sw_guid *guid, const char *name)
{
	return written(real_ops->del(s, guid, name));
}

static struct sw_varstore *store_of(struct sw_machine *m)
{
	struct sw_varstore *vars = NULL;
	struct sw_error err = {};

	assert_int_equal(sw_machine_vars(m, &vars, &err), 0);
	return vars;
}

/* True when fn was cut off behind that write, false when it ended without so many. */
static bool cut_behind(struct world *w, int write, int (*fn)(struct world *w))
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		struct sw_varstore *vars = store_of(w->m);

		real_ops = vars->ops;
		cutting = *real_ops;
		cutting.set = cut_set;
		cutting.del = cut_del;
		vars->ops = &cutting;
		writes_left = write;
		_exit(fn(w) == 0 ? 0 : 1);
	}
	assert_true(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == CUT);
	return WEXITSTATUS(status) == CUT;
}

/* ---- the machine ---- */

struct reading {
	struct sw_varstore *vars;
	json_object *all;
};

static int read_one(const struct sw_guid *guid, const char *name, void *arg)
{
	struct reading *r = arg;
	_cleanup_free_ uint8_t *d = NULL;
	_cleanup_free_ char *hex = NULL, *text = NULL;
	uint32_t attrs;
	size_t n;

	assert_int_equal(sw_var_get(r->vars, guid, name, &d, &n, &attrs), 0);
	hex = sw_hex_encode(d, n);
	text = sw_fmt("%x:%s", attrs, hex);
	sw_json_add_str(r->all, name, text);
	return 0;
}

/* Every variable with content and attributes. */
static json_object *everything(struct world *w)
{
	struct reading r = { .vars = store_of(w->m), .all = json_object_new_object() };

	assert_int_equal(sw_var_list(r.vars, read_one, &r), 0);
	return r.all;
}

static int build(struct world *w, const char *yaml, struct sw_plan **ret, struct sw_error *err)
{
	_cleanup_answers_ struct sw_answers *a = NULL;
	_cleanup_facts_ struct sw_facts *f = NULL;
	_cleanup_json_ json_object *raw = NULL;

	assert_int_equal(sw_answers_parse(yaml, strlen(yaml), "a.yaml", &a, err), 0);
	assert_int_equal(sw_machine_facts(w->m, &f, err), 0);
	assert_int_equal(sw_entries_snapshot(store_of(w->m), &raw, err), 0);
	f->time = 1700000000;
	return sw_plan_build(f, raw, NULL, a, NULL, ret, err);
}

static void make_world(struct world *w)
{
	struct sw_standin_config c = { .no_tpm = true };
	struct sw_error err = {};

	*w = (struct world){};
	assert_int_equal(sw_scratch_new("slipway-test", &w->dir), 0);
	assert_int_equal(sw_standin_create(w->dir, &c, &err), 0);
	assert_int_equal(sw_machine_open_standin(w->dir, &w->m, &err), 0);
	assert_int_equal(build(w, ANSWERS, &w->plan, &err), 0);
}

static void free_world(struct world *w)
{
	sw_plan_free(w->plan);
	sw_machine_free(w->m);
	assert_int_equal(sw_remove_tree(w->dir), 0);
	free(w->dir);
}

static struct sw_journal_info *journal(struct world *w)
{
	_cleanup_facts_ struct sw_facts *f = NULL;
	struct sw_journal_info *infos = NULL;
	struct sw_error err = {};
	size_t n;

	assert_int_equal(sw_machine_facts(w->m, &f, &err), 0);
	assert_int_equal(sw_journal_scan(w->m, f, &infos, &n, &err), 0);
	assert_int_equal(n, 1);
	assert_string_equal(infos->disk_name, SW_NO_DISK);
	return infos;
}

static int install(struct world *w)
{
	struct sw_error err = {};

	return sw_apply_run(w->m, w->plan, NULL, &err);
}

static int resume(struct world *w)
{
	struct sw_journal_info *info = journal(w);
	struct sw_error err = {};
	int r = sw_apply_resume(w->m, info, NULL, &err);

	sw_journal_infos_free(info, 1);
	return r;
}

static int undo(struct world *w)
{
	struct sw_journal_info *info = journal(w);
	struct sw_error err = {};
	int r = sw_undo_run(w->m, info, 0, NULL, &err);

	sw_journal_infos_free(info, 1);
	return r;
}

static void check_equal(json_object *a, json_object *b)
{
	if (!json_object_equal(a, b))
		fail_msg("%s\nis not\n%s", json_object_to_json_string(a),
			 json_object_to_json_string(b));
}

/* ---- tests ---- */

static void plan_is_pure(void **state SW_UNUSED)
{
	_cleanup_json_ json_object *a = NULL, *b = NULL, *c = NULL;
	struct sw_plan *again = NULL, *read = NULL;
	struct sw_error err = {};
	struct world w;

	make_world(&w);
	assert_int_equal(w.plan->n_disks, 0);
	assert_int_equal(w.plan->n_parts, 0);
	assert_int_equal(w.plan->n_steps, 4);
	assert_true(w.plan->entries.n_writes >= 2);
	assert_int_equal(build(&w, ANSWERS, &again, &err), 0);
	a = sw_plan_to_json(w.plan);
	b = sw_plan_to_json(again);
	check_equal(a, b);
	assert_int_equal(sw_plan_from_json(a, &read, &err), 0);
	c = sw_plan_to_json(read);
	check_equal(a, c);
	sw_plan_free(again);
	sw_plan_free(read);
	free_world(&w);
}

static void edited_plan_is_refused(void **state SW_UNUSED)
{
	_cleanup_json_ json_object *o = NULL;
	struct sw_plan *read = NULL;
	struct sw_error err = {};
	json_object *step;
	char digest[65];
	struct world w;

	make_world(&w);
	o = sw_plan_to_json(w.plan);
	step = json_object_array_get_idx(sw_json_array(o, "steps"), 2);
	sw_json_add_str(step, "kind", "table");
	assert_int_equal(sw_plan_digest(o, digest), 0);
	sw_json_add_str(o, SW_PLAN_DIGEST, digest);
	assert_true(sw_plan_from_json(o, &read, &err) < 0);
	assert_int_equal(err.exit, SW_EXIT_INVALID);
	free_world(&w);
}

static void node_data_have_a_bound(void **state SW_UNUSED)
{
	_cleanup_json_ json_object *o = json_object_new_object();
	char many[SW_NODEVAR_MAX + 1];
	struct sw_error err = {};
	struct world w;

	make_world(&w);
	sw_json_add_u64(o, "slipway_node", 1);
	memset(many, 'x', sizeof(many));
	many[SW_NODEVAR_MAX] = '\0';
	sw_json_add_str(o, "more", many);
	assert_int_equal(sw_nodevar_write(store_of(w.m), o, &err), -E2BIG);
	assert_int_equal(err.exit, SW_EXIT_INVALID);
	assert_int_equal(sw_var_set(store_of(w.m), &sw_guid_slipway, SW_NODE_VARIABLE, "{}", 2,
				    SW_VAR_NV_BS_RT), 0);
	json_object_put(o);
	o = NULL;
	assert_int_equal(sw_nodevar_read(store_of(w.m), &o), -EBADMSG);
	free_world(&w);
}

static void every_cut_can_be_undone(void **state SW_UNUSED)
{
	int n = 1, more = 1, cuts = 0;

	for (; more; n++) {
		_cleanup_json_ json_object *before = NULL, *after = NULL;
		struct world w;

		make_world(&w);
		before = everything(&w);
		more = cut_behind(&w, n, install);
		for (int k = 1; cut_behind(&w, k, undo); k++)
			cuts++;
		if (undo(&w) < 0)
			print_message("# undone already\n");
		after = everything(&w);
		check_equal(before, after);
		free_world(&w);
	}
	print_message("# %d writes of variables, %d cuts of their undo\n", n - 2, cuts);
	assert_true(n - 2 >= 4 && cuts >= 4);
}

static void every_cut_can_be_resumed(void **state SW_UNUSED)
{
	_cleanup_json_ json_object *whole = NULL;
	struct world w;

	make_world(&w);
	assert_int_equal(install(&w), 0);
	whole = everything(&w);
	free_world(&w);
	for (int n = 1;; n++) {
		_cleanup_json_ json_object *after = NULL;
		bool more;

		make_world(&w);
		more = cut_behind(&w, n, install);
		if (more)
			assert_int_equal(resume(&w), 0);
		after = everything(&w);
		check_equal(whole, after);
		free_world(&w);
		if (!more)
			break;
	}
}

static void refusing_firmware_is_an_error(void **state SW_UNUSED)
{
	_cleanup_json_ json_object *before = NULL, *after = NULL;
	struct sw_error err = {};
	struct world w;

	make_world(&w);
	before = everything(&w);
	assert_int_equal(sw_varstore_inject(store_of(w.m), SW_FAULT_ENOSPC, "Boot"), 0);
	assert_true(sw_apply_run(w.m, w.plan, NULL, &err) < 0);
	assert_int_equal(err.exit, SW_EXIT_DIRTY);
	assert_non_null(strstr(err.hint, "slipway undo"));
	assert_int_equal(sw_varstore_inject(store_of(w.m), SW_FAULT_NONE, NULL), 0);
	assert_int_equal(undo(&w), 0);
	after = everything(&w);
	check_equal(before, after);
	free_world(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plan_is_pure),
		cmocka_unit_test(edited_plan_is_refused),
		cmocka_unit_test(node_data_have_a_bound),
		cmocka_unit_test(every_cut_can_be_undone),
		cmocka_unit_test(every_cut_can_be_resumed),
		cmocka_unit_test(refusing_firmware_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
