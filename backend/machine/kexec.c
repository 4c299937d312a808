/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One kernel that starts another: kexec_file_load(2), which takes open files, so that nothing has
 * to be named. A kernel that is locked down asks for a signature that it knows, and of an initrd,
 * which has none, it would take any: then we leave it to the firmware to start the node.
 */
#include <fcntl.h>
#include <linux/kexec.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/file.h"
#include "machine/private.h"

static const char no_kexec[] = "the running kernel was built without kexec";
static const char switched_off[] =
	"kexec is switched off until the next start (kernel.kexec_load_disabled)";
static const char locked_down[] =
	"the running kernel is locked down, as under Secure Boot, and starts no other one";

static bool is_locked(const struct sw_machine *m)
{
	_cleanup_free_ char *path = sw_fmt("%s/kernel/security/lockdown", m->sys_root);
	_cleanup_free_ char *line = NULL;

	/* "none [integrity] confidentiality" */
	return path && sw_file_read_line(path, &line) == 0 && !strstr(line, "[none]");
}

char *sw_kexec_barrier(const struct sw_machine *m)
{
	_cleanup_free_ char *path = sw_fmt("%s/sys/kernel/kexec_load_disabled", m->proc_root);
	_cleanup_free_ char *line = NULL;

	if (!path || sw_file_read_line(path, &line) < 0)
		return strdup(no_kexec);
	if (strcmp(line, "0") != 0)
		return strdup(switched_off);
	return is_locked(m) ? strdup(locked_down) : NULL;
}

int sw_kexec_load_real(struct sw_machine *m, int kernel_fd, int initrd_fd, const char *cmdline,
		       struct sw_error *err)
{
	_cleanup_free_ char *barrier = sw_kexec_barrier(m);
	unsigned long flags = initrd_fd < 0 ? KEXEC_FILE_NO_INITRAMFS : 0;
	int r;

	if (!barrier && syscall(SYS_kexec_file_load, kernel_fd, initrd_fd < 0 ? 0 : initrd_fd,
				strlen(cmdline) + 1, cmdline, flags) == 0)
		return 0;
	r = barrier ? -EPERM : -errno;
	sw_fail_errno(err, r == -ENOSYS ? SW_EXIT_MISSING : SW_EXIT_REFUSED, r,
		      "the node's kernel cannot be started from here");
	if (barrier || r == -ENOSYS)
		sw_error_why(err, "%s", barrier ? barrier : no_kexec);
	sw_error_hint(err, "restart the machine: the firmware starts it");
	return r;
}

/* All of it, as DIR/run/kexec/NAME. */
static int keep(const char *dir, const char *name, int fd)
{
	_cleanup_free_ char *path = sw_fmt("%s/%s", dir, name);
	_cleanup_close_ int out = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)
				       : -1;
	struct stat st;

	if (!path)
		return -ENOMEM;
	if (out < 0 || fstat(fd, &st) < 0)
		return -errno;
	return sw_fd_copy(fd, 0, (uint64_t)st.st_size, out);
}

int sw_kexec_load_standin(struct sw_machine *m, int kernel_fd, int initrd_fd, const char *cmdline,
			  struct sw_error *err)
{
	_cleanup_free_ char *dir = sw_fmt("%s/kexec", m->run_dir);
	_cleanup_free_ char *line = dir ? sw_fmt("%s/cmdline", dir) : NULL;
	int r = line ? sw_mkdir_all(dir, 0700) : -ENOMEM;

	if (r == 0)
		r = keep(dir, "kernel", kernel_fd);
	if (r == 0 && initrd_fd >= 0)
		r = keep(dir, "initrd", initrd_fd);
	if (r == 0)
		r = sw_file_write(line, cmdline, strlen(cmdline), 0600);
	return r < 0 ? sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot keep what would be started")
		     : 0;
}
