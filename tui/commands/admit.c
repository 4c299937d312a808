/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `slipway admit`: proves to a server who this machine is and what was started on it, and gets
 * the node's configuration overlay for that. The same program and the same words on the node.
 */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "admission/attest.h"
#include "admission/admitted.h"
#include "admission/preflight.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "tui/commands/admit-config.h"
#include "tui/commands/list.h"

enum { OPT_SAVE = 310, OPT_DRY_RUN, OPT_WAIT, OPT_NO_LOG, OPT_PREFLIGHT };

#define WAIT_S 60U
#define PREFLIGHT_WAIT_S 10U
#define WAIT_MAX_S 86400U
#define LOG_MAX ((size_t)4 << 20)

struct admit {
	const struct sw_cli *cli;
	struct sw_machine *m;
	struct sw_admit_config config;
	struct sw_identity *id;
	struct sw_buf log, tar;
	char sha256[SW_SHA256_TEXT];	/* of tar */
	struct sw_overlay *overlay;
};

static void admit_clear(struct admit *a)
{
	sw_identity_free(a->id);
	if (a->tar.data)
		explicit_bzero(a->tar.data, a->tar.len);
	sw_buf_clear(&a->tar);
	sw_buf_clear(&a->log);
	sw_overlay_free(a->overlay);
	sw_admit_config_clear(&a->config);
	sw_machine_free(a->m);
}

/* ---- what goes in ---- */

/* A log that was named must be there; a machine's own may be missing. */
static int read_log(struct admit *a, struct sw_error *err)
{
	const char *file = sw_arg(&a->cli->args, 'l');
	_cleanup_free_ char *own = file ? NULL : sw_machine_tpm_log(a->m);
	int r;

	if (sw_arg(&a->cli->args, OPT_NO_LOG) || (!file && !own))
		return 0;
	a->log.max = LOG_MAX;
	r = sw_file_read(file ? file : own, &a->log);
	if (r == 0 || !file) {
		if (r < 0)
			sw_buf_clear(&a->log);
		return 0;
	}
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

static int open_tpm(struct admit *a, struct sw_error *err)
{
	const char *tcti;
	int r = sw_machine_tcti(a->m, &tcti, err);

	return r == 0 ? sw_identity_open(tcti, false, &a->id, err) : r;
}

/* ---- what is said ---- */

static json_object *head_json(const struct admit *a)
{
	json_object *o = json_object_new_object();

	sw_json_add_str(o, "url", a->config.url);
	sw_json_add_str(o, "url_from", a->config.from);
	sw_json_add_str(o, "node_id", sw_identity_ek(a->id)->id);
	sw_json_add_bool(o, "pinned", a->config.ca || a->config.pin[0]);
	sw_json_add_str(o, "believes", sw_admit_trust_text(&a->config));
	return o;
}

static void print_head(const struct admit *a)
{
	printf("Server    %s (from %s)\n", a->config.url, a->config.from);
	printf("Believed  by %s\n", sw_admit_trust_text(&a->config));
	printf("Node id   %s\n", sw_identity_ek(a->id)->id);
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

static int say_request(const struct admit *a, const struct sw_attest_request *q,
		       struct sw_error *err)
{
	_cleanup_json_ json_object *o = head_json(a);
	char name[4 + SW_SHA256_TEXT] = "000b";	/* TPM_ALG_SHA256 */
	size_t len;
	const uint8_t *ak = sw_identity_ak(a->id, &len);

	if (sw_sha256(ak, len, name + 4) < 0)
		return sw_fail_oom(err);
	sw_json_add_str(o, "ak_name", name);
	sw_json_add(o, "parts", parts_json(q));
	sw_json_add_bool(o, "sent", false);
	if (a->cli->json) {
		sw_print_json(o);
		return 0;
	}
	print_head(a);
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

static void say_overlay(const struct admit *a)
{
	_cleanup_json_ json_object *o = head_json(a), *ov = json_object_new_object();

	if (!a->cli->json) {
		print_head(a);
		print_overlay(a);
		return;
	}
	sw_json_add_bool(o, "sent", true);
	sw_json_add_str(ov, "sha256", a->sha256);
	sw_json_add_u64(ov, "entries", a->overlay->n);
	sw_json_add_u64(ov, "bytes", a->overlay->bytes);
	if (a->cli->args.n_rest)
		sw_json_add_str(ov, "directory", a->cli->args.rest[0]);
	sw_json_add_str(ov, "file", sw_arg(&a->cli->args, OPT_SAVE));
	sw_json_add(o, "overlay", json_object_get(ov));
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
			? sw_overlay_unpack(a->tar.data, a->tar.len, a->cli->args.rest[0],
					    &a->overlay, err)
			: sw_overlay_list(a->tar.data, a->tar.len, &a->overlay, err);

	if (r < 0 || !file)
		return r;
	r = sw_file_write(file, a->tar.data, a->tar.len, 0600);
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

static int attest(struct admit *a, unsigned int wait_s, struct sw_error *err)
{
	const struct sw_sink sink = { .fn = on_event, .userdata = (void *)(uintptr_t)a->cli };
	const struct sw_attest how = { .url = a->config.url, .trust = sw_admit_trust(&a->config),
				       .log = a->log.data, .log_len = a->log.len,
				       .patience_s = wait_s, .sink = &sink };
	_cleanup_request_ struct sw_attest_request q = {};
	int r = open_tpm(a, err);

	if (r < 0)
		return r;
	if (sw_arg(&a->cli->args, OPT_DRY_RUN)) {
		r = sw_attest_prepare(&how, a->id, time(NULL), &q, err);
		return r == 0 ? say_request(a, &q, err) : r;
	}
	r = sw_attest_run(&how, a->id, &a->tar, err);
	if (r == 0 && sw_sha256(a->tar.data, a->tar.len, a->sha256) < 0)
		r = sw_fail_oom(err);
	if (r == 0)
		r = keep(a, err);
	/* For the status; what was done is done, whether it can be noted or not. */
	(void)sw_admitted_note(a->m, a->config.url, r < 0 ? NULL : a->sha256,
			       r < 0 ? err : NULL);
	if (r == 0)
		say_overlay(a);
	return r;
}

/* A table in any case; and an error besides when somebody has to do something. */
static int preflight(struct admit *a, unsigned int wait_s, struct sw_error *err)
{
	const struct sw_preflight_ask ask = { .url = a->config.url, .timeout_s = wait_s,
					      .trust = sw_admit_trust(&a->config) };
	_cleanup_free_ struct sw_preflight_seen *seen = calloc(1, sizeof(*seen));
	_cleanup_free_ struct sw_preflight *p = calloc(1, sizeof(*p));
	_cleanup_buf_ struct sw_buf text = {};
	int r;

	if (!seen || !p)
		return sw_fail_oom(err);
	r = sw_preflight_look(a->m, &ask, seen, err);
	if (r < 0)
		return r;
	sw_preflight_judge(seen, p);
	if (a->cli->json) {
		_cleanup_json_ json_object *o = sw_preflight_to_json(p, seen);

		sw_json_add_str(o, "url", a->config.url);
		sw_json_add_str(o, "url_from", a->config.from);
		sw_print_json(o);
	} else if (sw_preflight_text(p, &text) == 0) {
		printf("Server  %s (from %s)\n%s", a->config.url, a->config.from,
		       sw_buf_text(&text));
	}
	return sw_preflight_result(p, seen, err);
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

	a.tar.max = (size_t)SW_OVERLAY_MAX_BYTES + 64;
	if (r == 0)
		r = check_options(cli, err);
	if (r == 0)
		r = sw_cli_machine(cli, &a.m, err);
	if (r == 0)
		r = sw_admit_config_read(cli, a.m, &a.config, err);
	if (r == 0 && sw_arg(&cli->args, OPT_PREFLIGHT))
		return preflight(&a, wait_s, err);
	if (r == 0)
		r = read_log(&a, err);
	return r == 0 ? attest(&a, wait_s, err) : r;
}

static const struct sw_opt opts[] = {
	SW_ADMIT_CONFIG_OPTS,
	{ OPT_SAVE, "save", "FILE", "keep the overlay's tar, for promote --overlay" },
	{ OPT_PREFLIGHT, "preflight", NULL, "see whether it would work, tell nothing" },
	{ OPT_WAIT, "wait", "SECONDS", "go on trying for so long (default: 60)" },
	{ 'l', "log", "FILE", "a saved event log (default: this machine's)" },
	{ OPT_NO_LOG, "no-log", NULL, "send no event log" },
	{ OPT_DRY_RUN, "dry-run", NULL, "say what would be sent to whom, and send nothing" },
	{ 0, NULL, NULL, NULL },
};

const struct sw_command sw_command_admit = {
	.name = "admit",
	.summary = "Attest this machine to its server and get the node's configuration overlay",
	.operands = "[DIR]",
	.max_rest = 1,
	.opts = opts,
	.details = "The server is that of --url or --answers, else of the node data, else of\n"
		   "ember.attest_url= on the kernel's command line. The overlay is unpacked into\n"
		   "DIR, which must not exist, whole or not at all. What another try can mend is\n"
		   "tried again; a refusal is not.",
	.run = run,
};
