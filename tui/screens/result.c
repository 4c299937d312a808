/* SPDX-License-Identifier: Apache-2.0 */
/* How it ended. It stays until somebody decides what is next. */
#include <string.h>

#include "base/backoff.h"
#include "base/catalogue.h"
#include "base/file.h"
#include "base/json.h"
#include "tui/screens/list-view.h"
#include "tui/screens/screens.h"
#include "tui/session/list.h"
#include "tui/session/state.h"

enum item { ITEM_REBOOT, ITEM_OFF, ITEM_KEXEC, ITEM_RETRY, ITEM_JOURNAL, ITEM_LOG, ITEM_SAVE_LOG,
	    ITEM_SAVE_ANSWERS, ITEM_REPORT,
	    ITEM_SAVE_REPORT, ITEM_AGAIN, ITEM_START };

struct result {
	struct sw_list list;	/* first: see list-view.h */
};

static void add_done(struct result *rs, struct sw_state *s)
{
	bool kexec = s->answers->finish == SW_FINISH_KEXEC && s->work != SW_WORK_UNDO;

	sw_list_add_text(&rs->list, ITEM_REBOOT, _("Restart the machine"));
	sw_list_add_text(&rs->list, ITEM_OFF, _("Power the machine off"));
	if (kexec)
		sw_list_add_text(&rs->list, ITEM_KEXEC, _("Start the node without the firmware"));
	sw_list_add_text(&rs->list, ITEM_LOG, _("Read the log"));
	sw_list_add_text(&rs->list, ITEM_SAVE_ANSWERS, _("Save the answers as a file"));
	sw_list_add_text(&rs->list, ITEM_START, _("Back to the start"));
	if (s->answers->finish == SW_FINISH_POWEROFF)
		sw_list_select(&rs->list, ITEM_OFF);
	if (kexec)
		sw_list_select(&rs->list, ITEM_KEXEC);
	if (s->answers->finish == SW_FINISH_STAY || s->work == SW_WORK_UNDO)
		sw_list_select(&rs->list, ITEM_START);
}

static void add_failed(struct result *rs, const struct sw_state *s)
{
	bool journal = s->journal && s->journal->state == SW_JOURNAL_RUNNING;

	if (journal)
		sw_list_add_text(&rs->list, ITEM_JOURNAL, _("Resume or undo it"));
	else
		sw_list_add_text(&rs->list, ITEM_RETRY, _("Try again: back to the review"));
	sw_list_add_text(&rs->list, ITEM_LOG, _("Read the log"));
	sw_list_add_text(&rs->list, ITEM_SAVE_LOG, _("Save the log as a file"));
	sw_list_add_text(&rs->list, ITEM_SAVE_ANSWERS, _("Save the answers as a file"));
	sw_list_add_text(&rs->list, ITEM_START, _("Back to the start"));
}

/* After a wipe there is nothing to boot and nothing to undo. */
static void add_wiped(struct result *rs, const struct sw_state *s)
{
	if (s->wipe.report) {
		sw_list_add_text(&rs->list, ITEM_REPORT, _("Read the report"));
		sw_list_add_text(&rs->list, ITEM_SAVE_REPORT, _("Save the report as a file"));
	}
	sw_list_add_text(&rs->list, ITEM_AGAIN, s->phase == SW_PHASE_DONE
			 ? _("Wipe another disk") : _("Choose the disk again"));
	sw_list_add_text(&rs->list, ITEM_LOG, _("Read the log"));
	sw_list_add_text(&rs->list, ITEM_START, _("Back to the start"));
}

static void result_refresh(struct sw_view *v, struct sw_state *s)
{
	struct result *rs = v->data;
	const struct sw_list_row *row = sw_list_selected(&rs->list);
	int was = row && rs->list.sel ? row->id : -1;

	sw_list_clear(&rs->list);
	if (s->work == SW_WORK_WIPE)
		add_wiped(rs, s);
	else if (s->phase == SW_PHASE_DONE)
		add_done(rs, s);
	else
		add_failed(rs, s);
	sw_list_select(&rs->list, was);
}

/* Machines that failed together, for want of one server, shall not come back together. */
static unsigned int pause_ms(const struct sw_answers *a)
{
	unsigned int s = a->on_error_pause ? (unsigned int)strtoul(a->on_error_pause, NULL, 10)
					   : SW_ON_ERROR_PAUSE;
	struct sw_backoff b = { 0 };

	sw_backoff_seed(&b, 0);
	return s * 1000 + sw_backoff_random(&b, s * 500);
}

static void result_open(struct sw_view *v SW_UNUSED, struct sw_state *s)
{
	unsigned int ms = 0;

	if (s->unattended && s->phase == SW_PHASE_DONE && s->answers->finish != SW_FINISH_STAY)
		ms = SW_FINISH_SECONDS * 1000;
	else if (s->unattended && s->phase == SW_PHASE_FAILED &&
		 s->answers->on_error > SW_ON_ERROR_STAY)
		ms = pause_ms(s->answers);
	else
		return;
	s->deadline_ms = s->now_ms + (int64_t)ms;
	s->seconds_left = (ms + 999) / 1000;
}

static void wipe_again(struct sw_state *s)
{
	s->phase = SW_PHASE_ASKING;
	sw_view_pop(s);
	sw_view_push(s, &sw_screen_wipe);
}

static void retry(struct sw_state *s)
{
	s->unattended = false;
	if (s->work == SW_WORK_WIPE) {
		wipe_again(s);
		return;
	}
	if (s->journal && s->journal->state == SW_JOURNAL_RUNNING) {
		sw_view_push(s, &sw_screen_journal);
		return;
	}
	s->phase = SW_PHASE_ASKING;
	sw_view_pop(s);
	sw_view_push(s, &sw_screen_review);
}

static void choose(struct sw_state *s, int item)
{
	switch (item) {
	case ITEM_REBOOT:
		s->want |= SW_WANT_REBOOT;
		break;
	case ITEM_OFF:
		s->want |= SW_WANT_POWEROFF;
		break;
	case ITEM_KEXEC:
		s->want |= SW_WANT_KEXEC;
		break;
	case ITEM_RETRY:
	case ITEM_JOURNAL:
		retry(s);
		break;
	case ITEM_LOG:
		sw_view_push(s, &sw_screen_log);
		break;
	case ITEM_SAVE_LOG:
		sw_screen_save_log(s);
		break;
	case ITEM_SAVE_ANSWERS:
		sw_screen_save_answers(s);
		break;
	case ITEM_REPORT:
		sw_view_push(s, &sw_screen_wipe_report);
		break;
	case ITEM_SAVE_REPORT:
		sw_screen_save_wipe_report(s);
		break;
	case ITEM_AGAIN:
		wipe_again(s);
		break;
	case ITEM_START:
		s->phase = SW_PHASE_ASKING;
		s->unattended = false;
		sw_view_pop(s);
		break;
	}
}

static bool result_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	struct result *rs = v->data;

	if (s->deadline_ms) {
		s->deadline_ms = 0;
		sw_state_notice(s, "Stopped. Nothing happens until you choose.");
		return true;
	}
	if (sw_list_request(&rs->list, s, req, ch))
		return true;
	switch (req) {
	case SW_REQ_ACCEPT:
		choose(s, sw_list_selected(&rs->list)->id);
		return true;
	case SW_REQ_LOG:
		sw_view_push(s, &sw_screen_log);
		return true;
	case SW_REQ_SAVE:
		sw_screen_save_log(s);
		return true;
	case SW_REQ_RETRY:
		if (s->phase == SW_PHASE_FAILED)
			retry(s);
		return true;
	case SW_REQ_BACK:
	case SW_REQ_QUIT:
	case SW_REQ_CANCEL:
		choose(s, ITEM_START);
		return true;
	default:
		return false;
	}
}

static const char *headline(const struct sw_state *s)
{
	static const char *const done[] = {
		[SW_WORK_INSTALL] = N_("The node is installed."),
		[SW_WORK_RESUME] = N_("The interrupted install is complete."),
		[SW_WORK_UNDO] = N_("The install was undone."),
		[SW_WORK_WIPE] = N_("The disk was wiped."),
	};
	static const char *const failed[] = {
		[SW_WORK_INSTALL] = N_("The install has failed:"),
		[SW_WORK_RESUME] = N_("The install could not be finished:"),
		[SW_WORK_UNDO] = N_("The install could not be undone:"),
		[SW_WORK_WIPE] = N_("The wipe has not come to its end:"),
	};

	if (s->phase == SW_PHASE_DONE && s->work == SW_WORK_UNDO && s->without)
		return _("The install was undone on the disks that are here.");
	return s->phase == SW_PHASE_DONE ? _(done[s->work]) : _(failed[s->work]);
}

/* Steps before the journal only fetch and build. */
static const char *changed(const struct sw_state *s)
{
	const struct sw_progress *run = &s->run;

	if (s->work == SW_WORK_WIPE)
		return s->failure.exit == SW_EXIT_DIRTY
			       ? _("The disk was changed. Wiping it again goes on from there.")
			       : NULL;
	if (s->failure.exit == SW_EXIT_DIRTY)
		return _("The disk was changed. It can be resumed, or undone.");
	if (s->work == SW_WORK_INSTALL && s->plan && run->current <= s->plan->n_steps &&
	    (!run->current || s->plan->steps[run->current - 1].kind < SW_STEP_JOURNAL))
		return _("Nothing on the disk was changed.");
	return NULL;
}

/* "4 parts verified by reading, 1 commanded", in the report's own words. */
static unsigned int draw_proof(json_object *report, struct sw_frame *f, unsigned int row)
{
	json_object *list = sw_json_array(report, "regions");
	_cleanup_buf_ struct sw_buf b = { 0 };
	size_t n = list ? json_object_array_length(list) : 0;

	for (size_t i = 0; i < n; i++) {
		json_object *g = json_object_array_get_idx(list, i);

		sw_buf_addf(&b, "%s: %s\n", sw_json_str(g, "what", ""),
			    sw_json_str(g, "state", ""));
	}
	return row + sw_frame_paragraph(f, row, 2, f->cols - 3, 8, sw_buf_text(&b)) + 1;
}

/* What the work warned of has scrolled by. A small screen has room for two. */
static unsigned int draw_warnings(const struct sw_state *s, struct sw_frame *f, unsigned int row)
{
	unsigned int shown = 0;

	for (size_t i = 0; i < s->run.log_n && shown < 2; i++) {
		const char *text = strstr(sw_progress_log_line(&s->run, i), " warning: ");

		if (text) {
			row += sw_frame_paragraph(f, row, 0, f->cols - 1, 3, text + 1) + 1;
			shown++;
		}
	}
	return row;
}

/* What tells this node from every other, for whoever meets it next. */
static unsigned int draw_fingerprints(const struct sw_state *s, struct sw_frame *f,
				      unsigned int row)
{
	const struct { const char *words, *value; } lines[] = {
		{ N_("Node id, of the TPM's endorsement key, to compare with its server's:"),
		  s->run.node_id },
		{ N_("SSH host key (Ed25519), to compare at the first login:"),
		  s->run.ssh_host_key },
	};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		if (!lines[i].value[0])
			continue;
		sw_frame_put(f, row++, 0, f->cols, 0, _(lines[i].words));
		sw_frame_put(f, row, 2, f->cols - 2, 0, lines[i].value);
		row += 2;
	}
	return row;
}

static void draw_deadline(const struct sw_state *s, struct sw_frame *f, unsigned int row)
{
	enum sw_finish finish = s->answers->finish;

	if (s->phase == SW_PHASE_FAILED)
		finish = s->answers->on_error == SW_ON_ERROR_REBOOT ? SW_FINISH_REBOOT
			 : s->answers->on_error == SW_ON_ERROR_SHELL ? SW_FINISH_STAY
								     : SW_FINISH_POWEROFF;
	sw_frame_putf(f, row, 0,
		      finish == SW_FINISH_STAY
		      ? N_("A rescue shell opens in %u s. Any key stops that.")
		      : finish == SW_FINISH_REBOOT
		      ? N_("The machine restarts in %u s. Any key stops that.")
		      : finish == SW_FINISH_KEXEC
		      ? N_("The node starts in %u s, without the firmware. Any key stops that.")
		      : N_("The machine powers off in %u s. Any key stops that."),
		      sw_frame_seconds(f, s->seconds_left));
}

static unsigned int draw_text(const struct sw_state *s, struct sw_frame *f, unsigned int row)
{
	_cleanup_free_ char *text = NULL;

	sw_frame_put(f, row, 0, f->cols, s->phase == SW_PHASE_FAILED ? SW_ATTR_ALERT : 0,
		     headline(s));
	row += 2;
	if (s->phase == SW_PHASE_FAILED) {
		text = sw_error_text(&s->failure);
		row += sw_frame_paragraph(f, row, 0, f->cols - 1, 9, text) + 1;
		if (s->failure_code[0] && s->work != SW_WORK_WIPE) {
			sw_frame_putf(f, row, 0, N_("Code: %s"), s->failure_code);
			row += 2;
		}
		if (changed(s)) {
			sw_frame_put(f, row, 0, f->cols, 0, changed(s));
			row += 2;
		}
		if (s->deadline_ms) {
			draw_deadline(s, f, row);
			row += 2;
		}
	} else if (s->work == SW_WORK_UNDO && s->without) {
		row += sw_frame_paragraph(f, row, 0, f->cols - 1, 4, _("What was away still has "
					  "its part of the node: attach it and undo once more. "
					  "Do not start the machine from it.")) + 1;
	} else if (s->deadline_ms) {
		draw_deadline(s, f, row);
		row += 2;
	}
	if (s->work == SW_WORK_WIPE && s->wipe.report)
		row = draw_proof(s->wipe.report, f, row);
	if (s->phase == SW_PHASE_DONE) {
		row = draw_fingerprints(s, f, row);
		row = draw_warnings(s, f, row);
	}
	if (s->run_dir && s->run.log_n) {
		sw_frame_putf(f, row, 0, "The whole log is in %s/events.jsonl", s->run_dir);
		row += 2;
	}
	return row;
}

static void result_draw(struct sw_view *v, const struct sw_state *s, struct sw_frame *f,
			const struct sw_area *a)
{
	struct result *rs = v->data;
	struct sw_area list = *a;

	list.row = draw_text(s, f, a->row);
	list.rows = a->row + a->rows > list.row ? a->row + a->rows - list.row : 0;
	sw_list_draw(&rs->list, f, &list, NULL);
}

static const struct sw_hint hints[] = {
	{ SW_REQ_ACCEPT, NULL }, { SW_REQ_LOG, NULL }, { SW_REQ_SAVE, N_("save log") },
	{ SW_REQ_BACK, N_("start") }, { SW_REQ_NONE, NULL },
};

const struct sw_view_ops sw_screen_result = {
	.title = N_("Result"),
	.help = N_("How the work ended. What failed stays on the screen with what to do next; "
		"the log can be read and saved."),
	.size = sizeof(struct result),
	.hints = hints,
	.open = result_open,
	.refresh = result_refresh,
	.draw = result_draw,
	.request = result_request,
	.close = sw_list_view_close,
	.widget = sw_list_view_widget,
	.mode = sw_list_view_mode,
};
