/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one switch screen: on the medium, in the rescue image and on the running node it offers the
 * same, looks the same but for how this system was started, and writes the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "base/le.h"
#include "boot/varstore.h"
#include "tests/lib/damage.h"
#include "tui/screens/screens.h"
#include "tui/session/state.h"
#include "tui/session/switch-job.h"

enum place { MEDIUM, RESCUE, NODE, N_PLACES };

static struct world world;

static int setup(void **state SW_UNUSED)
{
	struct sw_error err = {};

	world_make_extras(&world, 1);
	if (world_install(&world, 0, &err) < 0)
		fail_msg("%s: %s", err.what, err.why);
	return 0;
}

static int teardown(void **state SW_UNUSED)
{
	world_sh("rm -rf \"$0\".*", world.dir, NULL);
	world_free(&world);
	return 0;
}

/* BootCurrent; the medium has no entry, as on firmware that finds a stick by itself. */
static void set_current(struct sw_varstore *vars, const struct sw_facts *f, const char *label)
{
	uint8_t number[2] = { 0xee, 0xee };

	for (size_t i = 0; label && i < f->boot.n_entries; i++)
		if (strcmp(f->boot.entries[i].label, label) == 0)
			sw_put_le16(number, f->boot.entries[i].number);
	assert_int_equal(sw_varstore_plant(vars, &sw_guid_global, "BootCurrent", number, 2, 6), 0);
}

/* As systemd's stub says where it was started from: a slot, the rescue image, something else. */
static void started_from(struct world *w, enum place p)
{
	static const char *const labels[] = { [RESCUE] = "slipway-rescue", [NODE] = "slipway-a" };
	static const char *const entries[] = { NULL, "Slipway rescue", "Slipway A" };
	struct sw_guid medium = { { 0x77 } };
	_cleanup_facts_ struct sw_facts *f = NULL;
	_cleanup_buf_ struct sw_buf b = {};
	struct sw_varstore *vars = NULL;
	char text[SW_GUID_TEXT];

	assert_int_equal(sw_machine_facts(w->m, &f, NULL), 0);
	assert_int_equal(sw_machine_vars(w->m, &vars, NULL), 0);
	set_current(vars, f, entries[p]);
	sw_guid_format(p == MEDIUM ? &medium : &damage_part(f, labels[p])->uuid, text);
	for (size_t i = 0; i <= strlen(text); i++) {
		uint8_t two[2] = { (uint8_t)text[i], 0 };

		assert_int_equal(sw_buf_add(&b, two, 2), 0);
	}
	assert_int_equal(sw_varstore_plant(vars, &sw_guid_loader, "LoaderDevicePartUUID", b.data,
					   b.len, 6), 0);
}

/* What the screen shows of it, on as many rows as it takes. */
static char *drawn(json_object *found)
{
	_cleanup_state_ struct sw_state *s = sw_state_new(NULL, NULL);
	_cleanup_frame_ struct sw_frame *f = sw_frame_new(40, 100);

	assert_true(s && f);
	sw_view_push(s, &sw_screen_start);
	sw_view_push(s, &sw_screen_switch);
	sw_state_got_switch(s, found);
	sw_view_draw(s, f);
	return sw_frame_text(f);
}

static json_object *look(struct world *w, const char *choice)
{
	json_object *o = json_object_new_object();
	struct sw_error err = {};

	if (sw_switch_job(w->m, choice, o, &err) < 0)
		fail_msg("%s: %s", err.what, err.why);
	return o;
}

/* The paragraph about this start is of one line or two: what is below it moves by one. */
static void squeeze(char *text)
{
	char *to = text;

	for (const char *p = text; *p; p++)
		if (*p != '\n' || (p > text && p[-1] != '\n'))
			*to++ = *p;
	*to = '\0';
}

/* The lines between the first that begins with one word and the next that begins with another. */
static void cut_out(char *text, const char *from, const char *to)
{
	char *a = strstr(text, from), *b = a ? strstr(a, to) : NULL;

	assert_true(a && b);
	memmove(a, b, strlen(b) + 1);
}

static void test_the_screen_is_the_same_in_all_three_places(void **state SW_UNUSED)
{
	static const char *const says[] = { "another partition", "the rescue image", "slot A" };
	_cleanup_free_ char *first = NULL;

	for (enum place p = 0; p < N_PLACES; p++) {
		_cleanup_json_ json_object *o = NULL;
		_cleanup_free_ char *text = NULL;

		started_from(&world, p);
		o = look(&world, NULL);
		if (!strstr(sw_json_str(o, "why", ""), says[p]))
			fail_msg("%s: %s", says[p], sw_json_str(o, "why", ""));
		text = drawn(o);
		assert_non_null(strstr(text, "Once: the rescue image"));
		assert_non_null(strstr(text, says[p]));
		cut_out(text, "Running ", "Mode ");
		squeeze(text);
		if (first)
			assert_string_equal(text, first);
		else
			first = TAKE_PTR(text);
	}
}

/* Each choice that can be made, carried out from each place on a copy of the machine. */
static unsigned int same_writes(const char *id)
{
	_cleanup_free_ char *dir = sw_fmt("%s.try", world.dir);
	char vars[N_PLACES][SW_SHA256_TEXT], disks[N_PLACES][SW_SHA256_TEXT];

	for (enum place p = 0; p < N_PLACES; p++) {
		_cleanup_json_ json_object *o = NULL;
		struct world w;

		world_copy(&world, dir, &w);
		started_from(&w, p);
		o = look(&w, id);
		assert_true(sw_json_int(o, "written", -1) >= 0);
		started_from(&w, NODE);	/* that difference was ours */
		world_vars(&w, vars[p]);
		world_digest(&w, false, disks[p]);
		world_free(&w);
		assert_string_equal(vars[p], vars[0]);
		assert_string_equal(disks[p], disks[0]);
	}
	return 1;
}

static void test_every_choice_writes_the_same_from_all_three_places(void **state SW_UNUSED)
{
	_cleanup_json_ json_object *o = NULL;
	unsigned int made = 0;
	json_object *list;

	started_from(&world, NODE);
	o = look(&world, NULL);
	list = sw_json_array(o, "choices");
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		json_object *c = json_object_array_get_idx(list, i);

		if (!sw_json_get(c, "off"))
			made += same_writes(sw_json_str(c, "id", ""));
	}
	print_message("# %u of %zu choices carried out from %d places\n", made,
		      json_object_array_length(list), N_PLACES);
	assert_true(made >= 7);
}

/* The first screen says the node's mode: after a switch it is looked at anew. */
static void test_a_switch_that_wrote_something_has_the_node_looked_at_again(void **state SW_UNUSED)
{
	static const struct { int written; bool known, again; } cases[] = {
		{ 1, true, true }, { 0, true, false }, { -1, true, false }, { 1, false, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_state_ struct sw_state *s = sw_state_new(NULL, NULL);
		_cleanup_json_ json_object *o = json_object_new_object();

		assert_non_null(s);
		sw_view_push(s, &sw_screen_start);
		s->doctor = cases[i].known ? json_object_new_object() : NULL;
		s->want = 0;
		if (cases[i].written >= 0)
			sw_json_add_u64(o, "written", (uint64_t)cases[i].written);
		sw_state_got_switch(s, o);
		assert_int_equal((s->want & SW_WANT_DOCTOR) != 0, cases[i].again);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_screen_is_the_same_in_all_three_places),
		cmocka_unit_test(test_every_choice_writes_the_same_from_all_three_places),
		cmocka_unit_test(
			test_a_switch_that_wrote_something_has_the_node_looked_at_again),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
