/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What systemd-networkd says of the links that a file of ours is about: its files below
 * /run/systemd/netif (sd-network(3) reads the same). Reads only.
 */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

struct sw_networkd_state {
	size_t links;		/* that the .network file is used for */
	bool configured;	/* one of them has all that the file gives it */
	bool carrier;		/* one of them has a carrier */
	bool failed;		/* networkd gave one up */
	char link[IF_NAMESIZE];	/* the name of the one that is furthest, or "" */
};

/* root: "/run/systemd"; file: the name of a .network file, without its directory. -errno. */
int sw_networkd_look(const char *root, const char *file, struct sw_networkd_state *ret);

/*
 * The time servers that the leases and files of all links name; NULL: none, or networkd does not
 * run. -ENOMEM.
 */
int sw_networkd_ntp(const char *root, char ***ret_servers);
/* The same from the text of networkd's state file: at most SW_NETWORKD_NTP_MAX clean words. */
#define SW_NETWORKD_NTP_MAX 8U
int sw_networkd_parse_ntp(const char *text, char ***ret_servers);

/* One state file; adds what it says to s when it is about file. index: of the link. */
void sw_networkd_parse(const char *text, const char *file, unsigned int index,
		       struct sw_networkd_state *s);
