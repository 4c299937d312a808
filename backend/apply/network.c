/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/network.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "net/networkd.h"
#include "plan/network.h"

/* The first file whose link is not there yet; NULL: all are. */
static const char *missing(const struct sw_machine *m, json_object *files,
			   struct sw_networkd_state *ret_state)
{
	json_object_object_foreach(files, name, text) {
		(void)text;
		if (sw_ends_with(name, ".network") &&
		    (sw_networkd_look(m->networkd, name, ret_state) < 0 || !ret_state->configured))
			return name;
	}
	return NULL;
}

static int fail(const char *file, const struct sw_networkd_state *s, struct sw_error *err)
{
	(void)sw_fail(err, SW_EXIT_NETWORK, -ENETUNREACH, "the network of the answers is not up");
	sw_error_where(err, "%s", file);
	if (s->links == 0)
		sw_error_why(err, "no link of this machine fits it");
	else if (s->failed)
		sw_error_why(err, "systemd-networkd could not give %s what it says", s->link);
	else if (!s->carrier)
		sw_error_why(err, "%s has no carrier: no cable, or nobody at its other end",
			     s->link);
	else
		sw_error_why(err, "%s got no address within %u s", s->link, SW_NETWORK_WAIT);
	sw_error_hint(err, "it is as before again; correct network.links, slipway facts lists the "
			   "cards");
	return -ENETUNREACH;
}

static int wait_for_it(const struct sw_machine *m, json_object *files, const struct sw_sink *sink,
		       struct sw_error *err)
{
	const int64_t end = sw_now_ms() + SW_NETWORK_WAIT * 1000;
	struct sw_networkd_state s = {};
	const char *file;

	if (m->kind != SW_MACHINE_REAL)
		return 0;
	while ((file = missing(m, files, &s)) && sw_now_ms() < end) {
		if (sw_event_pause(sink, 200) < 0)
			return sw_fail(err, SW_EXIT_CANCELLED, -ECANCELED, "cancelled");
	}
	return file ? fail(file, &s, err) : 0;
}

int sw_network_apply(struct sw_machine *m, json_object *network, const struct sw_sink *sink,
		     struct sw_error *err)
{
	_cleanup_json_ json_object *before = NULL;
	json_object *files = sw_json_get(network, "files");
	struct sw_error lost = {};
	int r;

	if (!files)
		return 0;
	if (!sw_machine_sets_network(m)) {
		sw_event_log(sink, "The network of this system stays as it is; the node gets that "
				   "of the answers");
		return 0;
	}
	r = sw_machine_network_get(m, &before, err);
	if (r < 0 || json_object_equal(before, files))
		return r;
	sw_event_log(sink, "Setting the network");
	r = sw_machine_network_put(m, files, err);
	if (r == 0)
		r = wait_for_it(m, files, sink, err);
	if (r < 0)
		(void)sw_machine_network_put(m, before, &lost);
	return r;
}

int sw_network_of_answers(struct sw_machine *m, const struct sw_answers *a,
			  const struct sw_sink *sink, struct sw_error *err)
{
	_cleanup_facts_ struct sw_facts *f = NULL;
	_cleanup_json_ json_object *network = NULL;
	int r = sw_answers_validate_network(a, NULL, err);

	if (r == 0)
		r = sw_machine_facts(m, &f, err);
	if (r == 0)
		r = sw_plan_network(a, f, &network, err);
	return r < 0 ? r : sw_network_apply(m, network, sink, err);
}
