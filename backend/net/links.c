/* SPDX-License-Identifier: Apache-2.0 */
#include "net/links.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if_arp.h>
#include <string.h>

#include "base/file.h"
#include "base/strv.h"
#include "base/text.h"

static char *attr(const char *dir, const char *name)
{
	_cleanup_free_ char *path = sw_fmt("%s/%s", dir, name), *line = NULL;

	if (!path || sw_file_read_line(path, &line) < 0 || !*sw_text_clean(line))
		return NULL;
	return TAKE_PTR(line);
}

static char *driver_of(const char *dir)
{
	_cleanup_free_ char *link = sw_fmt("%s/device/driver", dir), *real = NULL;

	real = link ? realpath(link, NULL) : NULL;
	return real ? strdup(strrchr(real, '/') + 1) : NULL;
}

static int read_link(const char *dir, const char *name, struct sw_link *ret_link)
{
	_cleanup_free_ char *carrier = attr(dir, "carrier");

	ret_link->name = strdup(name);
	ret_link->mac = attr(dir, "address");
	ret_link->driver = driver_of(dir);
	/* Reading "carrier" of a link that is down is an error: no carrier. */
	ret_link->carrier = carrier && strcmp(carrier, "1") == 0;
	if (ret_link->mac && strspn(ret_link->mac, "0:") == strlen(ret_link->mac)) {
		free(ret_link->mac);
		ret_link->mac = NULL;
	}
	return ret_link->name ? 0 : -ENOMEM;
}

static int by_name(const void *a, const void *b)
{
	return strverscmp(((const struct sw_link *)a)->name, ((const struct sw_link *)b)->name);
}

/* Bits set from the left; a mask with holes is not one that Linux hands out. */
static unsigned int prefix_len(const uint8_t *mask, size_t n)
{
	unsigned int bits = 0;

	for (size_t i = 0; i < n; i++)
		bits += (unsigned int)__builtin_popcount(mask[i]);
	return bits;
}

static int add_address(struct sw_link *l, const struct ifaddrs *a)
{
	const void *addr, *mask;
	char text[INET6_ADDRSTRLEN];
	_cleanup_free_ char *full = NULL;
	bool six = a->ifa_addr->sa_family == AF_INET6;

	if (six) {
		addr = &((const struct sockaddr_in6 *)(const void *)a->ifa_addr)->sin6_addr;
		mask = &((const struct sockaddr_in6 *)(const void *)a->ifa_netmask)->sin6_addr;
	} else {
		addr = &((const struct sockaddr_in *)(const void *)a->ifa_addr)->sin_addr;
		mask = &((const struct sockaddr_in *)(const void *)a->ifa_netmask)->sin_addr;
	}
	if (!inet_ntop(six ? AF_INET6 : AF_INET, addr, text, sizeof(text)))
		return 0;
	full = sw_fmt("%s/%u", text, prefix_len(mask, six ? 16 : 4));
	return full ? sw_strv_add(&l->addresses, full) : -ENOMEM;
}

static int read_addresses(struct sw_link *links, size_t n)
{
	struct ifaddrs *all = NULL;
	int r = 0;

	if (getifaddrs(&all) < 0)
		return errno == ENOMEM ? -ENOMEM : 0;
	for (const struct ifaddrs *a = all; r == 0 && a; a = a->ifa_next) {
		if (!a->ifa_addr || !a->ifa_netmask ||
		    (a->ifa_addr->sa_family != AF_INET && a->ifa_addr->sa_family != AF_INET6))
			continue;
		for (size_t i = 0; r == 0 && i < n; i++)
			if (strcmp(links[i].name, a->ifa_name) == 0)
				r = add_address(&links[i], a);
	}
	freeifaddrs(all);
	return r;
}

static bool wanted(const char *dir)
{
	_cleanup_free_ char *type = attr(dir, "type");

	/* bonding_masters is a file in this directory, and has no type. */
	return type && strtol(type, NULL, 10) != ARPHRD_LOOPBACK;
}

static int collect(const char *top, DIR *list, struct sw_link **links, size_t *n)
{
	const struct dirent *e;

	while ((e = readdir(list))) {
		_cleanup_free_ char *dir = sw_fmt("%s/%s", top, e->d_name);
		struct sw_link *grown;
		int r;

		if (!dir)
			return -ENOMEM;
		if (e->d_name[0] == '.' || !wanted(dir))
			continue;
		grown = reallocarray(*links, *n + 1, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		*links = grown;
		grown[*n] = (struct sw_link){};
		r = read_link(dir, e->d_name, &grown[(*n)++]);
		if (r < 0)
			return r;
	}
	return 0;
}

int sw_links_read(const char *sys_root, struct sw_link **ret_links, size_t *ret_n)
{
	_cleanup_free_ char *top = sw_fmt("%s/class/net", sys_root);
	_cleanup_closedir_ DIR *list = top ? opendir(top) : NULL;
	struct sw_link *links = NULL;
	size_t n = 0;
	int r;

	if (!top)
		return -ENOMEM;
	r = list ? collect(top, list, &links, &n) : 0;
	if (r == 0 && n > 1)
		qsort(links, n, sizeof(*links), by_name);
	if (r == 0 && strcmp(sys_root, "/sys") == 0)
		r = read_addresses(links, n);
	/* Handed over even on failure: the caller's facts own and free what was read. */
	*ret_links = links;
	*ret_n = n;
	return r;
}
