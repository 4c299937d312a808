/* SPDX-License-Identifier: Apache-2.0 */
/* By which of the two exchanges a node attests (docs/attestation.md). */
#pragma once

enum sw_attest_protocol {
	SW_ATTEST_AUTO,		/* strict when the server offers it, else plain */
	SW_ATTEST_STRICT,	/* or nothing */
	SW_ATTEST_PLAIN,	/* that of safeboot-attest */
};

/* "auto", "strict", "plain": as the answers have them; static. */
const char *sw_attest_protocol_name(enum sw_attest_protocol p);
/* -EINVAL for any other word; then *ret_protocol is as it was. */
int sw_attest_protocol_parse(const char *name, enum sw_attest_protocol *ret_protocol);
/* What a person should know of it in a review: "the strict exchange only"; static. */
const char *sw_attest_protocol_text(enum sw_attest_protocol p);
