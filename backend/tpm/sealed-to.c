/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept of the PCRs that something is sealed to. */
#include <string.h>

#include "base/hex.h"
#include "tpm/seal.h"

#define SHORT 8U	/* bytes of a digest: to tell events apart, not to prove anything */
#define EVENTS_MAX 64U

static void add_digest(json_object *list, const uint8_t *digest)
{
	char hex[2 * SHORT + 1];

	json_object_array_add(list, json_object_new_string(sw_hex(digest, SHORT, hex)));
}

/* NULL unless what the log says of this PCR makes the value. */
static json_object *events_of(const struct sw_eventlog *l, unsigned int pcr,
			      const uint8_t value[static 32])
{
	int bank = l ? sw_eventlog_bank(l, "sha256") : -ENOENT;
	json_object *list = json_object_new_array();
	struct sw_pcrs made;

	if (bank >= 0)
		sw_pcrs_init(l, (size_t)bank, &made);
	for (size_t i = 0; bank >= 0 && i < l->n_events; i++) {
		const struct sw_log_event *e = &l->events[i];

		if (e->pcr != pcr || e->type == SW_EV_NO_ACTION || !e->digest[bank])
			continue;
		if (sw_pcrs_extend(l, (size_t)bank, e, &made) < 0)
			break;
		add_digest(list, e->digest[bank]);
	}
	if (bank >= 0 && json_object_array_length(list) <= EVENTS_MAX &&
	    memcmp(made.value[pcr], value, 32) == 0)
		return list;
	json_object_put(list);
	return NULL;
}

json_object *sw_sealed_to_json(const struct sw_sealed_to *to)
{
	_cleanup_eventlog_ struct sw_eventlog *l = NULL;
	json_object *all;

	if (!to->pcrs)
		return NULL;
	if (to->log)
		(void)sw_eventlog_read(to->log, &l, NULL);
	all = json_object_new_object();
	for (unsigned int i = 0; i < SW_PCRS; i++) {
		json_object *o, *events;
		char key[12], hex[65];

		if (!(to->pcrs & 1U << i))
			continue;
		o = json_object_new_object();
		(void)snprintf(key, sizeof(key), "%u", i);
		sw_json_add_str(o, "value", sw_hex(to->value[i], sizeof(to->value[i]), hex));
		events = events_of(l, i, to->value[i]);
		if (events)
			sw_json_add(o, "events", events);
		sw_json_add(all, key, o);
	}
	return all;
}
