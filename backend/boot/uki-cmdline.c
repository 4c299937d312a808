/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of an image that we assemble. */
#include <string.h>

#include "base/buf.h"
#include "boot/uki.h"

/*
 * A kernel that panics or an init that never comes up must end in a restart, or
 * the last-known-good image is never reached. watchdog.open_timeout counts only
 * where the firmware has started a hardware watchdog: without it the kernel
 * keeps feeding that one however dead user space is.
 */
static const char *const wanted[] = { "panic=10", "watchdog.open_timeout=300" };

/* Whether a word of the line, outside quotes, begins with key up to its '='. */
static bool has(const char *line, const char *key)
{
	size_t n = strcspn(key, "=") + 1;
	bool quoted = false, begins = true;

	for (const char *p = line; *p; p++) {
		if (begins && strncmp(p, key, n) == 0)
			return true;
		if (*p == '"')
			quoted = !quoted;
		begins = !quoted && strchr(" \t\n", *p) != NULL;
	}
	return false;
}

static int add(struct sw_buf *b, const char *key, const char *value)
{
	return sw_buf_addf(b, "%s%s%s", b->len ? " " : "", key, value);
}

char *sw_uki_cmdline(const char *own, const char *attest_url)
{
	_cleanup_buf_ struct sw_buf b = {};
	int r = sw_buf_adds(&b, own ? own : "");

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(wanted); i++)
		if (!own || !has(own, wanted[i]))
			r = add(&b, wanted[i], "");
	if (r == 0 && attest_url && *attest_url && !(own && has(own, "ember.attest_url=")))
		r = add(&b, "ember.attest_url=", attest_url);
	return r < 0 ? NULL : sw_buf_steal(&b);
}
