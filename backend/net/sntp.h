/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What time it is for an NTP server: one question, one answer (RFC 5905, section 14). Nobody
 * vouches for the answer; who uses it decides what that is worth (net/time.h).
 *
 * systemd-timesyncd and chrony set the clock of the system by themselves, and by rules of their
 * own; here several clocks are compared first, and a stand-in's is set.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/event.h"

#define SW_SNTP_LEN 48U		/* bytes of question and answer, without extensions */

/* Fills the question: nothing of this machine is in it but the eight bytes that come back. */
void sw_sntp_question(uint8_t packet[static SW_SNTP_LEN], const uint8_t nonce[static 8]);

/*
 * The time in an answer, ms since the epoch, that it had when it was sent. Its 32 bits of seconds
 * are taken for the year within 68 of pivot_s. -EPROTO with why (static) when it is no answer to
 * this question, -EAGAIN when the server asks to be left alone or does not know the time itself.
 */
int sw_sntp_parse(const uint8_t *packet, size_t len, const uint8_t nonce[static 8],
		  int64_t pivot_s, int64_t *ret_ms, const char **ret_why);

/*
 * How far that server's clock is ahead of this machine's (base/clock.h), in ms, to within half of
 * the way there and back. server: name or address. Each of its addresses, up to four, is asked
 * twice, in timeout_ms together; a name server may take longer. exit 10.
 */
int sw_sntp_ask(const char *server, const char *port, unsigned int timeout_ms,
		const struct sw_sink *sink, int64_t *ret_ahead_ms, struct sw_error *err);
