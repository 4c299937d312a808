/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one catalogue of what people read. English is the language of the source; every text
 * that is shown is marked, so that `make pot` finds it and a translation can take its place:
 * _("...") where it is used, N_("...") in a table, with _() where the table is read. What
 * takes a format for people (sw_fail() and its like, notices) looks it up itself; the
 * Makefile's POT_KEYWORDS names those.
 *
 * A format has whole sentences; where a number decides, _n() takes both forms. Not in the
 * catalogue: ids, keys of files and JSON, commands, and what is to be typed as consent.
 */
#pragma once

#define _(text) sw_tr(text)
#define N_(text) text
#define _n(one, many, n) sw_tr_n(one, many, n)

/*
 * Binds the catalogue of the user's language below `dir` (NULL: where it is installed),
 * and leaves everything English, libc's words too, when there is none for it.
 */
void sw_catalogue_open(const char *dir);

/* The text in the user's language, or itself. What is no whole text of the catalogue stays. */
const char *sw_tr(const char *text) __attribute__((format_arg(1)));
/* The form of a text for n things. */
const char *sw_tr_n(const char *one, const char *many, unsigned long n)
	__attribute__((format_arg(1), format_arg(2)));

/* For tests: another way to look up, called for every text. NULL: the catalogue. */
void sw_catalogue_replace(const char *(*lookup)(const char *text));
