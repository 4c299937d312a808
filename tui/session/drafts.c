/* SPDX-License-Identifier: Apache-2.0 */
/* What was typed into forms and not yet taken: by field, and by item of a list of the answers. */
#include "tui/session/state.h"

_Static_assert(SW_ADMISSIONS_MAX <= SW_ITEMS_MAX && SW_NODE_FILES_MAX <= SW_ITEMS_MAX &&
	       SW_SITE_SECRETS_MAX <= SW_ITEMS_MAX, "each item has its drafts");

void sw_state_clear_drafts(struct sw_state *s)
{
	for (size_t i = 0; i < SW_ITEMS_MAX; i++)
		for (size_t f = 0; f < SW_MAX_FIELDS; f++)
			free(TAKE_PTR(s->drafts[i][f]));
}

bool sw_state_has_drafts(const struct sw_state *s, enum sw_field_home home, size_t i)
{
	for (size_t f = 0; f < sw_n_fields; f++)
		if (sw_fields[f].home == home && s->drafts[i][f])
			return true;
	return false;
}

void sw_state_drop_item(struct sw_state *s, enum sw_field_home home, size_t i)
{
	sw_answers_drop_item(s->answers, home, i);
	for (size_t f = 0; f < sw_n_fields; f++) {
		if (sw_fields[f].home != home)
			continue;
		free(TAKE_PTR(s->drafts[i][f]));
		for (size_t k = i; k + 1 < SW_ITEMS_MAX; k++)
			s->drafts[k][f] = TAKE_PTR(s->drafts[k + 1][f]);
	}
}
