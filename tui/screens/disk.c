/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which disk, and which further ones when the layout has several. Those that
 * cannot be chosen stay in the list, with the reason; one that the answers
 * choose already is selected, and Enter on it leaves their rule as it is.
 */
#include <string.h>

#include "base/size.h"
#include "disk/disk.h"
#include "tui/screens/screens.h"
#include "tui/session/disks.h"
#include "tui/session/list.h"

#define NO_DISK (-1)		/* the row that ends a choice of any number of disks */

struct disk_view {
	struct sw_list list;
	size_t k;		/* the layout's disk that is asked for */
};

static void add_disk(struct disk_view *dv, const struct sw_state *s, size_t i, const char *off)
{
	const struct sw_disk *d = &s->facts->disks[i];
	_cleanup_free_ char *what = sw_disk_describe(d);
	char size[16];
	const char *cols[] = {
		d->name, sw_size_format(d->size, size, sizeof(size)),
		d->model ? d->model : d->vendor, d->serial, what,
	};

	sw_list_add(&dv->list, (int)i, off, ARRAY_SIZE(cols), cols);
}

static void fill(struct disk_view *dv, const struct sw_state *s)
{
	static const char *const none[] = { "none", "", "", "", "no further disk" };
	struct sw_disk_standing *st = NULL;

	sw_list_clear(&dv->list);
	if (!s->facts || sw_state_stand(s, dv->k, &st) < 0)
		return;
	if (sw_state_disk_need(s, dv->k) == SW_DISK_OPTIONAL)
		sw_list_add(&dv->list, NO_DISK, NULL, ARRAY_SIZE(none), none);
	for (size_t i = 0; i < s->facts->n_disks; i++)
		add_disk(dv, s, i, st[i].excluded);
	sw_disk_standings_free(st, s->facts->n_disks);
}

/* The selection stays on the same disk although the list may have changed. */
static void disk_refresh(struct sw_view *v, struct sw_state *s)
{
	struct disk_view *dv = v->data;
	const struct sw_list_row *row = sw_list_selected(&dv->list);
	_cleanup_free_ char *was = row ? strdup(row->col[0]) : NULL;
	const struct sw_disk *chosen = sw_state_disk_at(s, dv->k);

	if (!was && chosen)
		was = strdup(chosen->name);
	fill(dv, s);
	for (size_t i = dv->list.n; i-- > 0;)
		if (was ? strcmp(dv->list.rows[i].col[0], was) == 0 : !dv->list.rows[i].off)
			dv->list.sel = i;
}

/* NULL also on the row that is no disk. */
static const struct sw_disk *selected(const struct disk_view *dv, const struct sw_state *s)
{
	const struct sw_list_row *row = sw_list_selected(&dv->list);

	return row && row->id != NO_DISK && s->facts ? &s->facts->disks[row->id] : NULL;
}

static void go_on(struct disk_view *dv, struct sw_state *s)
{
	if (dv->k == 0)
		sw_view_push(s, &sw_screen_layout);
	else if (sw_state_disk_need(s, dv->k + 1) != SW_DISK_NOT_WANTED)
		sw_view_push(s, &sw_screen_more_disks);
	else
		sw_view_push(s, &sw_screen_boot);
}

/* What may be lost is asked for on the screen after the first disk; for the others it is known. */
static bool settle(struct disk_view *dv, struct sw_state *s, const struct sw_disk *d)
{
	struct sw_error err = { 0 };

	if (dv->k == 0 || sw_state_settle_loss(s, dv->k, &err) == 0)
		return true;
	sw_state_refuse(s, "%s: %s. Esc goes back to say what may be overwritten.", d->name,
			err.what);
	return false;
}

static void choose(struct disk_view *dv, struct sw_state *s)
{
	const struct sw_list_row *row = sw_list_selected(&dv->list);
	const struct sw_disk *d = selected(dv, s);

	if (row && row->id == NO_DISK) {
		sw_answers_cut_more(s->answers, dv->k - 1);
		sw_view_push(s, &sw_screen_boot);
	} else if (!d) {
		sw_state_refuse(s, "No disk has been found yet; u looks again.");
	} else if (row->off) {
		sw_state_refuse(s, "%s cannot be chosen: %s.", d->name, row->off);
	} else if (sw_state_choose_disk(s, dv->k, d) < 0) {
		sw_state_refuse(s, "%s has no serial, WWN or path of its own to know it by.",
				d->name);
	} else if (settle(dv, s, d)) {
		go_on(dv, s);
	}
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

static void draw_which(const struct disk_view *dv, const struct sw_state *s, struct sw_frame *f,
		       unsigned int row)
{
	const struct sw_layout *l = sw_state_layout(s);
	const char *name = sw_state_disk_name(s, dv->k);

	if (sw_state_disk_need(s, dv->k) == SW_DISK_OPTIONAL)
		sw_frame_putf(f, row, 2, "Disk %zu (%s): one more, or none", dv->k + 1, name);
	else if (l)
		sw_frame_putf(f, row, 2, "Disk %zu of %zu%s (%s)", dv->k + 1, l->n_disks,
			      l->disks[l->n_disks - 1].many ? " or more" : "", name);
}

static void disk_draw(struct sw_view *v, const struct sw_state *s, struct sw_frame *f,
		      const struct sw_area *a)
{
	static const char *const header[SW_LIST_COLS] = { "disk", "size", "model", "serial",
							  "what is on it" };
	struct disk_view *dv = v->data;
	struct sw_area list = *a;

	if (dv->k) {
		draw_which(dv, s, f, a->row);
		list.row += 2;
		list.rows -= list.rows > 2 ? 2 : 0;
	}
	if (dv->list.n)
		sw_list_draw(&dv->list, f, &list, header);
	else
		sw_frame_put(f, list.row, 2, f->cols, 0,
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

static struct sw_widget disk_widget(const struct sw_view *v)
{
	struct disk_view *d = v->data;

	return (struct sw_widget){ .kind = SW_WIDGET_LIST, .list = &d->list };
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
	.widget = disk_widget,
	.mode = disk_mode,
};

/* One view for each further disk, so that going back goes from disk to disk. */
static void more_open(struct sw_view *v, struct sw_state *s SW_UNUSED)
{
	struct disk_view *dv = v->data;

	for (const struct sw_view *w = v; w; w = w->below)
		dv->k += w->ops == &sw_screen_more_disks;
}

const struct sw_view_ops sw_screen_more_disks = {
	.title = "Install 2 of 7 - A further disk",
	.help = "The layout takes several disks. Each is chosen once, and each whose content is "
		"lost is confirmed on its own after the review.\n\n"
		"A disk marked '-' cannot be chosen; the reason stands beside it. What may be "
		"overwritten is what was said for the first disk.",
	.size = sizeof(struct disk_view),
	.hints = hints,
	.open = more_open,
	.refresh = disk_refresh,
	.draw = disk_draw,
	.request = disk_request,
	.close = disk_close,
	.widget = disk_widget,
	.mode = disk_mode,
};
