/* SPDX-License-Identifier: Apache-2.0 */
/* What an install keeps for the node: its name, mode, admission, trust and whence it came. */
#include <string.h>

#include "base/hash.h"
#include "base/hex.h"
#include "base/json.h"
#include "payload/trust.h"
#include "plan/plan.h"

static json_object *admission_to_json(const struct sw_admission *ad)
{
	json_object *o = json_object_new_object();

	sw_json_add_str(o, "kind", sw_admission_name(ad->kind));
	sw_json_add_str(o, "url", ad->url);
	if (ad->kind == SW_ADMISSION_ATTEST && ad->protocol != SW_ATTEST_AUTO)
		sw_json_add_str(o, "protocol", sw_attest_protocol_name(ad->protocol));
	if (ad->ca && *ad->ca)
		sw_json_add_str(o, "ca", ad->ca);
	if (ad->pin && *ad->pin)
		sw_json_add_str(o, "pin", ad->pin);
	return o;
}

/* Where a token is on the medium is nothing to the node. */
static json_object *admissions_to_json(const struct sw_answers *a)
{
	json_object *list = json_object_new_array();

	for (size_t i = 0; i < a->n_admission; i++)
		if (a->admission[i].kind != SW_ADMISSION_NONE)
			json_object_array_add(list, admission_to_json(&a->admission[i]));
	return list;
}

/* The partitions that are ours to write: a promote looks here before it writes one. */
static json_object *slots_to_json(const struct sw_plan *p)
{
	json_object *list = json_object_new_array();

	for (size_t i = 0; i < p->n_parts; i++) {
		char uuid[SW_GUID_TEXT];

		if (p->parts[i].role == SW_ROLE_SLOT)
			json_object_array_add(list, json_object_new_string(sw_guid_format(
							    &p->parts[i].uuid, uuid)));
	}
	return list;
}

int sw_plan_machine_id(const struct sw_plan *p, char ret_hex[static 33])
{
	static const char token[] = "machine-id";
	const char *given = p->answers->machine_id;
	struct sw_guid id;
	uint8_t rfc[16];
	int r;

	if (!given || !*given)
		return -ENODATA;
	/* A name of its own below the seed, so that it tells nothing of the partitions. */
	r = strcmp(given, "derive") == 0 ? sw_guid_derive(&p->seed, token, strlen(token), &id)
					 : sw_guid_parse(given, &id);
	if (r < 0)
		return r;
	sw_guid_to_rfc(&id, rfc);
	sw_hex(rfc, sizeof(rfc), ret_hex);
	return 0;
}

/* What the node is known by, and whom it knows. */
static int identity_to_json(const struct sw_plan *p, json_object *o)
{
	const struct sw_answers *a = p->answers;
	char hex[33];
	int r = sw_plan_machine_id(p, hex);

	if (a->ssh_authorized && *a->ssh_authorized)
		sw_json_add(o, "ssh_authorized_keys", sw_json_strv(a->ssh_authorized));
	if (r == 0)
		sw_json_add_str(o, "machine_id", hex);
	return r == -ENODATA ? 0 : r;
}

json_object *sw_plan_node_data(const struct sw_plan *p)
{
	const struct sw_answers *a = p->answers;
	struct sw_trust trust = sw_answers_trust(a);
	char digest[SW_SHA256_TEXT], seed[SW_GUID_TEXT];
	json_object *o, *keys;

	if (sw_answers_digest(a, digest) < 0)
		return NULL;
	o = json_object_new_object();
	sw_json_add_u64(o, "slipway_node", 1);
	sw_json_add_str(o, "hostname", a->hostname);
	if (identity_to_json(p, o) < 0) {
		json_object_put(o);
		return NULL;
	}
	sw_plan_mode_to_json(a, o);
	sw_json_add(o, "admission", admissions_to_json(a));
	keys = sw_trust_to_json(&trust);
	if (keys)
		sw_json_add(o, "trust", keys);
	if (p->network)
		sw_json_add(o, "network_config", json_object_get(p->network));
	sw_json_add_str(o, "answers_sha256", digest);
	sw_json_add_str(o, "seed", sw_guid_format(&p->seed, seed));
	sw_json_add(o, "slots", slots_to_json(p));
	json_object_object_add(o, "installed", json_object_new_int64(p->time));
	return o;
}
