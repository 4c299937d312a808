/* SPDX-License-Identifier: Apache-2.0 */
/* `slipway tpm foretell`: the PCR 7 that a node image has when the firmware starts it. */
#include <string.h>

#include "base/hex.h"
#include "base/json.h"
#include "boot/uki.h"
#include "rescue/reseal.h"
#include "tui/commands/common.h"
#include "tui/commands/list.h"
#include "tui/commands/tpm-log.h"

static void print_values(const struct sw_cli *cli, const struct sw_pcr7 *p)
{
	bool same = memcmp(p->now, p->node, sizeof(p->now)) == 0;
	char now[SW_HEX_TEXT], node[SW_HEX_TEXT];
	json_object *o;

	(void)sw_hex(p->now, sizeof(p->now), now);
	(void)sw_hex(p->node, sizeof(p->node), node);
	if (!cli->json) {
		printf("PCR 7 of the system in the log  %s\n"
		       "PCR 7 of the image              %s%s\n",
		       now, node, same ? " (the same)" : "");
		return;
	}
	o = json_object_new_object();
	sw_json_add_str(o, "now", now);
	sw_json_add_str(o, "image", node);
	sw_print_json(o);
	json_object_put(o);
}

static int run(struct sw_cli *cli, struct sw_error *err)
{
	const char *image = cli->args.rest[0];
	_cleanup_eventlog_ struct sw_eventlog *l = NULL;
	_cleanup_buf_ struct sw_buf table = {};
	struct sw_pcr7 p;
	int r = sw_uki_signatures(image, &table, err);

	if (r == 0)
		r = sw_cli_eventlog(cli, sw_arg(&cli->args, 'l'), &l, err);
	if (r < 0)
		return r;
	r = sw_eventlog_pcr7(l, table.data, table.len, &p);
	if (r < 0)
		return sw_pcr7_failed(r, image, err);
	print_values(cli, &p);
	return 0;
}

static const struct sw_opt opts[] = {
	{ 'l', "log", "FILE", "a saved log (default: this machine's)" },
	{ 0, NULL, NULL, NULL },
};

const struct sw_command sw_command_tpm_foretell = {
	.name = "tpm foretell",
	.summary = "Tell the PCR 7 that an image will have when the firmware starts it",
	.operands = "IMAGE",
	.min_rest = 1,
	.max_rest = 1,
	.opts = opts,
	.details = "An encrypted install seals to this value. Without Secure Boot it is the same\n"
		   "for every image; with it the signer's certificate counts.",
	.run = run,
};
