/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "tests/lib/screen-script.h"

#include "base/file.h"
#include "base/json.h"
#include "tui/screens/screens.h"
#include "tui/session/job.h"
#include "tui/session/text.h"

static const char *at_line;	/* for messages */

void (*sw_script_look)(const char *name, const char *frame, const char *plain);

static char *path_of(const struct sw_script *sc, const char *name, const char *suffix)
{
	char *path = sw_fmt("%s/%s%s", sc->dir, name, suffix);

	assert_non_null(path);
	return path;
}

/* The facts, and beside them the raw boot variables that `slipway facts --json` adds. */
static json_object *load_facts(const struct sw_script *sc, struct sw_facts **ret_facts)
{
	_cleanup_json_ json_object *o = NULL;
	struct sw_error err = { 0 };
	json_object *vars;

	assert_non_null(sc->facts);
	if (sw_json_load(sc->facts, &o, &err) < 0)
		fail_msg("%s: %s %s", sc->facts, err.what, err.why);
	vars = sw_json_get(o, "boot_variables");
	if (vars)
		json_object_get(vars);
	json_object_object_del(o, "boot_variables");
	if (sw_facts_from_json(o, sc->facts, ret_facts, &err) < 0)
		fail_msg("%s: %s %s", sc->facts, err.what, err.why);
	return vars;
}

static void give_facts(struct sw_script *sc)
{
	struct sw_facts *f = NULL;

	json_object_put(load_facts(sc, &f));
	sc->state->settled = !sc->unsettled;
	sw_state_got_facts(sc->state, f, NULL, 0);
}

static struct sw_plan *make_plan(struct sw_script *sc, const struct sw_answers *a,
				 struct sw_error *err)
{
	struct sw_facts *f = NULL;
	json_object *vars = load_facts(sc, &f);
	struct sw_layout *l = NULL;
	struct sw_plan *p = NULL;

	if (sw_answers_validate(a, NULL, err) == 0 && sw_layout_find(a->layout, &l, err) == 0)
		(void)sw_plan_build(f, vars, NULL, a, l, &p, err);
	sw_layout_free(l);
	sw_facts_free(f);
	json_object_put(vars);
	return p;
}

static void give_plan(struct sw_script *sc)
{
	struct sw_error err = { 0 };
	struct sw_plan *p = make_plan(sc, sc->state->answers, &err);

	if (p)
		sw_state_got_plan(sc->state, p);
	else
		sw_state_plan_failed(sc->state, &err);
}

/* Plays the session: gives what can be given at once, remembers the rest. */
static void serve(struct sw_script *sc)
{
	while (sc->state->want) {
		uint64_t want = sc->state->want;

		sc->state->want = 0;
		sc->wants |= want;
		if ((want & SW_WANT_FACTS) && sc->facts)
			give_facts(sc);
		if (want & SW_WANT_PLAN)
			give_plan(sc);
		if (want & (SW_WANT_DOCTOR_REPAIR | SW_WANT_DOCTOR_UNDO))
			sw_state_doctor_writes(sc->state, want & SW_WANT_DOCTOR_REPAIR);
	}
}

static bool has_word(const char *words, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = words; (p = strstr(p, word)); p += n)
		if ((p == words || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0'))
			return true;
	return false;
}

static void do_open(struct sw_script *sc, struct sw_facts *first, struct sw_journal_info *info)
{
	char **names = NULL;
	struct sw_state *s;

	s = sc->state = sw_state_new(TAKE_PTR(sc->answers), "/run/slipway");
	assert_non_null(s);
	assert_int_equal(sw_layout_names(&names), 0);
	for (char **n = names; *n; n++) {
		struct sw_error err = { 0 };

		/* Layouts that come later must not change these screens. */
		if (has_word(sc->layouts[0] ? sc->layouts : "node", *n) &&
		    sw_layout_find(*n, &s->layouts[s->n_layouts], &err) == 0)
			s->n_layouts++;
		free(*n);
	}
	free(names);
	assert_true(s->n_layouts > 0);
	sw_view_push(s, &sw_screen_start);
	s->has_shell = !sc->no_shell;
	s->unattended = sc->unattended && !sc->countdown[0];
	if (sc->countdown[0]) {
		s->countdown_text = strdup(sc->countdown);
		s->deadline_ms = 30000;
		s->seconds_left = 30;
		sw_view_push(s, &sw_screen_countdown);
	}
	if (first)
		sw_state_got_facts(s, first, info, 1);
	serve(sc);
}

/* What follows the number of the step: "ANSWERS absent=SET owed=SET". */
static void journal_words(struct sw_journal_info *info, const char *arg)
{
	const char *absent = strstr(arg, " absent="), *owed = strstr(arg, " owed=");

	info->absent = absent ? strtoul(absent + 8, NULL, 10) : 0;
	info->owed = owed ? strtoul(owed + 6, NULL, 10) : 0;
}

/* The demo's plan, as if an earlier run had left it behind. */
static void do_journal(struct sw_script *sc, const char *arg)
{
	struct sw_journal_info *info = calloc(1, sizeof(*info));
	_cleanup_free_ char *yaml = NULL;
	struct sw_answers *a = NULL;
	struct sw_facts *f = NULL;
	struct sw_error err = { 0 };
	char state[16], name[32] = "unattended";

	assert_non_null(info);
	assert_true(sscanf(arg, "%15s %u %31[a-z-]", state, &info->step, name) >= 2);
	yaml = path_of(sc, name, ".yaml");
	journal_words(info, arg);
	assert_int_equal(sw_answers_read(yaml, &a, &err), 0);
	info->plan = make_plan(sc, a, &err);
	if (!info->plan)
		fail_msg("%s: %s %s", at_line, err.what, err.why);
	info->state = strcmp(state, "done") == 0   ? SW_JOURNAL_DONE
		      : strcmp(state, "owed") == 0 ? SW_JOURNAL_OWED
						   : SW_JOURNAL_RUNNING;
	info->undoing = strcmp(state, "undoing") == 0;
	info->steps = (unsigned int)info->plan->n_steps;
	info->disk_name = strdup("nvme0n1");
	info->step_title = strdup(info->plan->steps[info->step - 1].title);
	info->time = 1760000000;
	sw_answers_free(a);
	json_object_put(load_facts(sc, &f));
	/* Before `open` it is what the session finds when it first looks at the machine. */
	if (!sc->state)
		do_open(sc, f, info);
	else
		sw_state_got_facts(sc->state, f, info, 1);
	serve(sc);
}

static uint32_t key_of(const char *name)
{
	static const struct {
		const char *name;
		uint32_t key;
	} names[] = {
		{ "Enter", '\r' }, { "Esc", SW_KEY_ESC }, { "Up", SW_KEY_UP },
		{ "Down", SW_KEY_DOWN }, { "Left", SW_KEY_LEFT }, { "Right", SW_KEY_RIGHT },
		{ "Home", SW_KEY_HOME }, { "End", SW_KEY_END }, { "PgUp", SW_KEY_PAGE_UP },
		{ "PgDn", SW_KEY_PAGE_DOWN }, { "Tab", '\t' }, { "Shift-Tab", SW_KEY_BACK_TAB },
		{ "Space", ' ' }, { "Backspace", SW_KEY_BACKSPACE }, { "Del", SW_KEY_DELETE },
		{ "F1", SW_KEY_F1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i].name, name) == 0)
			return names[i].key;
	if (name[0] == '^' && name[1])
		return SW_CTRL(name[1]);
	if (strlen(name) != 1)
		fail_msg("%s: no such key: %s", at_line, name);
	return (uint32_t)name[0];
}

static void press(struct sw_script *sc, uint32_t key)
{
	sc->keys++;
	sc->state->bell = false;
	(void)sw_view_key(sc->state, key);
	serve(sc);
}

static void do_keys(struct sw_script *sc, char *names)
{
	char *save = NULL;

	for (char *n = strtok_r(names, " ", &save); n; n = strtok_r(NULL, " ", &save))
		press(sc, key_of(n));
}

static void do_type(struct sw_script *sc, const char *text)
{
	unsigned int width;

	while (*text)
		press(sc, sw_text_next(&text, &width));
}

/* What a job's child says in a file of the script; NULL and the error when it says one. */
static json_object *said_by_job(const struct sw_script *sc, const char *name,
				struct sw_error *ret_error)
{
	_cleanup_free_ char *path = path_of(sc, name, ".json");
	_cleanup_json_ json_object *o = NULL;

	if (sw_json_load(path, &o, ret_error) < 0)
		fail_msg("%s: %s %s", at_line, ret_error->what, ret_error->why);
	if (!sw_json_get(o, "error"))
		return TAKE_PTR(o);
	sw_error_from_json(sw_json_get(o, "error"), ret_error);
	return NULL;
}

/* What a look or a switch found. */
static void do_switch(struct sw_script *sc, const char *name)
{
	struct sw_error err = { 0 };
	_cleanup_json_ json_object *o = said_by_job(sc, name, &err);

	if (o)
		sw_state_got_switch(sc->state, o);
	else
		sw_state_switch_failed(sc->state, &err);
}

/* What looking at the disk to be wiped found, or what the wipe's report says. */
static void do_wipe(struct sw_script *sc, const char *name)
{
	struct sw_error err = { 0 };
	_cleanup_json_ json_object *o = said_by_job(sc, name, &err);

	if (o)
		sw_state_got_wipe(sc->state, o);
	else
		sw_state_wipe_failed(sc->state, &err);
}

static void do_doctor(struct sw_script *sc, const char *name)
{
	struct sw_error err = { 0 };
	_cleanup_json_ json_object *o = said_by_job(sc, name, &err);

	if (o)
		sw_state_got_doctor(sc->state, o);
	else
		sw_state_doctor_failed(sc->state, &err);
	serve(sc);
}

/* "status NAME", "network NAME", "reach NAME", "preflight NAME", "nettest NAME": what it found. */
static bool do_look(struct sw_script *sc, const char *kind, const char *name)
{
	static const char *const kinds[SW_N_LOOKS] = {
		[SW_LOOK_STATUS] = "status", [SW_LOOK_NETWORK] = "network",
		[SW_LOOK_REACH] = "reach", [SW_LOOK_PREFLIGHT] = "preflight",
		[SW_LOOK_NETTEST] = "nettest",
		[SW_LOOK_RESTART] = "restart",
		[SW_LOOK_ADMIT] = "admit", [SW_LOOK_TOOL] = "tool",
		[SW_LOOK_TOOL_DO] = "tool-do",
	};
	struct sw_error err = { 0 };

	for (size_t i = 0; i < SW_N_LOOKS; i++) {
		_cleanup_json_ json_object *o = NULL;

		if (strcmp(kinds[i], kind) != 0)
			continue;
		o = said_by_job(sc, name, &err);
		if (o)
			sw_state_got_look(sc->state, (enum sw_look_kind)i, o);
		else
			sw_state_look_failed(sc->state, (enum sw_look_kind)i, &err);
		serve(sc);
		return true;
	}
	return false;
}

static void do_event(struct sw_script *sc, const char *text)
{
	_cleanup_json_ json_object *o = NULL;
	struct sw_error err = { 0 };
	struct sw_event ev;

	if (sw_json_parse(text, strlen(text), "event", &o, &err) < 0 ||
	    sw_event_from_json(o, &ev) < 0)
		fail_msg("%s: no event", at_line);
	(void)sw_state_event(sc->state, &ev);
}

/* What a terminal in plain mode would be sent now. */
static void say(struct sw_script *sc, bool answered)
{
	_cleanup_page_ struct sw_page page = { 0 };

	assert_int_equal(sw_plain_page(sc->state, &page), 0);
	assert_int_equal(sw_plain_news(&sc->seen, &page, answered, &sc->said), 0);
}

static void do_line(struct sw_script *sc, const char *text)
{
	say(sc, false);
	assert_int_equal(sw_buf_addf(&sc->said, "%s\n", text), 0);
	if (!sw_plain_line(sc->state, text))
		sw_plain_help(sc->state, &sc->said);
	serve(sc);
	say(sc, true);
}

static void do_asked(struct sw_script *sc, const char *what)
{
	say(sc, false);
	if (!strstr(sw_buf_text(&sc->seen.question), what))
		fail_msg("%s: it asks: %s", at_line, sw_buf_text(&sc->seen.question));
}

/* What was made by hand is what the file makes: the same bytes. */
static void do_plan_of(struct sw_script *sc, const char *name)
{
	_cleanup_free_ char *path = path_of(sc, name, ".yaml");
	_cleanup_answers_ struct sw_answers *a = NULL;
	_cleanup_plan_ struct sw_plan *p = NULL;
	_cleanup_json_ json_object *is = NULL, *wanted = NULL;
	struct sw_error err = { 0 };

	if (sw_answers_read(path, &a, &err) == 0)
		p = make_plan(sc, a, &err);
	if (!p)
		fail_msg("%s: %s %s", at_line, err.what, err.why);
	assert_non_null(sc->state->plan);
	is = sw_plan_to_json(sc->state->plan);
	wanted = sw_plan_to_json(p);
	assert_string_equal(json_object_to_json_string(is), json_object_to_json_string(wanted));
}

static struct {
	size_t frames, golden;
	double clocks;
} drawn;

void sw_script_tell_frames(void)
{
	if (drawn.frames)
		print_message("# %zu frames, %zu of them golden, %.3f ms each\n", drawn.frames,
			      drawn.golden, drawn.clocks * 1000 / CLOCKS_PER_SEC /
			      (double)drawn.frames);
}

/* The frame, then where the cursor stands and whether the bell rang. */
static char *frame_text(struct sw_script *sc)
{
	_cleanup_frame_ struct sw_frame *f = sw_frame_new(sc->rows, sc->cols);
	_cleanup_free_ char *text = NULL;
	clock_t start = clock();

	assert_non_null(f);
	sw_view_draw(sc->state, f);
	drawn.clocks += (double)(clock() - start);
	drawn.frames++;
	text = sw_frame_text(f);
	assert_non_null(text);
	return sw_fmt("%s[cursor %u,%u%s]\n", text, f->cur_row, f->cur_col,
		      sc->state->bell ? ", bell" : "");
}

static void compare(struct sw_script *sc, const char *name, const char *text)
{
	_cleanup_free_ char *path = path_of(sc, name, ".txt");
	_cleanup_buf_ struct sw_buf golden = { 0 };

	if (getenv("SW_UPDATE_SCREENS")) {
		assert_int_equal(sw_file_write(path, text, strlen(text), 0644), 0);
		return;
	}
	if (sw_file_read(path, &golden) < 0)
		fail_msg("%s: %s cannot be read", at_line, path);
	if (strcmp(sw_buf_text(&golden), text) != 0)
		fail_msg("%s: the screen is not %s:\n%s", at_line, path, text);
}

static void dump_at(struct sw_script *sc, const char *name, unsigned int rows, unsigned int cols)
{
	_cleanup_free_ char *text = NULL;

	sc->rows = rows;
	sc->cols = cols;
	text = frame_text(sc);
	drawn.golden++;
	compare(sc, name, text);
}

/* At its size; a screen of 80x24 on a large and on a small terminal too. */
static void do_dump(struct sw_script *sc, const char *name)
{
	unsigned int rows = sc->rows, cols = sc->cols;
	_cleanup_free_ char *large = sw_fmt("132x43/%s", name), *small = sw_fmt("60x20/%s", name);
	_cleanup_free_ char *again = NULL;

	dump_at(sc, name, rows, cols);
	if (rows != 24 || cols != 80)
		return;
	dump_at(sc, large, 43, 132);
	dump_at(sc, small, 20, 60);
	/* What scrolled there does not stay so here. */
	sc->rows = rows;
	sc->cols = cols;
	again = frame_text(sc);
}

static void do_said(struct sw_script *sc, const char *name)
{
	say(sc, false);
	compare(sc, name, sw_buf_text(&sc->said));
	sw_buf_clear(&sc->said);
}

static void do_see(struct sw_script *sc, const char *what, bool expected)
{
	_cleanup_free_ char *text = frame_text(sc);

	if ((strstr(text, what) != NULL) != expected)
		fail_msg("%s: the screen is\n%s", at_line, text);
}

static void do_want(struct sw_script *sc, const char *name)
{
	static const struct {
		const char *name;
		uint64_t want;
	} names[] = {
		{ "apply", SW_WANT_APPLY }, { "resume", SW_WANT_RESUME },
		{ "undo", SW_WANT_UNDO }, { "cancel", SW_WANT_CANCEL }, { "save", SW_WANT_SAVE },
		{ "pause", SW_WANT_PAUSE }, { "tell", SW_WANT_TELL },
		{ "reboot", SW_WANT_REBOOT }, { "off", SW_WANT_POWEROFF },
		{ "switch", SW_WANT_SWITCH }, { "switch-set", SW_WANT_SWITCH_SET },
		{ "wipe-plan", SW_WANT_WIPE_PLAN }, { "wipe", SW_WANT_WIPE },
		{ "report", SW_WANT_WIPE_REPORT },
		{ "doctor", SW_WANT_DOCTOR }, { "doctor-stop", SW_WANT_DOCTOR_STOP },
		{ "tool-stop", SW_WANT_TOOL_STOP }, { "tool-do-stop", SW_WANT_TOOL_DO_STOP },
		{ "doctor-repair", SW_WANT_DOCTOR_REPAIR },
		{ "doctor-repair-stop", SW_WANT_DOCTOR_REPAIR_STOP },
		{ "doctor-undo", SW_WANT_DOCTOR_UNDO },
		{ "status", SW_WANT_STATUS }, { "network", SW_WANT_NETWORK },
		{ "reach", SW_WANT_REACH }, { "preflight", SW_WANT_PREFLIGHT },
		{ "nettest", SW_WANT_NETTEST },
		{ "restart-look", SW_WANT_RESTART }, { "restart-to", SW_WANT_RESTART_TO },
		{ "admit", SW_WANT_ADMIT }, { "tool", SW_WANT_TOOL },
		{ "tool-do", SW_WANT_TOOL_DO },
		{ "shell", SW_WANT_SHELL },
		{ "state-shell", SW_WANT_STATE_SHELL }, { "nothing", 0 },
	};
	uint64_t want = 0, all = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		all |= names[i].want;
		if (strcmp(names[i].name, name) == 0)
			want = names[i].want;
	}
	/* Exactly this, and it is used up. */
	if ((sc->wants & all) != want)
		fail_msg("%s: wanted is %#llx", at_line,
			 (unsigned long long)(sc->wants & all));
	sc->wants = 0;
}

static void do_answers(struct sw_script *sc, const char *name)
{
	_cleanup_free_ char *path = path_of(sc, name, "");
	struct sw_error err = { 0 };

	if (sw_answers_read(path, &sc->answers, &err) < 0)
		fail_msg("%s: %s %s", at_line, err.what, err.why);
}

static int number(const char *arg)
{
	int v = 0;

	if (sscanf(arg, "%d", &v) != 1)
		fail_msg("%s: no number", at_line);
	return v;
}

/* "told tool EVENT", "told tool-do EVENT", "told doctor EVENT": what a job says while it works. */
static void do_told(struct sw_script *sc, const char *arg)
{
	const char *event = strchr(arg, ' ');
	enum sw_job_kind kind = strncmp(arg, "doctor ", 7) == 0 ? SW_JOB_DOCTOR
				: strncmp(arg, "tool-do ", 8) == 0 ? SW_JOB_TOOL_DO : SW_JOB_TOOL;

	assert_non_null(event);
	sw_job_told(kind, event + 1, strlen(event + 1), sc->state);
	serve(sc);
}

/* Words that drive; false: not one of these. */
static bool drive(struct sw_script *sc, const char *word, char *arg)
{
	if (strcmp(word, "keys") == 0)
		do_keys(sc, arg);
	else if (strcmp(word, "type") == 0)
		do_type(sc, arg);
	else if (strcmp(word, "line") == 0)
		do_line(sc, arg);
	else if (strcmp(word, "event") == 0)
		do_event(sc, arg);
	else if (strcmp(word, "told") == 0)
		do_told(sc, arg);
	else if (strcmp(word, "wipe") == 0)
		do_wipe(sc, arg);
	else if (strcmp(word, "switch") == 0)
		do_switch(sc, arg);
	else if (strcmp(word, "doctor") == 0)
		do_doctor(sc, arg);
	else if (strcmp(word, "ended") == 0)
		sw_state_ended(sc->state, number(arg)), serve(sc);
	else if (strcmp(word, "tick") == 0)
		(void)sw_state_tick(sc->state, sc->now_ms += number(arg)), serve(sc);
	else if (strcmp(word, "journal") == 0)
		do_journal(sc, arg);
	else if (strcmp(word, "open") == 0)
		do_open(sc, NULL, NULL);
	else
		return do_look(sc, word, arg);
	return true;
}

struct wanted {
	const char *key;
	const char *found;
};

static int note_answer(const char *key, const struct sw_field *f SW_UNUSED, const char *text,
		       void *arg)
{
	struct wanted *w = arg;

	if (strcmp(key, w->key) == 0)
		w->found = strdup(text);
	return 0;
}

/* "KEY TEXT", or KEY alone: it is not set. */
static void do_answer(struct sw_script *sc, char *arg)
{
	char *text = strchr(arg, ' ');
	struct wanted w = { .key = arg };

	if (text)
		*text++ = '\0';
	assert_int_equal(sw_answers_each(sc->state->answers, note_answer, &w), 0);
	if (!w.found != !text || (text && strcmp(w.found, text) != 0))
		fail_msg("%s: it is %s", at_line, w.found ? w.found : "not set");
	free((char *)w.found);
}

/* The screen and the page of lines, whatever they say. */
static void look(struct sw_script *sc)
{
	_cleanup_free_ char *text = frame_text(sc), *plain = NULL;
	_cleanup_page_ struct sw_page page = { 0 };

	assert_int_equal(sw_plain_page(sc->state, &page), 0);
	sw_plain_help(sc->state, &page.body);
	plain = sw_fmt("%s\n%s%s\n%s\n", sw_buf_text(&page.title), sw_buf_text(&page.body),
		       sw_buf_text(&page.notice), sw_buf_text(&page.question));
	assert_non_null(plain);
	sw_script_look(at_line, text, plain);
}

/* What asks for English words. */
static bool is_comparison(const char *word)
{
	static const char *const words[] = { "dump", "said", "asked", "see", "hide", "at-most" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(word, words[i]) == 0)
			return true;
	return false;
}

static void prepare_or_check(struct sw_script *sc, const char *word, char *arg)
{
	if (strcmp(word, "facts") == 0) {
		free(sc->facts);
		sc->facts = path_of(sc, arg, "");
	} else if (strcmp(word, "answers") == 0) {
		do_answers(sc, arg);
	} else if (strcmp(word, "layouts") == 0) {
		snprintf(sc->layouts, sizeof(sc->layouts), "%s", arg);
	} else if (strcmp(word, "settled") == 0) {
		sc->unsettled = strcmp(arg, "yes") != 0;
	} else if (strcmp(word, "unattended") == 0) {
		sc->unattended = true;
		snprintf(sc->countdown, sizeof(sc->countdown), "%s", arg);
	} else if (strcmp(word, "utf8") == 0) {
		sc->state->pen_utf8 = strcmp(arg, "yes") == 0;
	} else if (strcmp(word, "shell") == 0) {
		sc->no_shell = strcmp(arg, "yes") != 0;
	} else if (strcmp(word, "size") == 0) {
		assert_int_equal(sscanf(arg, "%u %u", &sc->rows, &sc->cols), 2);
	} else if (strcmp(word, "dump") == 0) {
		do_dump(sc, arg);
	} else if (strcmp(word, "said") == 0) {
		do_said(sc, arg);
	} else if (strcmp(word, "asked") == 0) {
		do_asked(sc, arg);
	} else if (strcmp(word, "plan-of") == 0) {
		do_plan_of(sc, arg);
	} else if (strcmp(word, "see") == 0 || strcmp(word, "hide") == 0) {
		do_see(sc, arg, word[0] == 's');
	} else if (strcmp(word, "answer") == 0) {
		do_answer(sc, arg);
	} else if (strcmp(word, "want") == 0) {
		do_want(sc, arg);
	} else if (strcmp(word, "at-most") == 0) {
		if (sc->keys > (unsigned int)number(arg))
			fail_msg("%s: %u keys", at_line, sc->keys);
	} else {
		fail_msg("%s: unknown word", at_line);
	}
}

void sw_script_run(const char *dir, const char *name)
{
	struct sw_script sc = { .dir = dir, .rows = 24, .cols = 80 };
	_cleanup_free_ char *path = path_of(&sc, name, ".keys");
	_cleanup_buf_ struct sw_buf text = { 0 };
	char *save = NULL;

	sw_text_init();
	if (sw_file_read(path, &text) < 0)
		fail_msg("%s cannot be read", path);
	for (char *l = strtok_r((char *)text.data, "\n", &save); l;
	     l = strtok_r(NULL, "\n", &save)) {
		_cleanup_free_ char *copy = sw_fmt("%s: %s", name, l);
		char *arg = strchrnul(l, ' ');

		if (*l == '#' || *l == '\0')
			continue;
		at_line = copy;
		if (*arg)
			*arg++ = '\0';
		if (sw_script_look && is_comparison(l))
			look(&sc);
		else if (!drive(&sc, l, arg))
			prepare_or_check(&sc, l, arg);
	}
	sw_page_clear(&sc.seen);
	sw_buf_clear(&sc.said);
	sw_state_free(sc.state);
	sw_answers_free(sc.answers);
	free(sc.facts);
}
