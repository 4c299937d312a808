/* SPDX-License-Identifier: Apache-2.0 */
/* Which disk. Those that cannot be chosen stay in the list, with the reason. */
#include <string.h>

#include "base/size.h"
#include "disk/disk.h"
#include "tui/screens/screens.h"
#include "tui/session/list.h"
#include "tui/session/state.h"

struct disk_view {
	struct sw_list list;
};

static uint64_t least_size(const struct sw_state *s)
{
	const struct sw_layout *l = sw_state_layout(s);

	return l ? l->min_size : 0;
}

static void add_disk(struct disk_view *dv, const struct sw_state *s, size_t i)
{
	const struct sw_disk *d = &s->facts->disks[i];
	_cleanup_free_ char *what = sw_disk_describe(d);
	char size[16];
	const char *cols[] = {
		d->name, sw_size_format(d->size, size, sizeof(size)),
		d->model ? d->model : d->vendor, d->serial, what,
	};

	sw_list_add(&dv->list, (int)i, sw_disk_excluded(d, least_size(s)), ARRAY_SIZE(cols), cols);
}

/* The selection stays on the same disk although the list may have changed. */
static void disk_refresh(struct sw_view *v, struct sw_state *s)
{
	struct disk_view *dv = v->data;
	const struct sw_list_row *row = sw_list_selected(&dv->list);
	_cleanup_free_ char *was = row ? strdup(row->col[0]) : NULL;
	const struct sw_disk *chosen = sw_state_disk(s);

	if (!was && chosen)
		was = strdup(chosen->name);
	sw_list_clear(&dv->list);
	for (size_t i = 0; s->facts && i < s->facts->n_disks; i++)
		add_disk(dv, s, i);
	for (size_t i = dv->list.n; i-- > 0;)
		if (was ? strcmp(dv->list.rows[i].col[0], was) == 0 : !dv->list.rows[i].off)
			dv->list.sel = i;
}

static const struct sw_disk *selected(const struct disk_view *dv, const struct sw_state *s)
{
	const struct sw_list_row *row = sw_list_selected(&dv->list);

	return row && s->facts ? &s->facts->disks[row->id] : NULL;
}

static void choose(struct disk_view *dv, struct sw_state *s)
{
	const struct sw_list_row *row = sw_list_selected(&dv->list);
	const struct sw_disk *d = selected(dv, s);

	if (!d)
		sw_state_refuse(s, "No disk has been found yet; u looks again.");
	else if (row->off)
		sw_state_refuse(s, "%s cannot be chosen: %s.", d->name, row->off);
	else if (sw_state_choose_disk(s, d) < 0)
		sw_state_refuse(s, "%s has no serial, WWN or path of its own to know it by.",
				d->name);
	else
		sw_view_push(s, &sw_screen_layout);
}

static bool disk_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	struct disk_view *dv = v->data;

	if (sw_list_request(&dv->list, s, req, ch))
		return true;
	switch (req) {
	case SW_REQ_ACCEPT:
		choose(dv, s);
		return true;
	case SW_REQ_DETAILS:
	case SW_REQ_RIGHT:
		s->looking_at = selected(dv, s);
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

static void disk_draw(struct sw_view *v, const struct sw_state *s, struct sw_frame *f,
		      const struct sw_area *a)
{
	static const char *const header[SW_LIST_COLS] = { "disk", "size", "model", "serial",
							  "what is on it" };
	struct disk_view *dv = v->data;

	if (dv->list.n)
		sw_list_draw(&dv->list, f, a, header);
	else
		sw_frame_put(f, a->row, 2, f->cols, 0,
			     s->facts_pending ? "looking ..." : "There is no disk.");
}

static void disk_close(struct sw_view *v)
{
	struct disk_view *dv = v->data;

	sw_list_clear(&dv->list);
}

static enum sw_key_mode disk_mode(const struct sw_view *v)
{
	const struct disk_view *dv = v->data;

	return sw_list_mode(&dv->list);
}

static const struct sw_hint hints[] = {
	{ SW_REQ_ACCEPT, NULL }, { SW_REQ_DETAILS, NULL }, { SW_REQ_BACK, NULL },
	{ SW_REQ_REFRESH, NULL }, { SW_REQ_SEARCH, NULL }, { SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_disk = {
	.title = "Install 1 of 7 - Which disk",
	.help = "The disk that the node is installed on. Its whole content will be replaced, but "
		"not before you have confirmed it at the review.\n\n"
		"A disk marked '-' cannot be chosen; the reason stands beside it. The disk is "
		"remembered by its serial number, WWN or place, not by its name.",
	.size = sizeof(struct disk_view),
	.hints = hints,
	.refresh = disk_refresh,
	.draw = disk_draw,
	.request = disk_request,
	.close = disk_close,
	.mode = disk_mode,
};
