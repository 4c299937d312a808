/* SPDX-License-Identifier: Apache-2.0 */
/* `slipway tpm pcrs`: the values that the TPM holds, and which measured events made them. */
#include <string.h>

#include "base/hex.h"
#include "base/json.h"
#include "boot/measured.h"
#include "tpm/pcrs.h"
#include "tui/commands/common.h"
#include "tui/commands/list.h"
#include "tui/commands/tpm-log.h"

struct view {
	const struct sw_cli *cli;
	struct sw_tpm_pcrs now;
	struct sw_eventlog *log;	/* NULL: there is none */
	uint32_t mask;
};

static void view_clear(struct view *v)
{
	sw_eventlog_free(v->log);
}

/* Of one bank: what the log leads to. */
struct replayed {
	bool known;		/* the log has the bank */
	size_t bank;
	struct sw_pcrs pcrs;
};

static int replay(const struct view *v, const struct sw_tpm_bank *b, struct replayed *ret,
		  struct sw_error *err)
{
	const char *name = sw_tpm_alg_name(b->alg);
	int bank = v->log ? sw_eventlog_bank(v->log, name) : -ENOENT;

	*ret = (struct replayed){ .known = bank >= 0 };
	if (bank < 0)
		return 0;
	ret->bank = (size_t)bank;
	return sw_eventlog_replay(v->log, ret->bank, &ret->pcrs, err);
}

static bool made(const struct sw_log_event *e, unsigned int pcr)
{
	return e->pcr == pcr && e->type != SW_EV_NO_ACTION;
}

static size_t count_events(const struct view *v, unsigned int pcr)
{
	size_t n = 0;

	for (size_t i = 0; v->log && i < v->log->n_events; i++)
		n += made(&v->log->events[i], pcr);
	return n;
}

static bool is_explained(const struct sw_tpm_bank *b, unsigned int pcr, const struct replayed *r)
{
	return r->known && memcmp(b->value[pcr], r->pcrs.value[pcr], b->size) == 0;
}

static const char *verdict(const struct sw_tpm_bank *b, unsigned int pcr, const struct replayed *r,
			   size_t events)
{
	if (!r->known)
		return "not in the log";
	if (!is_explained(b, pcr, r))
		return events ? "not what the log leads to" : "measured, and not in the log";
	return events ? "as the log says" : "nothing was measured";
}

/* ---- text ---- */

static int print_events(const struct view *v, unsigned int pcr, struct sw_error *err)
{
	char text[16];

	if (count_events(v, pcr))
		printf("PCR %u was made by\n", pcr);
	for (size_t i = 0; v->log && i < v->log->n_events; i++) {
		const struct sw_log_event *e = &v->log->events[i];
		_cleanup_free_ char *words = made(e, pcr) ? sw_event_describe(e) : NULL;

		if (!made(e, pcr))
			continue;
		if (!words)
			return sw_fail_oom(err);
		printf("  %-32s %s\n", sw_event_type_text(e->type, text), words);
	}
	return 0;
}

static void print_bank(const struct view *v, const struct sw_tpm_bank *b,
		       const struct replayed *rep)
{
	char hex[SW_HEX_TEXT];

	for (unsigned int i = 0; i < SW_PCRS; i++) {
		size_t n = count_events(v, i);

		if (!b->has[i] || !(v->mask & 1U << i))
			continue;
		printf("%s %2u %s", sw_tpm_alg_name(b->alg), i, sw_hex(b->value[i], b->size, hex));
		if (v->log)
			printf("  %s", verdict(b, i, rep, n));
		if (v->log && n)
			printf(" (%zu event%s)", n, n == 1 ? "" : "s");
		printf("\n");
	}
}

/* ---- JSON ---- */

static json_object *events_json(const struct view *v, unsigned int pcr)
{
	json_object *list = json_object_new_array();
	char text[16];

	for (size_t i = 0; i < v->log->n_events; i++) {
		const struct sw_log_event *e = &v->log->events[i];
		_cleanup_free_ char *words = made(e, pcr) ? sw_event_describe(e) : NULL;
		json_object *o;

		if (!words)
			continue;
		o = json_object_new_object();
		sw_json_add_u64(o, "record", i + 1);
		sw_json_add_str(o, "type", sw_event_type_text(e->type, text));
		sw_json_add_str(o, "text", words);
		json_object_array_add(list, o);
	}
	return list;
}

static json_object *bank_json(const struct view *v, const struct sw_tpm_bank *b,
			      const struct replayed *rep)
{
	json_object *all = json_object_new_object();
	char hex[SW_HEX_TEXT], key[4];

	for (unsigned int i = 0; i < SW_PCRS; i++) {
		json_object *o;

		if (!b->has[i] || !(v->mask & 1U << i))
			continue;
		o = json_object_new_object();
		sw_json_add_str(o, "value", sw_hex(b->value[i], b->size, hex));
		if (rep->known) {
			sw_json_add_str(o, "log", sw_hex(rep->pcrs.value[i], b->size, hex));
			sw_json_add_bool(o, "explained", is_explained(b, i, rep));
			sw_json_add(o, "events", events_json(v, i));
		}
		(void)snprintf(key, sizeof(key), "%u", i);
		sw_json_add(all, key, o);
	}
	return all;
}

/* ---- the command ---- */

/* A machine without a log has PCRs all the same; a log that was named must be there. */
static int open_log(struct view *v, struct sw_machine *m, struct sw_error *err)
{
	const char *file = sw_arg(&v->cli->args, 'l');
	_cleanup_free_ char *path = sw_machine_tpm_log(m);
	int r;

	if (!file && (!path || m->kind != SW_MACHINE_REAL))
		return 0;
	r = sw_eventlog_read(file ? file : path, &v->log, file ? err : NULL);
	return file ? r : 0;
}

static int no_bank(const struct view *v, const char *name, struct sw_error *err)
{
	_cleanup_buf_ struct sw_buf known = { .max = 200 };

	for (size_t i = 0; i < v->now.n_banks; i++)
		(void)sw_buf_addf(&known, "%s%s", i ? ", " : "",
				  sw_tpm_alg_name(v->now.bank[i].alg));
	sw_fail(err, SW_EXIT_USAGE, -ENOENT, "the TPM keeps no bank \"%s\"", name);
	sw_error_hint(err, "it has %s", v->now.n_banks ? sw_buf_text(&known) : "none");
	return -ENOENT;
}

static bool has_bank(const struct view *v, const char *name)
{
	for (size_t i = 0; i < v->now.n_banks; i++)
		if (strcmp(sw_tpm_alg_name(v->now.bank[i].alg), name) == 0)
			return true;
	return false;
}

static int show(const struct view *v, struct sw_error *err)
{
	const char *only = sw_arg(&v->cli->args, 'b');
	_cleanup_json_ json_object *all = json_object_new_object();
	int r = only && !has_bank(v, only) ? no_bank(v, only, err) : 0;

	for (size_t i = 0; i < v->now.n_banks && r == 0; i++) {
		const struct sw_tpm_bank *b = &v->now.bank[i];
		const char *name = sw_tpm_alg_name(b->alg);
		struct replayed rep;

		if (only && strcmp(name, only) != 0)
			continue;
		r = replay(v, b, &rep, err);
		if (r == 0 && v->cli->json)
			sw_json_add(all, name, bank_json(v, b, &rep));
		else if (r == 0)
			print_bank(v, b, &rep);
	}
	/* Those of all PCRs are `tpm log`. */
	for (unsigned int i = 0; i < SW_PCRS && r == 0 && !v->cli->json; i++)
		if (v->mask != SW_ALL_PCRS && v->mask & 1U << i)
			r = print_events(v, i, err);
	if (r == 0 && v->cli->json)
		sw_print_json(all);
	return r;
}

static int run(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_(view_clear) struct view v = { .cli = cli };
	_cleanup_machine_ struct sw_machine *m = NULL;
	const char *tcti;
	int r = sw_cli_pcrs(cli, 0, &v.mask, err);

	if (r == 0)
		r = sw_cli_machine(cli, &m, err);
	if (r == 0)
		r = sw_machine_tcti(m, &tcti, err);
	if (r == 0)
		r = sw_tpm_read_pcrs(tcti, &v.now, err);
	if (r == 0)
		r = open_log(&v, m, err);
	return r == 0 ? show(&v, err) : r;
}

static const struct sw_opt opts[] = {
	{ 'l', "log", "FILE", "a saved log (default: this machine's)" },
	{ 'b', "bank", "HASH", "only this bank: sha1, sha256, sha384 ..." },
	{ 0, NULL, NULL, NULL },
};

const struct sw_command sw_command_tpm_pcrs = {
	.name = "tpm pcrs",
	.summary = "Show the PCRs of the TPM as they are, and what made them so",
	.operands = "[PCR...]",
	.max_rest = -1,
	.opts = opts,
	.details = "Each value is compared with what the event log leads to. With PCRs named,\n"
		   "the events that made these are listed. What is measured after the firmware\n"
		   "has handed over is not in its log: such a PCR has more than the log says.",
	.run = run,
};
