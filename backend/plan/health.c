/* SPDX-License-Identifier: Apache-2.0 */
/* No node is put on a disk that reports its own end, unless somebody says so. */
#include "base/file.h"
#include "plan/steps.h"

static const char *text_of(const struct sw_disk *d)
{
	return d->health_text ? d->health_text : "it does not say why";
}

int sw_plan_judge_health(struct sw_plan *p, const struct sw_disk *d, struct sw_error *err)
{
	int r = 0;

	if (d->health == SW_HEALTH_FAILING && p->answers->failing != SW_FAILING_USE) {
		sw_fail(err, SW_EXIT_REFUSED, -EIO, "the disk reports that it is failing");
		sw_error_where(err, "%s", d->name);
		sw_error_why(err, "%s", text_of(d));
		sw_error_hint(err, "replace it or choose another; disk.failing: use installs on it "
				   "all the same");
		return -EIO;
	}
	if (d->health == SW_HEALTH_FAILING)
		r = sw_plan_warn(p, sw_fmt("%s reports that it is failing: %s", d->name,
					   text_of(d)));
	else if (d->health == SW_HEALTH_WORN)
		r = sw_plan_warn(p, sw_fmt("%s reports that it is worn: %s", d->name, text_of(d)));
	return r < 0 ? sw_fail_oom(err) : 0;
}
