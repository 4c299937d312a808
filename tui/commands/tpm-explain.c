/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `slipway tpm explain`: which event made which PCR, step by step; with another
 * log, only the PCRs that differ and the events that make the difference.
 */
#include <string.h>

#include "base/hex.h"
#include "base/json.h"
#include "tui/commands/common.h"
#include "tui/commands/list.h"
#include "tui/commands/tpm-log.h"

/* The events of one log that were extended into one PCR. */
struct chain {
	const struct sw_eventlog *l;
	size_t bank;
	const struct sw_log_event **e;
	size_t n;
};

static void chain_clear(struct chain *c)
{
	free(c->e);
}

static int chain_new(const struct sw_eventlog *l, size_t bank, uint32_t pcr,
		     struct chain *ret_chain, struct sw_error *err)
{
	struct chain c = { .l = l, .bank = bank };

	c.e = calloc(l->n_events + 1, sizeof(const struct sw_log_event *));
	if (!c.e)
		return sw_fail_oom(err);
	for (size_t i = 0; i < l->n_events; i++)
		if (l->events[i].pcr == pcr && l->events[i].type != SW_EV_NO_ACTION &&
		    l->events[i].digest[bank])
			c.e[c.n++] = &l->events[i];
	*ret_chain = c;
	return 0;
}

static bool same(const struct chain *a, size_t i, const struct chain *b, size_t k)
{
	size_t size = a->l->bank[a->bank].size;

	return a->e[i]->type == b->e[k]->type &&
	       memcmp(a->e[i]->digest[a->bank], b->e[k]->digest[b->bank], size) == 0;
}

static int print_event(const struct chain *c, size_t i, const char *mark, struct sw_error *err)
{
	_cleanup_free_ char *words = sw_event_describe(c->e[i]);
	char hex[SW_HEX_TEXT], text[16];

	if (!words)
		return sw_fail_oom(err);
	printf("  %s %-32s %.16s  %s\n", mark, sw_event_type_text(c->e[i]->type, text),
	       sw_hex(c->e[i]->digest[c->bank], c->l->bank[c->bank].size, hex), words);
	return 0;
}

static int add_event(json_object *list, const struct chain *c, size_t i, const uint8_t *value,
		     struct sw_error *err)
{
	_cleanup_free_ char *words = sw_event_describe(c->e[i]);
	size_t size = c->l->bank[c->bank].size;
	json_object *o;
	char hex[SW_HEX_TEXT], text[16];

	if (!words)
		return sw_fail_oom(err);
	o = json_object_new_object();
	sw_json_add_str(o, "type", sw_event_type_text(c->e[i]->type, text));
	sw_json_add_str(o, "digest", sw_hex(c->e[i]->digest[c->bank], size, hex));
	if (value)
		sw_json_add_str(o, "value", sw_hex(value, size, hex));
	sw_json_add_str(o, "text", words);
	json_object_array_add(list, o);
	return 0;
}

/* ---- one log ---- */

/* The chain of one PCR with the value after each step; list: for --json, else NULL. */
static int explain_pcr(const struct chain *c, uint32_t pcr, json_object *list,
		       struct sw_error *err)
{
	struct sw_pcrs v;
	char hex[SW_HEX_TEXT];
	int r = 0;

	sw_pcrs_init(c->l, c->bank, &v);
	if (!list)
		printf("PCR %u starts as %s\n", pcr, sw_hex(v.value[pcr], v.size, hex));
	for (size_t i = 0; i < c->n && r == 0; i++) {
		r = sw_pcrs_extend(c->l, c->bank, c->e[i], &v);
		if (r < 0)
			return sw_fail_errno(err, SW_EXIT_VERIFY, r, "PCR %u cannot be replayed",
					     pcr);
		r = list ? add_event(list, c, i, v.value[pcr], err)
			 : print_event(c, i, "+", err);
		if (!list)
			printf("    = %s\n", sw_hex(v.value[pcr], v.size, hex));
	}
	return r;
}

/* ---- two logs ---- */

struct difference {
	size_t head, tail;	/* events that are the same at the start and at the end */
};

static struct difference compare(const struct chain *a, const struct chain *b)
{
	struct difference d = {};

	while (d.head < a->n && d.head < b->n && same(a, d.head, b, d.head))
		d.head++;
	while (d.head + d.tail < a->n && d.head + d.tail < b->n &&
	       same(a, a->n - d.tail - 1, b, b->n - d.tail - 1))
		d.tail++;
	return d;
}

static int list_side(const struct chain *c, const struct difference *d, const char *mark,
		     json_object *list, struct sw_error *err)
{
	int r = 0;

	for (size_t i = d->head; i < c->n - d->tail && r == 0; i++)
		r = list ? add_event(list, c, i, NULL, err) : print_event(c, i, mark, err);
	return r;
}

/* all: for --json, else NULL. *ret_differs is set when they do. */
static int explain_difference(const struct chain *a, const struct chain *b, uint32_t pcr,
			      json_object *all, bool *ret_differs, struct sw_error *err)
{
	struct difference d = compare(a, b);
	json_object *o = NULL, *only_a = NULL, *only_b = NULL;
	char key[4];
	int r;

	if (a->n == b->n && d.head == a->n)
		return 0;
	*ret_differs = true;
	if (all) {
		only_a = json_object_new_array();
		only_b = json_object_new_array();
		o = json_object_new_object();
		sw_json_add_u64(o, "same_before", d.head);
		sw_json_add(o, "log", only_a);
		sw_json_add(o, "against", only_b);
		(void)snprintf(key, sizeof(key), "%u", pcr);
		sw_json_add(all, key, o);
	} else {
		printf("PCR %u differs after %zu equal events (- this log, + the other)\n", pcr,
		       d.head);
	}
	r = list_side(a, &d, "-", only_a, err);
	return r < 0 ? r : list_side(b, &d, "+", only_b, err);
}

static int explain_both(const struct sw_eventlog *l, size_t bank, const struct sw_eventlog *other,
			size_t other_bank, uint32_t pcr, json_object *all, bool *ret_differs,
			struct sw_error *err)
{
	_cleanup_(chain_clear) struct chain a = {}, b = {};
	int r = chain_new(l, bank, pcr, &a, err);

	if (r == 0)
		r = chain_new(other, other_bank, pcr, &b, err);
	return r < 0 ? r : explain_difference(&a, &b, pcr, all, ret_differs, err);
}

static int explain_one(const struct sw_eventlog *l, size_t bank, uint32_t pcr, json_object *all,
		       struct sw_error *err)
{
	_cleanup_(chain_clear) struct chain c = {};
	json_object *list = NULL;
	char key[4];
	int r = chain_new(l, bank, pcr, &c, err);

	if (r < 0 || c.n == 0)
		return r;
	if (all) {
		list = json_object_new_array();
		(void)snprintf(key, sizeof(key), "%u", pcr);
		sw_json_add(all, key, list);
	}
	return explain_pcr(&c, pcr, list, err);
}

/* ---- the command ---- */

static int open_other(const struct sw_cli *cli, const struct sw_eventlog *l, size_t bank,
		      struct sw_eventlog **ret_other, struct sw_error *err)
{
	const char *file = sw_arg(&cli->args, 'a');
	const char *name = sw_tpm_alg_name(l->bank[bank].alg);
	int r = file ? sw_cli_eventlog(cli, file, ret_other, err) : 0;

	if (!file || r < 0)
		return r;
	r = name ? sw_eventlog_bank(*ret_other, name) : -ENOENT;
	if (r < 0) {
		sw_fail(err, SW_EXIT_USAGE, -ENOENT, "the logs have no bank in common");
		sw_error_where(err, "%s", file);
		sw_error_hint(err, "--bank chooses another one");
	}
	return r;
}

static int run(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_eventlog_ struct sw_eventlog *l = NULL, *other = NULL;
	_cleanup_json_ json_object *all = cli->json ? json_object_new_object() : NULL;
	bool differs = false;
	uint32_t mask;
	int bank = 0, other_bank = 0, r = sw_cli_pcrs(cli, 0, &mask, err);

	if (r == 0)
		r = sw_cli_eventlog(cli, sw_arg(&cli->args, 'l'), &l, err);
	if (r == 0)
		r = bank = sw_cli_bank(cli, l, err);
	if (r >= 0)
		r = other_bank = open_other(cli, l, (size_t)bank, &other, err);
	for (uint32_t pcr = 0; r >= 0 && pcr < SW_PCRS; pcr++) {
		if (!(mask & (1U << pcr)))
			continue;
		r = other ? explain_both(l, (size_t)bank, other, (size_t)other_bank, pcr, all,
					 &differs, err)
			  : explain_one(l, (size_t)bank, pcr, all, err);
	}
	if (r < 0)
		return r;
	if (all)
		sw_print_json(all);
	else if (other && !differs)
		printf("No PCR differs\n");
	return 0;
}

static const struct sw_opt opts[] = {
	{ 'l', "log", "FILE", "a saved log (default: this machine's)" },
	{ 'a', "against", "FILE", "another log: only what differs is shown" },
	{ 'b', "bank", "HASH", "the bank (default: sha256)" },
	{ 0, NULL, NULL, NULL },
};

const struct sw_command sw_command_tpm_explain = {
	.name = "tpm explain",
	.summary = "Show which event made which PCR, or what differs between two logs",
	.operands = "[PCR...]",
	.max_rest = -1,
	.opts = opts,
	.details = "After each event stands the value that it left. With --against, events that\n"
		   "both logs have at the start and at the end are left out.",
	.run = run,
};
