/* SPDX-License-Identifier: Apache-2.0 */
/* `slipway boot memtest`: the next start is the memory test of the medium, once. */
#include "boot/memtest.h"

#include <string.h>

#include "base/json.h"
#include "tui/commands/boot-writes.h"
#include "tui/commands/list.h"

enum { OPT_RESTART = 'R' };

static int usage(const struct sw_cli *cli, bool none, struct sw_error *err)
{
	const char *word = none ? cli->args.rest[0] : NULL;

	if (word && strcmp(word, "none") != 0)
		return sw_fail(err, SW_EXIT_USAGE, -EINVAL, "\"%.40s\" is not \"none\"", word);
	if (!sw_arg(&cli->args, OPT_RESTART) || (!word && !sw_arg(&cli->args, 'D')))
		return 0;
	sw_fail(err, SW_EXIT_USAGE, -EINVAL, "--restart does not go with %s",
		word ? "none" : "--dry-run");
	sw_error_hint(err, "it restarts the machine into the memory test at once");
	return -EINVAL;
}

static void say(bool none, bool restart)
{
	if (none)
		printf("No memory test at the next start.\n");
	else
		printf("%s the memory test, once. It takes from minutes to hours; Esc ends it, and "
		       "the\nmachine restarts as before. To come back here, start it from the "
		       "stick or CD again.\n",
		       restart ? "The machine restarts into" : "The next start is");
	fflush(stdout);
}

static int set(const struct sw_cli *cli, struct sw_boot_target *b, bool none, struct sw_error *err)
{
	_cleanup_(sw_entry_plan_clear) struct sw_entry_plan p = {};
	bool dry = sw_arg(&cli->args, 'D') != NULL;
	int r = 0;

	if (none)
		(void)sw_memtest_remove(&b->set);
	else
		r = sw_memtest_set(b->t.m, b->t.f, &b->set, err);
	if (r < 0)
		return r;
	r = sw_varset_plan(&b->set, &p);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot plan the boot entries");
	if (!dry && !none)
		sw_memtest_mark(b->t.m, b->t.f->boot_id);
	return sw_boot_write(cli, b->store, &p, dry, NULL, NULL, err);
}

static int run(struct sw_cli *cli, struct sw_error *err)
{
	bool none = cli->args.n_rest > 0, restart = sw_arg(&cli->args, OPT_RESTART) != NULL;
	_cleanup_boot_target_ struct sw_boot_target b = {};
	int r = usage(cli, none, err);

	if (r == 0)
		r = sw_boot_target_open(cli, &b, err);
	if (r == 0)
		r = set(cli, &b, none, err);
	if (r == 0 && !cli->json && !sw_arg(&cli->args, 'D'))
		say(none, restart);
	return r == 0 && restart ? sw_machine_power(b.t.m, SW_POWER_REBOOT, err) : r;
}

static const struct sw_opt opts[] = {
	{ 'D', "dry-run", NULL, "show the writes and stop" },
	{ OPT_RESTART, "restart", NULL, "restart into it at once" },
	{ 0, NULL, NULL, NULL },
};

const struct sw_command sw_command_boot_memtest = {
	.name = "boot memtest",
	.summary = "Start the medium's memory test once at the next boot, or do not",
	.operands = "[none]",
	.max_rest = 1,
	.opts = opts,
	.details = "memtest86+ is on slipway's medium, so only a system that was started from it\n"
		   "can ask for it. With Secure Boot on it does not start. The order of the boot\n"
		   "entries stays; the test's own entry goes when slipway starts the next time.",
	.run = run,
};
