/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/restart.h"

#include <string.h>

#include "base/json.h"
#include "base/le.h"
#include "boot/edit.h"
#include "boot/memtest.h"

#define INDICATIONS "OsIndications"
#define SUPPORTED "OsIndicationsSupported"
#define BOOT_TO_SETUP UINT64_C(1)	/* EFI_OS_INDICATIONS_BOOT_TO_FW_UI */

/* 0 when there is no such variable, or none of eight bytes. */
static uint64_t indications(struct sw_varstore *vars, const char *name)
{
	_cleanup_free_ uint8_t *data = NULL;
	uint32_t attrs;
	size_t len;

	if (sw_var_get(vars, &sw_guid_global, name, &data, &len, &attrs) < 0 || len != 8)
		return 0;
	return sw_le64(data);
}

int sw_restart_has_setup(struct sw_varstore *vars, struct sw_error *err)
{
	if (indications(vars, SUPPORTED) & BOOT_TO_SETUP)
		return 0;
	sw_fail(err, SW_EXIT_MISSING, -EOPNOTSUPP,
		"this firmware cannot be told to open its setup");
	sw_error_why(err, "%s does not offer it", SUPPORTED);
	sw_error_hint(err, "press the firmware's own key while the machine starts");
	return -EOPNOTSUPP;
}

int sw_restart_setup(struct sw_varstore *vars, bool on, struct sw_error *err)
{
	uint64_t was = indications(vars, INDICATIONS);
	uint64_t now = on ? was | BOOT_TO_SETUP : was & ~BOOT_TO_SETUP;
	uint8_t data[8];
	int r = on ? sw_restart_has_setup(vars, err) : 0;

	if (r < 0)
		return r;
	if (now == was)
		return 0;
	sw_put_le64(data, now);
	r = sw_var_set(vars, &sw_guid_global, INDICATIONS, data, sizeof(data), SW_VAR_NV_BS_RT);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "the firmware does not take %s",
				     INDICATIONS);
	return 0;
}

/* The variables of a machine as they are now, and what there is to choose from. */
struct look {
	struct sw_facts *f;
	struct sw_varstore *vars;	/* borrowed */
	json_object *raw;
	struct sw_varset set;
	struct sw_boot_list list;
};

static void look_clear(struct look *l)
{
	sw_boot_list_clear(&l->list);
	sw_varset_clear(&l->set);
	json_object_put(l->raw);
	sw_facts_free(l->f);
}

static int look_open(struct sw_machine *m, struct look *l, struct sw_error *err)
{
	int r = sw_machine_facts(m, &l->f, err);

	if (r < 0)
		return r;
	if (!l->f->boot.supported || m->kind == SW_MACHINE_CAPTURED)
		return sw_fail(err, SW_EXIT_MISSING, -EOPNOTSUPP,
			       "this machine has no EFI variables to say it with");
	r = sw_machine_vars(m, &l->vars, err);
	if (r == 0)
		r = sw_entries_snapshot(l->vars, &l->raw, err);
	if (r < 0)
		return r;
	r = sw_varset_load(l->raw, &l->set);
	if (r == 0)
		r = sw_boot_list_make(&l->set, l->f, &l->list);
	if (r < 0)
		sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot decode the boot variables");
	return r;
}

static int write_changes(struct look *l, struct sw_error *err)
{
	_cleanup_(sw_entry_plan_clear) struct sw_entry_plan p = {};
	int r = sw_varset_plan(&l->set, &p);

	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot plan the boot entries");
	return sw_entry_plan_apply(l->vars, &p, NULL, err);
}

int sw_restart_entry(struct sw_machine *m, uint16_t number, struct sw_error *err)
{
	_cleanup_(look_clear) struct look l = {};
	struct sw_edit e = { .set = &l.set, .list = &l.list };
	int r = look_open(m, &l, err);

	if (r == 0)
		r = sw_edit_next(&e, number, err);
	return r < 0 ? r : write_changes(&l, err);
}

int sw_restart_memtest(struct sw_machine *m, struct sw_error *err)
{
	_cleanup_(look_clear) struct look l = {};
	int r = look_open(m, &l, err);

	if (r == 0)
		r = sw_memtest_set(m, l.f, &l.set, err);
	if (r < 0)
		return r;
	sw_memtest_mark(m, l.f->boot_id);
	return write_changes(&l, err);
}

static const char *off(const struct sw_boot_entry *e)
{
	return e->owner == SW_OWNER_PHANTOM ? "there is only its number"
	       : !e->readable		    ? "it cannot be read"
	       : e->target == SW_TARGET_MISSING ? "what it points to is gone" : NULL;
}

int sw_restart_look(struct sw_machine *m, json_object **ret_choices, struct sw_error *err)
{
	_cleanup_json_ json_object *o = json_object_new_object();
	json_object *list = json_object_new_array();
	_cleanup_(look_clear) struct look l = {};
	struct sw_error none = {};
	int r = look_open(m, &l, err);

	sw_json_add(o, "entries", list);
	if (r < 0)
		return r;
	if (sw_restart_has_setup(l.vars, &none) < 0)
		sw_json_add_str(o, "setup_off", none.what);
	for (size_t i = 0; i < l.list.n; i++) {
		json_object *e = json_object_new_object();

		sw_json_add_u64(e, "number", l.list.v[i].number);
		sw_json_add_str(e, "label", l.list.v[i].label);
		sw_json_add_str(e, "off", off(&l.list.v[i]));
		json_object_array_add(list, e);
	}
	*ret_choices = TAKE_PTR(o);
	return 0;
}
