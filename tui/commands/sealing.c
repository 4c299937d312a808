/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/commands/sealing.h"

#include <fcntl.h>
#include <string.h>
#include <termios.h>

#include "base/file.h"
#include "disk/luks.h"
#include "disk/recovery.h"

#define LINE_MAX_LEN 512U

/* ---- what is typed ---- */

/*
 * One line into locked memory, not shown: nor is what is typed before the question has come.
 * The terminal is as it was when this returns.
 */
static int read_hidden(int tty, const char *question, struct sw_secret **ret_line,
		       struct sw_error *err)
{
	_cleanup_secret_ struct sw_secret *line = NULL;
	struct termios was, quiet;
	size_t n = 0;
	int r = sw_secret_new(LINE_MAX_LEN, &line, err);

	if (r < 0 || tcgetattr(tty, &was) < 0)
		return r < 0 ? r : sw_fail_errno(err, SW_EXIT_FAILED, -errno, "no terminal");
	quiet = was;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
	(void)tcsetattr(tty, TCSAFLUSH, &quiet);
	(void)sw_fd_write_all(tty, question, strlen(question));
	while (n < line->len && read(tty, line->data + n, 1) == 1 && line->data[n] != '\n')
		n++;
	(void)tcsetattr(tty, TCSAFLUSH, &was);
	(void)sw_fd_write_all(tty, "\n", 1);
	if (n == 0 || n == line->len)
		return sw_fail(err, SW_EXIT_CANCELLED, -ECANCELED, "nothing was typed, or too "
								   "much; nothing was changed");
	line->len = n;
	*ret_line = TAKE_PTR(line);
	return 0;
}

int sw_ask_hidden(const char *question, struct sw_secret **ret_line, struct sw_error *err)
{
	_cleanup_close_ int tty = -EBADF;

	if (sw_is_interactive())
		tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
	/* A console's terminal need not be the one that its session belongs to. */
	if (tty < 0 && sw_is_interactive())
		tty = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	return tty < 0 ? -ENOKEY : read_hidden(tty, question, ret_line, err);
}

static int ask_for_key(const char *label, struct sw_secret **ret_line, struct sw_error *err)
{
	_cleanup_free_ char *question = sw_fmt("Recovery key of %s (it is not shown): ", label);
	int r = question ? sw_ask_hidden(question, ret_line, err) : sw_fail_oom(err);

	if (r != -ENOKEY)
		return r;
	sw_fail(err, SW_EXIT_USAGE, r, "where is the recovery key of %s?", label);
	sw_error_hint(err, "type it at a terminal, or give --key-file FILE or --key-fd N");
	return r;
}

static int read_fd(const char *text, struct sw_secret **ret_key, struct sw_error *err)
{
	char *end;
	long fd = strtol(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || fd > 65535)
		return sw_fail(err, SW_EXIT_USAGE, -EINVAL,
			       "--key-fd takes the number of a file descriptor");
	return sw_secret_read_fd((int)fd, "what --key-fd names", SW_LUKS_KEY_FILE_MAX, ret_key,
				 err);
}

int sw_operator_key(const char *file, const char *fd, const char *label,
		    struct sw_secret **ret_key, struct sw_error *err)
{
	_cleanup_secret_ struct sw_secret *given = NULL;
	int r;

	if (file)
		r = sw_secret_read(file, SW_LUKS_KEY_FILE_MAX, &given, err);
	else if (fd)
		r = read_fd(fd, &given, err);
	else
		r = ask_for_key(label, &given, err);
	return r < 0 ? r : sw_recovery_passphrase(given, ret_key, err);
}

/* ---- what is given out ---- */

static int would_be_seen(struct sw_error *err)
{
	sw_fail(err, SW_EXIT_USAGE, -EINVAL, "the secret would be shown here");
	sw_error_hint(err, "--out FILE writes it to a file that only you can read, or send the "
			   "output to a program");
	return -EINVAL;
}

int sw_secret_check_output(const struct sw_cli *cli, const char *file, struct sw_error *err)
{
	if (file)
		return 0;
	if (cli->json) {
		sw_fail(err, SW_EXIT_USAGE, -EINVAL, "no secret goes into JSON");
		sw_error_hint(err, "give --out FILE");
		return -EINVAL;
	}
	return isatty(STDOUT_FILENO) ? would_be_seen(err) : 0;
}

/* Never through a buffer of the C library's. */
int sw_secret_give(const struct sw_secret *s, const char *file, struct sw_error *err)
{
	int r = file ? sw_file_write(file, s->data, s->len, 0600)
		     : sw_fd_write_all(STDOUT_FILENO, s->data, s->len);

	if (r < 0) {
		sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot write the secret");
		sw_error_where(err, "%s", file ? file : "standard output");
	}
	return r;
}

/* ---- what is sealed to ---- */

int sw_aim_find(const struct sw_target *t, const char *disk, const char *image, bool present,
		struct sw_aim *a, struct sw_error *err)
{
	return sw_rescue_aim(t->m, t->f, t->vars, disk, image, present, a, err);
}
