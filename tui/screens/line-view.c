/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/screens/line-view.h"

void sw_line_view_close(struct sw_view *v)
{
	sw_line_clear(v->data);
}

enum sw_key_mode sw_line_view_mode(const struct sw_view *v SW_UNUSED)
{
	return SW_MODE_TEXT;
}
