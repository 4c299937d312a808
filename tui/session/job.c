/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/session/job.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "answers/proxy.h"
#include "answers/rest.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/secret.h"
#include "boot/entries.h"
#include "boot/old-node.h"
#include "boot/restart.h"
#include "boot/varstore.h"
#include "machine/shell.h"
#include "stack/stack.h"
#include "tui/session/admit-job.h"
#include "tui/session/doctor-job.h"
#include "tui/session/look-job.h"
#include "tui/session/switch-job.h"
#include "tui/session/tool-job.h"

/* ---- in the child ---- */

static json_object *journal_to_json(const struct sw_journal_info *j)
{
	json_object *o = json_object_new_object();

	json_object_object_add(o, "state", json_object_new_int((int)j->state));
	json_object_object_add(o, "step", json_object_new_int((int)j->step));
	json_object_object_add(o, "steps", json_object_new_int((int)j->steps));
	json_object_object_add(o, "time", json_object_new_int64(j->time));
	sw_json_add_bool(o, "undoing", j->undoing);
	sw_json_add_str(o, "disk", j->disk_name);
	sw_json_add_str(o, "title", j->step_title);
	sw_json_add_str(o, "alone", j->alone);
	sw_json_add_u64(o, "absent", j->absent);
	sw_json_add_u64(o, "names_away", j->names_away);
	sw_json_add_u64(o, "owed", j->owed);
	if (j->plan)
		sw_json_add(o, "plan", sw_plan_to_json(j->plan));
	if (j->vars)
		sw_json_add(o, "vars", json_object_get(j->vars));
	return o;
}

static int do_facts(struct sw_machine *m, json_object *out, struct sw_error *err)
{
	_cleanup_facts_ struct sw_facts *f = NULL;
	struct sw_journal_info *infos = NULL;
	struct sw_error ignored = { 0 };
	json_object *list = json_object_new_array();
	size_t n = 0;
	int r = sw_machine_facts(m, &f, err);

	sw_json_add_bool(out, "settled", sw_machine_is_settled(m));
	sw_json_add(out, "journals", list);
	if (r < 0)
		return r;
	sw_json_add(out, "facts", sw_facts_to_json(f));
	/* A journal that cannot be read must not hide the machine. */
	if (sw_journal_scan(m, f, &infos, &n, &ignored) < 0)
		return 0;
	for (size_t i = 0; i < n; i++)
		json_object_array_add(list, journal_to_json(&infos[i]));
	sw_journal_infos_free(infos, n);
	return 0;
}

static int do_plan(struct sw_machine *m, const struct sw_state *s, json_object *out,
		   struct sw_error *err)
{
	_cleanup_facts_ struct sw_facts *fresh = NULL;
	const struct sw_facts *f = s->facts;
	_cleanup_plan_ struct sw_plan *p = NULL;
	_cleanup_json_ json_object *vars = NULL, *old = NULL;
	struct sw_layout *layout = NULL;
	int r = sw_answers_validate(s->answers, NULL, err);

	if (r == 0 && !f) {
		r = sw_machine_facts(m, &fresh, err);
		f = fresh;
	}
	if (r == 0)
		r = sw_layout_find(sw_answers_layout(s->answers), &layout, err);
	if (r == 0 && m->kind != SW_MACHINE_CAPTURED)
		r = sw_entries_of_machine(m, f, &vars, err);
	if (r == 0)
		r = sw_old_nodes(m, f, &old, err);
	if (r == 0)
		r = sw_plan_build(f, vars, old, s->answers, layout, &p, err);
	if (r == 0)
		sw_json_add(out, "plan", sw_plan_to_json(p));
	sw_layout_free(layout);
	return r;
}

static int do_wipe_plan(struct sw_machine *m, const struct sw_state *s, json_object *out,
			struct sw_error *err)
{
	const struct sw_wipe_options o = { .method = s->wipe.method };
	const struct sw_disk *d = sw_state_wipe_disk(s);
	_cleanup_wipe_plan_ struct sw_wipe_plan *p = NULL;
	_cleanup_free_ char *text = NULL;
	int r = d ? sw_wipe_plan(m, s->facts, d, &o, &p, err)
		  : sw_fail(err, SW_EXIT_REFUSED, -ESTALE, "the disk is gone, or another by now");

	if (r < 0)
		return r;
	text = sw_wipe_plan_text(p);
	if (!text)
		return sw_fail_oom(err);
	sw_json_add_str(out, "text", text);
	sw_json_add_str(out, "confirm", p->confirm);
	return 0;
}

static int do_wipe_report(struct sw_machine *m, const struct sw_state *s, json_object *out,
			  struct sw_error *err)
{
	_cleanup_free_ char *path = sw_wipe_report_path(m, s->wipe.disk ? s->wipe.disk : "");
	json_object *report = NULL;
	int r = path ? sw_json_load(path, &report, err) : sw_fail_oom(err);

	if (r == 0)
		sw_json_add(out, "report", report);
	return r;
}

static void note_line(const struct sw_event *ev, void *lines)
{
	if (ev->type == SW_EVENT_LOG)
		json_object_array_add(lines, json_object_new_string(ev->text));
}

static int do_tell(struct sw_machine *m, const struct sw_state *s, json_object *out)
{
	json_object *lines = json_object_new_array();
	const struct sw_sink sink = { .fn = note_line, .userdata = lines };
	const struct sw_failed_start plan = { .step = SW_FAILED_PLAN, .error = &s->failure,
					      .keep = true };
	const struct sw_failed_start answers = { .step = SW_FAILED_ANSWERS, .error = &s->failure,
						 .keep = true,
						 .lines = s->rest ? s->rest->errors : NULL };

	sw_json_add(out, "lines", lines);
	if (s->rest)
		sw_apply_failed(m, s->rest->answers, &answers, &sink);
	else
		sw_apply_failed(m, s->answers, &plan, &sink);
	return 0;
}

static int do_waits(struct sw_machine *m, const struct sw_state *s, json_object *out)
{
	json_object *lines = json_object_new_array();
	const struct sw_sink sink = { .fn = note_line, .userdata = lines };

	sw_json_add(out, "lines", lines);
	sw_apply_waits(m, s->answers, s->asked.keys, s->asked.told > 1, s->asked.result, &sink);
	return 0;
}

static int do_restart_to(struct sw_machine *m, int to, struct sw_error *err)
{
	struct sw_varstore *vars = NULL;
	int r;

	if (to == SW_RESTART_MEMTEST)
		return sw_restart_memtest(m, err);
	if (to != SW_RESTART_SETUP)
		return sw_restart_entry(m, (uint16_t)to, err);
	r = sw_machine_vars(m, &vars, err);
	return r < 0 ? r : sw_restart_setup(vars, true, err);
}

static int do_save(const struct sw_state *s, struct sw_error *err)
{
	int r = sw_file_write(s->save_path, s->save_text, strlen(s->save_text), 0600);

	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "%s cannot be written", s->save_path);
	return 0;
}

/* While it works: an event as a line of its own, before the result, which has no line end. */
static void tell(const struct sw_event *ev, void *userdata SW_UNUSED)
{
	_cleanup_json_ json_object *o = sw_event_to_json(ev);
	_cleanup_free_ char *line =
		sw_fmt("%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));

	if (line)
		(void)sw_fd_write_all(3, line, strlen(line));
}

static volatile sig_atomic_t asked_to_stop;

static void on_stop(int sig SW_UNUSED)
{
	asked_to_stop = 1;
}

static bool shall_stop(void *userdata SW_UNUSED)
{
	return asked_to_stop;
}

static const struct sw_sink told = { .fn = tell, .cancelled = shall_stop };

/* Those that look at this machine alone need no proxy, and no login for one. */
static bool goes_out(enum sw_job_kind kind)
{
	return kind == SW_JOB_REACH || kind == SW_JOB_PREFLIGHT || kind == SW_JOB_NETTEST ||
	       kind == SW_JOB_ADMIT || kind == SW_JOB_TOOL_DO;
}

static int do_look(enum sw_job_kind kind, struct sw_machine *m, const struct sw_state *s,
		   json_object *out, struct sw_error *err)
{
	int r = goes_out(kind) ? sw_answers_use_proxy(s->answers, m, err) : 0;

	if (r < 0)
		return r;
	if (kind == SW_JOB_PREFLIGHT)
		return sw_preflight_job(m, s->answers, out, err);
	if (kind == SW_JOB_ADMIT)
		return sw_admit_job(m, s->answers, s->tokens, out, err);
	if (kind == SW_JOB_NETTEST)
		return sw_nettest_job(m, s->answers, out, err);
	if (kind == SW_JOB_TOOL)
		return sw_tool_look(m, s->tool.look, s->tool.passphrase, &told, out, err);
	if (kind == SW_JOB_TOOL_DO)
		return sw_tool_do(m, s->tool.todo, s->tool.passphrase, &told, out, err);
	return sw_look_job(m, sw_job_look(kind), s->reach_url, out, err);
}

/* Whether the finding that is repaired is one that servers told of. */
static bool was_asked(const struct sw_state *s)
{
	json_object *list = s->doctor ? sw_json_array(s->doctor, "findings") : NULL;

	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		json_object *fi = json_object_array_get_idx(list, i);

		if (strcmp(sw_json_str(fi, "id", ""), s->doctor_arg) == 0)
			return sw_json_bool(fi, "asked", false);
	}
	return false;
}

static int do_doctor(enum sw_job_kind kind, struct sw_machine *m, const struct sw_state *s,
		     json_object *out, struct sw_error *err)
{
	const struct sw_doctor_image image = { .what = s->doctor_image,
					       .ca = s->answers->payload_ca };
	struct sw_doctor_ask ask = { .image = &image, .open = s->doctor_open,
				     .key = s->doctor_key };

	if (kind == SW_JOB_DOCTOR) {
		ask.task = s->doctor_servers ? SW_DOCTOR_SERVERS : SW_DOCTOR_LOOK;
	} else if (kind == SW_JOB_DOCTOR_REPAIR) {
		ask.task = SW_DOCTOR_REPAIR;
		ask.arg = s->doctor_arg;
		ask.given = s->doctor_given;
		ask.servers = was_asked(s);
	} else {
		ask.task = SW_DOCTOR_UNDO;
		ask.arg = s->doctor_arg;
		ask.image = NULL;
	}
	return sw_doctor_job(m, &ask, &told, out, err);
}

static void run_child(const struct sw_job *j, struct sw_machine *m, const struct sw_state *s)
{
	_cleanup_json_ json_object *out = json_object_new_object();
	struct sw_error err = { 0 };
	const char *text;
	int r;

	switch (j->kind) {
	case SW_JOB_FACTS:
		r = do_facts(m, out, &err);
		break;
	case SW_JOB_PLAN:
		r = do_plan(m, s, out, &err);
		break;
	case SW_JOB_SWITCH:
		r = sw_switch_job(m, NULL, out, &err);
		break;
	case SW_JOB_SWITCH_SET:
		r = sw_switch_job(m, s->boot_choice, out, &err);
		break;
	case SW_JOB_WIPE_PLAN:
		r = do_wipe_plan(m, s, out, &err);
		break;
	case SW_JOB_WIPE_REPORT:
		r = do_wipe_report(m, s, out, &err);
		break;
	case SW_JOB_DOCTOR:
	case SW_JOB_DOCTOR_REPAIR:
	case SW_JOB_DOCTOR_UNDO:
		r = do_doctor(j->kind, m, s, out, &err);
		break;
	case SW_JOB_RESTART_TO:
		r = do_restart_to(m, s->restart_to, &err);
		break;
	case SW_JOB_SHELL:
		r = sw_stack_close(m, NULL, &err);	/* the TPM may have opened it */
		if (r == 0)
			r = sw_shell_prepare(m, &err);
		break;
	case SW_JOB_TELL:
		r = do_tell(m, s, out);
		break;
	case SW_JOB_WAITS:
		r = do_waits(m, s, out);
		break;
	default:
		r = sw_job_is_look(j->kind) ? do_look(j->kind, m, s, out, &err)
					    : do_save(s, &err);
		break;
	}
	if (r < 0) {
		(void)sw_fail_errno(&err, SW_EXIT_INTERNAL, r, "it failed");
		sw_json_add(out, "error", sw_error_to_json(&err));
		json_object_object_add(out, "errno", json_object_new_int(r));
	}
	text = json_object_to_json_string_ext(out, JSON_C_TO_STRING_PLAIN);
	(void)sw_fd_write_all(3, text, strlen(text));
}

/* Nothing of the session may stay open here, or its viewers would not see it end. */
static void enter_child(struct sw_machine *m, enum sw_job_kind kind, int fd)
{
	sigset_t none;

	/* Its own group, so that what it runs ends with it. */
	(void)setpgid(0, 0);
	m->vars = sw_varstore_close(m->vars);
	(void)dup2(fd, 3);
	(void)fcntl(3, F_SETFD, FD_CLOEXEC);
	(void)close_range(4, ~0U, 0);
	(void)prctl(PR_SET_NAME, "slipway-job");
	sw_scratch_sign();
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	sw_secret_guard();
	/* What writes leaves nothing half done; all else can be ended anywhere. */
	(void)signal(SIGTERM, kind == SW_JOB_TOOL_DO || kind == SW_JOB_DOCTOR_REPAIR ? on_stop
										   : SIG_DFL);
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGCHLD, SIG_DFL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* ---- in the session ---- */

/* Its number is not another's before it is waited for: what is removed is its own. */
static void remove_what_it_left(pid_t pid)
{
	siginfo_t info = { 0 };

	while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR)
		;
	if (info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED)
		sw_scratch_sweep(pid);
}

void sw_job_stop(struct sw_job *j)
{
	if (j->pid > 0) {
		(void)kill(-j->pid, SIGKILL);
		(void)kill(j->pid, SIGKILL);	/* where it has not come to have a group yet */
		remove_what_it_left(j->pid);
		while (waitpid(j->pid, NULL, 0) < 0 && errno == EINTR)
			;
		close(j->fd);
	}
	j->pid = 0;
	j->fd = -EBADF;
	sw_buf_clear(&j->out);
}

void sw_job_ask_to_stop(struct sw_job *j)
{
	if (j->pid > 0)
		(void)kill(j->pid, SIGTERM);
}

int sw_job_start(struct sw_job *j, struct sw_machine *m, const struct sw_state *s,
		 struct sw_error *err)
{
	int fds[2];
	pid_t pid;

	sw_job_stop(j);
	if (pipe2(fds, O_CLOEXEC) < 0)
		return sw_fail_errno(err, SW_EXIT_INTERNAL, -errno, "no pipe could be made");
	pid = fork();
	if (pid == 0) {
		enter_child(m, j->kind, fds[1]);
		run_child(j, m, s);
		sw_machine_free(m);
		_exit(0);
	}
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		return sw_fail_errno(err, SW_EXIT_INTERNAL, -errno, "no process could be started");
	}
	(void)setpgid(pid, pid);
	(void)fcntl(fds[0], F_SETFL, O_NONBLOCK);
	j->pid = pid;
	j->fd = fds[0];
	return 0;
}

/* True when there was something to tell. */
static bool take_told(struct sw_job *j, struct sw_state *s)
{
	const char *text = (const char *)j->out.data, *end;
	size_t at = 0;

	while (at < j->out.len && (end = memchr(text + at, '\n', j->out.len - at))) {
		sw_job_told(j->kind, text + at, (size_t)(end - text) - at, s);
		at = (size_t)(end - text) + 1;
	}
	if (at) {
		memmove(j->out.data, j->out.data + at, j->out.len - at);
		j->out.len -= at;
		j->out.data[j->out.len] = '\0';
	}
	return at > 0;
}

bool sw_job_read(struct sw_job *j, struct sw_state *s)
{
	struct sw_buf out;
	char data[16384];
	ssize_t n;
	bool told_any;

	while ((n = read(j->fd, data, sizeof(data))) > 0)
		if (sw_buf_add(&j->out, data, (size_t)n) < 0)
			break;
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		n = 0;
	told_any = take_told(j, s);
	if (n < 0)
		return told_any;
	out = j->out;
	j->out = (struct sw_buf){ 0 };
	sw_job_stop(j);
	sw_job_deliver(j->kind, sw_buf_text(&out), out.len, s);
	sw_buf_clear(&out);
	return true;
}

static int journal_from_json(json_object *o, struct sw_journal_info *info)
{
	json_object *plan = sw_json_get(o, "plan"), *vars = sw_json_get(o, "vars");
	struct sw_error ignored = { 0 };

	info->state = (enum sw_journal_state)sw_json_int(o, "state", SW_JOURNAL_NONE);
	info->step = (unsigned int)sw_json_int(o, "step", 0);
	info->steps = (unsigned int)sw_json_int(o, "steps", 0);
	info->time = sw_json_int(o, "time", 0);
	info->undoing = sw_json_bool(o, "undoing", false);
	info->disk_name = sw_json_dup(o, "disk");
	info->step_title = sw_json_dup(o, "title");
	info->alone = sw_json_dup(o, "alone");
	info->absent = sw_json_u64(o, "absent", 0);
	info->names_away = sw_json_u64(o, "names_away", 0);
	info->owed = sw_json_u64(o, "owed", 0);
	info->vars = vars ? json_object_get(vars) : NULL;
	return plan ? sw_plan_from_json(plan, &info->plan, &ignored) : 0;
}

static void deliver_facts(json_object *o, struct sw_state *s)
{
	json_object *list = sw_json_array(o, "journals"), *facts = sw_json_get(o, "facts");
	size_t n = list ? json_object_array_length(list) : 0;
	struct sw_journal_info *infos = calloc(n + 1, sizeof(*infos));
	struct sw_facts *f = NULL;
	struct sw_error err = { 0 };

	if (!infos)
		(void)sw_fail_oom(&err);
	else if (!facts)
		(void)sw_fail(&err, SW_EXIT_INTERNAL, -EIO, "reading it was cut short");
	else
		(void)sw_facts_from_json(facts, "facts", &f, &err);
	if (!f) {
		free(infos);
		sw_state_facts_failed(s, &err);
		return;
	}
	s->settled = sw_json_bool(o, "settled", true);
	for (size_t i = 0; i < n; i++)
		(void)journal_from_json(json_object_array_get_idx(list, i), &infos[i]);
	sw_state_got_facts(s, f, infos, n);
}

static void deliver_plan(json_object *o, struct sw_state *s)
{
	json_object *plan = sw_json_get(o, "plan");
	struct sw_error err = { 0 };
	struct sw_plan *p = NULL;

	if (plan)
		(void)sw_plan_from_json(plan, &p, &err);
	if (p) {
		sw_state_got_plan(s, p);
		return;
	}
	(void)sw_fail(&err, SW_EXIT_INTERNAL, -EIO, "planning was cut short");
	sw_state_plan_failed(s, &err);
}

enum sw_look_kind sw_job_look(enum sw_job_kind kind)
{
	_Static_assert(SW_JOB_TOOL_DO - SW_JOB_STATUS + 1 == SW_N_LOOKS, "a job for each look");

	return (enum sw_look_kind)(kind - SW_JOB_STATUS);
}

static void deliver_error(enum sw_job_kind kind, const struct sw_error *err, struct sw_state *s)
{
	switch (kind) {
	case SW_JOB_FACTS:
		sw_state_facts_failed(s, err);
		break;
	case SW_JOB_PLAN:
		sw_state_plan_failed(s, err);
		break;
	case SW_JOB_SWITCH:
	case SW_JOB_SWITCH_SET:
		sw_state_switch_failed(s, err);
		break;
	case SW_JOB_WIPE_PLAN:
		sw_state_wipe_failed(s, err);
		break;
	case SW_JOB_WIPE_REPORT:
		break;	/* it says itself that there is none */
	case SW_JOB_DOCTOR:
	case SW_JOB_DOCTOR_REPAIR:
	case SW_JOB_DOCTOR_UNDO:
		sw_state_doctor_failed(s, err);
		break;
	case SW_JOB_STATUS:
	case SW_JOB_NETWORK:
	case SW_JOB_REACH:
	case SW_JOB_PREFLIGHT:
	case SW_JOB_NETTEST:
	case SW_JOB_RESTART:
	case SW_JOB_ADMIT:
	case SW_JOB_TOOL:
	case SW_JOB_TOOL_DO:
		sw_state_look_failed(s, sw_job_look(kind), err);
		break;
	case SW_JOB_RESTART_TO:
		sw_state_refuse(s, "No restart: %s: %s", err->what, err->why);
		break;
	case SW_JOB_SHELL:
		sw_state_refuse(s, "No shell: %s: %s", err->what, err->why);
		break;
	case SW_JOB_TELL:
		sw_state_told(s);	/* the failure itself is what is on the screen */
		break;
	case SW_JOB_WAITS:
		sw_state_wait_told(s);
		break;
	default:
		sw_state_refuse(s, "Not saved: %s: %s", err->what, err->why);
		break;
	}
}

static void deliver_lines(json_object *lines, struct sw_state *s)
{
	if (!lines || json_object_array_length(lines) == 0)
		return;
	if (!s->run.log && sw_progress_begin(&s->run, NULL) < 0)
		return;
	for (size_t i = 0; i < json_object_array_length(lines); i++)
		sw_progress_log(&s->run, sw_wall_ms(),
				json_object_get_string(json_object_array_get_idx(lines, i)));
	sw_view_refresh(s);
}

void sw_job_told(enum sw_job_kind kind, const char *line, size_t len, struct sw_state *s)
{
	_cleanup_json_ json_object *o = NULL;
	struct sw_error ignored = { 0 };
	struct sw_event ev;

	if (sw_json_parse(line, len, "event", &o, &ignored) < 0 || sw_event_from_json(o, &ev) < 0)
		return;
	if (kind >= SW_JOB_DOCTOR && kind <= SW_JOB_DOCTOR_UNDO)
		sw_state_doctor_told(s, &ev);
	else if (sw_job_is_look(kind))
		sw_state_look_told(s, sw_job_look(kind), &ev);
}

void sw_job_deliver(enum sw_job_kind kind, const char *out, size_t len, struct sw_state *s)
{
	_cleanup_json_ json_object *o = NULL;
	struct sw_error err = { 0 };

	if (sw_json_parse(out, len, "result", &o, &err) < 0) {
		err = (struct sw_error){ 0 };
		(void)sw_fail(&err, SW_EXIT_INTERNAL, -EIO, "the helper process died");
		sw_error_hint(&err, "Try again; if it dies again, this is a bug in slipway");
		deliver_error(kind, &err, s);
	} else if (sw_json_get(o, "error")) {
		sw_error_from_json(sw_json_get(o, "error"), &err);
		err.r = (int)sw_json_int(o, "errno", err.r);
		deliver_error(kind, &err, s);
	} else if (kind == SW_JOB_FACTS) {
		deliver_facts(o, s);
	} else if (kind == SW_JOB_PLAN) {
		deliver_plan(o, s);
	} else if (kind == SW_JOB_SWITCH || kind == SW_JOB_SWITCH_SET) {
		sw_state_got_switch(s, o);
	} else if (kind == SW_JOB_WIPE_PLAN || kind == SW_JOB_WIPE_REPORT) {
		sw_state_got_wipe(s, o);
	} else if (kind >= SW_JOB_DOCTOR && kind <= SW_JOB_DOCTOR_UNDO) {
		sw_state_got_doctor(s, o);
	} else if (sw_job_is_look(kind)) {
		sw_state_got_look(s, sw_job_look(kind), o);
	} else if (kind == SW_JOB_TELL) {
		sw_state_told(s);
		deliver_lines(sw_json_array(o, "lines"), s);
	} else if (kind == SW_JOB_WAITS) {
		sw_state_wait_told(s);
		deliver_lines(sw_json_array(o, "lines"), s);
	} else if (kind == SW_JOB_RESTART_TO) {
		s->want |= SW_WANT_REBOOT;
	} else if (kind == SW_JOB_SHELL) {
		s->want |= SW_WANT_SHELL_OPEN;
	} else {
		sw_state_notice(s, "Saved as %s", s->save_path);
	}
}
