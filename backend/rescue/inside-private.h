/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of a shell inside the state share. Private to them. */
#pragma once

#include "rescue/inside.h"
#include "rescue/private.h"

/* Of a file system that libblkid calls fs, which begins with io. */
enum sw_inside_condition sw_inside_condition(struct sw_io *io, const char *fs);

/* Whether nobody has this device for itself: -EBUSY (exit 4) when a mount or a mapping has. */
int sw_inside_check_free(const char *device, struct sw_error *err);

/* What the first process in there says before there is a shell. */
struct sw_inside_report {
	int r;			/* 0 or -errno */
	char what[64];
	bool root;
};
/*
 * That process, as the init of namespaces of its own: reports to said, and starts the shell when a
 * byte comes from go. tty: the shell's terminal, or -1.
 */
__attribute__((noreturn)) void sw_inside_child(const struct sw_inside *i, int tty, int said,
					       int go);
