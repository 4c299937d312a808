/* SPDX-License-Identifier: Apache-2.0 */
/* QR codes: what fits into which, into how many cells, and reports in parts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/json.h"
#include "bundle/bundle.h"
#include "tui/session/qr-cells.h"

#define VERSIONS(v) for (unsigned int v = SW_QR_VERSION_MIN; v <= SW_QR_VERSION_MAX; v++)

/* The library takes a larger version when a text does not fit, which would be an error. */
static void test_each_version_holds_what_it_says(void **state SW_UNUSED)
{
	char text[1024];

	VERSIONS(v) {
		_cleanup_qr_ struct sw_qr qr = {}, more = {};
		struct sw_error err = {};
		size_t n = sw_qr_room(v);

		assert_in_range(n, 1, sizeof(text) - 2);
		memset(text, 'Z', n);
		text[n] = '\0';
		assert_int_equal(sw_qr_make(text, v, &qr, &err), 0);
		assert_int_equal(qr.size, sw_qr_size(v));
		/* Its three corners are dark, and what is around it is light. */
		assert_true(sw_qr_is_dark(&qr, 0, 0));
		assert_true(sw_qr_is_dark(&qr, 0, (int)qr.size - 1));
		assert_true(sw_qr_is_dark(&qr, (int)qr.size - 1, 0));
		assert_false(sw_qr_is_dark(&qr, -1, 0));
		assert_false(sw_qr_is_dark(&qr, 0, (int)qr.size));
		text[n] = 'Z';
		text[n + 1] = '\0';
		assert_int_equal(sw_qr_make(text, v, &more, &err), -EINVAL);
		assert_int_equal(err.exit, SW_EXIT_INVALID);
	}
}

static void test_another_alphabet_is_refused(void **state SW_UNUSED)
{
	_cleanup_qr_ struct sw_qr qr = {};
	struct sw_error err = {};

	assert_int_equal(sw_qr_make("lower case", SW_QR_VERSION_MIN, &qr, &err), -EINVAL);
	assert_null(qr.dark);
}

static void fits(unsigned int rows, unsigned int cols, bool half, unsigned int version)
{
	struct sw_qr_shape s = sw_qr_fit(rows, cols, half);

	if (s.version != version)
		fail_msg("%ux%u: version %u, not %u", cols, rows, s.version, version);
	assert_true(!version || (s.rows <= rows && s.cols <= cols && s.above >= 3));
}

static void test_the_largest_that_fits_is_taken(void **state SW_UNUSED)
{
	fits(24, 80, true, 6);
	fits(23, 80, true, 5);
	fits(24, 80, false, 0);
	fits(43, 132, true, 15);
	fits(43, 132, false, 4);
	fits(200, 400, true, SW_QR_VERSION_MAX);
	fits(17, 80, true, 0);
	fits(18, 37, true, 3);
	fits(18, 36, true, 0);
	fits(36, 74, false, 3);
	fits(0, 0, true, 0);
}

/* ---- reports ---- */

/* Random letters, so that no packing makes them short. */
static json_object *report_with(size_t findings)
{
	json_object *o = json_object_new_object(), *list = json_object_new_array();
	unsigned int seed = 11;

	sw_json_add_str(o, "machine", "node07");
	for (size_t i = 0; i < findings; i++) {
		json_object *f = json_object_new_object();
		char text[61] = "";

		for (size_t k = 0; k < 60; k++)
			text[k] = (char)('a' + rand_r(&seed) % 26);
		sw_json_add_str(f, "id", text);
		json_object_array_add(list, f);
	}
	sw_json_add(o, "findings", list);
	return o;
}

static void read_back(const struct sw_bundle_parts *p, size_t without, json_object **ret)
{
	_cleanup_buf_ struct sw_buf log = {}, text = {};
	struct sw_error err = {};
	int r;

	*ret = NULL;
	for (size_t i = p->n; i-- > 0;)
		if (i != without)
			assert_int_equal(sw_buf_addf(&log, "12:00 <phone> %s\r\n", p->line[i]), 0);
	r = sw_bundle_read(sw_buf_text(&log), log.len, &text, &err);
	assert_int_equal(r, without < p->n ? -ENODATA : 0);
	if (r == 0)
		assert_int_equal(sw_json_parse(sw_buf_text(&text), text.len, "report", ret, &err),
				 0);
}

static void test_any_room_gives_the_report_back(void **state SW_UNUSED)
{
	_cleanup_json_ json_object *report = report_with(9);

	for (size_t room = 32; room < 800; room += 7) {
		_cleanup_parts_ struct sw_bundle_parts p = {};
		_cleanup_json_ json_object *back = NULL, *none = NULL;
		struct sw_error err = {};

		assert_int_equal(sw_bundle_split(report, room, 99, &p, &err), 0);
		for (size_t i = 0; i < p.n; i++)
			assert_in_range(strlen(p.line[i]), 1, room);
		assert_null(p.line[p.n]);
		read_back(&p, SIZE_MAX, &back);
		assert_int_equal(p.left_out, sw_json_u64(back, "left_out", 0));
		assert_int_equal(json_object_array_length(sw_json_array(back, "findings")),
				 9 - p.left_out);
		if (p.n > 1)
			read_back(&p, p.n / 2, &none);
	}
}

static void test_the_worst_findings_stay(void **state SW_UNUSED)
{
	_cleanup_json_ json_object *report = report_with(30), *back = NULL;
	_cleanup_parts_ struct sw_bundle_parts p = {}, first = {}, none = {};
	struct sw_error err = {};
	const char *id;

	assert_int_equal(sw_bundle_split(report, 195, 4, &p, &err), 0);
	assert_in_range(p.n, 2, 4);
	assert_in_range(p.left_out, 1, 29);
	read_back(&p, SIZE_MAX, &back);
	id = sw_json_str(json_object_array_get_idx(sw_json_array(report, "findings"), 0), "id",
			 NULL);
	assert_string_equal(sw_json_str(json_object_array_get_idx(
						sw_json_array(back, "findings"), 0), "id", ""), id);
	/* The first is never left out, however many parts that makes. */
	assert_int_equal(sw_bundle_split(report, 40, 1, &first, &err), 0);
	assert_int_equal(first.left_out, 29);
	assert_true(first.n > 1);
	json_object_put(report);
	report = report_with(1);
	assert_int_equal(sw_bundle_split(report, 32, 1, &none, &err), 0);
	assert_int_equal(none.left_out, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_version_holds_what_it_says),
		cmocka_unit_test(test_another_alphabet_is_refused),
		cmocka_unit_test(test_the_largest_that_fits_is_taken),
		cmocka_unit_test(test_any_room_gives_the_report_back),
		cmocka_unit_test(test_the_worst_findings_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
