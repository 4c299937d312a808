/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network device paths. Firmware matches its NIC by the whole hardware path:
 * MAC()/IPv4()/Uri() without the prefix is "Not Found" in OVMF and "no such
 * path" on Dell. So the prefix is cloned byte for byte from an entry that the
 * firmware made for the same NIC; Uri() alone, UEFI's short form, is the way
 * out when there is none. Nodes: UEFI 2.10, section 10.3.4.
 */
#pragma once

#include <stdbool.h>

#include "boot/devpath.h"

enum sw_bootpath_ip { SW_BOOTPATH_IPV4, SW_BOOTPATH_IPV6 };

/* True for a path with a MAC() or Uri() node. */
bool sw_bootpath_is_network(const uint8_t *path, size_t len);
/* The six bytes of the first Ethernet MAC() node. -ENOENT. */
int sw_bootpath_mac(const uint8_t *path, size_t len, uint8_t ret_mac[static 6]);
/* The address in the first Uri() node, malloc'd, "" for HTTP from DHCP. -ENOENT without one. */
int sw_bootpath_uri(const uint8_t *path, size_t len, char **ret_uri);
/* True when the path has an IPv6() node. */
bool sw_bootpath_is_ipv6(const uint8_t *path, size_t len);

/*
 * -EINVAL unless it is http:// or https:// with a host, printable ASCII without
 * blanks, without a password, and at most 1024 bytes long.
 */
int sw_bootpath_check_uri(const char *uri);

/*
 * Adds to b: from's nodes up to MAC(), and Vlan() when it follows, then IPv4()
 * or IPv6() with everything zero (found by DHCP), Uri() and the end. -ENOENT
 * when from has no MAC(); -EINVAL for a bad path or uri.
 */
int sw_bootpath_clone(const uint8_t *from, size_t len, enum sw_bootpath_ip ip, const char *uri,
		      struct sw_buf *b);
/* Adds Uri() and the end: the firmware tries its NICs by itself. */
int sw_bootpath_uri_alone(const char *uri, struct sw_buf *b);

/* "52:54:00:12:34:56" or with dashes or nothing between; -EINVAL. */
int sw_mac_parse(const char *text, uint8_t ret_mac[static 6]);
