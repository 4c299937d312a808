/* SPDX-License-Identifier: Apache-2.0 */
/* What is to be done by a machine whose answers cannot be used: as far as on-error can be read. */
#include <string.h>

#include "answers/source-private.h"
#include "base/file.h"

#define GROUP "on-error"

/* Of slipway.set= only these words: another may be what is wrong. */
static int take_word(const char *key, const char *value, void *lines)
{
	bool ours = strcmp(key, SW_KEY_SET) == 0 && strncmp(value, GROUP, strlen(GROUP)) == 0 &&
		    strchr("=.", value[strlen(GROUP)]);

	return ours ? sw_buf_addf(lines, "%s\n", value) : 0;
}

static int from_cmdline(struct sw_machine *m, struct sw_merge *merge)
{
	_cleanup_free_ char *path = sw_fmt("%s/cmdline", m->proc_root ? m->proc_root : "/proc");
	_cleanup_buf_ struct sw_buf cmdline = { .max = 65536 }, lines = { .max = 65536 };
	_cleanup_answers_ struct sw_answers *a = NULL;
	struct sw_error ignored = {};
	int r = path ? sw_file_read(path, &cmdline) : -ENOMEM;

	if (r == 0)
		r = sw_cmdline_each(sw_buf_text(&cmdline), take_word, &lines);
	if (r < 0 || lines.len == 0)
		return r;
	r = sw_answers_from_set(sw_buf_text(&lines), SW_KEY_SET "=", &a, &ignored);
	return r < 0 ? r : sw_merge_add(merge, a, SW_KEY_SET "=", &ignored);
}

static void from_source(struct sw_machine *m, const struct sw_answers_source *s,
			struct sw_merge *merge)
{
	_cleanup_answers_ struct sw_answers *a = NULL;
	struct sw_error ignored = {};

	if (sw_source_read(m, s, 0, NULL, &a, &ignored) == 0)
		(void)sw_merge_add(merge, a, s->text, &ignored);
}

int sw_sources_on_error(struct sw_machine *m, const struct sw_sources *s, struct sw_answers *a)
{
	_cleanup_merge_ struct sw_merge *merge = sw_merge_new();

	if (!merge)
		return -ENOMEM;
	/* The stick waits for a person, and what is far was asked already. */
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].form != SW_FORM_SET && s->v[i].form != SW_FORM_LABEL &&
		    !sw_answers_source_is_far(&s->v[i]))
			from_source(m, &s->v[i], merge);
	(void)from_cmdline(m, merge);
	return sw_answers_take_on_error(a, merge->answers);
}

int sw_answers_take_on_error(struct sw_answers *a, const struct sw_answers *from)
{
	char *pause = from->on_error_pause ? strdup(from->on_error_pause) : NULL;

	if (from->on_error_pause && !pause)
		return -ENOMEM;
	free(a->on_error_pause);
	a->on_error_pause = pause;
	a->on_error = from->on_error;
	return 0;
}
