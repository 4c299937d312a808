/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong, in short: for a log or a telephone, where nothing else leaves the machine. */
#include "base/json.h"
#include "base/text.h"
#include "bundle/private.h"
#include "tpm/identity.h"

static json_object *finding_json(const struct sw_finding *f)
{
	json_object *o = json_object_new_object();

	sw_json_add_str(o, "id", f->id);
	sw_json_add_str(o, "severity", sw_severity_name(f->severity));
	sw_json_add_str(o, "what", f->what);
	if (f->evidence[0])
		sw_json_add_str(o, "evidence", f->evidence);
	return o;
}

/* The name by which servers know the machine; it is its own, so not in an anonymous report. */
static void add_node_id(struct sw_gathering *g, json_object *o)
{
	struct sw_error ignored = {};
	_cleanup_ek_ struct sw_ek ek = {};
	const char *tcti;

	if (g->out->anonymous || sw_machine_tcti(g->m, &tcti, &ignored) < 0 ||
	    sw_tpm_ek(tcti, false, &ek, &ignored) < 0)
		return;
	sw_json_add_str(o, "node_id", ek.id);
}

json_object *sw_bundle_report(struct sw_gathering *g)
{
	json_object *o = json_object_new_object(), *list = json_object_new_array();
	struct sw_redacted ignored = {};
	char when[SW_TIME_TEXT];

	sw_json_add_str(o, "machine", g->visit.f->machine_name);
	sw_json_add_str(o, "product", g->visit.f->product);
	sw_json_add_str(o, "serial", g->visit.f->serial);
	add_node_id(g, o);
	sw_json_add_str(o, "time", sw_time_text(g->out->time, when));
	sw_json_add_str(o, "slipway", SW_VERSION);
	for (size_t i = 0; i < g->visit.found.n; i++)
		json_object_array_add(list, finding_json(&g->visit.found.v[i]));
	sw_json_add(o, "findings", list);
	if (g->visit.found.node)
		sw_json_add(o, "node", json_object_get(g->visit.found.node));
	if (sw_redact_json(&g->redact, o, &ignored) == 0)
		return o;
	json_object_put(o);
	return NULL;
}
