/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/ipxe.h"

#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/hash.h"
#include "boot/fat32.h"
#include "boot/slot-private.h"
#include "boot/uki.h"

#define BINARY_MAX (32u << 20)
/* What mtools calls autoexec.ipxe for readers of short names, such as ours. */
#define SCRIPT_PATH "\\EFI\\IPXE\\AUTOEX~1.IPX"

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

int sw_ipxe_to_node_data(json_object *node_data, const char *binary, const char *script)
{
	char hex[2][SW_SHA256_TEXT];
	json_object *o;
	int r = sw_sha256_file(binary, hex[0]);

	if (r == 0)
		r = sw_sha256(script, strlen(script), hex[1]);
	if (r < 0)
		return r;
	o = json_object_new_object();
	sw_json_add_str(o, "sha256", hex[0]);
	sw_json_add_str(o, "script_sha256", hex[1]);
	sw_json_add(node_data, "ipxe", o);
	return 0;
}

static int to_hash(const void *data, size_t len, void *userdata)
{
	return sw_hash_update(userdata, data, len);
}

static int hash_file(struct sw_fat *f, const char *path, char ret_hex[static SW_SHA256_TEXT])
{
	_cleanup_hash_ struct sw_hash *h = sw_hash_new();
	struct sw_fat_file file;
	int r = h ? sw_fat_find(f, path, &file) : -ENOMEM;

	if (r == 0 && (file.directory || file.size > BINARY_MAX))
		r = -EINVAL;
	if (r == 0)
		r = sw_fat_read(f, &file, to_hash, h);
	return r < 0 ? r : sw_hash_final(h, ret_hex);
}

int sw_ipxe_verify(struct sw_io *io, uint64_t offset, uint64_t size, json_object *node_data,
		   char ret_why[static 200])
{
	static const struct { const char *path, *key, *what; } files[] = {
		{ SW_IPXE_PATH, "sha256", "the iPXE binary" },
		{ SCRIPT_PATH, "script_sha256", "iPXE's script" },
	};
	json_object *noted = sw_json_get(node_data, "ipxe");
	_cleanup_fat_ struct sw_fat fat = {};
	int r = sw_fat_open(io, offset, size, &fat);

	ret_why[0] = '\0';
	if (r < 0)
		(void)snprintf(ret_why, 200, "there is no FAT32 file system");
	for (size_t i = 0; i < ARRAY_SIZE(files) && r == 0 && noted; i++) {
		char hex[SW_SHA256_TEXT];

		r = hash_file(&fat, files[i].path, hex);
		if (r < 0)
			(void)snprintf(ret_why, 200, "%s is missing or damaged", files[i].what);
		else if (strcasecmp(hex, sw_json_str(noted, files[i].key, "")) != 0)
			r = -EBADMSG;
		if (r == -EBADMSG)
			(void)snprintf(ret_why, 200, "%s is not the one that was put there",
				       files[i].what);
	}
	if (r == 0)
		return noted ? 0 : -ENODATA;
	return r == -ENOMEM ? r : -EBADMSG;
}
