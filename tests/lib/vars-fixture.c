/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/vars-fixture.h"

#include <stdlib.h>

#include "base/file.h"

int vars_fixture_open(struct vars_fixture *f)
{
	return sw_scratch_new("sw-vars", &f->dir) || sw_varstore_open_files(f->dir, 0, &f->s, NULL);
}

void vars_fixture_close(struct vars_fixture *f)
{
	sw_varstore_close(f->s);
	(void)sw_remove_tree(f->dir);
	free(f->dir);
}

int vars_fixture_setup(void **state)
{
	*state = calloc(1, sizeof(struct vars_fixture));
	return *state ? vars_fixture_open(*state) : -1;
}

int vars_fixture_teardown(void **state)
{
	vars_fixture_close(*state);
	free(*state);
	return 0;
}
