/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `slipway install`: answers in, node out. At a terminal the plan is shown and
 * has to be confirmed; from a script the answer file is the consent, bounded by
 * its wipe rule.
 */
#include "apply/undo-copy.h"

#include <string.h>
#include <strings.h>

#include "answers/sources.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"
#include "payload/payload.h"
#include "tui/commands/answer-file.h"
#include "tui/commands/ask-open.h"
#include "tui/commands/common.h"
#include "tui/commands/list.h"

#define WIDTH 79
#define NETWORK_WAIT 60		/* seconds for a network that is still coming up */

/* rest: what answers that are bad still say. */
static int read_answers(struct sw_cli *cli, struct sw_machine *m, const char *from,
			struct sw_answers **ret_answers, struct sw_rest *rest,
			struct sw_error *err)
{
	const char *sha256 = sw_arg(&cli->args, 's');
	struct sw_answers_source s = {
		.kind = SW_SOURCE_CMDLINE,
		.location = (char *)from,
		.sha256 = (char *)sha256,
		.text = (char *)from,
	};

	if (sha256 && !sw_sha256_is_hex(sha256))
		return sw_fail(err, SW_EXIT_USAGE, -EINVAL, "--sha256 wants 64 hex digits");
	if (strcmp(from, "-") == 0 && sha256)
		return sw_fail(err, SW_EXIT_USAGE, -EINVAL,
			       "--sha256 is for a file or a URL, not for standard input");
	if (!sw_source_is_remote(from) && !sha256)
		return sw_answer_file_read(from, ret_answers, rest, err);
	if (!sha256 && strncasecmp(from, "http://", 7) == 0) {
		sw_fail(err, SW_EXIT_USAGE, -EINVAL, "answers over http need --sha256 HEX");
		sw_error_why(err, "anyone on the wire could answer");
		return -EINVAL;
	}
	return sw_source_read(m, &s, NETWORK_WAIT, NULL, ret_answers, rest, err);
}

/* A person sees the plan and types; a script's consent is the file it gave. */
static int consent(const struct sw_cli *cli, const struct sw_plan *p, struct sw_error *err)
{
	_cleanup_free_ char *text = sw_plan_text(p, WIDTH);

	if (!text)
		return sw_fail_oom(err);
	if (!cli->json)
		printf("%s\n", text);
	fflush(stdout);
	if (sw_arg(&cli->args, 'd') || !sw_is_interactive())
		return 0;
	return sw_confirm_plan(cli, p, err);
}

/* Said on the command line, it counts more than what the file says. */
static int set_undo_copy(const struct sw_cli *cli, struct sw_answers *a, struct sw_error *err)
{
	const char *where = sw_arg(&cli->args, 'u');

	if (!where)
		return 0;
	free(a->undo_copy);
	a->undo_copy = sw_cli_place(where);
	return a->undo_copy ? sw_undo_copy_check(a->undo_copy, err) : sw_fail_oom(err);
}

/*
 * 1 when a script asks for what is there already, which is told: a medium that stays first
 * in the boot order, or a tool that runs at each start, must not install a node again.
 */
static int there_already(const struct sw_cli *cli, const struct sw_target *t,
			 const struct sw_answers *a, struct sw_error *err)
{
	struct sw_journal_info *infos = NULL;
	const struct sw_journal_info *j;
	char when[SW_TIME_TEXT];
	size_t n = 0;
	int r;

	if (cli->yes || sw_arg(&cli->args, 'd') || sw_is_interactive() || cli->facts)
		return 0;
	r = sw_journal_scan(t->m, t->f, &infos, &n, err);
	if (r < 0)
		return r;
	j = sw_journal_installed(infos, n, a);
	if (j)
		(void)fprintf(stderr, "slipway: these answers were installed on %s already, %s: "
			      "nothing was done. --yes, or reinstall: always, installs again.\n",
			      j->disk_name, sw_time_text(j->time, when));
	sw_journal_infos_free(infos, n);
	return j != NULL;
}

static void say(const struct sw_event *ev, void *userdata SW_UNUSED)
{
	if (ev->type == SW_EVENT_LOG)
		(void)fprintf(stderr, "slipway: %s\n", ev->text);
}

/*
 * Whoever is at a terminal reads it there. What is refused writes nothing, not even a note to the
 * firmware: whoever called this is here to see the exit code.
 */
static void tell_failure(const struct sw_cli *cli, struct sw_machine *m, const struct sw_answers *a,
			 const struct sw_failed_start *f)
{
	const struct sw_sink sink = { .fn = say };

	if (!sw_arg(&cli->args, 'd') && !sw_is_interactive() && !cli->facts)
		sw_apply_failed(m, a, f, cli->json ? NULL : &sink);
}

/* Nothing is told where the answers do not say clearly to whom; that is said instead. */
static void tell_bad_answers(const struct sw_cli *cli, struct sw_machine *m, struct sw_rest *rest,
			     const struct sw_error *err)
{
	const struct sw_failed_start f = { .step = SW_FAILED_ANSWERS, .error = err,
					   .lines = rest->errors };
	_cleanup_free_ char *text = NULL;

	sw_rest_settle(rest);
	if (rest->report.r == 0) {
		tell_failure(cli, m, rest->answers, &f);
		return;
	}
	text = sw_error_text(&rest->report);
	if (text && !cli->json)
		(void)fprintf(stderr, "slipway: nobody is told: report cannot be used: %s\n", text);
}

/* Of answers that are right. */
static int tell_no_plan(const struct sw_cli *cli, struct sw_machine *m, const struct sw_answers *a,
			int r, const struct sw_error *err)
{
	const struct sw_failed_start f = { .step = SW_FAILED_PLAN, .error = err };

	tell_failure(cli, m, a, &f);
	return r;
}

static int fill_name(const struct sw_cli *cli, const struct sw_target *t, struct sw_answers *a,
		     struct sw_error *err)
{
	int r = sw_answers_fill_name(t->m, t->f, a, err);

	return r < 0 ? tell_no_plan(cli, t->m, a, r, err) : r;
}

static int run(struct sw_cli *cli, struct sw_error *err)
{
	const char *from = sw_arg(&cli->args, 'a');
	bool no_finish = sw_arg(&cli->args, 'n') != NULL;
	_cleanup_answers_ struct sw_answers *a = NULL;
	_cleanup_rest_ struct sw_rest rest = {};
	_cleanup_target_ struct sw_target t = {};
	_cleanup_plan_ struct sw_plan *p = NULL;
	pid_t pid;
	int fd, r;

	if (!from)
		return sw_fail(err, SW_EXIT_USAGE, -EINVAL,
			       "install: --answers FILE|URL is missing");
	if (cli->facts && !sw_arg(&cli->args, 'd'))
		return sw_fail(err, SW_EXIT_USAGE, -EROFS,
			       "captured facts can be planned on, not installed to");
	r = sw_target_open(cli, &t, err);
	if (r < 0)
		return r;
	r = read_answers(cli, t.m, from, &a, &rest, err);
	if (r < 0) {
		tell_bad_answers(cli, t.m, &rest, err);
		return r;
	}
	r = set_undo_copy(cli, a, err);
	if (r == 0)
		r = fill_name(cli, &t, a, err);
	if (r == 0)
		r = there_already(cli, &t, a, err);
	if (r != 0)
		return r < 0 ? r : 0;
	r = sw_ask_open(a, t.f, err);
	if (r == 0)
		r = sw_target_plan(&t, a, sw_answer_file_name(from), &p, err);
	if (r < 0)
		return tell_no_plan(cli, t.m, a, r, err);
	r = consent(cli, p, err);
	if (r < 0 || sw_arg(&cli->args, 'd'))
		return r;
	r = sw_confirm_recovery(p, err);
	if (r < 0)
		return r;
	r = sw_apply_spawn(t.m, p, &pid, &fd, err);
	if (r == 0)
		r = sw_follow(cli, pid, fd, err);
	if (r < 0)
		return r;
	return sw_finish_run(cli, t.m, p, no_finish, err);
}

static const struct sw_opt opts[] = {
	{ 'a', "answers", "FILE|URL", "the answers; -: standard input" },
	{ 's', "sha256", "HEX", "what the answers must hash to; needed for http" },
	{ 'u', "undo-copy", "WHERE", "as disk.undo-copy in the answers" },
	{ 'd', "dry-run", NULL, "show the plan and stop" },
	{ 'n', "no-finish", NULL, "stay when done, whatever the answers say" },
	{ 0, NULL, NULL, NULL },
};

const struct sw_command sw_command_install = {
	.name = "install",
	.summary = "Install a node from an answer file",
	.operands = "",
	.opts = opts,
	.details = "What the answers leave open (ask) is asked at the terminal first.\n"
		   "At a terminal the plan is shown and the end of the disk's serial has to be\n"
		   "typed, unless --yes is given. From a script the answer file is the consent,\n"
		   "within its wipe rule; what it has installed already is not installed again,\n"
		   "unless --yes is given or the answers say reinstall: always. The install runs\n"
		   "in its own session: losing this terminal does not stop it, ^C asks it to\n"
		   "stop. With --json the events are printed, one a line.",
	.run = run,
};
