/* SPDX-License-Identifier: Apache-2.0 */
/* Disks and their partitions, to be looked at; a partition leads to its files. */
#include <string.h>

#include "base/catalogue.h"
#include "base/size.h"
#include "disk/health.h"
#include "tui/screens/list-view.h"
#include "tui/screens/pager-view.h"
#include "tui/screens/screens.h"
#include "tui/screens/tool-view.h"

#define PER_DISK 1000	/* a row's id is the disk's place times this, and its partition */

static const char *content_of(const struct sw_part *p)
{
	return p->fs_type ? p->fs_type : "-";
}

static void add_disk(struct sw_list *l, const struct sw_disk *d, int id)
{
	_cleanup_free_ char *health = sw_health_words(d);
	char size[16], text[80];
	const char *cols[] = { d->name, sw_size_format(d->size, size, sizeof(size)),
			       d->model ? d->model : "", d->serial ? d->serial : "", text };

	(void)snprintf(text, sizeof(text), "%s%s%s",
		       d->table.type == SW_TABLE_DAMAGED_GPT || d->table.damage
			       ? _("table damaged") : d->medium ? _("slipway runs from it") : "",
		       health && *health ? " " : "", health ? health : "");
	(void)sw_list_add(l, id, NULL, 5, cols);
}

static void add_part(struct sw_list *l, const struct sw_part *p, int id)
{
	char size[16], number[16];
	const char *cols[] = { number, sw_size_format(p->size, size, sizeof(size)),
			       p->label ? p->label : "", content_of(p),
			       p->fs_label ? p->fs_label : "" };

	(void)snprintf(number, sizeof(number), "  %u", p->number);
	(void)sw_list_add(l, id, NULL, 5, cols);
}

static void disks_refresh(struct sw_view *v, struct sw_state *s)
{
	struct sw_list *l = v->data;
	const struct sw_list_row *row = sw_list_selected(l);
	int was = row ? row->id : 0;

	sw_list_clear(l);
	for (size_t i = 0; s->facts && i < s->facts->n_disks; i++) {
		const struct sw_disk *d = &s->facts->disks[i];

		add_disk(l, d, (int)i * PER_DISK);
		for (size_t k = 0; k < d->table.n_parts && k < PER_DISK - 1; k++)
			add_part(l, &d->table.parts[k], (int)i * PER_DISK + (int)k + 1);
	}
	sw_list_select(l, was);
}

static json_object *request_for(const char *tool, const struct sw_disk *d, unsigned int number)
{
	json_object *o = sw_tool_request(tool);

	sw_json_add_str(o, "disk", d->name);
	sw_json_add_u64(o, "number", number);
	return o;
}

/* A file system, encryption or a member without a table around it. */
static bool holds_one_thing(const struct sw_disk *d)
{
	return !d->table.n_parts && d->signatures && d->signatures[0];
}

static void choose(struct sw_list *l, struct sw_state *s, bool details)
{
	const struct sw_list_row *row = sw_list_selected(l);
	size_t i = row ? (size_t)(row->id / PER_DISK) : 0;
	size_t k = row ? (size_t)(row->id % PER_DISK) : 0;

	if (!row || !s->facts || i >= s->facts->n_disks)
		return;
	if (k == 0 && !details && holds_one_thing(&s->facts->disks[i])) {
		sw_tool_open(s, &sw_screen_partition, request_for("part", &s->facts->disks[i], 0));
	} else if (k == 0) {
		s->looking_at = &s->facts->disks[i];
		sw_view_push(s, &sw_screen_details);
		s->looking_at = NULL;
	} else if (k <= s->facts->disks[i].table.n_parts) {
		sw_tool_open(s, &sw_screen_partition,
			     request_for("part", &s->facts->disks[i],
					 s->facts->disks[i].table.parts[k - 1].number));
	}
}

static bool disks_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	if (sw_list_request(v->data, s, req, ch))
		return true;
	if (req == SW_REQ_ACCEPT || req == SW_REQ_DETAILS) {
		choose(v->data, s, req == SW_REQ_DETAILS);
	} else if (req == SW_REQ_REFRESH) {
		s->want |= SW_WANT_FACTS;
		s->facts_pending = true;
	} else {
		return false;
	}
	return true;
}

static void disks_draw(struct sw_view *v, const struct sw_state *s, struct sw_frame *f,
		       const struct sw_area *a)
{
	const char *header[SW_LIST_COLS] = { _("disk"), _("size"), _("model, name"),
					     _("serial, content"), _("state, label") };

	if (!((struct sw_list *)v->data)->n)
		sw_frame_put(f, a->row, 0, f->cols, 0,
			     s->facts ? _("This machine has no disk.") : _("looking ..."));
	else
		(void)sw_list_draw(v->data, f, a, header);
}

static const struct sw_hint disks_hints[] = {
	{ SW_REQ_UP, N_("Down choose") }, { SW_REQ_ACCEPT, N_("look closer") },
	{ SW_REQ_REFRESH, NULL }, { SW_REQ_BACK, NULL }, { SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_disks = {
	.title = N_("Disks and partitions"),
	.help = N_("A disk opens with its table and health, a partition with what slipway keeps "
		   "there, and from there with its files. Everything is opened for reading only, "
		   "and no file system is mounted."),
	.size = sizeof(struct sw_list),
	.hints = disks_hints,
	.refresh = disks_refresh,
	.draw = disks_draw,
	.request = disks_request,
	.close = sw_list_view_close,
	.widget = sw_list_view_widget,
	.mode = sw_list_view_mode,
};

/* ---- one partition ---- */

static void partition_open(struct sw_view *v, struct sw_state *s)
{
	sw_tool_text_open(v, s, "part");
}

static void open_it(const struct sw_tool_text *tt, struct sw_state *s, const char *kind)
{
	json_object *o = sw_tool_request("open");

	sw_json_add_str(o, "disk", sw_json_str(tt->tool.request, "disk", ""));
	sw_json_add_u64(o, "number", sw_json_u64(tt->tool.request, "number", 0));
	sw_json_add_str(o, "kind", kind);
	sw_tool_open(s, strcmp(kind, "luks") == 0 ? &sw_screen_unlock : &sw_screen_opened, o);
}

static bool partition_request(struct sw_view *v, struct sw_state *s, enum sw_request req,
			      uint32_t ch)
{
	struct sw_tool_text *tt = v->data;
	json_object *files;

	if (req != SW_REQ_ACCEPT || !tt->tool.found)
		return sw_tool_text_request(v, s, req, ch, NULL);
	if (*sw_json_str(tt->tool.found, "opens", "")) {
		open_it(tt, s, sw_json_str(tt->tool.found, "opens", ""));
		return true;
	}
	files = sw_tool_request("files");
	sw_json_add_str(files, "disk", sw_json_str(tt->tool.request, "disk", ""));
	sw_json_add_u64(files, "number", sw_json_u64(tt->tool.request, "number", 0));
	sw_json_add_str(files, "path", "/");
	sw_tool_open(s, &sw_screen_files, files);
	return true;
}

static const struct sw_hint partition_hints[] = {
	{ SW_REQ_ACCEPT, N_("look inside") }, { SW_REQ_PAGE_DOWN, NULL }, { SW_REQ_REFRESH, NULL },
	{ SW_REQ_BACK, NULL }, { SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_partition = {
	.title = N_("One partition"),
	.help = N_("A slot is read as a whole, and compared with the hash of its manifest. Of the "
		   "values that a node keeps only the names are shown: they may be secret.\n\nThe "
		   "files of FAT, ext2, ext3 and ext4 can be looked at. Encryption (LUKS), the "
		   "members of an array and volume groups are put together first, for reading "
		   "only."),
	SW_TOOL_TEXT_OPS,
	.hints = partition_hints,
	.open = partition_open,
	.request = partition_request,
};
