/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network of the answers as systemd-networkd reads it (systemd.netdev(5),
 * systemd.network(5)). The medium is given these bytes during the install, and the node the same.
 */
#pragma once

#include "answers/answers.h"
#include "base/buf.h"
#include "machine/facts.h"

/*
 * {"files": {"10-slipway-01-lan0.network": TEXT ...}, "proxy", "no_proxy", "ntp"}, each only when
 * there is something; NULL when the answers say nothing of the network. Pure. -ENODEV when no card
 * of these facts has the carrier that is asked for; -ENOTUNIQ when several would get one address.
 */
int sw_plan_network(const struct sw_answers *a, const struct sw_facts *f, json_object **ret,
		    struct sw_error *err);

/* A line of plain words for each link, for the proxy and the time servers; -ENOMEM. */
int sw_plan_network_words(const struct sw_answers *a, char ***ret_lines);

/* Whether it is what sw_plan_network() makes, and no name in it leads out of a directory. */
bool sw_plan_network_is_sound(json_object *network);
