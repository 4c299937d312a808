/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into slipway: the process that writes to the disks kills itself when it
 * tells that step $SLIPWAY_CUT starts. From outside the signal comes too late for
 * steps that are over in less time than it takes to send one.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int is_the_moment(const void *data, size_t len)
{
	const char *step = getenv("SLIPWAY_CUT");
	char name[16] = "", id[64];

	if (!step || prctl(PR_GET_NAME, name) < 0 || strcmp(name, "slipway-apply") != 0)
		return 0;
	(void)snprintf(id, sizeof(id), "\"%s\"", step);
	return memmem(data, len, "\"start\"", 7) && memmem(data, len, id, strlen(id));
}

ssize_t write(int fd, const void *data, size_t len)
{
	if (is_the_moment(data, len))
		(void)raise(SIGKILL);
	return syscall(SYS_write, fd, data, len);
}
