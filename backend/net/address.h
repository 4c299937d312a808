/* SPDX-License-Identifier: Apache-2.0 */
/* IP addresses and subnets as people write them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct sw_ip {
	int family;		/* AF_INET, AF_INET6 */
	unsigned int bits;	/* of the subnet; all of them when none was written */
	uint8_t bytes[16];	/* network byte order; 4 of them for AF_INET */
};

/* "192.0.2.7", "2001:db8::7": no subnet, no scope, no brackets. -EINVAL. */
int sw_ip_parse(const char *text, struct sw_ip *ret);
/* "192.0.2.7/24": with its subnet. -EINVAL. */
int sw_ip_parse_subnet(const char *text, struct sw_ip *ret);
/* Whether address is in the subnet that net is written with. */
bool sw_ip_in_subnet(const struct sw_ip *address, const struct sw_ip *net);
/* fe80::/10: on every link, whatever its subnets. */
bool sw_ip_is_link_local(const struct sw_ip *ip);
