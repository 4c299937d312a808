/* SPDX-License-Identifier: Apache-2.0 */
#include "admission/profile.h"

#include <string.h>

#include "admission/attest.h"
#include "base/file.h"
#include "net/http.h"
#include "net/source.h"

static int attest_check(const struct sw_profile *p SW_UNUSED, const struct sw_admit_ask *ask,
			struct sw_error *err)
{
	return ask->id ? 0 : sw_fail(err, SW_EXIT_MISSING, -ENODEV, "there is no TPM to attest");
}

static int attest_run(const struct sw_profile *p SW_UNUSED, const struct sw_admit_ask *ask,
		      struct sw_buf *ret_tar, struct sw_error *err)
{
	return sw_attest_run(ask->attest, ask->id, ret_tar, err);
}

const struct sw_profile sw_profile_attest = {
	.kind = "attest",
	.needs_tpm = true,
	.check = attest_check,
	.run = attest_run,
	.explain = sw_attest_explain,
};

const struct sw_profile *sw_profile_find(const char *kind)
{
	static const struct sw_profile *const all[] = {
		&sw_profile_attest, &sw_profile_homeworld, &sw_profile_rke2, &sw_profile_k3s,
		&sw_profile_kubeadm,
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (strcmp(all[i]->kind, kind) == 0)
			return all[i];
	return NULL;
}

/* Whether a port stands behind the host; an IPv6 address has colons of its own. */
static bool names_port(const char *host)
{
	const char *end = strchr(host, ']');

	return strchr(end ? end : host, ':') != NULL;
}

int sw_profile_base(const struct sw_profile *p, const char *url, char **ret_base,
		    struct sw_error *err)
{
	const char *host = url + strlen("https://");
	size_t n = strcspn(host, "/"), rest = strspn(host + n, "/");
	_cleanup_free_ char *name = strndup(host, n);

	if (!name)
		return sw_fail_oom(err);
	if (n == 0 || host[n + rest] != '\0') {
		sw_fail(err, SW_EXIT_INVALID, -EINVAL, "the server's address cannot be used");
		sw_error_where(err, "%.200s", url);
		sw_error_why(err, "for %s it has a host and perhaps a port, and no path", p->kind);
		sw_error_hint(err, "write it like https://server.example:%u", p->port);
		return -EINVAL;
	}
	*ret_base = p->port && !names_port(name) ? sw_fmt("https://%s:%u", name, p->port)
						 : sw_fmt("https://%s", name);
	return *ret_base ? 0 : sw_fail_oom(err);
}

int sw_profile_bad_token(const char *why, const char *hint, struct sw_error *err)
{
	sw_fail(err, SW_EXIT_INVALID, -EINVAL, "the token cannot be used");
	sw_error_why(err, "%s", why);
	sw_error_hint(err, "%s", hint);
	return -EINVAL;
}

int sw_profile_status(long status, const char *what, const char *hint, const char *url,
		      struct sw_error *err)
{
	_cleanup_free_ char *shown = sw_http_show(url);
	int r = status >= 500 || status == 408 || status == 429 ? -EAGAIN : -EACCES;

	if (!what)
		what = status >= 500 ? "the server failed" : "the server refused";
	if (!hint)
		hint = status >= 500 ? "see what the server logged, then try again"
				     : "see what the server logged";
	sw_fail(err, r == -EAGAIN ? SW_EXIT_NETWORK : SW_EXIT_ADMISSION, r, "%s", what);
	sw_error_where(err, "%s", shown ? shown : "");
	sw_error_why(err, "it answered with HTTP status %ld", status);
	sw_error_hint(err, "%s", hint);
	return r;
}

int sw_profile_refused(const struct sw_status_saying *sayings, long status, const char *url,
		       struct sw_error *err)
{
	while (sayings->what && sayings->status != status)
		sayings++;
	return sw_profile_status(status, sayings->what, sayings->hint, url, err);
}
