/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recovery key at a terminal: shown once, typed back in part, and gone from the screen
 * before the install starts. It goes to the terminal itself and to no stream that could be a
 * file.
 */
#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "disk/recovery.h"
#include "tui/commands/common.h"

#define TRIES 3

static int say(int fd, const char *text)
{
	return sw_fd_write_all(fd, text, strlen(text));
}

/* ttyS0, ttyAMA0, ttyUSB0, hvc0: somebody may keep what runs over the line. */
static bool is_serial(int fd)
{
	char name[64] = "";

	if (ttyname_r(fd, name, sizeof(name)) != 0)
		return false;
	return !strncmp(name, "/dev/ttyS", 9) || !strncmp(name, "/dev/ttyAMA", 11) ||
	       !strncmp(name, "/dev/ttyUSB", 11) || !strncmp(name, "/dev/hvc", 8);
}

/* One line, without what ends it. -ECANCELED at the end of input. The text is wiped after use. */
static int ask(int fd, char *line, size_t max)
{
	size_t n = 0;
	char c;

	while (read(fd, &c, 1) == 1) {
		if (c == '\n' || c == '\r') {
			line[n] = '\0';
			return 0;
		}
		if (n + 1 < max)
			line[n++] = c;
	}
	return -ECANCELED;
}

static void show_groups(int fd, const struct sw_secret *key)
{
	char group[SW_RECOVERY_GROUP + 1], line[64];

	for (unsigned int i = 0; i < SW_RECOVERY_GROUPS; i++) {
		sw_recovery_group(key, i, group);
		(void)snprintf(line, sizeof(line), "%s%u: %s", i % 4 ? "   " : "\n  ", i + 1,
			       group);
		(void)say(fd, line);
	}
	(void)say(fd, "\n\n");
	explicit_bzero(group, sizeof(group));
	explicit_bzero(line, sizeof(line));
}

/* The lines it took are written over; what has scrolled out of a terminal nobody can take back. */
static void hide(int fd)
{
	(void)say(fd, "\033[H\033[2J\033[3J");
}

static int type_back(int fd, const struct sw_secret *key)
{
	char line[256], prompt[96];
	unsigned int n;
	bool ok = false;
	int r = sw_recovery_ask_for(&n);

	for (int i = 0; i < TRIES && r == 0 && !ok; i++) {
		(void)snprintf(prompt, sizeof(prompt), "%sType group %u of it (or all of it): ",
			       i ? "That is not it. " : "", n + 1);
		(void)say(fd, prompt);
		r = ask(fd, line, sizeof(line));
		ok = r == 0 && sw_recovery_matches(key, n, line);
	}
	explicit_bzero(line, sizeof(line));
	return r < 0 ? r : ok ? 0 : -EKEYREJECTED;
}

static int show_and_ask(int fd, const struct sw_secret *key)
{
	char line[16];
	int r;

	(void)say(fd, "\nThe layout encrypts. This recovery key opens the disk when the TPM does "
		      "not.\nIt is shown once. Write it down and keep it away from this "
		      "machine.\n");
	if (is_serial(fd)) {
		(void)say(fd, "\nThis is a serial line: whoever records it has the key. Press "
			      "Enter to show it\nall the same, or ^C and start again at another "
			      "console. ");
		r = ask(fd, line, sizeof(line));
		if (r < 0)
			return r;
	}
	show_groups(fd, key);
	(void)say(fd, "Press Enter when you have written it down; it is then taken off the "
		      "screen. ");
	r = ask(fd, line, sizeof(line));
	hide(fd);
	return r < 0 ? r : type_back(fd, key);
}

int sw_confirm_recovery(struct sw_plan *p, struct sw_error *err)
{
	_cleanup_secret_ struct sw_secret *key = NULL;
	_cleanup_close_ int fd = -EBADF;
	int r;

	if (!sw_plan_awaits_recovery(p))
		return 0;
	if (!sw_is_interactive())
		return sw_plan_nobody_confirms(err);
	fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return sw_plan_nobody_confirms(err);
	r = sw_recovery_new(&key, err);
	if (r < 0)
		return r;
	r = show_and_ask(fd, key);
	if (r < 0) {
		sw_fail(err, SW_EXIT_CANCELLED, -ECANCELED,
			"the recovery key was not typed back; nothing was changed");
		sw_error_hint(err, "start again: another key will be made");
		return -ECANCELED;
	}
	p->recovery = TAKE_PTR(key);
	return 0;
}
