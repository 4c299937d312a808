/* SPDX-License-Identifier: Apache-2.0 */
#include "net/routes.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <net/route.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

#define FILE_MAX ((size_t)1 << 20)
#define ROUTES_MAX 256u		/* a screen's worth; routers have thousands */
#define WORD "63"

struct route {
	char to[64], via[64], link[64];
	unsigned int metric;
};

static void add(json_object *routes, struct route *r)
{
	json_object *o;

	if (json_object_array_length(routes) >= ROUTES_MAX)
		return;
	o = json_object_new_object();
	sw_json_add_str(o, "to", r->to);
	sw_json_add_str(o, "via", r->via[0] ? r->via : NULL);
	sw_json_add_str(o, "link", sw_text_clean(r->link));
	json_object_object_add(o, "metric", json_object_new_int64(r->metric));
	json_object_array_add(routes, o);
}

/* Calls take() for each line, without its newline. Long ones are no line of these files. */
static void each_line(const char *text, void (*take)(const char *line, void *arg), void *arg)
{
	char line[512];

	while (*text) {
		size_t n = strcspn(text, "\n");

		if (n < sizeof(line)) {
			memcpy(line, text, n);
			line[n] = '\0';
			take(line, arg);
		}
		text += n + (text[n] == '\n');
	}
}

/* Iface Destination Gateway Flags RefCnt Use Metric Mask ...; addresses in host order. */
static void take4(const char *line, void *arg)
{
	unsigned int to, via, flags, mask;
	struct route r = { 0 };
	struct in_addr a;
	char text[INET_ADDRSTRLEN];

	if (sscanf(line, "%" WORD "s %x %x %x %*u %*u %u %x", r.link, &to, &via, &flags,
		   &r.metric, &mask) != 6 || !(flags & RTF_UP))
		return;
	a.s_addr = to;
	if (to == 0 && mask == 0)
		(void)snprintf(r.to, sizeof(r.to), "default");
	else
		(void)snprintf(r.to, sizeof(r.to), "%s/%d", inet_ntop(AF_INET, &a, text,
			       sizeof(text)), __builtin_popcount(mask));
	a.s_addr = via;
	if (flags & RTF_GATEWAY)
		(void)inet_ntop(AF_INET, &a, r.via, sizeof(r.via));
	add(arg, &r);
}

void sw_routes_parse4(const char *text, json_object *routes)
{
	each_line(text, take4, routes);
}

static bool read_hex6(const char *hex, struct in6_addr *ret_address)
{
	for (size_t i = 0; i < 16; i++) {
		unsigned int byte;

		if (sscanf(hex + 2 * i, "%2x", &byte) != 1)
			return false;
		ret_address->s6_addr[i] = (uint8_t)byte;
	}
	return true;
}

/* Destination, its length, source, its length, next hop, metric, references, use, flags, link. */
static void take6(const char *line, void *arg)
{
	char to[33], via[33], text[INET6_ADDRSTRLEN];
	unsigned int bits, flags;
	struct route r = { 0 };
	struct in6_addr a, next;

	if (sscanf(line, "%32[0-9a-f] %x %*32s %*x %32[0-9a-f] %x %*x %*x %x %" WORD "s", to,
		   &bits, via, &r.metric, &flags, r.link) != 6 ||
	    strlen(to) != 32 || strlen(via) != 32 || bits > 128 || !read_hex6(to, &a) ||
	    !read_hex6(via, &next))
		return;
	/* The kernel lists its own addresses, multicast and what is rejected as well. */
	if (!(flags & RTF_UP) || (flags & RTF_REJECT) || strcmp(r.link, "lo") == 0 ||
	    IN6_IS_ADDR_MULTICAST(&a) || bits == 128)
		return;
	if (bits == 0)
		(void)snprintf(r.to, sizeof(r.to), "default");
	else
		(void)snprintf(r.to, sizeof(r.to), "%s/%u",
			       inet_ntop(AF_INET6, &a, text, sizeof(text)), bits);
	if (flags & RTF_GATEWAY)
		(void)inet_ntop(AF_INET6, &next, r.via, sizeof(r.via));
	add(arg, &r);
}

void sw_routes_parse6(const char *text, json_object *routes)
{
	each_line(text, take6, routes);
}

struct resolv {
	json_object *dns, *search;
};

static void take_words(char *words, json_object *list)
{
	char *save = NULL;

	for (char *w = strtok_r(words, " \t", &save); w; w = strtok_r(NULL, " \t", &save))
		if (json_object_array_length(list) < 16)
			json_object_array_add(list, json_object_new_string(sw_text_clean(w)));
}

static void take_resolv(const char *line, void *arg)
{
	const struct resolv *r = arg;
	char key[16], words[512] = "";

	if (sscanf(line, " %15s %511[^\n]", key, words) != 2)
		return;
	if (strcmp(key, "nameserver") == 0)
		take_words(words, r->dns);
	else if (strcmp(key, "search") == 0 || strcmp(key, "domain") == 0)
		take_words(words, r->search);
}

void sw_resolv_parse(const char *text, json_object *dns, json_object *search)
{
	struct resolv r = { .dns = dns, .search = search };

	each_line(text, take_resolv, &r);
}

static void read_to(const char *path, struct sw_buf *b)
{
	b->max = FILE_MAX;
	if (path)
		(void)sw_file_read(path, b);
}

void sw_routes_look(const struct sw_machine *m, json_object *out)
{
	json_object *routes = json_object_new_array(), *dns = json_object_new_array();
	json_object *search = json_object_new_array();
	_cleanup_buf_ struct sw_buf four = { 0 }, six = { 0 }, resolv = { 0 };
	bool standin = m->kind != SW_MACHINE_REAL;
	const char *dir = standin ? m->dir : m->proc_root;
	_cleanup_free_ char *path4 = dir ? sw_fmt("%s/net/route", dir) : NULL;
	_cleanup_free_ char *path6 = dir ? sw_fmt("%s/net/ipv6_route", dir) : NULL;
	_cleanup_free_ char *names = standin ? dir ? sw_fmt("%s/net/resolv.conf", dir) : NULL
					     : strdup("/etc/resolv.conf");

	read_to(path4, &four);
	read_to(path6, &six);
	read_to(names, &resolv);
	sw_routes_parse4(sw_buf_text(&four), routes);
	sw_routes_parse6(sw_buf_text(&six), routes);
	sw_resolv_parse(sw_buf_text(&resolv), dns, search);
	sw_json_add(out, "routes", routes);
	sw_json_add(out, "dns", dns);
	sw_json_add(out, "search", search);
}
