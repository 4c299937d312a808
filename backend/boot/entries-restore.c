/* SPDX-License-Identifier: Apache-2.0 */
/* Putting a boot variable back to what a snapshot held. */
#include <string.h>

#include "boot/entries.h"

static int hex_nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

static int decode(const char *hex, uint8_t **ret_data, size_t *ret_len)
{
	size_t n = strlen(hex);
	_cleanup_free_ uint8_t *data = malloc(n / 2 + 1);

	if (!data)
		return -ENOMEM;
	if (n % 2)
		return -EINVAL;
	for (size_t i = 0; i < n / 2; i++) {
		int hi = hex_nibble(hex[2 * i]), lo = hex_nibble(hex[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return -EINVAL;
		data[i] = (uint8_t)(hi << 4 | lo);
	}
	*ret_data = TAKE_PTR(data);
	*ret_len = n / 2;
	return 0;
}

int sw_entry_restore(struct sw_varstore *s, const char *name, const char *hex,
		     struct sw_error *err)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t len = 0;
	int r = decode(hex, &data, &len);

	if (r == 0 && len == 0) {
		r = sw_var_del(s, &sw_guid_global, name);
		r = r == -ENOENT ? 0 : r;
	} else if (r == 0) {
		r = sw_var_set(s, &sw_guid_global, name, data, len, SW_VAR_NV_BS_RT);
	}
	if (r < 0) {
		sw_fail_errno(err, SW_EXIT_DIRTY, r, "%s cannot be restored", name);
		sw_error_hint(err, "repeat `slipway undo`; if the firmware keeps refusing, "
				   "reset its boot entries in the firmware setup");
	}
	return r;
}
