/* SPDX-License-Identifier: Apache-2.0 */
/* `slipway secret list` and `secret open`: what a node's TPM keeps for it. */
#include "tui/commands/secret.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "disk/recovery.h"
#include "tui/commands/list.h"
#include "tui/commands/sealing.h"

enum { OPT_OUT = 300, OPT_RECOVERY, OPT_SIGNATURES };

#define RECOVERY_FILE_MAX 4096U

/* ---- the node ---- */

void sw_secret_view_clear(struct sw_secret_view *v)
{
	sw_node_clear(&v->node);
	sw_target_clear(&v->t);
}

static int no_node(struct sw_secret_view *v, int r, struct sw_error *err)
{
	if (r != -ENOENT || sw_node_read_variable(v->t.m, &v->node) < 0)
		return r;
	*err = (struct sw_error){};
	sw_fail(err, SW_EXIT_REFUSED, -EPERM, "a node without a disk keeps no secrets");
	sw_error_why(err, "its node data are an EFI variable, which has too little room");
	sw_error_hint(err, "let it attest at each start: its server gives it what it needs");
	return -EPERM;
}

int sw_secret_view_open(const struct sw_cli *cli, struct sw_secret_view *v, struct sw_error *err)
{
	const char *disk = sw_arg(&cli->args, 'd');
	int r;

	r = sw_cli_needs_disks(cli, cli->cmd->name, err);
	if (r == 0)
		r = sw_target_open(cli, &v->t, err);
	if (r < 0)
		return r;
	r = sw_node_find(v->t.m, v->t.f, disk, &v->node, err);
	if (r < 0)
		return disk ? r : no_node(v, r, err);
	if (v->node.data)
		return 0;
	sw_fail(err, SW_EXIT_MISSING, -ENOENT, "the node has no node data");
	sw_error_where(err, "%s", v->node.disk->name);
	sw_error_hint(err, "an install writes it; `slipway doctor` looks at its copies");
	return -ENOENT;
}

int sw_secret_recovery(const char *file, struct sw_secret **ret_key, struct sw_error *err)
{
	_cleanup_secret_ struct sw_secret *given = NULL;
	int r;

	if (!file)
		return 0;
	r = sw_secret_read(file, RECOVERY_FILE_MAX, &given, err);
	return r < 0 ? r : sw_recovery_passphrase(given, ret_key, err);
}

/* ---- list ---- */

static void pcr_text(json_object *list, char text[static 64])
{
	size_t at = 0;

	text[0] = '\0';
	for (size_t i = 0; i < json_object_array_length(list) && at < 60; i++)
		at += (size_t)snprintf(text + at, 64 - at, "%s%d", i ? "+" : "",
				       json_object_get_int(json_object_array_get_idx(list, i)));
}

static void print_secret(json_object *o)
{
	bool damaged = sw_json_bool(o, "damaged", false);
	char pcrs[64], by_signer[64];

	pcr_text(sw_json_array(o, "pcrs"), pcrs);
	pcr_text(sw_json_array(o, "signed"), by_signer);
	printf("%-24s %s%s%s%s%s\n", sw_json_str(o, "name", ""),
	       damaged ? "damaged" : "opened by the TPM, PCR ", damaged ? "" : pcrs,
	       *by_signer ? ", signed PCR " : "", by_signer,
	       sw_json_bool(o, "recovery", false) ? ", or by a recovery key" : "");
}

static int run_list(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_secret_view_ struct sw_secret_view v = {};
	_cleanup_json_ json_object *list = NULL;
	int r = sw_secret_view_open(cli, &v, err);

	if (r < 0)
		return r;
	list = sw_secrets_list(v.node.data);
	if (cli->json) {
		_cleanup_json_ json_object *o = json_object_new_object();

		sw_json_add(o, "secrets", TAKE_PTR(list));
		sw_print_json(o);
		return 0;
	}
	for (size_t i = 0; i < json_object_array_length(list); i++)
		print_secret(json_object_array_get_idx(list, i));
	if (json_object_array_length(list) == 0)
		printf("The node has no secrets.\n");
	return 0;
}

/* ---- open ---- */

static int open_it(struct sw_cli *cli, struct sw_secret **ret_secret, struct sw_error *err)
{
	_cleanup_secret_view_ struct sw_secret_view v = {};
	_cleanup_secret_ struct sw_secret *recovery = NULL;
	_cleanup_json_ json_object *signatures = NULL;
	struct sw_secret_keys by = {};
	int r = sw_secret_view_open(cli, &v, err);

	if (r == 0)
		r = sw_secret_recovery(sw_arg(&cli->args, OPT_RECOVERY), &recovery, err);
	if (r == 0 && !recovery)
		r = sw_machine_tcti(v.t.m, &by.tcti, err);
	if (r == 0)
		r = sw_secrets_signatures(v.t.m, sw_arg(&cli->args, OPT_SIGNATURES), &signatures,
					  err);
	by.recovery = recovery;
	by.signatures = signatures;
	return r < 0 ? r : sw_secrets_open(v.node.data, &by, cli->args.rest[0], ret_secret, err);
}

static int run_open(struct sw_cli *cli, struct sw_error *err)
{
	const char *file = sw_arg(&cli->args, OPT_OUT);
	_cleanup_secret_ struct sw_secret *secret = NULL;
	int r = sw_secret_check_output(cli, file, err);

	if (r == 0)
		r = open_it(cli, &secret, err);
	if (r == 0)
		r = sw_secret_give(secret, file, err);
	if (r == 0 && cli->json) {
		_cleanup_json_ json_object *o = json_object_new_object();

		sw_json_add_str(o, "name", cli->args.rest[0]);
		sw_json_add_str(o, "file", file);
		sw_json_add_u64(o, "bytes", secret->len);
		sw_print_json(o);
	}
	return r;
}

static const struct sw_opt list_opts[] = {
	{ 'd', "disk", "NAME", "the node's disk, when several have one" },
	{ 0, NULL, NULL, NULL },
};

static const struct sw_opt open_opts[] = {
	{ OPT_OUT, "out", "FILE", "write it to this file, 0600 (default: standard output)" },
	{ OPT_RECOVERY, "recovery-file", "FILE", "open it by this recovery key, not by the TPM" },
	{ OPT_SIGNATURES, "pcr-signature", "FILE", "signed PCRs (default: those of the image)" },
	{ 'd', "disk", "NAME", "the node's disk, when several have one" },
	{ 0, NULL, NULL, NULL },
};

const struct sw_command sw_command_secret_list = {
	.name = "secret list",
	.summary = "List the secrets that the TPM keeps for this node",
	.operands = "",
	.opts = list_opts,
	.details = "Names and what opens them; never what is in them.",
	.run = run_list,
};

const struct sw_command sw_command_secret_open = {
	.name = "secret open",
	.summary = "Have the TPM open a secret of this node",
	.operands = "NAME",
	.min_rest = 1,
	.max_rest = 1,
	.opts = open_opts,
	.details = "On the node, systemd or not: slipway-node has this command, too.\n"
		   "Not to a terminal, nor into JSON. `slipway node config DIR` gives the sealed\n"
		   "form as DIR/credentials/NAME.cred, which systemd-creds decrypts.",
	.run = run_open,
};
