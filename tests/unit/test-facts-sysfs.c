/* SPDX-License-Identifier: Apache-2.0 */
/* Disks as the kernel shows them, on trees like those of real machines in a scratch directory. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>

#include "base/file.h"
#include "boot/varstore.h"
#include "machine/machine.h"
#include "base/strv.h"
#include "base/text.h"
#include "tests/lib/tree.h"

static void test_nvme_says_who_it_is(void **state SW_UNUSED)
{
	_cleanup_tree_ struct tree *t = tree_new();
	_cleanup_free_ char *d = put_disk(t, "pci0000:00/0000:01:00.0/nvme/nvme0", "nvme0n1",
					  "259:0\n");
	_cleanup_facts_ struct sw_facts *f = NULL;
	const struct sw_disk *x;

	put_link(t, "sys/devices/pci0000:00/0000:01:00.0/nvme/nvme0/nvme0n1/device",
		 "sys/devices/pci0000:00/0000:01:00.0/nvme/nvme0");
	put(t, "sys/devices/pci0000:00/0000:01:00.0/nvme/nvme0/serial", "S4EVNX0   \n");
	put(t, "sys/devices/pci0000:00/0000:01:00.0/nvme/nvme0/model", "SAMSUNG MZ\xff     \n");
	putf(t, d, "wwid", "eui.0025385a91b0c1d2\n");
	putf(t, d, "diskseq", "9\n");
	putf(t, d, "queue/logical_block_size", "4096\n");
	put(t, "udev/data/b259:0", "S:disk/by-path/x\nE:ID_PATH=pci-0000:01:00.0-nvme-1\n");
	f = facts_of(t);
	x = disk(f, "nvme0n1");
	assert_string_equal(x->serial, "S4EVNX0");
	assert_string_equal(x->model, "SAMSUNG MZ?");
	assert_string_equal(x->wwn, "eui.0025385a91b0c1d2");
	assert_string_equal(x->transport, "nvme");
	assert_string_equal(x->path, "pci-0000:01:00.0-nvme-1");
	assert_int_equal(x->sector, 4096);
	assert_int_equal(x->size, 8 << 20);
	assert_int_equal(x->diskseq, 9);
	assert_null(x->uses);
}

static void test_whether_the_kernel_starts_another_one(void **state SW_UNUSED)
{
	static const struct { const char *disabled, *lockdown, *why; } kernels[] = {
		{ NULL, NULL, "built without kexec" },
		{ "1\n", "[none] integrity confidentiality\n", "switched off" },
		{ "0\n", "none [integrity] confidentiality\n", "locked down" },
		{ "0\n", "[none] integrity confidentiality\n", NULL },
		{ "0\n", NULL, NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kernels); i++) {
		_cleanup_tree_ struct tree *t = tree_new();
		_cleanup_facts_ struct sw_facts *f = NULL;

		if (kernels[i].disabled)
			put(t, "proc/sys/kernel/kexec_load_disabled", kernels[i].disabled);
		if (kernels[i].lockdown)
			put(t, "sys/kernel/security/lockdown", kernels[i].lockdown);
		f = facts_of(t);
		assert_int_equal(f->no_kexec == NULL, kernels[i].why == NULL);
		assert_true(!f->no_kexec || strstr(f->no_kexec, kernels[i].why));
	}
}

static void test_sata_serial_is_the_disks_own(void **state SW_UNUSED)
{
	/* eight bytes of text; what follows does not belong to it */
	static const uint8_t page[] = { 0, 0x80, 0, 8, ' ', 'W', 'D', '-', '1', '2', '3', ' ',
					'X' };
	_cleanup_tree_ struct tree *t = tree_new();
	_cleanup_free_ char *d = put_disk(t, "pci0000:00/ata1/host0/target0:0:0/0:0:0:0/block",
					  "sda", "8:0\n");
	_cleanup_free_ char *vpd = sw_fmt("%s/device/vpd_pg80", d);
	_cleanup_facts_ struct sw_facts *f = NULL;

	put_bytes(t, vpd, page, sizeof(page));
	putf(t, d, "device/vendor", "ATA     \n");
	putf(t, d, "device/model", "WDC WD40\n");
	putf(t, d, "device/wwid", "naa.50014ee2b5e7a1c9\n");
	putf(t, d, "queue/rotational", "1\n");
	put(t, "udev/data/b8:0", "E:ID_SERIAL_SHORT=other\nE:ID_WWN=0x1\n");
	f = facts_of(t);
	assert_string_equal(disk(f, "sda")->serial, "WD-123");
	assert_null(disk(f, "sda")->vendor);
	assert_string_equal(disk(f, "sda")->wwn, "0x50014ee2b5e7a1c9");
	assert_string_equal(disk(f, "sda")->transport, "sata");
	assert_true(disk(f, "sda")->rotational);
}

static void test_udev_fills_what_sysfs_lacks(void **state SW_UNUSED)
{
	_cleanup_tree_ struct tree *t = tree_new();
	_cleanup_free_ char *d = put_disk(t, "pci0000:00/ata1/host0/target0:0:0/0:0:0:0/block",
					  "sda", "8:0\n");
	_cleanup_facts_ struct sw_facts *f = NULL;

	/* vendor and serial in one, no world wide name */
	putf(t, d, "device/wwid", "t10.ATA     QEMU HARDDISK\n");
	put(t, "udev/data/b8:0", "N:sda\nE:XID_SERIAL_SHORT=no\nE:ID_SERIAL_SHORT=QM00001\n"
				 "E:ID_WWN=0x5000c500a1b2c3d4\n");
	f = facts_of(t);
	assert_string_equal(disk(f, "sda")->serial, "QM00001");
	assert_string_equal(disk(f, "sda")->wwn, "0x5000c500a1b2c3d4");
}

static void test_usb_serial_is_the_devices_not_the_hubs(void **state SW_UNUSED)
{
	static const char where[] =
		"pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0/host6/target6:0:0/6:0:0:0/block";
	_cleanup_tree_ struct tree *t = tree_new();
	_cleanup_free_ char *d = put_disk(t, where, "sdb", "8:16\n");
	_cleanup_facts_ struct sw_facts *f = NULL, *g = NULL;

	put(t, "sys/devices/pci0000:00/0000:00:14.0/usb1/idProduct", "0002\n");
	put(t, "sys/devices/pci0000:00/0000:00:14.0/usb1/serial", "0000:00:14.0\n");
	put(t, "sys/devices/pci0000:00/0000:00:14.0/usb1/1-2/idProduct", "5581\n");
	putf(t, d, "removable", "1\n");
	putf(t, d, "device/vendor", "SanDisk \n");
	f = facts_of(t);
	assert_null(disk(f, "sdb")->serial);
	put(t, "sys/devices/pci0000:00/0000:00:14.0/usb1/1-2/serial", "4C5310\n");
	g = facts_of(t);
	assert_string_equal(disk(g, "sdb")->serial, "4C5310");
	assert_string_equal(disk(g, "sdb")->vendor, "SanDisk");
	assert_string_equal(disk(g, "sdb")->transport, "usb");
	assert_true(disk(g, "sdb")->removable);
}

static void test_virtio_disks_are_told_apart_by_serial(void **state SW_UNUSED)
{
	_cleanup_tree_ struct tree *t = tree_new();
	_cleanup_free_ char *a = put_disk(t, "pci0000:00/0000:00:04.0/virtio1/block", "vda",
					  "254:0\n");
	_cleanup_free_ char *b = put_disk(t, "pci0000:00/0000:00:05.0/virtio2/block", "vdb",
					  "254:16\n");
	_cleanup_facts_ struct sw_facts *f = NULL;

	putf(t, a, "serial", "NODE07SYS\n");
	putf(t, a, "device/vendor", "0x1af4\n");
	putf(t, b, "serial", "\n");
	f = facts_of(t);
	assert_int_equal(f->n_disks, 2);
	assert_string_equal(disk(f, "vda")->serial, "NODE07SYS");
	assert_null(disk(f, "vdb")->serial);
	assert_null(disk(f, "vda")->vendor);
	assert_string_equal(disk(f, "vdb")->transport, "virtio");
}

static void test_identical_models_stay_two_disks(void **state SW_UNUSED)
{
	_cleanup_tree_ struct tree *t = tree_new();
	_cleanup_free_ char *a = put_disk(t, "pci0000:00/host0/port-0:0/end_device-0:0/target0:0:0/"
					  "0:0:0:0/block", "sda", "8:0\n");
	_cleanup_free_ char *b = put_disk(t, "pci0000:00/host0/port-0:1/end_device-0:1/target0:0:1/"
					  "0:0:1:0/block", "sdb", "8:16\n");
	_cleanup_facts_ struct sw_facts *f = NULL;

	putf(t, a, "device/model", "ST4000\n");
	putf(t, b, "device/model", "ST4000\n");
	putf(t, a, "device/wwid", "naa.5000c50000000001\n");
	putf(t, b, "device/wwid", "naa.5000c50000000002\n");
	f = facts_of(t);
	assert_string_equal(disk(f, "sda")->model, disk(f, "sdb")->model);
	assert_string_not_equal(disk(f, "sda")->wwn, disk(f, "sdb")->wwn);
	assert_string_equal(disk(f, "sda")->transport, "sas");
}

static void test_mounts_swap_and_holders_are_named(void **state SW_UNUSED)
{
	_cleanup_tree_ struct tree *t = tree_new();
	_cleanup_free_ char *a = put_disk(t, "pci0000:00/ata1/host0/block", "sda", "8:0\n");
	_cleanup_free_ char *b = put_disk(t, "pci0000:00/ata2/host1/block", "sdb", "8:16\n");
	_cleanup_free_ char *c = put_disk(t, "pci0000:00/ata3/host2/block", "sdc", "8:32\n");
	_cleanup_free_ char *e = put_disk(t, "pci0000:00/ata4/host3/block", "sdd", "8:48\n");
	_cleanup_free_ char *dm = put_disk(t, "virtual/block", "dm-0", "253:0\n");
	_cleanup_facts_ struct sw_facts *f = NULL;

	put_part(t, a, "sda1", "8:1\n");
	put_part(t, a, "sda2", "8:2\n");
	put_part(t, b, "sdb1", "8:17\n");
	put_part(t, c, "sdc1", "8:33\n");
	putf(t, b, "sdb1/holders/dm-0/dm/name", "vg-root\n");
	putf(t, b, "holders/md127/x", "");
	putf(t, dm, "dm/name", "vg-root\n");
	put(t, "proc/self/mountinfo",
	    "23 1 8:1 / / rw - ext4 /dev/root rw\n"
	    "24 23 8:1 /x /var/a\\040b rw shared:1 - ext4 /dev/root rw\n"
	    "25 23 0:38 / /data rw - btrfs /dev/sdc1 rw\n"
	    "26 23 0:5 / /proc rw - proc proc rw\nshort line\n");
	put(t, "proc/swaps", "Filename Type Size Used Priority\n/dev/sda2 partition 1 0 -2\n");
	f = facts_of(t);
	assert_true(has_use(disk(f, "sda"), "sda1 is mounted at / (and 1 more)"));
	assert_true(has_use(disk(f, "sda"), "sda2 is used as swap"));
	assert_true(has_use(disk(f, "sdb"), "sdb1 is held by vg-root"));
	assert_true(has_use(disk(f, "sdb"), "sdb is held by md127"));
	assert_true(has_use(disk(f, "sdc"), "sdc1 is mounted at /data"));
	assert_null(disk(f, "sdd")->uses);
	assert_true(has_use(disk(f, "dm-0"), "it is a device mapper device (vg-root), not a disk"));
	assert_string_equal(e, "sys/devices/pci0000:00/ata4/host3/block/sdd");
}

static void test_what_cannot_be_read_stays_listed_with_the_reason(void **state SW_UNUSED)
{
	_cleanup_tree_ struct tree *t = tree_new();
	_cleanup_free_ char *a = put_disk(t, "pci0000:00/ata1/host0/block", "sda", "8:0\n");
	_cleanup_free_ char *b = put_disk(t, "pci0000:00/usb1/1-1/host1/block", "sdb", "8:16\n");
	_cleanup_free_ char *gone = sw_fmt("%s/dev/sda", t->top);
	_cleanup_facts_ struct sw_facts *f = NULL;

	putf(t, b, "size", "0\n");
	putf(t, b, "ro", "1\n");
	putf(t, b, "queue/zoned", "host-managed\n");
	assert_string_equal(a, "sys/devices/pci0000:00/ata1/host0/block/sda");
	assert_int_equal(unlink(gone), 0);
	f = facts_of(t);
	assert_true(has_use(disk(f, "sda"), "sda cannot be read: No such file or directory"));
	assert_true(has_use(disk(f, "sdb"), "sdb has no medium in it"));
	assert_true(has_use(disk(f, "sdb"), "sdb is read-only"));
	assert_true(has_use(disk(f, "sdb"),
			    "sdb is a zoned disk, which must be written in sequence"));
	assert_true(disk(f, "sdb")->read_only);
}

static void test_only_disks_are_listed(void **state SW_UNUSED)
{
	static const char *const names[] = { "ram0", "zram0", "fd0", "loop3", "sr0", "nbd0",
					     "mmcblk0boot0", "mmcblk0rpmb" };
	_cleanup_tree_ struct tree *t = tree_new();
	_cleanup_free_ char *backed = put_disk(t, "virtual/block", "loop4", "7:4\n");
	_cleanup_free_ char *hidden = put_disk(t, "pci/nvme/nvme0", "nvme0c0n1", "259:1\n");
	_cleanup_free_ char *own = put_disk(t, "virtual/block", "loop5", "7:5\n");
	_cleanup_facts_ struct sw_facts *f = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *d = put_disk(t, "virtual/block", names[i], "1:1\n");

		if (strcmp(names[i], "nbd0") == 0)
			putf(t, d, "size", "0\n");
	}
	putf(t, backed, "loop/backing_file", "/srv/images/disk.img\n");
	putf(t, hidden, "hidden", "1\n");
	putf(t, own, "loop/backing_file", "/usr.squashfs\n");
	putf(t, own, "ro", "1\n");
	f = facts_of(t);
	assert_int_equal(f->n_disks, 1);
	assert_string_equal(f->disks[0].name, "loop4");
	assert_string_equal(f->disks[0].model, "disk.img");
	assert_string_equal(f->disks[0].transport, "loop");
}

/* The one of a shell in the state goes with it; all others are somebody's, ones like it too. */
static void test_what_a_shell_in_the_state_stands_on_is_no_disk(void **state SW_UNUSED)
{
	static const struct { const char *disk, *name, *uuid; bool listed; } maps[] = {
		{ "dm-0", "slipway-state", "CRYPT-LUKS2-0a1b2c3d4e5f-slipway-state", false },
		{ "dm-1", "state", "CRYPT-LUKS2-0a1b2c3d4e5f-state", true },
		{ "dm-2", "slipway-state", "LVM-0a1b2c3d4e5f", true },
		{ "dm-3", "slipway-nvme0n1-4", "CRYPT-LUKS2-0a1b2c3d4e5f-slipway-nvme0n1-4",
		  true },
		{ "dm-4", "slipway-state", NULL, true },
	};
	_cleanup_tree_ struct tree *t = tree_new();
	_cleanup_free_ char *a = put_disk(t, "pci0000:00/ata1/host0/block", "sda", "8:0\n");
	_cleanup_facts_ struct sw_facts *f = NULL;

	put_part(t, a, "sda1", "8:1\n");
	putf(t, a, "sda1/holders/dm-0/dm/name", "slipway-state\n");
	for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
		_cleanup_free_ char *d = put_disk(t, "virtual/block", maps[i].disk, "253:0\n");

		putf(t, d, "dm/name", maps[i].name);
		if (maps[i].uuid)
			putf(t, d, "dm/uuid", maps[i].uuid);
	}
	f = facts_of(t);
	for (size_t i = 0; i < ARRAY_SIZE(maps); i++)
		assert_int_equal(sw_facts_disk(f, maps[i].disk) != NULL, maps[i].listed);
	/* What it stands on is in use all the same. */
	assert_true(has_use(disk(f, "sda"), "sda1 is held by slipway-state"));
}

/* The least that libblkid takes for iso9660: one primary volume descriptor and the end. */
static void make_iso(struct tree *t, const char *name)
{
	_cleanup_free_ char *path = sw_fmt("%s/dev/%s", t->top, name);
	_cleanup_close_ int fd = open(path, O_RDWR | O_CLOEXEC);
	uint8_t pvd[2048] = { 1, 'C', 'D', '0', '0', '1', 1 };
	uint8_t end[2048] = { 255, 'C', 'D', '0', '0', '1', 1 };

	memset(pvd + 40, ' ', 32);
	memcpy(pvd + 40, "SLIPWAY", 7);
	memcpy(pvd + 813, "2024051713420700", 16);
	memcpy(pvd + 830, "2024051713420700", 16);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, pvd, sizeof(pvd), 32768), sizeof(pvd));
	assert_int_equal(pwrite(fd, end, sizeof(end), 32768 + 2048), sizeof(end));
}

static void test_the_medium_is_known_by_its_uuid(void **state SW_UNUSED)
{
	_cleanup_tree_ struct tree *t = tree_new();
	_cleanup_free_ char *a = put_disk(t, "pci/usb1/1-1/host1/block", "sda", "8:0\n");
	_cleanup_free_ char *b = put_disk(t, "pci/usb1/1-2/host2/block", "sdb", "8:16\n");
	_cleanup_free_ char *c = put_disk(t, "pci/ata1/host3/block", "sr0", "11:0\n");
	_cleanup_facts_ struct sw_facts *f = NULL, *g = NULL, *h = NULL;

	assert_true(a && b && c);
	make_iso(t, "sdb");
	f = facts_of(t);
	assert_false(disk(f, "sdb")->medium);
	t->m->medium = strdup("2024-05-17-13-42-07-00");
	g = facts_of(t);
	assert_int_equal(g->n_disks, 2);
	assert_false(disk(g, "sda")->medium);
	assert_true(disk(g, "sdb")->medium);
	/* A drive with the disc in it appears; with another disc it does not. */
	make_iso(t, "sr0");
	h = facts_of(t);
	assert_true(disk(h, "sr0")->medium);
}

static void test_500_disks_stay_linear(void **state SW_UNUSED)
{
	_cleanup_tree_ struct tree *t = tree_new();
	_cleanup_buf_ struct sw_buf mounts = {};
	_cleanup_facts_ struct sw_facts *f = NULL;
	struct timespec a, b;

	for (unsigned int i = 0; i < 500; i++) {
		_cleanup_free_ char *name = sw_fmt("nvme%un1", i), *dev = sw_fmt("259:%u\n", i);
		_cleanup_free_ char *where = sw_fmt("pci/nvme/nvme%u", i);
		_cleanup_free_ char *d = put_disk(t, where, name, dev);

		assert_non_null(d);
		assert_int_equal(sw_buf_addf(&mounts, "1 1 259:%u / /m%u rw - ext4 x rw\n", i, i),
				 0);
	}
	put(t, "proc/self/mountinfo", sw_buf_text(&mounts));
	clock_gettime(CLOCK_MONOTONIC, &a);
	f = facts_of(t);
	clock_gettime(CLOCK_MONOTONIC, &b);
	assert_int_equal(f->n_disks, 500);
	assert_string_equal(f->disks[499].name, "nvme499n1");
	assert_true(has_use(&f->disks[250], "nvme250n1 is mounted at /m250"));
	/* About 1 ms a disk on a slow machine; anything quadratic would be far beyond. */
	assert_true(b.tv_sec - a.tv_sec < 30);
}

static void test_the_machine_itself_is_described(void **state SW_UNUSED)
{
	_cleanup_tree_ struct tree *t = tree_new();
	_cleanup_free_ char *vars = sw_fmt("%s/vars", t->top);
	_cleanup_facts_ struct sw_facts *f = NULL;

	put(t, "sys/block/.keep", "");
	put(t, "sys/class/dmi/id/sys_vendor", "Dell Inc.\n");
	put(t, "sys/class/dmi/id/product_name", "PowerEdge R640\n");
	put(t, "sys/class/dmi/id/product_serial", "7CDV\033[31m\n");
	put(t, "sys/firmware/efi/fw_platform_size", "64\n");
	put(t, "proc/sys/kernel/hostname", "node-07\n");
	put(t, "proc/sys/kernel/random/boot_id", "a-b-c\n");
	put(t, "proc/meminfo", "MemFree: 1 kB\nMemTotal:       16384 kB\n");
	put(t, "sys/class/net/lo/type", "772\n");
	put(t, "sys/class/net/eth0/type", "1\n");
	put(t, "sys/class/net/eth0/address", "52:54:00:12:34:56\n");
	put(t, "sys/class/net/eth0/carrier", "1\n");
	put(t, "sys/bus/virtio/drivers/virtio_net/x", "");
	put_link(t, "sys/class/net/eth0/device/driver", "sys/bus/virtio/drivers/virtio_net");
	assert_int_equal(sw_mkdir_all(vars, 0700), 0);
	assert_int_equal(sw_varstore_open_files(vars, 0, &t->m->vars, NULL), 0);
	assert_int_equal(sw_varstore_plant(t->m->vars, &sw_guid_global, "SecureBoot", "\1", 1, 6),
			 0);
	f = facts_of(t);
	assert_int_equal(f->firmware, SW_FIRMWARE_UEFI);
	assert_true(f->secure_boot);
	assert_false(f->setup_mode);
	assert_string_equal(f->vendor, "Dell Inc.");
	assert_string_equal(f->serial, "7CDV?[31m");
	assert_string_equal(f->machine_name, "node-07");
	assert_string_equal(f->boot_id, "a-b-c");
	assert_int_equal(f->memory, 16 << 20);
	assert_false(f->tpm_present);
	assert_int_equal(f->n_links, 1);
	assert_string_equal(f->links[0].name, "eth0");
	assert_string_equal(f->links[0].driver, "virtio_net");
	assert_true(f->links[0].carrier);
	assert_null(f->links[0].addresses);
}

static void test_a_tpm_that_is_no_tpm_becomes_a_note(void **state SW_UNUSED)
{
	_cleanup_tree_ struct tree *t = tree_new();
	_cleanup_facts_ struct sw_facts *f = NULL;

	put(t, "sys/block/.keep", "");
	put(t, "dev/tpmrm0", "");
	f = facts_of(t);
	assert_false(f->tpm_present);
	assert_int_equal(sw_strv_len(f->notes), 1);
	assert_memory_equal(f->notes[0], "TPM: ", 5);
}

static bool is_second(const struct sw_disk *d, void *arg)
{
	return strcmp(d->name, arg) == 0;
}

static void test_a_second_look_opens_only_what_is_asked_for(void **state SW_UNUSED)
{
	_cleanup_tree_ struct tree *t = tree_new();
	_cleanup_free_ char *a = put_disk(t, "pci/ata1/host0/block", "sda", "8:0\n");
	_cleanup_free_ char *b = put_disk(t, "pci/ata2/host1/block", "sdb", "8:16\n");
	_cleanup_free_ char *gone = sw_fmt("%s/dev/sda", t->top);
	_cleanup_facts_ struct sw_facts *f = NULL;
	char second[] = "sdb";

	assert_true(a && b);
	/* Opened, it would be a disk that cannot be read. */
	assert_int_equal(unlink(gone), 0);
	assert_int_equal(sw_machine_facts_only(t->m, is_second, second, &f, NULL), 0);
	assert_int_equal(f->n_disks, 2);
	assert_null(disk(f, "sda")->uses);
	assert_int_equal(strlen(disk(f, "sda")->table.digest), 0);
	assert_int_equal(strlen(disk(f, "sdb")->table.digest), 64);
}

static void test_opening_refuses_a_disk_that_was_exchanged(void **state SW_UNUSED)
{
	_cleanup_tree_ struct tree *t = tree_new();
	_cleanup_free_ char *a = put_disk(t, "pci/ata1/host0/block", "sda", "8:0\n");
	_cleanup_free_ char *node = sw_fmt("%s/dev/sda", t->top);
	_cleanup_facts_ struct sw_facts *f = facts_of(t);
	_cleanup_io_ struct sw_io *io = NULL, *second = NULL, *other = NULL;
	struct sw_error err = {}, err2 = {};

	assert_non_null(a);
	assert_int_equal(sw_machine_open_disk(t->m, &f->disks[0], true, true, &io, NULL), 0);
	assert_int_equal(sw_machine_open_disk(t->m, &f->disks[0], true, true, &second, &err),
			 -EWOULDBLOCK);
	assert_int_equal(err.exit, SW_EXIT_REFUSED);
	io = sw_io_close(io);
	assert_int_equal(truncate(node, 4 << 20), 0);
	assert_int_equal(sw_machine_open_disk(t->m, &f->disks[0], true, true, &other, &err2),
			 -ESTALE);
	assert_int_equal(err2.exit, SW_EXIT_REFUSED);
	assert_null(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nvme_says_who_it_is),
		cmocka_unit_test(test_whether_the_kernel_starts_another_one),
		cmocka_unit_test(test_sata_serial_is_the_disks_own),
		cmocka_unit_test(test_udev_fills_what_sysfs_lacks),
		cmocka_unit_test(test_usb_serial_is_the_devices_not_the_hubs),
		cmocka_unit_test(test_virtio_disks_are_told_apart_by_serial),
		cmocka_unit_test(test_identical_models_stay_two_disks),
		cmocka_unit_test(test_mounts_swap_and_holders_are_named),
		cmocka_unit_test(test_what_cannot_be_read_stays_listed_with_the_reason),
		cmocka_unit_test(test_only_disks_are_listed),
		cmocka_unit_test(test_what_a_shell_in_the_state_stands_on_is_no_disk),
		cmocka_unit_test(test_the_medium_is_known_by_its_uuid),
		cmocka_unit_test(test_500_disks_stay_linear),
		cmocka_unit_test(test_the_machine_itself_is_described),
		cmocka_unit_test(test_a_tpm_that_is_no_tpm_becomes_a_note),
		cmocka_unit_test(test_a_second_look_opens_only_what_is_asked_for),
		cmocka_unit_test(test_opening_refuses_a_disk_that_was_exchanged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
