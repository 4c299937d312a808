/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A machine in a directory: images for disks, files for boot variables, swtpm
 * for the TPM. No root, nothing of the host. Whatever looks inside a disk or
 * reads a variable is the code that runs on real machines.
 *
 *   machine.yaml   what there is            disk-N.img  sparse images
 *   vars/          boot variables           tpm/        swtpm's state
 *   medium/        content of the medium    run/        sockets, logs, notes
 *   clock          how far its clock is ahead of this system's, in seconds
 */
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include <sys/random.h>

#include "base/file.h"
#include "boot/varstore.h"
#include "machine/private.h"

static int copy(char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return from && !*to ? -ENOMEM : 0;
}

/* Lives until the stand-in is "restarted": the real kernel's id changes then, too. */
static int boot_id(struct sw_machine *m, char **ret_id)
{
	_cleanup_free_ char *path = sw_fmt("%s/boot-id", m->run_dir);
	char text[SW_GUID_TEXT];
	struct sw_guid g;
	int r;

	if (!path)
		return -ENOMEM;
	if (sw_file_read_line(path, ret_id) == 0)
		return 0;
	if (getrandom(g.b, sizeof(g.b), 0) != sizeof(g.b))
		return -EIO;
	r = sw_file_write(path, sw_guid_format(&g, text), SW_GUID_TEXT - 1, 0644);
	return r < 0 ? r : copy(ret_id, text);
}

static int standin_identity(struct sw_machine *m, struct sw_facts *f)
{
	const struct sw_standin *s = m->standin;
	_cleanup_free_ char *id = NULL;
	int r = boot_id(m, &id);

	/* A read-only directory has no boot id; that is not worth failing for. */
	if (r == 0)
		f->boot_id = TAKE_PTR(id);
	f->firmware = s->bios ? SW_FIRMWARE_BIOS : SW_FIRMWARE_UEFI;
	f->memory = s->memory;
	if (copy(&f->machine_name, s->name ? s->name : "stand-in") < 0 ||
	    copy(&f->vendor, "Slipway") < 0 || copy(&f->product, "Stand-in machine") < 0)
		return -ENOMEM;
	return 0;
}

static int add_disk(const struct sw_machine *m, const struct sw_standin_item *item,
		    struct sw_facts *f)
{
	struct sw_disk *d = sw_facts_add_disk(f);

	if (!d)
		return -ENOMEM;
	d->node = sw_fmt("%s/%s", m->dir, item->image);
	d->size = item->size;
	d->sector = item->sector;
	d->medium = item->medium;
	d->removable = item->removable;
	d->rotational = item->rotational;
	d->read_only = item->read_only;
	if (!d->node || copy(&d->name, item->name) < 0 || copy(&d->serial, item->serial) < 0 ||
	    copy(&d->wwn, item->wwn) < 0 || copy(&d->model, item->model) < 0 ||
	    copy(&d->vendor, item->vendor) < 0 || copy(&d->transport, item->transport) < 0 ||
	    copy(&d->path, item->path) < 0)
		return -ENOMEM;
	return d->read_only ? sw_disk_add_use(d, "%s is read-only", d->name) : 0;
}

static int standin_disks(struct sw_machine *m, struct sw_facts *f)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < m->standin->n_disks; i++)
		r = add_disk(m, &m->standin->disks[i], f);
	return r;
}

/* One link with an address of the block that is reserved for examples. */
static int standin_links(struct sw_machine *m SW_UNUSED, struct sw_facts *f)
{
	f->links = calloc(1, sizeof(*f->links));
	if (!f->links)
		return -ENOMEM;
	f->n_links = 1;
	f->links[0].carrier = true;
	f->links[0].addresses = calloc(2, sizeof(char *));
	if (!f->links[0].addresses || copy(&f->links[0].addresses[0], "192.0.2.7/24") < 0 ||
	    copy(&f->links[0].name, "eth0") < 0 || copy(&f->links[0].driver, "stand-in") < 0 ||
	    copy(&f->links[0].mac, "52:54:00:12:34:56") < 0)
		return -ENOMEM;
	return 0;
}

static int standin_tcti(struct sw_machine *m, struct sw_error *err)
{
	if (m->standin->tpm)
		return sw_standin_tpm_start(m, err);
	return sw_fail(err, SW_EXIT_MISSING, -ENOENT, "this stand-in has no TPM");
}

static int standin_vars(struct sw_machine *m, struct sw_varstore **ret_vars, struct sw_error *err)
{
	_cleanup_free_ char *dir = sw_fmt("%s/vars", m->dir);

	if (m->standin->bios)
		return sw_fail(err, SW_EXIT_MISSING, -EOPNOTSUPP,
			       "this stand-in plays a BIOS machine: it has no boot variables");
	return dir ? sw_varstore_open_files(dir, 0, ret_vars, err) : sw_fail_oom(err);
}

static int standin_medium(struct sw_machine *m, char **ret_dir, struct sw_error *err)
{
	_cleanup_free_ char *dir = sw_fmt("%s/medium", m->dir);
	struct stat st;

	if (!dir)
		return sw_fail_oom(err);
	if (stat(dir, &st) < 0 || !S_ISDIR(st.st_mode)) {
		sw_fail(err, SW_EXIT_MISSING, -ENOENT, "this stand-in has no medium");
		sw_error_where(err, "%s", dir);
		return -ENOENT;
	}
	*ret_dir = TAKE_PTR(dir);
	return 0;
}

static int standin_power(struct sw_machine *m, enum sw_power what, struct sw_error *err)
{
	const char *word = what == SW_POWER_OFF     ? "off\n"
			   : what == SW_POWER_KEXEC ? "kexec\n" : "reboot\n";
	_cleanup_free_ char *note = sw_fmt("%s/power", m->run_dir);
	_cleanup_free_ char *id = sw_fmt("%s/boot-id", m->run_dir);
	int r;

	if (!note || !id)
		return sw_fail_oom(err);
	r = sw_file_write(note, word, strlen(word), 0644);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot note the power state");
	(void)unlink(id);
	return 0;
}

const struct sw_machine_ops sw_machine_standin_ops = {
	.identity = standin_identity,
	.disks = standin_disks,
	.links = standin_links,
	.tcti = standin_tcti,
	.vars = standin_vars,
	.medium = standin_medium,
	.power = standin_power,
	.load = sw_kexec_load_standin,
	.close = sw_standin_tpm_stop,
};

/* The roots point at places that do not exist: nothing of the host can be read through them. */
static int set_paths(struct sw_machine *m)
{
	m->sys_root = sw_fmt("%s/sys", m->dir);
	m->dev_root = sw_fmt("%s/dev", m->dir);
	m->proc_root = sw_fmt("%s/proc", m->dir);
	m->udev_root = sw_fmt("%s/udev", m->dir);
	m->run_dir = sw_fmt("%s/run", m->dir);
	m->networkd = sw_fmt("%s/run/systemd", m->dir);
	m->stub = strdup("/usr/lib/systemd/boot/efi/linuxx64.efi.stub");
	if (!m->sys_root || !m->dev_root || !m->proc_root || !m->udev_root || !m->run_dir ||
	    !m->networkd || !m->stub)
		return -ENOMEM;
	if (m->standin->tpm) {
		m->tcti = sw_fmt("swtpm:path=%s/tpm.sock", m->run_dir);
		if (!m->tcti)
			return -ENOMEM;
	}
	for (size_t i = 0; i < m->standin->n_disks; i++)
		if (m->standin->disks[i].medium && !m->medium)
			return copy(&m->medium, "stand-in");
	return 0;
}

int sw_machine_open_standin(const char *dir, struct sw_machine **ret_machine, struct sw_error *err)
{
	_cleanup_machine_ struct sw_machine *m = calloc(1, sizeof(*m));
	_cleanup_free_ char *yaml = NULL;
	int r;

	if (!m)
		return sw_fail_oom(err);
	m->kind = SW_MACHINE_STANDIN;
	m->dir = realpath(dir, NULL);
	if (!m->dir) {
		r = -errno;
		sw_fail_errno(err, SW_EXIT_MISSING, r, "there is no stand-in machine");
		sw_error_where(err, "%s", dir);
		sw_error_hint(err, "make one with `slipway machine create DIR`");
		return r;
	}
	yaml = sw_fmt("%s/machine.yaml", m->dir);
	if (!yaml)
		return sw_fail_oom(err);
	r = sw_standin_load(yaml, &m->standin, err);
	if (r < 0)
		return r;
	r = set_paths(m);
	if (r < 0)
		return sw_fail_oom(err);
	if (mkdir(m->run_dir, 0700) < 0 && errno != EEXIST && errno != EROFS && errno != EACCES)
		return sw_fail_errno(err, SW_EXIT_FAILED, -errno, "cannot make %s", m->run_dir);
	sw_standin_clock_read(m);
	*ret_machine = TAKE_PTR(m);
	return 0;
}
