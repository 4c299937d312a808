/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as an answer file: no crash, one error with a place or answers that
 * survive being written and read again.
 */
#include <stdlib.h>
#include <string.h>

#include "answers/answers.h"
#include "answers/hide.h"
#include "answers/rest.h"

/* A line that could be shown beside an error: no star stands for more than is there. */
static void check_hide(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = strndup((const char *)data, size);
	unsigned int line = 0;

	if (!text)
		return;
	for (const char *at = text; *at && ++line < 64; at += *at == '\n') {
		_cleanup_free_ char *shown = sw_hide_in_line(text, line);
		const size_t n = strcspn(at, "\r\n");

		if (shown && strlen(shown) > n)
			abort();
		at += strcspn(at, "\n");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round_trip(const struct sw_answers *a)
{
	_cleanup_free_ char *yaml = sw_answers_to_yaml(a);
	_cleanup_answers_ struct sw_answers *b = NULL;
	char one[65], two[65];

	if (!yaml || sw_answers_parse(yaml, strlen(yaml), "again", &b, NULL) < 0)
		abort();
	if (sw_answers_digest(a, one) < 0 || sw_answers_digest(b, two) < 0 || strcmp(one, two) != 0)
		abort();
}

static void check_copy(const struct sw_answers *a)
{
	_cleanup_answers_ struct sw_answers *b = NULL;
	char one[65], two[65];

	if (sw_answers_copy(a, &b, NULL) < 0 || sw_answers_digest(a, one) < 0 ||
	    sw_answers_digest(b, two) < 0 || strcmp(one, two) != 0)
		abort();
}

/* Of bad answers nobody is told where it is not clear to whom. */
static void check_rest(const uint8_t *data, size_t size)
{
	_cleanup_rest_ struct sw_rest rest = {};
	struct sw_error e = {};

	sw_rest_of_text((const char *)data, size, "f", &rest);
	sw_rest_settle(&rest);
	if (!rest.answers)
		return;
	if (sw_answers_validate_report(rest.answers, &e) < 0)
		abort();
	if (rest.report.r && sw_answers_reports(rest.answers))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_answers_ struct sw_answers *a = NULL;
	struct sw_error errs[4];
	size_t n = 0;
	int r = sw_answers_parse_all((const char *)data, size, "f", errs, 4, &n, &a);

	check_hide(data, size);
	if (r < 0) {
		if (n == 0 || a || strncmp(errs[0].where, "f:", 2) != 0 || !errs[0].what[0])
			abort();
		check_rest(data, size);
		return 0;
	}
	check_round_trip(a);
	check_copy(a);
	(void)sw_answers_validate_all(a, "f", errs, 4, &n);
	return 0;
}
