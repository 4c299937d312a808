/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EFI variables behind one small interface with UEFI semantics: libefivar on a
 * real machine, files with the same rules (and injectable faults) elsewhere.
 * One conformance suite runs unchanged against both. All calls are serialised.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/guid.h"

#define SW_VAR_NON_VOLATILE 0x1u
#define SW_VAR_BOOTSERVICE 0x2u
#define SW_VAR_RUNTIME 0x4u
#define SW_VAR_NV_BS_RT 0x7u

extern const struct sw_guid sw_guid_global;	/* EFI_GLOBAL_VARIABLE 8be4df61-93ca-11d2-aa0d-00e098032b8c */
extern const struct sw_guid sw_guid_loader;	/* 4a67b082-0a4c-41cf-b6c7-440b29bb8c4f */

struct sw_varstore;

struct sw_varstore_ops {
	/* malloc'd data. -ENOENT when absent. */
	int (*get)(struct sw_varstore *s, const struct sw_guid *guid, const char *name,
		   uint8_t **ret_data, size_t *ret_len, uint32_t *ret_attrs);
	/*
	 * Creates or overwrites. len 0 deletes. -EINVAL: attributes differ from
	 * the existing variable's, or content that the kernel would refuse;
	 * -ENOSPC: store full; -EROFS; -EIO.
	 */
	int (*set)(struct sw_varstore *s, const struct sw_guid *guid, const char *name,
		   const void *data, size_t len, uint32_t attrs);
	int (*del)(struct sw_varstore *s, const struct sw_guid *guid, const char *name);
	/* Calls fn for each variable until it returns non-zero, which is returned. */
	int (*list)(struct sw_varstore *s,
		    int (*fn)(const struct sw_guid *guid, const char *name, void *userdata),
		    void *userdata);
	/* Bytes; -EOPNOTSUPP when the platform does not tell. */
	int (*space)(struct sw_varstore *s, uint64_t *ret_total, uint64_t *ret_free);
	void (*close)(struct sw_varstore *s);
};

struct sw_varstore {
	const struct sw_varstore_ops *ops;
	bool writable;
};

/* libefivar. -EOPNOTSUPP without efivarfs. */
int sw_varstore_open_efivar(struct sw_varstore **ret_store, struct sw_error *err);

/* A directory of files (one a variable, written atomically). capacity in bytes, 0: 64 KiB. */
int sw_varstore_open_files(const char *dir, uint64_t capacity, struct sw_varstore **ret_store,
			   struct sw_error *err);

struct sw_varstore *sw_varstore_close(struct sw_varstore *s);
SW_DEFINE_CLEANUP(struct sw_varstore, sw_varstore_close)
#define _cleanup_varstore_ _cleanup_(sw_varstore_closep)

int sw_var_get(struct sw_varstore *s, const struct sw_guid *guid, const char *name,
	       uint8_t **ret_data, size_t *ret_len, uint32_t *ret_attrs);
/* Retries -EINVAL/-EIO a few times, then reads back and compares: -EBADMSG when the store lied. */
int sw_var_set(struct sw_varstore *s, const struct sw_guid *guid, const char *name,
	       const void *data, size_t len, uint32_t attrs);
int sw_var_del(struct sw_varstore *s, const struct sw_guid *guid, const char *name);
int sw_var_list(struct sw_varstore *s,
		int (*fn)(const struct sw_guid *guid, const char *name, void *userdata),
		void *userdata);

/* ---- faults, for tests and the demo: file store only ---- */
enum sw_var_fault { SW_FAULT_NONE, SW_FAULT_ENOSPC, SW_FAULT_EINVAL_TWICE, SW_FAULT_EIO,
		    SW_FAULT_IGNORE, SW_FAULT_READ_ONLY };
/* Arms a fault for sets of names with this prefix. -EOPNOTSUPP on other stores. */
int sw_varstore_inject(struct sw_varstore *s, enum sw_var_fault fault, const char *name_prefix);
