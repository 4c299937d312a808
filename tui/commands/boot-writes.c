/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/commands/boot-writes.h"

#include "base/json.h"
#include "boot/edit.h"

int sw_boot_number(const char *text, uint16_t *ret_number, struct sw_error *err)
{
	if (sw_entry_number_parse(text, ret_number) == 0)
		return 0;
	sw_fail(err, SW_EXIT_USAGE, -EINVAL, "\"%s\" is not the number of an entry", text);
	sw_error_hint(err, "four hex digits as in `slipway boot list`: Boot0003, 0003 or 3");
	return -EINVAL;
}

static int no_variables(const struct sw_target *t, struct sw_error *err)
{
	bool bios = t->f->firmware == SW_FIRMWARE_BIOS;

	sw_fail(err, SW_EXIT_MISSING, -EOPNOTSUPP, "there are no UEFI boot variables");
	if (t->m->kind == SW_MACHINE_CAPTURED && t->f->boot.supported) {
		sw_error_why(err, "the facts were captured without them");
		sw_error_hint(err, "capture them again with `slipway facts --json`");
	} else if (bios) {
		sw_error_why(err, "the machine was started by BIOS");
		sw_error_hint(err, "start it by UEFI: the setting is in the firmware's setup");
	} else {
		sw_error_why(err, "efivarfs is not accessible");
		sw_error_hint(err, "mount -t efivarfs efivarfs /sys/firmware/efi/efivars, as root");
	}
	return -EOPNOTSUPP;
}

int sw_boot_target_open(const struct sw_cli *cli, struct sw_boot_target *ret_target,
			struct sw_error *err)
{
	_cleanup_boot_target_ struct sw_boot_target b = {};
	int r = sw_target_open(cli, &b.t, err);

	if (r < 0)
		return r;
	if (!b.t.vars)
		return no_variables(&b.t, err);
	if (b.t.m->kind != SW_MACHINE_CAPTURED)
		r = sw_machine_vars(b.t.m, &b.store, err);
	if (r < 0)
		return r;
	r = sw_varset_load(b.t.vars, &b.set);
	if (r == 0)
		r = sw_boot_list_make(&b.set, b.t.f, &b.list);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot decode the boot variables");
	*ret_target = b;
	b = (struct sw_boot_target){};
	return 0;
}

void sw_boot_target_clear(struct sw_boot_target *b)
{
	sw_boot_list_clear(&b->list);
	sw_varset_clear(&b->set);
	sw_target_clear(&b->t);
}

static json_object *to_json(const struct sw_entry_plan *p, json_object *more)
{
	json_object *o = json_object_new_object(), *list = json_object_new_array();

	if (more)
		sw_json_add_all(o, more);
	for (size_t i = 0; i < p->n_writes; i++)
		json_object_array_add(list, sw_entry_write_to_json(&p->writes[i]));
	sw_json_add(o, "writes", list);
	return o;
}

static void print_plan(const struct sw_entry_plan *p)
{
	for (size_t i = 0; i < p->n_writes; i++)
		printf("  %-10s %s\n", p->writes[i].name, p->writes[i].text);
	if (p->n_writes == 0)
		printf("Nothing to write: it is as wanted already.\n");
	fflush(stdout);
}

int sw_boot_write(const struct sw_cli *cli, struct sw_varstore *store,
		  const struct sw_entry_plan *p, bool dry, const char *ask, json_object *more,
		  struct sw_error *err)
{
	_cleanup_json_ json_object *o = to_json(p, more);
	size_t done = 0;
	int r = 0;

	if (!cli->json)
		print_plan(p);
	if (!dry && p->n_writes) {
		if (!store)
			return sw_fail(err, SW_EXIT_REFUSED, -EROFS,
				       "captured facts are read-only");
		if (ask)
			r = sw_confirm(cli, ask, "yes", err);
		if (r == 0)
			r = sw_entry_plan_apply(store, p, &done, err);
		if (r < 0)
			return r;
	}
	sw_json_add_u64(o, "written", done);
	if (cli->json)
		sw_print_json(o);
	else if (done)
		printf("Written and read back: %zu variable%s.\n", done, done == 1 ? "" : "s");
	return 0;
}
