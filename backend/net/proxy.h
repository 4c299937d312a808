/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The proxy that every transfer of this process, and of those that it forks, goes through: that of
 * the answers, else that of the environment, as libcurl takes it (its manual, "ENVIRONMENT").
 */
#pragma once

#include "base/secret.h"

/*
 * From now on. proxy: http://HOST[:PORT] or https://, NULL: the environment's again. no_proxy:
 * hosts, domains and subnets that are asked directly, or NULL. login: "USER:PASSWORD", with
 * its colon, or NULL; copied. Not while another thread of this process transfers. -ENOMEM.
 */
int sw_proxy_use(const char *proxy, char *const *no_proxy, const struct sw_secret *login,
		 struct sw_error *err);

/* For this URL, without user and password, wherever it is set; malloc'd, NULL: none is. */
char *sw_proxy_shown(const char *url);

/* "answers" or "https_proxy": what to change. Static. */
const char *sw_proxy_set_by(void);
