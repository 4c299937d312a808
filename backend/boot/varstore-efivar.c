/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The real firmware's variables, through libefivar's get, set, delete and list
 * and nothing else of it: its device path and load option code reads past its
 * input, and its setter calls a null pointer where there is no efivarfs. The
 * caller holds the one lock (varstore.c): the library's scan and its error table
 * are global. The error table grows until cleared, so every call clears it.
 */
#include <string.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

#include <efivar/efivar.h>

#include "boot/varstore.h"

#define EFIVARS "/sys/firmware/efi/efivars"
#define EFIVARFS_MAGIC_NUMBER 0xde5e81e4u

/* Both are the stored byte order. */
static efi_guid_t to_lib(const struct sw_guid *g)
{
	efi_guid_t e;

	_Static_assert(sizeof(e) == sizeof(g->b), "efi_guid_t is 16 bytes");
	memcpy(&e, g->b, sizeof(e));
	return e;
}

/* Keeps errno's meaning (some paths of the library negate it) and clears the error table. */
static int outcome(int lib_r)
{
	int e = errno;

	efi_error_clear();
	if (lib_r >= 0)
		return 0;
	return e == 0 ? -EIO : e < 0 ? e : -e;
}

static int real_get(struct sw_varstore *s SW_UNUSED, const struct sw_guid *guid, const char *name,
		    uint8_t **ret_data, size_t *ret_len, uint32_t *ret_attrs)
{
	uint8_t *data = NULL;
	uint32_t attrs = 0;
	size_t n = 0;
	int r;

	errno = 0;
	r = outcome(efi_get_variable(to_lib(guid), name, &data, &n, &attrs));
	if (r < 0)
		return r;
	*ret_data = data;
	*ret_len = n;
	*ret_attrs = attrs;
	return 0;
}

static int real_del(struct sw_varstore *s SW_UNUSED, const struct sw_guid *guid, const char *name)
{
	errno = 0;
	return outcome(efi_del_variable(to_lib(guid), name));
}

static int real_set(struct sw_varstore *s, const struct sw_guid *guid, const char *name,
		    const void *data, size_t len, uint32_t attrs)
{
	_cleanup_free_ uint8_t *copy = NULL;

	if (len == 0)
		return real_del(s, guid, name);
	copy = malloc(len);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, data, len);
	errno = 0;
	return outcome(efi_set_variable(to_lib(guid), name, copy, len, attrs, 0644));
}

struct entry {
	struct sw_guid guid;
	char *name;
};

struct entries {
	struct entry *v;
	size_t n;
};

static void entries_clear(struct entries *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i].name);
	free(l->v);
}

/*
 * To the end in one go: an abandoned scan leaves the library's directory open.
 * Returns what the library says at the end: a stray file name ends it early.
 */
static int scan(struct entries *l)
{
	efi_guid_t *guid = NULL;
	char *name = NULL;
	int r, oom = 0;

	for (;;) {
		struct entry *p;

		errno = 0;
		r = efi_get_next_variable_name(&guid, &name);
		if (r <= 0)
			break;
		p = oom ? NULL : reallocarray(l->v, l->n + 1, sizeof(*p));
		if (!p) {
			oom = -ENOMEM;
			continue;
		}
		l->v = p;
		memcpy(p[l->n].guid.b, guid, sizeof(p->guid.b));
		p[l->n].name = strdup(name);
		if (p[l->n].name)
			l->n++;
		else
			oom = -ENOMEM;
	}
	r = outcome(r);
	return oom ? oom : r;
}

static int real_list(struct sw_varstore *s SW_UNUSED,
		     int (*fn)(const struct sw_guid *guid, const char *name, void *userdata),
		     void *userdata)
{
	_cleanup_(entries_clear) struct entries l = {};
	int r = scan(&l);

	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return sw_vardir_list(EFIVARS, fn, userdata);
	for (size_t i = 0; r == 0 && i < l.n; i++)
		r = fn(&l.v[i].guid, l.v[i].name, userdata);
	return r;
}

static int real_space(struct sw_varstore *s SW_UNUSED, uint64_t *ret_total, uint64_t *ret_free)
{
	struct statfs fs;

	if (statfs(EFIVARS, &fs) < 0)
		return -errno;
	if (fs.f_blocks == 0)
		return -EOPNOTSUPP;	/* kernels before 6.5 do not tell */
	*ret_total = (uint64_t)fs.f_blocks * (uint64_t)fs.f_bsize;
	*ret_free = (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize;
	return 0;
}

static void real_close(struct sw_varstore *s)
{
	free(s);
}

static const struct sw_varstore_ops real_ops = {
	.get = real_get,
	.set = real_set,
	.del = real_del,
	.list = real_list,
	.space = real_space,
	.close = real_close,
};

int sw_varstore_open_efivar(struct sw_varstore **ret_store, struct sw_error *err)
{
	struct sw_varstore *s;
	struct statfs fs;
	bool there = statfs(EFIVARS, &fs) == 0 && (uint32_t)fs.f_type == EFIVARFS_MAGIC_NUMBER &&
		     efi_variables_supported();

	efi_error_clear();
	if (!there) {
		sw_fail(err, SW_EXIT_MISSING, -EOPNOTSUPP, "no UEFI variables on this machine");
		sw_error_where(err, "%s", EFIVARS);
		sw_error_why(err, "it was not started by UEFI, or efivarfs is not mounted");
		sw_error_hint(err, "start the medium in UEFI mode, without 'efi=noruntime'");
		return -EOPNOTSUPP;
	}
	s = calloc(1, sizeof(*s));
	if (!s)
		return sw_fail_oom(err);
	s->ops = &real_ops;
	s->writable = !(fs.f_flags & ST_RDONLY);
	*ret_store = s;
	return 0;
}
