/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A monkey at every screen of a stand-in machine, in process: random keys, pastes, lines of plain
 * mode, sizes and news from the machine. Nothing may crash, every screen must be drawable at every
 * size, and nothing may be wanted that writes to a disk unless the end of its serial number was
 * typed on the confirmation, or the answers were given for an unattended install.
 *
 * A sample of a million keys, and all of them with SLIPWAY_TEST_LONG. SLIPWAY_SEED: from where to
 * begin.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "tui/screens/screens.h"
#include "tui/session/line.h"
#include "tui/session/plain.h"
#include "tui/session/text.h"
#include "tests/lib/tape.h"

#define KEYS 60000ul
#define KEYS_LONG 1000000ul	/* in `make test-all`, where it also runs under sanitizers */
#define WRITES (SW_WANT_APPLY | SW_WANT_RESUME | SW_WANT_UNDO | SW_WANT_WIPE)

static const struct sw_view_ops *const all_screens[] = {
	&sw_screen_start, &sw_screen_countdown, &sw_screen_installed, &sw_screen_wait,
	&sw_screen_journal, &sw_screen_switch, &sw_screen_wipe, &sw_screen_wipe_method,
	&sw_screen_wipe_confirm, &sw_screen_wipe_report, &sw_screen_doctor, &sw_screen_cause,
	&sw_screen_finding, &sw_screen_status, &sw_screen_network, &sw_screen_preflight,
	&sw_screen_network_test,
	&sw_screen_reach, &sw_screen_disk, &sw_screen_details, &sw_screen_layout,
	&sw_screen_no_disk, &sw_screen_more_disks, &sw_screen_payload, &sw_screen_boot,
	&sw_screen_admission, &sw_screen_node, &sw_screen_review, &sw_screen_confirm,
	&sw_screen_recovery, &sw_screen_progress, &sw_screen_result, &sw_screen_log,
	&sw_screen_doing,
	&sw_screen_save, &sw_screen_ask, &sw_screen_help, &sw_screen_about,
	&sw_screen_admitted, &sw_screen_left_open, &sw_screen_restart, &sw_screen_token,
	&sw_screen_undo, &sw_screen_tools, &sw_screen_disks, &sw_screen_partition,
	&sw_screen_unlock, &sw_screen_opened,
	&sw_screen_files, &sw_screen_file, &sw_screen_logs, &sw_screen_one_log, &sw_screen_tpm,
	&sw_screen_hardware, &sw_screen_memory, &sw_screen_config, &sw_screen_bundle, &sw_screen_qr,
	&sw_screen_writing,
	&sw_screen_place, &sw_screen_passphrase, &sw_screen_tool_result, &sw_screen_repair,
	&sw_screen_given, &sw_screen_ping, &sw_screen_offers, &sw_screen_lacks_image,
	&sw_screen_image, &sw_screen_image_source, &sw_screen_image_vouch, &sw_screen_image_hash,
	&sw_screen_inside, &sw_screen_closed_state, &sw_screen_state_key,
	&sw_screen_site, &sw_screen_site_file, &sw_screen_site_secret,
};

struct monkey {
	struct sw_state *s;
	uint64_t random;
	bool may_write;		/* the serial's end was typed */
	unsigned long applies, wipes, shells;
	struct sw_page seen;
	bool visited[ARRAY_SIZE(all_screens)];
};

/* xorshift64*, so that a seed gives the same keys everywhere. */
static uint32_t pick(struct monkey *m, uint32_t n)
{
	m->random ^= m->random >> 12;
	m->random ^= m->random << 25;
	m->random ^= m->random >> 27;
	return (uint32_t)((m->random * 0x2545f4914f6cdd1dULL) >> 33) % n;
}

static json_object *load(const char *path)
{
	json_object *o = NULL;
	struct sw_error err = { 0 };

	if (sw_json_load(path, &o, &err) < 0)
		fail_msg("%s: %s", path, err.what);
	return o;
}

static json_object *load_facts(struct sw_facts **ret_facts)
{
	_cleanup_json_ json_object *o = load("tests/screens/demo.json");
	json_object *vars = json_object_get(sw_json_get(o, "boot_variables"));
	struct sw_error err = { 0 };

	json_object_object_del(o, "boot_variables");
	assert_int_equal(sw_facts_from_json(o, "demo.json", ret_facts, &err), 0);
	return vars;
}

static struct sw_plan *plan_of(const struct sw_answers *a, struct sw_error *err)
{
	struct sw_facts *f = NULL;
	json_object *vars = load_facts(&f);
	struct sw_layout *l = NULL;
	struct sw_plan *p = NULL;

	if (sw_answers_validate(a, NULL, err) == 0 &&
	    sw_layout_find(sw_answers_layout(a), &l, err) == 0)
		(void)sw_plan_build(f, vars, NULL, a, l, &p, err);
	sw_layout_free(l);
	sw_facts_free(f);
	json_object_put(vars);
	return p;
}

/* These answers were installed already. */
static struct sw_journal_info *journal_of(const struct sw_answers *a)
{
	struct sw_journal_info *info = calloc(1, sizeof(*info));
	struct sw_error err = { 0 };

	assert_non_null(info);
	info->plan = plan_of(a, &err);
	if (!info->plan) {
		free(info);
		return NULL;
	}
	info->state = SW_JOURNAL_DONE;
	info->step = info->steps = (unsigned int)info->plan->n_steps;
	info->disk_name = strdup("nvme0n1");
	info->step_title = strdup(info->plan->steps[info->step - 1].title);
	info->time = 1760000000;
	return info;
}

static void give_facts(struct monkey *m)
{
	struct sw_facts *f = NULL;
	struct sw_journal_info *info = pick(m, 4) ? NULL : journal_of(m->s->answers);

	json_object_put(load_facts(&f));
	sw_state_got_facts(m->s, f, info, info != NULL);
}

static void give_plan(struct sw_state *s)
{
	struct sw_error err = { 0 };
	struct sw_plan *p = plan_of(s->answers, &err);

	if (p)
		sw_state_got_plan(s, p);
	else
		sw_state_plan_failed(s, &err);
}

static void give_switch(struct monkey *m)
{
	_cleanup_json_ json_object *o = load(pick(m, 2) ? "tests/screens/switch-local.json"
							: "tests/screens/switch-network.json");

	sw_state_got_switch(m->s, o);
}

static void give_looks(struct monkey *m, uint64_t want)
{
	/* Whatever a tool gets, it lives with it; half of the time it is what it asked for. */
	static const char *const tools[] = { "tests/screens/tool-files.json",
		"tests/screens/tool-logs.json", "tests/screens/tool-config.json",
		"tests/screens/tool-bundle.json", "tests/screens/tool-report.json",
		"tests/screens/tool-part.json", "tests/screens/tool-luks.json",
		"tests/screens/tool-opened.json",
		"tests/screens/tool-all.json", "tests/screens/tool-all.json",
		"tests/screens/tool-all.json", "tests/screens/tool-all.json" };
	const struct {
		uint64_t want;
		const char *found;
	} looks[SW_N_LOOKS] = {
		[SW_LOOK_STATUS] = { SW_WANT_STATUS, "tests/screens/status.json" },
		[SW_LOOK_NETWORK] = { SW_WANT_NETWORK, "tests/screens/network.json" },
		[SW_LOOK_REACH] = { SW_WANT_REACH, "tests/screens/reach-works.json" },
		[SW_LOOK_RESTART] = { SW_WANT_RESTART, "tests/screens/restart.json" },
		/* The second asks for a token. */
		[SW_LOOK_PREFLIGHT] = { SW_WANT_PREFLIGHT, pick(m, 2)
					? "tests/screens/preflight-passes.json"
					: "tests/screens/preflight-two.json" },
		[SW_LOOK_NETTEST] = { SW_WANT_NETTEST, "tests/screens/nettest.json" },
		[SW_LOOK_ADMIT] = { SW_WANT_ADMIT, "tests/screens/admitted.json" },
		[SW_LOOK_TOOL] = { SW_WANT_TOOL, tools[pick(m, ARRAY_SIZE(tools))] },
		[SW_LOOK_TOOL_DO] = { SW_WANT_TOOL_DO, pick(m, 4)
				      ? "tests/screens/tool-written.json"
				      : "tests/screens/tool-imported.json" },
	};
	struct sw_error err = { 0 };

	for (size_t i = 0; i < SW_N_LOOKS; i++) {
		_cleanup_json_ json_object *o = NULL;

		if (!(want & looks[i].want) || (i != SW_LOOK_TOOL_DO && pick(m, 3) == 0))
			continue;
		o = load(looks[i].found);
		if (pick(m, 2)) {
			sw_state_got_look(m->s, (enum sw_look_kind)i, o);
		} else {
			(void)sw_fail(&err, SW_EXIT_NETWORK, -EIO, "it failed");
			sw_state_look_failed(m->s, (enum sw_look_kind)i, &err);
		}
	}
	m->shells += (want & (SW_WANT_SHELL | SW_WANT_STATE_SHELL)) != 0;
}

static void give_doctor(struct monkey *m)
{
	static const char *const found[] = { "tests/screens/doctor-broken.json",
		"tests/screens/doctor-full.json", "tests/screens/doctor-healthy.json",
		"tests/screens/doctor-lost.json", "tests/screens/doctor-closed.json" };
	_cleanup_json_ json_object *o = load(found[pick(m, ARRAY_SIZE(found))]);

	sw_state_got_doctor(m->s, o);
}

static void give_wipe(struct monkey *m, const char *found)
{
	_cleanup_json_ json_object *o = load(found);

	sw_state_got_wipe(m->s, o);
}

static void give_rest(struct monkey *m, uint64_t want)
{
	if (want & (SW_WANT_DOCTOR | SW_WANT_DOCTOR_REPAIR | SW_WANT_DOCTOR_UNDO))
		give_doctor(m);
	if (want & SW_WANT_WIPE_PLAN)
		give_wipe(m, "tests/screens/wipe-plan.json");
	if (want & SW_WANT_WIPE_REPORT)
		give_wipe(m, "tests/screens/wipe-report.json");
	m->wipes += (want & SW_WANT_WIPE) != 0;
}

/* Nobody is there to ask; or somebody has a while to say no. */
static void leave_alone(struct monkey *m)
{
	if (pick(m, 2)) {
		m->s->unattended = true;
		return;
	}
	m->s->countdown_text = strdup("Answers were found.");
	m->s->deadline_ms = 30000;
	m->s->seconds_left = 30;
	sw_view_push(m->s, &sw_screen_countdown);
}

static void open_state(struct monkey *m)
{
	static const char *const files[] = { NULL, "tests/screens/demo.yaml",
					     "tests/screens/unattended.yaml",
					     "tests/screens/left-open.yaml" };
	size_t which = pick(m, ARRAY_SIZE(files));
	const char *file = files[which];
	struct sw_answers *a = NULL;
	struct sw_error err = { 0 };

	if (file)
		assert_int_equal(sw_answers_read(file, &a, &err), 0);
	m->s = sw_state_new(a, "/run/slipway");
	assert_non_null(m->s);
	m->s->can_quit = true;
	m->s->has_shell = true;
	assert_int_equal(sw_layout_find("node", &m->s->layouts[0], &err), 0);
	m->s->n_layouts = 1;
	m->s->settled = pick(m, 2);
	sw_view_push(m->s, &sw_screen_start);
	if (which >= 2)
		leave_alone(m);
}

/* Some runs end well, some badly, and some are told of in between. */
static void work(struct monkey *m)
{
	struct sw_event ev = { .type = SW_EVENT_START, .steps = 9, .step = 1 + pick(m, 9),
			       .now_ms = 1760000000000, .text = "A step" };

	if (m->s->phase != SW_PHASE_RUNNING)
		return;
	if (pick(m, 3) == 0)
		ev.type = SW_EVENT_PROGRESS, ev.done = pick(m, 100), ev.size = 100;
	(void)sw_state_event(m->s, &ev);
	if (pick(m, 40) == 0)
		sw_state_ended(m->s, pick(m, 2) ? 0 : SW_EXIT_DIRTY);
}

/* An unattended install was consented to by whoever wrote its answers. */
static bool may_want(const struct monkey *m, uint64_t writes)
{
	return m->may_write || (writes == SW_WANT_APPLY && m->s->unattended);
}

/* Plays the session. */
static void serve(struct monkey *m)
{
	struct sw_state *s = m->s;

	while (s->want) {
		uint64_t want = s->want;

		s->want = 0;
		if ((want & WRITES) && !may_want(m, want & WRITES))
			fail_msg("wanted without a typed serial: %#llx",
				 (unsigned long long)(want & WRITES));
		if (want & SW_WANT_APPLY)
			m->applies++;
		if (want & SW_WANT_FACTS)
			give_facts(m);
		if (want & SW_WANT_PLAN)
			give_plan(s);
		if (want & (SW_WANT_SWITCH | SW_WANT_SWITCH_SET))
			give_switch(m);
		give_looks(m, want);
		give_rest(m, want);
	}
	m->may_write = false;
}

static bool names_a_disk(const struct sw_plan *p, const char *text)
{
	if (p && p->n_disks == 0)
		return strcasecmp(text, "yes") == 0;
	for (size_t i = 0; p && i < p->n_disks; i++)
		if (p->disks[i].confirm && strcmp(p->disks[i].confirm, text) == 0)
			return true;
	return false;
}

/* What stands on the confirmation, if that is the screen, and counts with the next Enter. */
static bool right_text(const struct sw_state *s, const char *text)
{
	if (s->top && s->top->ops == &sw_screen_wipe_confirm && s->wipe.plan)
		return strcasecmp(text, sw_json_str(s->wipe.plan, "confirm", "")) == 0;
	if (s->top && s->top->ops == &sw_screen_undo && s->journal)
		return names_a_disk(s->journal->plan, text);
	return s->top && s->top->ops == &sw_screen_confirm && names_a_disk(s->plan, text);
}

static void press(struct monkey *m, uint32_t key)
{
	struct sw_widget w = sw_view_widget(m->s->top);

	m->may_write = key == '\r' && w.kind == SW_WIDGET_LINE && right_text(m->s, w.line->text);
	(void)sw_view_key(m->s, key);
	serve(m);
}

static uint32_t random_key(struct monkey *m)
{
	static const uint32_t usual[] = {
		'\r', '\r', '\r', '\t', ' ', SW_KEY_UP, SW_KEY_DOWN, SW_KEY_LEFT, SW_KEY_RIGHT,
		SW_KEY_ESC, '/', 'n', 'd', 's', '?', SW_CTRL('u'), SW_CTRL('x'), 'l', 'r', 'u', 'q',
	};

	if (pick(m, 4))
		return usual[pick(m, ARRAY_SIZE(usual))];
	return pick(m, 3) ? pick(m, 0x250) : pick(m, SW_KEY_LAST + 3);
}

static const char *random_text(struct monkey *m)
{
	static const char *const texts[] = {
		"medium:/vmlinuz", "medium:/initrd", "http://boot.example/x", "node-7", "any",
		"7SY", "SYS", "NODE07SYS7", "yes", "/tmp/x.yaml", "\xe4\xb8\xad\xe6\x96\x87",
		"e\xcc\x81",
		"https://attest.example/v1", ":stop", "?", "<", "-", "/sda", "details 2", "99", "1",
		"2", "", "%s%n", "a,b,,c", "\xff\xfe", "[::1]", "0123456789abcdef0123456789abcdef",
		"abcdef.0123456789abcdef",
	};

	return texts[pick(m, ARRAY_SIZE(texts))];
}

static void paste(struct monkey *m)
{
	unsigned int width;

	for (const char *p = random_text(m); *p;)
		press(m, sw_text_next(&p, &width));
}

static void line(struct monkey *m)
{
	_cleanup_page_ struct sw_page page = { 0 };
	_cleanup_buf_ struct sw_buf text = { 0 };
	const char *answer = random_text(m);

	m->may_write = right_text(m->s, answer);
	if (!sw_plain_line(m->s, answer))
		sw_plain_help(m->s, &text);
	serve(m);
	assert_int_equal(sw_plain_page(m->s, &page), 0);
	assert_int_equal(sw_plain_news(&m->seen, &page, true, &text), 0);
}

/* The monkey is handed the right text now and then, so that it gets behind the confirmation. */
static void confirm(struct monkey *m)
{
	const struct sw_plan *p = m->s->plan;
	const char *text = p && p->n_disks ? p->disks[0].confirm : "yes";
	bool wipes = m->s->top->ops == &sw_screen_wipe_confirm && m->s->wipe.plan;

	if (wipes)
		text = sw_json_str(m->s->wipe.plan, "confirm", "");
	else if (m->s->top->ops != &sw_screen_confirm || !p || !text)
		return;
	press(m, SW_CTRL('u'));
	for (const char *c = text; *c; c++)
		press(m, (unsigned char)*c);
	press(m, '\r');
}

/* By its own feet it would hardly ever come far. */
static void jump(struct monkey *m)
{
	static const struct sw_view_ops *const screens[] = {
		&sw_screen_disk, &sw_screen_layout, &sw_screen_more_disks, &sw_screen_payload,
		&sw_screen_boot, &sw_screen_admission, &sw_screen_node, &sw_screen_review,
		&sw_screen_review, &sw_screen_confirm, &sw_screen_switch, &sw_screen_log,
		&sw_screen_help, &sw_screen_about, &sw_screen_journal, &sw_screen_recovery,
		&sw_screen_wipe, &sw_screen_no_disk, &sw_screen_doctor, &sw_screen_status,
		&sw_screen_network, &sw_screen_preflight, &sw_screen_reach, &sw_screen_wipe_method,
		&sw_screen_network_test, &sw_screen_qr,
		&sw_screen_tools, &sw_screen_disks, &sw_screen_config, &sw_screen_bundle,
		&sw_screen_files, &sw_screen_logs, &sw_screen_place, &sw_screen_place,
		&sw_screen_tpm, &sw_screen_hardware, &sw_screen_memory, &sw_screen_one_log,
		&sw_screen_unlock, &sw_screen_opened,
		&sw_screen_partition, &sw_screen_file, &sw_screen_passphrase,
		&sw_screen_ping, &sw_screen_offers, &sw_screen_lacks_image, &sw_screen_inside,
		&sw_screen_site, &sw_screen_site, &sw_screen_site_file, &sw_screen_site_secret,
	};

	if (m->s->phase != SW_PHASE_ASKING)
		return;
	sw_view_only(m->s, screens[pick(m, ARRAY_SIZE(screens))]);
	serve(m);
}

static void draw(struct monkey *m)
{
	static const unsigned int sizes[][2] = { { 24, 80 }, { 43, 132 }, { 20, 60 } };
	const unsigned int *size = sizes[pick(m, 3)];
	_cleanup_frame_ struct sw_frame *f =
		pick(m, 4) ? sw_frame_new(size[0], size[1])
			   : sw_frame_new(1 + pick(m, 60), 1 + pick(m, 140));

	assert_non_null(f);
	sw_view_draw(m->s, f);
	assert_true(f->cur_row < f->rows && f->cur_col < f->cols);
}

static void act(struct monkey *m)
{
	switch (pick(m, 40)) {
	case 0:
		paste(m);
		break;
	case 1:
		line(m);
		break;
	case 2:
		(void)sw_state_tick(m->s, m->s->now_ms + pick(m, 3000));
		break;
	case 3:
		if (m->s->phase == SW_PHASE_ASKING && pick(m, 8) == 0)
			give_facts(m);
		break;
	case 4:
		confirm(m);
		break;
	case 5:
		if (pick(m, 8) == 0)
			jump(m);
		break;
	default:
		press(m, random_key(m));
		break;
	}
	work(m);
	serve(m);
}

static void visit(struct monkey *m)
{
	for (size_t i = 0; i < ARRAY_SIZE(all_screens); i++)
		m->visited[i] |= m->s->top && m->s->top->ops == all_screens[i];
}

/* A sample does not come everywhere; a million keys do. */
static void check_visits(const struct monkey *m, bool all)
{
	size_t missed = 0;

	for (size_t i = 0; i < ARRAY_SIZE(all_screens); i++) {
		if (all && !m->visited[i])
			print_message("# not visited: %s\n", all_screens[i]->title);
		missed += !m->visited[i];
	}
	print_message("# %zu screens, %zu not visited\n", ARRAY_SIZE(all_screens), missed);
	if (all)
		assert_int_equal(missed, 0);
}

static void test_the_monkey_knows_every_screen(void **state SW_UNUSED)
{
	_cleanup_buf_ struct sw_buf header = { 0 };
	size_t n = 0;

	assert_int_equal(sw_file_read("tui/screens/screens.h", &header), 0);
	for (const char *p = sw_buf_text(&header);
	     (p = strstr(p, "\nextern const struct sw_view_ops ")) != NULL; p++)
		n++;
	assert_int_equal(n, ARRAY_SIZE(all_screens));
}

static void test_a_monkey_breaks_nothing_and_writes_nothing(void **state SW_UNUSED)
{
	bool all = getenv("SLIPWAY_TEST_LONG") != NULL;
	unsigned long n = all ? KEYS_LONG : KEYS;
	struct monkey m = { .random = tape_seed() * 2 + 1 };

	for (unsigned long i = 0; i < n; i++) {
		if (!m.s)
			open_state(&m);
		act(&m);
		visit(&m);
		if (pick(&m, 4) == 0)
			draw(&m);
		if (m.s->quit || pick(&m, 5000) == 0) {
			m.s = sw_state_free(m.s);
			sw_page_clear(&m.seen);
		}
	}
	print_message("# %lu keys, %lu installs and %lu wipes were confirmed\n", n, m.applies,
		      m.wipes);
	check_visits(&m, all);
	sw_state_free(m.s);
	sw_page_clear(&m.seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_monkey_knows_every_screen),
		cmocka_unit_test(test_a_monkey_breaks_nothing_and_writes_nothing),
	};

	setenv("SLIPWAY_LAYOUTS", "layouts", 1);
	sw_text_init();
	return cmocka_run_group_tests_name("monkey", tests, NULL, NULL);
}
