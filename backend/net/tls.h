/* SPDX-License-Identifier: Apache-2.0 */
/* What libcurl leaves to libssl. Private to net/. */
#pragma once

/*
 * Tells a SSL_CTX by what time dates of certificates are judged: by the machine's clock
 * (base/clock.h), where that is another than this system's; with any_time they do not count, and
 * all else is checked as ever. -ENOPKG without libssl. No more than a Date header may be believed
 * of a connection with any_time.
 */
int sw_tls_prepare(void *ssl_ctx, _Bool any_time);
