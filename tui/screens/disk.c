/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which disk, and which further ones when the layout has several. Those that
 * cannot be chosen stay in the list, with the reason; one that the answers
 * choose already is selected, and Enter on it leaves their rule as it is.
 */
#include <string.h>

#include "disk/disk.h"
#include "base/catalogue.h"
#include "tui/screens/disk-list.h"
#include "tui/screens/list-view.h"
#include "tui/screens/screens.h"
#include "tui/session/disks.h"
#include "tui/session/list.h"

#define NO_DISK (-1)		/* the row that ends a choice of any number of disks */
#define NO_DISK_AT_ALL (-2)	/* the row for a node without a disk */

struct disk_view {
	struct sw_list list;	/* first: see list-view.h */
	size_t k;		/* the layout's disk that is asked for */
};

/* Last, for a person who looks for a disk should not come upon it first. */
static void add_none_at_all(struct disk_view *dv, const struct sw_state *s)
{
	const char *const row[] = { "none", "", "", "",
				    _("no disk: boot entries, mode, admission") };

	sw_list_add(&dv->list, NO_DISK_AT_ALL,
		    s->facts->boot.writable ? NULL : _("it needs UEFI with writable variables"),
		    ARRAY_SIZE(row), row);
}

static void fill(struct disk_view *dv, const struct sw_state *s)
{
	const char *const none[] = { "none", "", "", "", _("no further disk") };
	struct sw_disk_standing *st = NULL;

	sw_list_clear(&dv->list);
	if (!s->facts || sw_state_stand(s, dv->k, &st) < 0)
		return;
	if (sw_state_disk_need(s, dv->k) == SW_DISK_OPTIONAL)
		sw_list_add(&dv->list, NO_DISK, NULL, ARRAY_SIZE(none), none);
	for (size_t i = 0; i < s->facts->n_disks; i++)
		sw_disk_list_add(&dv->list, s->facts, i, st[i].excluded);
	sw_disk_standings_free(st, s->facts->n_disks);
	if (dv->k == 0)
		add_none_at_all(dv, s);
}

/* It is never proposed: a machine whose disks cannot be chosen has another trouble. */
static void select_first(struct disk_view *dv, const char *was)
{
	const struct sw_list_row *row;

	sw_disk_list_select(&dv->list, was);
	row = sw_list_selected(&dv->list);
	if (!was && row && row->id == NO_DISK_AT_ALL)
		dv->list.sel = 0;
}

/* Where nothing else was there nobody has chosen it; disks may still come. */
static bool is_alone(const struct disk_view *dv)
{
	return dv->list.n == 1 && dv->list.rows[0].id == NO_DISK_AT_ALL;
}

static void disk_refresh(struct sw_view *v, struct sw_state *s)
{
	struct disk_view *dv = v->data;
	_cleanup_free_ char *was = is_alone(dv) ? NULL : sw_disk_list_name(&dv->list);
	const struct sw_disk *chosen = sw_state_disk_at(s, dv->k);

	if (!was && dv->k == 0 && sw_answers_diskless(s->answers))
		was = strdup("none");
	else if (!was && chosen)
		was = strdup(chosen->name);
	fill(dv, s);
	select_first(dv, was);
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
	const struct sw_disk *d = sw_disk_list_selected(&dv->list, s);

	if (row && row->id == NO_DISK_AT_ALL && row->off) {
		sw_state_refuse(s, "No disk cannot be chosen: %s.", row->off);
	} else if (row && row->id == NO_DISK_AT_ALL) {
		sw_view_push(s, &sw_screen_no_disk);
	} else if (row && row->id == NO_DISK) {
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

	if (sw_disk_list_request(&dv->list, s, req, ch))
		return true;
	if (req != SW_REQ_ACCEPT)
		return false;
	choose(dv, s);
	return true;
}

static void draw_which(const struct disk_view *dv, const struct sw_state *s, struct sw_frame *f,
		       unsigned int row)
{
	const struct sw_layout *l = sw_state_layout(s);
	const char *name = sw_state_disk_name(s, dv->k);

	if (sw_state_disk_need(s, dv->k) == SW_DISK_OPTIONAL)
		sw_frame_putf(f, row, 2, "Disk %zu (%s): one more, or none", dv->k + 1, name);
	else if (l)
		sw_frame_putf(f, row, 2, l->disks[l->n_disks - 1].many
					 ? N_("Disk %zu of %zu or more (%s)")
					 : N_("Disk %zu of %zu (%s)"), dv->k + 1, l->n_disks, name);
}

static void disk_draw(struct sw_view *v, const struct sw_state *s, struct sw_frame *f,
		      const struct sw_area *a)
{
	struct disk_view *dv = v->data;
	struct sw_area list = *a;

	if (dv->k) {
		draw_which(dv, s, f, a->row);
		list.row += 2;
		list.rows -= list.rows > 2 ? 2 : 0;
	}
	sw_disk_list_draw(&dv->list, s, f, &list);
	if (is_alone(dv) && list.rows > 3)
		sw_frame_put(f, list.row + 3, 2, f->cols, 0,
			     s->facts_pending ? _("looking ...") : _("There is no disk."));
}

static const struct sw_hint hints[] = {
	{ SW_REQ_ACCEPT, NULL }, { SW_REQ_DETAILS, NULL }, { SW_REQ_BACK, NULL },
	{ SW_REQ_REFRESH, NULL }, { SW_REQ_SEARCH, NULL }, { SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_disk = {
	.title = N_("Install 1 of 7 - Which disk"),
	.help = N_("The disk that the node is installed on. Its whole content will be replaced, "
		"but not before you have confirmed it at the review.\n\nA disk marked '-' cannot "
		"be chosen; the reason stands beside it. The disk is remembered by its serial "
		"number, WWN or place, not by its name.\n\nnone, the last row, makes a node that "
		"has nothing but its entries in the firmware."),
	.size = sizeof(struct disk_view),
	.hints = hints,
	.refresh = disk_refresh,
	.draw = disk_draw,
	.request = disk_request,
	.close = sw_list_view_close,
	.widget = sw_list_view_widget,
	.mode = sw_list_view_mode,
};

/* One view for each further disk, so that going back goes from disk to disk. */
static void more_open(struct sw_view *v, struct sw_state *s SW_UNUSED)
{
	struct disk_view *dv = v->data;

	for (const struct sw_view *w = v; w; w = w->below)
		dv->k += w->ops == &sw_screen_more_disks;
}

const struct sw_view_ops sw_screen_more_disks = {
	.title = N_("Install 2 of 7 - A further disk"),
	.help = N_("The layout takes several disks. Each is chosen once, and each whose content is "
		"lost is confirmed on its own after the review.\n\n"
		"A disk marked '-' cannot be chosen; the reason stands beside it. What may be "
		"overwritten is what was said for the first disk."),
	.size = sizeof(struct disk_view),
	.hints = hints,
	.open = more_open,
	.refresh = disk_refresh,
	.draw = disk_draw,
	.request = disk_request,
	.close = sw_list_view_close,
	.widget = sw_list_view_widget,
	.mode = sw_list_view_mode,
};
