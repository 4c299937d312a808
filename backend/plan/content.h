/* SPDX-License-Identifier: Apache-2.0 */
/* What a partition of a plan holds: from the layout, and as JSON. Private to plan/. */
#pragma once

#include "plan/plan.h"

/* Refuses what an install cannot do: slots and node data have their own content. */
int sw_content_check(const struct sw_layout *l, struct sw_error *err);
/* Copies Format=, CopyBlocks=, CopyFiles= and MakeDirectories=; -ENOMEM. */
int sw_content_take(struct sw_placed *part, const struct sw_layout_part *from);
void sw_content_clear(struct sw_placed *part);
void sw_content_to_json(json_object *o, const struct sw_placed *part);
/* The key that is wrong in *ret_key; -EINVAL or -ENOMEM. */
int sw_content_from_json(json_object *o, struct sw_placed *part, const char **ret_key);
