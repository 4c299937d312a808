/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/shell.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"
#include "tpm/seal.h"

/* In the run directory, which is gone after a restart, as is what was extended. */
static char *mark_path(const struct sw_machine *m)
{
	return sw_fmt("%s/shell-opened", m->run_dir);
}

bool sw_shell_exists(void)
{
	return access(SW_SHELL, X_OK) == 0;
}

void sw_shell_take_terminal(int tty)
{
	void (*was)(int) = signal(SIGTTOU, SIG_IGN);

	(void)tcsetpgrp(tty, getpgrp());
	(void)signal(SIGTTOU, was);
}

/* Whether it was begun, and whether it was done. */
static bool read_mark(const struct sw_machine *m, bool *ret_done)
{
	_cleanup_free_ char *path = m->run_dir ? mark_path(m) : NULL, *line = NULL;

	*ret_done = path && sw_file_read_line(path, &line) == 0 && strcmp(line, "done") == 0;
	return path && access(path, F_OK) == 0;
}

/* Held until it is closed: shells of several consoles are opened at once, and one extends. */
static int lock_mark(const struct sw_machine *m)
{
	_cleanup_free_ char *path = sw_fmt("%s/shell-lock", m->run_dir);
	int r = path ? sw_mkdir_all(m->run_dir, 0700) : -ENOMEM, fd;

	if (r < 0)
		return r;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	do
		r = flock(fd, LOCK_EX) < 0 ? -errno : 0;
	while (r == -EINTR);
	if (r < 0)
		close(fd);
	return r < 0 ? r : fd;
}

/* Noted before it is done: of a PCR that may have been extended the worst is believed. */
static int forfeit(struct sw_machine *m, const char *tcti, struct sw_error *err)
{
	_cleanup_free_ char *path = mark_path(m);
	int fd = path ? lock_mark(m) : -ENOMEM, r = fd < 0 ? fd : 0;
	bool done = false;

	if (r == 0)
		(void)read_mark(m, &done);
	if (r == 0 && !done)
		r = sw_file_write(path, "begun\n", 6, 0600);
	if (r == 0 && !done)
		r = sw_tpm_forfeit(tcti, err);
	if (r == 0 && !done)
		r = sw_file_write(path, "done\n", 5, 0600);
	if (fd >= 0)
		close(fd);
	return r < 0 ? sw_fail_errno(err, SW_EXIT_FAILED, r, "the TPM's keys cannot be given up")
		     : 0;
}

int sw_shell_prepare(struct sw_machine *m, struct sw_error *err)
{
	struct sw_error no_tpm = { 0 };
	const char *tcti = NULL;
	bool done;
	int r;

	if (m->kind == SW_MACHINE_CAPTURED)
		return sw_fail(err, SW_EXIT_REFUSED, -EROFS, "captured facts have no shell");
	if (read_mark(m, &done) && done)
		return 0;
	r = sw_machine_tcti(m, &tcti, &no_tpm);
	if (r == -ENOENT)
		return 0;
	if (r < 0) {
		*err = no_tpm;
		return r;
	}
	return forfeit(m, tcti, err);
}

int sw_shell_may_seal(const struct sw_machine *m, struct sw_error *err)
{
	bool done;

	if (!read_mark(m, &done))
		return 0;
	sw_fail(err, SW_EXIT_REFUSED, -EPERM,
		"a rescue shell was opened since this system started");
	sw_error_why(err, "PCR 7 of the TPM was extended then, so a key sealed now would never "
			  "open again");
	sw_error_hint(err, "restart the machine, and seal or install before a shell is opened");
	return -EPERM;
}
