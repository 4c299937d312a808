/* SPDX-License-Identifier: Apache-2.0 */
#include "base/age.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <termios.h>

#include "base/file.h"
#include "base/proc.h"
#include "base/strv.h"

#define AGE_S 120

int sw_passphrase_check(const struct sw_secret *passphrase, struct sw_error *err)
{
	size_t n = passphrase ? passphrase->len : 0;

	for (size_t i = 0; i < n; i++)
		if (passphrase->data[i] < ' ' || passphrase->data[i] == 0x7f) {
			sw_fail(err, SW_EXIT_INVALID, -EINVAL, "this passphrase cannot be used");
			sw_error_why(err, "there is a control character in it");
			sw_error_hint(err, "use what every keyboard has");
			return -EINVAL;
		}
	if (n >= SW_PASSPHRASE_MIN && n <= SW_PASSPHRASE_MAX)
		return 0;
	sw_fail(err, SW_EXIT_INVALID, -EINVAL, "this passphrase cannot be used");
	sw_error_why(err, "it has %zu characters", n);
	sw_error_hint(err, "at least %u, and at most %u; several words do well", SW_PASSPHRASE_MIN,
		      SW_PASSPHRASE_MAX);
	return -EINVAL;
}

/* ---- a terminal that only age sees ---- */

struct terminal {
	int master, slave;
	char *name;
};

static void terminal_close(struct terminal *t)
{
	sw_cleanup_closep(&t->master);
	sw_cleanup_closep(&t->slave);
	free(t->name);
}

static int terminal_open(struct terminal *t)
{
	struct termios quiet;

	t->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (t->master < 0 || grantpt(t->master) < 0 || unlockpt(t->master) < 0)
		return -errno;
	t->name = strdup(ptsname(t->master));
	t->slave = t->name ? open(t->name, O_RDWR | O_NOCTTY | O_CLOEXEC) : -1;
	if (t->slave < 0 || tcgetattr(t->slave, &quiet) < 0)
		return t->name ? -errno : -ENOMEM;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
	return tcsetattr(t->slave, TCSANOW, &quiet) < 0 ? -errno : 0;
}

/* What is typed ahead waits in the terminal until age asks: once, and when it encrypts again. */
static int type_ahead(struct terminal *t, const struct sw_secret *passphrase, unsigned int times)
{
	int r = terminal_open(t);

	for (unsigned int i = 0; r == 0 && i < times; i++) {
		r = sw_fd_write_all(t->master, passphrase->data, passphrase->len);
		if (r == 0)
			r = sw_fd_write_all(t->master, "\n", 1);
	}
	return r;
}

/* ---- running it ---- */

struct run {
	char **argv;
	int in, out;		/* files without a name, which age opens by number */
	struct sw_buf said;
};

static void run_clear(struct run *w)
{
	sw_strv_free(w->argv);
	sw_cleanup_closep(&w->in);
	sw_cleanup_closep(&w->out);
	sw_buf_clear(&w->said);
}

/* Not closed in a program that is started: age opens them as /dev/fd/N. */
static int run_open(struct run *w, const void *data, size_t len)
{
	w->in = memfd_create("slipway-age-in", 0);
	w->out = memfd_create("slipway-age-out", 0);
	if (w->in < 0 || w->out < 0)
		return -errno;
	return sw_fd_write_all(w->in, data, len);
}

static int word(struct run *w, const char *text)
{
	return sw_strv_add(&w->argv, text);
}

static int add_files(struct run *w)
{
	_cleanup_free_ char *in = sw_fmt("/dev/fd/%d", w->in), *out = sw_fmt("/dev/fd/%d", w->out);
	int r = in && out ? word(w, "--output") : -ENOMEM;

	if (r == 0)
		r = word(w, out);
	return r == 0 ? word(w, in) : r;
}

static int run_age(struct run *w, const struct sw_secret *passphrase, unsigned int times)
{
	_cleanup_(terminal_close) struct terminal t = { .master = -EBADF, .slave = -EBADF };
	struct sw_proc p = { .argv = (const char *const *)w->argv, .timeout_s = AGE_S,
			     .stdin_fd = -EBADF };
	int r = add_files(w);

	if (r == 0 && passphrase)
		r = type_ahead(&t, passphrase, times);
	if (r < 0)
		return r;
	p.argv = (const char *const *)w->argv;
	p.terminal = t.name;
	r = sw_proc_run_with(&p, &w->said);
	return r == 0 && lseek(w->out, 0, SEEK_SET) < 0 ? -errno : r;
}

static char *first_line(const struct sw_buf *said)
{
	return strndup(sw_buf_text(said), strcspn(sw_buf_text(said), "\n"));
}

static int no_age(const char *what, struct sw_error *err)
{
	sw_fail(err, SW_EXIT_MISSING, -ENOENT, "%s cannot be encrypted or opened: age is not here",
		what);
	sw_error_hint(err, "Debian's package is age; nothing was written");
	return -ENOENT;
}

static int encrypt_failed(int r, const struct run *w, const char *what, struct sw_error *err)
{
	_cleanup_free_ char *line = first_line(&w->said);

	if (r == -ENOENT)
		return no_age(what, err);
	sw_fail(err, SW_EXIT_USAGE, -EINVAL, "age did not encrypt %s", what);
	sw_error_why(err, "%s", line && line[0] ? line : r < 0 ? strerror(-r) : "it said nothing");
	sw_error_hint(err, "a recipient is age1… or a whole ssh-ed25519 or ssh-rsa public key; "
			   "nothing was written");
	return -EINVAL;
}

int sw_age_encrypt(const void *plain, size_t len, char *const *recipients,
		   const struct sw_secret *passphrase, const char *what, struct sw_buf *out,
		   struct sw_error *err)
{
	_cleanup_(run_clear) struct run w = { .in = -EBADF, .out = -EBADF };
	bool keys = recipients && recipients[0];
	int r = word(&w, "age");

	if (!keys && (r = sw_passphrase_check(passphrase, err)) < 0)
		return r;
	if (r == 0 && !keys)
		r = word(&w, "--passphrase");
	for (char *const *p = recipients; r == 0 && keys && *p; p++) {
		r = word(&w, "--recipient");
		if (r == 0)
			r = word(&w, *p);
	}
	if (r == 0)
		r = run_open(&w, plain, len);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "%s cannot be encrypted", what);
	r = run_age(&w, keys ? NULL : passphrase, 2);
	if (r)
		return encrypt_failed(r, &w, what, err);
	r = sw_fd_read(w.out, out);
	return r < 0 ? sw_fail_errno(err, SW_EXIT_FAILED, r, "%s cannot be encrypted", what) : 0;
}

static int decrypt_failed(int r, const struct run *w, bool by_file, struct sw_error *err)
{
	_cleanup_free_ char *line = first_line(&w->said);

	if (r == -ENOENT)
		return no_age("this", err);
	sw_fail(err, SW_EXIT_INVALID, -EPERM, "age did not open it");
	sw_error_why(err, "%s", line && line[0] ? line : r < 0 ? strerror(-r) : "it said nothing");
	sw_error_hint(err, "%s", by_file ? "give the identity whose public key it was encrypted to"
					 : "type the passphrase that it was saved with");
	return -EPERM;
}

int sw_age_decrypt(const void *cipher, size_t len, const char *identity,
		   const struct sw_secret *passphrase, size_t max, struct sw_secret **ret_plain,
		   struct sw_error *err)
{
	_cleanup_(run_clear) struct run w = { .in = -EBADF, .out = -EBADF };
	int r = word(&w, "age");

	if (!identity && (!passphrase || !passphrase->len))
		return sw_fail(err, SW_EXIT_USAGE, -EINVAL, "there is no key to open it with");
	if (r == 0)
		r = word(&w, "--decrypt");
	if (r == 0 && identity)
		r = word(&w, "--identity");
	if (r == 0 && identity)
		r = word(&w, identity);
	if (r == 0)
		r = run_open(&w, cipher, len);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "it cannot be opened");
	r = run_age(&w, identity ? NULL : passphrase, 1);
	if (r)
		return decrypt_failed(r, &w, identity, err);
	return sw_secret_read_fd(w.out, "what age opened", max, ret_plain, err);
}
