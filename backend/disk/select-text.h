/* SPDX-License-Identifier: Apache-2.0 */
/* Words about a choice of disk. Private to backend/disk. */
#pragma once

#include "disk/select.h"

/* In the order in which they are named first when they would decide. */
enum sw_clause {
	SW_CLAUSE_SERIAL,
	SW_CLAUSE_WWN,
	SW_CLAUSE_PATH,
	SW_CLAUSE_MODEL,
	SW_CLAUSE_VENDOR,
	SW_CLAUSE_TRANSPORT,
	SW_CLAUSE_SIZE,
	SW_CLAUSE_ROTATIONAL,
	SW_CLAUSE_N,
};

/* One alternative held against all disks. */
struct sw_selection {
	const struct sw_facts *f;
	const struct sw_disk_match *m;
	uint64_t min_size;
	const struct sw_disk *const *taken;
	size_t n_taken;
	bool *candidate;	/* of each disk: all clauses fit, and nothing excludes it */
	size_t n;		/* candidates */
};

/* Why this disk cannot be chosen here, or NULL. */
const char *sw_selection_excluded(const struct sw_selection *s, const struct sw_disk *d);

/* True when the clause was asked for; then *ret_match says whether this disk fulfils it. */
bool sw_disk_clause(const struct sw_disk *d, const struct sw_disk_match *m, enum sw_clause c,
		    bool *ret_match);

/* One line a disk: what it is, each clause, and the verdict; malloc'd. */
char *sw_selection_table(const struct sw_selection *s);

/*
 * The shortest clause that picks each of the candidates (without any: every
 * disk that can be used) among all that are present; malloc'd.
 */
char *sw_selection_hint(const struct sw_selection *s);
