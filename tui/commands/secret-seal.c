/* SPDX-License-Identifier: Apache-2.0 */
/* `slipway secret seal`, `secret reseal` and `secret remove`: only the node data are written. */
#include <string.h>

#include "tui/commands/list.h"
#include "tui/commands/sealing.h"
#include "tui/commands/secret.h"

enum { OPT_FILE = 300, OPT_RECOVERY, OPT_PCRS, OPT_IMAGE, OPT_PRESENT, OPT_KEY, OPT_SIGNED };

struct job {
	struct sw_secret_view v;
	struct sw_aim aim;
	struct sw_secret *secret, *recovery;
	struct sw_pcr_key signer;
	json_object *signatures;
	char *log;
	struct sw_secret_seal seal;
};

static void job_clear(struct job *j)
{
	sw_secret_free(j->secret);
	sw_secret_free(j->recovery);
	json_object_put(j->signatures);
	free(j->log);
	sw_secret_view_clear(&j->v);
}

/* ---- what to seal ---- */

/* What a person types twice is what was meant. */
static int typed(const char *name, struct sw_secret **ret_secret, struct sw_error *err)
{
	_cleanup_secret_ struct sw_secret *first = NULL, *second = NULL;
	char question[160];
	int r;

	(void)snprintf(question, sizeof(question), "Secret %.64s (it is not shown): ", name);
	r = sw_ask_hidden(question, &first, err);
	if (r == 0)
		r = sw_ask_hidden("Once more: ", &second, err);
	if (r == 0 && !sw_secret_same(first, second))
		r = sw_fail(err, SW_EXIT_CANCELLED, -ECANCELED, "the two are not the same; nothing "
								"was changed");
	if (r == -ENOKEY) {
		sw_fail(err, SW_EXIT_USAGE, r, "secret seal: where is the secret?");
		sw_error_hint(err, "slipway secret seal NAME < FILE, or --file FILE");
	}
	if (r == 0)
		*ret_secret = TAKE_PTR(first);
	return r;
}

static int get_secret(const struct sw_cli *cli, struct sw_secret **ret_secret,
		      struct sw_error *err)
{
	const char *file = sw_arg(&cli->args, OPT_FILE);

	if (file)
		return sw_secret_read(file, SW_CREDENTIAL_SECRET_MAX, ret_secret, err);
	if (isatty(STDIN_FILENO))
		return typed(cli->args.rest[0], ret_secret, err);
	return sw_secret_read_fd(STDIN_FILENO, "standard input", SW_CREDENTIAL_SECRET_MAX,
				 ret_secret, err);
}

/* ---- what to seal to ---- */

static int get_pcrs(const struct sw_cli *cli, const struct sw_aim *aim, uint32_t *ret_pcrs,
		    struct sw_error *err)
{
	const char *text = sw_arg(&cli->args, OPT_PCRS);
	int r = 0;

	*ret_pcrs = SW_TPM_PCRS_DEFAULT;
	if (text)
		r = sw_tpm_parse_pcrs(text, ret_pcrs, err);
	if (r < 0 || !aim->later || *ret_pcrs == SW_TPM_PCRS_DEFAULT)
		return r;
	sw_fail(err, SW_EXIT_USAGE, -EINVAL, "only PCR 7 of the node can be foretold");
	sw_error_hint(err, "seal to other PCRs on the node itself");
	return -EINVAL;
}

/* The operator's public key; signatures to try it with need not be there. */
static int get_signer(const struct sw_cli *cli, struct job *j, struct sw_error *err)
{
	const char *key = sw_arg(&cli->args, OPT_KEY);
	int r = key ? sw_pcr_key_read(key, &j->signer, err) : 0;

	if (r == 0)
		r = sw_secrets_signatures(j->v.t.m, sw_arg(&cli->args, OPT_SIGNED),
					  &j->signatures, err);
	j->seal.signer = key ? &j->signer : NULL;
	j->seal.by.signatures = j->signatures;
	return r;
}

static int open_job(struct sw_cli *cli, struct job *j, struct sw_error *err)
{
	int r = sw_secret_view_open(cli, &j->v, err);

	if (r == 0)
		r = sw_machine_tcti(j->v.t.m, &j->seal.by.tcti, err);
	if (r == 0)
		r = sw_aim_find(&j->v.t, sw_arg(&cli->args, 'd'), sw_arg(&cli->args, OPT_IMAGE),
				sw_arg(&cli->args, OPT_PRESENT), &j->aim, err);
	if (r == 0)
		r = get_pcrs(cli, &j->aim, &j->seal.pcrs, err);
	if (r == 0)
		r = get_signer(cli, j, err);
	if (r == 0)
		r = sw_secret_recovery(sw_arg(&cli->args, OPT_RECOVERY), &j->recovery, err);
	j->seal.by.recovery = j->recovery;
	j->seal.pcr7 = j->aim.later ? &j->aim.pcr7 : NULL;
	j->log = j->v.t.m ? sw_machine_tpm_log(j->v.t.m) : NULL;
	j->seal.by.log = j->log;
	return r;
}

/* ---- what was done ---- */

static void print_one(const struct job *j, const char *name, const struct sw_secret_sealed *d)
{
	printf("%s is sealed%s: %s\n", name, d->replaced ? ", in place of an older one" : "",
	       d->later ? "only the node can open it, so it was not tried"
			: "the TPM opens it, tried");
	if (!d->measured && j->seal.pcrs == SW_TPM_PCRS_DEFAULT)
		printf("warning: " SW_TPM_NOT_MEASURED "\n");
}

static json_object *one_json(const char *name, const struct sw_secret_sealed *d)
{
	json_object *o = json_object_new_object();

	sw_json_add_str(o, "name", name);
	sw_json_add_bool(o, "measured", d->measured);
	sw_json_add_bool(o, "tried", !d->later);
	sw_json_add_bool(o, "replaced", d->replaced);
	sw_json_add_bool(o, "recovery", d->recovery);
	return o;
}

/* Takes the list. */
static void print_done(const struct sw_cli *cli, const struct job *j, json_object *list)
{
	_cleanup_json_ json_object *o = json_object_new_object();

	sw_json_add(o, "secrets", list);
	sw_json_add_bool(o, "secure_boot", j->v.t.f->secure_boot);
	if (cli->json)
		sw_print_json(o);
	else
		printf("The TPM opens it without asking: %s.\n",
		       j->v.t.f->secure_boot ? SW_TPM_WORTH_SECURE : SW_TPM_WORTH_OPEN);
}

static int run_seal(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_(job_clear) struct job j = { .seal.name = cli->args.rest[0] };
	json_object *list;
	struct sw_secret_sealed done;
	int r = open_job(cli, &j, err);

	if (r == 0)
		r = get_secret(cli, &j.secret, err);
	if (r == 0)
		r = sw_secrets_seal(j.v.node.data, &j.seal, j.secret, &done, err);
	if (r == 0)
		r = sw_node_write_data(j.v.t.m, &j.v.node, err);
	if (r < 0)
		return r;
	if (!cli->json)
		print_one(&j, j.seal.name, &done);
	list = json_object_new_array();
	json_object_array_add(list, one_json(j.seal.name, &done));
	print_done(cli, &j, list);
	return 0;
}

/* ---- again ---- */

/* All or none: what cannot be opened is said before anything is written. */
static int reseal_all(struct sw_cli *cli, struct job *j, json_object *list, struct sw_error *err)
{
	_cleanup_json_ json_object *names = sw_secrets_list(j->v.node.data);
	int r = 0;

	for (size_t i = 0; r == 0 && i < json_object_array_length(names); i++) {
		const char *name = sw_json_str(json_object_array_get_idx(names, i), "name", "");
		struct sw_secret_sealed done;

		if (cli->args.n_rest && strcmp(cli->args.rest[0], name) != 0)
			continue;
		j->seal.name = name;
		r = sw_secrets_reseal(j->v.node.data, &j->seal, &done, err);
		if (r < 0)
			break;
		json_object_array_add(list, one_json(name, &done));
		if (!cli->json)
			print_one(j, name, &done);
	}
	if (r < 0 || json_object_array_length(list))
		return r;
	sw_fail(err, SW_EXIT_MISSING, -ENOENT, "the node has no secret%s%s",
		cli->args.n_rest ? " of this name: " : "s",
		cli->args.n_rest ? cli->args.rest[0] : "");
	return -ENOENT;
}

static int run_reseal(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_(job_clear) struct job j = {};
	_cleanup_json_ json_object *list = json_object_new_array();
	int r = open_job(cli, &j, err);

	if (r == 0)
		r = reseal_all(cli, &j, list, err);
	if (r == 0)
		r = sw_node_write_data(j.v.t.m, &j.v.node, err);
	if (r == 0)
		print_done(cli, &j, TAKE_PTR(list));
	return r;
}

static int run_remove(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_secret_view_ struct sw_secret_view v = {};
	int r = sw_secret_view_open(cli, &v, err);

	if (r == 0)
		r = sw_secrets_remove(v.node.data, cli->args.rest[0], err);
	if (r == 0)
		r = sw_node_write_data(v.t.m, &v.node, err);
	if (r == 0 && cli->json) {
		_cleanup_json_ json_object *o = json_object_new_object();

		sw_json_add_str(o, "removed", cli->args.rest[0]);
		sw_print_json(o);
	} else if (r == 0) {
		printf("%s is gone from the node data.\n", cli->args.rest[0]);
	}
	return r;
}

#define DISK { 'd', "disk", "NAME", "the node's disk, when several have one" }
#define SIGNER { OPT_KEY, "pcr-key", "FILE", "to PCR 11 as this public key signs it, too" }, \
	       { OPT_SIGNED, "pcr-signature", "FILE", "signed PCRs (default: of the image)" }
#define AIM { OPT_IMAGE, "image", "FILE", "seal for this image, not for that of the slot" }, \
	    { OPT_PRESENT, "present", NULL, "seal to PCR 7 as it is under this system" }

static const struct sw_opt seal_opts[] = {
	{ OPT_FILE, "file", "FILE", "the secret, byte for byte (default: standard input)" },
	{ OPT_PCRS, "pcrs", "LIST", "PCRs, like 7+11 (default: 7); others on the node only" },
	{ OPT_RECOVERY, "recovery-file", "FILE", "also keep a copy that this recovery key opens" },
	SIGNER,
	AIM,
	DISK,
	{ 0, NULL, NULL, NULL },
};

static const struct sw_opt reseal_opts[] = {
	{ OPT_RECOVERY, "recovery-file", "FILE", "open them by this recovery key, not by the TPM" },
	{ OPT_PCRS, "pcrs", "LIST", "PCRs, like 7+11 (default: 7); others on the node only" },
	SIGNER,
	AIM,
	DISK,
	{ 0, NULL, NULL, NULL },
};

static const struct sw_opt remove_opts[] = {
	DISK,
	{ 0, NULL, NULL, NULL },
};

const struct sw_command sw_command_secret_seal = {
	.name = "secret seal",
	.summary = "Seal a secret for this node to its TPM",
	.operands = "NAME",
	.min_rest = 1,
	.max_rest = 1,
	.opts = seal_opts,
	.details = "From standard input or a file; at a terminal it is typed twice, not shown.\n"
		   "It is kept in the node data as a credential of systemd's, and opened again\n"
		   "before this says done, unless only the node can (`state reseal` tells when).",
	.run = run_seal,
};

const struct sw_command sw_command_secret_reseal = {
	.name = "secret reseal",
	.summary = "Seal the node's secrets anew, for a changed firmware or Secure Boot",
	.operands = "[NAME]",
	.max_rest = 1,
	.opts = reseal_opts,
	.details = "Before the change, on the node: --image seals for the image to come.\n"
		   "After it: --recovery-file opens the copies that it was given for. All of\n"
		   "them, or the one named; when one cannot be opened, nothing is written.",
	.run = run_reseal,
};

const struct sw_command sw_command_secret_remove = {
	.name = "secret remove",
	.summary = "Take a secret out of the node data",
	.operands = "NAME",
	.min_rest = 1,
	.max_rest = 1,
	.opts = remove_opts,
	.run = run_remove,
};
