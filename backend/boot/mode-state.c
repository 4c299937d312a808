/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our own variable: 24 bytes, little endian, written only when something in it
 * changes, since each write wears the flash. A boot in mode network that goes
 * well writes BootNext and nothing else.
 */
#include <string.h>

#include "boot/modes.h"

#include "base/hex.h"

#define VERSION 1
#define MAX_MISSES 2

static const uint8_t magic[4] = { 'S', 'W', 'B', VERSION };

const struct sw_guid sw_guid_slipway = { { 0xd8, 0x4d, 0xf2, 0xc7, 0x6c, 0x4d, 0x0c, 0x4d,
					   0x9a, 0x35, 0x7e, 0x3f, 0x1b, 0x6f, 0x0a, 0x52 } };

enum { AT_MODE = 4, AT_STRATEGY, AT_FLAGS, AT_NEXT_MISSES, AT_ORDER_MISSES, AT_N_ORDER,
       AT_NEXT = 10, AT_ORDER = 12 };
enum { FLAG_ARMED = 1, FLAG_ONCE = 2 };

void sw_mode_state_encode(const struct sw_mode_state *s, uint8_t ret_data[SW_MODE_STATE_LEN])
{
	memset(ret_data, 0, SW_MODE_STATE_LEN);
	memcpy(ret_data, magic, sizeof(magic));
	ret_data[AT_MODE] = (uint8_t)s->mode;
	ret_data[AT_STRATEGY] = (uint8_t)s->strategy;
	ret_data[AT_FLAGS] = (uint8_t)((s->armed ? FLAG_ARMED : 0) | (s->once ? FLAG_ONCE : 0));
	ret_data[AT_NEXT_MISSES] = s->next_misses;
	ret_data[AT_ORDER_MISSES] = s->order_misses;
	ret_data[AT_N_ORDER] = (uint8_t)s->n_order;
	sw_put_le16(ret_data + AT_NEXT, s->next);
	for (size_t i = 0; i < s->n_order; i++)
		sw_put_le16(ret_data + AT_ORDER + 2 * i, s->order[i]);
}

int sw_mode_state_decode(const uint8_t *data, size_t len, struct sw_mode_state *ret_state)
{
	struct sw_mode_state s = {};

	if (len != SW_MODE_STATE_LEN || memcmp(data, magic, sizeof(magic)) != 0 ||
	    data[AT_MODE] > SW_NODE_HANDS_OFF || data[AT_STRATEGY] > SW_STRATEGY_ORDER ||
	    data[AT_N_ORDER] > ARRAY_SIZE(s.order) || data[AT_NEXT_MISSES] > MAX_MISSES ||
	    data[AT_ORDER_MISSES] > MAX_MISSES)
		return -EINVAL;
	s.mode = data[AT_MODE];
	s.strategy = data[AT_STRATEGY];
	s.armed = data[AT_FLAGS] & FLAG_ARMED;
	s.once = data[AT_FLAGS] & FLAG_ONCE;
	s.next_misses = data[AT_NEXT_MISSES];
	s.order_misses = data[AT_ORDER_MISSES];
	s.n_order = data[AT_N_ORDER];
	s.next = sw_le16(data + AT_NEXT);
	for (size_t i = 0; i < s.n_order; i++)
		s.order[i] = sw_le16(data + AT_ORDER + 2 * i);
	*ret_state = s;
	return 0;
}

int sw_mode_state_read(struct sw_varstore *vars, struct sw_mode_state *ret_state)
{
	_cleanup_free_ uint8_t *d = NULL;
	uint32_t attrs;
	size_t n;
	int r = sw_var_get(vars, &sw_guid_slipway, SW_MODE_VARIABLE, &d, &n, &attrs);

	if (r < 0)
		return r;
	return sw_mode_state_decode(d, n, ret_state) < 0 ? -ENOENT : 0;
}

int sw_mode_state_write(struct sw_varstore *vars, const struct sw_mode_state *s,
			struct sw_error *err)
{
	uint8_t d[SW_MODE_STATE_LEN];
	int r;

	sw_mode_state_encode(s, d);
	r = sw_var_set(vars, &sw_guid_slipway, SW_MODE_VARIABLE, d, sizeof(d), SW_VAR_NV_BS_RT);
	if (r < 0) {
		sw_fail_errno(err, SW_EXIT_DIRTY, r, "the variable %s cannot be written",
			      SW_MODE_VARIABLE);
		sw_error_hint(err, "the boot entries are as wanted; only the count of lost starts "
				   "is not kept");
	}
	return r;
}

bool sw_mode_state_same(const struct sw_mode_state *a, const struct sw_mode_state *b)
{
	uint8_t x[SW_MODE_STATE_LEN], y[SW_MODE_STATE_LEN];

	sw_mode_state_encode(a, x);
	sw_mode_state_encode(b, y);
	return memcmp(x, y, sizeof(x)) == 0;
}

int sw_own_variable_restore(struct sw_varstore *vars, const char *name, const char *hex,
			    struct sw_error *err)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t len = 0;
	int r = hex ? sw_hex_decode(hex, &data, &len) : 0;

	if (r == 0 && len == 0)
		r = sw_var_del(vars, &sw_guid_slipway, name);
	else if (r == 0)
		r = sw_var_set(vars, &sw_guid_slipway, name, data, len, SW_VAR_NV_BS_RT);
	r = r == -ENOENT ? 0 : r;
	if (r < 0)
		sw_fail_errno(err, SW_EXIT_DIRTY, r, "the variable %s cannot be restored",
			      name);
	return r;
}

char *sw_own_variable_hex(struct sw_varstore *vars, const char *name)
{
	_cleanup_free_ uint8_t *d = NULL;
	uint32_t attrs;
	size_t n;

	if (sw_var_get(vars, &sw_guid_slipway, name, &d, &n, &attrs) < 0)
		return NULL;
	return sw_hex_encode(d, n);
}
