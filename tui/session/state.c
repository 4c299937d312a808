/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/session/state.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>

#include "base/catalogue.h"
#include "base/file.h"
#include "base/json.h"
#include "base/strv.h"
#include "base/text.h"
#include "rescue/visit.h"
#include "tui/screens/screens.h"

struct sw_state *sw_state_new(struct sw_answers *answers, const char *run_dir)
{
	struct sw_state *s = calloc(1, sizeof(*s));

	if (!s) {
		sw_answers_free(answers);
		return NULL;
	}
	s->answers = answers ? answers : sw_answers_new();
	if (run_dir)
		s->run_dir = strdup(run_dir);
	if (!s->answers || (run_dir && !s->run_dir) || sw_n_fields > SW_MAX_FIELDS)
		return sw_state_free(s);
	s->settled = true;
	s->want = SW_WANT_FACTS;
	s->facts_pending = true;
	return s;
}

struct sw_state *sw_state_free(struct sw_state *s)
{
	if (!s)
		return NULL;
	sw_view_close_all(s);
	sw_state_clear_tokens(s);
	s->doctor_given = sw_secret_free(s->doctor_given);
	s->doctor_key = sw_secret_free(s->doctor_key);
	sw_facts_free(s->facts);
	sw_journal_infos_free(s->journals, s->n_journals);
	sw_answers_free(s->answers);
	sw_strv_free(s->dropped);
	sw_state_clear_drafts(s);
	for (size_t i = 0; i < s->n_layouts; i++)
		sw_layout_free(s->layouts[i]);
	sw_plan_free(s->plan);
	sw_progress_clear(&s->run);
	json_object_put(s->boot_switch);
	sw_state_wipe_clear(s);
	json_object_put(s->doctor);
	json_object_put(s->doctor_image);
	for (size_t i = 0; i < SW_N_LOOKS; i++)
		sw_state_look_clear(&s->looks[i]);
	json_object_put(s->tool.look);
	json_object_put(s->tool.todo);
	json_object_put(s->tool.next);
	sw_secret_free(s->tool.passphrase);
	free(s->reach_url);
	free(s->save_path);
	free(s->save_text);
	free(s->run_dir);
	free(s->countdown_text);
	free(s->asked.keys);
	free(s);
	return NULL;
}

void sw_state_notice(struct sw_state *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->notice, sizeof(s->notice), _(fmt), ap);
	va_end(ap);
	s->refused = false;
}

void sw_state_refuse(struct sw_state *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->notice, sizeof(s->notice), _(fmt), ap);
	va_end(ap);
	s->refused = s->bell = true;
}

/* What tells this machine from its neighbours: its serial, else its first network card. */
static const char *own_mark(const struct sw_facts *f)
{
	if (f->serial && *f->serial)
		return f->serial;
	for (size_t i = 0; i < f->n_links; i++) {
		const char *mac = f->links[i].mac;

		if (mac && strlen(mac) == 17 && strcmp(mac, "00:00:00:00:00:00") != 0)
			return mac + strlen("00:00:00:");
	}
	return NULL;
}

/* A host name to start from, if the machine has a mark that gives a valid one. */
static void propose_hostname(struct sw_state *s)
{
	const struct sw_field *f = sw_field_find("node.hostname");
	const char *mark = own_mark(s->facts);
	char name[64] = "node-";
	struct sw_error ignored = { 0 };
	size_t n = strlen(name);

	if (!f || (s->answers->hostname && *s->answers->hostname) || !mark)
		return;
	for (; *mark && n < 40; mark++)
		if (isalnum((unsigned char)*mark) || (*mark == '-' && name[n - 1] != '-'))
			name[n++] = (char)tolower((unsigned char)*mark);
	while (n && name[n - 1] == '-')
		n--;
	name[n] = '\0';
	if (n <= strlen("node-"))
		return;
	/* To be asked is to be confirmed. */
	if (sw_answers_is_open(s->answers, f->key))
		s->drafts[0][f - sw_fields] = strdup(name);
	else
		(void)sw_field_set(f, s->answers, name, &ignored);
}

bool sw_state_can_encrypt(const struct sw_state *s)
{
	for (size_t i = 0; i < s->n_layouts; i++)
		if (strcmp(s->layouts[i]->name, SW_LAYOUT_ENCRYPTED) == 0)
			return s->facts && sw_plan_tpm_usable(s->facts);
	return false;
}

/* Where a TPM can keep the key, state is encrypted unless somebody says otherwise. */
static void propose_layout(struct sw_state *s)
{
	const struct sw_field *f = sw_field_find("disk.layout");
	struct sw_error ignored = { 0 };

	if (f && !s->answers->places && f->dflt && s->answers->layout &&
	    strcmp(s->answers->layout, f->dflt) == 0 && sw_state_can_encrypt(s))
		(void)sw_field_set(f, s->answers, SW_LAYOUT_ENCRYPTED, &ignored);
}

#define START_NODE_SECONDS 30

/* What is there is told; unless an operator wants the machine for himself, the node starts. */
static void installed_already(struct sw_state *s, const struct sw_journal_info *j)
{
	char when[SW_TIME_TEXT];

	s->unattended = false;
	if (s->answers->finish == SW_FINISH_STAY || s->answers->boot_mode == SW_MODE_HANDS_OFF) {
		sw_state_notice(s, "Installed from these answers already: nothing was done. Boot "
				   "from the disk.");
		return;
	}
	free(s->countdown_text);
	s->countdown_text = sw_fmt(_("These answers were installed on %s already, %s. Nothing is "
				     "written now; with reinstall: always it would be installed "
				     "again at each start."),
				   j->disk_name, sw_time_text(j->time, when));
	s->deadline_ms = s->now_ms + START_NODE_SECONDS * 1000;
	s->seconds_left = START_NODE_SECONDS;
	sw_view_push(s, &sw_screen_installed);
}

/* For one boot, whatever the firmware has first; then the machine restarts. */
static void start_node(struct sw_state *s)
{
	s->starting_node = true;
	s->boot_switch_pending = true;
	(void)snprintf(s->boot_choice, sizeof(s->boot_choice), "%s",
		       s->answers->boot_mode == SW_MODE_NETWORK ? "once-network" : "once-local");
	s->want |= SW_WANT_SWITCH_SET;
}

/* True when it was this that the switch was made for. */
static bool node_starts(struct sw_state *s, bool set)
{
	if (!s->starting_node)
		return false;
	s->starting_node = false;
	if (set)
		s->want |= SW_WANT_REBOOT;
	else
		sw_view_pop(s);
	return true;
}

#define LOOK_AGAIN_MS 2000

static void wait_for_disks(struct sw_state *s)
{
	s->look_ms = s->now_ms + LOOK_AGAIN_MS;
	s->seconds_left = (unsigned int)((s->wait_ms - s->now_ms + 999) / 1000);
	if (!s->waiting)
		sw_view_push(s, &sw_screen_wait);
	s->waiting = true;
}

static void wait_over(struct sw_state *s)
{
	if (!s->waiting)
		return;
	s->waiting = false;
	sw_view_pop_to(s, &sw_screen_wait);
	sw_view_pop(s);
}

/* An unattended session carries on by itself only with what it was told to install. */
static void unattended_start(struct sw_state *s)
{
	const struct sw_journal_info *done =
		sw_journal_installed(s->journals, s->n_journals, s->answers);

	if (done) {
		installed_already(s, done);
		return;
	}
	for (size_t i = 0; i < s->n_journals; i++) {
		const struct sw_journal_info *j = &s->journals[i];
		bool same = j->plan && sw_answers_same(j->plan->answers, s->answers);

		if (j->state == SW_JOURNAL_RUNNING && (!same || j->undoing)) {
			s->unattended = false;
			return;
		}
		if (j->state == SW_JOURNAL_RUNNING) {
			s->journal = j;
			sw_state_start(s, SW_WORK_RESUME);
			return;
		}
	}
	if (s->answers->open) {
		wait_over(s);
		sw_view_push(s, &sw_screen_left_open);
		sw_state_waits(s);
		return;
	}
	sw_state_want_plan(s);
}

/* Disks come one after the other; to choose among those that were quick would be a guess. */
static void unattended_try(struct sw_state *s)
{
	const char *wait = s->answers->disk_wait;

	if (!s->wait_ms)
		s->wait_ms = s->now_ms +
			     1000 * (int64_t)(wait ? strtoul(wait, NULL, 10) : SW_DISK_WAIT);
	if (!s->settled && s->now_ms < s->wait_ms) {
		wait_for_disks(s);
		return;
	}
	unattended_start(s);
	if (!s->unattended)
		wait_over(s);
}

void sw_state_asked(struct sw_state *s)
{
	if (s->unattended)
		unattended_try(s);
}

/* True when something on the screen changes. */
static bool wait_tick(struct sw_state *s)
{
	unsigned int was = s->seconds_left;

	if (!s->waiting || s->plan_pending || s->facts_pending)
		return false;
	if (s->now_ms >= s->wait_ms) {
		unattended_try(s);
		return true;
	}
	s->seconds_left = (unsigned int)((s->wait_ms - s->now_ms + 999) / 1000);
	if (s->now_ms >= s->look_ms) {
		s->look_ms = s->now_ms + LOOK_AGAIN_MS;
		s->facts_pending = true;
		s->want |= SW_WANT_FACTS;
	}
	return s->seconds_left != was;
}

/* It stopped half-way, or a disk came back that an undo did not have. */
static bool is_unfinished(const struct sw_journal_info *j)
{
	return j->state == SW_JOURNAL_RUNNING ||
	       (j->state == SW_JOURNAL_OWED && j->plan && sw_undo_possible(j));
}

static void tell_of_journal(struct sw_state *s)
{
	for (size_t i = 0; i < s->n_journals && !s->journal_seen; i++)
		if (is_unfinished(&s->journals[i])) {
			s->journal_seen = true;
			s->journal = &s->journals[i];
			sw_view_push(s, &sw_screen_journal);
		}
}

/* What is installed here, and what is wrong with it, so that the first screen can tell. */
static void look_at_node(struct sw_state *s)
{
	bool known = s->doctor_fresh;

	s->doctor_fresh = false;
	if (known || s->unattended || s->phase == SW_PHASE_RUNNING)
		return;
	if (!sw_visit_worth(s->facts)) {
		json_object_put(s->doctor);
		s->doctor = NULL;
		return;
	}
	sw_state_want_doctor(s, s->doctor_pending && s->doctor_servers);
}

/* Nothing to see where the countdown leads to no new install. */
static void want_plan_to_see(struct sw_state *s)
{
	if (s->journal || s->answers->open ||
	    sw_journal_installed(s->journals, s->n_journals, s->answers))
		return;
	sw_state_want_plan(s);
	s->plan_to_see = true;
}

void sw_state_got_facts(struct sw_state *s, struct sw_facts *f, struct sw_journal_info *infos,
			size_t n)
{
	bool first = !s->facts;

	sw_facts_free(s->facts);
	sw_journal_infos_free(s->journals, s->n_journals);
	s->facts = f;
	s->journals = infos;
	s->n_journals = n;
	s->journal = NULL;
	s->facts_pending = false;
	s->facts_error = (struct sw_error){ 0 };
	for (size_t i = 0; i < n && !s->journal; i++)
		if (is_unfinished(&infos[i]))
			s->journal = &infos[i];
	if (first)
		propose_hostname(s);
	if (first && !s->unattended && !s->deadline_ms)
		propose_layout(s);
	/* Shown beside the countdown; it is made anew when that is over. */
	if (sw_view_is_open(s, &sw_screen_countdown))
		want_plan_to_see(s);
	if ((first || s->waiting) && s->unattended && !s->deadline_ms &&
	    s->phase == SW_PHASE_ASKING)
		unattended_try(s);
	if (s->phase == SW_PHASE_ASKING && !s->unattended && !s->deadline_ms)
		tell_of_journal(s);
	look_at_node(s);
	sw_view_refresh(s);
}

void sw_state_facts_failed(struct sw_state *s, const struct sw_error *err)
{
	s->facts_pending = false;
	s->facts_error = *err;
	sw_state_refuse(s, "The machine could not be read: %s", err->what);
	if (s->unattended && s->phase == SW_PHASE_ASKING)
		sw_state_work_failed(s, err);
	sw_view_refresh(s);
}

void sw_state_want_plan(struct sw_state *s)
{
	s->plan = sw_plan_free(s->plan);
	s->plan_error = (struct sw_error){ 0 };
	s->plan_pending = true;
	s->plan_to_see = false;
	s->want |= SW_WANT_PLAN;
}

void sw_state_got_plan(struct sw_state *s, struct sw_plan *p)
{
	/* Another one was asked for meanwhile. */
	if (s->want & SW_WANT_PLAN) {
		sw_plan_free(p);
		return;
	}
	sw_plan_free(s->plan);
	s->plan = p;
	s->plan_count++;
	s->plan_pending = false;
	if (s->unattended && s->phase == SW_PHASE_ASKING && !s->plan_to_see)
		sw_state_start(s, SW_WORK_INSTALL);
	sw_view_refresh(s);
}

void sw_state_plan_failed(struct sw_state *s, const struct sw_error *err)
{
	if (s->want & SW_WANT_PLAN)
		return;
	s->plan_pending = false;
	s->plan_error = *err;
	if (s->plan_to_see) {
		sw_view_refresh(s);
		return;
	}
	if (s->unattended && err->r == -ENODEV && s->now_ms < s->wait_ms) {
		s->none_fits = true;
		wait_for_disks(s);
	} else if (s->unattended) {
		sw_state_work_failed(s, err);
	}
	sw_view_refresh(s);
}

static const struct sw_plan *plan_of(const struct sw_state *s, enum sw_work work)
{
	return work == SW_WORK_INSTALL ? s->plan
	       : work == SW_WORK_RESUME && s->journal ? s->journal->plan : NULL;
}

const struct sw_plan *sw_state_doing(const struct sw_state *s)
{
	return plan_of(s, s->work);
}

void sw_state_start(struct sw_state *s, enum sw_work work)
{
	static const uint64_t want[] = {
		[SW_WORK_INSTALL] = SW_WANT_APPLY,
		[SW_WORK_RESUME] = SW_WANT_RESUME,
		[SW_WORK_UNDO] = SW_WANT_UNDO,
		[SW_WORK_WIPE] = SW_WANT_WIPE,
	};
	const struct sw_plan *p = plan_of(s, work);

	if (p && sw_plan_awaits_recovery(p)) {
		struct sw_error err = { 0 };

		s->work = work;
		if (!s->unattended) {
			sw_view_push(s, &sw_screen_recovery);
			return;
		}
		(void)sw_plan_nobody_confirms(&err);
		sw_state_work_failed(s, &err);
		return;
	}
	if (sw_progress_begin(&s->run, p) < 0) {
		sw_state_refuse(s, "Out of memory; nothing was started.");
		return;
	}
	s->work = work;
	s->without = work == SW_WORK_UNDO && s->journal && s->journal->plan
			     ? sw_undo_away(s->journal) : 0;
	s->phase = SW_PHASE_RUNNING;
	s->waiting = false;
	s->failure = (struct sw_error){ 0 };
	s->failure_code[0] = '\0';
	s->paused = false;
	s->want |= want[work];
	sw_view_only(s, &sw_screen_progress);
}

/* The first screen tells the node's mode: what it said is out of date. */
static void look_again_at_node(struct sw_state *s)
{
	if (!s->doctor)
		return;
	sw_state_want_doctor(s, false);
}

void sw_state_got_switch(struct sw_state *s, json_object *found)
{
	const char *unkept = sw_json_str(found, "unkept", NULL);
	int64_t n = sw_json_int(found, "written", -1);

	json_object_put(s->boot_switch);
	s->boot_switch = json_object_get(found);
	s->boot_switch_pending = false;
	s->boot_switch_error = (struct sw_error){ 0 };
	if (node_starts(s, true))
		return;
	if (unkept)
		sw_state_notice(s, "%s", unkept);
	else if (n == 0)
		sw_state_notice(s, "Nothing was written: it was so already.");
	else if (n > 0)
		sw_state_notice(s, _n("Written and read back: %d boot variable.",
				      "Written and read back: %d boot variables.",
				      (unsigned long)n), (int)n);
	if (n > 0)
		look_again_at_node(s);
	sw_view_refresh(s);
}

/* What there is now is to be seen beside the error. */
void sw_state_switch_failed(struct sw_state *s, const struct sw_error *err)
{
	s->boot_switch_pending = false;
	s->boot_switch_error = *err;
	if (err->exit == SW_EXIT_DIRTY)
		look_again_at_node(s);
	s->bell = true;
	if (node_starts(s, false))
		sw_state_refuse(s, "The node could not be started: %s", err->what);
	sw_view_refresh(s);
}

void sw_state_got_doctor(struct sw_state *s, json_object *found)
{
	const char *done = sw_json_str(found, "done", NULL);

	json_object_put(s->doctor);
	s->doctor = json_object_get(found);
	s->doctor_pending = s->doctor_writing = s->doctor_servers = false;
	s->doctor_error = (struct sw_error){ 0 };
	s->doctor_given = sw_secret_free(s->doctor_given);
	if (s->doctor_open && s->top->ops == &sw_screen_state_key) {
		sw_view_pop_to(s, &sw_screen_doctor);
		sw_state_notice(s, "The state was opened, and looked into.");
	}
	if (s->doctor_opens && s->top->ops == &sw_screen_doctor)
		sw_view_push(s, &sw_screen_finding);
	s->doctor_opens = false;
	if (done) {
		json_object_put(TAKE_PTR(s->doctor_image));
		/* Tables may be others now; what is wrong with them has just been looked at. */
		s->want |= SW_WANT_FACTS;
		s->doctor_fresh = true;
		sw_state_notice(s, "%s", done);
		if (s->top->ops == &sw_screen_finding)
			sw_view_pop(s);
	}
	sw_view_refresh(s);
}

void sw_state_doctor_failed(struct sw_state *s, const struct sw_error *err)
{
	const bool looked = !s->doctor_writing;

	/* A repair from an image may be tried again; one that could not be shown is no image. */
	if (looked)
		json_object_put(TAKE_PTR(s->doctor_image));
	s->doctor_opens = false;
	s->doctor_pending = s->doctor_writing = s->doctor_servers = false;
	s->doctor_error = *err;
	s->doctor_given = sw_secret_free(s->doctor_given);
	if (looked)	/* a key that opens nothing is asked for again */
		sw_state_close_inside(s);
	s->bell = err->exit != SW_EXIT_CANCELLED;	/* else it was wanted so */
	if (s->top->ops == &sw_screen_finding || s->top->ops == &sw_screen_cause)
		sw_view_pop(s);
	sw_view_refresh(s);
}

void sw_state_want_look(struct sw_state *s, enum sw_look_kind kind)
{
	static const uint64_t want[SW_N_LOOKS] = {
		[SW_LOOK_STATUS] = SW_WANT_STATUS, [SW_LOOK_NETWORK] = SW_WANT_NETWORK,
		[SW_LOOK_REACH] = SW_WANT_REACH, [SW_LOOK_PREFLIGHT] = SW_WANT_PREFLIGHT,
		[SW_LOOK_NETTEST] = SW_WANT_NETTEST,
		[SW_LOOK_RESTART] = SW_WANT_RESTART,
		[SW_LOOK_ADMIT] = SW_WANT_ADMIT, [SW_LOOK_TOOL] = SW_WANT_TOOL,
		[SW_LOOK_TOOL_DO] = SW_WANT_TOOL_DO,
	};

	sw_buf_clear(&s->looks[kind].told);
	s->looks[kind].done = s->looks[kind].size = 0;
	s->looks[kind].pending = true;
	s->looks[kind].error = (struct sw_error){ 0 };
	s->want |= want[kind];
}

unsigned int sw_state_want_tool(struct sw_state *s, json_object *request)
{
	json_object_put(s->tool.look);
	s->tool.look = request;
	sw_state_want_look(s, SW_LOOK_TOOL);
	return ++s->tool.id;
}

void sw_state_tool_todo(struct sw_state *s, json_object *request)
{
	json_object_put(s->tool.todo);
	s->tool.todo = request;
}

/* It is told of, and whoever shows what may have changed looks again. */
static void tool_done(struct sw_state *s)
{
	json_object *found = s->looks[SW_LOOK_TOOL_DO].found;

	s->tool.done++;
	sw_state_notice(s, "%s", sw_json_str(found, "done", ""));
	if (s->top->ops == &sw_screen_writing)
		sw_view_pop(s);
	if (sw_json_get(found, "text"))
		sw_view_push(s, &sw_screen_tool_result);
}

void sw_state_clear_tokens(struct sw_state *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(s->tokens); i++)
		s->tokens[i] = sw_secret_free(s->tokens[i]);
}

/* What was typed for this look is forgotten with its end. */
static void forget_typed(struct sw_state *s, enum sw_look_kind kind)
{
	if (kind == SW_LOOK_ADMIT)
		sw_state_clear_tokens(s);
	if (kind == SW_LOOK_TOOL && strcmp(sw_json_str(s->tool.look, "tool", ""), "open") == 0)
		s->tool.passphrase = sw_secret_free(s->tool.passphrase);
}

void sw_state_got_look(struct sw_state *s, enum sw_look_kind kind, json_object *found)
{
	forget_typed(s, kind);
	sw_state_look_clear(&s->looks[kind]);
	s->looks[kind].found = json_object_get(found);
	if (kind == SW_LOOK_TOOL_DO)
		tool_done(s);
	sw_view_refresh(s);
}

/* What the look before it found is not what there is now. */
void sw_state_look_failed(struct sw_state *s, enum sw_look_kind kind, const struct sw_error *err)
{
	forget_typed(s, kind);
	sw_state_look_clear(&s->looks[kind]);
	s->looks[kind].error = *err;
	if (kind == SW_LOOK_TOOL_DO && s->top->ops == &sw_screen_writing)
		s->notice[0] = '\0';	/* the screen says it all */
	else if (kind == SW_LOOK_TOOL_DO)
		sw_state_refuse(s, "%s%s%s", err->what, err->why[0] ? ": " : "", err->why);
	s->bell = true;
	sw_view_refresh(s);
}

bool sw_state_event(struct sw_state *s, const struct sw_event *ev)
{
	sw_progress_event(&s->run, ev);
	return ev->type != SW_EVENT_PROGRESS && ev->type != SW_EVENT_LOG;
}

void sw_state_ended(struct sw_state *s, int exit)
{
	struct sw_progress *run = &s->run;

	if (s->work == SW_WORK_WIPE)
		s->want |= SW_WANT_WIPE_REPORT;
	/* The machine is another one now: disks, journals and entries are to be read again. */
	s->want |= SW_WANT_FACTS;
	s->facts_pending = true;
	if (exit == 0) {
		run->finished = true;
		run->result = 0;
		s->phase = SW_PHASE_DONE;
		sw_view_only(s, &sw_screen_result);
		return;
	}
	s->failure = run->error;
	(void)snprintf(s->failure_code, sizeof(s->failure_code), "%s", run->code);
	if (!s->failure.what[0])
		(void)sw_fail(&s->failure, exit > 0 ? (enum sw_exit)exit : SW_EXIT_DIRTY, -EIO,
			      exit > 0 ? "it ended with status %d and no message"
				       : "it was ended by a signal (status %d)", exit);
	sw_state_show_failure(s);
}

static uint64_t finish_want(enum sw_finish finish)
{
	static const uint64_t wants[] = {
		[SW_FINISH_REBOOT] = SW_WANT_REBOOT, [SW_FINISH_POWEROFF] = SW_WANT_POWEROFF,
		[SW_FINISH_STAY] = 0, [SW_FINISH_KEXEC] = SW_WANT_KEXEC,
	};

	return wants[finish];
}

static uint64_t on_error_want(enum sw_on_error what)
{
	return what == SW_ON_ERROR_REBOOT     ? SW_WANT_REBOOT
	       : what == SW_ON_ERROR_POWEROFF ? SW_WANT_POWEROFF
	       : what == SW_ON_ERROR_SHELL    ? SW_WANT_SHELL : 0;
}

const struct sw_plan *sw_state_installed(const struct sw_state *s)
{
	if (s->work == SW_WORK_INSTALL)
		return s->plan;
	for (size_t i = 0; i < s->n_journals; i++)
		if (s->journals[i].state == SW_JOURNAL_DONE &&
		    sw_answers_same(s->journals[i].plan->answers, s->answers))
			return s->journals[i].plan;
	return NULL;
}

void sw_state_kexec_failed(struct sw_state *s, const struct sw_error *err)
{
	sw_state_refuse(s, "The node is not started from here: %s",
			sw_error_reason(err));
	s->answers->finish = SW_FINISH_REBOOT;
	if (!s->unattended)
		return;
	s->deadline_ms = s->now_ms + SW_FINISH_SECONDS * 1000;
	s->seconds_left = SW_FINISH_SECONDS;
}

static void countdown_over(struct sw_state *s)
{
	s->deadline_ms = 0;
	if (s->phase == SW_PHASE_FAILED) {
		s->want |= on_error_want(s->answers->on_error);
		return;
	}
	if (s->phase == SW_PHASE_DONE) {
		s->want |= finish_want(s->answers->finish);
		return;
	}
	if (sw_view_is_open(s, &sw_screen_installed)) {
		start_node(s);
		return;
	}
	s->unattended = true;
	sw_view_pop(s);
	if (s->facts)
		unattended_try(s);
}

bool sw_state_tick(struct sw_state *s, int64_t now_ms)
{
	unsigned int left;

	s->now_ms = now_ms;
	if (!s->deadline_ms)
		return wait_tick(s);
	/* A machine that goes down at once would take the news with it: they are out in seconds. */
	if (s->telling && s->deadline_ms <= now_ms)
		s->deadline_ms = now_ms + 1000;
	left = s->deadline_ms > now_ms ? (unsigned int)((s->deadline_ms - now_ms + 999) / 1000) : 0;
	if (left == 0) {
		countdown_over(s);
		return true;
	}
	if (left == s->seconds_left)
		return false;
	s->seconds_left = left;
	return true;
}

const struct sw_layout *sw_state_layout(const struct sw_state *s)
{
	for (size_t i = 0; i < s->n_layouts; i++)
		if (s->answers->layout && s->layouts[i]->name &&
		    strcmp(s->layouts[i]->name, s->answers->layout) == 0)
			return s->layouts[i];
	return NULL;
}
