/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the network calls this machine: the name that came with a DHCP lease, and the PTR record of
 * one of its addresses. Neither is proven: a name decides what the node is called, not what it may.
 * Sources: RFC 1035 3.5 and RFC 3596 2.5 (names of addresses); networkd writes option 12 of a
 * lease as HOSTNAME= (systemd, src/libsystemd-network/sd-dhcp-lease.c).
 */
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <resolv.h>
#include <string.h>

#include "answers/source-private.h"
#include "base/file.h"
#include "base/text.h"

#define DNS_ANSWER_MAX 4096

/* ---- DHCP ---- */

static int read_name(const char *lease, void *arg SW_UNUSED, char **ret_text)
{
	_cleanup_free_ char *name = sw_text_value(lease, "HOSTNAME");

	if (!name || !*name || !sw_text_is_clean(name))
		return -ENODATA;
	*ret_text = TAKE_PTR(name);
	return 0;
}

int sw_name_by_dhcp(const struct sw_machine *m, char **ret_name, struct sw_error *err)
{
	int r = sw_leases_find(m, read_name, NULL, ret_name);

	if (r == -ENOMEM)
		return sw_fail_oom(err);
	if (r == -ENOTUNIQ) {
		(void)sw_fail(err, SW_EXIT_INVALID, r, "DHCP leases have different host names");
		sw_error_hint(err, "let one server give the name, or use another word than "
				   "${dhcp}");
	}
	return r;
}

/* ---- DNS ---- */

static void reverse4(const uint8_t a[static 4], char name[static 80])
{
	(void)snprintf(name, 80, "%u.%u.%u.%u.in-addr.arpa", a[3], a[2], a[1], a[0]);
}

static void reverse6(const uint8_t a[static 16], char name[static 80])
{
	static const char digits[] = "0123456789abcdef";
	size_t n = 0;

	for (size_t i = 16; i-- > 0;) {
		name[n++] = digits[a[i] & 15];
		name[n++] = '.';
		name[n++] = digits[a[i] >> 4];
		name[n++] = '.';
	}
	(void)snprintf(name + n, 80 - n, "ip6.arpa");
}

bool sw_dns_reverse(const char *address, char ret_name[static 80])
{
	char text[64];
	uint8_t a[16];

	(void)snprintf(text, sizeof(text), "%.*s", (int)strcspn(address, "/"), address);
	if (inet_pton(AF_INET, text, a) == 1) {
		reverse4(a, ret_name);
		return a[0] != 127 && !(a[0] == 169 && a[1] == 254);
	}
	if (inet_pton(AF_INET6, text, a) != 1)
		return false;
	reverse6(a, ret_name);
	return !(a[0] == 0xfe && (a[1] & 0xc0) == 0x80);
}

int sw_dns_ptr(const uint8_t *answer, size_t len, char **ret_name)
{
	ns_msg msg;

	if (len > DNS_ANSWER_MAX || ns_initparse(answer, (int)len, &msg) < 0)
		return -EBADMSG;
	for (int i = 0; i < ns_msg_count(msg, ns_s_an); i++) {
		char name[NS_MAXDNAME];
		ns_rr rr;

		if (ns_parserr(&msg, ns_s_an, i, &rr) < 0)
			return -EBADMSG;
		if (ns_rr_type(rr) != ns_t_ptr || ns_rr_class(rr) != ns_c_in ||
		    ns_name_uncompress(ns_msg_base(msg), ns_msg_end(msg), ns_rr_rdata(rr), name,
				       sizeof(name)) < 0 || !sw_text_is_clean(name) || !*name)
			continue;
		*ret_name = strdup(name);
		return *ret_name ? 0 : -ENOMEM;
	}
	return -ENODATA;
}

static int ask(struct __res_state *rs, const char *address, char **ret_name)
{
	uint8_t answer[DNS_ANSWER_MAX];
	char reverse[80];
	int n;

	if (!sw_dns_reverse(address, reverse))
		return -ENODATA;
	n = res_nquery(rs, reverse, ns_c_in, ns_t_ptr, answer, sizeof(answer));
	return n < 0 || (size_t)n > sizeof(answer) ? -ENODATA
						   : sw_dns_ptr(answer, (size_t)n, ret_name);
}

int sw_name_by_dns(const struct sw_machine *m, const struct sw_facts *f, char **ret_name,
		   struct sw_error *err)
{
	_cleanup_json_ json_object *net = NULL;
	struct __res_state rs = {};
	int r = sw_resolver_open(m, &rs, &net, err);

	if (r < 0)
		return r;
	r = -ENODATA;
	for (size_t i = 0; i < f->n_links && r == -ENODATA && rs.nscount > 0; i++)
		for (char *const *a = f->links[i].addresses; a && *a && r < 0; a++)
			r = ask(&rs, *a, ret_name);
	res_nclose(&rs);
	if (r == -ENOMEM)
		return sw_fail_oom(err);
	return r < 0 ? -ENODATA : 0;
}
