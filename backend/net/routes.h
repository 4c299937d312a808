/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where packets go and who answers names: the kernel's routes (proc(5):
 * /proc/net/route, /proc/net/ipv6_route) and resolv.conf(5). Reads only.
 */
#pragma once

#include "base/buf.h"
#include "machine/machine.h"

/*
 * Adds to out: "routes", a list of {"to", "via", "link", "metric"} ("to" is "default"
 * or a prefix; no "via" on the link itself), and "dns", the name servers, and
 * "search", the domains. A stand-in has what is in DIR/net: route, ipv6_route,
 * resolv.conf. What cannot be read is an empty list.
 */
void sw_routes_look(const struct sw_machine *m, json_object *out);

/* The parsers of the three files. Lines that make no sense are passed over. */
void sw_routes_parse4(const char *text, json_object *routes);
void sw_routes_parse6(const char *text, json_object *routes);
void sw_resolv_parse(const char *text, json_object *dns, json_object *search);
