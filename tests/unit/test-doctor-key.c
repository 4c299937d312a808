/* SPDX-License-Identifier: Apache-2.0 */
/* How long the console's doctor holds the key of an encrypted state, and who gets to see it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "tui/screens/screens.h"
#include "tui/session/line.h"
#include "tui/session/state.h"

#define KEY "bdcfghij"

static void give(struct sw_state *s, const char *file)
{
	_cleanup_json_ json_object *o = NULL;
	struct sw_error err = {};

	assert_int_equal(sw_json_load(file, &o, &err), 0);
	sw_state_got_doctor(s, o);
	s->want = 0;
}

/* A state whose doctor looks into the node by KEY. */
static struct sw_state *looks(void)
{
	struct sw_state *s = sw_state_new(NULL, NULL);

	assert_non_null(s);
	sw_view_push(s, &sw_screen_start);
	sw_view_push(s, &sw_screen_doctor);
	give(s, "tests/screens/doctor-closed.json");
	(void)sw_view_key(s, '\r');
	(void)sw_view_key(s, '\r');
	assert_ptr_equal(s->top->ops, &sw_screen_state_key);
	for (const char *p = KEY; *p; p++)
		(void)sw_view_key(s, (uint32_t)*p);
	(void)sw_view_key(s, '\r');
	assert_true(s->want & SW_WANT_DOCTOR);
	assert_true(s->doctor_open);
	assert_non_null(s->doctor_key);
	assert_int_equal(s->doctor_key->len, strlen(KEY));
	assert_memory_equal(s->doctor_key->data, KEY, strlen(KEY));
	return s;
}

static void test_it_is_forgotten_when_the_doctors_screen_is_left(void **state SW_UNUSED)
{
	_cleanup_state_ struct sw_state *s = looks();

	give(s, "tests/screens/doctor-opened.json");
	assert_ptr_equal(s->top->ops, &sw_screen_doctor);
	(void)sw_view_key(s, '\r');	/* a finding stands on that screen */
	(void)sw_view_key(s, SW_KEY_ESC);
	assert_non_null(s->doctor_key);
	(void)sw_view_key(s, SW_KEY_ESC);
	assert_ptr_equal(s->top->ops, &sw_screen_start);
	assert_null(s->doctor_key);
	assert_false(s->doctor_open);
	assert_int_equal(s->want, 0);
}

static void test_a_look_that_uses_it_is_begun_anew_when_it_is_left(void **state SW_UNUSED)
{
	_cleanup_state_ struct sw_state *s = looks();

	s->want = 0;
	for (int i = 0; i < 3; i++)
		(void)sw_view_key(s, SW_KEY_ESC);
	assert_ptr_equal(s->top->ops, &sw_screen_start);
	assert_null(s->doctor_key);
	assert_false(s->doctor_open);
	assert_true(s->want & SW_WANT_DOCTOR);
}

static void test_one_that_opens_nothing_is_forgotten_and_asked_for_again(void **state SW_UNUSED)
{
	_cleanup_state_ struct sw_state *s = looks();
	struct sw_error err = {};

	(void)sw_fail(&err, SW_EXIT_REFUSED, -EPERM, "the state stays closed");
	sw_state_doctor_failed(s, &err);
	assert_ptr_equal(s->top->ops, &sw_screen_state_key);
	assert_null(s->doctor_key);
	assert_false(s->doctor_open);
	/* Nobody is told of it any more who goes back. */
	(void)sw_view_key(s, SW_KEY_ESC);
	assert_false(s->doctor_error.what[0]);
}

static void test_nothing_typed_leaves_it_to_the_tpm(void **state SW_UNUSED)
{
	_cleanup_state_ struct sw_state *s = sw_state_new(NULL, NULL);

	assert_non_null(s);
	sw_view_push(s, &sw_screen_doctor);
	sw_view_push(s, &sw_screen_state_key);
	s->want = 0;
	s->doctor_pending = false;
	(void)sw_view_key(s, '\r');
	assert_true(s->want & SW_WANT_DOCTOR);
	assert_true(s->doctor_open);
	assert_null(s->doctor_key);
}

static void test_another_look_that_ends_meanwhile_takes_nothing_away(void **state SW_UNUSED)
{
	_cleanup_state_ struct sw_state *s = sw_state_new(NULL, NULL);
	const struct sw_line *line;

	assert_non_null(s);
	sw_view_push(s, &sw_screen_doctor);
	sw_view_push(s, &sw_screen_state_key);
	(void)sw_view_key(s, 'b');
	give(s, "tests/screens/doctor-closed.json");
	assert_ptr_equal(s->top->ops, &sw_screen_state_key);
	line = s->top->data;
	assert_string_equal(line->text, "b");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_is_forgotten_when_the_doctors_screen_is_left),
		cmocka_unit_test(test_a_look_that_uses_it_is_begun_anew_when_it_is_left),
		cmocka_unit_test(test_one_that_opens_nothing_is_forgotten_and_asked_for_again),
		cmocka_unit_test(test_nothing_typed_leaves_it_to_the_tpm),
		cmocka_unit_test(test_another_look_that_ends_meanwhile_takes_nothing_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
