/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scope-bound release of resources. A variable marked with one of these is
 * freed or closed however the function is left, so error paths need no labels.
 */
#pragma once

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <json-c/json.h>

#define SW_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define SW_UNUSED __attribute__((unused))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Hands ownership of the pointer (or fd) on and leaves an empty one behind. */
#define TAKE_PTR(p)                     \
	({                              \
		typeof(p) *_pp = &(p);  \
		typeof(p) _v = *_pp;    \
		*_pp = NULL;            \
		_v;                     \
	})
#define TAKE_FD(fd)                     \
	({                              \
		int *_pfd = &(fd);      \
		int _v = *_pfd;         \
		*_pfd = -EBADF;         \
		_v;                     \
	})

static inline void sw_cleanup_freep(void *p)
{
	free(*(void **)p);
}

static inline void sw_cleanup_closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void sw_cleanup_fclosep(FILE **f)
{
	if (*f)
		fclose(*f);
}

static inline void sw_cleanup_closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

static inline void sw_cleanup_jsonp(json_object **o)
{
	if (*o)
		json_object_put(*o);
}

#define _cleanup_(fn) __attribute__((cleanup(fn)))
#define _cleanup_free_ _cleanup_(sw_cleanup_freep)
#define _cleanup_close_ _cleanup_(sw_cleanup_closep)
#define _cleanup_fclose_ _cleanup_(sw_cleanup_fclosep)
#define _cleanup_closedir_ _cleanup_(sw_cleanup_closedirp)
#define _cleanup_json_ _cleanup_(sw_cleanup_jsonp)

/* For types with `struct x *x_free(struct x *)`: defines the cleanup helper. */
#define SW_DEFINE_CLEANUP(type, fn)                     \
	static inline void fn##p(type **p)              \
	{                                               \
		if (*p)                                 \
			fn(*p);                         \
	}
