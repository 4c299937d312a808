/* SPDX-License-Identifier: Apache-2.0 */
#include "answers/rest.h"

#include <string.h>

#include "answers/merge.h"
#include "answers/source-private.h"
#include "base/file.h"
#include "base/strv.h"
#include "base/yaml.h"

#define REPORT "report"
#define ERRORS_MAX 16U

/* Each is understood alone. */
static const char *const parts[] = { REPORT, "on-error", "node.hostname", "network.proxy",
				     "network.proxy-login" };

void sw_rest_clear(struct sw_rest *rest)
{
	rest->answers = sw_answers_free(rest->answers);
	rest->errors = sw_strv_free(rest->errors);
	rest->report = (struct sw_error){};
}

/* One alone is told as the failure itself. */
static void add_errors(struct sw_rest *rest, const struct sw_error *errs, size_t n)
{
	for (size_t i = 0; i < n && n > 1; i++) {
		_cleanup_free_ char *text = sw_error_text(&errs[i]);

		if (!text)
			return;
		text[strcspn(text, "\n")] = '\0';
		(void)sw_strv_add(&rest->errors, text);
	}
}

/* A part that could not be read counts as if it were not there; but nobody may be told wrongly. */
static void add_part(struct sw_merge *merge, const char *part, int r, const struct sw_answers *a,
		     const struct sw_error *e, struct sw_rest *rest)
{
	struct sw_error ignored = {};

	if (r == 0)
		(void)sw_merge_add(merge, a, part, &ignored);
	else if (r != -ENOENT && strcmp(part, REPORT) == 0)
		rest->report = *e;
}

/* ---- a file ---- */

void sw_rest_of_text(const char *text, size_t len, const char *from, struct sw_rest *rest)
{
	_cleanup_merge_ struct sw_merge *merge = sw_merge_new();
	_cleanup_answers_ struct sw_answers *whole = NULL;
	_cleanup_yaml_ struct sw_yaml *root = NULL;
	struct sw_error errs[ERRORS_MAX];
	size_t n = 0;

	(void)sw_answers_parse_all(text, len, from, errs, ERRORS_MAX, &n, &whole);
	add_errors(rest, errs, n);
	/* What is no YAML says nothing, whomever it may have meant. */
	if (sw_yaml_parse(text, len, from, &root, NULL) < 0)
		return;
	for (size_t i = 0; merge && i < ARRAY_SIZE(parts); i++) {
		_cleanup_answers_ struct sw_answers *a = NULL;
		struct sw_error e = {};
		int r = sw_answers_parse_part(text, len, from, parts[i], &a, &e);

		add_part(merge, parts[i], r, a, &e, rest);
	}
	if (merge)
		rest->answers = TAKE_PTR(merge->answers);
}

void sw_rest_of_file(const char *path, struct sw_rest *rest)
{
	_cleanup_buf_ struct sw_buf b = { .max = SW_ANSWERS_MAX };

	if (sw_file_read(path, &b) == 0)
		sw_rest_of_text(sw_buf_text(&b), b.len, path, rest);
}

/* ---- lines of KEY=VALUE ---- */

static bool is_of(const char *line, const char *part)
{
	size_t n = strlen(part);

	return strncmp(line, part, n) == 0 && line[n] && strchr("=.[", line[n]);
}

/* Those of one part alone: another may be what is wrong. */
static int lines_of(const char *lines, const char *part, struct sw_buf *b)
{
	int r = 0;

	for (const char *p = lines; *p && r == 0; p += p[0] == '\n') {
		size_t n = strcspn(p, "\n");

		if (is_of(p, part))
			r = sw_buf_addf(b, "%.*s\n", (int)n, p);
		p += n;
	}
	return r;
}

void sw_rest_of_set(const char *lines, const char *from, struct sw_rest *rest)
{
	_cleanup_merge_ struct sw_merge *merge = sw_merge_new();

	for (size_t i = 0; merge && i < ARRAY_SIZE(parts); i++) {
		_cleanup_buf_ struct sw_buf b = { .max = SW_ANSWERS_MAX };
		_cleanup_answers_ struct sw_answers *a = NULL;
		struct sw_error e = {};
		int r = lines_of(lines, parts[i], &b);

		if (r == 0)
			r = b.len ? sw_answers_from_set(sw_buf_text(&b), from, &a, &e) : -ENOENT;
		add_part(merge, parts[i], r, a, &e, rest);
	}
	if (merge)
		rest->answers = TAKE_PTR(merge->answers);
}

static int take_word(const char *key, const char *value, void *lines)
{
	return strcmp(key, SW_KEY_SET) == 0 ? sw_buf_addf(lines, "%s\n", value) : 0;
}

void sw_rest_of_cmdline(struct sw_machine *m, struct sw_rest *rest)
{
	_cleanup_free_ char *path = sw_fmt("%s/cmdline", m->proc_root ? m->proc_root : "/proc");
	_cleanup_buf_ struct sw_buf cmdline = { .max = 65536 }, lines = { .max = 65536 };
	int r = path ? sw_file_read(path, &cmdline) : -ENOMEM;

	if (r == 0)
		r = sw_cmdline_each(sw_buf_text(&cmdline), take_word, &lines);
	if (r == 0)
		sw_rest_of_set(sw_buf_text(&lines), SW_KEY_SET "=", rest);
}

/* ---- what it comes to ---- */

struct taking {
	struct sw_answers *to;
	bool report;
};

static int take(const char *key, const struct sw_field *f SW_UNUSED, const char *text, void *arg)
{
	struct taking *t = arg;
	struct sw_error ignored = {};

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		const char *part = parts[i];
		size_t n = strlen(part);

		if (strncmp(key, part, n) != 0 || (key[n] && key[n] != '.'))
			continue;
		/* A name that is still to be made of what the machine is says nothing. */
		if ((strcmp(part, REPORT) == 0 && !t->report) ||
		    (strcmp(part, "node.hostname") == 0 && strstr(text, "${")))
			continue;
		return sw_answers_set(t->to, key, text, &ignored);
	}
	return 0;
}

void sw_rest_take(const struct sw_answers *a, struct sw_rest *rest)
{
	_cleanup_answers_ struct sw_answers *to = sw_answers_new();
	struct taking t = { .to = to };

	t.report = rest->report.r == 0 && sw_answers_validate_report(a, &rest->report) == 0;
	if (!to || sw_answers_each(a, take, &t) < 0)
		return;
	sw_answers_free(rest->answers);
	rest->answers = TAKE_PTR(to);
}

void sw_rest_settle(struct sw_rest *rest)
{
	_cleanup_answers_ struct sw_answers *a = TAKE_PTR(rest->answers);

	if (a)
		sw_rest_take(a, rest);
}

void sw_rest_of_invalid(const struct sw_answers *a, struct sw_rest *rest)
{
	struct sw_error errs[ERRORS_MAX];
	size_t n = 0;

	(void)sw_answers_validate_all(a, NULL, errs, ERRORS_MAX, &n);
	add_errors(rest, errs, n);
	sw_rest_take(a, rest);
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
