/* SPDX-License-Identifier: Apache-2.0 */
/* The first screen: what this machine is, and what can be done with it. */
#include <ctype.h>
#include <string.h>

#include "base/catalogue.h"
#include "base/json.h"
#include "base/size.h"
#include "rescue/visit.h"
#include "tui/screens/list-view.h"
#include "tui/screens/screens.h"
#include "tui/session/list.h"
#include "tui/session/state.h"
#include "tui/session/text.h"
#include "tui/session/title.h"

enum item { ITEM_INSTALL, ITEM_DOCTOR, ITEM_JOURNAL, ITEM_SWITCH, ITEM_STATUS, ITEM_NETWORK,
	    ITEM_WIPE, ITEM_SHELL, ITEM_TOOLS, ITEM_HELP, ITEM_ABOUT, ITEM_REBOOT, ITEM_OFF };

#define MAX_ITEM 40u		/* columns */

struct start {
	struct sw_list list;	/* first: see list-view.h */
};

/* A further disk's journal says enough for an undo when the system disk is away. */
static bool is_whole(const struct sw_journal_info *j)
{
	return j->plan && (!j->alone || j->absent & 1);
}

/* An install that can be undone: one of which everything is here rather than a part. */
static const struct sw_journal_info *offered(const struct sw_state *s)
{
	const struct sw_journal_info *part = NULL;

	for (size_t i = 0; i < s->n_journals; i++) {
		const struct sw_journal_info *j = &s->journals[i];

		if (j->state == SW_JOURNAL_DONE && !j->alone)
			return j;
		if (!part && is_whole(j) && j->state != SW_JOURNAL_UNDONE)
			part = j;
	}
	return part;
}

static const char *journal_item(const struct sw_state *s)
{
	const struct sw_journal_info *j = s->journal ? s->journal : offered(s);

	if (!j)
		return NULL;
	return j->state == SW_JOURNAL_RUNNING ? _("Finish or undo the interrupted install")
	       : j->state == SW_JOURNAL_OWED  ? _("The last install, which is partly undone")
					      : _("Undo the last install");
}

/* ---- why an item cannot be chosen; NULL: it can ---- */

static const char *no_doctor(const struct sw_state *s)
{
	return sw_visit_worth(s->facts) ? NULL : _("no node is on its disks");
}

static const char *no_install(const struct sw_state *s)
{
	return s->facts && s->facts->firmware == SW_FIRMWARE_BIOS ? _("needs UEFI, this is BIOS")
								  : NULL;
}

static const char *no_switch(const struct sw_state *s)
{
	return s->facts->boot.supported ? NULL
	       : s->facts->firmware == SW_FIRMWARE_BIOS ? _("needs UEFI, this is BIOS")
							: _("its boot variables cannot be read");
}

static const char *no_wipe(const struct sw_state *s)
{
	return s->facts->n_disks ? NULL : _("it has no disk");
}

static const char *no_shell(const struct sw_state *s)
{
	return s->has_shell ? NULL : _("this system has none");
}

static const struct {
	enum item id;
	const char *text;
	/* Why it cannot be chosen, NULL: it can. */
	const char *(*off)(const struct sw_state *s);
	bool needs_facts;
} items[] = {
	{ ITEM_INSTALL, N_("Install a node on this machine"), no_install, false },
	{ ITEM_DOCTOR, N_("Find out why it does not boot"), no_doctor, true },
	{ ITEM_JOURNAL, NULL, NULL, false },
	{ ITEM_SWITCH, N_("Switch between network and disk"), no_switch, true },
	{ ITEM_STATUS, N_("Status of what is installed"), NULL, false },
	{ ITEM_NETWORK, N_("Network"), NULL, false },
	{ ITEM_WIPE, N_("Wipe a disk"), no_wipe, true },
	{ ITEM_SHELL, N_("Rescue shell"), no_shell, false },
	{ ITEM_TOOLS, N_("Tools: disks, files, logs, TPM, a stick"), NULL, false },
	{ ITEM_HELP, N_("Help"), NULL, false },
	{ ITEM_ABOUT, N_("About slipway"), NULL, false },
	{ ITEM_REBOOT, N_("Restart the machine"), NULL, false },
	{ ITEM_OFF, N_("Power the machine off"), NULL, false },
};

static void start_refresh(struct sw_view *v, struct sw_state *s)
{
	struct start *st = v->data;
	const struct sw_list_row *row = sw_list_selected(&st->list);
	int was = row ? row->id : ITEM_INSTALL;

	sw_list_clear(&st->list);
	st->list.max_col = MAX_ITEM;
	for (size_t i = 0; i < ARRAY_SIZE(items); i++) {
		const char *text = items[i].id == ITEM_JOURNAL ? journal_item(s) : _(items[i].text);
		const char *off = NULL;

		if (!text)
			continue;
		if (items[i].needs_facts && !s->facts)
			off = s->facts_pending ? _("looking ...") : _("the machine is unknown");
		else if (items[i].off)
			off = items[i].off(s);
		(void)sw_list_add(&st->list, items[i].id, off, 1, &text);
	}
	sw_list_select(&st->list, was);
}

static void open_journal(struct sw_state *s)
{
	if (!s->journal)
		s->journal = offered(s);
	sw_view_push(s, &sw_screen_journal);
}

static void ask_shell(struct sw_state *s)
{
	sw_screen_ask_first(s, s->facts && s->facts->tpm_present
			    ? _("Open a shell on this console? It can read everything here. The "
			      "TPM's keys are given up first: until this machine is restarted "
			      "encrypted state stays closed, and no install can encrypt.")
			    : _("Open a shell on this console? It can read and destroy everything "
			      "here."), _("Open a shell"), SW_WANT_SHELL, false);
}

/* What needs more than a screen to be opened. */
static void choose_other(struct sw_state *s, int id)
{
	switch (id) {
	case ITEM_JOURNAL:
		open_journal(s);
		break;
	case ITEM_SHELL:
		ask_shell(s);
		break;
	default:
		sw_screen_ask_first(s, _("Power this machine off now?"), _("Power off"),
				    SW_WANT_POWEROFF, false);
		break;
	}
}

static void choose(struct sw_view *v, struct sw_state *s)
{
	static const struct sw_view_ops *const screens[] = {
		[ITEM_INSTALL] = &sw_screen_disk, [ITEM_DOCTOR] = &sw_screen_doctor,
		[ITEM_SWITCH] = &sw_screen_switch, [ITEM_STATUS] = &sw_screen_status,
		[ITEM_NETWORK] = &sw_screen_network, [ITEM_WIPE] = &sw_screen_wipe,
		[ITEM_TOOLS] = &sw_screen_tools, [ITEM_HELP] = &sw_screen_help,
		[ITEM_ABOUT] = &sw_screen_about, [ITEM_REBOOT] = &sw_screen_restart,
		[ITEM_OFF] = NULL,
	};
	struct start *st = v->data;
	const struct sw_list_row *row = sw_list_selected(&st->list);

	if (!row)
		return;
	if (row->off)
		sw_state_refuse(s, "%s: %s.", row->col[0], row->off);
	else if (screens[row->id])
		sw_view_push(s, screens[row->id]);
	else
		choose_other(s, row->id);
}

static bool start_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	struct start *st = v->data;

	if (sw_list_request(&st->list, s, req, ch))
		return true;
	switch (req) {
	case SW_REQ_ACCEPT:
		choose(v, s);
		return true;
	case SW_REQ_REFRESH:
		s->want |= SW_WANT_FACTS;
		s->facts_pending = true;
		return true;
	case SW_REQ_QUIT:
	case SW_REQ_BACK:
	case SW_REQ_CANCEL:
		if (s->can_quit)
			sw_screen_ask_first(s, _("Leave slipway? Nothing has been started."),
					    _("Leave"),
					    0, true);
		return true;
	default:
		return false;
	}
}

static void add_disks(const struct sw_facts *f, struct sw_buf *b)
{
	char size[16];

	sw_buf_addf(b, "%zu", f->n_disks);
	for (size_t i = 0; i < f->n_disks && i < 6; i++)
		sw_buf_addf(b, "%s %s %s%s", i ? "," : ":", f->disks[i].name,
			    sw_size_format(f->disks[i].size, size, sizeof(size)),
			    f->disks[i].medium ? _(" (slipway)") : "");
	if (f->n_disks > 6)
		sw_buf_addf(b, _(" and %zu more"), f->n_disks - 6);
}

static void add_links(const struct sw_facts *f, struct sw_buf *b)
{
	size_t shown = 0;

	for (size_t i = 0; i < f->n_links; i++) {
		const struct sw_link *l = &f->links[i];

		if (strcmp(l->name, "lo") == 0 || shown == 6)
			continue;
		sw_buf_addf(b, "%s%s %s", shown++ ? ", " : "", l->name,
			    l->addresses && l->addresses[0] ? l->addresses[0]
			    : l->carrier ? _("no address") : _("no carrier"));
	}
	if (!shown)
		sw_buf_adds(b, _("none"));
}

static unsigned int line(struct sw_frame *f, unsigned int row, const char *label, const char *text)
{
	_cleanup_buf_ struct sw_buf b = { 0 };

	/* A serial number at the end tells more than what stands before it. */
	sw_text_elide(text, f->cols > 12 ? f->cols - 12 : 0, &b);
	sw_frame_put(f, row, 2, 10, 0, label);
	sw_frame_put(f, row, 12, f->cols, 0, sw_buf_text(&b));
	return row + 1;
}

static const char *or_none(const char *text)
{
	return text && *text ? text : _("unknown");
}

/* One line for both: with all entries that there can be the screen has 24 lines to the last. */
static void add_firmware(const struct sw_facts *f, struct sw_buf *b)
{
	sw_buf_adds(b, f->firmware == SW_FIRMWARE_BIOS ? _("BIOS (slipway needs UEFI to install)")
						       : sw_title_firmware(f, false));
	if (f->tpm_present)
		sw_buf_addf(b, _(", TPM %s %s"), or_none(f->tpm_version),
			    f->tpm_vendor ? f->tpm_vendor : "");
	else
		sw_buf_adds(b, _(", no TPM"));
}

static unsigned int draw_facts(const struct sw_facts *f, struct sw_frame *fr, unsigned int row)
{
	_cleanup_buf_ struct sw_buf machine = { 0 }, firmware = { 0 }, disks = { 0 }, links = { 0 };
	_cleanup_buf_ struct sw_buf origin = { 0 };

	sw_buf_addf(&machine, _("%s %s, serial %s"), f->vendor ? f->vendor : "",
		    or_none(f->product), or_none(f->serial));
	row = line(fr, row, _("Machine"),
		   sw_buf_text(&machine) + strspn(sw_buf_text(&machine), " "));
	add_firmware(f, &firmware);
	row = line(fr, row, _("Firmware"), sw_buf_text(&firmware));
	add_disks(f, &disks);
	row = line(fr, row, _("Disks"), sw_buf_text(&disks));
	add_links(f, &links);
	row = line(fr, row, _("Network"), sw_buf_text(&links));
	/* The title line says it, which plain mode does not have. */
	sw_title_origin(f, &origin);
	return fr->lines && origin.len ? line(fr, row, _("From"), sw_buf_text(&origin)) : row;
}

static void add_image(json_object *node, int64_t now, struct sw_buf *b)
{
	json_object *image = sw_json_get(node, "last_known_good");
	const char *slot = image ? sw_json_str(image, "slot", "?") : "";
	int64_t days = image ? (now - sw_json_int(image, "time", now)) / 86400 : 0;

	if (!image)
		sw_buf_adds(b, _(", no slot is good"));
	else if (days < 1)
		sw_buf_addf(b, _(", image of today in slot %c"), toupper((unsigned char)slot[0]));
	else
		sw_buf_addf(b, _n(", image of %d day ago in slot %c",
				  ", image of %d days ago in slot %c", (unsigned long)days),
			    (int)days, toupper((unsigned char)slot[0]));
}

/* How many findings are no mere information, and the first of them. */
static size_t faults(json_object *doctor, const char **ret_first)
{
	json_object *list = sw_json_array(doctor, "findings");
	size_t n = 0;

	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		json_object *fi = json_object_array_get_idx(list, i);

		if (strcmp(sw_json_str(fi, "severity", ""), "info") == 0)
			continue;
		if (n++ == 0)
			*ret_first = sw_json_str(fi, "what", "");
	}
	return n;
}

/* The node that is here already, and whether something is wrong with it. */
static unsigned int draw_node(const struct sw_state *s, struct sw_frame *fr, unsigned int row)
{
	_cleanup_buf_ struct sw_buf b = { 0 }, wrong = { 0 };
	json_object *node = s->doctor ? sw_json_get(s->doctor, "node") : NULL;
	const char *first = "";
	size_t n;

	if (!sw_visit_worth(s->facts) || (!s->doctor && !s->doctor_pending))
		return row;
	if (!s->doctor)
		return line(fr, row, _("Node"), _("looking at what is installed ..."));
	if (node) {
		sw_buf_addf(&b, _("%s on %s, mode %s"), sw_json_str(node, "hostname", _("no name")),
			    sw_json_str(node, "disk", "?"), sw_json_str(node, "mode", "?"));
		add_image(node, s->facts->time, &b);
	} else {
		sw_buf_adds(&b, _("none was found"));
	}
	row = line(fr, row, _("Node"), sw_buf_text(&b));
	n = faults(s->doctor, &first);
	if (n)
		sw_buf_addf(&wrong, _n("%zu thing is wrong: %s", "%zu things are wrong: %s", n),
			    n, first);
	return line(fr, row, "", n ? sw_buf_text(&wrong)
			    : sw_state_node_is_closed(s)
				    ? _("nothing is wrong outside its encrypted state")
				    : _("nothing is wrong with it"));
}

static void start_draw(struct sw_view *v, const struct sw_state *s, struct sw_frame *f,
		       const struct sw_area *a)
{
	struct start *st = v->data;
	struct sw_area list = *a;

	if (s->facts)
		list.row = draw_node(s, f, draw_facts(s->facts, f, a->row));
	else
		list.row = line(f, a->row, _("Machine"),
				s->facts_pending ? _("looking ...") : s->facts_error.what);
	list.row++;
	list.rows = a->row + a->rows > list.row ? a->row + a->rows - list.row : 0;
	sw_list_draw(&st->list, f, &list, NULL);
}

static const struct sw_hint hints[] = {
	{ SW_REQ_UP, N_("Down choose") }, { SW_REQ_ACCEPT, NULL }, { SW_REQ_REFRESH, NULL },
	{ SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_start = {
	.title = "slipway " SW_VERSION,
	.help = N_("slipway installs a node on this machine, from a person's answers or from a "
		"file. It asks first and shows a review; nothing is written before you have "
		"confirmed that review by typing the end of the disk's serial number."),
	.key_help = N_("Esc or ^X goes back from everywhere and keeps what was typed; from the "
		"start it leaves, where there is a shell to go back to. Esc and a digit is a "
		"function key. If the screen is damaged, ^L draws it again.\n\nSeveral consoles "
		"can show this session. One of them holds the pen and its keys count; the others "
		"follow. F9 or ^K takes the pen."),
	.size = sizeof(struct start),
	.hints = hints,
	.refresh = start_refresh,
	.draw = start_draw,
	.request = start_request,
	.close = sw_list_view_close,
	.widget = sw_list_view_widget,
	.mode = sw_list_view_mode,
};
