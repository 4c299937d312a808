/* SPDX-License-Identifier: Apache-2.0 */
#include "answers/network-check.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "boot/bootpath.h"
#include "net/address.h"

#define NAME_MAX_KERNEL 15U	/* IFNAMSIZ without its end */

static int say(struct sw_error *err, const char *why, const char *hint)
{
	sw_error_why(err, "%s", why);
	sw_error_hint(err, "%s", hint);
	return -EINVAL;
}

static bool only(const char *text, const char *more)
{
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && !strchr(more, *text))
			return false;
	return true;
}

/* The kernel takes more; what it takes and a file name or a glob would not, is not worth it. */
int sw_net_check_name(const char *text, struct sw_error *err)
{
	if (strlen(text) <= NAME_MAX_KERNEL && isalpha((unsigned char)text[0]) &&
	    only(text, "-_.") && strcmp(text, "all") != 0 && strcmp(text, "default") != 0 &&
	    strcmp(text, "lo") != 0)
		return 0;
	return say(err, "it is no name for a link",
		   "use a letter, and letters, digits, '-', '_' and '.' after it, 15 at most");
}

int sw_net_check_mac(const char *text, struct sw_error *err)
{
	uint8_t mac[6];

	if (sw_mac_parse(text, mac) == 0)
		return 0;
	return say(err, "it is not the MAC address of a network card",
		   "slipway facts lists the cards; write it like 52:54:00:12:34:56");
}

int sw_net_check_glob(const char *text, struct sw_error *err)
{
	if (only(text, "-_.*?"))
		return 0;
	return say(err, "it is no name, nor a pattern of one",
		   "use letters, digits, '-', '_' and '.'; * and ? match any characters");
}

int sw_net_check_subnet(const char *text, struct sw_error *err)
{
	struct sw_ip ip;

	if (sw_ip_parse_subnet(text, &ip) == 0)
		return 0;
	if (sw_ip_parse(text, &ip) == 0)
		return say(err, "the size of its subnet is missing",
			   ip.family == AF_INET ? "write it like 192.0.2.7/24"
						: "write it like 2001:db8::7/64");
	return say(err, "it is no address with the size of its subnet",
		   "write it like 192.0.2.7/24 or 2001:db8::7/64");
}

int sw_net_check_address(const char *text, struct sw_error *err)
{
	struct sw_ip ip;

	if (sw_ip_parse(text, &ip) == 0)
		return 0;
	return say(err, strchr(text, '/') ? "an address alone is asked for, without a subnet"
					  : "it is no IP address",
		   "write it like 192.0.2.1 or 2001:db8::1");
}

int sw_net_check_host(const char *text, struct sw_error *err)
{
	struct sw_ip ip;

	if (sw_ip_parse(text, &ip) == 0 ||
	    (isalnum((unsigned char)text[0]) && only(text, "-.")))
		return 0;
	return say(err, "it is neither a name nor an IP address", "write it like ntp.example");
}

/* With a dot before it, as no_proxy has it: what is below it. */
int sw_net_check_domain(const char *text, struct sw_error *err)
{
	struct sw_ip ip;

	if (sw_ip_parse(text, &ip) == 0 || sw_ip_parse_subnet(text, &ip) == 0 ||
	    only(text, "-._"))
		return 0;
	return say(err, "it is no domain", "write it like node.example");
}

static bool is_within(const char *text, unsigned long least, unsigned long most)
{
	unsigned long n = strtoul(text, NULL, 10);

	return strlen(text) <= 6 && strspn(text, "0123456789") == strlen(text) && n >= least &&
	       n <= most;
}

/* RFC 8200, 5: with less a link has no IPv6, and systemd-networkd makes 1280 of it unasked. */
int sw_net_check_mtu(const char *text, struct sw_error *err)
{
	if (is_within(text, 1280, 65535))
		return 0;
	return say(err, is_within(text, 1, 1279) ? "IPv6 needs 1280, and no link is given less"
						 : "it is no size of a packet in bytes",
		   "write a number from 1280 to 65535");
}

/* IEEE 802.1Q: 0 and 4095 are reserved. */
int sw_net_check_vlan(const char *text, struct sw_error *err)
{
	if (is_within(text, 1, 4094))
		return 0;
	return say(err, "it is no number of a VLAN", "write a number from 1 to 4094");
}

/* Nothing but scheme, host and port counts. A password was refused before, as in any URL. */
int sw_net_check_proxy(const char *text, struct sw_error *err)
{
	const char *host = strncmp(text, "http://", 7) == 0    ? text + 7
			   : strncmp(text, "https://", 8) == 0 ? text + 8
							       : NULL;

	if (host && isalnum((unsigned char)host[*host == '[']) && only(host, "-.:[]"))
		return 0;
	return say(err, "it is no address of a proxy", "write it like http://proxy.example:3128");
}
