/* SPDX-License-Identifier: Apache-2.0 */
/* The rules about more than one field, and where they report. Private to answers/. */
#pragma once

#include "answers/answers.h"
#include "answers/errors.h"

struct sw_check {
	const struct sw_answers *a;
	const char *file;
	struct sw_errors *errors;
	/* When only_home is a list's, nothing but this item counts; field: what is wrong first. */
	enum sw_field_home only_home;
	size_t only;
	const struct sw_field *field;
	const struct sw_unread *unread;	/* NULL: all of the file could be read */
};

/* What of a file could not be read, so that nothing is concluded from its absence. */
struct sw_unread {
	char *const *groups;	/* keys of the top, in which there is an error; NULL-terminated */
	bool unknown;		/* there is a key at the top that nobody knows */
};

/* The rules about more than one field, for what does not depend on what could not be read. */
void sw_check_rest(const struct sw_answers *a, const char *file, const struct sw_unread *unread,
		   struct sw_errors *errors);

/* Reports about one key, at its place in the file when it has one. */
void sw_broken(struct sw_check *c, const char *key, int r, const char *what,
	       const char *why, const char *hint);
/* The same about a key of item i of the list of this home: "secrets[2].name" by "name". */
void sw_broken_item(struct sw_check *c, enum sw_field_home home, size_t i, const char *word,
		    const char *what, const char *why, const char *hint);

/* The rules below network. */
void sw_check_network(struct sw_check *c);
/* The rules below node.files. */
void sw_check_files(struct sw_check *c);
/* The rules below secrets. */
void sw_check_secrets(struct sw_check *c);
