/* SPDX-License-Identifier: Apache-2.0 */
/* What an answer file leaves to be asked, asked at the terminal. */
#include "tui/commands/ask-open.h"

#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "tui/commands/common.h"

static void print_disks(const struct sw_facts *f)
{
	for (size_t i = 0; i < f->n_disks; i++)
		if (f->disks[i].serial)
			printf("  %s: %s, %s\n", f->disks[i].serial, f->disks[i].name,
			       f->disks[i].model ? f->disks[i].model : "-");
}

static void print_question(const struct sw_field *f, const struct sw_facts *facts)
{
	if (strcmp(f->key, "disk.match.serial") == 0)
		print_disks(facts);
	printf("%s (%s)", f->label, f->key);
	for (size_t i = 0; f->type == SW_FIELD_CHOICE && f->choices[i]; i++)
		printf("%s%s", i ? ", " : ", one of ", f->choices[i]);
	printf(": ");
	(void)fflush(stdout);
}

/* Until it is an answer. */
static int ask_one(const struct sw_field *f, struct sw_answers *a, const struct sw_facts *facts,
		   struct sw_error *err)
{
	_cleanup_free_ char *line = NULL;
	size_t size = 0;

	for (;;) {
		struct sw_error wrong = {};
		ssize_t n;

		print_question(f, facts);
		n = getline(&line, &size, stdin);
		if (n < 0)
			return sw_fail(err, SW_EXIT_CANCELLED, -ECANCELED,
				       "not answered, nothing was changed");
		while (n > 0 && strchr("\r\n \t", line[n - 1]))
			line[--n] = '\0';
		if (n == 0 && sw_field_required(f, a, NULL))
			continue;
		if (sw_field_set(f, a, line, &wrong) == 0)
			return 0;
		sw_report(&wrong, false);
	}
}

int sw_ask_open(struct sw_answers *a, const struct sw_facts *facts, struct sw_error *err)
{
	int r = 0;

	if (!a->open || !sw_is_interactive())
		return sw_answers_refuse_open(a, err);
	for (size_t i = 0; i < sw_n_fields && r == 0; i++)
		if (sw_answers_is_open(a, sw_fields[i].key) &&
		    sw_field_applies(&sw_fields[i], a, NULL))
			r = ask_one(&sw_fields[i], a, facts, err);
	sw_answers_close(a, "");
	return r;
}
