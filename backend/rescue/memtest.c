/* SPDX-License-Identifier: Apache-2.0 */
/* What a start into the memory test has left in the firmware, where slipway did not start since. */
#include <string.h>

#include "boot/memtest.h"
#include "rescue/private.h"

static int finding(struct sw_examine *x, struct sw_varset *set, int number)
{
	struct sw_finding *fi = sw_finding_add(x, NULL, "memtest-entry", SW_FINDING_INFO,
					       SW_SURE_CERTAIN);
	struct sw_repair *rep;

	if (!fi)
		return -ENOMEM;
	(void)snprintf(fi->what, sizeof(fi->what), "the entry of a memory test was left behind");
	(void)snprintf(fi->evidence, sizeof(fi->evidence),
		       "Boot%04X \"" SW_MEMTEST_LABEL "\": it was for one start%s",
		       (unsigned int)number,
		       set->next == number ? ", which is still to come" : "");
	(void)snprintf(fi->effect, sizeof(fi->effect), "%s", set->next == number
		       ? "the next start is the memory test, once"
		       : "none by itself; firmware that does not know its category may try it "
			 "last");
	rep = sw_finding_repair(fi, NULL);
	if (!rep)
		return -ENOMEM;
	(void)sw_memtest_remove(set);
	(void)snprintf(rep->text, sizeof(rep->text),
		       "take the entry out, and out of the boot order");
	return sw_varset_plan(set, &rep->vars);
}

int sw_examine_memtest(struct sw_examine *x)
{
	_cleanup_varset_ struct sw_varset set = { .next = -1 };
	int r = x->vars && x->raw ? sw_varset_load(x->raw, &set) : 0, number;

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	number = sw_memtest_find(&set);
	if (number < 0 || sw_memtest_is_pending(x->m, x->f->boot_id, &set))
		return 0;
	return finding(x, &set, number);
}
