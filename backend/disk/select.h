/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Choosing the disk by what it is. Exactly one candidate, or a refusal with the
 * table of candidates and clauses and the shortest clause that would decide.
 */
#pragma once

#include "machine/facts.h"

enum sw_rotational { SW_ROTATIONAL_UNASKED, SW_ROTATIONAL_YES, SW_ROTATIONAL_NO };

struct sw_disk_match {		/* NULL / 0 = not asked for; text is matched as a glob */
	/* Case counts for serial and path only. */
	char *serial, *wwn, *model, *vendor, *path, *transport;
	char *size;		/* ">=100G", "<2T", "64G" exactly, "largest", "smallest" */
	enum sw_rotational rotational;
};

enum sw_wipe { SW_WIPE_BLANK, SW_WIPE_OURS, SW_WIPE_ANY };

/* One disk of the layout: alternatives to find it by, and what may be lost on it. */
struct sw_disk_choice {
	struct sw_disk_match *match;	/* tried in order */
	size_t n_match;
	enum sw_wipe wipe;
};

/*
 * Why this disk can never be chosen ("slipway was started from it"), or NULL;
 * static or from d->uses.
 */
const char *sw_disk_excluded(const struct sw_disk *d, uint64_t min_size);

bool sw_disk_matches(const struct sw_disk *d, const struct sw_disk_match *m);

/*
 * Whether a text is a size rule (see struct sw_disk_match). "largest" and
 * "smallest" compare what else may be chosen.
 */
bool sw_disk_is_size_rule(const char *text);

/*
 * exit 4 for none or several, with the table in err->why/hint as far as it
 * fits; the whole table is in *ret_table (malloc'd text, always set when given).
 */
int sw_disk_select(const struct sw_facts *f, const struct sw_disk_match *m, uint64_t min_size,
		   const struct sw_disk **ret_disk, char **ret_table, struct sw_error *err);

/*
 * The same for a choice: its alternatives in order; the first that gives exactly
 * one disk wins, one that gives several is a refusal, one that gives none goes
 * on to the next. taken: disks that the layout uses already, excluded with
 * that reason; NULL when n_taken is 0. *ret_table has a part for each
 * alternative that was tried.
 */
int sw_disk_choose(const struct sw_facts *f, const struct sw_disk_choice *c, uint64_t min_size,
		   const struct sw_disk *const *taken, size_t n_taken,
		   const struct sw_disk **ret_disk, char **ret_table, struct sw_error *err);

/*
 * blank: nothing on it. ours: nothing, an empty table, or only our labels with
 * at least one slipway-*. any: everything, but what is not ours needs serial,
 * wwn or path in m; a glob counts when it has four literal characters.
 * -EPERM and exit 4, with what is on the disk as the reason.
 */
int sw_disk_wipe_allowed(const struct sw_disk *d, enum sw_wipe wipe,
			 const struct sw_disk_match *m, struct sw_error *err);

/* The same for the disk that sw_disk_choose() gave, by the alternative that chose it. */
int sw_disk_choice_allows(const struct sw_disk *d, const struct sw_disk_choice *c,
			  struct sw_error *err);

/*
 * What a person types to confirm: the trailing characters of the serial that are
 * unique among all disks, at least four; the path when two disks share one
 * serial; the size as text without a serial. malloc'd.
 */
char *sw_disk_confirm_text(const struct sw_facts *f, const struct sw_disk *d);
