/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files that make up the switch. */
#pragma once

#include "boot/switch.h"

/* Reads the copies that s->node has on other disks. */
int sw_switch_read_copies(struct sw_switch *s, struct sw_error *err);
/*
 * Rescue images and iPXE of all copies where something was put; returns how many. best_first:
 * of a mirror's iPXE each is hashed, and one that is not spoilt comes first.
 */
size_t sw_switch_rescues(const struct sw_switch *s, struct sw_entry_wanted out[SW_MODE_DISKS]);
size_t sw_switch_ipxes(const struct sw_switch *s, bool best_first,
		       struct sw_entry_wanted out[SW_MODE_DISKS]);
/* Puts a rescue image that is whole first; else what is wrong with that of s->node. */
int sw_switch_whole_rescue(const struct sw_switch *s, struct sw_entry_wanted *list, size_t n,
			   struct sw_error *err);
/* How the running system was started, as seen from s->node. */
int sw_switch_find_road(struct sw_switch *s);
