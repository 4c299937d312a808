/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine's clock. A stand-in's is DIR/clock: by how many seconds it is ahead of this
 * system's.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <linux/rtc.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "machine/private.h"

#define AHEAD_MAX_S (200LL * 366 * 86400)

bool sw_machine_sets_clock(const struct sw_machine *m)
{
	return sw_machine_sets_network(m);
}

void sw_standin_clock_read(const struct sw_machine *m)
{
	_cleanup_free_ char *path = sw_fmt("%s/clock", m->dir), *line = NULL;
	long long ahead = 0;

	if (path && sw_file_read_line(path, &line) == 0)
		ahead = strtoll(line, NULL, 10);
	if (ahead > AHEAD_MAX_S || ahead < -AHEAD_MAX_S)
		ahead = 0;
	sw_wall_shift(ahead * 1000);
}

/* Whole seconds are enough for it: rounded, so that a clock set right says 0. */
static int set_standin(const struct sw_machine *m, int64_t ahead_ms)
{
	_cleanup_free_ char *path = sw_fmt("%s/clock", m->dir);
	const int64_t ahead = (ahead_ms + (ahead_ms < 0 ? -500 : 500)) / 1000;
	char text[32];
	int n = snprintf(text, sizeof(text), "%" PRId64 "\n", ahead);

	sw_wall_shift(ahead * 1000);
	return path ? sw_file_write(path, text, (size_t)n, 0644) : -ENOMEM;
}

int64_t sw_machine_rtc(const struct sw_machine *m)
{
	_cleanup_free_ char *path = sw_fmt("%s/class/rtc/rtc0/since_epoch", m->sys_root);
	_cleanup_free_ char *line = NULL;

	if (m->kind != SW_MACHINE_REAL || !path || sw_file_read_line(path, &line) < 0)
		return 0;
	return strtoll(line, NULL, 10);
}

/* rtc(4), in UTC, as Linux has it wherever no other system was before. */
static int set_rtc(const struct sw_machine *m, time_t s)
{
	_cleanup_free_ char *path = sw_fmt("%s/rtc0", m->dev_root);
	_cleanup_close_ int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -ENOMEM;
	struct tm tm;
	struct rtc_time t;

	if (fd < 0)
		return path ? -errno : -ENOMEM;
	if (!gmtime_r(&s, &tm))
		return -ERANGE;
	t = (struct rtc_time){ .tm_sec = tm.tm_sec, .tm_min = tm.tm_min, .tm_hour = tm.tm_hour,
			       .tm_mday = tm.tm_mday, .tm_mon = tm.tm_mon,
			       .tm_year = tm.tm_year };
	return ioctl(fd, RTC_SET_TIME, &t) < 0 ? -errno : 0;
}

int sw_machine_clock_turn(struct sw_machine *m, int64_t by_ms, int *ret_rtc, struct sw_error *err)
{
	const int64_t ms = sw_wall_ms() + by_ms;
	struct timespec t = { .tv_sec = (time_t)(ms / 1000), .tv_nsec = ms % 1000 * 1000000 };
	int r;

	*ret_rtc = 0;
	if (m->kind == SW_MACHINE_CAPTURED)
		return sw_fail(err, SW_EXIT_REFUSED, -EROFS, "captured facts have no clock to set");
	if (m->kind == SW_MACHINE_STANDIN)
		r = set_standin(m, sw_wall_shifted() + by_ms);
	else
		r = clock_settime(CLOCK_REALTIME, &t) < 0 ? -errno : 0;
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "the clock cannot be set");
	if (m->kind == SW_MACHINE_REAL)
		*ret_rtc = set_rtc(m, t.tv_sec);
	return 0;
}
