/* SPDX-License-Identifier: Apache-2.0 */
/* One choice of a disk on its way. Private to backend/disk. */
#pragma once

#include "base/buf.h"
#include "disk/select.h"

/* One alternative held against all disks. The arrays have an item for each disk of f. */
struct sw_selection {
	const struct sw_facts *f;
	const struct sw_disk_match *m;
	uint64_t min_size;
	const char *key;	/* of the match, for words */
	const char **excluded;	/* its own reason, or NULL */
	/*
	 * Another node that may lead to the same disk, or NULL; one that cannot be
	 * used before one that can.
	 */
	const struct sw_disk **twin;
	bool *candidate;	/* all clauses fit, and nothing excludes it */
	size_t n;		/* candidates */
};

int sw_selection_init(struct sw_selection *s, const struct sw_facts *f, uint64_t min_size,
		      const struct sw_disk *const *taken, size_t n_taken);
void sw_selection_clear(struct sw_selection *s);
#define _cleanup_selection_ _cleanup_(sw_selection_clear)

/* Fills s->twin, from s->excluded. -ENOMEM. */
int sw_selection_find_twins(struct sw_selection *s);
/* True when two nodes may lead to one disk, as far as their numbers tell. */
bool sw_disk_may_be_one(const struct sw_disk *a, const struct sw_disk *b);
/* True when at least one of the two has no WWN that could tell. */
bool sw_disk_lacks_wwn(const struct sw_disk *a, const struct sw_disk *b);

/* Holds m against all disks. */
void sw_selection_run(struct sw_selection *s, const struct sw_disk_match *m);
/* The one candidate, unless there is a rival to it. NULL for none and several, too. */
const struct sw_disk *sw_selection_result(const struct sw_selection *s);
/*
 * Another disk that m could as well mean, though it is not chosen, or NULL: it
 * may be the same disk and m has no path or WWN that only d fits; or it fits m,
 * cannot be used, and has the very serial, WWN or path that m asks for.
 */
const struct sw_disk *sw_selection_rival(const struct sw_selection *s,
					 const struct sw_disk_match *m, const struct sw_disk *d);

/* True when the clause was asked for; then *ret_match says whether this disk fulfils it. */
bool sw_disk_clause(const struct sw_disk *d, const struct sw_disk_match *m, enum sw_clause c,
		    bool *ret_match);
/* What is asked for, as it would be written, or NULL. */
const char *sw_clause_pattern(const struct sw_disk_match *m, enum sw_clause c);
/* What the disk says of it, for the clauses before SW_CLAUSE_SIZE; may be NULL. */
const char *sw_clause_value(const struct sw_disk *d, enum sw_clause c);
bool sw_disk_asks(const struct sw_disk_match *m);
/* +1 for the rule largest, -1 for smallest, 0 for any other or none. */
int sw_disk_extreme(const struct sw_disk_match *m);

/* The disk cannot be used, for a reason of its own or of its twin. */
bool sw_selection_excludes(const struct sw_selection *s, const struct sw_disk *d);
/* The reason in words; nothing when there is none. */
int sw_selection_add_reason(struct sw_buf *b, const struct sw_selection *s,
			    const struct sw_disk *d);
/* True when m alone gives this disk: as sw_selection_run() and _result(), but in one pass. */
bool sw_selection_decides(const struct sw_selection *s, const struct sw_disk_match *m,
			  const struct sw_disk *d);

/* One line a disk: what it is, each clause, and the verdict; malloc'd. */
char *sw_selection_table(const struct sw_selection *s);
char *sw_selection_verdict(const struct sw_selection *s, const struct sw_disk *d);
/*
 * What to write for each of the candidates (without any: for each disk that can
 * be used), shortest first by trying; or what else to do. malloc'd. place:
 * "disk.match", for messages.
 */
char *sw_selection_hint(const struct sw_selection *s, const char *place);
/* A disk's own words may hold anything; terminals get no control characters. */
int sw_add_clean(struct sw_buf *b, const char *s);
