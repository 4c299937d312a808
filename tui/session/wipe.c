/* SPDX-License-Identifier: Apache-2.0 */
/* The disk that is to be wiped, as the session knows it. */
#include <string.h>

#include "base/json.h"
#include "tui/session/state.h"

static void forget(struct sw_state *s)
{
	free(TAKE_PTR(s->wipe.disk));
	free(TAKE_PTR(s->wipe.serial));
	json_object_put(TAKE_PTR(s->wipe.plan));
	json_object_put(TAKE_PTR(s->wipe.report));
	s->wipe.error = (struct sw_error){ 0 };
}

int sw_state_wipe_choose(struct sw_state *s, const struct sw_disk *d)
{
	forget(s);
	s->wipe.disk = strdup(d->name);
	s->wipe.serial = strdup(d->serial ? d->serial : "");
	(void)snprintf(s->wipe.digest, sizeof(s->wipe.digest), "%s", d->table.digest);
	if (s->wipe.disk && s->wipe.serial)
		return 0;
	forget(s);
	return -ENOMEM;
}

void sw_state_wipe_clear(struct sw_state *s)
{
	forget(s);
}

const struct sw_disk *sw_state_wipe_disk(const struct sw_state *s)
{
	for (size_t i = 0; s->facts && s->wipe.disk && i < s->facts->n_disks; i++) {
		const struct sw_disk *d = &s->facts->disks[i];

		if (strcmp(d->name, s->wipe.disk) == 0 &&
		    strcmp(d->serial ? d->serial : "", s->wipe.serial) == 0 &&
		    strcmp(d->table.digest, s->wipe.digest) == 0)
			return d;
	}
	return NULL;
}

void sw_state_got_wipe(struct sw_state *s, json_object *found)
{
	json_object *report = sw_json_get(found, "report");

	if (report) {
		json_object_put(s->wipe.report);
		s->wipe.report = json_object_get(report);
	} else {
		json_object_put(s->wipe.plan);
		s->wipe.plan = json_object_get(found);
		s->wipe.pending = false;
		s->wipe.error = (struct sw_error){ 0 };
	}
	sw_view_refresh(s);
}

void sw_state_wipe_failed(struct sw_state *s, const struct sw_error *err)
{
	s->wipe.pending = false;
	s->wipe.error = *err;
	s->bell = true;
	sw_view_refresh(s);
}
