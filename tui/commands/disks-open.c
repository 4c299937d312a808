/* SPDX-License-Identifier: Apache-2.0 */
/* `slipway disks open`, `disks close`: encryption, arrays and volume groups, to look into them. */
#include <string.h>

#include "base/json.h"
#include "base/size.h"
#include "disk/recovery.h"
#include "stack/stack.h"
#include "tui/commands/common.h"
#include "tui/commands/list.h"
#include "tui/commands/sealing.h"

enum { OPT_KEY_FILE = 300, OPT_TPM, OPT_DEGRADED };

#define KEY_MAX 65536U

/* ---- what is open ---- */

static void print_from(json_object *o)
{
	json_object *from = sw_json_array(o, "from");

	for (size_t i = 0; i < json_object_array_length(from); i++) {
		json_object *m = json_object_array_get_idx(from, i);
		uint64_t number = sw_json_u64(m, "number", 0);

		printf(i ? ", %s" : "%s", sw_json_str(m, "disk", ""));
		if (number)
			printf(" partition %u", (unsigned int)number);
	}
}

static void print_opened(json_object *list)
{
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		json_object *o = json_object_array_get_idx(list, i);
		char size[16];

		printf("%-16s %6s %-24s on ", sw_json_str(o, "device", ""),
		       sw_size_format(sw_json_u64(o, "size", 0), size, sizeof(size)),
		       sw_json_str(o, "name", ""));
		print_from(o);
		printf("\n%-16s %6s %s\n", "", "", sw_json_str(o, "content", "empty"));
	}
	if (json_object_array_length(list) == 0)
		printf("nothing is open\n");
}

static int show(const struct sw_cli *cli, struct sw_machine *m, struct sw_error *err)
{
	_cleanup_json_ json_object *list = NULL, *o = NULL;
	int r = sw_stack_contents(m, &list, err);

	if (r < 0)
		return r;
	if (!cli->json) {
		print_opened(list);
		return 0;
	}
	o = json_object_new_object();
	sw_json_add(o, "opened", json_object_get(list));
	sw_print_json(o);
	return 0;
}

/* ---- open ---- */

#define DIGITS "0123456789"

static int get_key(const struct sw_cli *cli, const struct sw_stack *s, struct sw_secret **ret_key,
		   struct sw_error *err)
{
	const char *file = sw_arg(&cli->args, OPT_KEY_FILE);
	_cleanup_secret_ struct sw_secret *given = NULL;
	int r;

	if (s->kind != SW_STACK_LUKS || sw_arg(&cli->args, OPT_TPM))
		return 0;
	r = file ? sw_secret_read(file, KEY_MAX, &given, err)
		 : sw_ask_hidden("Its passphrase or recovery key (it is not shown): ", &given, err);
	if (r == -ENOKEY && !file) {
		sw_fail(err, SW_EXIT_USAGE, r, "disks open: there is nobody to type the key");
		sw_error_hint(err, "--key-file FILE names a file with it, --tpm asks the TPM");
	}
	return r < 0 ? r : sw_recovery_passphrase(given, ret_key, err);
}

/* A partition as the kernel calls it, nvme0n1p4 or /dev/sda4, is its disk and its number. */
static const char *split(const struct sw_facts *f, const char *name, unsigned int *number)
{
	if (strncmp(name, "/dev/", 5) == 0)
		name += 5;
	if (*number || sw_facts_disk(f, name))
		return name;
	for (size_t i = 0; i < f->n_disks; i++) {
		const char *disk = f->disks[i].name, *at = name + strlen(disk);
		size_t n;

		if (strncmp(name, disk, strlen(disk)) != 0)
			continue;
		at += *at == 'p';
		n = strspn(at, DIGITS);
		if (n == 0 || n > 4 || at[n])
			continue;
		*number = (unsigned int)strtoul(at, NULL, 10);
		return disk;
	}
	return name;
}

static int open_one(struct sw_cli *cli, struct sw_machine *m, struct sw_error *err)
{
	const struct sw_args *a = &cli->args;
	const char *number = a->n_rest > 1 ? a->rest[1] : "0";
	_cleanup_secret_ struct sw_secret *key = NULL;
	_cleanup_facts_ struct sw_facts *f = NULL;
	struct sw_stack_how how = { .degraded = sw_arg(a, OPT_DEGRADED) };
	unsigned int n = (unsigned int)strtoul(number, NULL, 10);
	struct sw_stack s;
	int r;

	if (strspn(number, DIGITS) != strlen(number) || strlen(number) > 4)
		return sw_fail(err, SW_EXIT_USAGE, -EINVAL,
			       "disks open: the partition is a number, not \"%s\"", number);
	r = sw_machine_facts(m, &f, err);
	if (r == 0 && sw_stack_inspect(m, f) < 0)
		r = sw_fail_oom(err);
	if (r == 0) {
		const char *disk = split(f, a->rest[0], &n);

		r = sw_stack_find(f, disk, n, &s, err);
	}
	if (r == 0)
		r = get_key(cli, &s, &key, err);
	how.key = key;
	return r == 0 ? sw_stack_open(m, &s, &how, err) : r;
}

static int run_open(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_machine_ struct sw_machine *m = NULL;
	int r = sw_cli_needs_disks(cli, "disks open", err);

	if (r == 0)
		r = sw_cli_machine(cli, &m, err);
	if (r == 0 && cli->args.n_rest)
		r = open_one(cli, m, err);
	return r == 0 ? show(cli, m, err) : r;
}

static const struct sw_opt open_opts[] = {
	{ OPT_KEY_FILE, "key-file", "FILE", "what opens LUKS: a recovery key, a passphrase, a key "
	  "file (default: typed)" },
	{ OPT_TPM, "tpm", NULL, "LUKS is opened by what this machine's TPM gives" },
	{ OPT_DEGRADED, "degraded", NULL, "an array or group also without members that are away" },
	{ 0, NULL, NULL, NULL },
};

const struct sw_command sw_command_disks_open = {
	.name = "disks open",
	.summary = "Put encryption, arrays and volume groups together, read-only, to look inside",
	.operands = "[DISK [PARTITION]]",
	.max_rest = 2,
	.opts = open_opts,
	.details = "LUKS, and a member of an md array or an LVM volume group with all that\n"
		   "belongs to it. The disks are reached through read-only loop devices: no\n"
		   "resync starts, and nothing is written, whatever a driver tries. What is found\n"
		   "inside can be opened in turn, and mounted: mount -o ro,noload DEVICE /mnt.\n"
		   "Without a disk it lists what is open. `slipway disks close` ends it; so do\n"
		   "the console's start and its shell.",
	.run = run_open,
};

/* ---- close ---- */

static int run_close(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_machine_ struct sw_machine *m = NULL;
	size_t n = 0;
	int r = sw_cli_needs_disks(cli, "disks close", err);

	if (r == 0)
		r = sw_cli_machine(cli, &m, err);
	if (r == 0)
		r = sw_stack_close(m, &n, err);
	if (r < 0)
		return r;
	if (cli->json) {
		_cleanup_json_ json_object *o = json_object_new_object();

		sw_json_add_u64(o, "closed", n);
		sw_print_json(o);
	} else {
		printf(n ? "Closed: %zu.\n" : "Nothing was open.\n", n);
	}
	return 0;
}

const struct sw_command sw_command_disks_close = {
	.name = "disks close",
	.summary = "End all that `disks open` and the console opened to look inside",
	.operands = "",
	.details = "What stands on slipway's own read-only loop devices, and nothing else, also\n"
		   "what a session that was killed left behind.",
	.run = run_close,
};
