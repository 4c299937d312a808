/* SPDX-License-Identifier: Apache-2.0 */
/* `slipway boot order|next|rename|delete|add`: each a small plan, shown, written, read back. */
#include "boot/edit.h"

#include <string.h>

#include "boot/netentry.h"
#include "boot/slot.h"
#include "tui/commands/boot-writes.h"
#include "tui/commands/list.h"

enum { OPT_URI = 300, OPT_NIC, OPT_PARTITION, OPT_FILE, OPT_LABEL, OPT_FIRST };

typedef int (*edit_fn)(const struct sw_cli *cli, struct sw_boot_target *b, struct sw_edit *e,
		       struct sw_error *err);

static int edit(struct sw_cli *cli, edit_fn fn, struct sw_error *err)
{
	_cleanup_(sw_entry_plan_clear) struct sw_entry_plan p = {};
	_cleanup_boot_target_ struct sw_boot_target b = {};
	struct sw_edit e = { .force = sw_arg(&cli->args, 'f') != NULL };
	const char *ask = "This touches what is not ours. Type yes to write: ";
	int r = sw_boot_target_open(cli, &b, err);

	if (r < 0)
		return r;
	e.set = &b.set;
	e.list = &b.list;
	r = fn(cli, &b, &e, err);
	if (r < 0)
		return r;
	r = sw_varset_plan(&b.set, &p);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot plan the boot entries");
	return sw_boot_write(cli, b.store, &p, sw_arg(&cli->args, 'D') != NULL,
			     e.foreign ? ask : NULL, NULL, err);
}

static int edit_order(const struct sw_cli *cli, struct sw_boot_target *b SW_UNUSED,
		      struct sw_edit *e, struct sw_error *err)
{
	uint16_t numbers[64];
	size_t n = 0;

	for (int i = 0; i < cli->args.n_rest; i++) {
		int r;

		if (n == ARRAY_SIZE(numbers))
			return sw_fail(err, SW_EXIT_USAGE, -E2BIG, "too many entries");
		r = sw_boot_number(cli->args.rest[i], &numbers[n++], err);
		if (r < 0)
			return r;
	}
	return sw_edit_order(e, numbers, n, err);
}

static int edit_next(const struct sw_cli *cli, struct sw_boot_target *b SW_UNUSED,
		     struct sw_edit *e, struct sw_error *err)
{
	uint16_t number;
	int r;

	if (strcmp(cli->args.rest[0], "none") == 0)
		return sw_edit_next(e, -1, err);
	r = sw_boot_number(cli->args.rest[0], &number, err);
	return r < 0 ? r : sw_edit_next(e, number, err);
}

static int edit_rename(const struct sw_cli *cli, struct sw_boot_target *b SW_UNUSED,
		       struct sw_edit *e, struct sw_error *err)
{
	uint16_t number;
	int r = sw_boot_number(cli->args.rest[0], &number, err);

	return r < 0 ? r : sw_edit_rename(e, number, cli->args.rest[1], err);
}

static int edit_delete(const struct sw_cli *cli, struct sw_boot_target *b SW_UNUSED,
		       struct sw_edit *e, struct sw_error *err)
{
	int r = 0;

	for (int i = 0; r == 0 && i < cli->args.n_rest; i++) {
		uint16_t number;

		r = sw_boot_number(cli->args.rest[i], &number, err);
		if (r == 0)
			r = sw_edit_delete(e, number, err);
	}
	return r;
}

static int add_network(const struct sw_cli *cli, struct sw_boot_target *b, struct sw_buf *path,
		       struct sw_error *err)
{
	const char *nic = sw_arg(&cli->args, OPT_NIC);
	struct sw_netwish w = { .uri = sw_arg(&cli->args, OPT_URI), .have_mac = nic != NULL };
	bool cloned = false;
	int r;

	if (nic && sw_mac_parse(nic, w.mac) < 0) {
		sw_fail(err, SW_EXIT_USAGE, -EINVAL, "\"%s\" is not a MAC address", nic);
		sw_error_hint(err, "six bytes in hex, as in 52:54:00:12:34:56");
		return -EINVAL;
	}
	r = sw_netentry_path(&b->set, &w, path, &cloned);
	if (r == -ENOENT) {
		sw_fail(err, SW_EXIT_MISSING, r, "no boot entry of the firmware has this card");
		sw_error_hint(err, "enable network boot for it in the firmware's setup, or leave "
				   "--nic out");
	} else if (r < 0) {
		sw_fail(err, SW_EXIT_USAGE, r, "\"%s\" is not an address to boot from", w.uri);
		sw_error_hint(err, "http:// or https://, at most 1024 characters, no password");
	} else if (!cloned && !cli->json) {
		printf("No network card has an entry to copy: the firmware will try all.\n");
	}
	return r;
}

static int find_partition(const struct sw_facts *f, const struct sw_guid *guid,
			  struct sw_devpath_hd *ret_hd)
{
	for (size_t i = 0; i < f->n_disks; i++)
		for (size_t k = 0; k < f->disks[i].table.n_parts; k++) {
			const struct sw_part *p = &f->disks[i].table.parts[k];
			uint32_t sector = f->disks[i].sector ? f->disks[i].sector : 512;

			if (!sw_guid_equal(&p->uuid, guid))
				continue;
			*ret_hd = (struct sw_devpath_hd){ .number = p->number, .guid = *guid,
							  .start = p->start / sector,
							  .size = p->size / sector };
			return 0;
		}
	return -ENOENT;
}

static int add_file(const struct sw_cli *cli, struct sw_boot_target *b, struct sw_buf *path,
		    struct sw_error *err)
{
	const char *uuid = sw_arg(&cli->args, OPT_PARTITION), *file = sw_arg(&cli->args, OPT_FILE);
	struct sw_devpath_hd hd;
	struct sw_guid guid;
	int r;

	if (sw_guid_parse(uuid, &guid) < 0)
		return sw_fail(err, SW_EXIT_USAGE, -EINVAL, "\"%s\" is not a partition's UUID",
			       uuid);
	if (find_partition(b->t.f, &guid, &hd) < 0)
		return sw_fail(err, SW_EXIT_MISSING, -ENOENT, "no disk here has this partition");
	file = file ? file : SW_SLOT_BOOT_PATH;
	if (*file != '\\' || strchr(file, '/')) {
		sw_fail(err, SW_EXIT_USAGE, -EINVAL, "\"%s\" is not a path that firmware takes",
			file);
		sw_error_hint(err, "with backslashes, from the top: \\EFI\\BOOT\\BOOTX64.EFI");
		return -EINVAL;
	}
	r = sw_devpath_add_hd(path, &hd);
	if (r == 0)
		r = sw_devpath_add_file(path, file);
	if (r == 0)
		r = sw_devpath_add_end(path);
	return r < 0 ? sw_fail_errno(err, SW_EXIT_USAGE, r, "cannot make the device path") : 0;
}

static int edit_add(const struct sw_cli *cli, struct sw_boot_target *b, struct sw_edit *e,
		    struct sw_error *err)
{
	const char *label = sw_arg(&cli->args, OPT_LABEL);
	bool uri = sw_arg(&cli->args, OPT_URI), part = sw_arg(&cli->args, OPT_PARTITION);
	_cleanup_buf_ struct sw_buf path = {};
	uint16_t number;
	int r;

	if (uri == part) {
		sw_fail(err, SW_EXIT_USAGE, -EINVAL, "either --uri or --partition is needed");
		sw_error_hint(err, "`slipway boot add --help` shows how it is used");
		return -EINVAL;
	}
	if (!label && part)
		return sw_fail(err, SW_EXIT_USAGE, -EINVAL, "--label is needed");
	r = uri ? add_network(cli, b, &path, err) : add_file(cli, b, &path, err);
	if (r < 0)
		return r;
	return sw_edit_add(e, label ? label : SW_NETENTRY_LABEL, path.data, path.len,
			   sw_arg(&cli->args, OPT_FIRST) != NULL, &number, err);
}

static int run_order(struct sw_cli *cli, struct sw_error *err)
{
	return edit(cli, edit_order, err);
}

static int run_next(struct sw_cli *cli, struct sw_error *err)
{
	return edit(cli, edit_next, err);
}

static int run_rename(struct sw_cli *cli, struct sw_error *err)
{
	return edit(cli, edit_rename, err);
}

static int run_delete(struct sw_cli *cli, struct sw_error *err)
{
	return edit(cli, edit_delete, err);
}

static int run_add(struct sw_cli *cli, struct sw_error *err)
{
	return edit(cli, edit_add, err);
}

static const struct sw_opt edit_opts[] = {
	{ 'D', "dry-run", NULL, "show the writes and stop" },
	{ 'f', "force", NULL, "also touch what is not ours; a question comes first" },
	{ 0, NULL, NULL, NULL },
};

static const struct sw_opt next_opts[] = {
	{ 'D', "dry-run", NULL, "show the writes and stop" },
	{ 0, NULL, NULL, NULL },
};

static const struct sw_opt add_opts[] = {
	{ 'D', "dry-run", NULL, "show the writes and stop" },
	{ OPT_LABEL, "label", "TEXT", "what the firmware's menu shows" },
	{ OPT_URI, "uri", "URL", "boot this over HTTP" },
	{ OPT_NIC, "nic", "MAC", "by this network card (default: the firmware's first)" },
	{ OPT_PARTITION, "partition", "UUID", "boot a file of this partition" },
	{ OPT_FILE, "file", "PATH", "that file (default: \\EFI\\BOOT\\BOOTX64.EFI)" },
	{ OPT_FIRST, "first", NULL, "at the beginning of BootOrder instead of the end" },
	{ 0, NULL, NULL, NULL },
};

const struct sw_command sw_command_boot_order = {
	.name = "boot order",
	.summary = "Put boot entries first; all others follow as they were",
	.operands = "NUMBER...",
	.min_rest = 1,
	.max_rest = -1,
	.opts = edit_opts,
	.run = run_order,
};

const struct sw_command sw_command_boot_next = {
	.name = "boot next",
	.summary = "Start one entry once at the next boot, or none of them",
	.operands = "NUMBER|none",
	.min_rest = 1,
	.max_rest = 1,
	.opts = next_opts,
	.run = run_next,
};

const struct sw_command sw_command_boot_rename = {
	.name = "boot rename",
	.summary = "Give a boot entry another label",
	.operands = "NUMBER LABEL",
	.min_rest = 2,
	.max_rest = 2,
	.opts = edit_opts,
	.run = run_rename,
};

const struct sw_command sw_command_boot_delete = {
	.name = "boot delete",
	.summary = "Remove boot entries, from BootOrder first",
	.operands = "NUMBER...",
	.min_rest = 1,
	.max_rest = -1,
	.opts = edit_opts,
	.run = run_delete,
};

const struct sw_command sw_command_boot_add = {
	.name = "boot add",
	.summary = "Add a boot entry for an address or a file",
	.operands = "",
	.opts = add_opts,
	.details = "For an address the device path of the firmware's own entry for the card is\n"
		   "copied, since firmware does not find a card by its MAC address alone.",
	.run = run_add,
};
