/* SPDX-License-Identifier: Apache-2.0 */
#include "base/template.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"

int sw_template_word(const char *p, const char *const *words, const char **ret_behind)
{
	const char *end = strchr(p, '}');

	for (int i = 0; end && words[i]; i++)
		if (strlen(words[i]) == (size_t)(end - p - 2) &&
		    strncmp(words[i], p + 2, (size_t)(end - p - 2)) == 0) {
			*ret_behind = end + 1;
			return i;
		}
	return -1;
}

/* behind: what follows "${". */
static int fail_word(const char *behind, const char *const *words, struct sw_error *err)
{
	char word[24], list[256] = "the words are";
	size_t n = strcspn(behind, "}"), len = strlen(list);
	const char *nearest;

	(void)snprintf(word, sizeof(word), "%.*s", (int)(n < 20 ? n : 20), behind);
	nearest = sw_text_nearest(word, words);
	sw_error_why(err, behind[n] ? "there is no ${%s}" : "a ${ has no }: ${%s", word);
	if (behind[n] && nearest)
		sw_error_hint(err, "did you mean ${%s}?", nearest);
	for (size_t i = 0; words[i] && len < sizeof(list); i++)
		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s %s", i ? "," : "",
					words[i]);
	sw_error_hint(err, "%s", list);
	return -EINVAL;
}

int sw_template_check(const char *text, const char *const *words, struct sw_error *err)
{
	for (const char *p = strstr(text, "${"); p; p = strstr(p, "${")) {
		if (sw_template_word(p, words, &p) < 0)
			return fail_word(p + 2, words, err);
	}
	return 0;
}

static int add_escaped(struct sw_buf *b, const char *value)
{
	json_object *o = json_object_new_string(value);
	const char *quoted = o ? json_object_to_json_string_ext(o, JSON_C_TO_STRING_NOSLASHESCAPE)
			       : NULL;
	int r = quoted && strlen(quoted) >= 2 ? sw_buf_add(b, quoted + 1, strlen(quoted) - 2)
					      : -ENOMEM;

	json_object_put(o);
	return r;
}

int sw_template_expand(struct sw_buf *b, const char *text, const char *const *words,
		       const char *const *values)
{
	int r = 0;

	while (*text && r == 0) {
		const char *behind = text, *p = strstr(text, "${");
		size_t n = p ? (size_t)(p - text) : strlen(text);
		int word = p ? sw_template_word(p, words, &behind) : -1;

		/* What is no word stands for itself. */
		if (p && word < 0) {
			n += 2;
			behind = text + n;
		}
		r = sw_buf_add(b, text, n);
		if (r == 0 && word >= 0)
			r = add_escaped(b, values[word] ? values[word] : "");
		text = p ? behind : text + n;
	}
	return r;
}
