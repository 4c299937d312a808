/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Homeworld's keyserver (sipb/homeworld, platform/keysystem): one POST of a certificate request
 * with the token in a header, and a certificate and the node's configuration back. The keyserver
 * takes a token once, and counts it as used before it looks at who sends it: so it is sent only to
 * a server that the given CA vouches for, and never again once it may have arrived.
 */
#pragma once

#include "base/secret.h"

struct sw_homeworld_reply {
	char *cert;		/* PEM */
	char *config;		/* lines of KEY=value */
};

/* ["<certificate>", "<local.conf>"]. -EBADMSG, exit 9. */
int sw_homeworld_reply_read(const char *json, size_t len, struct sw_homeworld_reply *ret_reply,
			    struct sw_error *err);
void sw_homeworld_reply_clear(struct sw_homeworld_reply *r);
#define _cleanup_homeworld_reply_ _cleanup_(sw_homeworld_reply_clear)
