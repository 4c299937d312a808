/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a partition: one view for each directory, so that back is one level up. */
#include <string.h>

#include "base/catalogue.h"
#include "base/file.h"
#include "base/size.h"
#include "tui/screens/list-view.h"
#include "tui/screens/pager-view.h"
#include "tui/screens/screens.h"
#include "tui/screens/tool-view.h"

#define MAX_NAME 56u	/* columns */

struct files_view {
	struct sw_list list;	/* first: see list-view.h */
	struct sw_tool tool;
};

static json_object *entry_at(const struct files_view *fv, int i)
{
	json_object *list = sw_json_array(fv->tool.found, "entries");

	return list && i >= 0 ? json_object_array_get_idx(list, (size_t)i) : NULL;
}

static void add_entry(struct files_view *fv, int i)
{
	json_object *e = entry_at(fv, i);
	const char *kind = sw_json_str(e, "kind", "");
	bool dir = strcmp(kind, "dir") == 0, file = strcmp(kind, "file") == 0;
	char size[16] = "";
	const char *cols[] = { sw_json_str(e, "name", ""), dir ? _("directory") : size };

	if (file)
		(void)sw_size_format(sw_json_u64(e, "size", 0), size, sizeof(size));
	(void)sw_list_add(&fv->list, i, dir || file ? NULL : strcmp(kind, "link") == 0
					? _("a link") : _("no plain file"), 2, cols);
}

static void files_refresh(struct sw_view *v, struct sw_state *s)
{
	struct files_view *fv = v->data;

	if (!sw_tool_take(&fv->tool, s))
		return;
	sw_list_clear(&fv->list);
	fv->list.max_col = MAX_NAME;
	for (int i = 0; entry_at(fv, i); i++)
		add_entry(fv, i);
}

static void files_open(struct sw_view *v, struct sw_state *s)
{
	struct files_view *fv = v->data;

	sw_tool_ask(&fv->tool, s, sw_tool_next(s, "files"));
}

static json_object *request_for(const struct files_view *fv, const char *tool, const char *name)
{
	const char *path = sw_json_str(fv->tool.request, "path", "/");
	const char *slash = strcmp(path, "/") == 0 ? "" : "/";
	_cleanup_free_ char *below = sw_fmt("%s%s%s", path, slash, name);
	json_object *o = sw_tool_request(tool);

	sw_json_add_str(o, "disk", sw_json_str(fv->tool.request, "disk", ""));
	sw_json_add_u64(o, "number", sw_json_u64(fv->tool.request, "number", 0));
	sw_json_add_str(o, "path", below);
	return o;
}

static void choose(struct files_view *fv, struct sw_state *s)
{
	const struct sw_list_row *row = sw_list_selected(&fv->list);
	json_object *e = row ? entry_at(fv, row->id) : NULL;
	bool dir = strcmp(sw_json_str(e, "kind", ""), "dir") == 0;

	if (!e)
		return;
	if (row->off)
		sw_state_refuse(s, "%s: %s.", sw_json_str(e, "name", ""), row->off);
	else
		sw_tool_open(s, dir ? &sw_screen_files : &sw_screen_file,
			     request_for(fv, dir ? "files" : "file", sw_json_str(e, "name", "")));
}

/* A file can be copied without being read here: it may be too large for that. */
static void copy(struct files_view *fv, struct sw_state *s)
{
	const struct sw_list_row *row = sw_list_selected(&fv->list);
	json_object *e = row ? entry_at(fv, row->id) : NULL;

	if (e && strcmp(sw_json_str(e, "kind", ""), "file") == 0)
		sw_tool_open(s, &sw_screen_place,
			     request_for(fv, "copy", sw_json_str(e, "name", "")));
	else
		sw_state_refuse(s, "Only a plain file can be copied.");
}

static bool files_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	struct files_view *fv = v->data;

	if (sw_list_request(&fv->list, s, req, ch))
		return true;
	if (req == SW_REQ_ACCEPT)
		choose(fv, s);
	else if (req == SW_REQ_SAVE)
		copy(fv, s);
	else if (req == SW_REQ_REFRESH)
		sw_tool_ask(&fv->tool, s, NULL);
	else
		return false;
	return true;
}

static void files_draw(struct sw_view *v, const struct sw_state *s SW_UNUSED, struct sw_frame *f,
		       const struct sw_area *a)
{
	struct files_view *fv = v->data;
	unsigned int number = (unsigned int)sw_json_u64(fv->tool.request, "number", 0);
	const char *disk = sw_json_str(fv->tool.request, "disk", "?");
	const char *path = sw_json_str(fv->tool.request, "path", "/");
	struct sw_area list = *a;

	if (number)
		sw_frame_putf(f, list.row++, 0, _("%s, partition %u: %s"), disk, number, path);
	else
		sw_frame_putf(f, list.row++, 0, "%s: %s", disk, path);
	list.rows = a->rows ? a->rows - 1 : 0;
	if (sw_tool_draw_state(&fv->tool, f, &list))
		return;
	if (!fv->list.n) {
		sw_frame_put(f, list.row, 0, f->cols, 0, _("There is nothing in it."));
		return;
	}
	if (sw_json_bool(fv->tool.found, "cut", false) && list.rows > 1) {
		list.rows--;
		sw_frame_put(f, list.row + list.rows, 0, f->cols, 0,
			     _("There is more than can be listed here."));
	}
	(void)sw_list_draw(&fv->list, f, &list, NULL);
}

static void files_close(struct sw_view *v)
{
	struct files_view *fv = v->data;

	sw_list_clear(&fv->list);
	sw_tool_clear(&fv->tool);
}

static const struct sw_hint files_hints[] = {
	{ SW_REQ_UP, N_("Down choose") }, { SW_REQ_ACCEPT, N_("open") },
	{ SW_REQ_SAVE, N_("copy") }, { SW_REQ_SEARCH, NULL }, { SW_REQ_BACK, NULL },
	{ SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_files = {
	.title = N_("Files"),
	.help = N_("Read without mounting: FAT through mtools, ext2, ext3 and ext4 through "
		   "debugfs. Links are shown and not followed. s copies a file to a stick, a path "
		   "or a server; nothing can be changed here."),
	.size = sizeof(struct files_view),
	.hints = files_hints,
	.open = files_open,
	.refresh = files_refresh,
	.draw = files_draw,
	.request = files_request,
	.close = files_close,
	.widget = sw_list_view_widget,
	.mode = sw_list_view_mode,
};

/* ---- one file ---- */

static void file_open(struct sw_view *v, struct sw_state *s)
{
	sw_tool_text_open(v, s, "file");
}

static bool file_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	struct sw_tool_text *tt = v->data;
	json_object *o = NULL;

	if (req != SW_REQ_SAVE)
		return sw_tool_text_request(v, s, req, ch, NULL);
	if (json_object_deep_copy(tt->tool.request, &o, NULL) == 0) {
		sw_json_add_str(o, "tool", "copy");
		sw_tool_open(s, &sw_screen_place, o);
	}
	return true;
}

static const struct sw_hint file_hints[] = {
	{ SW_REQ_BACK, NULL }, { SW_REQ_PAGE_DOWN, NULL }, { SW_REQ_SEARCH, NULL },
	{ SW_REQ_SEARCH_NEXT, N_("again") }, { SW_REQ_SAVE, N_("copy") }, { SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_file = {
	.title = N_("One file"),
	.help = N_("Text is shown as it is, with ? for what no terminal should get; anything else "
		   "by its first bytes. A file of more than 4 MiB is not read here, but can be "
		   "copied from the list."),
	SW_TOOL_TEXT_OPS,
	.hints = file_hints,
	.open = file_open,
	.request = file_request,
};
