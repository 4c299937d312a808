/* SPDX-License-Identifier: Apache-2.0 */
/* `slipway doctor`: what is wrong with the node, and putting it right one finding at a time. */
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/strv.h"
#include "base/text.h"
#include "disk/recovery.h"
#include "rescue/report.h"
#include "rescue/visit.h"
#include "tui/commands/common.h"
#include "tui/commands/list.h"
#include "tui/commands/sealing.h"
#include "tui/commands/wrap.h"

enum { OPT_REPAIR = 300, OPT_SAVE, OPT_UNDO, OPT_NO_UNDO, OPT_SERVERS, OPT_GIVEN, OPT_OPEN,
       OPT_IMAGE, OPT_SHA256, OPT_SIGNATURE, OPT_TRUST, OPT_CA };

#define CA_MAX 65536U		/* bytes of a file with certificates */
#define GIVEN_MAX 65536U	/* bytes: more than a token, a key file or a secret may have */

struct job {
	const struct sw_cli *cli;
	struct sw_visit v;
	struct sw_rescue_image image;
	struct sw_printer printer;
	struct sw_sink sink;	/* of a repair */
	char *place, **signatures;	/* of the image */
	struct sw_buf ca;	/* of its server */
	struct sw_rescue_inside inside;
	struct sw_secret *key;	/* of the state */
	json_object *done;	/* of --repair: what was made of each ID */
};

static void job_clear(struct job *j)
{
	sw_visit_clear(&j->v);
	sw_strv_free(j->signatures);
	free(j->place);
	sw_buf_clear(&j->ca);
	sw_secret_free(j->key);
}

/* ---- how a repair goes ---- */

static void say(const struct sw_event *ev, void *printer)
{
	struct sw_event line = *ev;

	if (ev->type == SW_EVENT_START)	/* the one step that there is */
		line.type = SW_EVENT_LOG;
	if (line.type != SW_EVENT_LOG || line.text[0])
		sw_print_event(printer, &line);
	fflush(stdout);
}

/* While nothing is written ^C stops it; then it is seen through. Questions are asked before. */
static void follow(struct job *j)
{
	sw_stop_catch();
	j->v.repairing = &j->sink;
}

/* What comes after it is ended by ^C as ever. */
static void leave_alone(struct job *j)
{
	j->v.repairing = NULL;
	sw_stop_leave();
}

/* ---- an image for a slot ---- */

static int read_ca(struct job *j, struct sw_error *err)
{
	const char *path = sw_arg(&j->cli->args, OPT_CA);
	int r;

	if (!path)
		return 0;
	j->ca.max = CA_MAX;
	r = sw_file_read(path, &j->ca);
	if (r == 0 && !strstr(sw_buf_text(&j->ca), "-----BEGIN CERTIFICATE-----"))
		r = -EINVAL;
	if (r < 0) {
		sw_fail_errno(err, r == -ENOENT ? SW_EXIT_MISSING : SW_EXIT_INVALID, r,
			      "doctor: this is no file with a CA's certificate");
		sw_error_where(err, "%s", path);
		return r;
	}
	j->image.ca = sw_buf_text(&j->ca);
	return 0;
}

static int image_options(struct job *j, struct sw_error *err)
{
	const struct sw_args *a = &j->cli->args;
	const char *source = sw_arg(a, OPT_IMAGE), *trust = sw_arg(a, OPT_TRUST);
	int r;

	if (trust && strcmp(trust, "none") != 0)
		return sw_fail(err, SW_EXIT_USAGE, -EINVAL, "doctor: --trust takes none");
	if (!source && (trust || sw_arg(a, OPT_SHA256) || sw_arg(a, OPT_SIGNATURE) ||
			sw_arg(a, OPT_CA)))
		return sw_fail(err, SW_EXIT_USAGE, -EINVAL, "doctor: --sha256, --signature, "
			       "--trust and --ca belong to --image");
	if (!source)
		return 0;
	if (!sw_arg(a, OPT_REPAIR))
		return sw_fail(err, SW_EXIT_USAGE, -EINVAL, "doctor: --image is for --repair ID");
	r = sw_arg_list(a, OPT_SIGNATURE, &j->signatures);
	j->place = sw_cli_place(source);
	if (r < 0 || !j->place)
		return sw_fail_oom(err);
	j->image = (struct sw_rescue_image){ .source = j->place, .sha256 = sw_arg(a, OPT_SHA256),
					     .signatures = j->signatures, .trust_none = trust };
	j->v.image = &j->image;
	return read_ca(j, err);
}

/* ---- an encrypted state ---- */

static int take_key(struct job *j, const struct sw_secret *given, struct sw_error *err)
{
	int r = sw_recovery_passphrase(given, &j->key, err);

	j->inside.key = j->key;
	return r;
}

/* A key that was given counts; else the TPM's; else, of a person, what is typed. */
static int look(struct job *j, struct sw_error *err)
{
	const char *file = sw_arg(&j->cli->args, OPT_GIVEN);
	_cleanup_secret_ struct sw_secret *given = NULL;
	bool open = sw_arg(&j->cli->args, OPT_OPEN);
	int r = 0;

	j->v.inside = open ? &j->inside : NULL;
	if (open && file)
		r = sw_secret_read(file, GIVEN_MAX, &given, err);
	if (given && r == 0)
		r = take_key(j, given, err);
	if (r == 0)
		r = sw_visit_look(&j->v, err);
	if (r < 0 || !open || file || !sw_visit_locked(&j->v))
		return r;
	r = sw_ask_hidden("The recovery key or passphrase of the state (it is not shown): ", &given,
			  err);
	if (r == -ENOKEY)
		return 0;
	if (r == 0)
		r = take_key(j, given, err);
	return r == 0 ? sw_visit_look(&j->v, err) : r;
}

static void print_finding(const struct sw_finding *fi, bool plan)
{
	_cleanup_json_ json_object *o = sw_finding_to_json(fi);
	_cleanup_buf_ struct sw_buf b = {};

	if (sw_report_finding(o, &b) == 0 && plan)
		(void)sw_report_plan(o, &b);
	sw_print_wrapped(stdout, sw_buf_text(&b));
	fflush(stdout);
}

/* What can cost something wants the end of the disk's serial, as an install does. */
static int confirm(const struct job *j, const struct sw_repair *r, struct sw_error *err)
{
	_cleanup_free_ char *question = NULL;

	if (!r->confirm)
		return sw_confirm(j->cli, "Type yes to write this: ", "yes", err);
	question = sw_fmt("Type %s to write this: ", r->confirm);
	return question ? sw_confirm_disk(j->cli, question, r->confirm, r->disk->serial, err)
			: sw_fail_oom(err);
}

/* Typed unseen, or out of a file; NULL where nobody is there to ask: then the repair says so. */
static int get_given(const struct sw_cli *cli, const struct sw_repair *rep,
		     struct sw_secret **ret_given, struct sw_error *err)
{
	const char *file = sw_arg(&cli->args, OPT_GIVEN);
	char question[160];
	int r;

	if (!rep->needs)
		return 0;
	if (file)
		return sw_secret_read(file, GIVEN_MAX, ret_given, err);
	(void)snprintf(question, sizeof(question), "The %s (it is not shown): ", rep->asks);
	r = sw_ask_hidden(question, ret_given, err);
	return r == -ENOKEY ? 0 : r;
}

static int apply(struct job *j, const struct sw_repair *rep, const char *id, struct sw_error *err)
{
	const struct sw_args *a = &j->cli->args;
	const char *save = sw_arg(a, OPT_NO_UNDO) ? "" : sw_arg(a, OPT_SAVE);
	_cleanup_secret_ struct sw_secret *given = NULL;
	_cleanup_free_ char *saved = NULL;
	int r = confirm(j, rep, err);

	if (r == 0)
		r = get_given(j->cli, rep, &given, err);
	if (r == 0)
		follow(j);
	if (r == 0)
		r = sw_visit_repair(&j->v, id, save, given, &saved, err);
	leave_alone(j);
	if (r < 0 || j->cli->json)
		return r;
	printf("Repaired, and looked at again: %s is gone.\n", id);
	if (j->v.told)
		printf("%s\n", j->v.told);
	if (saved)
		printf("`slipway doctor --undo %s` takes it back.\n", saved);
	return 0;
}

static int repair_one(struct job *j, const char *id, struct sw_error *err)
{
	int r = j->v.image ? sw_visit_offer_image(&j->v, id, err) : 0;
	const struct sw_finding *fi = sw_findings_get(&j->v.found, id);

	if (r < 0)
		return r;
	if (!fi || !fi->repair)
		return sw_visit_repair(&j->v, id, NULL, NULL, NULL, err);	/* says why not */
	if (!j->cli->json)
		print_finding(fi, true);
	json_object_array_add(j->done, sw_finding_to_json(fi));
	return sw_arg(&j->cli->args, 'D') ? 0 : apply(j, fi->repair, id, err);
}

/* One ID may have put another right as well: then that one is no mistake of the caller. */
static int repair_all(struct job *j, struct sw_error *err)
{
	const struct sw_args *a = &j->cli->args;
	bool before[SW_ARGS_MAX] = {};
	int r = 0;

	for (size_t i = 0; i < a->n_opts; i++)
		before[i] = sw_findings_get(&j->v.found, a->opts[i].value) != NULL;
	for (size_t i = 0; r == 0 && i < a->n_opts; i++) {
		const char *id = a->opts[i].value;

		if (a->opts[i].id != OPT_REPAIR)
			continue;
		if (before[i] && !sw_findings_get(&j->v.found, id)) {
			if (!j->cli->json)
				printf("%s was put right already.\n", id);
			continue;
		}
		r = repair_one(j, id, err);
	}
	return r;
}

static void print_all(const struct job *j, bool fine)
{
	_cleanup_buf_ struct sw_buf b = {};

	if (j->v.found.node && sw_report_node(j->v.found.node, &b) == 0)
		sw_print_wrapped(stdout, sw_buf_text(&b));
	if (b.len)
		printf("\n");
	for (size_t i = 0; i < j->v.found.n; i++)
		print_finding(&j->v.found.v[i], false);
	if (fine)
		printf("%sNothing is wrong%s.\n", j->v.found.n ? "\n" : "",
		       sw_visit_locked(&j->v) ? " outside the encrypted state" : "");
}

/* What is mere information needs none. */
static bool can_repair(const struct sw_findings *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].repair && l->v[i].severity > SW_FINDING_INFO)
			return true;
	return false;
}

static int show(const struct job *j, struct sw_error *err)
{
	_cleanup_json_ json_object *o = sw_visit_to_json(&j->v);
	bool fine = sw_findings_worst(&j->v.found) == SW_FINDING_INFO;

	if (j->done)
		sw_json_add(o, "repaired", json_object_get(j->done));
	if (j->cli->json)
		sw_print_json(o);
	else
		print_all(j, fine);
	if (fine || sw_arg(&j->cli->args, OPT_REPAIR))
		return 0;
	sw_fail(err, SW_EXIT_VERIFY, -EUCLEAN, "something is wrong with this machine");
	if (can_repair(&j->v.found))
		sw_error_hint(err, "`slipway doctor --repair ID` puts one thing right; with "
				   "--dry-run it only shows how");
	else
		sw_error_hint(err, "slipway cannot put this right by itself: the advice says what "
				   "helps");
	return -EUCLEAN;
}

static int take_back(struct job *j, const char *file, struct sw_error *err)
{
	_cleanup_free_ char *text = NULL;
	int r = sw_confirm(j->cli, "Type yes to take this repair back: ", "yes", err);

	if (r == 0)
		r = sw_visit_undo(&j->v, file, &text, err);
	if (r < 0)
		return r;
	if (!j->cli->json)
		printf("Taken back: %s.\n", text ? sw_text_clean(text) : file);
	return 0;
}

static int run(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_machine_ struct sw_machine *m = NULL;
	_cleanup_json_ json_object *done = NULL;
	_cleanup_(job_clear) struct job j = { .cli = cli };
	int r = sw_cli_needs_disks(cli, "doctor", err);

	if (r == 0)
		r = sw_cli_machine(cli, &m, err);
	j.printer.out = stdout;
	j.sink = (struct sw_sink){ .fn = cli->json ? NULL : say, .userdata = &j.printer,
				   .cancelled = sw_stop_is_wanted };
	j.v.m = m;
	j.v.disk = sw_arg(&cli->args, 'd');
	j.v.servers = sw_arg(&cli->args, OPT_SERVERS);
	if (r == 0)
		r = image_options(&j, err);
	if (r == 0)
		r = look(&j, err);
	if (r < 0)
		return r;
	if (sw_arg(&cli->args, OPT_UNDO))
		return take_back(&j, sw_arg(&cli->args, OPT_UNDO), err);
	if (sw_arg(&cli->args, OPT_REPAIR)) {
		done = j.done = json_object_new_array();
		r = repair_all(&j, err);
		if (r < 0 || !cli->json)
			return r;
	}
	return show(&j, err);
}

static const struct sw_opt opts[] = {
	{ OPT_REPAIR, "repair", "ID", "put this finding right; may be given several times" },
	{ 'D', "dry-run", NULL, "show what a repair would write and stop" },
	{ OPT_GIVEN, "given", "FILE", "the key, secret or token that it wants (default: typed)" },
	{ OPT_IMAGE, "image", "SOURCE", "fill the slot from this UKI: path, URL, "
	  "medium:/FILE or stick:/FILE" },
	{ OPT_OPEN, "open", NULL, "look into an encrypted state, by the TPM or the key" },
	{ OPT_SHA256, "sha256", "HEX", "of the image; a remote one that nobody signed needs it" },
	{ OPT_SIGNATURE, "signature", "SOURCE", "of the image, once for each signer (default: .sig "
	  "beside it)" },
	{ OPT_TRUST, "trust", "none", "this once take an image that nobody signed" },
	{ OPT_CA, "ca", "FILE", "believe only an https server whose certificate this CA signed" },
	{ OPT_SAVE, "save", "FILE", "where the repair saves what undo needs" },
	{ OPT_NO_UNDO, "no-undo", NULL, "save nothing: the repair cannot be taken back" },
	{ OPT_UNDO, "undo", "FILE", "take a repair back" },
	{ OPT_SERVERS, "servers", NULL, "ask the boot server and those of the admission as well" },
	{ 'd', "disk", "NAME", "the node's disk, when several have one" },
	{ 0, NULL, NULL, NULL },
};

const struct sw_command sw_command_doctor = {
	.name = "doctor",
	.summary = "Find what is wrong with the node, and put it right",
	.operands = "",
	.opts = opts,
	.details = "Partition tables, slots, node data, state, boot entries, order and next boot,\n"
		   "what is sealed to the TPM, how the node was admitted, and what it needs of\n"
		   "its machine: each finding says what it rests on and what it leads to. Without\n"
		   "--repair nothing is written, and exit 8 says that there is a warning or an\n"
		   "error.",
	.run = run,
};
