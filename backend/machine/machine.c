/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of a machine that do not depend on its kind, and the choice of the
 * kind's own. Opening a disk checks that it is still the disk of the facts: a
 * name is only a name, and a stick pulled and another put in may have taken it.
 */
#include "machine/machine.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "base/file.h"
#include "boot/varstore.h"
#include "machine/private.h"

#ifndef BLKGETDISKSEQ
#define BLKGETDISKSEQ _IOR(0x12, 128, uint64_t)	/* linux/fs.h since 5.15 */
#endif

const struct sw_machine_ops *sw_machine_ops_of(const struct sw_machine *m)
{
	switch (m->kind) {
	case SW_MACHINE_STANDIN:
		return &sw_machine_standin_ops;
	case SW_MACHINE_CAPTURED:
		return &sw_machine_captured_ops;
	default:
		return &sw_machine_real_ops;
	}
}

char *sw_machine_tpm_log(const struct sw_machine *m)
{
	return m->sys_root ? sw_fmt("%s/kernel/security/tpm0/binary_bios_measurements", m->sys_root)
			   : NULL;
}

struct sw_machine *sw_machine_free(struct sw_machine *m)
{
	if (!m)
		return NULL;
	if (sw_machine_ops_of(m)->close)
		sw_machine_ops_of(m)->close(m);
	sw_varstore_close(m->vars);
	json_object_put(m->captured);
	sw_facts_free(m->captured_facts);
	sw_standin_free(m->standin);
	free(m->dir);
	free(m->sys_root);
	free(m->dev_root);
	free(m->proc_root);
	free(m->udev_root);
	free(m->run_dir);
	free(m->networkd);
	free(m->stub);
	free(m->tcti);
	free(m->medium);
	free(m->medium_dir);
	free(m);
	return NULL;
}

int sw_machine_identity(struct sw_machine *m, struct sw_facts **ret_facts, struct sw_error *err)
{
	_cleanup_facts_ struct sw_facts *f = sw_facts_new();
	const struct sw_machine_ops *ops = sw_machine_ops_of(m);
	int r = f ? 0 : -ENOMEM;

	if (r == 0 && ops->identity)
		r = ops->identity(m, f);
	if (r == 0 && ops->links)
		r = ops->links(m, f);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_INTERNAL, r, "this machine is not known");
	*ret_facts = TAKE_PTR(f);
	return 0;
}

/* Of a rack each machine is read once: the file was judged by reading it. */
static int captured_facts(struct sw_machine *m, struct sw_facts **ret_facts, struct sw_error *err)
{
	if (!m->captured_facts)
		return sw_facts_from_json(m->captured, "captured facts", ret_facts, err);
	*ret_facts = TAKE_PTR(m->captured_facts);
	return 0;
}

int sw_machine_facts(struct sw_machine *m, struct sw_facts **ret_facts, struct sw_error *err)
{
	if (m->kind == SW_MACHINE_CAPTURED)
		return captured_facts(m, ret_facts, err);
	return sw_facts_collect(m, NULL, NULL, ret_facts, err);
}

int sw_machine_facts_only(struct sw_machine *m, bool (*want)(const struct sw_disk *d, void *arg),
			  void *arg, struct sw_facts **ret_facts, struct sw_error *err)
{
	if (m->kind == SW_MACHINE_CAPTURED)
		return captured_facts(m, ret_facts, err);
	return sw_facts_collect(m, want, arg, ret_facts, err);
}

bool sw_machine_is_settled(const struct sw_machine *m)
{
	return m->kind != SW_MACHINE_REAL || access("/usr/lib/slipway/devices", F_OK) != 0 ||
	       access("/run/slipway/settled", F_OK) == 0;
}

int sw_machine_credential(const struct sw_machine *m, const char *name, char **ret_path)
{
	_cleanup_free_ char *system = m->kind == SW_MACHINE_REAL
		? sw_fmt("/run/credentials/@system/%s", name)
		: sw_fmt("%s/credentials/%s", m->run_dir, name);
	_cleanup_free_ char *fw = sw_fmt("%s/firmware/qemu_fw_cfg/by_name/opt/"
					 "io.systemd.credentials/%s/raw", m->sys_root, name);

	if (!system || !fw)
		return -ENOMEM;
	if (access(system, F_OK) == 0)
		*ret_path = TAKE_PTR(system);
	else if (access(fw, F_OK) == 0)
		*ret_path = TAKE_PTR(fw);
	else
		return -ENOENT;
	return 0;
}

int sw_machine_vars(struct sw_machine *m, struct sw_varstore **ret_vars, struct sw_error *err)
{
	int r = m->vars ? 0 : sw_machine_ops_of(m)->vars(m, &m->vars, err);

	if (r < 0)
		return r;
	*ret_vars = m->vars;
	return 0;
}

int sw_machine_tcti(struct sw_machine *m, const char **ret_tcti, struct sw_error *err)
{
	int r = sw_machine_ops_of(m)->tcti(m, err);

	if (r < 0)
		return r;
	*ret_tcti = m->tcti;
	return 0;
}

/* Size and sequence number, as far as both sides know them. */
static int same_disk(struct sw_io *io, const struct sw_disk *d, struct sw_error *err)
{
	uint64_t seq = 0;
	int r;

	if (d->diskseq && ioctl(sw_io_fd(io), BLKGETDISKSEQ, &seq) < 0)
		seq = 0;
	if ((!seq || seq == d->diskseq) && io->size == d->size)
		return 0;
	r = sw_fail(err, SW_EXIT_REFUSED, -ESTALE, "this is not the disk that was looked at");
	sw_error_where(err, "%s", d->node);
	sw_error_why(err, "%s", io->size != d->size ? "its size has changed"
						    : "another disk was attached under its name");
	sw_error_hint(err, "look at the machine again and make a new plan");
	return r;
}

int sw_machine_open_disk(struct sw_machine *m, const struct sw_disk *d, bool writable, bool lock,
			 struct sw_io **ret_io, struct sw_error *err)
{
	_cleanup_io_ struct sw_io *io = NULL;
	int r;

	if (m->kind == SW_MACHINE_CAPTURED) {
		r = sw_fail(err, SW_EXIT_REFUSED, -EROFS,
			    "the disks of captured facts cannot be opened");
		sw_error_where(err, "%s", d->name ? d->name : "");
		sw_error_hint(err, "run this on the machine that the facts are from");
		return r;
	}
	if (!d->node)
		return sw_fail(err, SW_EXIT_INTERNAL, -EINVAL, "a disk without a path");
	r = sw_io_open(d->node, writable, lock, d->sector, &io, err);
	if (r == 0)
		r = same_disk(io, d, err);
	if (r < 0)
		return r;
	if (writable && m->wrap_disk)
		m->wrap_disk(m, d, &io);
	*ret_io = TAKE_PTR(io);
	return 0;
}

int sw_machine_settle(struct sw_machine *m, const struct sw_disk *d)
{
	return sw_machine_ops_of(m)->settle ? sw_machine_ops_of(m)->settle(m, d) : 0;
}

/* For sandboxes without openat2(): where the name really leads must be below the top. */
static int check_resolved(const char *dir, const char *name)
{
	_cleanup_free_ char *path = sw_fmt("%s/%s", dir, name), *real = NULL, *top = NULL;
	size_t n;

	if (!path)
		return -ENOMEM;
	top = realpath(dir, NULL);
	real = top ? realpath(path, NULL) : NULL;
	if (!real)
		return -errno;
	n = strlen(top);
	return strncmp(real, top, n) == 0 && (real[n] == '/' || !real[n]) ? 0 : -EXDEV;
}

/* Opens below the top only: neither "..", nor a leading slash, nor a link leads out. */
static int check_beneath(const char *dir, const char *name)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_BENEATH };
	_cleanup_close_ int top = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd;

	if (top < 0)
		return -errno;
	fd = (int)syscall(SYS_openat2, top, name, &how, sizeof(how));
	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		return check_resolved(dir, name);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

int sw_machine_medium_file(struct sw_machine *m, const char *name, char **ret_path,
			   struct sw_error *err)
{
	_cleanup_free_ char *dir = NULL, *path = NULL;
	int r;

	if (!*name || *name == '/') {
		r = -EXDEV;
	} else {
		r = sw_machine_ops_of(m)->medium(m, &dir, err);
		if (r < 0)
			return r;
		r = check_beneath(dir, name);
	}
	if (r == -EXDEV)
		r = sw_fail(err, SW_EXIT_INVALID, -EINVAL,
			    "a file of the medium must be named relative to its top");
	else if (r == -ENOENT || r == -ENOTDIR)
		r = sw_fail(err, SW_EXIT_MISSING, -ENOENT, "the medium has no such file");
	else if (r < 0)
		sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot read the medium");
	if (r < 0) {
		sw_error_where(err, "%s", name);
		return r;
	}
	path = sw_fmt("%s/%s", dir, name);
	if (!path)
		return sw_fail_oom(err);
	*ret_path = TAKE_PTR(path);
	return 0;
}

int sw_machine_load(struct sw_machine *m, int kernel_fd, int initrd_fd, const char *cmdline,
		    struct sw_error *err)
{
	const struct sw_machine_ops *ops = sw_machine_ops_of(m);

	if (!ops->load)
		return sw_fail(err, SW_EXIT_REFUSED, -EROFS,
			       "captured facts have no kernel that could start another one");
	return ops->load(m, kernel_fd, initrd_fd, cmdline, err);
}

int sw_machine_power(struct sw_machine *m, enum sw_power what, struct sw_error *err)
{
	return sw_machine_ops_of(m)->power(m, what, err);
}
