/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running the tools that we do not write ourselves (mkfs, mtools, ...): by
 * argv, never a shell, with a clean environment, a time limit and their output
 * captured, so that an error can quote what the tool said.
 */
#pragma once

#include "base/buf.h"
#include "base/error.h"

/*
 * Runs argv[0] (found in PATH) and waits. stdin is /dev/null; stdout and stderr
 * go to ret_output when given (at most 64 KiB are kept). extra_env is a
 * NULL-terminated list of "NAME=value" added to a minimal environment, or NULL.
 * Returns the exit status (0 to 255), or -ENOENT when there is no such program,
 * -ETIMEDOUT after timeout_s seconds (it is killed), -EINTR when a signal ended
 * it, or another -errno.
 */
int sw_proc_run(const char *const *argv, const char *const *extra_env, unsigned int timeout_s,
		struct sw_buf *ret_output);

/* One run with everything that can be said about it. */
struct sw_proc {
	const char *const *argv;	/* as for sw_proc_run() */
	const char *const *extra_env;
	unsigned int timeout_s;
	int stdin_fd;		/* read from its present position; used when input is NULL */
	const void *input;	/* stdin holds these bytes and then ends; NULL: stdin_fd */
	size_t input_len;
	/*
	 * A terminal's name: the program gets a session of its own with this terminal, and
	 * reads from it. NULL: none.
	 */
	const char *terminal;
	/* Told of each line of the output that is kept, when it is whole; or NULL. */
	void (*line)(const char *text, void *userdata);
	void *userdata;
	/* It is over when the program itself ends: what it leaves behind is ended with it. */
	_Bool alone;
};

/*
 * sw_proc_run() with something on stdin. The bytes stand in an anonymous file, so a
 * program that reads none or only some of them blocks nobody. stdin_fd below 0 with
 * no input is /dev/null.
 */
int sw_proc_run_with(const struct sw_proc *p, struct sw_buf *ret_output);

/* sw_proc_run() that turns any non-zero outcome into an error quoting the tool's last line. */
int sw_proc_check(const char *const *argv, const char *const *extra_env, unsigned int timeout_s,
		  struct sw_error *err);

/* True when the program is found in PATH and executable. */
_Bool sw_proc_exists(const char *name);
/* For a child of its own: /dev/null is its standard input, output and error. -errno. */
int sw_proc_silence(void);
