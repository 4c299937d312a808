/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that is known about one disk. */
#include "base/catalogue.h"
#include "base/size.h"
#include "disk/disk.h"
#include "disk/health.h"
#include "tui/screens/pager-view.h"
#include "tui/screens/screens.h"

static void add(struct sw_buf *b, const char *label, const char *text)
{
	if (text && *text)
		sw_buf_addf(b, "%-10s %s\n", label, text);
}

static void add_partition(struct sw_buf *b, const struct sw_part *p)
{
	char size[16], at[16];

	sw_buf_addf(b, _("%3u  %6s at %-6s  %-8s %s%s%s\n"), p->number,
		    sw_size_format(p->size, size, sizeof(size)),
		    sw_size_format(p->start, at, sizeof(at)), p->fs_type ? p->fs_type : "-",
		    p->label ? p->label : "", p->fs_label ? _("  label ") : "",
		    p->fs_label ? p->fs_label : "");
}

static char *text_of(const struct sw_state *s, const struct sw_disk *d)
{
	const struct sw_layout *l = sw_state_layout(s);
	_cleanup_free_ char *what = sw_disk_describe(d), *health = sw_health_words(d);
	_cleanup_buf_ struct sw_buf b = { 0 };
	char size[16];

	add(&b, _("Disk"), d->node ? d->node : d->name);
	add(&b, _("Model"), d->model);
	add(&b, _("Vendor"), d->vendor);
	add(&b, _("Serial"), d->serial);
	add(&b, _("WWN"), d->wwn);
	add(&b, _("Attached"), d->transport);
	add(&b, _("Path"), d->path);
	sw_buf_addf(&b, _("%-10s %s (%llu bytes), sectors of %u\n"), _("Size"),
		    sw_size_format(d->size, size, sizeof(size)), (unsigned long long)d->size,
		    d->sector);
	add(&b, _("Refused"), sw_disk_excluded(d, l ? l->min_size : 0));
	add(&b, _("Health"), d->health == SW_HEALTH_GOOD ? _("good") : health);
	add(&b, _("On it"), what);
	add(&b, _("Damage"), d->table.damage);
	for (char **g = d->signatures; g && *g; g++)
		add(&b, _("Signature"), *g);
	if (d->table.n_parts)
		sw_buf_adds(&b, "\n");
	for (size_t i = 0; i < d->table.n_parts; i++)
		add_partition(&b, &d->table.parts[i]);
	return sw_buf_steal(&b);
}

static void details_open(struct sw_view *v, struct sw_state *s)
{
	struct sw_pager_view *dv = v->data;

	sw_pager_set(&dv->pager, text_of(s, s->looking_at));
}

static bool details_request(struct sw_view *v, struct sw_state *s, enum sw_request req,
			    uint32_t ch)
{
	return sw_pager_view_request(v, s, req, ch, SW_REQ_LEFT);
}

static const struct sw_hint hints[] = {
	{ SW_REQ_BACK, NULL }, { SW_REQ_SEARCH, NULL }, { SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_details = {
	.title = N_("One disk in full"),
	.size = sizeof(struct sw_pager_view),
	.hints = hints,
	.open = details_open,
	.draw = sw_pager_view_draw,
	.request = details_request,
	.close = sw_pager_view_close,
	.mode = sw_pager_view_mode,
	.widget = sw_pager_view_widget,
};
