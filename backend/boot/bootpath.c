/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/bootpath.h"

#include <string.h>

#include "base/hex.h"

#define MSG_IPV4 0x0c
#define MSG_IPV6 0x0d
#define MSG_VLAN 0x14
/* Without the header; OVMF's lengths. libefivar's struct for IPv6() is a shorter, old form. */
#define IPV4_LEN 23
#define IPV6_LEN 56
#define MAC_LEN 33
#define URI_MAX 1024

static bool is_msg(const struct sw_devpath_node *n, uint8_t subtype)
{
	return n->type == SW_DP_MESSAGING && n->subtype == subtype;
}

bool sw_bootpath_is_network(const uint8_t *path, size_t len)
{
	return sw_devpath_has(path, len, SW_DP_MESSAGING, SW_DP_MSG_MAC) ||
	       sw_devpath_has(path, len, SW_DP_MESSAGING, SW_DP_MSG_URI);
}

bool sw_bootpath_is_ipv6(const uint8_t *path, size_t len)
{
	return sw_devpath_has(path, len, SW_DP_MESSAGING, MSG_IPV6);
}

int sw_bootpath_mac(const uint8_t *path, size_t len, uint8_t ret_mac[static 6])
{
	struct sw_devpath_node n;
	size_t at = 0;

	while (sw_devpath_next(path, len, &at, &n) > 0) {
		/* The last byte is the link's type: 0 (unset) and 1 mean six bytes of address. */
		if (!is_msg(&n, SW_DP_MSG_MAC) || n.len != MAC_LEN || n.data[32] > 1)
			continue;
		memcpy(ret_mac, n.data, 6);
		return 0;
	}
	return -ENOENT;
}

int sw_bootpath_uri(const uint8_t *path, size_t len, char **ret_uri)
{
	struct sw_devpath_node n;
	size_t at = 0;

	while (sw_devpath_next(path, len, &at, &n) > 0) {
		char *s;

		if (!is_msg(&n, SW_DP_MSG_URI))
			continue;
		/* EDK2 ends it with a NUL, others do not. */
		s = strndup((const char *)n.data, n.len);
		if (!s)
			return -ENOMEM;
		*ret_uri = s;
		return 0;
	}
	return -ENOENT;
}

int sw_bootpath_check_uri(const char *uri)
{
	const char *host = strncmp(uri, "http://", 7) == 0    ? uri + 7
			   : strncmp(uri, "https://", 8) == 0 ? uri + 8
							      : NULL;

	if (!host || strlen(uri) > URI_MAX || !*host || strchr("/:?#", *host) ||
	    memchr(host, '@', strcspn(host, "/")))
		return -EINVAL;
	for (const char *p = uri; *p; p++)
		if (*p <= 0x20 || *p >= 0x7f)
			return -EINVAL;
	return 0;
}

/* The length of the prefix up to and with MAC() and a Vlan() right behind it; 0: no MAC(). */
static size_t prefix_len(const uint8_t *from, size_t len)
{
	struct sw_devpath_node n;
	size_t at = 0, end = 0;

	while (sw_devpath_next(from, len, &at, &n) > 0) {
		if (end)
			return is_msg(&n, MSG_VLAN) ? at : end;
		if (n.type == SW_DP_END)	/* another instance: not one path any more */
			return 0;
		if (is_msg(&n, SW_DP_MSG_MAC))
			end = at;
	}
	return end;
}

int sw_bootpath_clone(const uint8_t *from, size_t len, enum sw_bootpath_ip ip, const char *uri,
		      struct sw_buf *b)
{
	static const uint8_t zero[IPV6_LEN];
	size_t n = prefix_len(from, len);
	int r = sw_bootpath_check_uri(uri);

	if (r < 0 || sw_devpath_check(from, len) < 0)
		return -EINVAL;
	if (n == 0)
		return -ENOENT;
	r = sw_buf_add(b, from, n);
	if (r == 0)
		r = sw_devpath_add(b, SW_DP_MESSAGING, ip == SW_BOOTPATH_IPV6 ? MSG_IPV6 : MSG_IPV4,
				   zero, ip == SW_BOOTPATH_IPV6 ? IPV6_LEN : IPV4_LEN);
	return r < 0 ? r : sw_bootpath_uri_alone(uri, b);
}

int sw_bootpath_uri_alone(const char *uri, struct sw_buf *b)
{
	int r = sw_bootpath_check_uri(uri);

	if (r == 0)
		r = sw_devpath_add(b, SW_DP_MESSAGING, SW_DP_MSG_URI, uri, strlen(uri));
	return r < 0 ? r : sw_devpath_add_end(b);
}

int sw_mac_parse(const char *text, uint8_t ret_mac[static 6])
{
	uint8_t mac[6];

	for (size_t i = 0; i < 6; i++) {
		int byte = sw_hex_byte(text);

		if (byte < 0)
			return -EINVAL;
		mac[i] = (uint8_t)byte;
		text += 2;
		if (i < 5 && (*text == ':' || *text == '-'))
			text++;
	}
	if (*text)
		return -EINVAL;
	memcpy(ret_mac, mac, 6);
	return 0;
}
