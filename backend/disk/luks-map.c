/* SPDX-License-Identifier: Apache-2.0 */
#include "disk/luks-map.h"

#include <fcntl.h>

#include "base/file.h"
#include "disk/luks-private.h"

static int no_mapper(struct sw_error *err)
{
	sw_fail(err, SW_EXIT_MISSING, -EOPNOTSUPP, "the kernel of this system decrypts nothing");
	sw_error_why(err, "it has no device mapper (dm_mod, dm_crypt)");
	sw_error_hint(err, "slipway's medium has one");
	return -EOPNOTSUPP;
}

/* One that a process left which was killed between two calls is in nobody's use. */
static int free_name(struct sw_luks_maker *m, const char *name, struct sw_error *err)
{
	crypt_status_info status = crypt_status(m->cd, name);

	if (status == CRYPT_INVALID)
		return no_mapper(err);
	if (status == CRYPT_INACTIVE || crypt_deactivate_by_name(m->cd, name, 0) >= 0)
		return 0;
	sw_fail(err, SW_EXIT_REFUSED, -EBUSY, "the encryption is open already");
	sw_error_where(err, SW_LUKS_MAP_DIR "/%s", name);
	sw_error_hint(err, "leave the shell that uses it, or close it: cryptsetup close %s", name);
	return -EBUSY;
}

static int wrong_key(struct sw_error *err)
{
	sw_fail(err, SW_EXIT_REFUSED, -EPERM, "this key does not open it");
	sw_error_hint(err, "give the recovery key that was shown or escrowed at the install, or "
			   "the key file");
	return -EPERM;
}

/* Opened first: without a user a mapping that goes with the last one is gone at once. */
static int hold(struct sw_luks_maker *m, const char *name, int *ret_fd)
{
	_cleanup_free_ char *path = sw_fmt(SW_LUKS_MAP_DIR "/%s", name);
	_cleanup_close_ int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -EBADF;
	int r = !path ? -ENOMEM : fd < 0 ? -errno : 0;

	if (r == 0)
		r = crypt_deactivate_by_name(m->cd, name, CRYPT_DEACTIVATE_DEFERRED);
	if (r < 0) {
		close(TAKE_FD(fd));
		(void)crypt_deactivate_by_name(m->cd, name, 0);
		return sw_luks_fail(m, r, "what was decrypted cannot be held open");
	}
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int sw_luks_map(const char *device, const char *name, const struct sw_secret *key, bool read_only,
		int *ret_fd, struct sw_error *err)
{
	static const struct sw_luks_spec spec = {};
	_cleanup_(sw_luks_maker_clear) struct sw_luks_maker m = { .spec = &spec, .err = err };
	int r;

	/* libdevmapper waits for udev rules of its own, which a small system does not have. */
	(void)setenv("DM_DISABLE_UDEV", "1", 1);
	r = sw_cryptsetup_open(err);
	if (r == 0)
		r = sw_luks_load(&m, device);
	if (r == 0)
		r = free_name(&m, name, err);
	if (r < 0)
		return r;
	r = crypt_activate_by_passphrase(m.cd, name, CRYPT_ANY_SLOT, (const char *)key->data,
					 key->len, read_only ? CRYPT_ACTIVATE_READONLY : 0);
	if (r == -EPERM || r == -ENOENT)
		return wrong_key(err);
	if (r < 0)
		return sw_luks_fail(&m, r, "the kernel does not decrypt it");
	return ret_fd ? hold(&m, name, ret_fd) : 0;
}
