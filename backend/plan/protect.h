/* SPDX-License-Identifier: Apache-2.0 */
/* Private to backend/plan: can an encrypted layout be installed here, and what is it worth. */
#pragma once

#include "plan/plan.h"

/* Exit 5 without a usable TPM, exit 3 without a key file, where the layout wants one. */
int sw_plan_check_protection(const struct sw_plan *p, const struct sw_facts *f,
			     const struct sw_layout *l, struct sw_error *err);
/* -ENOMEM */
int sw_plan_warn_protection(struct sw_plan *p, const struct sw_facts *f);
