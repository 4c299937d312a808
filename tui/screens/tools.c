/* SPDX-License-Identifier: Apache-2.0 */
/* The tools: what a technician looks with, and what is carried away on a stick. */
#include "base/catalogue.h"
#include "base/json.h"
#include "tui/screens/list-view.h"
#include "tui/screens/pager-view.h"
#include "tui/screens/screens.h"
#include "tui/screens/tool-view.h"

static const struct {
	const struct sw_view_ops *ops;
	const char *text, *about;
} tools[] = {
	{ &sw_screen_disks, N_("Disks, partitions, files"),
	  N_("tables, slots, node data, health; files to be read and copied") },
	{ &sw_screen_logs, N_("Logs"),
	  N_("slipway's, the kernel's, the node's journal, the last failure") },
	{ &sw_screen_tpm, N_("TPM"), N_("what it is, lockout, PCRs and what made them") },
	{ &sw_screen_hardware, N_("Hardware"), N_("processor, memory, cards, disks") },
	{ &sw_screen_memory, N_("Memory test"),
	  N_("restart into it, once; it takes minutes to hours") },
	{ &sw_screen_bundle, N_("Bundle for somebody far away"),
	  N_("findings, logs, tables, without secrets: to a stick or a server") },
	{ &sw_screen_config, N_("Configuration on a stick"),
	  N_("into this node after a look at each file, or saved from it") },
	{ &sw_screen_inside, N_("Shell in the state"),
	  N_("the node's own partition, opened for it and closed again") },
};

static void tools_open(struct sw_view *v, struct sw_state *s SW_UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(tools); i++) {
		const char *cols[] = { _(tools[i].text), _(tools[i].about) };

		(void)sw_list_add(v->data, (int)i, NULL, 2, cols);
	}
}

static bool tools_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	const struct sw_list_row *row;

	if (sw_list_request(v->data, s, req, ch))
		return true;
	row = sw_list_selected(v->data);
	if (req != SW_REQ_ACCEPT || !row)
		return false;
	sw_view_push(s, tools[row->id].ops);
	return true;
}

static void tools_draw(struct sw_view *v, const struct sw_state *s SW_UNUSED, struct sw_frame *f,
		       const struct sw_area *a)
{
	(void)sw_list_draw(v->data, f, a, NULL);
}

static const struct sw_hint hints[] = {
	{ SW_REQ_UP, N_("Down choose") }, { SW_REQ_ACCEPT, NULL }, { SW_REQ_BACK, NULL },
	{ SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_tools = {
	.title = N_("Tools"),
	.help = N_("The first four only read: no file system is mounted, and nothing on a disk "
		   "changes. A memory test restarts the machine, and asks before. A bundle and a "
		   "saved configuration are written to the place that you name; an import writes "
		   "the node data, and asks before. A shell in the state is read-only unless "
		   "writing is chosen."),
	.size = sizeof(struct sw_list),
	.hints = hints,
	.open = tools_open,
	.draw = tools_draw,
	.request = tools_request,
	.close = sw_list_view_close,
	.widget = sw_list_view_widget,
	.mode = sw_list_view_mode,
};

/* ---- those that are one text ---- */

static void tpm_open(struct sw_view *v, struct sw_state *s)
{
	sw_tool_text_open(v, s, "tpm");
}

static bool tpm_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	return sw_tool_text_request(v, s, req, ch, "slipway-tpm.txt");
}

const struct sw_view_ops sw_screen_tpm = {
	.title = N_("TPM"),
	.help = N_("What the TPM is, whether it can be used now, and when it opens itself after "
		   "too many wrong attempts. Below it each PCR with the events that the firmware "
		   "measured into it; a mark says where the log does not lead to the value. "
		   "`slipway tpm explain` prints each step, and compares two logs."),
	SW_TOOL_TEXT_OPS,
	.hints = sw_tool_text_hints,
	.open = tpm_open,
	.request = tpm_request,
};

static void hardware_open(struct sw_view *v, struct sw_state *s)
{
	sw_tool_text_open(v, s, "hardware");
}

static bool hardware_request(struct sw_view *v, struct sw_state *s, enum sw_request req,
			     uint32_t ch)
{
	return sw_tool_text_request(v, s, req, ch, "slipway-hardware.txt");
}

const struct sw_view_ops sw_screen_hardware = {
	.title = N_("Hardware"),
	.help = N_("What the kernel has found. A card without a driver is one that slipway's "
		   "medium cannot use; the node may have another kernel."),
	SW_TOOL_TEXT_OPS,
	.hints = sw_tool_text_hints,
	.open = hardware_open,
	.request = hardware_request,
};

static void memory_open(struct sw_view *v, struct sw_state *s)
{
	sw_tool_text_open(v, s, "memory");
}

static void start_memory_test(const struct sw_tool *t, struct sw_state *s)
{
	const char *off = t->error.what[0] ? t->error.what
			  : t->found	   ? sw_json_str(t->found, "off", NULL)
					   : _("it is not known yet");

	if (off) {
		sw_state_refuse(s, _("No memory test: %s."), off);
		return;
	}
	s->restart_to = SW_RESTART_MEMTEST;
	sw_screen_ask_first(s, _("Restart into the memory test now? It has the machine for itself "
				 "and takes from minutes to hours. Esc ends it, and the machine "
				 "restarts as before. To come back here, start it from the stick "
				 "or CD again."), _("Restart into the memory test"),
			    SW_WANT_RESTART_TO, false);
}

static bool memory_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	struct sw_tool_text *tt = v->data;

	/* Enter ends a search, too. */
	if (req != SW_REQ_ACCEPT || sw_pager_mode(&tt->pager) == SW_MODE_TEXT)
		return sw_tool_text_request(v, s, req, ch, NULL);
	start_memory_test(&tt->tool, s);
	return true;
}

static const struct sw_hint memory_hints[] = {
	{ SW_REQ_ACCEPT, N_("start it") }, { SW_REQ_BACK, NULL }, { SW_REQ_PAGE_DOWN, NULL },
	{ SW_REQ_REFRESH, NULL }, { SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_memory = {
	.title = N_("Memory test"),
	.help = N_("A memory test runs in place of slipway: the machine restarts into memtest86+, "
		   "a program of its own on slipway's medium. That holds for one start; the order "
		   "of the boot entries stays. With Secure Boot on it does not start, for it is "
		   "not signed."),
	SW_TOOL_TEXT_OPS,
	.hints = memory_hints,
	.open = memory_open,
	.request = memory_request,
};
