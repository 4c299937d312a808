/* SPDX-License-Identifier: Apache-2.0 */
/* The machine that slipway runs on. */
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <time.h>

#include "base/file.h"
#include "base/proc.h"
#include "boot/varstore.h"
#include "machine/private.h"
#include "base/text.h"
#include "net/links.h"

#define STUB "/usr/lib/systemd/boot/efi/linuxx64.efi.stub"
#define SETTLE_SECONDS "20"
#define REREAD_TRIES 20

static char *line_of(const char *root, const char *name)
{
	_cleanup_free_ char *path = sw_fmt("%s/%s", root, name), *line = NULL;

	if (!path || sw_file_read_line(path, &line) < 0 || !*sw_text_clean(line))
		return NULL;
	return TAKE_PTR(line);
}

static bool below(const char *root, const char *name)
{
	_cleanup_free_ char *path = sw_fmt("%s/%s", root, name);

	return path && access(path, F_OK) == 0;
}

/* "MemTotal:  16384 kB" */
static uint64_t memory_of(const struct sw_machine *m)
{
	_cleanup_free_ char *path = sw_fmt("%s/meminfo", m->proc_root);
	_cleanup_buf_ struct sw_buf b = { .max = 65536 };
	const char *p;
	unsigned long long kib = 0;

	if (!path || sw_file_read(path, &b) < 0)
		return 0;
	p = strstr(sw_buf_text(&b), "MemTotal:");
	return p && sscanf(p + 9, "%llu", &kib) == 1 ? (uint64_t)kib << 10 : 0;
}

static int real_identity(struct sw_machine *m, struct sw_facts *f)
{
	f->machine_name = line_of(m->proc_root, "sys/kernel/hostname");
	f->vendor = line_of(m->sys_root, "class/dmi/id/sys_vendor");
	f->product = line_of(m->sys_root, "class/dmi/id/product_name");
	f->serial = line_of(m->sys_root, "class/dmi/id/product_serial");
	f->uuid = line_of(m->sys_root, "class/dmi/id/product_uuid");
	f->boot_id = line_of(m->proc_root, "sys/kernel/random/boot_id");
	f->memory = memory_of(m);
	f->no_kexec = sw_kexec_barrier(m);
	f->firmware = below(m->sys_root, "firmware/efi") ? SW_FIRMWARE_UEFI : SW_FIRMWARE_BIOS;
	return 0;
}

static int real_links(struct sw_machine *m, struct sw_facts *f)
{
	return sw_links_read(m->sys_root, &f->links, &f->n_links);
}

/* The resource manager's device only: on the raw one a second program would block us. */
static int real_tcti(struct sw_machine *m, struct sw_error *err)
{
	_cleanup_free_ char *node = sw_fmt("%s/tpmrm0", m->dev_root);
	int r;

	if (!node)
		return sw_fail_oom(err);
	if (access(node, F_OK) < 0) {
		r = sw_fail(err, SW_EXIT_MISSING, -ENOENT, "this machine has no TPM 2.0");
		sw_error_why(err, "%s is not there", node);
		sw_error_hint(err, "switch the TPM on in the firmware's setup");
		return r;
	}
	if (!m->tcti)
		m->tcti = sw_fmt("device:%s", node);
	return m->tcti ? 0 : sw_fail_oom(err);
}

static int real_vars(struct sw_machine *m, struct sw_varstore **ret_vars, struct sw_error *err)
{
	if (below(m->sys_root, "firmware/efi"))
		return sw_varstore_open_efivar(ret_vars, err);
	sw_fail(err, SW_EXIT_MISSING, -EOPNOTSUPP, "this machine was not started by UEFI");
	sw_error_hint(err, "start it in UEFI mode to have boot entries");
	return -EOPNOTSUPP;
}

/* EBUSY right after a close is udev looking at the disk; it lets go by itself. */
static int reread_table(const char *node)
{
	static const struct timespec pause = { .tv_nsec = 100 * 1000 * 1000 };
	_cleanup_close_ int fd = open(node, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	for (int i = 0; ioctl(fd, BLKRRPART, 0) < 0; i++) {
		/* A loop device without partition scanning says EINVAL: nothing to re-read. */
		if (errno == EINVAL || errno == ENOTTY)
			return 0;
		if ((errno != EBUSY && errno != EINTR) || i == REREAD_TRIES)
			return -errno;
		(void)nanosleep(&pause, NULL);
	}
	return 0;
}

static int real_settle(struct sw_machine *m SW_UNUSED, const struct sw_disk *d)
{
	static const char *const settle[] = { "udevadm", "settle", "--timeout=" SETTLE_SECONDS,
					      NULL };
	int r = d->node ? reread_table(d->node) : -EINVAL;

	/* Without udev there is nothing to wait for; a slow one only delays the links. */
	if (sw_proc_exists("udevadm"))
		(void)sw_proc_run(settle, NULL, 30, NULL);
	return r;
}

static int real_power(struct sw_machine *m SW_UNUSED, enum sw_power what, struct sw_error *err)
{
	static const struct { int how; const char *failed; } ways[] = {
		[SW_POWER_REBOOT] = { RB_AUTOBOOT, "cannot restart" },
		[SW_POWER_OFF] = { RB_POWER_OFF, "cannot switch off" },
		[SW_POWER_KEXEC] = { RB_KEXEC, "cannot start the kernel that was loaded" },
	};
	int r;

	sync();
	if (reboot(ways[what].how) == 0)
		return 0;
	r = -errno;
	sw_fail_errno(err, SW_EXIT_FAILED, r, "%s", ways[what].failed);
	if (r == -EPERM)
		sw_error_hint(err, "this needs root");
	return r;
}

static void real_close(struct sw_machine *m)
{
	sw_medium_unmount(m);
}

const struct sw_machine_ops sw_machine_real_ops = {
	.identity = real_identity,
	.disks = sw_disks_sysfs,
	.links = real_links,
	.tcti = real_tcti,
	.vars = real_vars,
	.settle = real_settle,
	.medium = sw_medium_mount,
	.power = real_power,
	.load = sw_kexec_load_real,
	.close = real_close,
};

/* ---- opening ---- */

/* Ours alone, or another user could put a socket or a log of his there. */
static int own_directory(const char *dir, struct sw_error *err)
{
	struct stat st;
	int r = 0;

	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		r = -errno;
	else if (lstat(dir, &st) < 0)
		r = -errno;
	else if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 022))
		r = -EPERM;
	if (r < 0) {
		sw_fail_errno(err, SW_EXIT_MISSING, r, "cannot use the run directory");
		sw_error_where(err, "%s", dir);
		sw_error_hint(err, "it must be a directory that only this user can write to");
	}
	return r;
}

int sw_run_dir_new(char **ret_dir, struct sw_error *err)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	_cleanup_free_ char *dir = NULL;
	int r;

	if (geteuid() == 0)
		dir = strdup("/run/slipway");
	else if (runtime && *runtime == '/')
		dir = sw_fmt("%s/slipway", runtime);
	else
		dir = sw_fmt("/tmp/slipway-%u", (unsigned int)geteuid());
	if (!dir)
		return sw_fail_oom(err);
	r = own_directory(dir, err);
	if (r < 0)
		return r;
	*ret_dir = TAKE_PTR(dir);
	return 0;
}

/* slipway.medium=UUID, put on the kernel's command line by whoever built the medium. */
static char *medium_from_cmdline(const char *proc_root)
{
	static const char key[] = "slipway.medium=";
	_cleanup_free_ char *line = line_of(proc_root, "cmdline");
	char *save = NULL;

	for (char *w = line ? strtok_r(line, " ", &save) : NULL; w; w = strtok_r(NULL, " ", &save))
		if (strncmp(w, key, sizeof(key) - 1) == 0 && w[sizeof(key) - 1])
			return strdup(w + sizeof(key) - 1);
	return NULL;
}

int sw_machine_open_real(struct sw_machine **ret_machine, struct sw_error *err)
{
	_cleanup_machine_ struct sw_machine *m = calloc(1, sizeof(*m));
	int r;

	if (!m)
		return sw_fail_oom(err);
	m->kind = SW_MACHINE_REAL;
	m->sys_root = strdup("/sys");
	m->dev_root = strdup("/dev");
	m->proc_root = strdup("/proc");
	m->udev_root = strdup("/run/udev");
	m->networkd = strdup("/run/systemd");
	m->stub = strdup(STUB);
	if (!m->sys_root || !m->dev_root || !m->proc_root || !m->udev_root || !m->networkd ||
	    !m->stub)
		return sw_fail_oom(err);
	if (access("/dev/tpmrm0", F_OK) == 0)
		m->tcti = strdup("device:/dev/tpmrm0");
	m->medium = medium_from_cmdline(m->proc_root);
	r = sw_run_dir_new(&m->run_dir, err);
	if (r < 0)
		return r;
	*ret_machine = TAKE_PTR(m);
	return 0;
}
