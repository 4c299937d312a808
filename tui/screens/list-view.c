/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/screens/list-view.h"

void sw_list_view_close(struct sw_view *v)
{
	sw_list_clear(v->data);
}

enum sw_key_mode sw_list_view_mode(const struct sw_view *v)
{
	return sw_list_mode(v->data);
}

struct sw_widget sw_list_view_widget(const struct sw_view *v)
{
	return (struct sw_widget){ .kind = SW_WIDGET_LIST, .list = v->data };
}
