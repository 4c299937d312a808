/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What time it is, before TLS needs it: what this machine's clock, NTP servers and https servers
 * say (time-look.c), by a stated rule which of them is believed (time.c, pure), and the clock set
 * to that where it is slipway's to set (time-settle.c).
 *
 * The rule. What is before this program was made is no time. A server that is believed for its key
 * or its certificate (whose dates do not count here) outweighs NTP, for which nobody vouches; where
 * they agree to within a minute, NTP is the finer one. Of several NTP servers it is the one in the
 * middle. With neither, the clock stays, but not before this program was made.
 */
#pragma once

#include "base/buf.h"
#include "machine/machine.h"
#include "net/trust.h"

#define SW_TIME_HEARD_MAX 12U
#define SW_TIME_NTP_MAX 4U	/* servers that are asked */
#define SW_TIME_AGREE_MS 60000	/* two that are closer say the same */
#define SW_TIME_RIGHT_MS 5000	/* a clock that is closer is left alone */

/* Who may set the clock: `time.from` of the answers. */
enum sw_time_from { SW_TIME_UNSET, SW_TIME_ANY, SW_TIME_NTP_ONLY, SW_TIME_SERVER_ONLY,
		    SW_TIME_LEAVE };

struct sw_time_server {
	const char *url;		/* https:// */
	struct sw_http_trust trust;	/* pin as 64 hex digits */
};

/* Everything borrowed. */
struct sw_time_ask {
	enum sw_time_from from;		/* UNSET: as ANY */
	char *const *ntp;		/* NULL: those of the machine's leases */
	const struct sw_time_server *servers;	/* the first that says a time is enough */
	size_t n_servers;
	unsigned int wait_s;		/* go on asking while nobody answers; 0: once */
	const struct sw_sink *sink;	/* told, polled; or NULL */
};

enum sw_time_who { SW_TIME_NTP, SW_TIME_SERVER, SW_TIME_BOARD };

struct sw_time_heard {
	enum sw_time_who who;
	char name[200];		/* of the server, as it may be shown; "": the clock on the board */
	int64_t ahead_ms;	/* of this machine's clock */
	struct sw_error error;	/* what[0]: it said no time, and why */
};

struct sw_time_seen {
	int64_t now_ms;		/* this machine's clock */
	int64_t floor_s;	/* when this program was made */
	enum sw_time_from from;
	struct sw_time_heard heard[SW_TIME_HEARD_MAX];
	size_t n;
};

struct sw_time_verdict {
	int by;			/* index of who is believed; -1: nobody, -2: the floor */
	int64_t ahead_ms;	/* of who is believed, 0 for nobody */
	bool wrong;		/* by more than SW_TIME_RIGHT_MS */
	bool disputed;		/* some that were heard do not agree with who is believed */
};

/* Asks; changes nothing. Fails only when cancelled or without memory. */
int sw_time_look(struct sw_machine *m, const struct sw_time_ask *ask,
		 struct sw_time_seen *ret_seen, struct sw_error *err);
/* Pure. */
void sw_time_judge(const struct sw_time_seen *seen, struct sw_time_verdict *ret_verdict);

/* Whether anybody beyond this machine was asked. */
bool sw_time_asked(const struct sw_time_seen *seen);
/* Whether this machine's clock is plainly wrong: before the program was made, or years after. */
bool sw_time_is_doubtful(void);

/*
 * Looks, judges, and turns the clock when it is wrong and slipway's to set (sw_machine_sets_clock),
 * or force. Tells the sink in words what was heard and done. A clock that stays wrong is no error:
 * what needs it will say so. Only when cancelled or without memory it fails. ret_set: whether the
 * clock was turned; may be NULL.
 */
int sw_time_settle(struct sw_machine *m, const struct sw_time_ask *ask, bool force, bool *ret_set,
		   struct sw_error *err);
/* Turns a clock that was judged wrong, and tells. Exit 6 when the kernel does not let it. */
int sw_time_set(struct sw_machine *m, const struct sw_time_seen *seen,
		const struct sw_time_verdict *v, const struct sw_sink *sink, struct sw_error *err);

/* One sentence: "2 h behind ntp.example: 2026-01-01 ... here, ... there"; -ENOMEM. */
int sw_time_words(const struct sw_time_seen *seen, const struct sw_time_verdict *v,
		  struct sw_buf *out);
/* A line for each that was heard; -ENOMEM. */
int sw_time_text_all(const struct sw_time_seen *seen, struct sw_buf *out);
/* {"clock", "floor", "heard": [{"from", "name", "time", "ahead_ms", "error"}], "believed", ...} */
json_object *sw_time_to_json(const struct sw_time_seen *seen, const struct sw_time_verdict *v);
