/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `slipway tpm log`, `tpm replay`, `tpm explain`: the firmware's measured-boot
 * log, the PCR values that follow from it, and which event made which.
 */
#include <string.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/json.h"
#include "tui/commands/common.h"
#include "tui/commands/list.h"
#include "tui/commands/tpm-log.h"

int sw_cli_eventlog(const struct sw_cli *cli, const char *file, struct sw_eventlog **ret_log,
		    struct sw_error *err)
{
	_cleanup_machine_ struct sw_machine *m = NULL;
	_cleanup_free_ char *path = NULL;
	int r;

	if (file)
		return sw_eventlog_read(file, ret_log, err);
	r = sw_cli_machine(cli, &m, err);
	if (r < 0)
		return r;
	path = sw_machine_tpm_log(m);
	if (!path || m->kind != SW_MACHINE_REAL) {
		sw_fail(err, SW_EXIT_MISSING, -ENOENT, "this machine keeps no event log");
		sw_error_hint(err, "--log FILE reads one from a file");
		return -ENOENT;
	}
	r = sw_eventlog_read(path, ret_log, err);
	if (r == -ENOENT)
		sw_error_hint(err, "there is no TPM, or securityfs is not mounted at "
				   "/sys/kernel/security; --log FILE reads a saved log");
	return r;
}

int sw_cli_bank(const struct sw_cli *cli, const struct sw_eventlog *l, struct sw_error *err)
{
	const char *name = sw_arg(&cli->args, 'b');
	_cleanup_buf_ struct sw_buf known = { .max = 200 };
	int r = sw_eventlog_bank(l, name ? name : "sha256");

	if (r >= 0 || !name)
		return r >= 0 ? r : 0;
	for (size_t i = 0; i < l->n_banks; i++) {
		const char *n = sw_tpm_alg_name(l->bank[i].alg);

		(void)sw_buf_addf(&known, "%s%s", i ? ", " : "", n ? n : "an unknown one");
	}
	sw_fail(err, SW_EXIT_USAGE, -ENOENT, "the log has no bank \"%s\"", name);
	sw_error_hint(err, "it has %s", sw_buf_text(&known));
	return -ENOENT;
}

/* ---- tpm replay ---- */

static json_object *pcrs_json(const struct sw_pcrs *p)
{
	json_object *o = json_object_new_object();
	char hex[SW_HEX_TEXT], key[4];

	for (unsigned int i = 0; i < SW_PCRS; i++) {
		if (!p->used[i])
			continue;
		(void)snprintf(key, sizeof(key), "%u", i);
		sw_json_add_str(o, key, sw_hex(p->value[i], p->size, hex));
	}
	return o;
}

static void print_pcrs(const char *bank, const struct sw_pcrs *p)
{
	char hex[SW_HEX_TEXT];

	for (unsigned int i = 0; i < SW_PCRS; i++)
		if (p->used[i])
			printf("%s %2u %s\n", bank, i, sw_hex(p->value[i], p->size, hex));
}

static int replay_banks(const struct sw_cli *cli, const struct sw_eventlog *l, json_object *all,
			struct sw_error *err)
{
	const char *only = sw_arg(&cli->args, 'b');
	int chosen = only ? sw_cli_bank(cli, l, err) : 0;

	if (chosen < 0)
		return chosen;
	for (size_t b = 0; b < l->n_banks; b++) {
		const char *name = sw_tpm_alg_name(l->bank[b].alg);
		struct sw_pcrs pcrs;
		int r;

		if (!name || (only && b != (size_t)chosen))
			continue;
		r = sw_eventlog_replay(l, b, &pcrs, err);
		if (r < 0)
			return r;
		if (cli->json)
			sw_json_add(all, name, pcrs_json(&pcrs));
		else
			print_pcrs(name, &pcrs);
	}
	return 0;
}

static int run_replay(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_eventlog_ struct sw_eventlog *l = NULL;
	_cleanup_json_ json_object *all = json_object_new_object();
	int r = sw_cli_eventlog(cli, sw_arg(&cli->args, 'l'), &l, err);

	if (r == 0)
		r = replay_banks(cli, l, all, err);
	if (r == 0 && cli->json)
		sw_print_json(all);
	return r;
}

/* ---- tpm log ---- */

const char *sw_event_type_text(uint32_t type, char text[static 16])
{
	const char *name = sw_event_type_name(type);

	if (name)
		return name;
	(void)snprintf(text, 16, "type %08x", type);
	return text;
}

static json_object *event_json(const struct sw_eventlog *l, const struct sw_log_event *e,
			       const char *words)
{
	json_object *o = json_object_new_object(), *digests = json_object_new_object();
	char hex[SW_HEX_TEXT], text[16];

	sw_json_add_u64(o, "pcr", e->pcr);
	sw_json_add_str(o, "type", sw_event_type_text(e->type, text));
	for (size_t b = 0; b < l->n_banks; b++) {
		const char *name = sw_tpm_alg_name(l->bank[b].alg);

		if (name && e->digest[b])
			sw_json_add_str(digests, name, sw_hex(e->digest[b], l->bank[b].size, hex));
	}
	sw_json_add(o, "digests", digests);
	sw_json_add_str(o, "text", words);
	sw_json_add_u64(o, "size", e->len);
	return o;
}

static int read_pcr(const char *text, uint32_t *ret_mask, struct sw_error *err)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || n >= SW_PCRS)
		return sw_fail(err, SW_EXIT_USAGE, -EINVAL, "\"%.20s\" is no PCR: give 0 to %d",
			       text, SW_PCRS - 1);
	*ret_mask |= 1U << n;
	return 0;
}

int sw_cli_pcrs(const struct sw_cli *cli, int first, uint32_t *ret_mask, struct sw_error *err)
{
	int r = 0;

	*ret_mask = cli->args.n_rest > first ? 0 : SW_ALL_PCRS;
	for (int i = first; i < cli->args.n_rest && r == 0; i++)
		r = read_pcr(cli->args.rest[i], ret_mask, err);
	return r;
}

static bool wanted(const struct sw_log_event *e, uint32_t mask)
{
	return e->pcr < SW_PCRS ? mask & (1U << e->pcr) : mask == SW_ALL_PCRS;
}

static int show_log(const struct sw_cli *cli, const struct sw_eventlog *l, size_t bank,
		    uint32_t mask, struct sw_error *err)
{
	_cleanup_json_ json_object *list = json_object_new_array();
	char hex[SW_HEX_TEXT], text[16];

	for (size_t i = 0; i < l->n_events; i++) {
		const struct sw_log_event *e = &l->events[i];
		_cleanup_free_ char *words = sw_event_describe(e);

		if (!words)
			return sw_fail_oom(err);
		if (!wanted(e, mask))
			continue;
		if (cli->json)
			json_object_array_add(list, event_json(l, e, words));
		else
			printf("%2u  %-32s %.16s  %s\n", e->pcr, sw_event_type_text(e->type, text),
			       e->digest[bank] ? sw_hex(e->digest[bank], l->bank[bank].size, hex)
					       : "-",
			       words);
	}
	if (cli->json)
		sw_print_json(list);
	return 0;
}

static int run_log(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_eventlog_ struct sw_eventlog *l = NULL;
	uint32_t mask;
	int bank, r = sw_cli_pcrs(cli, 0, &mask, err);

	if (r == 0)
		r = sw_cli_eventlog(cli, sw_arg(&cli->args, 'l'), &l, err);
	if (r < 0)
		return r;
	bank = sw_cli_bank(cli, l, err);
	return bank < 0 ? bank : show_log(cli, l, (size_t)bank, mask, err);
}

static const struct sw_opt replay_opts[] = {
	{ 'l', "log", "FILE", "a saved log (default: this machine's)" },
	{ 'b', "bank", "HASH", "only this bank: sha1, sha256, sha384 ..." },
	{ 0, NULL, NULL, NULL },
};

static const struct sw_opt log_opts[] = {
	{ 'l', "log", "FILE", "a saved log (default: this machine's)" },
	{ 'b', "bank", "HASH", "whose digests are shown (default: sha256)" },
	{ 0, NULL, NULL, NULL },
};

const struct sw_command sw_command_tpm_log = {
	.name = "tpm log",
	.summary = "Show what the firmware measured, event by event",
	.operands = "[PCR...]",
	.max_rest = -1,
	.opts = log_opts,
	.details = "A line an event: PCR, type, the first digits of its digest, and what it was.\n"
		   "With PCRs named, only the events of these.",
	.run = run_log,
};

const struct sw_command sw_command_tpm_replay = {
	.name = "tpm replay",
	.summary = "Work out the PCR values that follow from an event log",
	.operands = "",
	.opts = replay_opts,
	.details = "The value of every PCR that the log extends, for each bank it has. What was\n"
		   "extended after the firmware handed over is not in the log.",
	.run = run_replay,
};
