/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/screens/disk-list.h"

#include <string.h>

#include "base/catalogue.h"
#include "base/size.h"
#include "disk/disk.h"
#include "tui/screens/screens.h"

void sw_disk_list_add(struct sw_list *l, const struct sw_facts *f, size_t i, const char *off)
{
	const struct sw_disk *d = &f->disks[i];
	_cleanup_free_ char *what = sw_disk_describe(d);
	char size[16];
	const char *cols[] = {
		d->name, sw_size_format(d->size, size, sizeof(size)),
		d->model ? d->model : d->vendor, d->serial, what,
	};

	(void)sw_list_add(l, (int)i, off, ARRAY_SIZE(cols), cols);
}

char *sw_disk_list_name(const struct sw_list *l)
{
	const struct sw_list_row *row = sw_list_selected(l);

	return row ? strdup(row->col[0]) : NULL;
}

void sw_disk_list_select(struct sw_list *l, const char *name)
{
	for (size_t i = l->n; i-- > 0;)
		if (name ? strcmp(l->rows[i].col[0], name) == 0 : !l->rows[i].off)
			l->sel = i;
}

const struct sw_disk *sw_disk_list_selected(const struct sw_list *l, const struct sw_state *s)
{
	const struct sw_list_row *row = sw_list_selected(l);

	return row && row->id >= 0 && s->facts ? &s->facts->disks[row->id] : NULL;
}

bool sw_disk_list_request(struct sw_list *l, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	if (sw_list_request(l, s, req, ch))
		return true;
	switch (req) {
	case SW_REQ_DETAILS:
	case SW_REQ_RIGHT:
		s->looking_at = sw_disk_list_selected(l, s);
		if (s->looking_at)
			sw_view_push(s, &sw_screen_details);
		return true;
	case SW_REQ_REFRESH:
		s->want |= SW_WANT_FACTS;
		s->facts_pending = true;
		sw_state_notice(s, "Looking at the disks again ...");
		return true;
	default:
		return false;
	}
}

void sw_disk_list_draw(struct sw_list *l, const struct sw_state *s, struct sw_frame *f,
		       const struct sw_area *a)
{
	const char *const header[SW_LIST_COLS] = { _("disk"), _("size"), _("model"), _("serial"),
						   _("what is on it") };

	if (l->n)
		sw_list_draw(l, f, a, header);
	else
		sw_frame_put(f, a->row, 2, f->cols, 0,
			     s->facts_pending ? _("looking ...") : _("There is no disk."));
}
