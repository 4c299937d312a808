/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What answers that cannot be used still say of their own end: whom to tell, by what name and
 * through which proxy, and what the machine does then. Each of these counts when it can be
 * understood in itself, whatever is wrong with the others, and only from a source that is believed.
 */
#pragma once

#include "answers/answers.h"
#include "machine/machine.h"

struct sw_rest {
	/* report, on-error, node.hostname and the proxy, as far as they are there; may be NULL */
	struct sw_answers *answers;
	/* why nobody can be told who was to be: then answers has no report; r 0: it is right */
	struct sw_error report;
	char **errors;		/* all that is wrong, a line each; NULL: it is one thing */
};

void sw_rest_clear(struct sw_rest *rest);
#define _cleanup_rest_ _cleanup_(sw_rest_clear)

/*
 * Of the text of an answer file, of a file, or of lines of KEY=VALUE, that could not be read. from
 * is for messages. What comes of it may still have to be merged with that of other sources; lacking
 * memory makes it less.
 */
void sw_rest_of_text(const char *text, size_t len, const char *from, struct sw_rest *rest);
void sw_rest_of_file(const char *path, struct sw_rest *rest);
void sw_rest_of_set(const char *lines, const char *from, struct sw_rest *rest);
/* What slipway.set= on the kernel command line says of it. */
void sw_rest_of_cmdline(struct sw_machine *m, struct sw_rest *rest);
/* Of answers that were read: what they come to, without a report that is not right in itself. */
void sw_rest_take(const struct sw_answers *a, struct sw_rest *rest);
/* The same of what is in it already, which came of one source. */
void sw_rest_settle(struct sw_rest *rest);
/* Of those that were read and are not valid: the same, and all that is wrong. */
void sw_rest_of_invalid(const struct sw_answers *a, struct sw_rest *rest);
