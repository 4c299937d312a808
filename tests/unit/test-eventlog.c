/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of measured-boot logs: cuts, limits, and what a record may not claim. */
#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "tpm/eventlog.h"

static void add16(struct sw_buf *b, uint16_t v)
{
	v = htole16(v);
	assert_int_equal(sw_buf_add(b, &v, sizeof(v)), 0);
}

static void add32(struct sw_buf *b, uint32_t v)
{
	v = htole32(v);
	assert_int_equal(sw_buf_add(b, &v, sizeof(v)), 0);
}

static void add_fill(struct sw_buf *b, uint8_t v, size_t n)
{
	while (n--)
		assert_int_equal(sw_buf_add(b, &v, 1), 0);
}

/* The record that declares banks: each an algorithm and a length. */
static void add_spec(struct sw_buf *b, const uint16_t (*banks)[2], uint32_t n)
{
	add32(b, 0);
	add32(b, SW_EV_NO_ACTION);
	add_fill(b, 0, 20);
	add32(b, 16 + 8 + 4 + n * 4 + 1);
	assert_int_equal(sw_buf_add(b, "Spec ID Event03", 16), 0);
	add32(b, 0);
	add32(b, 0x02000200);
	add32(b, n);
	for (uint32_t i = 0; i < n; i++) {
		add16(b, banks[i][0]);
		add16(b, banks[i][1]);
	}
	add_fill(b, 0, 1);
}

static void add_record(struct sw_buf *b, uint32_t pcr, uint16_t alg, size_t size)
{
	add32(b, pcr);
	add32(b, SW_EV_SEPARATOR);
	add32(b, 1);
	add16(b, alg);
	add_fill(b, 0xab, size);
	add32(b, 4);
	add32(b, 0);
}

static const uint16_t sha256_bank[][2] = { { 0x000b, 32 } };

static int parse(const struct sw_buf *b, size_t len, struct sw_eventlog **ret, struct sw_error *err)
{
	*ret = NULL;
	*err = (struct sw_error){};
	return sw_eventlog_parse(b->data, len, "log", ret, err);
}

static void test_a_log_cut_anywhere_is_refused_or_read_up_to_a_whole_record(void **state SW_UNUSED)
{
	_cleanup_buf_ struct sw_buf b = {};
	size_t whole[4], n = 0;

	add_spec(&b, sha256_bank, 1);
	whole[n++] = b.len;
	for (uint32_t i = 0; i < 3; i++) {
		add_record(&b, i, 0x000b, 32);
		whole[n++] = b.len;
	}
	for (size_t len = 1; len <= b.len; len++) {
		_cleanup_eventlog_ struct sw_eventlog *l = NULL;
		struct sw_error err;
		size_t k = 0;

		while (k < n && whole[k] != len)
			k++;
		if (parse(&b, len, &l, &err) == 0) {
			/* One byte, or four, of zeros behind a record look like padding. */
			assert_true(k < n || l->n_events > 0);
			assert_true(l->n_events <= 4);
			assert_true(k == n || l->n_events == k + 1);
		} else {
			assert_int_equal(k, n);
			assert_int_equal(err.exit, SW_EXIT_VERIFY);
			assert_true(err.why[0]);
		}
	}
}

static void refused(const uint16_t (*banks)[2], uint32_t n)
{
	_cleanup_buf_ struct sw_buf b = {};
	struct sw_eventlog *l;
	struct sw_error err;

	add_spec(&b, banks, n);
	assert_int_equal(parse(&b, b.len, &l, &err), -EBADMSG);
	assert_null(l);
}

static void test_banks_that_cannot_be_are_refused(void **state SW_UNUSED)
{
	static const uint16_t wrong_size[][2] = { { 0x000b, 20 } };
	static const uint16_t twice[][2] = { { 0x000b, 32 }, { 0x000b, 32 } };
	static const uint16_t too_long[][2] = { { 0x4321, 65 } };
	static const uint16_t nothing[][2] = { { 0x4321, 0 } };
	static const uint16_t many[9][2] = { { 1, 1 }, { 2, 1 }, { 3, 1 }, { 5, 1 }, { 6, 1 },
					     { 7, 1 }, { 8, 1 }, { 9, 1 }, { 10, 1 } };

	refused(wrong_size, 1);
	refused(twice, 2);
	refused(too_long, 1);
	refused(nothing, 1);
	refused(many, 9);
	refused(sha256_bank, 0);
}

static void test_an_unknown_bank_is_kept_but_not_replayed(void **state SW_UNUSED)
{
	static const uint16_t strange[][2] = { { 0x4321, 33 } };
	_cleanup_buf_ struct sw_buf b = {};
	_cleanup_eventlog_ struct sw_eventlog *l = NULL;
	struct sw_pcrs pcrs;
	struct sw_error err;

	add_spec(&b, strange, 1);
	add_record(&b, 1, 0x4321, 33);
	assert_int_equal(parse(&b, b.len, &l, &err), 0);
	assert_int_equal(l->n_events, 2);
	assert_int_equal(sw_eventlog_replay(l, 0, &pcrs, &err), -EOPNOTSUPP);
	assert_int_equal(err.exit, SW_EXIT_VERIFY);
	assert_int_equal(sw_eventlog_bank(l, "sha256"), -ENOENT);
}

static void test_a_pcr_that_does_not_exist_stops_the_replay(void **state SW_UNUSED)
{
	_cleanup_buf_ struct sw_buf b = {};
	_cleanup_eventlog_ struct sw_eventlog *l = NULL;
	struct sw_pcrs pcrs;
	struct sw_error err;

	add_spec(&b, sha256_bank, 1);
	add_record(&b, 23, 0x000b, 32);
	add_record(&b, 24, 0x000b, 32);
	assert_int_equal(parse(&b, b.len, &l, &err), 0);
	assert_int_equal(sw_eventlog_replay(l, 0, &pcrs, &err), -EBADMSG);
	assert_non_null(strstr(err.where, "record 3"));
}

/* A record of PCR 7 with the digest that a byte repeated makes. */
static void add_pcr7(struct sw_buf *b, uint32_t type, uint8_t fill, const void *data, uint32_t len)
{
	add32(b, 7);
	add32(b, type);
	add32(b, 1);
	add16(b, 0x000b);
	add_fill(b, fill, 32);
	add32(b, len);
	assert_int_equal(sw_buf_add(b, data, len), 0);
}

/* What SecureBoot = value looks like in the log. */
static void add_secure_boot(struct sw_buf *b, uint8_t value)
{
	static const char name[] = "SecureBoot";
	uint8_t data[32 + 20 + 1] = { [16] = 10, [24] = 1, [52] = value };

	for (size_t i = 0; i < 10; i++)
		data[32 + 2 * i] = (uint8_t)name[i];
	add_pcr7(b, SW_EV_EFI_VARIABLE_DRIVER_CONFIG, 0x11, data, sizeof(data));
}

static void test_pcr_7_of_the_node_ends_with_the_firmwares_part(void **state SW_UNUSED)
{
	_cleanup_buf_ struct sw_buf b = {}, direct = {};
	_cleanup_eventlog_ struct sw_eventlog *l = NULL, *d = NULL;
	struct sw_pcr7 via_shim, plain;
	struct sw_error err;

	add_spec(&direct, sha256_bank, 1);
	add_secure_boot(&direct, 0);
	add_pcr7(&direct, SW_EV_SEPARATOR, 0x22, "\0\0\0", 4);
	assert_int_equal(sw_buf_add(&b, direct.data, direct.len), 0);
	add_pcr7(&b, SW_EV_EFI_VARIABLE_AUTHORITY, 0x33, "SbatLevel", 9);
	assert_int_equal(parse(&b, b.len, &l, &err), 0);
	assert_int_equal(parse(&direct, direct.len, &d, &err), 0);
	assert_int_equal(sw_eventlog_pcr7(l, NULL, 0, &via_shim), 0);
	assert_int_equal(sw_eventlog_pcr7(d, NULL, 0, &plain), 0);
	assert_memory_equal(via_shim.node, plain.now, 32);
	assert_memory_equal(plain.node, plain.now, 32);
	assert_memory_not_equal(via_shim.now, via_shim.node, 32);
}

static void test_pcr_7_is_not_foretold_where_it_cannot_be_known(void **state SW_UNUSED)
{
	_cleanup_buf_ struct sw_buf b = {}, cut = {};
	_cleanup_eventlog_ struct sw_eventlog *l = NULL, *c = NULL;
	struct sw_pcr7 p;
	struct sw_error err;

	add_spec(&b, sha256_bank, 1);
	add_secure_boot(&b, 1);
	add_pcr7(&b, SW_EV_SEPARATOR, 0x22, "\0\0\0", 4);
	assert_int_equal(parse(&b, b.len, &l, &err), 0);
	assert_int_equal(sw_eventlog_pcr7(l, NULL, 0, &p), -ENOKEY);
	add_spec(&cut, sha256_bank, 1);
	add_secure_boot(&cut, 0);
	assert_int_equal(parse(&cut, cut.len, &c, &err), 0);
	assert_int_equal(sw_eventlog_pcr7(c, NULL, 0, &p), -ENODATA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_a_log_cut_anywhere_is_refused_or_read_up_to_a_whole_record),
		cmocka_unit_test(test_banks_that_cannot_be_are_refused),
		cmocka_unit_test(test_an_unknown_bank_is_kept_but_not_replayed),
		cmocka_unit_test(test_a_pcr_that_does_not_exist_stops_the_replay),
		cmocka_unit_test(test_pcr_7_of_the_node_ends_with_the_firmwares_part),
		cmocka_unit_test(test_pcr_7_is_not_foretold_where_it_cannot_be_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
