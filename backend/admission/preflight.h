/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a node would be admitted, as far as that can be known before any secret or proof leaves
 * it: what was seen (preflight-look.c), and from that alone verdicts, each with a way to mend it.
 */
#pragma once

#include "admission/profile.h"
#include "admission/protocol.h"
#include "base/event.h"
#include "machine/machine.h"
#include "net/post.h"
#include "net/source.h"
#include "net/verdict.h"
#include "tpm/facts.h"

#define SW_PREFLIGHT_CLOCK_S 300	/* a clock that is off by more is said to be wrong */

enum sw_preflight_check {
	SW_PREFLIGHT_TPM, SW_PREFLIGHT_CLOCK, SW_PREFLIGHT_ROUTE, SW_PREFLIGHT_DNS,
	SW_PREFLIGHT_PROXY, SW_PREFLIGHT_TLS, SW_PREFLIGHT_SERVER, SW_N_PREFLIGHT,
};

/* What is asked about. */
struct sw_preflight_ask {
	const struct sw_profile *profile;	/* NULL: attest */
	const char *url;		/* https:// */
	enum sw_attest_protocol protocol;
	struct sw_http_trust trust;
	bool anybody;		/* who answers is told only by the admission itself */
	unsigned int timeout_s;		/* for one question to the server */
	const struct sw_sink *sink;	/* polled for cancellation; or NULL */
};

struct sw_preflight_seen {
	const struct sw_profile *profile;	/* NULL: attest */
	bool anybody;
	struct sw_error tpm_error;	/* what is not empty: it cannot be asked at all */
	struct sw_tpm_facts tpm;
	bool pinned_ca, pinned_key;
	enum sw_attest_protocol protocol;	/* what is allowed */
	bool offers;			/* and the answer is an offer of the strict exchange */
	char host[256];			/* the server's name or address, no brackets */
	bool host_is_address;
	char proxy[256];		/* without user and password; or "": none is set */
	const char *proxy_by;		/* what sets it: sw_proxy_set_by() */
	bool proxied;			/* and it was used */
	int source_r;			/* -errno of the way to who is connected to */
	char source[SW_ADDRESS_TEXT];	/* this machine's address on that way */
	struct sw_http_answer answer;	/* to a GET with nothing of this machine in it */
	struct sw_error error;		/* of that; empty: an answer came */
	int64_t now;			/* this machine's clock, s since the epoch */
	/* That of a server that is believed but for dates; 0: unknown. */
	int64_t server_now;
};

struct sw_preflight {
	struct sw_verdict_row row[SW_N_PREFLIGHT];
	int64_t off_s;		/* this clock minus the server's */
	bool clock_known;
};

/* Asks the TPM, the kernel and the server. Fails only when cancelled or without memory. */
int sw_preflight_look(struct sw_machine *m, const struct sw_preflight_ask *ask,
		      struct sw_preflight_seen *ret_seen, struct sw_error *err);

/* Whether the server's certificate is too old or too new by this clock. */
bool sw_preflight_seems_dated(const struct sw_preflight_seen *seen);

/* Pure. */
void sw_preflight_judge(const struct sw_preflight_seen *seen, struct sw_preflight *ret_verdicts);

/* "TPM", "server". Static. */
const char *sw_preflight_name(enum sw_preflight_check check);

/* The table for a person, adding to out; -ENOMEM. */
int sw_preflight_text(const struct sw_preflight *p, struct sw_buf *out);
/* {"passed", "checks": [{"name", "verdict", "what", "fix"}], "source", "clock_off_s", ...} */
json_object *sw_preflight_to_json(const struct sw_preflight *p,
				  const struct sw_preflight_seen *seen);

/*
 * 0 when nothing failed; else the first failure as an error: exit 5 for the TPM, 9 when the server
 * refuses what is asked, 10 for all else.
 */
int sw_preflight_result(const struct sw_preflight *p, const struct sw_preflight_seen *seen,
			struct sw_error *err);
