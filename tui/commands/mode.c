/* SPDX-License-Identifier: Apache-2.0 */
/* `slipway mode`: the one switch, from where this node starts. */
#include <string.h>

#include "base/json.h"
#include "boot/switch.h"
#include "tui/commands/boot-writes.h"
#include "tui/commands/list.h"

#define STATE_TEXT "what was set, to compare at the next boot"

enum { OPT_STRATEGY = 300, OPT_NIC, OPT_URI, OPT_VIA, OPT_UNARMED };

static const char *const roads[] = {
	[SW_ROAD_UNKNOWN] = "unknown", [SW_ROAD_SLOT] = "slot", [SW_ROAD_NETWORK] = "network",
	[SW_ROAD_OTHER] = "other",
};

static int usage(struct sw_error *err, const char *word, const char *what)
{
	sw_fail(err, SW_EXIT_USAGE, -EINVAL, "\"%s\" is not %s", word, what);
	sw_error_hint(err, "`slipway mode --help` lists them");
	return -EINVAL;
}

static int take_once(const char *word, struct sw_mode_wish *w, struct sw_error *err)
{
	if (strcmp(word, "network") == 0) {
		w->once = SW_ONCE_NETWORK;
	} else if (strcmp(word, "local") == 0) {
		w->once = SW_ONCE_LOCAL;
	} else if (strcmp(word, "rescue") == 0) {
		w->once = SW_ONCE_RESCUE;
	} else if (strlen(word) == 1 && *word >= 'a' && *word < 'a' + SW_NODE_SLOTS) {
		w->once = SW_ONCE_SLOT;
		w->once_letter = *word;
	} else {
		return usage(err, word, "a start that once knows");
	}
	return 0;
}

/* What iPXE boots is in the script beside it, which only an install writes. */
static int script_is_written(struct sw_error *err)
{
	sw_fail(err, SW_EXIT_REFUSED, -EPERM, "the node starts from the network by iPXE");
	sw_error_why(err, "address and network card are in the script on its disk");
	sw_error_hint(err, "install again for others, or give --via http with the address");
	return -EPERM;
}

static int take_network(const struct sw_args *a, struct sw_mode_wish *w, struct sw_error *err)
{
	const char *mac = sw_arg(a, OPT_NIC), *uri = sw_arg(a, OPT_URI), *via = sw_arg(a, OPT_VIA);

	if (mac && sw_mac_parse(mac, w->net.mac) < 0)
		return usage(err, mac, "a MAC address");
	w->net.have_mac = w->net.have_mac || mac;
	if (uri && *uri && sw_bootpath_check_uri(uri) < 0)
		return usage(err, uri, "an address to boot from");
	if (uri)	/* an empty one goes back to what DHCP says */
		w->net.uri = *uri ? uri : NULL;
	if (!via)
		return w->net.via == SW_VIA_IPXE && (mac || uri) ? script_is_written(err) : 0;
	if (strcmp(via, "auto") == 0)
		w->net.via = SW_VIA_AUTO;
	else if (strcmp(via, "http") == 0)
		w->net.via = SW_VIA_HTTP;
	else if (strcmp(via, "pxe") == 0)
		w->net.via = SW_VIA_PXE;
	else if (strcmp(via, "ipxe") == 0 && (mac || uri))
		return script_is_written(err);
	else if (strcmp(via, "ipxe") == 0)
		w->net.via = SW_VIA_IPXE;
	else
		return usage(err, via, "a kind of network boot");
	return 0;
}

/* Silently kept for a later switch, such an option would look as if it had done something. */
static int refuse_idle(const struct sw_args *a, const struct sw_mode_wish *w, struct sw_error *err)
{
	static const struct { int id; const char *name; } opts[] = {
		{ OPT_STRATEGY, "--strategy" }, { OPT_URI, "--uri" }, { OPT_NIC, "--nic" },
		{ OPT_VIA, "--via" },
	};
	bool network = w->once ? w->once == SW_ONCE_NETWORK
			       : strcmp(a->rest[0], sw_node_mode_name(SW_NODE_NETWORK)) == 0;

	for (size_t i = 0; i < ARRAY_SIZE(opts); i++) {
		bool strategy = opts[i].id == OPT_STRATEGY;

		if (!sw_arg(a, opts[i].id) || (network && !(strategy && w->once)))
			continue;
		sw_fail(err, SW_EXIT_USAGE, -EINVAL, "mode: %s goes with %s only", opts[i].name,
			strategy ? "`mode network`" : "`mode network` and `mode once network`");
		sw_error_hint(err, "`slipway mode --help` shows how it is used");
		return -EINVAL;
	}
	return 0;
}

/* Changes what is kept by what the command line says. */
static int take_words(const struct sw_args *a, struct sw_mode_wish *w, struct sw_error *err)
{
	const char *word = a->rest[0], *strategy = sw_arg(a, OPT_STRATEGY);
	bool keep = strcmp(word, "keep") == 0, once = strcmp(word, "once") == 0;

	if (once != (a->n_rest == 2)) {
		sw_fail(err, SW_EXIT_USAGE, -EINVAL, "mode: %s", once
			? "once what? network, local, rescue, a or b" : "one word is enough");
		return -EINVAL;
	}
	w->explicit = !keep;
	if (once) {
		int r = take_once(a->rest[1], w, err);

		if (r < 0)
			return r;
	} else if (!keep && sw_node_mode_parse(word, &w->mode) < 0) {
		return usage(err, word, "a mode");
	}
	w->unarmed = sw_arg(a, OPT_UNARMED) != NULL;
	if (w->unarmed && !keep) {
		sw_fail(err, SW_EXIT_USAGE, -EINVAL, "mode: --unarmed goes with keep");
		return -EINVAL;
	}
	if (refuse_idle(a, w, err) < 0)
		return -EINVAL;
	if (strategy && sw_strategy_parse(strategy, &w->strategy) < 0)
		return usage(err, strategy, "a strategy");
	return take_network(a, w, err);
}

static json_object *to_json(const struct sw_switch *s, const struct sw_mode_wish *w,
			    const struct sw_mode_result *res)
{
	json_object *o = json_object_new_object(), *notes = json_object_new_array();

	sw_json_add_str(o, "mode", sw_node_mode_name(res ? res->mode : w->mode));
	sw_json_add_str(o, "strategy", sw_strategy_name(w->strategy));
	sw_json_add_str(o, "running", roads[s->road]);
	if (s->road == SW_ROAD_SLOT) {
		char letter[2] = { s->node.slots[s->road_slot].letter };

		sw_json_add_str(o, "slot", letter);
	}
	sw_json_add_str(o, "why", s->why);
	if (res && res->network >= 0)
		sw_json_add_u64(o, "network_entry", (uint64_t)res->network);
	for (size_t i = 0; res && i < res->n_notes; i++)
		json_object_array_add(notes, json_object_new_string(res->notes[i]));
	sw_json_add(o, "notes", notes);
	return o;
}

static void print_head(const struct sw_switch *s, const struct sw_mode_wish *w,
		       const struct sw_mode_result *res)
{
	enum sw_node_mode mode = res ? res->mode : w->mode;

	printf("Mode     %s", sw_node_mode_name(mode));
	if (mode == SW_NODE_NETWORK)
		printf(", strategy %s", sw_strategy_name(w->strategy));
	printf("\nRunning  %s%s", roads[s->road], s->road == SW_ROAD_SLOT ? " " : "");
	if (s->road == SW_ROAD_SLOT)
		printf("%c", s->node.slots[s->road_slot].letter);
	printf(": %s\n", s->why);
	for (size_t i = 0; res && i < res->n_notes; i++)
		printf("Note     %s\n", res->notes[i]);
	if (!s->have_node)
		printf("Note     no disk here has slots: the wish is kept in the firmware only\n");
}

static void print_writes(const struct sw_mode_result *res)
{
	for (size_t i = 0; i < res->plan.n_writes; i++)
		printf("  %-11s %s\n", res->plan.writes[i].name, res->plan.writes[i].text);
	if (res->state_changed)
		printf("  %-11s %s\n", SW_MODE_VARIABLE, STATE_TEXT);
}

static json_object *writes_to_json(const struct sw_mode_result *res)
{
	json_object *list = json_object_new_array(), *o;

	for (size_t i = 0; i < res->plan.n_writes; i++)
		json_object_array_add(list, sw_entry_write_to_json(&res->plan.writes[i]));
	if (!res->state_changed)
		return list;
	o = json_object_new_object();
	sw_json_add_str(o, "kind", "own");
	sw_json_add_str(o, "name", SW_MODE_VARIABLE);
	sw_json_add_str(o, "text", STATE_TEXT);
	json_object_array_add(list, o);
	return list;
}

/* Without a word: what is wanted, and whether the firmware has it so. Writes nothing. */
static int show(const struct sw_cli *cli, struct sw_switch *s)
{
	_cleanup_(sw_mode_result_clear) struct sw_mode_result res = { .network = -1 };
	struct sw_mode_wish w = s->wish;
	struct sw_error e = {};
	bool have;

	have = sw_switch_plan(s, &w, &res, &e) == 0;
	if (cli->json) {
		_cleanup_json_ json_object *o = to_json(s, &s->wish, have ? &res : NULL);

		/* What is kept, even when the next `keep` would leave it. */
		sw_json_add_str(o, "mode", sw_node_mode_name(s->wish.mode));
		if (have)
			sw_json_add_u64(o, "pending", res.plan.n_writes);
		else
			sw_json_add(o, "error", sw_error_to_json(&e));
		sw_print_json(o);
		return 0;
	}
	print_head(s, &s->wish, have ? &res : NULL);
	if (!have)
		printf("Problem  %s\n", e.what);
	if (have && res.plan.n_writes) {
		printf("The firmware has it otherwise; `slipway mode keep` would write:\n");
		print_writes(&res);
	}
	return 0;
}

static int change(const struct sw_cli *cli, struct sw_switch *s, struct sw_error *err)
{
	_cleanup_(sw_mode_result_clear) struct sw_mode_result res = { .network = -1 };
	_cleanup_json_ json_object *o = NULL;
	struct sw_mode_wish w = s->wish;
	bool nothing, data;
	size_t done = 0;
	int r = take_words(&cli->args, &w, err);

	if (r == 0)
		r = sw_switch_plan(s, &w, &res, err);
	if (r < 0)
		return r;
	o = to_json(s, &w, &res);
	sw_json_add(o, "writes", writes_to_json(&res));
	nothing = res.plan.n_writes == 0 && !res.state_changed;
	data = sw_switch_changes_data(s, &w, &res);
	sw_json_add_bool(o, "node_data", data);
	if (!cli->json) {
		print_head(s, &w, &res);
		print_writes(&res);
		if (data)
			printf("  %-11s %s\n", "node data", "the mode that is wanted");
		if (nothing)
			printf("%s: the firmware has it so already.\n",
			       data ? "No variable to write" : "Nothing to write");
		fflush(stdout);
	}
	if (!sw_arg(&cli->args, 'D'))
		r = sw_switch_apply(s, &w, &res, &done, err);
	if (r < 0)
		return r;
	sw_json_add_u64(o, "written", done);
	if (s->unkept[0])
		json_object_array_add(sw_json_array(o, "notes"),
				      json_object_new_string(s->unkept));
	if (s->unkept[0] && !cli->json)
		printf("Note     %s\n", s->unkept);
	if (cli->json)
		sw_print_json(o);
	else if (done)
		printf("Written and read back: %zu variable%s.\n", done, done == 1 ? "" : "s");
	return 0;
}

/* What a node does after each good boot takes away, too, what a memory test has left. */
static int forget_memory_test(const struct sw_cli *cli, struct sw_boot_target *b,
			      struct sw_error *err)
{
	if (cli->args.n_rest != 1 || strcmp(cli->args.rest[0], "keep") != 0 ||
	    sw_arg(&cli->args, 'D') || !sw_forget_memory_test(b->t.m))
		return 0;
	sw_boot_target_clear(b);
	return sw_boot_target_open(cli, b, err);
}

static int run(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_boot_target_ struct sw_boot_target b = {};
	_cleanup_switch_ struct sw_switch s = {};
	int r = sw_boot_target_open(cli, &b, err);

	if (r < 0)
		return r;
	if (!b.store)
		return sw_fail(err, SW_EXIT_REFUSED, -EROFS,
			       "captured facts do not hold the slots");
	r = forget_memory_test(cli, &b, err);
	if (r < 0)
		return r;
	r = sw_switch_open(b.t.m, b.t.f, b.store, b.t.vars, sw_arg(&cli->args, 'd'), &s, err);
	if (r < 0)
		return r;
	return cli->args.n_rest ? change(cli, &s, err) : show(cli, &s);
}

static const struct sw_opt opts[] = {
	{ 'D', "dry-run", NULL, "show the writes and stop" },
	{ 'd', "disk", "NAME", "the node's disk, when several have one" },
	{ OPT_STRATEGY, "strategy", "WORD", "of mode network: armed (default) or order" },
	{ OPT_URI, "uri", "URL", "boot this over HTTP; \"\": what DHCP says" },
	{ OPT_NIC, "nic", "MAC", "by this network card" },
	{ OPT_VIA, "via", "WORD", "auto, http, pxe: an entry of the firmware; ipxe: the disk's" },
	{ OPT_UNARMED, "unarmed", NULL, "keep: put all right, but do not arm the network yet" },
	{ 0, NULL, NULL, NULL },
};

const struct sw_command sw_command_mode = {
	.name = "mode",
	.summary = "Show or switch from where this node starts",
	.operands = "[network|local|hands-off|keep|once network|local|rescue|a|b]",
	.max_rest = 2,
	.opts = opts,
	.details = "network  the network once, again after each good boot (keep); else the newest\n"
		   "         good slot. With --strategy order the network is always tried first:\n"
		   "         an image that panics then loops\n"
		   "local    the newest good slot, then the other\n"
		   "hands-off  boot order and next boot are the operator's\n"
		   "once     only at the next boot; the mode stays\n"
		   "keep     after each good boot: put right what is not as wanted, arm again",
	.run = run,
};
