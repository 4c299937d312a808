/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Facts from a file: enough to plan on, nothing to write to. The roots stay
 * NULL so that nothing of the computer that reads the file can slip in.
 */
#include "base/json.h"
#include "machine/private.h"

static int refuse(struct sw_error *err, const char *what)
{
	int r = sw_fail(err, SW_EXIT_REFUSED, -EROFS, "captured facts have %s", what);

	sw_error_hint(err, "run this on the machine that the facts are from");
	return r;
}

static int captured_tcti(struct sw_machine *m SW_UNUSED, struct sw_error *err)
{
	return refuse(err, "no TPM to talk to");
}

static int captured_vars(struct sw_machine *m SW_UNUSED, struct sw_varstore **ret_vars SW_UNUSED,
			 struct sw_error *err)
{
	return refuse(err, "no boot variables to open");
}

static int captured_medium(struct sw_machine *m SW_UNUSED, char **ret_dir SW_UNUSED,
			   struct sw_error *err)
{
	return sw_fail(err, SW_EXIT_MISSING, -ENOENT, "captured facts have no medium to read");
}

static int captured_power(struct sw_machine *m SW_UNUSED, enum sw_power what SW_UNUSED,
			  struct sw_error *err)
{
	return refuse(err, "no power switch");
}

const struct sw_machine_ops sw_machine_captured_ops = {
	.tcti = captured_tcti,
	.vars = captured_vars,
	.medium = captured_medium,
	.power = captured_power,
};

int sw_machine_open_captured(const char *facts_json, struct sw_machine **ret_machine,
			     struct sw_error *err)
{
	_cleanup_machine_ struct sw_machine *m = calloc(1, sizeof(*m));
	int r;

	if (!m)
		return sw_fail_oom(err);
	m->kind = SW_MACHINE_CAPTURED;
	r = sw_json_load(facts_json, &m->captured, err);
	if (r == 0)
		r = sw_facts_from_json(m->captured, facts_json, &m->captured_facts, err);
	if (r < 0)
		return r;
	*ret_machine = TAKE_PTR(m);
	return 0;
}
