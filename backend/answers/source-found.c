/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a name server (TXT record) or a DHCP server (a site's own option) says that the answers
 * are. Neither proves who it is, so all it gives is a place: whether what lies there is believed
 * depends on what named the name server or DHCP server, see sw_source_may().
 * Sources: RFC 1035 3.3.14 (TXT); RFC 3942 (site-specific options); networkd writes options 224 to
 * 254 of a lease as OPTION_N=HEX (systemd, src/libsystemd-network/sd-dhcp-lease.c).
 */
#include "answers/source-private.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <dirent.h>
#include <netdb.h>
#include <resolv.h>
#include <string.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/strv.h"
#include "base/text.h"
#include "net/routes.h"

#define DNS_LABEL "_slipway"
#define DNS_ANSWER_MAX 4096
#define DNS_TRY_SECONDS 2
#define LEASE_MAX (64u << 10)	/* bytes of a lease's file */

static bool is_place(const char *text)
{
	return strncmp(text, "https://", 8) == 0 || strncmp(text, "http://", 7) == 0 ||
	       strncmp(text, "post:https://", 13) == 0;
}

/* Keeps the one that there is; -ENOTUNIQ when another says something else. */
static int keep(char **found, const char *text)
{
	if (*found)
		return strcmp(*found, text) == 0 ? 0 : -ENOTUNIQ;
	*found = strdup(text);
	return *found ? 0 : -ENOMEM;
}

static int fail_several(const struct sw_answers_source *s, struct sw_error *err)
{
	(void)sw_fail(err, SW_EXIT_INVALID, -ENOTUNIQ, "several places of answers are told");
	sw_error_where(err, "%s", s->text);
	sw_error_hint(err, "leave one of them there");
	return -ENOTUNIQ;
}

/* ---- DNS ---- */

/* The strings of one record as one text: a string has at most 255 bytes, a URL may have more. */
static int take_txt(const ns_rr *rr, char **found)
{
	const unsigned char *p = ns_rr_rdata(*rr), *end = p + ns_rr_rdlen(*rr);
	_cleanup_buf_ struct sw_buf b = {};
	int r = 0;

	while (p < end && r == 0) {
		size_t n = *p++;

		if (n > (size_t)(end - p))
			return 0;
		r = memchr(p, '\0', n) ? -EINVAL : sw_buf_add(&b, p, n);
		p += n;
	}
	if (r == -EINVAL)
		return 0;
	if (r < 0 || !is_place(sw_buf_text(&b)) || !sw_text_is_clean(sw_buf_text(&b)))
		return r;
	return keep(found, sw_buf_text(&b));
}

int sw_dns_txt(const uint8_t *answer, size_t len, char **ret_text)
{
	_cleanup_free_ char *found = NULL;
	ns_msg msg;
	int r = 0;

	if (len > DNS_ANSWER_MAX || ns_initparse(answer, (int)len, &msg) < 0)
		return -EBADMSG;
	for (int i = 0; i < ns_msg_count(msg, ns_s_an) && r == 0; i++) {
		ns_rr rr;

		if (ns_parserr(&msg, ns_s_an, i, &rr) < 0)
			return -EBADMSG;
		if (ns_rr_type(rr) == ns_t_txt && ns_rr_class(rr) == ns_c_in)
			r = take_txt(&rr, &found);
	}
	if (r == 0 && !found)
		return -ENODATA;
	*ret_text = TAKE_PTR(found);
	return r;
}

/* A stand-in's resolv.conf may say `port N`, so that a server without rights can be its own. */
static void standin_servers(const struct sw_machine *m, json_object *dns, struct __res_state *rs)
{
	_cleanup_free_ char *path = sw_fmt("%s/net/resolv.conf", m->dir);
	_cleanup_buf_ struct sw_buf b = { .max = LEASE_MAX };
	const char *port = path && sw_file_read(path, &b) == 0
				   ? strstr(sw_buf_text(&b), "port ") : NULL;

	rs->nscount = 0;
	for (size_t i = 0; i < json_object_array_length(dns) && rs->nscount < MAXNS; i++) {
		struct sockaddr_in *to = &rs->nsaddr_list[rs->nscount];

		*to = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(53) };
		if (port)
			to->sin_port = htons((uint16_t)strtoul(port + 5, NULL, 10));
		if (inet_pton(AF_INET,
			      json_object_get_string(json_object_array_get_idx(dns, i)),
			      &to->sin_addr) == 1)
			rs->nscount++;
	}
}

static int fail_dns(const struct sw_answers_source *s, const char *name, bool no_such,
		    struct sw_error *err)
{
	int r = no_such ? -ENODATA : -EAGAIN;

	(void)sw_fail(err, no_such ? SW_EXIT_MISSING : SW_EXIT_NETWORK, r,
		      no_such ? "%.200s has no TXT record with a URL"
			      : "no name server tells the TXT record of %.200s", name);
	sw_error_where(err, "%s", s->text);
	if (no_such)
		sw_error_hint(err, "make one: %.200s TXT \"https://boot.example/node.yaml\"", name);
	return r;
}

static int ask_dns(const struct sw_answers_source *s, struct __res_state *rs, const char *name,
		   char **ret_text, struct sw_error *err)
{
	uint8_t answer[DNS_ANSWER_MAX];
	int n = rs->nscount > 0 ? res_nquery(rs, name, ns_c_in, ns_t_txt, answer, sizeof(answer))
				: -1;
	bool no_such = n >= 0 || (rs->nscount > 0 && (rs->res_h_errno == HOST_NOT_FOUND ||
						      rs->res_h_errno == NO_DATA));
	int r = n < 0 || (size_t)n > sizeof(answer) ? -ENODATA
						    : sw_dns_txt(answer, (size_t)n, ret_text);

	if (r == -ENOTUNIQ)
		return fail_several(s, err);
	if (r == -ENOMEM)
		return sw_fail_oom(err);
	return r < 0 ? fail_dns(s, name, no_such, err) : 0;
}

/* Without a name: _slipway in the domains that the network's own DHCP or resolv.conf names. */
static int ask_domains(const struct sw_answers_source *s, struct __res_state *rs,
		       json_object *search, char **ret_text, struct sw_error *err)
{
	struct sw_error last = {};
	int r = json_object_array_length(search) ? 0 : fail_dns(s, DNS_LABEL, false, &last);

	for (size_t i = 0; i < json_object_array_length(search); i++) {
		const char *domain = json_object_get_string(json_object_array_get_idx(search, i));
		_cleanup_free_ char *name = sw_fmt(DNS_LABEL ".%s", domain);

		last = (struct sw_error){};
		r = name ? ask_dns(s, rs, name, ret_text, &last) : sw_fail_oom(&last);
		if (r != -ENODATA)
			break;
	}
	if (r < 0 && err && err->r == 0)
		*err = last;
	return r;
}

int sw_resolver_open(const struct sw_machine *m, struct __res_state *rs, json_object **ret_net,
		     struct sw_error *err)
{
	_cleanup_json_ json_object *net = json_object_new_object();

	if (!net)
		return sw_fail_oom(err);
	sw_routes_look(m, net);
	if (res_ninit(rs) < 0)
		return sw_fail(err, SW_EXIT_FAILED, -EIO, "the resolver does not start");
	rs->retrans = DNS_TRY_SECONDS;
	if (m->kind != SW_MACHINE_REAL)
		standin_servers(m, sw_json_array(net, "dns"), rs);
	*ret_net = TAKE_PTR(net);
	return 0;
}

static int from_dns(struct sw_machine *m, const struct sw_answers_source *s, char **ret_text,
		    struct sw_error *err)
{
	_cleanup_json_ json_object *net = NULL;
	struct __res_state rs = {};
	int r = sw_resolver_open(m, &rs, &net, err);

	if (r < 0)
		return r;
	r = *s->location ? ask_dns(s, &rs, s->location, ret_text, err)
			 : ask_domains(s, &rs, sw_json_array(net, "search"), ret_text, err);
	res_nclose(&rs);
	return r;
}

/* ---- DHCP ---- */

int sw_lease_option(const char *lease, unsigned int option, char **ret_text)
{
	_cleanup_free_ char *key = sw_fmt("OPTION_%u", option), *text = NULL;
	_cleanup_free_ char *hex = key ? sw_text_value(lease, key) : NULL;
	_cleanup_free_ uint8_t *data = NULL;
	size_t len = 0;

	if (!hex)
		return key ? -ENODATA : -ENOMEM;
	hex[strcspn(hex, "\r")] = '\0';
	if (sw_hex_decode(hex, &data, &len) < 0)
		return -EBADMSG;
	/* Some servers end the text with a NUL. */
	while (len && data[len - 1] == '\0')
		len--;
	text = strndup((const char *)data, len);
	if (!text)
		return -ENOMEM;
	if (strlen(text) != len || !sw_text_is_clean(text) || !is_place(text))
		return -EBADMSG;
	*ret_text = TAKE_PTR(text);
	return 0;
}

int sw_leases_find(const struct sw_machine *m, int (*read)(const char *lease, void *arg,
							    char **ret_text),
		   void *arg, char **ret_text)
{
	_cleanup_free_ char *dir = sw_fmt("%s/netif/leases", m->networkd ? m->networkd : "");
	_cleanup_closedir_ DIR *d = dir ? opendir(dir) : NULL;
	_cleanup_free_ char *found = NULL;
	int r = dir ? 0 : -ENOMEM;

	for (struct dirent *e = d ? readdir(d) : NULL; e && r == 0; e = readdir(d)) {
		_cleanup_free_ char *path = sw_fmt("%s/%s", dir, e->d_name), *text = NULL;
		_cleanup_buf_ struct sw_buf b = { .max = LEASE_MAX };

		if (!path)
			r = -ENOMEM;
		else if (e->d_name[0] != '.' && sw_file_read(path, &b) == 0 &&
			 read(sw_buf_text(&b), arg, &text) == 0)
			r = keep(&found, text);
	}
	if (r < 0)
		return r;
	*ret_text = TAKE_PTR(found);
	return *ret_text ? 0 : -ENODATA;
}

static int read_option(const char *lease, void *option, char **ret_text)
{
	return sw_lease_option(lease, *(unsigned int *)option, ret_text);
}

static int from_dhcp(struct sw_machine *m, const struct sw_answers_source *s, char **ret_text,
		     struct sw_error *err)
{
	unsigned int option = *s->location ? (unsigned int)strtoul(s->location, NULL, 10)
					   : SW_DHCP_OPTION;
	int r = sw_leases_find(m, read_option, &option, ret_text);

	if (r == -ENOTUNIQ)
		return fail_several(s, err);
	if (r == -ENODATA) {
		(void)sw_fail(err, SW_EXIT_NETWORK, -EAGAIN,
			      "no DHCP lease has option %u with a URL", option);
		sw_error_where(err, "%s", s->text);
		sw_error_hint(err, "dnsmasq: dhcp-option-force=%u,https://boot.example/node.yaml",
			      option);
		return -EAGAIN;
	}
	return r < 0 ? sw_fail_oom(err) : 0;
}

bool sw_source_points(const struct sw_answers_source *s)
{
	return s->form == SW_FORM_DNS || s->form == SW_FORM_DHCP;
}

int sw_source_look_up(struct sw_machine *m, const struct sw_answers_source *s, char **ret_text,
		      struct sw_error *err)
{
	return s->form == SW_FORM_DNS ? from_dns(m, s, ret_text, err)
				      : from_dhcp(m, s, ret_text, err);
}

/* Who can say where the answers are must not say as well whom to believe. */
static int refuse_conditions(const struct sw_answers_source *to, const struct sw_answers_source *s,
			     struct sw_error *err)
{
	if (!to->sha256 && !to->pin)
		return 0;
	(void)sw_fail(err, SW_EXIT_REFUSED, -EKEYREJECTED,
		      "what tells the place of answers also tells a hash or a pin");
	sw_error_where(err, "%s", s->text);
	sw_error_why(err, "name servers and DHCP do not prove who they are");
	sw_error_hint(err, "let them give the URL alone, and put #pin= or #sha256= where they are "
		      "named, like dns#pin=sha256:HEX");
	return -EKEYREJECTED;
}

int sw_source_pointed(const struct sw_answers_source *s, const char *text,
		      struct sw_answers_source *ret_source, struct sw_error *err)
{
	_cleanup_answers_source_ struct sw_answers_source to = {};
	int r = sw_answers_source_parse(text, s->kind, s->text, &to, err);

	if (r < 0) {
		sw_error_where(err, "%s", s->text);
		return r;
	}
	r = refuse_conditions(&to, s, err);
	if (r < 0)
		return r;
	for (size_t i = 0; s->keys && s->keys[i]; i++)
		if (sw_strv_add(&to.keys, s->keys[i]) < 0)
			return sw_fail_oom(err);
	if ((s->sha256 && !(to.sha256 = strdup(s->sha256))) ||
	    (s->pin && !(to.pin = strdup(s->pin))))
		return sw_fail_oom(err);
	r = sw_source_may(&to, err);
	if (r < 0)
		return r;
	*ret_source = to;
	to = (struct sw_answers_source){};
	return 0;
}
