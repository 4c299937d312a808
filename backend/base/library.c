/* SPDX-License-Identifier: Apache-2.0 */
#include "base/library.h"

#include <dlfcn.h>
#include <string.h>

#include "base/cleanup.h"

static int missing(const struct sw_library *l, const char *why, struct sw_error *err)
{
	sw_fail(err, SW_EXIT_MISSING, -ENOPKG, "%s cannot be used", l->soname);
	if (why)
		sw_error_why(err, "%s", why);
	sw_error_hint(err, "install the package %s", l->package);
	return -ENOPKG;
}

static int load(struct sw_library *l, struct sw_error *err)
{
	void *handle = dlopen(l->soname, RTLD_NOW | RTLD_LOCAL);

	if (!handle)
		return missing(l, dlerror(), err);
	for (size_t i = 0; i < l->n_symbols; i++) {
		void *f = dlsym(handle, l->symbols[i].name);

		if (!f)
			return missing(l, dlerror(), err);
		/* A pointer to function has the size of any other (dlsym() needs that). */
		memcpy(l->symbols[i].slot, &f, sizeof(f));
	}
	if (l->ready)
		l->ready();
	return 1;
}

int sw_library_open(struct sw_library *l, struct sw_error *err)
{
	int r;

	pthread_mutex_lock(&l->lock);
	if (l->state == 0)
		l->state = load(l, err);
	r = l->state;
	pthread_mutex_unlock(&l->lock);
	return r < 0 ? missing(l, NULL, err) : 0;
}
