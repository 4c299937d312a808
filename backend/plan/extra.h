/* SPDX-License-Identifier: Apache-2.0 */
/* Private to plan/: partitions that the answers add to a layout. */
#pragma once

#include "plan/plan.h"

/*
 * The layout with the partitions that the answers ask for; it shares everything
 * with l but its arrays, which sw_plan_drop_layout() frees. -ENOMEM.
 */
int sw_plan_complete_layout(const struct sw_layout *l, const struct sw_answers *a,
			    struct sw_layout *ret_own);
void sw_plan_drop_layout(struct sw_layout *own);
