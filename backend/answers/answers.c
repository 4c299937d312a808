/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a set of answers, and what follows from one: the node's command line. */
#include "answers/answers.h"

#include <string.h>

#include "base/file.h"

struct sw_answers *sw_answers_new(void)
{
	_cleanup_answers_ struct sw_answers *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	for (size_t i = 0; i < sw_n_fields; i++) {
		const struct sw_field *f = &sw_fields[i];

		if (f->dflt && sw_field_set(f, a, f->dflt, NULL) < 0)
			return NULL;
	}
	return TAKE_PTR(a);
}

struct sw_answers *sw_answers_free(struct sw_answers *a)
{
	if (!a)
		return NULL;
	for (size_t i = 0; i < sw_n_fields; i++)
		if (sw_fields[i].type != SW_FIELD_CHOICE && sw_fields[i].type != SW_FIELD_INT)
			free(*(char **)(void *)((char *)a + sw_fields[i].offset));
	free(a->places);
	free(a);
	return NULL;
}

char *sw_answers_node_cmdline(const struct sw_answers *a)
{
	const char *own = a->cmdline ? a->cmdline : "";

	if (a->admission_kind != SW_ADMISSION_ATTEST || !a->admission_url || !*a->admission_url)
		return strdup(own);
	return sw_fmt("%s%sember.attest_url=%s", own, *own ? " " : "", a->admission_url);
}
