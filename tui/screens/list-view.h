/* SPDX-License-Identifier: Apache-2.0 */
/* What every view over one list does alike. Its data begin with a struct sw_list. */
#pragma once

#include "tui/session/list.h"

void sw_list_view_close(struct sw_view *v);
enum sw_key_mode sw_list_view_mode(const struct sw_view *v);
struct sw_widget sw_list_view_widget(const struct sw_view *v);
