/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is common to all variable stores: one lock (libefivar's state is global),
 * retries for firmware that refuses a good write now and then, the read-back
 * that catches firmware that says yes and does nothing, and the kernel's own
 * content rules, so that an -EINVAL of our making is never taken for a fault.
 */
#include "base/hex.h"
#include "boot/varstore.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#define TRIES 4
#define RETRY_MS 100

const struct sw_guid sw_guid_global = { { 0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11,
					  0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c } };
const struct sw_guid sw_guid_loader = { { 0x82, 0xb0, 0x67, 0x4a, 0x4c, 0x0a, 0xcf, 0x41,
					  0xb6, 0xc7, 0x44, 0x0b, 0x29, 0xbb, 0x8c, 0x4f } };

/* Recursive, since a list callback may read and delete. */
static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

static pthread_mutex_t *take(void)
{
	pthread_mutex_lock(&lock);
	return &lock;
}

static void releasep(pthread_mutex_t **m)
{
	pthread_mutex_unlock(*m);
}

#define LOCKED SW_UNUSED _cleanup_(releasep) pthread_mutex_t *held = take()

static void pause_before_retry(unsigned int try)
{
	struct timespec ts = { .tv_nsec = (long)RETRY_MS * 1000000L * (long)(try + 1) };

	(void)nanosleep(&ts, NULL);
}

struct sw_varstore *sw_varstore_close(struct sw_varstore *s)
{
	if (s) {
		LOCKED;

		s->ops->close(s);
	}
	return NULL;
}

int sw_var_get(struct sw_varstore *s, const struct sw_guid *guid, const char *name,
	       uint8_t **ret_data, size_t *ret_len, uint32_t *ret_attrs)
{
	LOCKED;

	return s->ops->get(s, guid, name, ret_data, ret_len, ret_attrs);
}

/* 1 when the variable holds exactly this, 0 when not, -errno when it cannot be read. */
static int holds(struct sw_varstore *s, const struct sw_guid *guid, const char *name,
		 const void *data, size_t len, uint32_t attrs)
{
	_cleanup_free_ uint8_t *now = NULL;
	uint32_t now_attrs = 0;
	size_t n = 0;
	int r = s->ops->get(s, guid, name, &now, &n, &now_attrs);

	if (r == -ENOENT)
		return len == 0;
	if (r < 0)
		return r;
	if (now_attrs != attrs && len > 0)
		return -EINVAL;
	return n == len && len > 0 && memcmp(now, data, len) == 0;
}

int sw_var_set(struct sw_varstore *s, const struct sw_guid *guid, const char *name,
	       const void *data, size_t len, uint32_t attrs)
{
	LOCKED;
	int r = sw_var_check(guid, name, data, len);

	if (r < 0)
		return r;
	if (len == 0) {
		r = sw_var_del(s, guid, name);
		return r == -ENOENT ? 0 : r;
	}
	r = holds(s, guid, name, data, len, attrs);
	if (r != 0)
		return r < 0 ? r : 0;
	for (unsigned int try = 0;; try++) {
		r = s->ops->set(s, guid, name, data, len, attrs);
		if ((r != -EINVAL && r != -EIO) || try + 1 == TRIES)
			break;
		pause_before_retry(try);
	}
	if (r < 0)
		return r;
	r = holds(s, guid, name, data, len, attrs);
	return r == 1 ? 0 : -EBADMSG;
}

int sw_var_del(struct sw_varstore *s, const struct sw_guid *guid, const char *name)
{
	LOCKED;
	int r;

	for (unsigned int try = 0;; try++) {
		r = s->ops->del(s, guid, name);
		if ((r != -EINVAL && r != -EIO) || try + 1 == TRIES)
			break;
		pause_before_retry(try);
	}
	if (r < 0)
		return r;
	r = holds(s, guid, name, NULL, 0, 0);
	return r == 1 ? 0 : r < 0 ? r : -EBADMSG;
}

int sw_var_space(struct sw_varstore *s, uint64_t *ret_total, uint64_t *ret_free)
{
	LOCKED;

	return s->ops->space(s, ret_total, ret_free);
}

int sw_var_list(struct sw_varstore *s,
		int (*fn)(const struct sw_guid *guid, const char *name, void *userdata),
		void *userdata)
{
	LOCKED;

	return s->ops->list(s, fn, userdata);
}

/* ---- the kernel's content rules ---- */

static bool good_device_path(const uint8_t *p, size_t len)
{
	while (len >= 4) {
		size_t n = (size_t)p[2] | (size_t)p[3] << 8;

		if (n < 4 || n > len)
			return false;
		if ((p[0] == 0x7f || p[0] == 0xff) && p[1] == 0xff)
			return true;
		p += n;
		len -= n;
	}
	return false;
}

static bool good_load_option(const uint8_t *p, size_t len)
{
	size_t path_len, at = 6;

	if (len < 8)
		return false;
	path_len = (size_t)p[4] | (size_t)p[5] << 8;
	while (at + 2 <= len && (p[at] || p[at + 1]))
		at += 2;
	at += 2;	/* the terminator */
	if (at > len || path_len > len - at)
		return false;
	return good_device_path(p + at, path_len);
}

/* True when name is the prefix and at least four hex digits: the kernel takes these for options. */
static bool numbered(const char *name, const char *prefix)
{
	size_t n = strlen(prefix);

	if (strncmp(name, prefix, n) != 0)
		return false;
	for (size_t i = 0; i < 4; i++)
		if (sw_hex_digit(name[n + i]) < 0)
			return false;
	return true;
}

int sw_var_check(const struct sw_guid *guid, const char *name, const void *data, size_t len)
{
	bool ok = true;

	if (!sw_guid_equal(guid, &sw_guid_global) || len == 0)
		return 0;
	if (strcmp(name, "BootOrder") == 0 || strcmp(name, "DriverOrder") == 0)
		ok = len % 2 == 0;
	else if (strcmp(name, "BootNext") == 0 || strcmp(name, "Timeout") == 0)
		ok = len == 2;
	else if (numbered(name, "Boot"))
		ok = strlen(name) == 8 && good_load_option(data, len);
	else if (numbered(name, "Driver"))
		ok = strlen(name) == 10 && good_load_option(data, len);
	return ok ? 0 : -EINVAL;
}
