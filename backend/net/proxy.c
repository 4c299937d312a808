/* SPDX-License-Identifier: Apache-2.0 */
#include "net/proxy.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "net/curl.h"
#include "net/http.h"

static struct {
	char *url, *none;	/* none: with commas between, as libcurl has them */
	struct sw_secret *login;	/* the user, a 0 in place of the colon, the password */
} use;

static char *with_commas(char *const *list)
{
	_cleanup_buf_ struct sw_buf b = {};
	int r = sw_buf_adds(&b, "");

	for (size_t i = 0; list && list[i] && r == 0; i++)
		r = sw_buf_addf(&b, "%s%s", i ? "," : "", list[i]);
	return r < 0 ? NULL : sw_buf_steal(&b);
}

/* libcurl decodes user and password as parts of a URL: a '%' would be lost. */
static int encoded(const struct sw_secret *login, struct sw_secret **ret_copy,
		   struct sw_error *err)
{
	const uint8_t *colon = memchr(login->data, ':', login->len);
	_cleanup_secret_ struct sw_secret *copy = NULL;
	size_t more = 0;
	uint8_t *to;
	int r;

	for (size_t i = 0; i < login->len; i++)
		more += login->data[i] == '%' ? 2 : 0;
	r = sw_secret_new(login->len + more, &copy, err);
	if (r < 0)
		return r;
	to = copy->data;
	for (size_t i = 0; i < login->len; i++) {
		const uint8_t *from = login->data + i;

		*to++ = from == colon ? '\0' : *from;
		if (*from == '%') {
			memcpy(to, "25", 2);
			to += 2;
		}
	}
	*ret_copy = TAKE_PTR(copy);
	return 0;
}

int sw_proxy_use(const char *proxy, char *const *no_proxy, const struct sw_secret *login,
		 struct sw_error *err)
{
	_cleanup_secret_ struct sw_secret *copy = NULL;
	_cleanup_free_ char *url = proxy ? strdup(proxy) : NULL;
	_cleanup_free_ char *none = proxy ? with_commas(no_proxy) : NULL;
	int r = proxy && (!url || !none) ? sw_fail_oom(err) : 0;

	if (r == 0 && proxy && login)
		r = encoded(login, &copy, err);
	if (r < 0)
		return r;
	free(use.url);
	free(use.none);
	(void)sw_secret_free(use.login);
	use.url = TAKE_PTR(url);
	use.none = TAKE_PTR(none);
	use.login = TAKE_PTR(copy);
	return 0;
}

void sw_curl_set_proxy(CURL *c)
{
	const char *user = use.login ? (const char *)use.login->data : NULL;

	if (!use.url)
		return;
	(void)curl_easy_setopt(c, CURLOPT_PROXY, use.url);
	(void)curl_easy_setopt(c, CURLOPT_NOPROXY, use.none);
	if (user) {
		(void)curl_easy_setopt(c, CURLOPT_PROXYAUTH, (long)CURLAUTH_BASIC);
		(void)curl_easy_setopt(c, CURLOPT_PROXYUSERNAME, user);
		(void)curl_easy_setopt(c, CURLOPT_PROXYPASSWORD, user + strlen(user) + 1);
	}
}

/* libcurl reads http_proxy in small letters only: a web server sets the other for its programs. */
static const char *of_environment(const char *url)
{
	static const char *const https[] = { "https_proxy", "HTTPS_PROXY", "all_proxy",
					     "ALL_PROXY" };
	static const char *const http[] = { "http_proxy", "all_proxy", "ALL_PROXY" };
	const bool tls = strncasecmp(url, "https://", 8) == 0;
	const char *value = NULL;

	for (size_t i = 0; !value && i < (tls ? ARRAY_SIZE(https) : ARRAY_SIZE(http)); i++)
		value = getenv(tls ? https[i] : http[i]);
	return value && *value ? value : NULL;
}

char *sw_proxy_shown(const char *url)
{
	const char *proxy = use.url ? use.url : of_environment(url);

	return proxy ? sw_http_show(proxy) : NULL;
}

const char *sw_proxy_set_by(void)
{
	return use.url ? "network.proxy" : "https_proxy";
}
