/* SPDX-License-Identifier: Apache-2.0 */
/* `slipway network apply`: the network of an answer file, now, on the medium that runs. */
#include "apply/network.h"
#include "base/json.h"
#include "plan/network.h"
#include "tui/commands/common.h"
#include "tui/commands/list.h"

static void print_line(const struct sw_event *ev, void *json)
{
	if (ev->type == SW_EVENT_LOG && !*(const bool *)json)
		printf("%s\n", ev->text);
}

static int refuse_elsewhere(const struct sw_machine *m, struct sw_error *err)
{
	if (sw_machine_sets_network(m))
		return 0;
	(void)sw_fail(err, SW_EXIT_REFUSED, -EOPNOTSUPP,
		      "the network of this system is not slipway's to set");
	sw_error_why(err, "only that of slipway's own medium is");
	sw_error_hint(err, "slipway plan --answers FILE shows what the node would get");
	return -EOPNOTSUPP;
}

static int run(struct sw_cli *cli, struct sw_error *err)
{
	const struct sw_sink sink = { .fn = print_line, .userdata = &cli->json };
	_cleanup_(sw_target_clear) struct sw_target t = {};
	_cleanup_answers_ struct sw_answers *a = NULL;
	_cleanup_json_ json_object *network = NULL;
	const char *file = cli->args.rest[0];
	int r = sw_answers_read(file, &a, err);

	if (r == 0)
		r = sw_answers_validate_network(a, file, err);
	if (r == 0)
		r = sw_target_open(cli, &t, err);
	if (r == 0)
		r = refuse_elsewhere(t.m, err);
	if (r == 0)
		r = sw_plan_network(a, t.f, &network, err);
	if (r == 0)
		r = sw_network_apply(t.m, network, &sink, err);
	if (r < 0)
		return r;
	if (cli->json)
		sw_print_json(network);
	else
		printf("%s: the network is as it says\n", file);
	return 0;
}

const struct sw_command sw_command_network_apply = {
	.name = "network apply",
	.summary = "Give the medium that runs the network of an answer file",
	.operands = "FILE",
	.min_rest = 1,
	.max_rest = 1,
	.details = "Of FILE only network counts. It is taken back when a link does not come up.",
	.run = run,
};
