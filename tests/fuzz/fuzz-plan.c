/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a saved plan, its digest made to fit (no fuzzer would guess it).
 * What is accepted survives being written and read again, can be told to a person
 * without moving the cursor, and writes nowhere outside its disks.
 */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "plan/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void is_plain(char *text)
{
	for (char *line; (line = strsep(&text, "\n"));)
		if (!sw_text_is_clean(line))
			abort();
}

static void all_is_plain(const struct sw_plan *p)
{
	for (size_t i = 0; i < p->n_disks; i++) {
		const struct sw_plan_disk *d = &p->disks[i];
		const char *words[] = { d->name, d->node, d->serial, d->wwn, d->model, d->confirm };

		for (size_t k = 0; k < ARRAY_SIZE(words); k++)
			if (words[k] && !sw_text_is_clean(words[k]))
				abort();
	}
	for (size_t i = 0; i < p->n_parts; i++) {
		const struct sw_placed *t = &p->parts[i];
		const char *words[] = { t->label, t->format, t->copy_blocks, t->entry, t->fs_uuid };

		for (size_t k = 0; k < ARRAY_SIZE(words); k++)
			if (words[k] && !sw_text_is_clean(words[k]))
				abort();
	}
	for (size_t i = 0; i < p->n_asides; i++)
		for (size_t k = 0; k < p->asides[i].n_parts; k++)
			if (!sw_text_is_clean(p->asides[i].parts[k].old_label) ||
			    !sw_text_is_clean(p->asides[i].parts[k].new_label))
				abort();
}

static void error_is_plain(const struct sw_error *err)
{
	if (!err->what[0] || !sw_text_lines_are_clean(err->what) ||
	    !sw_text_lines_are_clean(err->where) || !sw_text_lines_are_clean(err->why) ||
	    !sw_text_lines_are_clean(err->hint))
		abort();
}

static void stays_inside(const struct sw_plan *p)
{
	for (size_t i = 0; i < p->n_steps; i++) {
		const struct sw_step *s = &p->steps[i];

		if (s->len == 0)
			continue;
		if (s->disk >= p->n_disks || s->off > p->disks[s->disk].size ||
		    s->len > p->disks[s->disk].size - s->off)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_json_ json_object *in = NULL, *one = NULL, *two = NULL;
	_cleanup_plan_ struct sw_plan *p = NULL, *q = NULL;
	_cleanup_free_ char *text = NULL;
	struct sw_error err = {};
	char digest[65];

	if (size > 1 << 20 || sw_json_parse((const char *)data, size, "fuzz", &in, &err) < 0)
		return 0;
	if (sw_plan_digest(in, digest) == 0)
		sw_json_add_str(in, SW_PLAN_DIGEST, digest);
	if (sw_plan_from_json(in, &p, &err) < 0) {
		error_is_plain(&err);
		return 0;
	}
	stays_inside(p);
	all_is_plain(p);
	text = sw_plan_text(p, 79);
	one = sw_plan_to_json(p);
	if (!text || !one || sw_plan_from_json(one, &q, NULL) < 0)
		abort();
	is_plain(text);
	two = sw_plan_to_json(q);
	if (!two || strcmp(json_object_to_json_string(one), json_object_to_json_string(two)) != 0)
		abort();
	return 0;
}
