/* SPDX-License-Identifier: Apache-2.0 */
/* The proxy of the answers, or of the node data, for this process. */
#include <string.h>

#include "answers/proxy.h"
#include "base/json.h"
#include "base/strv.h"
#include "net/proxy.h"
#include "payload/payload.h"

#define LOGIN_MAX 1024

static int fail_login(const char *source, int r, const char *why, struct sw_error *err)
{
	(void)sw_fail(err, SW_EXIT_INVALID, r, "the proxy's login cannot be used");
	sw_error_where(err, "%s", source);
	sw_error_why(err, "%s", why);
	sw_error_hint(err, "network.proxy-login names a file with one line, USER:PASSWORD");
	return r;
}

/* One line, without the line end that an editor leaves behind it. */
static int read_login(struct sw_machine *m, const char *source, struct sw_secret **ret_login,
		      struct sw_error *err)
{
	_cleanup_secret_ struct sw_secret *s = NULL;
	_cleanup_free_ char *path = NULL;
	int r = sw_source_local_path(m, source, &path, err);

	if (r == 0)
		r = sw_secret_read(path, LOGIN_MAX, &s, err);
	if (r < 0)
		return r;
	while (s->len && strchr("\r\n", s->data[s->len - 1]))
		s->data[--s->len] = '\0';
	for (size_t i = 0; i < s->len; i++)
		if (s->data[i] < ' ')
			return fail_login(source, -EINVAL, "it is more than one line", err);
	if (!strchr((const char *)s->data, ':'))
		return fail_login(source, -EINVAL, "there is no ':' in it", err);
	*ret_login = TAKE_PTR(s);
	return 0;
}

int sw_answers_use_proxy(const struct sw_answers *a, struct sw_machine *m, struct sw_error *err)
{
	_cleanup_secret_ struct sw_secret *login = NULL;
	int r = 0;

	if (a->proxy && *a->proxy && a->proxy_login)
		r = read_login(m, a->proxy_login, &login, err);
	if (r < 0)
		return r;
	return sw_proxy_use(a->proxy && *a->proxy ? a->proxy : NULL, a->no_proxy, login, err);
}

int sw_node_use_proxy(json_object *network, struct sw_error *err)
{
	json_object *list = sw_json_array(network, "no_proxy");
	_cleanup_strv_ char **none = NULL;

	for (size_t i = 0; list && i < json_object_array_length(list); i++)
		if (sw_strv_add(&none, json_object_get_string(
					       json_object_array_get_idx(list, i))) < 0)
			return sw_fail_oom(err);
	return sw_proxy_use(sw_json_str(network, "proxy", NULL), none, NULL, err);
}
