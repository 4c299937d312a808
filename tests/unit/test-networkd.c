/* SPDX-License-Identifier: Apache-2.0 */
/* The network of the answers as systemd-networkd's files, and in words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "answers/answers.h"
#include "base/file.h"
#include "base/json.h"
#include "base/strv.h"
#include "net/address.h"
#include "net/networkd.h"
#include "plan/network.h"

#define HEAD "slipway: 1\nnode: {hostname: n}\nnetwork:\n"

static struct sw_link cards[] = {
	{ .name = (char *)"enp1s0", .mac = (char *)"52:54:00:12:34:56",
	  .driver = (char *)"virtio_net", .carrier = false },
	{ .name = (char *)"enp2s0", .mac = (char *)"52:54:00:12:34:57",
	  .driver = (char *)"virtio_net", .carrier = true },
	{ .name = (char *)"eth7", .mac = (char *)"52:54:00:12:34:58",
	  .driver = (char *)"e1000e", .carrier = true },
};
static struct sw_facts facts = { .links = cards, .n_links = ARRAY_SIZE(cards) };

static struct sw_answers *parse(const char *network)
{
	_cleanup_free_ char *text = sw_fmt(HEAD "%s", network);
	struct sw_answers *a = NULL;
	struct sw_error e = {};

	if (sw_answers_parse(text, strlen(text), "test.yaml", &a, &e) < 0)
		fail_msg("%s: %s: %s", e.where, e.what, e.why);
	return a;
}

static json_object *make(const char *network)
{
	_cleanup_answers_ struct sw_answers *a = parse(network);
	json_object *o = NULL;
	struct sw_error e = {};

	if (sw_plan_network(a, &facts, &o, &e) < 0)
		fail_msg("%s: %s", e.what, e.why);
	if (o)
		assert_true(sw_plan_network_is_sound(o));
	return o;
}

static void assert_file(json_object *network, const char *name, const char *content)
{
	const char *is = sw_json_str(sw_json_get(network, "files"), name, NULL);

	if (!is)
		fail_msg("there is no %s in %s", name, json_object_to_json_string(network));
	assert_string_equal(is, content);
}

static int refused(const char *network, struct sw_error *ret_error)
{
	_cleanup_answers_ struct sw_answers *a = parse(network);
	json_object *o = NULL;
	int r = sw_plan_network(a, &facts, &o, ret_error);

	assert_null(o);
	return r;
}

#define BY_DHCP \
	"\n[DHCPv4]\nClientIdentifier=mac\nUseDomains=yes\n" \
	"\n[DHCPv6]\nUseDomains=yes\n\n[IPv6AcceptRA]\nUseDomains=yes\n"

static void test_answers_without_a_network_make_no_files(void **state SW_UNUSED)
{
	_cleanup_answers_ struct sw_answers *a = sw_answers_new();
	json_object *o = NULL;

	assert_int_equal(sw_plan_network(a, &facts, &o, NULL), 0);
	assert_null(o);
}

static void test_a_card_by_its_address_asks_for_an_address(void **state SW_UNUSED)
{
	_cleanup_json_ json_object *o = make("  links: {match: {mac: 52:54:00:12:34:56}}\n");

	assert_file(o, "10-slipway-01.network",
		    "[Match]\nPermanentMACAddress=52:54:00:12:34:56\n\n[Network]\nDHCP=yes\n"
		    BY_DHCP);
}

static void test_a_fixed_address_asks_nobody(void **state SW_UNUSED)
{
	_cleanup_json_ json_object *o = make(
		"  links:\n    name: enp1s0\n    addresses: [192.0.2.7/24, \"2001:db8::7/64\"]\n"
		"    gateway: [192.0.2.1, \"fe80::1\"]\n    dns: 192.0.2.53\n"
		"    search: [a.example, b.example]\n    mtu: 9000\n    ra: no\n"
		"  ntp: ntp.example\n");

	assert_file(o, "10-slipway-01-enp1s0.network",
		    "[Match]\nName=enp1s0\n\n[Link]\nMTUBytes=9000\n\n[Network]\nDHCP=no\n"
		    "IPv6AcceptRA=no\nAddress=192.0.2.7/24\nAddress=2001:db8::7/64\n"
		    "DNS=192.0.2.53\nDomains=a.example\nDomains=b.example\nNTP=ntp.example\n"
		    "\n[Route]\nGateway=192.0.2.1\n\n[Route]\nGateway=fe80::1\n"
		    "\n[IPv6AcceptRA]\nUseDomains=yes\n");
	assert_int_equal(json_object_array_length(sw_json_array(o, "ntp")), 1);
}

static void test_ipv6_by_dhcp_needs_no_router_that_says_so(void **state SW_UNUSED)
{
	_cleanup_json_ json_object *o = make("  links: {dhcp: 6, ra: no}\n");

	assert_file(o, "10-slipway-01.network",
		    "[Match]\nType=ether\nKind=!*\n\n[Network]\nDHCP=ipv6\nIPv6AcceptRA=no\n"
		    "\n[DHCPv4]\nClientIdentifier=mac\nUseDomains=yes\n"
		    "\n[DHCPv6]\nUseDomains=yes\nWithoutRA=solicit\n"
		    "\n[IPv6AcceptRA]\nUseDomains=yes\n");
}

static void test_a_vlan_lies_on_a_bond_of_two_cards(void **state SW_UNUSED)
{
	static const char member[] = "DHCP=no\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n";
	_cleanup_free_ char *lan1 =
		sw_fmt("[Match]\nName=eth7\n\n[Network]\nBond=bond0\n%s", member);
	_cleanup_json_ json_object *o = make(
		"  links:\n    - {name: lan0, match: {driver: e1000*}}\n"
		"    - {name: lan1, match: {name: eth7}}\n"
		"    - {name: bond0, bond: {members: [lan0, lan1], mode: 802.3ad}, dhcp: no}\n"
		"    - {name: vlan42, vlan: {id: 42, link: bond0}, dhcp: 4}\n");

	assert_file(o, "10-slipway-02-lan1.network", lan1);
	assert_file(o, "10-slipway-03-bond0.netdev",
		    "[NetDev]\nName=bond0\nKind=bond\nMACAddress=52:54:00:12:34:58\n\n"
		    "[Bond]\nMode=802.3ad\n"
		    "MIIMonitorSec=100ms\n");
	assert_file(o, "10-slipway-03-bond0.network",
		    "[Match]\nName=bond0\n\n[Network]\nVLAN=vlan42\nDHCP=no\n"
		    "\n[IPv6AcceptRA]\nUseDomains=yes\n");
	assert_file(o, "10-slipway-04-vlan42.netdev",
		    "[NetDev]\nName=vlan42\nKind=vlan\n\n[VLAN]\nId=42\n");
	assert_file(o, "10-slipway-04-vlan42.network",
		    "[Match]\nName=vlan42\n\n[Network]\nDHCP=ipv4\n" BY_DHCP);
	assert_int_equal(json_object_object_length(sw_json_get(o, "files")), 6);
}

static void test_a_bridge_has_its_member(void **state SW_UNUSED)
{
	_cleanup_json_ json_object *o = make(
		"  links:\n    - name: enp1s0\n    - {name: br0, bridge: {members: enp1s0}}\n");

	assert_file(o, "10-slipway-01-enp1s0.network",
		    "[Match]\nName=enp1s0\n\n[Network]\nBridge=br0\nDHCP=no\n"
		    "LinkLocalAddressing=no\nIPv6AcceptRA=no\n");
	assert_file(o, "10-slipway-02-br0.netdev",
		    "[NetDev]\nName=br0\nKind=bridge\nMACAddress=52:54:00:12:34:56\n");
}

static void test_a_carrier_becomes_the_addresses_that_have_one(void **state SW_UNUSED)
{
	_cleanup_json_ json_object *o =
		make("  links: {match: {driver: virtio_net, carrier: yes}}\n");
	struct sw_error e = {};

	assert_file(o, "10-slipway-01.network",
		    "[Match]\nPermanentMACAddress=52:54:00:12:34:57\n\n[Network]\nDHCP=yes\n"
		    BY_DHCP);
	assert_int_equal(refused("  links: {match: {driver: e1000e, carrier: no}}\n", &e), -ENODEV);
	assert_int_equal(e.exit, SW_EXIT_MISSING);
}

static void test_one_address_is_not_given_to_two_cards(void **state SW_UNUSED)
{
	struct sw_error e = {};

	assert_int_equal(refused("  links: {match: {driver: virtio_net}, "
				 "addresses: 192.0.2.7/24}\n", &e), -ENOTUNIQ);
	assert_int_equal(e.exit, SW_EXIT_REFUSED);
	assert_string_equal(e.what, "network.links[1] gives one address to 2 cards");
}

static void test_the_review_says_it_in_words(void **state SW_UNUSED)
{
	_cleanup_answers_ struct sw_answers *a = parse(
		"  links:\n    - {name: lan0, match: {mac: 52:54:00:12:34:56}, mtu: 9000}\n"
		"    - {name: bond0, bond: {members: lan0}, addresses: 192.0.2.7/24, "
		"gateway: 192.0.2.1}\n    - {name: v, vlan: {id: 7, link: bond0}, dhcp: 6}\n"
		"  proxy: http://proxy.example:3128\n  ntp: [a.example, b.example]\n");
	_cleanup_strv_ char **lines = NULL;

	assert_int_equal(sw_plan_network_words(a, &lines), 0);
	assert_int_equal(sw_strv_len(lines), 5);
	assert_string_equal(lines[0], "lan0: card 52:54:00:12:34:56, MTU 9000");
	assert_string_equal(lines[1], "bond0: bond (active-backup) of lan0, 192.0.2.7/24, "
				      "gateway 192.0.2.1");
	assert_string_equal(lines[2], "v: VLAN 7 on bond0, IPv6 addresses by DHCP");
	assert_string_equal(lines[3], "proxy http://proxy.example:3128");
	assert_string_equal(lines[4], "time from a.example, b.example");
}

static void test_a_name_that_leads_elsewhere_is_not_sound(void **state SW_UNUSED)
{
	static const char *const bad[] = {
		"{\"files\":{\"../x\":\"\"}}", "{\"files\":{\".x\":\"\"}}",
		"{\"files\":{\"\":\"\"}}",
		"{\"files\":{\"x\":1}}", "{\"files\":[]}", "[]",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_json_ json_object *o = json_tokener_parse(bad[i]);

		assert_false(sw_plan_network_is_sound(o));
	}
}

static void test_a_link_counts_for_the_file_that_networkd_uses_for_it(void **state SW_UNUSED)
{
	static const char up[] = "# This is private data. Do not parse.\nADMIN_STATE=configured\n"
				 "CARRIER_STATE=carrier\n"
				 "NETWORK_FILE=/run/systemd/network/10-slipway-01.network\n";
	static const char down[] = "ADMIN_STATE=configuring\nCARRIER_STATE=no-carrier\n"
				   "NETWORK_FILE=/run/systemd/network/10-slipway-01.network";
	struct sw_networkd_state s = {};

	sw_networkd_parse(up, "10-slipway-02.network", 1, &s);
	sw_networkd_parse("", "10-slipway-01.network", 1, &s);
	sw_networkd_parse("NETWORK_FILE=10-slipway-01.network\n", "10-slipway-01.network", 1, &s);
	assert_int_equal(s.links, 0);
	sw_networkd_parse(down, "10-slipway-01.network", 99999, &s);
	assert_int_equal(s.links, 1);
	assert_false(s.configured || s.carrier || s.failed);
	assert_string_equal(s.link, "");
	sw_networkd_parse(up, "10-slipway-01.network", 1, &s);
	assert_int_equal(s.links, 2);
	assert_true(s.configured && s.carrier);
	assert_string_equal(s.link, "lo");
	sw_networkd_parse("ADMIN_STATE=failed\nNETWORK_FILE=/x/10-slipway-01.network\n",
			  "10-slipway-01.network", 1, &s);
	assert_true(s.failed && s.configured);
}

static void test_subnets_hold_what_their_bits_say(void **state SW_UNUSED)
{
	static const struct { const char *net, *address; bool in; } cases[] = {
		{ "192.0.2.7/24", "192.0.2.254", true }, { "192.0.2.7/24", "192.0.3.1", false },
		{ "192.0.2.7/25", "192.0.2.128", false }, { "192.0.2.7/31", "192.0.2.6", true },
		{ "0.0.0.0/0", "203.0.113.9", true }, { "192.0.2.7/32", "192.0.2.6", false },
		{ "2001:db8::7/64", "2001:db8::1", true },
		{ "2001:db8::7/127", "2001:db8::5", false },
		{ "::/0", "192.0.2.1", false },
	};
	static const char *const bad[] = {
		"192.0.2.7", "192.0.2.7/", "192.0.2.7/33", "192.0.2.7/-1", "192.0.2.7/24x", "/24",
		"2001:db8::/129", "192.0.2/24", "fe80::1%eth0/64", "192.0.2.7/0024",
	};
	struct sw_ip net, ip;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(sw_ip_parse_subnet(cases[i].net, &net), 0);
		assert_int_equal(sw_ip_parse(cases[i].address, &ip), 0);
		if (sw_ip_in_subnet(&ip, &net) != cases[i].in)
			fail_msg("%s in %s", cases[i].address, cases[i].net);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (sw_ip_parse_subnet(bad[i], &net) == 0)
			fail_msg("%s was taken", bad[i]);
	assert_int_equal(sw_ip_parse("fe80::1", &ip), 0);
	assert_true(sw_ip_is_link_local(&ip));
	assert_int_equal(sw_ip_parse("::1", &ip), 0);
	assert_false(sw_ip_is_link_local(&ip));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers_without_a_network_make_no_files),
		cmocka_unit_test(test_a_card_by_its_address_asks_for_an_address),
		cmocka_unit_test(test_a_fixed_address_asks_nobody),
		cmocka_unit_test(test_ipv6_by_dhcp_needs_no_router_that_says_so),
		cmocka_unit_test(test_a_vlan_lies_on_a_bond_of_two_cards),
		cmocka_unit_test(test_a_bridge_has_its_member),
		cmocka_unit_test(test_a_carrier_becomes_the_addresses_that_have_one),
		cmocka_unit_test(test_one_address_is_not_given_to_two_cards),
		cmocka_unit_test(test_the_review_says_it_in_words),
		cmocka_unit_test(test_a_name_that_leads_elsewhere_is_not_sound),
		cmocka_unit_test(test_a_link_counts_for_the_file_that_networkd_uses_for_it),
		cmocka_unit_test(test_subnets_hold_what_their_bits_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
