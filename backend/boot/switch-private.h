/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files that make up the switch. */
#pragma once

#include "boot/switch.h"

/* Reads the copies that s->node has on other disks. */
int sw_switch_read_copies(struct sw_switch *s, struct sw_error *err);
/* How the running system was started, as seen from s->node. */
int sw_switch_find_road(struct sw_switch *s);
