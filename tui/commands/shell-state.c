/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A shell in the node's state, on this terminal. All that it says goes to standard error: the
 * shell's own output stays its own.
 */
#include "tui/commands/shell-state.h"

#include <signal.h>
#include <string.h>

#include "base/catalogue.h"
#include "base/file.h"
#include "base/text.h"
#include "rescue/inside.h"
#include "tui/commands/common.h"
#include "tui/commands/sealing.h"
#include "tui/commands/wrap.h"

#define TRIES 3		/* at a recovery key that is typed */

static volatile sig_atomic_t stop;

static void on_signal(int sig SW_UNUSED)
{
	stop = 1;
}

/* ---- the key ---- */

static int nothing_opens(const struct sw_error *tpm, struct sw_error *err)
{
	sw_fail(err, SW_EXIT_MISSING, -ENOKEY, "nothing opens the encrypted state");
	sw_error_why(err, "the TPM: %.200s", sw_error_reason(tpm));
	sw_error_hint(err, "type its recovery key at a terminal, or give it with --key-file FILE "
			   "or --key-fd N; where it is in escrow, fetch it first");
	return -ENOKEY;
}

static int by_key(struct sw_cli *cli, struct sw_inside *i, struct sw_error *err)
{
	_cleanup_secret_ struct sw_secret *key = NULL;
	int r = sw_operator_key(sw_arg(&cli->args, SW_SHELL_KEY_FILE),
				sw_arg(&cli->args, SW_SHELL_KEY_FD), SW_INSIDE_LABEL, &key, err);

	return r < 0 ? r : sw_inside_unlock(i, key, err);
}

static int ask(struct sw_cli *cli, struct sw_inside *i, const struct sw_error *tpm,
	       struct sw_error *err)
{
	int r = -EPERM;

	if (!sw_is_interactive())
		return nothing_opens(tpm, err);
	fprintf(stderr, _("The TPM does not open it: %s.\n"), sw_error_reason(tpm));
	for (unsigned int n = 1; r == -EPERM && n <= TRIES; n++) {
		*err = (struct sw_error){};
		r = by_key(cli, i, err);
		if (r == -EPERM && n < TRIES)
			fprintf(stderr, "%s.\n", err->what);
	}
	if (r == 0)
		fputs(_("The recovery key opens it.\n"), stderr);
	return r;
}

/* -EPERM: the TPM has no key that opens it, and tpm says why. */
static int by_tpm(struct sw_inside *i, struct sw_error *tpm, struct sw_error *err)
{
	_cleanup_secret_ struct sw_secret *key = NULL;
	int r;

	if (sw_inside_ask_tpm(i, &key, tpm) < 0)
		return -EPERM;
	r = sw_inside_unlock(i, key, tpm);
	if (r < 0 && r != -EPERM)
		*err = *tpm;
	if (r == 0)
		fputs(_("The TPM opens it.\n"), stderr);
	return r;
}

/* Before the TPM's keys are given up: after that it opens nothing. */
static int unlock(struct sw_cli *cli, struct sw_inside *i, struct sw_error *err)
{
	struct sw_error tpm = {};
	int r;

	if (!i->encrypted)
		return sw_inside_unlock(i, NULL, err);
	if (sw_arg(&cli->args, SW_SHELL_KEY_FILE) || sw_arg(&cli->args, SW_SHELL_KEY_FD))
		return by_key(cli, i, err);
	r = by_tpm(i, &tpm, err);
	return r == -EPERM ? ask(cli, i, &tpm, err) : r;
}

/* ---- what is said ---- */

static int say_before(const struct sw_inside *i)
{
	_cleanup_buf_ struct sw_buf b = {};
	int r = sw_inside_text(i, &b);

	if (r == 0)
		r = sw_buf_adds(&b, "\n");
	if (r == 0)
		sw_print_wrapped(stderr, sw_buf_text(&b));
	return r;
}

static void say_ready(const struct sw_inside *i)
{
	_cleanup_free_ char *place = NULL;

	fprintf(stderr, i->write ? _("Opened for writing.\n") : _("Opened read-only.\n"));
	if (i->root)
		fputs(_("It holds a system of its own: the shell is that system's, in a chroot.\n"),
		      stderr);
	else
		place = sw_fmt(_("It holds no system that could run a shell: this is the shell of "
				 "the system that slipway runs on, and the state is in %s.\n"),
			       i->place);
	if (place)
		sw_print_wrapped(stderr, place);
	fputs(_("'exit' closes it.\n"), stderr);
}

static void say_after(const struct sw_inside *i)
{
	if (i->cut)
		fputs(_("The shell was hung up. "), stderr);
	fputs(i->encrypted ? _("The state is unmounted, and its encryption closed.")
			   : _("The state is unmounted."), stderr);
	fputs(i->write ? "\n" : _(" Nothing was written to it.\n"), stderr);
}

/* ---- all of it ---- */

static void catch_signals(sigset_t *ret_unblocked)
{
	static const int ours[] = { SIGTERM, SIGHUP, SIGINT, SIGQUIT };
	const struct sigaction sa = { .sa_handler = on_signal };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(ours); i++) {
		(void)sigaction(ours[i], &sa, NULL);
		sigaddset(&set, ours[i]);
	}
	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigprocmask(SIG_BLOCK, &set, ret_unblocked);
}

static int run_in(struct sw_cli *cli, struct sw_inside *i, struct sw_error *err)
{
	int tty = isatty(STDIN_FILENO) ? STDIN_FILENO : -1;
	sigset_t unblocked;
	int r = unlock(cli, i, err);

	if (r == 0)
		r = sw_shell_give_up_keys(i->m, err);
	if (r < 0)
		return r;
	catch_signals(&unblocked);
	r = sw_inside_start(i, tty, err);
	if (r < 0)
		return r;
	say_ready(i);
	if (!stop)
		sw_inside_go(i);
	sw_inside_wait(i, tty, &unblocked, &stop);
	return 0;
}

int sw_shell_in_state(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_target_ struct sw_target t = {};
	struct sw_inside i = {};
	int r = sw_cli_needs_disks(cli, "shell --state", err), k;

	if (r == 0)
		r = sw_cli_machine(cli, &t.m, err);
	if (r == 0)
		r = sw_machine_facts(t.m, &t.f, err);
	if (r == 0)
		r = sw_inside_find(t.m, t.f, sw_arg(&cli->args, 'd'),
				   sw_arg(&cli->args, SW_SHELL_WRITE),
				   sw_arg(&cli->args, SW_SHELL_DAMAGED), &i, err);
	if (r < 0)
		return r;
	r = say_before(&i) < 0 ? sw_fail_oom(err) : run_in(cli, &i, err);
	k = sw_inside_close(&i, err);
	if (r == 0 && k == 0)
		say_after(&i);
	return r < 0 ? r : k;
}
