/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image for a damaged slot: one of the files that lie on the medium and the stick, or a place
 * that is typed; then who says that it is the right one. Then its repair is shown like any other.
 */
#include <string.h>

#include "base/catalogue.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/size.h"
#include "payload/payload.h"
#include "rescue/rescue.h"
#include "tui/screens/line-view.h"
#include "tui/screens/list-view.h"
#include "tui/screens/screens.h"
#include "tui/screens/tool-view.h"

#define ROW_TYPED 1000
#define MAX_SOURCE 52u	/* columns: the size has a place behind it */

struct image_view {
	struct sw_list list;	/* first: see list-view.h */
	struct sw_tool tool;
};

static json_object *new_image(const struct sw_state *s, const char *source)
{
	json_object *o = json_object_new_object();

	sw_json_add_str(o, "id", s->doctor_arg);
	sw_json_add_str(o, "source", source);
	return o;
}

/* All is said: back to the findings, where the one that it is for opens with its repair. */
static void finish(struct sw_state *s, json_object *image)
{
	while (s->top->ops != &sw_screen_doctor && s->top->below)
		sw_view_pop(s);
	sw_state_want_image(s, image);
}

/* ---- which ---- */

static json_object *images(const struct image_view *iv)
{
	return iv->tool.found ? sw_json_array(iv->tool.found, "images") : NULL;
}

static void fill(struct image_view *iv)
{
	const struct sw_list_row *row = sw_list_selected(&iv->list);
	/* Files that were found come before what can be typed: the first of them is proposed. */
	int was = row && row->id != ROW_TYPED ? row->id : 0;
	json_object *list = images(iv);

	sw_list_clear(&iv->list);
	iv->list.max_col = MAX_SOURCE;
	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		json_object *o = json_object_array_get_idx(list, i);
		char size[16];
		const char *cols[] = { sw_json_str(o, "source", ""),
				       sw_size_format(sw_json_u64(o, "size", 0), size,
						      sizeof(size)) };

		(void)sw_list_add(&iv->list, (int)i, NULL, 2, cols);
	}
	sw_list_add_text(&iv->list, ROW_TYPED, _("Another place: a URL or a path"));
	sw_list_select(&iv->list, was);
}

static void image_open(struct sw_view *v, struct sw_state *s)
{
	struct image_view *iv = v->data;

	sw_tool_ask(&iv->tool, s, sw_tool_request("images"));
	fill(iv);
}

static void image_refresh(struct sw_view *v, struct sw_state *s)
{
	struct image_view *iv = v->data;

	if (sw_tool_take(&iv->tool, s))
		fill(iv);
}

static void choose(struct image_view *iv, struct sw_state *s)
{
	const struct sw_list_row *row = sw_list_selected(&iv->list);

	if (row && row->id == ROW_TYPED)
		sw_view_push(s, &sw_screen_image_source);
	else if (row)
		sw_tool_open(s, &sw_screen_image_vouch, new_image(s, row->col[0]));
}

static bool image_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	struct image_view *iv = v->data;

	if (sw_list_request(&iv->list, s, req, ch))
		return true;
	if (req == SW_REQ_ACCEPT)
		choose(iv, s);
	else if (req == SW_REQ_REFRESH)
		image_open(v, s);
	else
		return false;
	return true;
}

static void image_draw(struct sw_view *v, const struct sw_state *s SW_UNUSED, struct sw_frame *f,
		       const struct sw_area *a)
{
	struct image_view *iv = v->data;
	struct sw_area list = *a;
	json_object *found = images(iv);

	if (iv->tool.pending)
		list.row += sw_frame_paragraph(f, a->row, 0, f->cols - 1, 2,
					       _("looking on the medium and the stick ...")) + 1;
	else if (!found || json_object_array_length(found) == 0)
		list.row += sw_frame_paragraph(f, a->row, 0, f->cols - 1, 2,
					       _("Neither the medium nor a stick labelled SLIPWAY "
						 "has a file *.efi.")) + 1;
	list.rows -= list.row - a->row;
	(void)sw_list_draw(&iv->list, f, &list, NULL);
}

static void image_close(struct sw_view *v)
{
	struct image_view *iv = v->data;

	sw_tool_clear(&iv->tool);
	sw_list_view_close(v);
}

static const struct sw_hint image_hints[] = {
	{ SW_REQ_UP, N_("Down choose") }, { SW_REQ_ACCEPT, NULL }, { SW_REQ_REFRESH, NULL },
	{ SW_REQ_BACK, NULL }, { SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_image = {
	.title = N_("An image for the slot"),
	.help = N_("A unified kernel image, as the node was promoted with: files *.efi of the "
		"medium that this system was started from, and of a stick, which is a removable "
		"disk with a FAT partition labelled SLIPWAY. Put one in and press u to look "
		"again."),
	.size = sizeof(struct image_view),
	.hints = image_hints,
	.open = image_open,
	.refresh = image_refresh,
	.draw = image_draw,
	.request = image_request,
	.close = image_close,
	.mode = sw_list_view_mode,
	.widget = sw_list_view_widget,
};

/* ---- a place that is typed ---- */

static void source_open(struct sw_view *v, struct sw_state *s SW_UNUSED)
{
	struct sw_line *line = v->data;

	line->max = 2000;
	(void)sw_line_set(line, "");
}

static bool source_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	struct sw_line *line = v->data;
	struct sw_error err = { 0 };

	if (sw_line_request(line, req, ch, NULL))
		return true;
	if (req != SW_REQ_ACCEPT)
		return false;
	if (sw_rescue_image_check(line->text, &err) < 0)
		sw_state_refuse(s, "%s: %s", err.what, sw_error_reason(&err));
	else
		sw_tool_open(s, &sw_screen_image_vouch, new_image(s, line->text));
	return true;
}

static void source_draw(struct sw_view *v, const struct sw_state *s SW_UNUSED, struct sw_frame *f,
			const struct sw_area *a)
{
	sw_frame_put(f, a->row, 0, f->cols, 0, _("Where is the image?"));
	sw_line_draw(v->data, f, a->row + 2, 0, f->cols - 1);
	if (a->rows > 4)
		(void)sw_frame_paragraph(f, a->row + 4, 0, f->cols - 1, a->rows - 4,
					 _("An http:// or https:// URL, medium:/FILE, stick:/FILE, "
					   "or a path of this system."));
}

static struct sw_widget line_widget(const struct sw_view *v)
{
	return (struct sw_widget){ .kind = SW_WIDGET_LINE, .line = v->data };
}

static const struct sw_hint line_hints[] = {
	{ SW_REQ_ACCEPT, NULL }, { SW_REQ_BACK, NULL }, { SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_image_source = {
	.title = N_("Where the image is"),
	.size = sizeof(struct sw_line),
	.hints = line_hints,
	.open = source_open,
	.draw = source_draw,
	.request = source_request,
	.close = sw_line_view_close,
	.widget = line_widget,
	.mode = sw_line_view_mode,
};

/* ---- whose word counts ---- */

enum { VOUCH_HASH, VOUCH_KEY, VOUCH_NOBODY };

struct vouch_view {
	struct sw_list list;	/* first: see list-view.h */
	json_object *image;
};

static void vouch_open(struct sw_view *v, struct sw_state *s)
{
	struct vouch_view *vv = v->data;
	const char *nobody[] = { _("Nobody: it is taken as it is") };

	vv->image = sw_tool_next(s, "image");
	vv->list.max_col = MAX_SOURCE;
	sw_list_add_text(&vv->list, VOUCH_HASH, _("A hash: I type its SHA-256"));
	sw_list_add_text(&vv->list, VOUCH_KEY,
			 _("A key of the node: the signature lies beside it"));
	(void)sw_list_add(&vv->list, VOUCH_NOBODY,
			  sw_source_is_remote(sw_json_str(vv->image, "source", ""))
				  ? _("not over a network") : NULL, 1, nobody);
}

static bool vouch_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	struct vouch_view *vv = v->data;
	const struct sw_list_row *row = sw_list_selected(&vv->list);
	json_object *image = vv->image;

	if (sw_list_request(&vv->list, s, req, ch))
		return true;
	if (req != SW_REQ_ACCEPT || !row)
		return false;
	if (row->off) {
		sw_state_refuse(s, "%s: %s.", row->col[0], row->off);
	} else if (row->id == VOUCH_HASH) {
		sw_tool_open(s, &sw_screen_image_hash, json_object_get(image));
	} else {
		vv->image = NULL;
		sw_json_add_bool(image, "signed", row->id == VOUCH_KEY);
		finish(s, image);
	}
	return true;
}

static void vouch_draw(struct sw_view *v, const struct sw_state *s SW_UNUSED, struct sw_frame *f,
		       const struct sw_area *a)
{
	struct vouch_view *vv = v->data;
	struct sw_area list = *a;

	list.row += sw_frame_paragraph(f, a->row, 0, f->cols - 1, 3,
				       sw_json_str(vv->image, "source", "")) + 1;
	sw_frame_put(f, list.row, 0, f->cols, 0, _("Who says that it is the right image?"));
	list.row += 2;
	list.rows -= list.row - a->row;
	(void)sw_list_draw(&vv->list, f, &list, NULL);
}

static void vouch_close(struct sw_view *v)
{
	struct vouch_view *vv = v->data;

	json_object_put(vv->image);
	sw_list_view_close(v);
}

static const struct sw_hint vouch_hints[] = {
	{ SW_REQ_UP, N_("Down choose") }, { SW_REQ_ACCEPT, NULL }, { SW_REQ_BACK, NULL },
	{ SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_image_vouch = {
	.title = N_("Whose image it is"),
	.help = N_("`sha256sum FILE` prints the hash where the image was made. A signature is a "
		"file with .sig after the image's name, made by `ssh-keygen -Y sign -n "
		"slipway-image`; the keys are the node's own, in its node data. Whoever could "
		"change a file that nobody vouches for decides what the node runs."),
	.size = sizeof(struct vouch_view),
	.hints = vouch_hints,
	.open = vouch_open,
	.draw = vouch_draw,
	.request = vouch_request,
	.close = vouch_close,
	.mode = sw_list_view_mode,
	.widget = sw_list_view_widget,
};

/* ---- the hash ---- */

struct hash_view {
	struct sw_line line;	/* first: see line-view.h */
	json_object *image;
};

static void hash_open(struct sw_view *v, struct sw_state *s)
{
	struct hash_view *hv = v->data;

	hv->image = sw_tool_next(s, "image");
	hv->line.max = SW_SHA256_TEXT - 1;
	(void)sw_line_set(&hv->line, "");
}

static bool hash_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	struct hash_view *hv = v->data;
	json_object *image = hv->image;

	if (sw_line_request(&hv->line, req, ch, NULL))
		return true;
	if (req != SW_REQ_ACCEPT)
		return false;
	if (!sw_sha256_is_hex(hv->line.text)) {
		sw_state_refuse(s, "A SHA-256 has 64 digits, 0 to 9 and a to f; this has %zu.",
				strlen(hv->line.text));
		return true;
	}
	hv->image = NULL;
	sw_json_add_str(image, "sha256", hv->line.text);
	finish(s, image);
	return true;
}

static void hash_draw(struct sw_view *v, const struct sw_state *s SW_UNUSED, struct sw_frame *f,
		      const struct sw_area *a)
{
	struct hash_view *hv = v->data;
	unsigned int row = a->row;

	row += sw_frame_paragraph(f, row, 0, f->cols - 1, 3,
				  sw_json_str(hv->image, "source", "")) + 1;
	sw_frame_put(f, row, 0, f->cols, 0, _("Its SHA-256, 64 digits:"));
	sw_line_draw(&hv->line, f, row + 2, 0, f->cols - 1);
}

static void hash_close(struct sw_view *v)
{
	struct hash_view *hv = v->data;

	json_object_put(hv->image);
	sw_line_view_close(v);
}

const struct sw_view_ops sw_screen_image_hash = {
	.title = N_("The image's hash"),
	.size = sizeof(struct hash_view),
	.hints = line_hints,
	.open = hash_open,
	.draw = hash_draw,
	.request = hash_request,
	.close = hash_close,
	.widget = line_widget,
	.mode = sw_line_view_mode,
};
