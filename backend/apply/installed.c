/* SPDX-License-Identifier: Apache-2.0 */
/* Whether what somebody asks for is on a disk already. */
#include "apply/apply.h"

const struct sw_journal_info *sw_journal_installed(const struct sw_journal_info *infos, size_t n,
						   const struct sw_answers *a)
{
	if (a->reinstall == SW_REINSTALL_ALWAYS)
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (infos[i].state == SW_JOURNAL_DONE && infos[i].plan &&
		    sw_answers_same(infos[i].plan->answers, a))
			return &infos[i];
	return NULL;
}
