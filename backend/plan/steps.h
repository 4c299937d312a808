/* SPDX-License-Identifier: Apache-2.0 */
/* Private to plan/: the ordered steps and the warnings of a plan. */
#pragma once

#include "plan/plan.h"

int sw_plan_add_steps(struct sw_plan *p, struct sw_error *err);
int sw_plan_add_warnings(struct sw_plan *p, const struct sw_facts *f, bool have_vars,
			 struct sw_error *err);
/* Takes ownership of text; -ENOMEM when it is NULL. */
int sw_plan_warn(struct sw_plan *p, char *text);
void sw_plan_free_steps(struct sw_plan *p);
