/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Libraries that few commands need, opened at their first use: libcurl alone
 * brings thirty others, and loading those takes longer than most commands do.
 *
 * A module lists the functions that it calls with a macro of its own,
 *
 *	#define LIST(X) X(curl_easy_init) X(curl_easy_cleanup)
 *
 * from which SW_LIBRARY_POINTER makes the typed members of a struct and
 * SW_LIBRARY_SYMBOL the lines of the table that fills the one which the macro
 * TABLE names. The types come from the library's own header.
 */
#pragma once

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct sw_library_symbol {
	const char *name;
	void *slot;		/* a pointer to function, filled when the library is open */
};

struct sw_library {
	const char *soname;
	const char *package;	/* for the hint when it is missing: Debian's name */
	const struct sw_library_symbol *symbols;
	size_t n_symbols;
	void (*ready)(void);	/* once, when all pointers are there; may be NULL */
	pthread_mutex_t lock;
	int state;		/* 0: not asked yet, 1: open, negative: -errno of the attempt */
};

#define SW_LIBRARY_POINTER(name) __typeof__(&name) name##_;
#define SW_LIBRARY_SYMBOL(name) { #name, &TABLE.name##_ },

/*
 * Opens it unless that is done, from any thread. The library stays open: it may
 * have registered what runs at exit. Fails with SW_EXIT_MISSING when it or one
 * of its functions is not there.
 */
int sw_library_open(struct sw_library *l, struct sw_error *err);

/*
 * Says in the program's ELF notes that it opens this library, in the form of
 * systemd's ELF dlopen metadata (a note "FDO" of type 0x407c0c0a with JSON), so
 * that whoever packs the program with its libraries (node/build.sh and the
 * medium's rootfs.sh here) finds it there. At file level.
 */
#define SW_LIBRARY_NOTE(id, soname_)                                                          \
	__attribute__((used, section(".note.dlopen"), aligned(4))) static const struct {       \
		uint32_t name_len, text_len, type;                                             \
		char name[4];                                                                  \
		char text[(sizeof("[{\"soname\":[\"" soname_ "\"]}]") + 3) & ~(size_t)3];      \
	} sw_library_note_##id = {                                                             \
		4, sizeof("[{\"soname\":[\"" soname_ "\"]}]"), 0x407c0c0a, "FDO",              \
		"[{\"soname\":[\"" soname_ "\"]}]"                                             \
	}
