/* SPDX-License-Identifier: Apache-2.0 */
#include "net/networkd.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/strv.h"
#include "base/text.h"

#define STATE_MAX (64u << 10)

static bool has(const char *text, const char *key, const char *value)
{
	_cleanup_free_ char *is = sw_text_value(text, key);

	return is && strcmp(is, value) == 0;
}

void sw_networkd_parse(const char *text, const char *file, unsigned int index,
		       struct sw_networkd_state *s)
{
	_cleanup_free_ char *path = sw_text_value(text, "NETWORK_FILE");
	const char *slash = path ? strrchr(path, '/') : NULL;
	bool configured, carrier;

	if (!slash || strcmp(slash + 1, file) != 0)
		return;
	configured = has(text, "ADMIN_STATE", "configured");
	carrier = !has(text, "CARRIER_STATE", "off") && !has(text, "CARRIER_STATE", "no-carrier");
	if (s->links == 0 || (configured && !s->configured) || (carrier && !s->carrier))
		if (!if_indextoname(index, s->link))
			s->link[0] = '\0';
	s->links++;
	s->configured |= configured;
	s->carrier |= carrier;
	s->failed |= has(text, "ADMIN_STATE", "failed");
}

int sw_networkd_look(const char *root, const char *file, struct sw_networkd_state *ret)
{
	_cleanup_free_ char *dir = sw_fmt("%s/netif/links", root);
	_cleanup_closedir_ DIR *d = dir ? opendir(dir) : NULL;

	*ret = (struct sw_networkd_state){};
	if (!d)
		return dir ? -errno : -ENOMEM;
	for (struct dirent *e = readdir(d); e; e = readdir(d)) {
		_cleanup_free_ char *path = sw_fmt("%s/%s", dir, e->d_name);
		_cleanup_buf_ struct sw_buf b = { .max = STATE_MAX };

		/* They come and go with their links. */
		if (path && e->d_name[0] != '.' && sw_file_read(path, &b) == 0)
			sw_networkd_parse(sw_buf_text(&b), file,
					  (unsigned int)strtoul(e->d_name, NULL, 10), ret);
	}
	return 0;
}

int sw_networkd_parse_ntp(const char *text, char ***ret_servers)
{
	_cleanup_free_ char *words = sw_text_value(text, "NTP");
	char *save = NULL;
	unsigned int n = 0;

	for (char *w = words ? strtok_r(words, " \t", &save) : NULL; w && n < SW_NETWORKD_NTP_MAX;
	     w = strtok_r(NULL, " \t", &save)) {
		if (!sw_text_is_clean(w))
			continue;
		if (sw_strv_add(ret_servers, w) < 0)
			return -ENOMEM;
		n++;
	}
	return 0;
}

int sw_networkd_ntp(const char *root, char ***ret_servers)
{
	_cleanup_free_ char *path = root ? sw_fmt("%s/netif/state", root) : NULL;
	_cleanup_buf_ struct sw_buf b = { .max = STATE_MAX };

	if (!path)
		return root ? -ENOMEM : 0;
	return sw_file_read(path, &b) < 0 ? 0 : sw_networkd_parse_ntp(sw_buf_text(&b), ret_servers);
}
