/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runner: takes the lock, checks the binding, and carries the steps out one
 * after the other, each journalled before and after.
 */
#include "apply/run.h"

#include <signal.h>
#include <string.h>

#include "apply/undo-copy.h"
#include "base/file.h"
#include "base/json.h"
#include "boot/lastfail.h"
#include "boot/nodevar.h"
#include "tpm/identity.h"

static const sw_step_fn step_fns[] = {
	[SW_STEP_FETCH] = sw_step_fetch,       [SW_STEP_IMAGE] = sw_step_image,
	[SW_STEP_KEYS] = sw_step_keys,
	[SW_STEP_JOURNAL] = NULL, /* the runner's own */
	[SW_STEP_SLOT] = sw_step_slot,	       [SW_STEP_BLANK] = sw_step_blank,
	[SW_STEP_NODE_DATA] = sw_step_node_data, [SW_STEP_FORMAT] = sw_step_format,
	[SW_STEP_TABLE] = sw_step_table,       [SW_STEP_ASIDE] = sw_step_aside,
	[SW_STEP_ENTRIES] = sw_step_entries,
	[SW_STEP_VERIFY] = sw_step_verify,
};

static void run_clear(struct sw_run *run)
{
	if (run->work)
		(void)sw_remove_tree(run->work);
	free(run->work);
	free(run->kernel);
	free(run->initrd);
	free(run->uki);
	free(run->image);
	sw_buf_clear(&run->signatures);
	free(run->rescue);
	free(run->ipxe);
	free(run->ca_file);
	sw_run_clear_keys(run);
	sw_run_clear_host_key(run);
	json_object_put(run->site_secrets);
	sw_slot_manifest_clear(&run->manifest);
	if (run->vars)
		json_object_put(run->vars);
	sw_run_close_disks(run);
	free(run->disks);
}

/* The system disk's last: without it, nothing else has been written anywhere. */
static int start_journal(struct sw_run *run, struct sw_error *err)
{
	int r = 0;

	if (run->resumed)
		return 0;
	if (run->p->answers->undo_copy && *run->p->answers->undo_copy)
		r = sw_undo_copy_make(run, run->p->answers->undo_copy, err);
	for (size_t k = sw_plan_journals(run->p); k-- > 0 && r == 0;)
		r = sw_journal_create(run->disks[k].io, run->p, k, run->vars,
				      &run->disks[k].journal, err);
	run->changed = r == 0;
	return r;
}

static int note(struct sw_run *run, enum sw_record_kind kind, struct sw_error *err)
{
	int r;

	if (!run->changed)
		return 0;
	r = sw_run_note(run, kind, run->step);
	if (r < 0)
		sw_fail_errno(err, SW_EXIT_DIRTY, r, "the journal cannot be continued");
	return r;
}

static void announce(struct sw_run *run, const struct sw_step *s, enum sw_event_type type, int r)
{
	struct sw_event ev = { .type = type,
			       .step = run->step,
			       .steps = (unsigned int)run->p->n_steps,
			       .weight = s->weight,
			       .result = r };

	(void)snprintf(ev.id, sizeof(ev.id), "%s", sw_step_kind_name(s->kind));
	(void)snprintf(ev.text, sizeof(ev.text), "%s", s->title);
	sw_event_emit(run->sink, &ev);
}

static int run_step(struct sw_run *run, const struct sw_step *s, struct sw_error *err)
{
	int r = sw_event_poll(run->sink);

	if (r < 0) {
		sw_fail(err, SW_EXIT_CANCELLED, r, "cancelled before: %s", s->title);
		return r;
	}
	/* Recorded before it is told: what a console shows is never ahead of the journal. */
	r = note(run, SW_RECORD_START, err);
	announce(run, s, SW_EVENT_START, 0);
	if (r == 0)
		r = s->kind == SW_STEP_JOURNAL ? start_journal(run, err)
					       : step_fns[s->kind](run, s, err);
	if (r == 0)
		r = note(run, SW_RECORD_FINISH, err);
	announce(run, s, SW_EVENT_FINISH, r);
	return r;
}

/* After the first write every failure is one that must be resumed or undone, and says so. */
static void mark_dirty(struct sw_run *run, struct sw_error *err)
{
	if (!err || !run->changed)
		return;
	err->exit = SW_EXIT_DIRTY;
	err->hint[0] = '\0';
	sw_error_hint(err, "stopped at step %u of %zu; `slipway resume` finishes the install, "
			   "`slipway undo` brings the old %sboot entries back",
		      run->step, run->p->n_steps, run->p->n_disks ? "partition table and " : "");
}

static int run_steps(struct sw_run *run, struct sw_error *err)
{
	struct sw_event ev = { .type = SW_EVENT_PLAN, .steps = (unsigned int)run->p->n_steps };
	int r = 0;

	(void)snprintf(ev.text, sizeof(ev.text), "%s",
		       run->resumed ? "Resuming the install" : "Installing");
	sw_event_emit(run->sink, &ev);
	run->changed = run->resumed;
	for (size_t i = 0; i < run->p->n_steps && r == 0; i++) {
		run->step = (unsigned int)i + 1;
		r = run_step(run, &run->p->steps[i], err);
	}
	if (r == 0)
		r = note(run, SW_RECORD_DONE, err);
	if (r < 0)
		mark_dirty(run, err);
	return r;
}

/* A killed install leaves its work files behind, and on a medium they are memory. */
static void clear_dead_work(const char *run_dir)
{
	_cleanup_closedir_ DIR *d = opendir(run_dir);

	for (struct dirent *e; d && (e = readdir(d));) {
		_cleanup_free_ char *path = sw_fmt("%s/%s", run_dir, e->d_name);
		int pid;

		if (path && sscanf(e->d_name, "work.%d.", &pid) == 1 && pid > 0 &&
		    kill(pid, 0) < 0 && errno == ESRCH)
			(void)sw_remove_tree(path);
	}
}

static int open_work(struct sw_run *run, struct sw_error *err)
{
	_cleanup_free_ char *t = sw_fmt("%s/work.%d.XXXXXX", run->m->run_dir, getpid());

	if (!t)
		return sw_fail_oom(err);
	clear_dead_work(run->m->run_dir);
	if (sw_mkdir_all(run->m->run_dir, 0700) < 0 || !mkdtemp(t))
		return sw_fail_errno(err, SW_EXIT_FAILED, -errno, "no work directory in %s",
				     run->m->run_dir);
	run->work = TAKE_PTR(t);
	return 0;
}

static int snapshot_vars(struct sw_run *run, struct sw_error *err)
{
	static const char *const own[] = { SW_MODE_VARIABLE, SW_NODE_VARIABLE };
	struct sw_varstore *vars = NULL;
	struct sw_error ignored = {};
	int r;

	if (run->vars || sw_machine_vars(run->m, &vars, &ignored) < 0)
		return 0;
	r = sw_entries_snapshot(vars, &run->vars, err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(own); i++) {
		_cleanup_free_ char *hex = sw_own_variable_hex(vars, own[i]);

		if (hex)
			sw_json_add_str(run->vars, own[i], hex);
	}
	return r;
}

static int execute(struct sw_run *run, unsigned int started, struct sw_error *err)
{
	const struct sw_disk *disks[SW_PLAN_MAX_DISKS] = {};
	_cleanup_facts_ struct sw_facts *f = NULL;
	int r = sw_run_check_keys(run, err);

	if (r == 0)
		r = sw_run_open_disks(run, started, &f, disks, err);
	if (r == 0)
		run->secure_boot = f->secure_boot;
	if (r == 0 && run->resumed)
		r = sw_run_reopen_journals(run, err);
	if (r == 0)
		r = sw_run_keep_escrow(run, err);
	if (r == 0)
		r = snapshot_vars(run, err);
	if (r == 0)
		r = open_work(run, err);
	if (r == 0)
		r = run_steps(run, err);
	/* The locks go first: udev waits for them, and settling waits for udev. */
	sw_run_close_disks(run);
	for (size_t k = 0; f && k < run->p->n_disks && run->changed; k++)
		(void)sw_machine_settle(run->m, disks[k]);
	return r;
}

static const char *how_it_ended(const struct sw_run *run, int r)
{
	if (r < 0)
		return "The install failed";
	if (run->degraded)
		return "Installed; the firmware refused the boot entries, so the node boots by the "
		       "fallback path";
	return "Installed";
}

/* By which its server, or its TPM's seals, know the node. That it cannot be told is no failure. */
static void tell_node_id(const struct sw_run *run, char node_id[static 65])
{
	bool asked = sw_answers_admission(run->p->answers, SW_ADMISSION_ATTEST) ||
		     sw_plan_seals(run->p);
	_cleanup_ek_ struct sw_ek ek = {};
	struct sw_error ignored = {};
	const char *tcti = NULL;

	if (asked && sw_machine_tcti(run->m, &tcti, &ignored) == 0 &&
	    sw_tpm_ek(tcti, false, &ek, &ignored) == 0)
		(void)snprintf(node_id, 65, "%s", ek.id);
}

/* The public half of the one that was made or taken over, or NULL. */
static const char *host_key(const struct sw_run *run)
{
	return run->host_key.public ? run->host_key.public
				    : sw_json_str(run->p->kept_secrets, "ssh_host_key", NULL);
}

static int execute_and_report(struct sw_run *run, unsigned int started, struct sw_error *err)
{
	struct sw_error mine = {};
	struct sw_event done = { .type = SW_EVENT_DONE };

	done.result = execute(run, started, &mine);
	done.steps = (unsigned int)run->p->n_steps;
	done.step = run->step;
	done.error = mine;
	if (done.result == 0)
		(void)snprintf(done.image, sizeof(done.image), "%s", run->manifest.sha256);
	else
		sw_failure_code(run->step ? sw_step_kind_name(run->p->steps[run->step - 1].kind)
					  : "start", &mine, done.code);
	if (done.result == 0)
		tell_node_id(run, done.node_id);
	if (done.result == 0 && host_key(run))
		(void)sw_trust_fingerprint(host_key(run), done.ssh_host_key);
	if (done.result == 0 && run->escrow)
		(void)snprintf(done.escrow, sizeof(done.escrow), "%s", run->escrow);
	(void)snprintf(done.text, sizeof(done.text), "%s", how_it_ended(run, done.result));
	sw_event_emit(run->sink, &done);
	run_clear(run);
	if (err && done.result < 0)
		*err = mine;
	return done.result;
}

int sw_apply_run(struct sw_machine *m, struct sw_plan *p, const struct sw_sink *sink,
		 struct sw_error *err)
{
	struct sw_run run = { .m = m, .p = p, .sink = sink };

	return execute_and_report(&run, 0, err);
}

int sw_apply_resume(struct sw_machine *m, const struct sw_journal_info *info,
		    const struct sw_sink *sink, struct sw_error *err)
{
	struct sw_run run = { .m = m, .p = info->plan, .sink = sink, .resumed = true };

	if (info->alone)
		return sw_journal_refuse_alone(info, err);
	if (info->state != SW_JOURNAL_RUNNING || info->owed) {
		sw_fail(err, SW_EXIT_REFUSED, -EALREADY, "there is nothing to resume");
		sw_error_why(err, "the last install on %s %s", info->disk_name,
			     info->state == SW_JOURNAL_DONE ? "is complete" : "was undone");
		return -EALREADY;
	}
	return execute_and_report(&run, info->undoing ? info->steps : info->step, err);
}
