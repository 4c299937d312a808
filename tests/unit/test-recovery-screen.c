/* SPDX-License-Identifier: Apache-2.0 */
/* The console's recovery key: once on the screen, typed back, and only then does work start. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "disk/recovery.h"
#include "tui/screens/screens.h"
#include "tui/session/state.h"

static struct sw_state *new_state(void)
{
	struct sw_state *s = sw_state_new(NULL, NULL);
	struct sw_plan *p = calloc(1, sizeof(*p));

	assert_non_null(s);
	assert_non_null(p);
	p->answers = sw_answers_new();
	p->parts = calloc(1, sizeof(*p->parts));
	p->n_parts = 1;
	p->parts[0].encrypt = SW_ENCRYPT_TPM2;
	p->parts[0].label = strdup("state");
	s->plan = p;
	s->want = 0;
	sw_view_push(s, &sw_screen_start);
	return s;
}

static char *shown(struct sw_state *s)
{
	_cleanup_frame_ struct sw_frame *f = sw_frame_new(24, 80);

	sw_view_draw(s, f);
	return sw_frame_text(f);
}

/* The groups on the screen into groups[8][9]; how many there are. */
static unsigned int read_groups(struct sw_state *s, char groups[8][9])
{
	_cleanup_free_ char *text = shown(s);
	unsigned int n = 0;

	for (unsigned int i = 0; i < 8; i++) {
		char before[8];
		const char *at;

		(void)snprintf(before, sizeof(before), "%u: ", i + 1);
		at = strstr(text, before);
		n += at && sscanf(at + 3, "%8[cbdefghijklnrtuv]", groups[i]) == 1;
	}
	return n;
}

static unsigned int asked_for(struct sw_state *s)
{
	_cleanup_free_ char *text = shown(s);
	const char *at = strstr(text, "type group ");

	return at ? (unsigned int)strtoul(at + 11, NULL, 10) : 0;
}

static void type(struct sw_state *s, const char *text)
{
	for (; *text; text++)
		(void)sw_view_key(s, (uint32_t)(unsigned char)*text);
	(void)sw_view_key(s, '\r');
}

static void test_work_starts_when_the_group_was_typed_back(void **state SW_UNUSED)
{
	_cleanup_state_ struct sw_state *s = new_state();
	char groups[8][9], none[8][9];
	unsigned int n;

	sw_state_start(s, SW_WORK_INSTALL);
	assert_ptr_equal(s->top->ops, &sw_screen_recovery);
	assert_true(s->top->ops->for_pen);
	assert_int_equal(read_groups(s, groups), 8);
	assert_int_equal(s->want & SW_WANT_APPLY, 0);
	(void)sw_view_key(s, '\r');
	assert_int_equal(read_groups(s, none), 0);
	n = asked_for(s);
	assert_in_range(n, 2, 8);
	type(s, "cccccccc");
	assert_int_equal(s->want & SW_WANT_APPLY, 0);
	assert_null(s->plan->recovery);
	type(s, groups[n - 1]);
	assert_int_equal(s->want & SW_WANT_APPLY, SW_WANT_APPLY);
	assert_non_null(s->plan->recovery);
	assert_memory_equal(s->plan->recovery->data, groups[0], 8);
	assert_int_equal(s->phase, SW_PHASE_RUNNING);
}

static void test_going_back_throws_the_key_away(void **state SW_UNUSED)
{
	_cleanup_state_ struct sw_state *s = new_state();
	char first[8][9], second[8][9];

	sw_state_start(s, SW_WORK_INSTALL);
	assert_int_equal(read_groups(s, first), 8);
	sw_view_pop(s);
	sw_state_start(s, SW_WORK_INSTALL);
	assert_int_equal(read_groups(s, second), 8);
	assert_string_not_equal(first[3], second[3]);
	assert_null(s->plan->recovery);
}

static void test_a_serial_line_is_warned_about_first(void **state SW_UNUSED)
{
	_cleanup_state_ struct sw_state *s = new_state();
	char groups[8][9];

	s->pen_serial = true;
	sw_state_start(s, SW_WORK_INSTALL);
	assert_int_equal(read_groups(s, groups), 0);
	(void)sw_view_key(s, '\r');
	assert_int_equal(read_groups(s, groups), 8);
}

static void test_nobody_there_is_refused(void **state SW_UNUSED)
{
	_cleanup_state_ struct sw_state *s = new_state();

	s->unattended = true;
	sw_state_start(s, SW_WORK_INSTALL);
	assert_int_equal(s->phase, SW_PHASE_FAILED);
	assert_int_equal(s->failure.exit, SW_EXIT_INVALID);
	assert_int_equal(s->want & SW_WANT_APPLY, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_work_starts_when_the_group_was_typed_back),
		cmocka_unit_test(test_going_back_throws_the_key_away),
		cmocka_unit_test(test_a_serial_line_is_warned_about_first),
		cmocka_unit_test(test_nobody_there_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
