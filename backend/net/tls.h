/* SPDX-License-Identifier: Apache-2.0 */
/* What libcurl leaves to libssl. Private to net/. */
#pragma once

/*
 * Tells a SSL_CTX that the dates of certificates do not count; all else is checked as ever.
 * -ENOPKG without libssl. No more than a Date header may be believed of such a connection.
 */
int sw_tls_ignore_dates(void *ssl_ctx);
