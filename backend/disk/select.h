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

/* In the order in which they are shown, and preferred when two would decide alike. */
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

/* "serial", as in disk.match.serial. */
const char *sw_clause_name(enum sw_clause c);

/*
 * Why this disk can never be chosen ("slipway was started from it"), or NULL;
 * static or from d->uses.
 */
const char *sw_disk_excluded(const struct sw_disk *d, uint64_t min_size);

bool sw_disk_matches(const struct sw_disk *d, const struct sw_disk_match *m);

/*
 * Whether any disk matches any alternative. False: sw_disk_choose() refuses for certain, and for
 * that reason; this is the quick answer for a rack, without the words.
 */
bool sw_disk_choice_meets(const struct sw_facts *f, const struct sw_disk_choice *c);

/*
 * Whether a text is a size rule (see struct sw_disk_match). "largest" and
 * "smallest" compare what else may be chosen.
 */
bool sw_disk_is_size_rule(const char *text);

/*
 * Exactly one disk, or a refusal: exit 4 for none or several, with the table in
 * err->why as far as it fits and in err->hint the shortest clause that would
 * decide, computed by trying. *ret_table has the whole table (malloc'd text; set
 * on refusal as well, NULL only when out of memory; ret_table may be NULL).
 *
 * Two nodes that may lead to one disk (multipath; or one serial, model and size
 * and no WWN to tell) are no two disks to choose from: when one of them cannot
 * be used, neither can the other, and when both can, only path or wwn tells
 * them apart.
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

/* The same with the key of the match for the words of a refusal: "disk.more[1].match". */
int sw_disk_choose_for(const char *key, const struct sw_facts *f, const struct sw_disk_choice *c,
		       uint64_t min_size, const struct sw_disk *const *taken, size_t n_taken,
		       const struct sw_disk **ret_disk, char **ret_table, struct sw_error *err);

enum sw_clause_result { SW_CLAUSE_UNASKED, SW_CLAUSE_FITS, SW_CLAUSE_MISSES };

/* One disk held against one alternative. */
struct sw_disk_standing {
	enum sw_clause_result clause[SW_CLAUSE_N];
	char *excluded;		/* why it cannot be used, or NULL */
	bool candidate;
	char *verdict;		/* "candidate", "no match", "excluded: it is read-only", ... */
};

/* One for each disk of f, in its order; malloc'd. -ENOMEM. */
int sw_disk_stand(const struct sw_facts *f, const struct sw_disk_match *m, uint64_t min_size,
		  const struct sw_disk *const *taken, size_t n_taken,
		  struct sw_disk_standing **ret_standings);
struct sw_disk_standing *sw_disk_standings_free(struct sw_disk_standing *s, size_t n);

/* A disk that a choice did not give. */
struct sw_disk_left {
	char *name;		/* the kernel's */
	char *serial;		/* or NULL */
	uint64_t size;
	char *why;		/* "another serial"; "the rule fits it, but it is read-only" */
};

/* Why a choice gave one disk, and none of the others. */
struct sw_disk_reasons {
	size_t alternative;	/* that decided, from 0 */
	char *rule;		/* of it, as it would be written: "serial: S123, model: PM9*" */
	struct sw_disk_left *left;	/* those that the rule fits first */
	size_t n_left;
	size_t n_more;		/* that there was no room for */
};

/*
 * The reasons of a choice that sw_disk_choose() has made: disks[at] came of it, disks before that
 * were taken already. Of the n disks none is among those left; of the others at most max are told.
 * -ENOMEM. *ret_reasons is to be cleared in any case.
 */
int sw_disk_choice_reasons(const struct sw_facts *f, const struct sw_disk_choice *c,
			   uint64_t min_size, const struct sw_disk *const *disks, size_t n,
			   size_t at, size_t max, struct sw_disk_reasons *ret_reasons);
void sw_disk_reasons_clear(struct sw_disk_reasons *r);
void sw_disk_left_free(struct sw_disk_left *left, size_t n);

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
/*
 * Whether what was typed names the disk: its confirm text, or more of its serial's
 * end (serial may be NULL). Case and blanks around it do not count; a label is
 * often copied whole, and in capitals.
 */
bool sw_disk_confirmed(const char *typed, const char *confirm, const char *serial);
