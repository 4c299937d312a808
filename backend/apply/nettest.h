/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the network is enough for an install: each link, each router, name servers, the clock,
 * and each server that the answers name, with a verdict and a way to mend what fails.
 */
#pragma once

#include "answers/answers.h"
#include "machine/machine.h"
#include "net/verdict.h"

#define SW_NETTEST_MAX 48U

struct sw_nettest_row {
	char name[32];		/* "link eth0", "clock", "server" */
	struct sw_verdict_row row;
};

struct sw_nettest {
	struct sw_nettest_row rows[SW_NETTEST_MAX];
	size_t n;
};

/*
 * Looks and asks; changes nothing. Nothing that is sent says which machine this is. a: whose
 * servers are asked, may be NULL. Fails only when cancelled or without memory.
 */
int sw_nettest_run(struct sw_machine *m, const struct sw_answers *a, const struct sw_sink *sink,
		   struct sw_nettest *ret_test, struct sw_error *err);

bool sw_nettest_passed(const struct sw_nettest *t);
/* The table for a person, adding to out; -ENOMEM. */
int sw_nettest_text(const struct sw_nettest *t, struct sw_buf *out);
/* {"passed", "checks": [{"name", "verdict", "what", "fix"}]} */
json_object *sw_nettest_to_json(const struct sw_nettest *t);
/* 0 when nothing failed, else the first failure as an error with exit 10. */
int sw_nettest_result(const struct sw_nettest *t, struct sw_error *err);
