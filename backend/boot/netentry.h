/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network's boot entry: the firmware's own one adopted, or one with an
 * address made for the firmware's NIC. Its number is never stored: with the NIC
 * away and back the firmware gives others; it is found again each time.
 */
#pragma once

#include "boot/bootpath.h"
#include "boot/varset.h"

enum sw_via { SW_VIA_AUTO, SW_VIA_HTTP, SW_VIA_PXE, SW_VIA_IPXE };

/* Which network entry is wanted. */
struct sw_netwish {
	enum sw_via via;
	const char *uri;	/* NULL or "": what DHCP says */
	bool have_mac;
	uint8_t mac[6];
	/* SW_VIA_IPXE: the entry that starts iPXE; borrowed. NULL: the disk has none. */
	const struct sw_entry_wanted *ipxe;
	/* The same of the node's other disks, kept for the day when the first is away. */
	const struct sw_entry_wanted *ipxe_copies;
	size_t n_ipxe_copies;
};

/*
 * The entry to adopt: of this NIC (any, when none is named) and kind, an active
 * one before an inactive one, the earliest in BootOrder. Ours with an address is
 * adopted like any other. NULL when there is none.
 */
const struct sw_varset_entry *sw_netentry_find(const struct sw_varset *s,
					       const struct sw_netwish *w);

/*
 * Adds to b the path for w->uri: cloned from an entry of the NIC, else Uri()
 * alone when no NIC was named. -ENOENT: the named NIC has no entry to clone from.
 */
int sw_netentry_path(const struct sw_varset *s, const struct sw_netwish *w, struct sw_buf *b,
		     bool *ret_cloned);

/*
 * Makes sure that the wanted entry is in the set and returns its number. With
 * SW_VIA_IPXE it is w->ipxe, whose script on the disk knows the address. Without
 * an address one is adopted. With one, an entry with that very path is used,
 * "Slipway network" rewritten, or a new one added. -ENOENT with words in err.
 */
int sw_netentry_ensure(struct sw_varset *s, const struct sw_netwish *w, uint16_t *ret_number,
		       struct sw_error *err);

#define SW_NETENTRY_LABEL "Slipway network"
