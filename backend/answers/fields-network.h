/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of the field table below network: fields.c takes them into its array. */
#ifndef SW_IN_FIELD_TABLE
#error "only for the field table"
#endif
#pragma once

#define IN_LINK(member) .home = SW_HOME_LINK, .offset = offsetof(struct sw_net_link, member)

	{ .key = "network.links.name", .label = N_("Link"), .type = SW_FIELD_TEXT, IN_LINK(name),
	  .max = 15, .check = sw_net_check_name,
	  .help = N_("What other links call this one. A VLAN, bond or bridge gets it as its name; "
		  "a card without match must have it already."),
	  .example = "lan0" },
	{ .key = "network.links.match.mac", .label = N_("Card's MAC address"),
	  .type = SW_FIELD_TEXT, IN_LINK(mac), .max = 17, .check = sw_net_check_mac,
	  .help = N_("The MAC address that the card was made with."),
	  .example = "52:54:00:12:34:56" },
	{ .key = "network.links.match.driver", .label = N_("Card's driver"), .type = SW_FIELD_TEXT,
	  IN_LINK(driver), .max = 64, .check = sw_net_check_glob,
	  .help = N_("The kernel driver of the card. * and ? match any characters."),
	  .example = "mlx5_core" },
	{ .key = "network.links.match.name", .label = N_("Card's name"), .type = SW_FIELD_TEXT,
	  IN_LINK(device), .max = 64, .check = sw_net_check_glob,
	  .help = N_("The name that the system gives the card. * and ? match any characters."),
	  .example = "enp1s0*" },
	{ .key = "network.links.match.carrier", .label = N_("Cable is in"),
	  .type = SW_FIELD_CHOICE, IN_LINK(carrier), .choices = yes_no,
	  .help = N_("Whether the card has a carrier when the install is planned; the node then "
		  "goes by the MAC addresses that were found."),
	  .example = "yes" },
	{ .key = "network.links.dhcp", .label = N_("DHCP"), .type = SW_FIELD_CHOICE,
	  IN_LINK(dhcp), .choices = dhcp_choices,
	  .help = N_("Which addresses are asked for: yes (both), no, 4 or 6. Without it: yes, but "
		  "no when addresses are given."),
	  .example = "yes" },
	{ .key = "network.links.ra", .label = N_("Router adverts"), .type = SW_FIELD_CHOICE,
	  IN_LINK(ra), .choices = yes_no,
	  .help = N_("Whether IPv6 routers are listened to: they give addresses, the way out, and "
		  "say whether DHCPv6 is to be asked. Without it: yes."),
	  .example = "no" },
	{ .key = "network.links.addresses", .label = N_("Addresses"), .type = SW_FIELD_LIST,
	  IN_LINK(addresses), .max = 43, .check = sw_net_check_subnet,
	  .help = N_("Fixed addresses of the link, each with the size of its subnet."),
	  .example = "192.0.2.7/24" },
	{ .key = "network.links.gateway", .label = N_("Gateway"), .type = SW_FIELD_LIST,
	  IN_LINK(gateways), .max = 39, .check = sw_net_check_address,
	  .help = N_("The router for everything else: an address in one of the link's subnets, or "
		  "fe80::... One for IPv4, one for IPv6."),
	  .example = "192.0.2.1" },
	{ .key = "network.links.dns", .label = N_("Name servers"), .type = SW_FIELD_LIST,
	  IN_LINK(dns), .max = 39, .check = sw_net_check_address,
	  .help = N_("Addresses of name servers, beside those that DHCP names."),
	  .example = "192.0.2.53" },
	{ .key = "network.links.search", .label = N_("Search domains"), .type = SW_FIELD_LIST,
	  IN_LINK(search), .max = 253, .check = sw_net_check_domain,
	  .help = N_("Domains in which names without a dot are looked for."),
	  .example = "node.example" },
	{ .key = "network.links.mtu", .label = N_("MTU"), .type = SW_FIELD_TEXT, IN_LINK(mtu),
	  .max = 6, .check = sw_net_check_mtu,
	  .help = N_("The largest packet in bytes."), .example = "9000" },
	{ .key = "network.links.vlan.id", .label = N_("VLAN"), .type = SW_FIELD_TEXT,
	  IN_LINK(vlan_id), .max = 6, .check = sw_net_check_vlan,
	  .help = N_("The link is a VLAN (802.1Q) with this number, on the link vlan.link."),
	  .example = "42" },
	{ .key = "network.links.vlan.link", .label = N_("VLAN lies on"), .type = SW_FIELD_TEXT,
	  IN_LINK(vlan_link), .max = 15, .check = sw_net_check_name,
	  .help = N_("The name of the link that carries the VLAN."), .example = "lan0" },
	{ .key = "network.links.bond.members", .label = N_("Bond's members"),
	  .type = SW_FIELD_LIST, IN_LINK(bond), .max = 15, .check = sw_net_check_name,
	  .help = N_("The link is a bond of the links with these names."), .example = "lan0" },
	{ .key = "network.links.bond.mode", .label = N_("Bond's mode"), .type = SW_FIELD_CHOICE,
	  IN_LINK(bond_mode), .choices = bond_choices,
	  .help = N_("How the members are used: active-backup (without this key), 802.3ad (LACP, "
		  "the switch must do it too), or another mode of the kernel."),
	  .example = "802.3ad" },
	{ .key = "network.links.bridge.members", .label = N_("Bridge's members"),
	  .type = SW_FIELD_LIST, IN_LINK(bridge), .max = 15, .check = sw_net_check_name,
	  .help = N_("The link is a bridge between the links with these names."),
	  .example = "lan0" },
	{ .key = "network.proxy", .label = N_("Proxy"), .type = SW_FIELD_URL, AT(proxy),
	  .max = 300, .check = sw_net_check_proxy,
	  .help = N_("The HTTP proxy of the install and of the node, in its node data. A user and "
		  "a password stand in network.proxy-login. Without it the install goes by the "
		  "environment (https_proxy)."),
	  .example = "http://proxy.example:3128" },
	{ .key = "network.proxy-login", .label = N_("Proxy's login"), .type = SW_FIELD_URL,
	  AT(proxy_login), .max = 1000, .local = true,
	  .help = N_("A file with one line, USER:PASSWORD, for the proxy of the install: /path, "
		  "file:///path or medium:/path. Never the login itself. The node is not given "
		  "it: seal it as a secret."),
	  .example = "medium:/proxy.login" },
	{ .key = "network.no-proxy", .label = N_("Without the proxy"), .type = SW_FIELD_LIST,
	  AT(no_proxy), .max = 253, .check = sw_net_check_domain,
	  .help = N_("Hosts, domains and subnets that are asked directly."),
	  .example = "node.example" },
	{ .key = "network.ntp", .label = N_("Time servers"), .type = SW_FIELD_LIST, AT(ntp),
	  .max = 253, .check = sw_net_check_host,
	  .help = N_("NTP servers of the node and of the install, by name or address. Without "
		  "it: those that DHCP names."),
	  .example = "ntp.example" },
	{ .key = "time.from", .label = N_("Clock set from"), .type = SW_FIELD_CHOICE, AT(time_from),
	  .choices = time_choices,
	  .help = N_("Who may set the medium's clock before an install: any (also without this "
		  "key): its https servers and NTP; ntp or server alone; or leave, and nobody is "
		  "asked."),
	  .example = "ntp" },
