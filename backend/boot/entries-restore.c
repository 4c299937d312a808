/* SPDX-License-Identifier: Apache-2.0 */
/* Putting a boot variable back to what a snapshot held. */
#include "base/hex.h"
#include "boot/entries.h"

int sw_entry_restore(struct sw_varstore *s, const char *name, const char *hex,
		     struct sw_error *err)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t len = 0;
	int r = sw_hex_decode(hex, &data, &len);

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
