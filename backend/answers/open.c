/* SPDX-License-Identifier: Apache-2.0 */
/* Answers that somebody gives when it is installed: `serial: ask`. */
#include <string.h>

#include "answers/answers.h"
#include "answers/values.h"
#include "base/buf.h"
#include "base/strv.h"

bool sw_answers_is_open(const struct sw_answers *a, const char *key)
{
	for (char *const *p = a->open; p && *p; p++)
		if (strcmp(*p, key) == 0)
			return true;
	return false;
}

static bool is_in(const char *key, const char *group)
{
	size_t n = strlen(group);

	return n == 0 || (strncmp(key, group, n) == 0 && (!key[n] || key[n] == '.'));
}

bool sw_answers_has_open(const struct sw_answers *a, const char *group)
{
	for (char *const *p = a->open; p && *p; p++)
		if (is_in(*p, group))
			return true;
	return false;
}

void sw_answers_close(struct sw_answers *a, const char *group)
{
	char **to = a->open;

	for (char **p = a->open; p && *p; p++)
		if (is_in(*p, group))
			free(*p);
		else
			*to++ = *p;
	if (to)
		*to = NULL;
	if (a->open && !*a->open)
		a->open = sw_strv_free(a->open);
}

bool sw_field_can_be_asked(const struct sw_field *f)
{
	return f->type != SW_FIELD_DISKS && strcmp(f->key, "sources") != 0 &&
	       strcmp(f->key, "slipway") != 0;
}

bool sw_answers_can_be_open(const struct sw_answers *a, const struct sw_field *f)
{
	const struct sw_list_group *g = sw_list_group_of(f->home);

	return sw_field_can_be_asked(f) && (!g || sw_items_count(g, a) == 1) &&
	       (f->home != SW_HOME_MATCH || a->disk.n_match == 1);
}

int sw_answers_fail_open(const char *key, struct sw_error *err)
{
	(void)sw_fail(err, SW_EXIT_INVALID, -EINVAL, "%s cannot be left to ask", key);
	sw_error_why(err, "only what the console has one field for can be asked: nothing in a "
		     "list of groups, not slipway and not sources");
	sw_error_hint(err, "give the value, or write \"ask\" in quotes for that word");
	return -EINVAL;
}

int sw_answers_leave_open(struct sw_answers *a, const char *key, struct sw_error *err)
{
	const struct sw_field *f = sw_field_find(key);
	int r;

	if (!f || !sw_answers_can_be_open(a, f))
		return sw_answers_fail_open(key, err);
	r = sw_field_set(f, a, "", err);
	if (r < 0 || sw_answers_is_open(a, key))
		return r;
	return sw_strv_add(&a->open, key) < 0 ? sw_fail_oom(err) : 0;
}

int sw_answers_fill_open(struct sw_answers *a, const struct sw_answers *from, struct sw_error *err)
{
	int r = 0;

	for (size_t i = 0; i < sw_n_fields && r == 0; i++) {
		_cleanup_free_ char *text = NULL;

		if (!sw_answers_is_open(a, sw_fields[i].key))
			continue;
		text = sw_field_get(&sw_fields[i], from);
		r = text ? sw_field_set(&sw_fields[i], a, text, err) : sw_fail_oom(err);
	}
	return r;
}

char *sw_answers_open_text(const struct sw_answers *a)
{
	_cleanup_buf_ struct sw_buf b = {};
	int r = sw_buf_adds(&b, "");

	for (size_t i = 0; i < sw_n_fields && r == 0; i++)
		if (sw_answers_is_open(a, sw_fields[i].key))
			r = sw_buf_addf(&b, "%s%s", b.len ? ", " : "", sw_fields[i].key);
	return r < 0 ? NULL : sw_buf_steal(&b);
}

int sw_answers_refuse_open(const struct sw_answers *a, struct sw_error *err)
{
	_cleanup_free_ char *keys = NULL;

	if (!a->open)
		return 0;
	keys = sw_answers_open_text(a);
	(void)sw_fail(err, SW_EXIT_INVALID, -EINVAL, "nobody has answered %s yet",
		      keys ? keys : "what was left to ask");
	sw_error_why(err, "the answers leave it to be asked, and nobody was there to ask");
	sw_error_hint(err, "install at a terminal or on the console, or give the value");
	return -EINVAL;
}
