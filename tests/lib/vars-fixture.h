/* SPDX-License-Identifier: Apache-2.0 */
/* A variable store of files in a directory of its own, for one test. */
#pragma once

#include "boot/varstore.h"

struct vars_fixture {
	char *dir;
	struct sw_varstore *s;
};

/* 0, or what cmocka takes for a failed setup. */
int vars_fixture_open(struct vars_fixture *f);
void vars_fixture_close(struct vars_fixture *f);
/* A test's setup and teardown; *state is the struct vars_fixture. */
int vars_fixture_setup(void **state);
int vars_fixture_teardown(void **state);
