/* SPDX-License-Identifier: Apache-2.0 */
/* `slipway boot list` and `slipway boot show`: the firmware's boot entries, decoded. */
#include <string.h>

#include "base/hex.h"
#include "base/json.h"
#include "boot/edit.h"
#include "tui/commands/boot-writes.h"
#include "tui/commands/list.h"

static json_object *entry_json(const struct sw_boot_entry *e)
{
	json_object *o = json_object_new_object();

	sw_json_add_u64(o, "number", e->number);
	sw_json_add_u64(o, "position", (uint64_t)e->position);
	sw_json_add_bool(o, "active", e->active);
	sw_json_add_str(o, "label", e->label);
	sw_json_add_str(o, "path", e->path);
	sw_json_add_str(o, "owner", sw_owner_name(e->owner));
	sw_json_add_str(o, "target", sw_target_name(e->target));
	sw_json_add_str(o, "target_text", e->target_text);
	sw_json_add_bool(o, "readable", e->readable);
	return o;
}

static json_object *list_json(const struct sw_boot_target *b)
{
	json_object *o = json_object_new_object(), *list = json_object_new_array();
	const struct sw_bootvars *v = &b->t.f->boot;

	sw_json_add_bool(o, "supported", v->supported);
	sw_json_add_bool(o, "writable", v->writable);
	if (v->current >= 0)
		sw_json_add_u64(o, "current", (uint64_t)v->current);
	if (b->set.next >= 0)
		sw_json_add_u64(o, "next", (uint64_t)b->set.next);
	sw_json_add_bool(o, "order_repeats", b->list.repeats);
	for (size_t i = 0; i < b->list.n; i++)
		json_object_array_add(list, entry_json(&b->list.v[i]));
	sw_json_add(o, "entries", list);
	return o;
}

static void print_entry(const struct sw_boot_entry *e)
{
	char text[16] = "-";

	if (e->position)
		(void)snprintf(text, sizeof(text), "%d", e->position);
	printf("%-3s Boot%04X %-8s %s%s%s%s\n", text, e->number, sw_owner_name(e->owner),
	       e->label, e->active || e->owner == SW_OWNER_PHANTOM ? "" : " (inactive)",
	       e->current ? " (running)" : "", e->next ? " (next boot only)" : "");
	if (e->path[0])
		printf("        %s\n", e->path);
	if (e->target_text)
		printf("        %s%s\n", e->target == SW_TARGET_MISSING ? "MISSING: " : "-> ",
		       e->target_text);
}

static int run_list(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_boot_target_ struct sw_boot_target b = {};
	int r = sw_boot_target_open(cli, &b, err);

	if (r < 0)
		return r;
	if (cli->json) {
		_cleanup_json_ json_object *o = list_json(&b);

		sw_print_json(o);
		return 0;
	}
	for (size_t i = 0; i < b.list.n; i++)
		print_entry(&b.list.v[i]);
	if (b.list.n == 0)
		printf("no boot entries\n");
	if (b.list.repeats)
		printf("BootOrder names an entry twice: some firmware does not start with that\n");
	if (!b.t.f->boot.writable)
		printf("the boot variables are read-only\n");
	return 0;
}

static int run_show(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_boot_target_ struct sw_boot_target b = {};
	const struct sw_varset_entry *v;
	const struct sw_boot_entry *e;
	_cleanup_free_ char *hex = NULL;
	uint16_t number;
	int r;

	r = sw_boot_number(cli->args.rest[0], &number, err);
	if (r == 0)
		r = sw_boot_target_open(cli, &b, err);
	if (r < 0)
		return r;
	e = sw_boot_list_find(&b.list, number);
	if (!e) {
		sw_fail(err, SW_EXIT_MISSING, -ENOENT, "there is no boot entry Boot%04X", number);
		sw_error_hint(err, "`slipway boot list` shows all of them");
		return -ENOENT;
	}
	v = sw_varset_find(&b.set, number);
	hex = v ? sw_hex_encode(v->data, v->len) : strdup("");
	if (!hex)
		return sw_fail_oom(err);
	if (cli->json) {
		_cleanup_json_ json_object *o = entry_json(e);

		sw_json_add_str(o, "hex", hex);
		sw_print_json(o);
		return 0;
	}
	print_entry(e);
	printf("        optional data: %zu bytes%s\n        stored: %s\n", e->optional_len,
	       e->firmware_mark ? ", the firmware's mark" : "", hex);
	return 0;
}

const struct sw_command sw_command_boot_list = {
	.name = "boot list",
	.summary = "List the boot entries in the order in which the firmware tries them",
	.operands = "",
	.details = "Owner: ours; firmware: it made the entry itself; network: for a card or an\n"
		   "address; foreign: another system's; phantom: a number without an entry.",
	.run = run_list,
};

const struct sw_command sw_command_boot_show = {
	.name = "boot show",
	.summary = "Show one boot entry with its stored bytes",
	.operands = "NUMBER",
	.min_rest = 1,
	.max_rest = 1,
	.run = run_show,
};
