/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The secrets of a node that is installed again. Every install writes its node data anew; what the
 * node was entrusted with is taken over where the new one will open it, and each that is not is
 * named in the review. sw_plan.old_secrets: [{"name", "becomes", "state", "signed": B}].
 */
#pragma once

#include "base/buf.h"
#include "boot/old-node.h"
#include "plan/plan.h"

/*
 * SW_BECOMES_KEPT: the TPM opens it. RECOVERY: only its recovery key does. UNSURE: the new image
 * decides; kept when it opens it, which is known before the first write.
 */
enum sw_becomes { SW_BECOMES_KEPT, SW_BECOMES_RECOVERY, SW_BECOMES_UNSURE, SW_BECOMES_LOST,
		  SW_BECOMES_DROPPED };

/*
 * From sw_old_nodes() (old, or NULL), of the newest node on the plan's disks. Also warns of its
 * machine ID and of what it got when it was admitted.
 */
int sw_plan_take_old(struct sw_plan *p, json_object *old, struct sw_error *err);

/* What becomes of this one; -ENOENT: the node that is there has none of this name. */
int sw_plan_becomes(const struct sw_plan *p, const char *name, enum sw_becomes *ret_becomes);
/* Whether one of them is, or may be, taken over. */
bool sw_plan_keeps_secrets(const struct sw_plan *p);
/* Whether the SSH host key is among those that certainly are. */
bool sw_plan_keeps_host_key(const struct sw_plan *p);

/* Their lines of the review. -ENOMEM. */
int sw_plan_add_secrets(struct sw_buf *b, const struct sw_plan *p, unsigned int width);

/* Of a plan that was read: whether they are what this room and apply make. */
bool sw_plan_secrets_are_sound(json_object *list);
bool sw_plan_kept_secrets_are_sound(json_object *kept);
