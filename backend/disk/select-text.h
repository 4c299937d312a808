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
	SW_CLAUSE_N,
};

/* True when the clause was asked for; then *ret_match says whether this disk fulfils it. */
bool sw_disk_clause(const struct sw_disk *d, const struct sw_disk_match *m, enum sw_clause c,
		    bool *ret_match);

/* One line a disk: what it is, each clause, and the verdict; malloc'd. */
char *sw_disk_table(const struct sw_facts *f, const struct sw_disk_match *m, uint64_t min_size,
		    const bool *candidate);

/*
 * The shortest clause that picks each of these disks (NULL: every one that can
 * be used) among all that are present; malloc'd.
 */
char *sw_disk_hint(const struct sw_facts *f, uint64_t min_size, const bool *among);
