/* SPDX-License-Identifier: Apache-2.0 */
#include "net/offers.h"

#include <arpa/inet.h>
#include <string.h>
#include <unistd.h>

#include "base/proc.h"
#include "base/strv.h"
#include "base/text.h"

/* The first answer may take two tries of dhcpcd's, which come after 1 and 4 seconds. */
#define FIRST_S "8"
#define NEXT_S "4"
#define LIMIT_S 20U		/* for dhcpcd to end by itself */
#define VALUE_MAX 255U

static const struct {
	const char *variable, *key;
	bool number;
} fields[] = {
	{ "new_dhcp_server_identifier", "server", false },
	{ "new_ip_address", "address", false },
	{ "new_subnet_cidr", "bits", true },
	{ "new_routers", "routers", false },
	{ "new_domain_name_servers", "dns", false },
	{ "new_domain_name", "domain", false },
	{ "new_ntp_servers", "ntp", false },
	{ "new_dhcp_lease_time", "lease_s", true },
	{ "new_filename", "boot_file", false },
	{ "new_bootfile_name", "boot_file", false },
	{ "new_tftp_server_name", "boot_server", false },
	{ "new_interface_mtu", "mtu", true },
};

static void take(json_object *o, const char *line, size_t len)
{
	const char *equal = memchr(line, '=', len);
	size_t name = equal ? (size_t)(equal - line) : 0, n = equal ? len - name - 1 : 0;

	for (size_t i = 0; equal && n > 0 && i < ARRAY_SIZE(fields); i++) {
		_cleanup_free_ char *value = NULL;

		if (strlen(fields[i].variable) != name || memcmp(line, fields[i].variable, name))
			continue;
		value = strndup(equal + 1, n < VALUE_MAX ? n : VALUE_MAX);
		if (!value)
			return;
		sw_text_mask(value);
		if (fields[i].number)
			sw_json_add_u64(o, fields[i].key, strtoul(value, NULL, 10));
		else
			sw_json_add_str(o, fields[i].key, value);
	}
}

json_object *sw_offer_read(const char *text)
{
	_cleanup_json_ json_object *o = json_object_new_object();
	struct in_addr server;

	for (const char *line = text; o && *line;) {
		size_t n = strcspn(line, "\n");

		take(o, line, n);
		line += n + (line[n] == '\n');
	}
	/* It is passed over by its address, the next time. */
	if (!sw_json_get(o, "address") ||
	    inet_pton(AF_INET, sw_json_str(o, "server", ""), &server) != 1)
		return NULL;
	return TAKE_PTR(o);
}

static int may_not(int r, struct sw_error *err)
{
	if (r == -ENOENT) {
		sw_fail(err, SW_EXIT_MISSING, r, "there is no dhcpcd here to ask with");
		sw_error_hint(err, "install dhcpcd-base; it is not started, only asked");
		return r;
	}
	sw_fail(err, SW_EXIT_MISSING, -EPERM, "DHCP servers can be asked only by root");
	sw_error_hint(err, "start slipway as root");
	return -EPERM;
}

/* dhcpcd's script is env: it prints what was offered and changes nothing, whatever it is for. */
static int ask_one(const char *link, json_object *heard, json_object **ret_offer)
{
	const char *argv[16 + 2 * SW_OFFERS_MAX] = {
		"dhcpcd", "--test", "-4", "--config", "/dev/null", "--script", "/usr/bin/env",
		"--timeout",
	};
	/* With a user of its own it leaves its helpers behind in this mode. */
	const struct sw_proc p = { .argv = argv, .timeout_s = LIMIT_S, .stdin_fd = -EBADF,
				   .alone = true };
	size_t n = json_object_array_length(heard), at = 8;
	_cleanup_buf_ struct sw_buf out = {};
	int r;

	argv[at++] = n ? NEXT_S : FIRST_S;
	for (size_t i = 0; i < n; i++) {
		argv[at++] = "--blacklist";
		argv[at++] = sw_json_str(json_object_array_get_idx(heard, i), "server", "");
	}
	argv[at] = link;
	r = sw_proc_run_with(&p, &out);
	/* What it printed counts: 9.4 with its helpers crashes once the offer is told. */
	*ret_offer = sw_offer_read(sw_buf_text(&out));
	return r == -ENOENT ? r : 0;
}

static bool is_known(json_object *heard, json_object *offer)
{
	for (size_t i = 0; i < json_object_array_length(heard); i++)
		if (strcmp(sw_json_str(json_object_array_get_idx(heard, i), "server", ""),
			   sw_json_str(offer, "server", "")) == 0)
			return true;
	return false;
}

static int ask_link(const char *link, const struct sw_sink *sink, json_object *heard,
		    struct sw_error *err)
{
	for (unsigned int i = 0; i < SW_OFFERS_MAX; i++) {
		_cleanup_json_ json_object *offer = NULL;
		int r = sw_event_poll(sink);

		if (r < 0)
			return sw_fail(err, SW_EXIT_CANCELLED, r, "cancelled");
		r = ask_one(link, heard, &offer);
		if (r < 0)
			return may_not(r, err);
		if (!offer || is_known(heard, offer))
			return 0;
		sw_event_log(sink, "%s: %s offers %s/%llu", link, sw_json_str(offer, "server", ""),
			     sw_json_str(offer, "address", ""),
			     (unsigned long long)sw_json_u64(offer, "bits", 32));
		json_object_array_add(heard, TAKE_PTR(offer));
	}
	return 0;
}

int sw_offers_look(char *const *links, const struct sw_sink *sink, json_object **ret_list,
		   struct sw_error *err)
{
	_cleanup_json_ json_object *list = json_object_new_array();
	int r = geteuid() == 0 ? 0 : may_not(-EPERM, err);

	for (char *const *l = links; *l && r == 0; l++) {
		json_object *o = json_object_new_object(), *heard = json_object_new_array();

		sw_json_add_str(o, "link", *l);
		sw_json_add(o, "offers", heard);
		json_object_array_add(list, o);
		sw_event_log(sink, "%s: asking for offers, up to " FIRST_S " seconds ...", *l);
		r = ask_link(*l, sink, heard, err);
		if (r == 0 && !json_object_array_length(heard))
			sw_event_log(sink, "%s: no offer", *l);
	}
	if (r == 0)
		*ret_list = TAKE_PTR(list);
	return r;
}

static int no_link(const char *name, struct sw_error *err)
{
	sw_fail(err, SW_EXIT_USAGE, -ENODEV, "there is no link %s here", name);
	sw_error_hint(err, "`slipway network` lists them");
	return -ENODEV;
}

int sw_offers_of(struct sw_machine *m, const char *only, const struct sw_sink *sink,
		 json_object **ret_list, struct sw_error *err)
{
	_cleanup_facts_ struct sw_facts *f = NULL;
	_cleanup_strv_ char **links = NULL;
	int r;

	if (m->kind != SW_MACHINE_REAL)
		return sw_fail(err, SW_EXIT_REFUSED, -EROFS,
			       "only the machine that runs has wires to ask on");
	r = sw_machine_identity(m, &f, err);
	for (size_t i = 0; r == 0 && i < f->n_links; i++) {
		const struct sw_link *l = &f->links[i];

		if (strcmp(l->name, "lo") != 0 && l->mac && l->carrier &&
		    (!only || strcmp(l->name, only) == 0) && sw_strv_add(&links, l->name) < 0)
			r = sw_fail_oom(err);
	}
	if (r == 0 && !links && only)
		return no_link(only, err);
	if (r < 0)
		return r;
	return sw_offers_look(links ? links : (char *[]){ NULL }, sink, ret_list, err);
}

/* ---- in words ---- */

static void line(struct sw_buf *b, const char *label, const char *text)
{
	if (text)
		(void)sw_buf_addf(b, "    %-13s %s\n", label, text);
}

static int offer_text(json_object *o, struct sw_buf *b)
{
	char text[64];

	(void)sw_buf_addf(b, "  %s offers %s/%llu\n", sw_json_str(o, "server", "?"),
			  sw_json_str(o, "address", "?"),
			  (unsigned long long)sw_json_u64(o, "bits", 32));
	line(b, "router", sw_json_str(o, "routers", NULL));
	line(b, "name servers", sw_json_str(o, "dns", NULL));
	line(b, "domain", sw_json_str(o, "domain", NULL));
	line(b, "time servers", sw_json_str(o, "ntp", NULL));
	line(b, "boot file", sw_json_str(o, "boot_file", NULL));
	line(b, "boot server", sw_json_str(o, "boot_server", NULL));
	(void)snprintf(text, sizeof(text), "%llu s", (unsigned long long)
		       sw_json_u64(o, "lease_s", 0));
	line(b, "lease of", sw_json_get(o, "lease_s") ? text : NULL);
	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)sw_json_u64(o, "mtu", 0));
	line(b, "MTU", sw_json_get(o, "mtu") ? text : NULL);
	return sw_buf_adds(b, "");
}

int sw_offers_text(json_object *list, struct sw_buf *out)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < json_object_array_length(list); i++) {
		json_object *o = json_object_array_get_idx(list, i);
		json_object *offers = sw_json_array(o, "offers");
		size_t n = offers ? json_object_array_length(offers) : 0;

		r = sw_buf_addf(out, "%s%s\n", i ? "\n" : "", sw_json_str(o, "link", "?"));
		for (size_t k = 0; k < n && r == 0; k++)
			r = offer_text(json_object_array_get_idx(offers, k), out);
		if (r == 0 && !n)
			r = sw_buf_adds(out, "  no server made an offer\n");
		if (r == 0 && n > 1)
			r = sw_buf_addf(out, "  %zu servers answer on this wire: which of them a "
					     "node gets its address from is chance.\n", n);
	}
	if (r == 0 && !json_object_array_length(list))
		r = sw_buf_adds(out, "No link has a carrier, so nobody was asked.\n");
	return r;
}
