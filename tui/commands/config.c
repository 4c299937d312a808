/* SPDX-License-Identifier: Apache-2.0 */
/* `slipway config`: a node's own configuration as files, from and to a stick. */
#include <string.h>

#include "base/age.h"
#include "base/file.h"
#include "base/strv.h"
#include "config/config.h"
#include "tui/commands/common.h"
#include "tui/commands/list.h"
#include "tui/commands/sealing.h"

enum { OPT_SECRETS = 300, OPT_PASSPHRASE };

struct job {
	const struct sw_cli *cli;
	struct sw_target t;
	struct sw_node node;
	struct sw_config_keys keys;
	struct sw_aim aim;
	struct sw_secret *passphrase;
	struct sw_config_source source;
	struct sw_config_preview preview;
	char **recipients;
};

static void job_clear(struct job *j)
{
	sw_config_preview_clear(&j->preview);
	sw_config_source_clear(&j->source);
	sw_secret_free(j->passphrase);
	sw_strv_free(j->recipients);
	sw_node_clear(&j->node);
	sw_target_clear(&j->t);
}

/* ---- the node and what opens its secrets ---- */

static int job_open(struct job *j, struct sw_error *err)
{
	struct sw_error no_tpm = {};
	int r;

	sw_secret_guard();
	r = sw_cli_needs_disks(j->cli, "config", err);
	if (r == 0)
		r = sw_target_open(j->cli, &j->t, err);
	if (r == 0)
		r = sw_config_find_node(j->t.m, j->t.f, sw_arg(&j->cli->args, 'd'), &j->node, err);
	if (r == 0 && sw_machine_tcti(j->t.m, &j->keys.tcti, &no_tpm) < 0)
		j->keys.tcti = NULL;	/* each secret says so */
	return r;
}

/* Typed twice when it encrypts; from standard input where there is no terminal. */
static int get_passphrase(struct job *j, bool twice, struct sw_error *err)
{
	_cleanup_secret_ struct sw_secret *again = NULL;
	int r;

	if (!sw_arg(&j->cli->args, OPT_PASSPHRASE))
		return 0;
	r = sw_ask_hidden("Passphrase of the secrets (it is not shown): ", &j->passphrase, err);
	if (r == -ENOKEY) {
		r = sw_secret_read_fd(STDIN_FILENO, "standard input", SW_PASSPHRASE_MAX + 1,
				      &j->passphrase, err);
		if (r == 0 && j->passphrase->data[j->passphrase->len - 1] == '\n')
			j->passphrase->data[--j->passphrase->len] = '\0';
	} else if (r == 0 && twice) {
		r = sw_ask_hidden("Once more: ", &again, err);
		if (r == 0 && !sw_secret_same(again, j->passphrase))
			r = sw_fail(err, SW_EXIT_CANCELLED, -ECANCELED,
				    "the two are not the same; nothing was written");
	}
	j->keys.passphrase = j->passphrase;
	return r;
}

/* ---- the preview ---- */

static void print_preview(const struct job *j)
{
	const struct sw_config_preview *p = &j->preview;

	printf("From %s, for %s:\n", j->source.from,
	       sw_json_str(j->node.data, "hostname", "a node without a name"));
	for (size_t i = 0; i < p->n; i++) {
		const struct sw_config_item *it = &p->v[i];

		printf("%-8s %-30s %s", sw_config_verdict_name(it->verdict), it->name, it->what);
		if (it->now[0] && it->then[0])
			printf(": %s -> %s", it->now, it->then);
		else if (it->then[0])
			printf(": %s", it->then);
		printf("\n");
		if (it->why[0])
			printf("         %s\n", it->why);
	}
	if (!p->n)
		printf("There is nothing in it.\n");
}

static int look(struct job *j, struct sw_error *err)
{
	const char *from = j->cli->args.n_rest ? j->cli->args.rest[0] : NULL;
	_cleanup_free_ char *where = NULL;
	int r = job_open(j, err);

	if (from && strcmp(from, SW_CONFIG_MEDIUM) != 0)
		where = sw_cli_place(from);
	else if (from)
		where = strdup(from);
	j->keys.identity = sw_arg(&j->cli->args, 'i');
	if (r == 0)
		r = get_passphrase(j, false, err);
	if (r == 0)
		r = sw_config_read(j->t.m, where, &j->source, err);
	if (r == 0)
		r = sw_config_preview(&j->node, &j->keys, &j->source, &j->preview, err);
	return r;
}

static int run_show(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_(job_clear) struct job j = { .cli = cli };
	_cleanup_json_ json_object *o = NULL;
	int r = look(&j, err);

	if (r < 0)
		return r;
	if (!cli->json) {
		print_preview(&j);
		printf("Nothing was written; `slipway config import` does it.\n");
		return 0;
	}
	o = sw_config_preview_to_json(&j.preview);
	sw_json_add_str(o, "from", j.source.from);
	sw_print_json(o);
	return 0;
}

/* ---- import and undo ---- */

static int do_import(struct job *j, char **ret_undo, struct sw_error *err)
{
	int r = 0;

	if (j->preview.n_secrets) {
		r = sw_aim_find(&j->t, sw_arg(&j->cli->args, 'd'), NULL, false, &j->aim, err);
		j->keys.pcr7 = j->aim.later ? &j->aim.pcr7 : NULL;
	}
	if (r == 0)
		r = sw_confirm(j->cli, "To import this, type import: ", "import", err);
	return r < 0 ? r : sw_config_import(j->t.m, &j->node, &j->keys, &j->preview, ret_undo, err);
}

static int run_import(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_(job_clear) struct job j = { .cli = cli };
	_cleanup_json_ json_object *o = NULL;
	_cleanup_free_ char *undo = NULL;
	int r = look(&j, err);

	if (r < 0)
		return r;
	if (!cli->json)
		print_preview(&j);
	o = sw_config_preview_to_json(&j.preview);
	sw_json_add_str(o, "from", j.source.from);
	if (j.preview.changes)
		r = do_import(&j, &undo, err);
	sw_json_add_bool(o, "written", undo != NULL);
	sw_json_add_str(o, "undo", undo);
	if (r < 0)
		return r;
	if (cli->json)
		sw_print_json(o);
	else if (undo)
		printf("Written and read back. `slipway config undo` takes it back until this "
		       "system ends.\n");
	else
		printf("Nothing to write.\n");
	return 0;
}

static int run_undo(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_(job_clear) struct job j = { .cli = cli };
	_cleanup_free_ char *file = NULL;
	int r = job_open(&j, err);

	if (r < 0)
		return r;
	file = cli->args.n_rest ? strdup(cli->args.rest[0]) : sw_config_last(j.t.m);
	if (!file) {
		sw_fail(err, SW_EXIT_MISSING, -ENOENT, "there is no import to take back");
		sw_error_hint(err, "what an import replaced is kept until this system ends");
		return -ENOENT;
	}
	r = sw_config_undo(j.t.m, &j.node, file, err);
	if (r < 0)
		return r;
	if (cli->json) {
		_cleanup_json_ json_object *o = json_object_new_object();

		sw_json_add_str(o, "undone", file);
		sw_print_json(o);
	} else {
		printf("The node data are as before the import.\n");
	}
	return 0;
}

/* ---- save ---- */

static int check_save(struct job *j, struct sw_error *err)
{
	const struct sw_args *a = &j->cli->args;
	size_t pos = 0;

	for (const char *v; (v = sw_arg_next(a, 'r', &pos));)
		if (sw_strv_add(&j->recipients, v) < 0)
			return sw_fail_oom(err);
	if (!sw_arg(a, OPT_SECRETS) && (j->recipients || sw_arg(a, OPT_PASSPHRASE))) {
		sw_fail(err, SW_EXIT_USAGE, -EINVAL, "there is nothing to encrypt");
		sw_error_hint(err, "--secrets saves the node's secrets, too");
		return -EINVAL;
	}
	if (!sw_arg(a, OPT_SECRETS) || !j->recipients != !sw_arg(a, OPT_PASSPHRASE))
		return 0;
	sw_fail(err, SW_EXIT_USAGE, -EINVAL, "secrets are saved encrypted only");
	sw_error_hint(err, "give --recipient KEY, or --passphrase, and not both");
	return -EINVAL;
}

static void print_saved(json_object *o)
{
	json_object *closed = sw_json_array(o, "closed"), *files = sw_json_array(o, "files");

	for (size_t i = 0; i < json_object_array_length(files); i++)
		printf("%s\n", json_object_get_string(json_object_array_get_idx(files, i)));
	for (size_t i = 0; closed && i < json_object_array_length(closed); i++) {
		json_object *c = json_object_array_get_idx(closed, i);

		printf("not saved: the secret %s: %s\n", sw_json_str(c, "name", ""),
		       sw_json_str(c, "why", ""));
	}
	printf("Saved to %s.\n", sw_json_str(o, "where", ""));
}

static int run_save(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_(job_clear) struct job j = { .cli = cli };
	_cleanup_free_ char *where = sw_cli_place(cli->args.rest[0]);
	_cleanup_json_ json_object *done = NULL;
	struct sw_config_save o = { .where = where, .secrets = sw_arg(&cli->args, OPT_SECRETS) };
	int r = where ? check_save(&j, err) : sw_fail_oom(err);

	if (r == 0)
		r = job_open(&j, err);
	if (r == 0)
		r = get_passphrase(&j, true, err);
	o.recipients = j.recipients;
	o.passphrase = j.passphrase;
	if (r == 0)
		r = sw_config_store(j.t.m, &j.node, &j.keys, &o, &done, err);
	if (r < 0)
		return r;
	if (cli->json)
		sw_print_json(done);
	else
		print_saved(done);
	return 0;
}

#define DISK { 'd', "disk", "NAME", "the node's disk, when several have one" }
#define OPENS { 'i', "identity", "FILE", "opens secrets.age: of age, or an SSH key" }, \
	      { OPT_PASSPHRASE, "passphrase", NULL, "opens secrets.age: asked for, or a line on " \
						    "standard input" }

static const struct sw_opt read_opts[] = { OPENS, DISK, { 0, NULL, NULL, NULL } };
static const struct sw_opt undo_opts[] = { DISK, { 0, NULL, NULL, NULL } };
static const struct sw_opt save_opts[] = {
	{ OPT_SECRETS, "secrets", NULL, "save the secrets that the TPM opens as well, encrypted" },
	{ 'r', "recipient", "KEY", "to this age or SSH public key; several times" },
	{ OPT_PASSPHRASE, "passphrase", NULL, "by a passphrase: asked for, or a line on standard "
					      "input" },
	DISK,
	{ 0, NULL, NULL, NULL },
};

const struct sw_command sw_command_config_show = {
	.name = "config show",
	.summary = "Show what importing a configuration would change in the node data",
	.operands = "[SOURCE]",
	.max_rest = 1,
	.opts = read_opts,
	.details = "SOURCE is a directory, a tar, \"medium\" or \"stick\" (their config/);\n"
		   "without it config/ of the medium, else of the stick labelled SLIPWAY. Each\n"
		   "file has a verdict: new, same, differs, or refused with the reason.",
	.run = run_show,
};

const struct sw_command sw_command_config_import = {
	.name = "config import",
	.summary = "Take a configuration into the node data, after showing it",
	.operands = "[SOURCE]",
	.max_rest = 1,
	.opts = read_opts,
	.details = "As `slipway config show`, then it asks. Secrets are sealed to the TPM.\n"
		   "Nothing but the node data is written, and `slipway config undo` takes it back.",
	.run = run_import,
};

const struct sw_command sw_command_config_undo = {
	.name = "config undo",
	.summary = "Take the last import of a configuration back",
	.operands = "[FILE]",
	.max_rest = 1,
	.opts = undo_opts,
	.details = "FILE is the one that the import named; without it, that of the last one. It\n"
		   "is refused when the node data were changed since.",
	.run = run_undo,
};

const struct sw_command sw_command_config_save = {
	.name = "config save",
	.summary = "Save the node's configuration for its next install",
	.operands = "PLACE",
	.min_rest = 1,
	.max_rest = 1,
	.opts = save_opts,
	.details = "PLACE is a directory, a path that ends in .tar, or \"stick\" (config/ on the\n"
		   "stick labelled SLIPWAY). Secrets are only saved when asked for, and only\n"
		   "encrypted, as secrets.age.",
	.run = run_save,
};
