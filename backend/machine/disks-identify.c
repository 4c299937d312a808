/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who a disk is, from sysfs first and udev's database second: sysfs says the
 * same before and after udev has run, and a plan is bound to what is said here.
 */
#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "machine/private.h"
#include "base/text.h"

/* Unit serial number page of SCSI: 4 bytes of header, big-endian length at 2, then text. */
static char *vpd_serial(const struct sw_sysdir *dir)
{
	_cleanup_close_ int fd = openat(dir->fd, "device/vpd_pg80", O_RDONLY | O_CLOEXEC);
	_cleanup_buf_ struct sw_buf b = { .max = 4096 };
	_cleanup_free_ char *s = NULL;
	size_t n;

	if (fd < 0 || sw_fd_read(fd, &b) < 0 || b.len <= 4 || b.data[1] != 0x80)
		return NULL;
	n = (size_t)b.data[2] << 8 | b.data[3];
	if (n > b.len - 4)
		n = b.len - 4;
	s = strndup((const char *)b.data + 4, n);
	if (!s)
		return NULL;
	sw_text_clean(s);
	return *s ? TAKE_PTR(s) : NULL;
}

/* The cleaned first line of dir/name; NULL when missing or empty. */
static char *attr(const char *dir, const char *name)
{
	_cleanup_free_ char *path = sw_fmt("%s/%s", dir, name), *line = NULL;

	if (!path || sw_file_read_line(path, &line) < 0 || !*sw_text_clean(line))
		return NULL;
	return TAKE_PTR(line);
}

/* USB: the serial of the device that the interface belongs to, some directories up. */
static char *usb_serial(const char *real)
{
	_cleanup_free_ char *p = strdup(real);

	for (char *slash; p && (slash = strrchr(p, '/')) && strstr(p, "/usb");) {
		_cleanup_free_ char *product = attr(p, "idProduct");
		char *serial = product ? attr(p, "serial") : NULL;

		/* The first directory with a product is the device; above it are only hubs. */
		if (product)
			return serial;
		*slash = '\0';
	}
	return NULL;
}

/* One property ("E:KEY=value") of udev's record, cleaned; NULL when missing. */
static char *udev_property(const struct sw_buf *record, const char *key)
{
	const char *p = sw_buf_text(record);
	size_t n = strlen(key);

	for (; p; p = strchr(p, '\n'), p = p ? p + 1 : NULL)
		if (strncmp(p, "E:", 2) == 0 && strncmp(p + 2, key, n) == 0 && p[2 + n] == '=') {
			char *v = strndup(p + 3 + n, strcspn(p + 3 + n, "\n"));

			if (v && *sw_text_clean(v))
				return v;
			free(v);
			return NULL;
		}
	return NULL;
}

static const char *transport_of(const char *real, const char *name)
{
	/* In order: an outer bus carries inner ones (USB carries SCSI, ATA is shown as SCSI). */
	static const struct {
		const char *part, *transport;
	} known[] = {
		{ "/usb", "usb" },	    { "/session", "iscsi" },
		{ "/end_device-", "sas" },  { "/rport-", "fc" },
		{ "/ata", "sata" },	    { "/nvme", "nvme" },
		{ "/mmc_host", "mmc" },	    { "/virtio", "virtio" },
		{ "/virtual/block/loop", "loop" }, { "/host", "scsi" },
	};
	const char *top = strstr(real, "/devices/");

	real = top ? top : real;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strstr(real, known[i].part))
			return known[i].transport;
	return strncmp(name, "loop", 4) == 0 ? "loop" : NULL;
}

/* NULL, too, where it is not listed: most have few of them. */
static char *own_attr(const struct sw_sysdir *dir, const char *name)
{
	return sw_sysdir_has(dir, name) ? sw_sysdir_line(dir, name) : NULL;
}

/* What drivers keep below device/, which loop devices and the like do not have. */
static char *device_attr(const struct sw_sysdir *dir, const char *path)
{
	return sw_sysdir_has(dir, "device") ? sw_sysdir_line(dir, path) : NULL;
}

/*
 * "naa.…" is what udev and the labels on the bay call "0x…"; "t10." is no WWN
 * but vendor and serial.
 */
static char *kernel_wwn(const struct sw_sysdir *dir)
{
	_cleanup_free_ char *w = own_attr(dir, "wwid");

	if (!w)
		w = device_attr(dir, "device/wwid");
	if (!w || strncmp(w, "t10.", 4) == 0)
		return NULL;
	return strncmp(w, "naa.", 4) == 0 ? sw_fmt("0x%s", w + 4) : TAKE_PTR(w);
}

static void first(char **to, char *value)
{
	if (*to)
		free(value);
	else
		*to = value;
}

static void identify_serial(struct sw_disk *d, const struct sw_sysdir *dir, const char *real,
			    const struct sw_buf *udev)
{
	if (d->transport && strcmp(d->transport, "usb") == 0)
		first(&d->serial, usb_serial(real));
	first(&d->serial, own_attr(dir, "serial"));
	first(&d->serial, device_attr(dir, "device/serial"));
	first(&d->serial, sw_sysdir_has(dir, "device") ? vpd_serial(dir) : NULL);
	first(&d->serial, udev_property(udev, "ID_SERIAL_SHORT"));
}

/* What stands in "vendor" for ATA and virtio says nothing about who made the disk. */
static char *real_vendor(const struct sw_sysdir *dir)
{
	_cleanup_free_ char *v = device_attr(dir, "device/vendor");

	if (!v || strcmp(v, "ATA") == 0 || strncmp(v, "0x", 2) == 0)
		return NULL;
	return TAKE_PTR(v);
}

/* The file behind a loop device is the best name it has. */
static char *loop_model(const char *file)
{
	const char *base = file ? strrchr(file, '/') : NULL;

	char *model = base && base[1] ? strdup(base + 1) : NULL;

	return model ? sw_text_clean(model) : NULL;
}

static void read_udev(const struct sw_machine *m, const struct sw_sysdir *dir, struct sw_buf *b)
{
	_cleanup_free_ char *record = NULL;

	if (!m->udev_root || !dir->is_device)
		return;
	record = sw_fmt("%s/data/b%u:%u", m->udev_root, dir->number.major, dir->number.minor);
	if (record)
		(void)sw_file_read(record, b);
}

int sw_disk_identify(const struct sw_machine *m, const char *path, const struct sw_sysdir *dir,
		     const char *loop_file, struct sw_disk *d)
{
	_cleanup_free_ char *real = strstr(path, "/devices/") ? strdup(path) : realpath(path, NULL);
	_cleanup_buf_ struct sw_buf udev = { .max = 1 << 20 };
	const char *transport = transport_of(real ? real : path, d->name);

	read_udev(m, dir, &udev);
	if (transport) {
		d->transport = strdup(transport);
		if (!d->transport)
			return -ENOMEM;
	}
	identify_serial(d, dir, real ? real : path, &udev);
	first(&d->wwn, kernel_wwn(dir));
	first(&d->wwn, udev_property(&udev, "ID_WWN"));
	first(&d->model, device_attr(dir, "device/model"));
	first(&d->model, device_attr(dir, "device/name"));
	if (strncmp(d->name, "loop", 4) == 0)
		first(&d->model, loop_model(loop_file));
	first(&d->vendor, real_vendor(dir));
	first(&d->path, udev_property(&udev, "ID_PATH"));
	return 0;
}
