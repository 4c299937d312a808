/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a stand-in's firmware has in its store before slipway comes: its own
 * shell, a network entry and, when there is a medium, the entry that it was
 * started by. None of these is ours, so an install must leave them alone.
 * Device path nodes: UEFI 2.10, chapter 10.
 */
#include <string.h>

#include "base/file.h"
#include "boot/loadopt.h"
#include "boot/varstore.h"
#include "machine/private.h"

#define BS_RT (SW_VAR_BOOTSERVICE | SW_VAR_RUNTIME)

/* The root bridge (ACPI: PNP0A03, 0), then Pci(device, function). */
#define PCI_ROOT 0x02, 0x01, 12, 0, 0xd0, 0x41, 0x03, 0x0a, 0, 0, 0, 0
#define PCI(device, function) 0x01, 0x01, 6, 0, (function), (device)
#define END 0x7f, 0xff, 4, 0

/* MAC() of an Ethernet card (type 1), then IPv4() with everything to be found by DHCP. */
static const uint8_t network_path[] = {
	PCI_ROOT, PCI(3, 0),
	0x03, 0x0b, 37, 0, 0x52, 0x54, 0x00, 0x12, 0x34, 0x56,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
	0x03, 0x0c, 27, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	END
};

/* A file of the firmware's own volume, by the GUIDs that EDK2 gives its shell. */
static const uint8_t shell_path[] = {
	0x04, 0x07, 20, 0, 0xc9, 0xbd, 0xb8, 0x7c, 0xeb, 0xf8, 0x34, 0x4f,
	0xaa, 0xea, 0x3e, 0xe4, 0xaf, 0x65, 0x16, 0xa1,
	0x04, 0x06, 20, 0, 0x83, 0xa5, 0x04, 0x7c, 0x3e, 0x9e, 0x1c, 0x4f,
	0xad, 0x65, 0xe0, 0x52, 0x68, 0xd0, 0xb4, 0xd1,
	END
};

/* USB(port 1, interface 0) */
static const uint8_t usb_path[] = {
	PCI_ROOT, PCI(0x14, 0), 0x03, 0x05, 6, 0, 1, 0, END
};

static int plant(struct sw_varstore *s, const char *name, const void *data, size_t len,
		 uint32_t attrs)
{
	return sw_varstore_plant(s, &sw_guid_global, name, data, len, attrs);
}

static int plant_entry(struct sw_varstore *s, const char *name, const char *label,
		       const uint8_t *path, size_t len)
{
	_cleanup_buf_ struct sw_buf b = {};
	int r = sw_loadopt_build(SW_LOADOPT_ACTIVE, label, path, len, NULL, 0, &b);

	return r < 0 ? r : plant(s, name, b.data, b.len, SW_VAR_NV_BS_RT);
}

/* Numbers are two bytes, little endian. */
static int plant_order(struct sw_varstore *s, bool medium)
{
	static const uint8_t with[] = { 2, 0, 1, 0, 0, 0 }, without[] = { 1, 0, 0, 0 };
	static const uint8_t timeout[] = { 3, 0 };
	int r;

	if (medium)
		r = plant(s, "BootOrder", with, sizeof(with), SW_VAR_NV_BS_RT);
	else
		r = plant(s, "BootOrder", without, sizeof(without), SW_VAR_NV_BS_RT);
	if (r == 0)
		r = plant(s, "BootCurrent", medium ? with : without, 2, BS_RT);
	return r < 0 ? r : plant(s, "Timeout", timeout, sizeof(timeout), SW_VAR_NV_BS_RT);
}

int sw_standin_write_vars(const char *dir, bool medium, struct sw_error *err)
{
	_cleanup_free_ char *vars = sw_fmt("%s/vars", dir);
	_cleanup_varstore_ struct sw_varstore *s = NULL;
	int r = vars ? sw_varstore_open_files(vars, 0, &s, err) : -ENOMEM;

	if (r == 0)
		r = plant_entry(s, "Boot0000", "EFI Internal Shell", shell_path,
				sizeof(shell_path));
	if (r == 0)
		r = plant_entry(s, "Boot0001", "UEFI PXEv4 (MAC:525400123456)", network_path,
				sizeof(network_path));
	if (r == 0 && medium)
		r = plant_entry(s, "Boot0002", "UEFI USB medium", usb_path, sizeof(usb_path));
	if (r == 0)
		r = plant_order(s, medium);
	if (r == 0)
		r = plant(s, "SecureBoot", "", 1, BS_RT);
	return r < 0 ? r : plant(s, "SetupMode", "", 1, BS_RT);
}
