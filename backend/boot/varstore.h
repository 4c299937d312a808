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

/* EFI_GLOBAL_VARIABLE 8be4df61-93ca-11d2-aa0d-00e098032b8c */
extern const struct sw_guid sw_guid_global;
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
/*
 * Writes nothing when the variable already holds this. Refuses at once what the
 * kernel would refuse; retries -EINVAL/-EIO a few times (firmware that fails now
 * and then), then reads back and compares: -EBADMSG when the store lied.
 */
int sw_var_set(struct sw_varstore *s, const struct sw_guid *guid, const char *name,
	       const void *data, size_t len, uint32_t attrs);
/* Deletes and checks that it is gone (-EBADMSG when not); -ENOENT when absent. */
int sw_var_del(struct sw_varstore *s, const struct sw_guid *guid, const char *name);
/* -EOPNOTSUPP when the platform does not tell. */
int sw_var_space(struct sw_varstore *s, uint64_t *ret_total, uint64_t *ret_free);
/* fn may call any sw_var_ function, deleting included. */
int sw_var_list(struct sw_varstore *s,
		int (*fn)(const struct sw_guid *guid, const char *name, void *userdata),
		void *userdata);

/*
 * What Linux checks before it hands a variable to the firmware (drivers/firmware/
 * efi/vars.c): Boot#### must be a well-formed load option, orders a multiple of
 * two bytes, BootNext and Timeout two bytes. 0 or -EINVAL.
 */
int sw_var_check(const struct sw_guid *guid, const char *name, const void *data, size_t len);

/*
 * Collects every variable of an efivarfs-like directory (files NAME-GUID, others
 * are skipped), sorted, and then calls fn for each.
 */
int sw_vardir_list(const char *dir,
		   int (*fn)(const struct sw_guid *guid, const char *name, void *userdata),
		   void *userdata);

/*
 * File store only: writes what firmware itself would have set (BootCurrent and
 * other volatile variables), without the rules that bind the running system.
 */
int sw_varstore_plant(struct sw_varstore *s, const struct sw_guid *guid, const char *name,
		      const void *data, size_t len, uint32_t attrs);

/* ---- faults, for tests and the demo: file store only ---- */
enum sw_var_fault { SW_FAULT_NONE, SW_FAULT_ENOSPC, SW_FAULT_EINVAL_TWICE, SW_FAULT_EIO,
		    SW_FAULT_IGNORE, SW_FAULT_READ_ONLY };
/* Arms a fault for sets and deletes of names with this prefix. -EOPNOTSUPP on other stores. */
int sw_varstore_inject(struct sw_varstore *s, enum sw_var_fault fault, const char *name_prefix);
