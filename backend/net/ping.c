/* SPDX-License-Identifier: Apache-2.0 */
#include "net/ping.h"

#include <ctype.h>
#include <string.h>

#include "base/proc.h"
#include "base/text.h"

#define HOST_MAX 253U		/* RFC 1035: a name */
#define LIMIT_S 25U		/* five echoes, and a name server that does not answer */

int sw_ping_check(const char *host, struct sw_error *err)
{
	size_t n = 0;

	while (host[n] && (isalnum((unsigned char)host[n]) || strchr(".:-_%", host[n])))
		n++;
	if (n > 0 && n <= HOST_MAX && !host[n] && host[0] != '-')
		return 0;
	sw_fail(err, SW_EXIT_USAGE, -EINVAL, "this is no name or address of a host");
	sw_error_hint(err, "write it like 192.0.2.1, 2001:db8::1 or boot.example");
	return -EINVAL;
}

static void tell(const char *text, void *sink)
{
	_cleanup_free_ char *clean = strdup(text);

	if (clean)
		sw_event_log(sink, "%s", sw_text_clean(clean));
}

int sw_ping(const char *host, const struct sw_sink *sink, struct sw_buf *out, bool *ret_answered,
	    struct sw_error *err)
{
	const char *const argv[] = { "ping", "-c", SW_PING_COUNT, "-W", "3", host, NULL };
	const struct sw_proc p = { .argv = argv, .timeout_s = LIMIT_S, .stdin_fd = -EBADF,
				   .line = tell, .userdata = (void *)sink };
	int r = sw_ping_check(host, err);

	*ret_answered = false;
	if (r < 0)
		return r;
	r = sw_proc_run_with(&p, out);
	if (out->data)
		sw_text_mask((char *)out->data);
	*ret_answered = r == 0;
	if (r >= 0)
		return 0;
	if (r == -ENOENT) {
		sw_fail(err, SW_EXIT_MISSING, r, "there is no ping here");
		sw_error_hint(err, "install iputils-ping, or test a URL instead");
		return r;
	}
	return sw_fail_errno(err, SW_EXIT_FAILED, r, "ping did not end");
}
