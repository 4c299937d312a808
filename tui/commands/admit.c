/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `slipway admit`: proves to a server who this machine is and what was started on it, or takes a
 * token to it, and gets the node's configuration overlay for that. The same program and the same
 * words on the node.
 */
#include <inttypes.h>
#include <string.h>

#include "admission/attest.h"
#include "admission/overlay.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/secret.h"
#include "rescue/admit.h"
#include "tui/commands/admit-config.h"
#include "tui/commands/list.h"

enum { OPT_SAVE = 310, OPT_DRY_RUN, OPT_WAIT, OPT_NO_LOG, OPT_PREFLIGHT, OPT_CLOCK };

#define WAIT_S 60U
#define PREFLIGHT_WAIT_S 10U
#define WAIT_MAX_S 86400U
#define LOG_MAX ((size_t)4 << 20)

struct admit {
	const struct sw_cli *cli;
	struct sw_machine *m;
	struct sw_admit_list list;
	struct sw_admitting run;
	json_object *done;		/* what was said of each that is done */
	struct sw_buf log;
	struct sw_overlay *overlay;
};

static void admit_clear(struct admit *a)
{
	sw_admitting_clear(&a->run);
	sw_buf_clear(&a->log);
	sw_overlay_free(a->overlay);
	sw_admit_list_clear(&a->list);
	json_object_put(a->done);
	sw_machine_free(a->m);
}

/* ---- what goes in ---- */

/* A log that was named must be there; a machine's own may be missing. */
static int read_log(struct admit *a, struct sw_error *err)
{
	const char *file = sw_arg(&a->cli->args, 'l');
	int r;

	if (sw_arg(&a->cli->args, OPT_NO_LOG))
		return 0;
	if (!file) {
		sw_admit_own_log(a->m, &a->log);
		return 0;
	}
	a->log.max = LOG_MAX;
	r = sw_file_read(file, &a->log);
	if (r == 0)
		return 0;
	sw_fail_errno(err, SW_EXIT_MISSING, r, "the event log cannot be read");
	sw_error_where(err, "%s", file);
	return r;
}

static int read_wait(const struct sw_cli *cli, unsigned int *ret_s, struct sw_error *err)
{
	const char *text = sw_arg(&cli->args, OPT_WAIT);
	char *end = NULL;
	unsigned long n = text				     ? strtoul(text, &end, 10)
			  : sw_arg(&cli->args, OPT_PREFLIGHT) ? PREFLIGHT_WAIT_S : WAIT_S;

	if (text && (end == text || *end || *text == '-' || n > WAIT_MAX_S)) {
		sw_fail(err, SW_EXIT_USAGE, -EINVAL, "--wait is a number of seconds, up to 86400");
		return -EINVAL;
	}
	*ret_s = (unsigned int)n;
	return 0;
}

/* ---- what is said ---- */

/* by: NULL before the exchange. */
static json_object *head_json(const struct admit *a, const struct sw_admit_config *c,
			      const struct sw_admitted_by *by)
{
	static const struct sw_admitted_by nothing;
	json_object *o = json_object_new_object();

	sw_json_add_str(o, "kind", c->profile->kind);
	sw_json_add_str(o, "url", c->url);
	sw_json_add_str(o, "url_from", c->from);
	if (c->profile->needs_tpm)
		sw_json_add_str(o, "node_id", sw_identity_ek(a->run.id)->id);
	sw_json_add_bool(o, "pinned", sw_admit_is_pinned(c));
	sw_json_add_str(o, "believes", sw_admit_trust_text(c));
	sw_json_add(o, "warnings", sw_admit_warnings(c, by ? by : &nothing));
	if (!c->profile->needs_tpm)
		return o;
	sw_json_add_str(o, "allows", sw_attest_protocol_name(c->protocol));
	if (!by || by->used == SW_ATTEST_AUTO)
		return o;
	sw_json_add_str(o, "protocol", sw_attest_protocol_name(by->used));
	sw_json_add_bool(o, "fell_back", sw_admitted_fell_back(by));
	return o;
}

static void print_exchange(const struct sw_admit_config *c, const struct sw_admitted_by *by)
{
	if (!by || by->used == SW_ATTEST_AUTO)
		printf("Exchange  %s\n", sw_attest_protocol_text(c->protocol));
	else
		printf("Exchange  %s%s\n", sw_attest_protocol_name(by->used),
		       sw_admitted_fell_back(by) ? ", as the server has no other" : "");
}

static void print_head(const struct admit *a, const struct sw_admit_config *c,
		       const struct sw_admitted_by *by)
{
	printf("Server    %s (from %s)\n", c->url, c->from);
	printf("Believed  by %s\n", sw_admit_trust_text(c));
	if (c->profile->needs_tpm) {
		print_exchange(c, by);
		printf("Node id   %s\n", sw_identity_ek(a->run.id)->id);
	} else {
		printf("Kind      %s\n", c->profile->kind);
	}
}

static json_object *parts_json(const struct sw_attest_request *q)
{
	json_object *list = json_object_new_array();

	for (size_t i = 0; i < q->n_parts; i++) {
		json_object *p = json_object_new_object();

		sw_json_add_str(p, "name", q->part[i].name);
		sw_json_add_u64(p, "bytes", q->part[i].len);
		json_object_array_add(list, p);
	}
	return list;
}

static int say_request(const struct admit *a, const struct sw_admit_config *c,
		       const struct sw_attest_request *q, struct sw_error *err)
{
	_cleanup_json_ json_object *o = head_json(a, c, NULL);
	char name[4 + SW_SHA256_TEXT] = "000b";	/* TPM_ALG_SHA256 */
	size_t len;
	const uint8_t *ak = sw_identity_ak(a->run.id, &len);

	if (sw_sha256(ak, len, name + 4) < 0)
		return sw_fail_oom(err);
	sw_json_add_str(o, "ak_name", name);
	sw_json_add(o, "parts", parts_json(q));
	sw_json_add_bool(o, "sent", false);
	if (a->cli->json) {
		sw_print_json(o);
		return 0;
	}
	print_head(a, c, NULL);
	printf("AK name   %s\n", name);
	for (size_t i = 0; i < q->n_parts; i++)
		printf("  %-9s %zu bytes\n", q->part[i].name, q->part[i].len);
	printf("Nothing was sent.\n");
	return 0;
}

static void print_overlay(const struct admit *a)
{
	const struct sw_overlay *o = a->overlay;
	const char *dir = a->cli->args.n_rest ? a->cli->args.rest[0] : NULL;
	const char *file = sw_arg(&a->cli->args, OPT_SAVE);

	for (size_t i = 0; i < o->n; i++)
		printf("  %06o %8" PRIu64 " %s%s%s\n", o->items[i].mode & 07777, o->items[i].size,
		       o->items[i].path, o->items[i].link ? " -> " : "",
		       o->items[i].link ? o->items[i].link : "");
	printf("Admitted: an overlay of %zu entries, %" PRIu64 " bytes", o->n, o->bytes);
	if (dir)
		printf(", unpacked into %s", dir);
	if (file)
		printf(", kept in %s", file);
	printf("%s\n", dir || file ? "" : "; neither DIR nor --save was given, so it is dropped");
}

/* What is said of one of several: it is in a list, and the overlay is that of all. */
static void say_overlay(struct admit *a)
{
	const bool one = json_object_array_length(a->done) == 1;
	_cleanup_json_ json_object *o = one ? json_object_get(json_object_array_get_idx(a->done, 0))
					    : json_object_new_object();
	json_object *ov = json_object_new_object();

	if (!a->cli->json) {
		json_object_put(ov);
		print_overlay(a);
		return;
	}
	if (!one)
		sw_json_add(o, "admissions", json_object_get(a->done));
	sw_json_add_bool(o, "sent", true);
	sw_json_add_str(ov, "sha256", a->run.sha256);
	sw_json_add_u64(ov, "entries", a->overlay->n);
	sw_json_add_u64(ov, "bytes", a->overlay->bytes);
	if (a->cli->args.n_rest)
		sw_json_add_str(ov, "directory", a->cli->args.rest[0]);
	sw_json_add_str(ov, "file", sw_arg(&a->cli->args, OPT_SAVE));
	sw_json_add(o, "overlay", ov);
	sw_print_json(o);
}

/* ---- what is done ---- */

/* Before anything is sent: what would fail afterwards anyway. */
static int check_places(const struct sw_cli *cli, struct sw_error *err)
{
	if (cli->args.n_rest == 0 || access(cli->args.rest[0], F_OK) < 0)
		return 0;
	sw_fail(err, SW_EXIT_FAILED, -EEXIST, "the overlay needs a new directory");
	sw_error_where(err, "%s", cli->args.rest[0]);
	sw_error_why(err, "it is there already");
	sw_error_hint(err, "name another, or remove it");
	return -EEXIST;
}

static int keep(struct admit *a, struct sw_error *err)
{
	const char *file = sw_arg(&a->cli->args, OPT_SAVE);
	int r = a->cli->args.n_rest
			? sw_overlay_unpack(a->run.tar.data, a->run.tar.len, a->cli->args.rest[0],
					    &a->overlay, err)
			: sw_overlay_list(a->run.tar.data, a->run.tar.len, &a->overlay, err);

	if (r < 0 || !file)
		return r;
	r = sw_file_write(file, a->run.tar.data, a->run.tar.len, 0600);
	if (r < 0) {
		sw_fail_errno(err, SW_EXIT_FAILED, r, "the overlay cannot be kept");
		sw_error_where(err, "%s", file);
	}
	return r;
}

static void on_event(const struct sw_event *ev, void *userdata)
{
	const struct sw_cli *cli = userdata;

	if (ev->type == SW_EVENT_LOG && !cli->json)
		fprintf(stderr, "%s\n", ev->text);
}

/* What a token that is used up has bought must not be dropped. */
static int check_kept(const struct admit *a, struct sw_error *err)
{
	bool once = false;

	for (size_t i = 0; i < a->list.n; i++)
		once = once || a->list.v[i].profile->once;
	if (!once || a->cli->args.n_rest || sw_arg(&a->cli->args, OPT_SAVE) ||
	    sw_arg(&a->cli->args, OPT_DRY_RUN))
		return 0;
	sw_fail(err, SW_EXIT_USAGE, -EINVAL, "the node's new key would be dropped");
	sw_error_why(err, "the token counts once, and neither DIR nor --save was given");
	sw_error_hint(err, "give --save FILE");
	return -EINVAL;
}

/* ---- what the admission asks and tells while it goes on ---- */

static int token(struct sw_admit_config *c, struct sw_secret **ret_token, void *userdata,
		 struct sw_error *err)
{
	struct admit *a = userdata;

	return sw_admit_token(a->cli, a->m, c, ret_token, err);
}

static void done(const struct sw_admit_config *c, const struct sw_admitted_by *by, void *userdata)
{
	struct admit *a = userdata;

	json_object_array_add(a->done, head_json(a, c, by));
	if (!a->cli->json)
		print_head(a, c, by);
}

static int say_dry(const struct admit *a, const struct sw_admit_config *c)
{
	_cleanup_json_ json_object *o = head_json(a, c, NULL);

	sw_json_add_bool(o, "sent", false);
	if (a->cli->json) {
		sw_print_json(o);
		return 0;
	}
	print_head(a, c, NULL);
	printf("Nothing was sent.\n");
	return 0;
}

static int dry_run(const struct sw_admit_config *c, const struct sw_admit_ask *ask,
		   void *userdata, struct sw_error *err)
{
	/* Nobody was asked for a nonce: one of zeros stands for it. */
	static const struct sw_offer none;
	_cleanup_request_ struct sw_attest_request q = {};
	const bool plain = ask->attest->protocol == SW_ATTEST_PLAIN;
	struct admit *a = userdata;
	int r;

	if (!c->profile->needs_tpm)
		return say_dry(a, c);
	r = sw_attest_prepare(ask->attest, a->run.id, plain ? NULL : &none, &q, err);
	return r == 0 ? say_request(a, c, &q, err) : r;
}

/* What was gained is kept, also when a later one fails. */
static int finish(struct admit *a, int r, struct sw_error *err)
{
	struct sw_error e = {};
	int k = a->run.tar.len ? keep(a, &e) : 0;

	if (k < 0 && r == 0 && err)
		*err = e;
	if (r == 0)
		r = k;
	sw_admit_note(&a->run, r < 0 ? err : NULL);
	if (a->overlay)
		say_overlay(a);
	return r;
}

static int admit_all(struct admit *a, unsigned int wait_s, struct sw_error *err)
{
	const struct sw_sink sink = { .fn = on_event, .userdata = (void *)(uintptr_t)a->cli };
	const bool dry = sw_arg(&a->cli->args, OPT_DRY_RUN);
	int r = check_kept(a, err);

	if (r < 0)
		return r;
	a->done = json_object_new_array();
	a->run = (struct sw_admitting){ .m = a->m, .list = &a->list, .log = a->log.data,
					.log_len = a->log.len, .wait_s = wait_s, .sink = &sink,
					.sets_clock = sw_arg(&a->cli->args, OPT_CLOCK) != NULL,
					.token = token, .done = done,
					.dry = dry ? dry_run : NULL, .userdata = a };
	r = sw_admit_all(&a->run, err);
	return dry ? r : finish(a, r, err);
}

/* A table in any case; and an error besides when somebody has to do something. */
static int preflight(struct admit *a, const struct sw_admit_config *c, unsigned int wait_s,
		     struct sw_error *err)
{
	_cleanup_free_ struct sw_preflight_seen *seen = calloc(1, sizeof(*seen));
	_cleanup_free_ struct sw_preflight *p = calloc(1, sizeof(*p));
	_cleanup_buf_ struct sw_buf text = {};
	int r = seen && p ? sw_admit_preflight(a->m, c, wait_s, seen, p, err) : sw_fail_oom(err);

	if (r < 0)
		return r;
	if (a->cli->json) {
		_cleanup_json_ json_object *o = sw_preflight_to_json(p, seen);

		sw_json_add_str(o, "url", c->url);
		sw_json_add_str(o, "url_from", c->from);
		sw_print_json(o);
	} else if (sw_preflight_text(p, &text) == 0) {
		printf("Server  %s (from %s)\n%s", c->url, c->from, sw_buf_text(&text));
	}
	return sw_preflight_result(p, seen, err);
}

static int preflight_all(struct admit *a, unsigned int wait_s, struct sw_error *err)
{
	struct sw_error ignored;
	int r = 0;

	for (size_t i = 0; i < a->list.n; i++) {
		int k;

		ignored = (struct sw_error){};
		k = preflight(a, &a->list.v[i], wait_s, r == 0 ? err : &ignored);
		r = r == 0 ? k : r;
	}
	return r;
}

static int check_options(const struct sw_cli *cli, struct sw_error *err)
{
	if (!sw_arg(&cli->args, OPT_PREFLIGHT) ||
	    (cli->args.n_rest == 0 && !sw_arg(&cli->args, OPT_SAVE) &&
	     !sw_arg(&cli->args, OPT_DRY_RUN)))
		return check_places(cli, err);
	sw_fail(err, SW_EXIT_USAGE, -EINVAL, "--preflight gets no overlay");
	sw_error_hint(err, "leave out DIR, --save and --dry-run");
	return -EINVAL;
}

static int run(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_(admit_clear) struct admit a = { .cli = cli };
	unsigned int wait_s = 0;
	int r = read_wait(cli, &wait_s, err);

	/* The overlay is as secret as a token, and in no memory of its own. */
	sw_secret_guard();
	if (r == 0)
		r = check_options(cli, err);
	if (r == 0)
		r = sw_cli_machine(cli, &a.m, err);
	if (r == 0)
		r = sw_admit_config_read(cli, a.m, &a.list, err);
	if (r == 0 && sw_arg(&cli->args, OPT_PREFLIGHT))
		return preflight_all(&a, wait_s, err);
	if (r == 0)
		r = read_log(&a, err);
	return r == 0 ? admit_all(&a, wait_s, err) : r;
}

static const struct sw_opt opts[] = {
	SW_ADMIT_CONFIG_OPTS,
	{ OPT_SAVE, "save", "FILE", "keep the overlay's tar, for promote --overlay" },
	{ OPT_PREFLIGHT, "preflight", NULL, "see whether it would work, tell nothing" },
	{ OPT_WAIT, "wait", "SECONDS", "go on trying for so long (default: 60)" },
	{ OPT_CLOCK, "set-clock", NULL, "set a clock that makes the server look bad, try again" },
	{ 'l', "log", "FILE", "a saved event log (default: this machine's)" },
	{ OPT_NO_LOG, "no-log", NULL, "send no event log" },
	{ OPT_DRY_RUN, "dry-run", NULL, "say what would be sent to whom, and send nothing" },
	{ 0, NULL, NULL, NULL },
};

const struct sw_command sw_command_admit = {
	.name = "admit",
	.summary = "Have this machine admitted to its cluster; get the node's overlay for that",
	.operands = "[DIR]",
	.max_rest = 1,
	.opts = opts,
	.details = "The server is that of --url or --answers, else of the node data, else of\n"
		   "ember.attest_url= on the kernel's command line. The overlay is unpacked into\n"
		   "DIR, which must not exist, whole or not at all. What another try can mend is\n"
		   "tried again; a refusal is not. Several admissions are done in order, and\n"
		   "their overlays become one. A token comes from --token, from the answers'\n"
		   "admission.tokenfile, or is asked for; it is never an argument.",
	.run = run,
};
