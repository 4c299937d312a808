/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The catalogue of what people read, and the screens in a language that nobody speaks: each
 * looked-up text has other letters and is a third longer. What still shows plain letters did
 * not go through the catalogue, which tests/commands/test-catalogue.py reads from what is
 * left in SW_LOOKS_INTO.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <dirent.h>
#include <locale.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/catalogue.h"
#include "base/error.h"
#include "base/file.h"
#include "tests/lib/screen-script.h"
#include "tui/session/text.h"

#define DIR "tests/screens"

/* ---- a language ---- */

struct word {
	char *text, *other;
};

static int by_text(const void *a, const void *b)
{
	return strcmp(((const struct word *)a)->text, ((const struct word *)b)->text);
}

static void add_other(struct sw_buf *b, char ch)
{
	static const char *const upper[] = {
		"À", "Ɓ", "Ç", "Ď", "È", "Ƒ", "Ĝ", "Ĥ", "Ì", "Ĵ", "Ķ", "Ĺ", "Ḿ", "Ń", "Ò", "Ṕ",
		"Ɋ", "Ŕ", "Ś", "Ť", "Ù", "Ṽ", "Ŵ", "Ẍ", "Ý", "Ž",
	};
	static const char *const lower[] = {
		"à", "ƀ", "ç", "ď", "è", "ƒ", "ĝ", "ĥ", "ì", "ĵ", "ķ", "ĺ", "ḿ", "ń", "ò", "ṕ",
		"ɋ", "ŕ", "ś", "ť", "ù", "ṽ", "ŵ", "ẍ", "ý", "ž",
	};

	if (ch >= 'A' && ch <= 'Z')
		assert_int_equal(sw_buf_adds(b, upper[ch - 'A']), 0);
	else if (ch >= 'a' && ch <= 'z')
		assert_int_equal(sw_buf_adds(b, lower[ch - 'a']), 0);
	else
		assert_int_equal(sw_buf_add(b, &ch, 1), 0);
}

/* Conversions stay, other letters change; longer by a third, before what ends the line. */
static char *in_other_letters(const char *text)
{
	_cleanup_buf_ struct sw_buf b = { 0 };
	size_t len = strlen(text), end = len, letters = 0;

	while (end > 0 && strchr("\n :", text[end - 1]))
		end--;
	for (size_t i = 0; i < end;) {
		size_t n = text[i] == '%' ? strcspn(text + i + 1, "%csduxXo") + 2 : 1;

		if (n == 1)
			add_other(&b, text[i]);
		else
			assert_int_equal(sw_buf_add(&b, text + i, n), 0);
		letters += n == 1;
		i += n;
	}
	for (size_t i = 0; i < (letters + 2) / 3; i++)
		assert_int_equal(sw_buf_adds(&b, "°"), 0);
	assert_int_equal(sw_buf_adds(&b, text + end), 0);
	return sw_buf_steal(&b);
}

/* Kept until the end, as a catalogue's texts are. */
static const char *other(const char *text)
{
	static void *known;
	struct word key = { .text = (char *)text }, *w;
	void *found = tfind(&key, &known, by_text);

	if (found)
		return (*(struct word **)found)->other;
	w = calloc(1, sizeof(*w));
	assert_non_null(w);
	w->text = strdup(text);
	w->other = in_other_letters(text);
	assert_non_null(w->text);
	assert_non_null(w->other);
	assert_non_null(tsearch(w, &known, by_text));
	return w->other;
}

/* ---- tests ---- */

static void test_without_a_translation_everything_is_english(void **state SW_UNUSED)
{
	sw_catalogue_open("/nonexistent");
	assert_string_equal(_("Sure?"), "Sure?");
	assert_string_equal(_(""), "");
	assert_null(_((const char *)NULL));
	assert_string_equal(_n("%d day", "%d days", 1), "%d day");
	assert_string_equal(_n("%d day", "%d days", 2), "%d days");
	/* libc's words do not come in a language that ours are not in. */
	assert_string_equal(setlocale(LC_MESSAGES, NULL), "C");
}

/* A catalogue as translators make it, that test-catalogue.py has put there. */
static void test_a_translation_takes_the_place_of_english(void **state SW_UNUSED)
{
	struct sw_error err = { 0 };

	sw_catalogue_open(getenv("SW_TEST_LOCALE"));
	assert_string_equal(_("Sure?"), "<Sure?>");
	assert_string_equal(_n("%zu thing is wrong: %s", "%zu things are wrong: %s", 1),
			    "<%zu thing is wrong: %s>");
	assert_string_equal(_n("%zu thing is wrong: %s", "%zu things are wrong: %s", 3),
			    "<%zu things are wrong: %s>");
	/* What takes a format for people looks it up itself. */
	(void)sw_fail_oom(&err);
	assert_string_equal(err.what, "<out of memory>");
	sw_catalogue_open("/nonexistent");
}

static unsigned int looks;

static void keep(const char *name, const char *frame, const char *plain)
{
	const char *dir = getenv("SW_LOOKS_INTO");

	/* Of a screen of one cell nothing can be asked. */
	if (strlen(frame) > 200)
		assert_non_null(strstr(frame, "°"));
	assert_non_null(strstr(plain, "°"));
	looks++;
	if (dir) {
		_cleanup_free_ char *path = sw_fmt("%s/%04u", dir, looks);
		_cleanup_free_ char *all = sw_fmt("%s\n%s\n%s", name, frame, plain);

		assert_non_null(path);
		assert_non_null(all);
		assert_int_equal(sw_file_write(path, all, strlen(all), 0644), 0);
	}
}

static bool has_lines(const char *name)
{
	_cleanup_free_ char *path = sw_fmt("%s/%s", DIR, name);
	_cleanup_buf_ struct sw_buf text = { 0 };

	assert_int_equal(sw_file_read(path, &text), 0);
	return strstr(sw_buf_text(&text), "\nline ") != NULL;
}

/* Scripts that type plain mode's words are in English; the pages come from all others. */
static int is_keys(const struct dirent *d)
{
	const char *dot = strrchr(d->d_name, '.');

	return dot && strcmp(dot, ".keys") == 0 && !has_lines(d->d_name);
}

/* The same keys lead to the same plans and wants, whatever the screens say. */
static void test_keys_and_plans_are_the_same_in_a_longer_language(void **state SW_UNUSED)
{
	struct dirent **found = NULL;
	int n = scandir(DIR, &found, is_keys, alphasort);

	assert_true(n > 20);
	sw_text_init();
	sw_catalogue_replace(other);
	sw_script_look = keep;
	for (int i = 0; i < n; i++) {
		found[i]->d_name[strlen(found[i]->d_name) - strlen(".keys")] = '\0';
		sw_script_run(DIR, found[i]->d_name);
		free(found[i]);
	}
	free(found);
	sw_script_look = NULL;
	sw_catalogue_replace(NULL);
	assert_true(looks > 100);
}

int main(void)
{
	const struct CMUnitTest bound[] = {
		cmocka_unit_test(test_a_translation_takes_the_place_of_english),
	};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_a_translation_everything_is_english),
		cmocka_unit_test(test_keys_and_plans_are_the_same_in_a_longer_language),
	};

	if (getenv("SW_TEST_LOCALE"))
		return cmocka_run_group_tests(bound, NULL, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
