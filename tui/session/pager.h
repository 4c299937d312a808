/* SPDX-License-Identifier: Apache-2.0 */
/* Text to be read, wrapped to the width at hand, with a search. */
#pragma once

#include "tui/session/text.h"
#include "tui/session/view.h"

struct sw_pager {
	char *text;
	struct sw_lines lines;
	unsigned int width;	/* that lines were made for */
	size_t top, rows;
	bool follow;		/* stay at the end as text grows */
	bool searching;
	char find[64];
};

/* Takes text over (NULL: empty). The place is kept, or the end when it follows. */
void sw_pager_set(struct sw_pager *p, char *text);
void sw_pager_clear(struct sw_pager *p);
bool sw_pager_request(struct sw_pager *p, struct sw_state *s, enum sw_request req, uint32_t ch);
enum sw_key_mode sw_pager_mode(const struct sw_pager *p);
void sw_pager_draw(struct sw_pager *p, struct sw_frame *f, const struct sw_area *a);
