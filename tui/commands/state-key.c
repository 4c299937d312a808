/* SPDX-License-Identifier: Apache-2.0 */
/* `slipway state key`: the TPM opens an encrypted partition, on a node without systemd, too. */
#include <string.h>

#include "base/json.h"
#include "boot/secrets.h"
#include "rescue/reseal.h"
#include "tui/commands/common.h"
#include "tui/commands/list.h"
#include "tui/commands/sealing.h"

enum { OPT_OUT = 300, OPT_SIGNATURES };

static int get_key(struct sw_cli *cli, const char *label, struct sw_secret **ret_key,
		   struct sw_error *err)
{
	_cleanup_machine_ struct sw_machine *m = NULL;
	_cleanup_io_ struct sw_io *io = NULL, *part = NULL;
	_cleanup_facts_ struct sw_facts *f = NULL;
	const struct sw_disk *d = NULL;
	const struct sw_part *p = NULL;
	int r = sw_cli_machine(cli, &m, err);

	if (r == 0)
		r = sw_machine_facts(m, &f, err);
	if (r == 0)
		r = sw_reseal_find(m, f, sw_arg(&cli->args, 'd'), label, &d, &p, err);
	if (r == 0)
		r = sw_machine_open_disk(m, d, false, false, &io, err);
	if (r < 0)
		return r;
	r = sw_reseal_enter(io, p, &part);
	return r < 0 ? sw_fail_errno(err, SW_EXIT_FAILED, r, "the partition cannot be read")
		     : sw_secrets_part_key(m, part, sw_arg(&cli->args, OPT_SIGNATURES), label,
					   ret_key, err);
}

static int run(struct sw_cli *cli, struct sw_error *err)
{
	const char *label = cli->args.n_rest ? cli->args.rest[0] : "state";
	const char *file = sw_arg(&cli->args, OPT_OUT);
	_cleanup_secret_ struct sw_secret *key = NULL;
	int r = sw_cli_needs_disks(cli, "state key", err);

	if (r == 0)
		r = sw_secret_check_output(cli, file, err);
	if (r == 0)
		r = get_key(cli, label, &key, err);
	if (r == 0)
		r = sw_secret_give(key, file, err);
	if (r == 0 && cli->json) {
		_cleanup_json_ json_object *o = json_object_new_object();

		sw_json_add_str(o, "label", label);
		sw_json_add_str(o, "file", file);
		sw_print_json(o);
	}
	return r;
}

static const struct sw_opt opts[] = {
	{ OPT_OUT, "out", "FILE", "write it to this file, 0600 (default: standard output)" },
	{ OPT_SIGNATURES, "pcr-signature", "FILE", "signed PCRs (default: those of the image)" },
	{ 'd', "disk", "NAME", "the disk, when several have such a partition" },
	{ 0, NULL, NULL, NULL },
};

const struct sw_command sw_command_state_key = {
	.name = "state key",
	.summary = "Have the TPM give the key of the encrypted state, for cryptsetup",
	.operands = "[LABEL]",
	.max_rest = 1,
	.opts = opts,
	.details = "Where no systemd-cryptsetup does it: `slipway state key | cryptsetup open\n"
		   "--key-file - /dev/disk/by-partlabel/state state`. Seals are tried in the\n"
		   "order of the header's tokens; those to a signer's PCRs with the signature\n"
		   "that the running image brings along. Not to a terminal, nor into JSON.",
	.run = run,
};
