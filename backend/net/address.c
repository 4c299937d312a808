/* SPDX-License-Identifier: Apache-2.0 */
#include "net/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int sw_ip_parse(const char *text, struct sw_ip *ret)
{
	struct sw_ip ip = { .family = strchr(text, ':') ? AF_INET6 : AF_INET };

	if (inet_pton(ip.family, text, ip.bytes) != 1)
		return -EINVAL;
	ip.bits = ip.family == AF_INET ? 32 : 128;
	*ret = ip;
	return 0;
}

int sw_ip_parse_subnet(const char *text, struct sw_ip *ret)
{
	const char *slash = strchr(text, '/');
	char address[INET6_ADDRSTRLEN];
	unsigned long bits;
	size_t digits;
	int n, r;

	if (!slash)
		return -EINVAL;
	digits = strspn(slash + 1, "0123456789");
	if (digits < 1 || digits > 3 || slash[1 + digits])
		return -EINVAL;
	n = snprintf(address, sizeof(address), "%.*s", (int)(slash - text), text);
	if (n < 0 || (size_t)n >= sizeof(address))
		return -EINVAL;
	r = sw_ip_parse(address, ret);
	bits = strtoul(slash + 1, NULL, 10);
	if (r < 0 || bits > ret->bits)
		return -EINVAL;
	ret->bits = (unsigned int)bits;
	return 0;
}

bool sw_ip_in_subnet(const struct sw_ip *address, const struct sw_ip *net)
{
	const unsigned int whole = net->bits / 8, rest = net->bits % 8;
	const uint8_t mask = (uint8_t)(0xff00U >> rest);

	return address->family == net->family && memcmp(address->bytes, net->bytes, whole) == 0 &&
	       (!rest || ((address->bytes[whole] ^ net->bytes[whole]) & mask) == 0);
}

bool sw_ip_is_link_local(const struct sw_ip *ip)
{
	static const struct sw_ip net = { AF_INET6, 10, { 0xfe, 0x80 } };

	return sw_ip_in_subnet(ip, &net);
}
