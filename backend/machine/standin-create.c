/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making a stand-in: the directory, machine.yaml, sparse images. Everything is
 * checked before anything is made, and a half-made directory is removed again
 * when it did not exist before.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "machine/private.h"
#include "base/text.h"

static int refuse(struct sw_error *err, size_t i, const char *why)
{
	int r = sw_fail(err, SW_EXIT_USAGE, -EINVAL, "disk %zu of the stand-in cannot be made",
			i + 1);

	sw_error_why(err, "%s", why);
	return r;
}

static bool plain(const char *s)
{
	return !s || (*s && strlen(s) <= 255 && sw_text_is_clean(s));
}

static int check_disk(const struct sw_standin_config *c, size_t i, struct sw_error *err)
{
	static const char *const transports[] = { "nvme", "sata", "usb", "virtio", "sas", "scsi",
						  "mmc" };
	const struct sw_standin_disk *d = &c->disks[i];
	uint32_t sector = d->sector ? d->sector : 512;
	bool known = !d->transport;

	for (size_t k = 0; !known && k < ARRAY_SIZE(transports); k++)
		known = strcmp(d->transport, transports[k]) == 0;
	if (!known)
		return refuse(err, i, "the transport is nvme, sata, usb, virtio, sas, scsi or mmc");
	if (sector != 512 && sector != 4096)
		return refuse(err, i, "the sector size is 512 or 4096");
	if (d->size == 0 || d->size % sector || d->size > INT64_MAX)
		return refuse(err, i, "the size is not a multiple of the sector size");
	if (!plain(d->serial) || !plain(d->model))
		return refuse(err, i, "serial and model are texts on one line, up to 255 bytes");
	return 0;
}

static int check_config(const struct sw_standin_config *c, struct sw_error *err)
{
	bool found = !c->medium_serial;

	for (size_t i = 0; i < c->n_disks; i++) {
		int r = check_disk(c, i, err);

		if (r < 0)
			return r;
		found = found || (c->disks[i].serial &&
				  strcmp(c->disks[i].serial, c->medium_serial) == 0);
	}
	return found ? 0 : sw_fail(err, SW_EXIT_USAGE, -EINVAL,
				   "no disk of the stand-in has the serial of the medium");
}

/* "sda" … "sdz", "sdaa": the kernel counts without a zero. */
static char *lettered(const char *prefix, unsigned int n)
{
	char letters[8] = {};
	size_t at = sizeof(letters) - 1;

	for (unsigned int v = n + 1; v > 0 && at > 0; v = (v - 1) / 26)
		letters[--at] = (char)('a' + (v - 1) % 26);
	return sw_fmt("%s%s", prefix, letters + at);
}

struct counts {
	unsigned int nvme, mmc, vd, sd;
};

static char *name_of(const char *transport, struct counts *n)
{
	if (strcmp(transport, "nvme") == 0)
		return sw_fmt("nvme%un1", n->nvme++);
	if (strcmp(transport, "mmc") == 0)
		return sw_fmt("mmcblk%u", n->mmc++);
	if (strcmp(transport, "virtio") == 0)
		return lettered("vd", n->vd++);
	return lettered("sd", n->sd++);
}

/* A place in the machine, in the form of udev's by-path names. */
static char *path_of(const char *transport, size_t i)
{
	if (strcmp(transport, "nvme") == 0)
		return sw_fmt("pci-0000:%02zx:00.0-nvme-1", i + 1);
	if (strcmp(transport, "usb") == 0)
		return sw_fmt("pci-0000:00:14.0-usb-0:%zu:1.0-scsi-0:0:0:0", i + 1);
	if (strcmp(transport, "sata") == 0)
		return sw_fmt("pci-0000:00:17.0-ata-%zu", i + 1);
	if (strcmp(transport, "virtio") == 0)
		return sw_fmt("virtio-pci-0000:00:%02zx.0", i + 4);
	return sw_fmt("pci-0000:00:1f.0-%s-%zu", transport, i + 1);
}

static int add_quoted(struct sw_buf *b, const char *key, const char *value)
{
	int r = value ? sw_buf_addf(b, "    %s: \"", key) : 0;

	for (const char *p = value; r == 0 && p && *p; p++)
		r = sw_buf_addf(b, *p == '"' || *p == '\\' ? "\\%c" : "%c", *p);
	return r == 0 && value ? sw_buf_adds(b, "\"\n") : r;
}

static int add_disk(struct sw_buf *b, const struct sw_standin_config *c, size_t i, struct counts *n)
{
	const struct sw_standin_disk *d = &c->disks[i];
	const char *transport = d->transport ? d->transport : "sata";
	_cleanup_free_ char *name = name_of(transport, n), *path = path_of(transport, i);
	bool medium = c->medium_serial && d->serial && strcmp(d->serial, c->medium_serial) == 0;
	int r;

	if (!name || !path)
		return -ENOMEM;
	r = sw_buf_addf(b, "  - name: %s\n", name);
	if (r == 0)
		r = add_quoted(b, "serial", d->serial);
	if (r == 0)
		r = add_quoted(b, "model", d->model);
	if (r == 0)
		r = add_quoted(b, "path", path);
	if (r == 0)
		r = sw_buf_addf(b, "    transport: %s\n    sector: %u\n    size: %" PRIu64 "\n"
				"    image: disk-%zu.img\n    removable: %s\n    medium: %s\n",
				transport, d->sector ? d->sector : 512, d->size, i + 1,
				strcmp(transport, "usb") == 0 ? "true" : "false",
				medium ? "true" : "false");
	return r;
}

static int write_yaml(const char *dir, const struct sw_standin_config *c)
{
	_cleanup_free_ char *path = sw_fmt("%s/machine.yaml", dir);
	_cleanup_buf_ struct sw_buf b = {};
	struct counts n = {};
	int r;

	if (!path)
		return -ENOMEM;
	r = sw_buf_addf(&b, "# A stand-in machine of slipway.\nmachine: 1\nname: stand-in\n"
			"firmware: %s\ntpm: %s\nmemory: 16G\ndisks:%s\n",
			c->bios ? "bios" : "uefi", c->no_tpm ? "false" : "true",
			c->n_disks ? "" : " []");
	for (size_t i = 0; r == 0 && i < c->n_disks; i++)
		r = add_disk(&b, c, i, &n);
	return r < 0 ? r : sw_file_write(path, b.data, b.len, 0644);
}

static int make_image(const char *dir, size_t i, uint64_t size)
{
	_cleanup_free_ char *path = sw_fmt("%s/disk-%zu.img", dir, i + 1);
	_cleanup_close_ int fd = -EBADF;

	if (!path)
		return -ENOMEM;
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	return fd < 0 || ftruncate(fd, (off_t)size) < 0 ? -errno : 0;
}

static int make_dirs(const char *dir)
{
	static const char *const names[] = { "vars", "tpm", "run", "medium" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *path = sw_fmt("%s/%s", dir, names[i]);

		if (!path)
			return -ENOMEM;
		if (mkdir(path, strcmp(names[i], "medium") == 0 ? 0755 : 0700) < 0)
			return -errno;
	}
	return 0;
}

static int fill(const char *dir, const struct sw_standin_config *c, struct sw_error *err)
{
	int r = make_dirs(dir);

	for (size_t i = 0; r == 0 && i < c->n_disks; i++)
		r = make_image(dir, i, c->disks[i].size);
	if (r == 0 && !c->bios)
		r = sw_standin_write_vars(dir, c->medium_serial != NULL, err);
	/* Last: a directory with this file is a whole machine. */
	if (r == 0)
		r = write_yaml(dir, c);
	if (r < 0) {
		sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot make the stand-in machine");
		sw_error_where(err, "%s", dir);
	}
	return r;
}

/* 1: new, 0: there and empty. */
static int claim_dir(const char *dir, struct sw_error *err)
{
	_cleanup_closedir_ DIR *list = NULL;
	const struct dirent *e;
	int r = 0;

	if (mkdir(dir, 0755) == 0)
		return 1;
	if (errno == EEXIST)
		list = opendir(dir);
	if (!list)
		r = -errno;
	while (list && r == 0 && (e = readdir(list)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			r = -ENOTEMPTY;
	if (r < 0) {
		sw_fail_errno(err, SW_EXIT_REFUSED, r, "cannot make a stand-in machine here");
		sw_error_where(err, "%s", dir);
		sw_error_hint(err, "name a directory that is empty or does not exist yet");
	}
	return r;
}

int sw_standin_create(const char *dir, const struct sw_standin_config *config,
		      struct sw_error *err)
{
	int r = check_config(config, err), made;

	if (r < 0)
		return r;
	made = claim_dir(dir, err);
	if (made < 0)
		return made;
	r = fill(dir, config, err);
	if (r < 0 && made)
		(void)sw_remove_tree(dir);
	return r;
}
