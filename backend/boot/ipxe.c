/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/ipxe.h"

#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "boot/slot-private.h"
#include "boot/uki.h"

#define BINARY_MAX (32u << 20)

/*
 * iPXE gives the image's name to it as load options, and systemd's stub takes those
 * for the kernel's command line in place of its own (seen: "boot.efi" alone, without
 * panic=). An empty name leaves the stub its own.
 */
char *sw_ipxe_script(const char *uri, const char *mac)
{
	bool one = mac && *mac;

	return sw_fmt("#!ipxe\n"
		      "# Written by slipway. Every step ends by itself; exit 1 lets the firmware\n"
		      "# go on with its boot order.\n"
		      "echo slipway: starting from the network\n"
		      "%s%s%s"
		      "ifconf --timeout 15000 %s || goto failed\n"
		      "chain --name= --timeout 30000 %s || goto failed\n"
		      ":failed\n"
		      "echo slipway: the network did not work out\n"
		      "exit 1\n",
		      one ? "set card:int32 0\n:look\nisset ${net${card}/mac} || goto failed\n"
			    "iseq ${net${card}/mac} " : "",
		      one ? mac : "",
		      one ? " && goto found ||\ninc card\ngoto look\n:found\n" : "",
		      one ? "net${card}" : "", uri);
}

static int refuse(struct sw_error *err, const char *where, const char *what, const char *why,
		  const char *hint)
{
	sw_fail(err, SW_EXIT_INVALID, -EINVAL, "%s", what);
	sw_error_where(err, "%s", where);
	sw_error_why(err, "%s", why);
	sw_error_hint(err, "%s", hint);
	return -EINVAL;
}

static bool holds(const struct sw_buf *b, const char *text)
{
	return memmem(b->data, b->len, text, strlen(text)) != NULL;
}

int sw_ipxe_check(const char *path, bool secure_boot, const char *where, struct sw_error *err)
{
	_cleanup_buf_ struct sw_buf b = { .max = BINARY_MAX };
	struct sw_uki_info info = {};
	int r = sw_uki_inspect(path, &info, err);
	bool is_signed = r == 0 && info.is_signed;

	sw_uki_info_clear(&info);
	if (r < 0)
		return r;
	r = sw_file_read(path, &b);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "the iPXE binary cannot be read");
	if (!holds(&b, "#!ipxe"))
		return refuse(err, where, "this is not iPXE",
			      "the program does not know iPXE's scripts",
			      "give an iPXE binary such as ipxe.efi or snponly.efi");
	if (!holds(&b, "autoexec.ipxe"))
		return refuse(err, where, "this iPXE is too old",
			      "it does not look for a script beside it (autoexec.ipxe)",
			      "give one that was built since 2022");
	if (!secure_boot || is_signed)
		return 0;
	sw_fail(err, SW_EXIT_REFUSED, -EPERM, "the iPXE binary is not signed");
	sw_error_where(err, "%s", where);
	sw_error_why(err, "Secure Boot is on: the firmware would refuse it");
	sw_error_hint(err, "sign it for this machine, use via: http, or turn Secure Boot off");
	return -EPERM;
}

static int fill(const char *binary, const char *script, const char *out, int64_t time,
		struct sw_error *err)
{
	static const char *const folders[] = { "::/EFI", "::/EFI/IPXE", NULL };
	const struct sw_slot_file files[] = {
		{ binary, "::/EFI/IPXE/IPXE.EFI" }, { script, "::/EFI/IPXE/autoexec.ipxe" }, {},
	};

	return sw_slot_fill_fs(out, time, folders, files, err);
}

int sw_ipxe_build(const char *binary, const char *script, int64_t time, uint64_t size,
		  uint32_t sector, uint32_t volume_id, const char *out, struct sw_error *err)
{
	_cleanup_free_ char *text = sw_fmt("%s.script", out);
	int r = text ? 0 : -ENOMEM;

	if (r == 0)
		r = sw_file_write(text, script, strlen(script), 0644);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot write iPXE's script");
	r = sw_slot_make_fs(out, size, sector, volume_id, "SLIPWAYNET", err);
	if (r == 0)
		r = fill(binary, text, out, time, err);
	(void)unlink(text);
	if (r < 0)
		(void)unlink(out);
	return r;
}
