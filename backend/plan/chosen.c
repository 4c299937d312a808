/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why these disks: by which rule of the answers each was chosen, and why the machine's others were
 * left alone. Words for people and receivers; nothing is decided by them.
 */
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/size.h"
#include "base/strv.h"
#include "base/text.h"
#include "plan/steps.h"
#include "plan/text.h"

/* ---- JSON ---- */

void sw_plan_chosen_to_json(json_object *o, const struct sw_plan_disk *d)
{
	json_object *list = json_object_new_array();

	sw_json_add_str(o, "chosen_by", d->chosen_by);
	sw_json_add_str(o, "rule", d->rule);
	for (size_t i = 0; i < d->n_left; i++) {
		json_object *x = json_object_new_object();

		sw_json_add_str(x, "name", d->left[i].name);
		sw_json_add_str(x, "serial", d->left[i].serial);
		sw_json_add_u64(x, "size", d->left[i].size);
		sw_json_add_str(x, "why", d->left[i].why);
		json_object_array_add(list, x);
	}
	sw_json_add(o, "others", list);
	if (d->n_more)
		sw_json_add_u64(o, "more_others", d->n_more);
}

int sw_plan_chosen_from_json(json_object *o, struct sw_plan_disk *d)
{
	json_object *list = sw_json_array(o, "others");
	size_t n = list ? json_object_array_length(list) : 0;

	d->chosen_by = sw_json_dup(o, "chosen_by");
	d->rule = sw_json_dup(o, "rule");
	d->n_more = sw_json_u64(o, "more_others", 0);
	if (n > SW_PLAN_MAX_LEFT || (!list && sw_json_get(o, "others")))
		return -EINVAL;
	d->left = calloc(n + 1, sizeof(*d->left));
	for (size_t i = 0; i < n && d->left; i++) {
		json_object *x = json_object_array_get_idx(list, i);
		struct sw_disk_left *l = &d->left[d->n_left++];

		l->name = sw_json_dup(x, "name");
		l->serial = sw_json_dup(x, "serial");
		l->size = sw_json_u64(x, "size", 0);
		l->why = sw_json_dup(x, "why");
		if (!l->name || !l->why)
			return -EINVAL;
	}
	return d->left ? 0 : -ENOMEM;
}

json_object *sw_plan_choice_json(const struct sw_plan *p)
{
	json_object *list = json_object_new_array();

	for (size_t i = 0; i < p->n_disks; i++) {
		const struct sw_plan_disk *d = &p->disks[i];
		json_object *o = sw_plan_disk_names(d);

		sw_json_add_str(o, "before", d->old_table_text);
		sw_plan_chosen_to_json(o, d);
		json_object_array_add(list, o);
	}
	return list;
}

/* ---- text ---- */

/* "sda (200G, serial DATA4711)" */
static int add_left(struct sw_buf *b, const struct sw_disk_left *l)
{
	char size[16];

	return sw_buf_addf(b, "%s (%s, %s%s)", l->name, sw_size_format(l->size, size, sizeof(size)),
			   l->serial && *l->serial ? "serial " : "no serial",
			   l->serial ? l->serial : "");
}

static bool is_first_of_its_reason(const struct sw_plan_disk *d, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (strcmp(d->left[i].why, d->left[at].why) == 0)
			return false;
	return true;
}

/* All that have one reason, and the reason; malloc'd. */
static char *left_together(const struct sw_plan_disk *d, size_t at)
{
	_cleanup_buf_ struct sw_buf b = {};
	int r = 0;

	for (size_t i = at; i < d->n_left && r == 0; i++) {
		if (strcmp(d->left[i].why, d->left[at].why) != 0)
			continue;
		r = sw_buf_adds(&b, i == at ? "" : ", ");
		if (r == 0)
			r = add_left(&b, &d->left[i]);
	}
	if (r == 0)
		r = sw_buf_addf(&b, ": %s", d->left[at].why);
	return r < 0 ? NULL : sw_buf_steal(&b);
}

int sw_plan_add_chosen(struct sw_buf *b, const struct sw_plan_disk *d, unsigned int width)
{
	const char *first = "Left     ";
	_cleanup_free_ char *by = NULL, *more = NULL;
	int r;

	if (!d->chosen_by || !d->rule)
		return 0;
	by = sw_fmt("by %s, %s", d->chosen_by, d->rule);
	r = by ? sw_plan_wrap(b, "Chosen   ", by, width) : -ENOMEM;
	for (size_t i = 0; i < d->n_left && r == 0; i++) {
		_cleanup_free_ char *text = NULL;

		if (!is_first_of_its_reason(d, i))
			continue;
		text = left_together(d, i);
		r = text ? sw_plan_wrap(b, first, text, width) : -ENOMEM;
		first = "         ";
	}
	if (r < 0 || !d->n_more)
		return r;
	more = sw_fmt("and %zu more: `slipway disks` shows all", d->n_more);
	return more ? sw_plan_wrap(b, first, more, width) : -ENOMEM;
}

/* ---- a log ---- */

/* One line whatever is in it. Frees the text; NULL: no memory. */
static int add_line(char ***lines, char *text)
{
	int r = text ? sw_strv_add(lines, sw_text_clean(text)) : -ENOMEM;

	free(text);
	return r;
}

static int add_chosen_line(char ***lines, const struct sw_plan_disk *d)
{
	const char *node = strrchr(d->node, '/');
	char size[16];

	return add_line(lines, sw_fmt("disk %s: %s (%s, %s, serial %s), chosen by %s, %s", d->name,
				      node ? node + 1 : d->node, d->model ? d->model : "no model",
				      sw_size_format(d->size, size, sizeof(size)),
				      d->serial ? d->serial : "(none)", d->chosen_by, d->rule));
}

static int add_left_lines(char ***lines, const struct sw_plan_disk *d)
{
	int r = 0;

	for (size_t i = 0; i < d->n_left && r == 0; i++) {
		_cleanup_buf_ struct sw_buf b = {};

		r = add_left(&b, &d->left[i]);
		if (r == 0)
			r = add_line(lines, sw_fmt("disk %s: not %s: %s", d->name, sw_buf_text(&b),
						   d->left[i].why));
	}
	if (r == 0 && d->n_more)
		r = add_line(lines, sw_fmt("disk %s: nor %zu more", d->name, d->n_more));
	return r;
}

/* What is lost and what comes. */
static int add_fate_line(char ***lines, const struct sw_plan *p, size_t disk)
{
	const struct sw_plan_disk *d = &p->disks[disk];
	_cleanup_buf_ struct sw_buf b = {};
	int r = 0;

	for (size_t i = 0; i < p->n_parts && r == 0; i++) {
		const struct sw_placed *part = &p->parts[i];

		if (part->disk == disk)
			r = sw_buf_addf(&b, "%s%s%s", b.len ? ", " : "", part->label,
					part->kept ? " (kept)" : "");
	}
	return r < 0 ? r : add_line(lines, sw_fmt("disk %s: on it now: %s; it gets %s", d->name,
						  d->old_table_text, sw_buf_text(&b)));
}

int sw_plan_choice_lines(const struct sw_plan *p, char ***ret_lines)
{
	_cleanup_strv_ char **lines = NULL;
	int r = 0;

	for (size_t k = 0; k < p->n_disks && r == 0; k++) {
		const struct sw_plan_disk *d = &p->disks[k];

		if (d->chosen_by && d->rule && d->node) {
			r = add_chosen_line(&lines, d);
			if (r == 0)
				r = add_left_lines(&lines, d);
		}
		if (r == 0)
			r = add_fate_line(&lines, p, k);
	}
	if (r == 0)
		*ret_lines = TAKE_PTR(lines);
	return r;
}
