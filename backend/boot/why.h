/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why the running system is the one that runs: in words, from what the firmware,
 * the boot stub and the kernel command line say. Where they contradict each other
 * the answer is "unknown", with what contradicts what.
 */
#pragma once

#include "boot/switch.h"

#define SW_WHY_LINES 16

struct sw_why {
	enum sw_road road;
	char lines[SW_WHY_LINES][240];	/* whole sentences, most important first */
	size_t n_lines;
	json_object *json;	/* the same for programs; own reference */
};

/*
 * cmdline: the kernel's, or NULL. A boot chain without systemd's stub says with
 * node.src=network or node.src=a on it where the image came from. now: seconds
 * since the epoch, for the age of the last known good image.
 */
int sw_why_make(const struct sw_switch *s, const char *cmdline, int64_t now,
		struct sw_why *ret_why);
void sw_why_clear(struct sw_why *w);
#define _cleanup_why_ _cleanup_(sw_why_clear)

const char *sw_road_name(enum sw_road r);	/* "unknown" "slot" "network" "other" */
