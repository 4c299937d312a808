/* SPDX-License-Identifier: Apache-2.0 */
/* What every view over one line does alike. Its data begin with a struct sw_line. */
#pragma once

#include "tui/session/line.h"
#include "tui/session/view.h"

void sw_line_view_close(struct sw_view *v);
/* Letters are text. */
enum sw_key_mode sw_line_view_mode(const struct sw_view *v);
