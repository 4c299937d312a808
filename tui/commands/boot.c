/* SPDX-License-Identifier: Apache-2.0 */
/* `slipway boot list`: the firmware's boot entries, decoded. */
#include "base/json.h"
#include "tui/commands/common.h"
#include "tui/commands/list.h"

static bool is_active(const struct sw_bootvar *e)
{
	return e->attrs & 1;	/* LOAD_OPTION_ACTIVE, UEFI 3.1.3 */
}

static int order_of(const struct sw_bootvars *b, uint16_t number)
{
	for (size_t i = 0; i < b->n_order; i++)
		if (b->order[i] == number)
			return (int)i + 1;
	return 0;
}

static json_object *to_json(const struct sw_bootvars *b)
{
	json_object *o = json_object_new_object(), *list = json_object_new_array();

	sw_json_add_bool(o, "supported", b->supported);
	sw_json_add_bool(o, "writable", b->writable);
	if (b->current >= 0)
		sw_json_add_u64(o, "current", (uint64_t)b->current);
	if (b->next >= 0)
		sw_json_add_u64(o, "next", (uint64_t)b->next);
	for (size_t i = 0; i < b->n_entries; i++) {
		const struct sw_bootvar *e = &b->entries[i];
		json_object *item = json_object_new_object();

		sw_json_add_u64(item, "number", e->number);
		sw_json_add_u64(item, "position", (uint64_t)order_of(b, e->number));
		sw_json_add_bool(item, "active", is_active(e));
		sw_json_add_str(item, "label", e->label);
		sw_json_add_str(item, "path", e->path);
		sw_json_add_str(item, "owner", e->owner);
		json_object_array_add(list, item);
	}
	sw_json_add(o, "entries", list);
	return o;
}

static void print_entry(const struct sw_bootvars *b, const struct sw_bootvar *e)
{
	int position = order_of(b, e->number);
	char text[16] = "-";

	if (position)
		(void)snprintf(text, sizeof(text), "%d", position);
	printf("%-3s Boot%04X %-8s %s%s%s%s\n        %s\n", text, e->number,
	       e->owner ? e->owner : "", e->label ? e->label : "",
	       is_active(e) ? "" : " (inactive)",
	       e->number == b->current ? " (running)" : "",
	       e->number == b->next ? " (next boot only)" : "", e->path ? e->path : "");
}

/* First those in BootOrder, as the firmware tries them, then the rest. */
static void print_text(const struct sw_bootvars *b)
{
	for (size_t k = 0; k < b->n_order; k++)
		for (size_t i = 0; i < b->n_entries; i++)
			if (b->entries[i].number == b->order[k])
				print_entry(b, &b->entries[i]);
	for (size_t i = 0; i < b->n_entries; i++)
		if (!order_of(b, b->entries[i].number))
			print_entry(b, &b->entries[i]);
	if (b->n_entries == 0)
		printf("no boot entries\n");
	if (!b->writable)
		printf("the boot variables are read-only\n");
}

static int run(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_machine_ struct sw_machine *m = NULL;
	_cleanup_facts_ struct sw_facts *f = NULL;
	int r;

	r = sw_cli_machine(cli, &m, err);
	if (r == 0)
		r = sw_machine_facts(m, &f, err);
	if (r < 0)
		return r;
	if (!f->boot.supported) {
		bool bios = f->firmware == SW_FIRMWARE_BIOS;

		sw_fail(err, SW_EXIT_MISSING, -EOPNOTSUPP, "there are no UEFI boot variables");
		sw_error_why(err, "%s", bios ? "the machine was started by BIOS" :
					       "efivarfs is not accessible");
		return -EOPNOTSUPP;
	}
	if (cli->json) {
		_cleanup_json_ json_object *o = to_json(&f->boot);

		sw_print_json(o);
	} else {
		print_text(&f->boot);
	}
	return 0;
}

const struct sw_command sw_command_boot_list = {
	.name = "boot list",
	.summary = "List the boot entries in the order in which the firmware tries them",
	.operands = "",
	.run = run,
};
