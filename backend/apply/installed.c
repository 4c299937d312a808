/* SPDX-License-Identifier: Apache-2.0 */
/* Whether what somebody asks for is on a disk already. */
#include <string.h>

#include "apply/apply.h"

const struct sw_journal_info *sw_journal_installed(const struct sw_journal_info *infos, size_t n,
						   const struct sw_answers *a)
{
	char wanted[65], has[65];

	if (a->reinstall == SW_REINSTALL_ALWAYS || sw_answers_digest(a, wanted) < 0)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		const struct sw_plan *p = infos[i].plan;

		if (infos[i].state == SW_JOURNAL_DONE && p && p->answers &&
		    sw_answers_digest(p->answers, has) == 0 && strcmp(wanted, has) == 0)
			return &infos[i];
	}
	return NULL;
}
