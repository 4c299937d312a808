/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the DHCP servers on a wire offer (IPv4), without taking any of it: dhcpcd in its test mode
 * broadcasts a DISCOVER, hears one OFFER and stops. Asked again it passes over the servers that
 * were heard already, so that one is found after the other. Nothing is requested, configured or
 * written; a server only notes that it has made an offer.
 */
#pragma once

#include "base/buf.h"
#include "base/event.h"
#include "base/json.h"
#include "machine/machine.h"

#define SW_OFFERS_MAX 8U	/* servers on one wire; more are not asked for */

/*
 * One offer from what dhcpcd gives its script ("new_ip_address=192.0.2.7" ..., one a line):
 * {"server", "address", "bits", "routers", "dns", "domain", "ntp", "lease_s", "boot_file",
 * "boot_server", "mtu"}, without what was not offered. New reference; NULL: there is no offer.
 */
json_object *sw_offer_read(const char *text);

/*
 * Asks on each of these links, NULL-terminated: [{"link", "offers": [...]}],
 * new reference. sink: told of each, polled between. Exit 5 without dhcpcd, or when it may not
 * (it wants root).
 */
int sw_offers_look(char *const *links, const struct sw_sink *sink, json_object **ret_list,
		   struct sw_error *err);
/*
 * The same on the links of the real machine that have a carrier, or on `only` alone. Exit 4 on
 * any other machine: its links are not there; exit 2 when it has no such link.
 */
int sw_offers_of(struct sw_machine *m, const char *only, const struct sw_sink *sink,
		 json_object **ret_list, struct sw_error *err);
/* The same as lines for a person. -ENOMEM. */
int sw_offers_text(json_object *list, struct sw_buf *out);
