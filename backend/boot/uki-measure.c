/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/uki-measure.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/file.h"
#include "boot/pe.h"
#include "tpm/eventlog.h"

#define CHUNK (256U << 10)
#define ZEROS_MAX (64U << 20)	/* of a section that the file does not have; really < 4 KiB */
/* systemd-stub measures its sections into PCR 11 from this version on ... */
#define FIRST 252
/* ... up to this one it is known to leave the kernel's start to the firmware ... */
#define LAST_LOADED 255
/* ... and from this one on an image may hold several profiles, of which one is chosen at start. */
#define PROFILES 257

/* In the order of the stub, whatever that of the file; since: which version began with it. */
static const struct {
	const char *name;
	int since;
} measured[] = {
	{ ".linux", FIRST }, { ".osrel", FIRST }, { ".cmdline", FIRST }, { ".initrd", FIRST },
	{ ".ucode", 256 },   { ".splash", FIRST }, { ".dtb", FIRST },	 { ".uname", 254 },
	{ ".sbat", 254 },    { ".pcrpkey", FIRST },
};

/* ---- which stub ---- */

static void read_stub(int fd, const struct sw_pe *pe, char ret_stub[static SW_STUB_MAX])
{
	static const char before[] = "#### LoaderInfo: ", after[] = " ####";
	const struct sw_pe_section *s = sw_pe_find(pe, ".sdmagic");
	char text[sizeof(before) + SW_STUB_MAX + sizeof(after)] = {};
	size_t n = s && s->raw_size < sizeof(text) ? s->raw_size : sizeof(text) - 1;
	char *end;

	ret_stub[0] = '\0';
	if (!s || sw_pread_all(fd, text, n < s->vsize ? n : s->vsize, s->raw_off) < 0)
		return;
	end = strstr(text, after);
	if (!end || strncmp(text, before, sizeof(before) - 1) != 0)
		return;
	*end = '\0';
	(void)snprintf(ret_stub, SW_STUB_MAX, "%.63s", text + sizeof(before) - 1);
}

/* 0: not systemd's. */
static int version_of(const char *stub)
{
	static const char name[] = "systemd-stub ";

	int version = 0;

	if (strncmp(stub, name, sizeof(name) - 1) != 0)
		return 0;
	stub += sizeof(name) - 1;
	for (const char *p = stub; *p >= '0' && *p <= '9' && version < 10000; p++)
		version = version * 10 + (*p - '0');
	return version;
}

static const char *why_no_sections(const struct sw_pe *pe, int version)
{
	if (!sw_pe_find(pe, ".linux"))
		return "it is no unified kernel image";
	if (version == 0)
		return "it is not systemd-stub that the image starts by";
	if (version < FIRST)
		return "its systemd-stub is older than 252, which began to measure sections";
	if (version >= PROFILES && (sw_pe_find(pe, ".profile") || sw_pe_find(pe, ".dtbauto")))
		return "it holds several profiles, and the stub chooses one when it starts";
	return NULL;
}

static const char *why_no_kernel(const struct sw_pe *pe, int version)
{
	if (sw_pe_find(pe, ".linux") && version > LAST_LOADED)
		return "a systemd-stub as new as this may start the kernel by itself, unmeasured";
	return sw_pe_find(pe, ".linux") && version >= FIRST ? NULL : why_no_sections(pe, version);
}

/* ---- sections ---- */

/* As the firmware puts it into memory: what the file does not have of it are zeros. */
static int hash_section(int fd, const struct sw_pe_section *s, uint8_t digest[static SW_SHA256_LEN])
{
	static const uint8_t zeros[4096];
	_cleanup_hash_ struct sw_hash *h = sw_hash_new();
	uint32_t n = s->vsize < s->raw_size ? s->vsize : s->raw_size;
	int r = s->vsize - n > ZEROS_MAX ? -EFBIG : h ? sw_pe_hash(fd, h, s->raw_off, n) : -ENOMEM;

	for (uint32_t left = s->vsize - n, z; r == 0 && left > 0; left -= z) {
		z = left < sizeof(zeros) ? left : (uint32_t)sizeof(zeros);
		r = sw_hash_update(h, zeros, z);
	}
	return r < 0 ? r : sw_hash_final_raw(h, digest);
}

/* The name with its NUL, then the content. */
static int extend_section(int fd, const struct sw_pe_section *s, uint8_t pcr[static SW_SHA256_LEN])
{
	uint8_t digest[SW_SHA256_LEN];
	int r;

	sw_sha256_raw(s->name, strlen(s->name) + 1, digest);
	sw_pcr_extend(pcr, digest);
	r = hash_section(fd, s, digest);
	if (r == 0)
		sw_pcr_extend(pcr, digest);
	return r;
}

static int extend_sections(int fd, const struct sw_pe *pe, int version,
			   uint8_t pcr[static SW_SHA256_LEN])
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(measured); i++) {
		const struct sw_pe_section *s = sw_pe_find(pe, measured[i].name);

		if (s && s->vsize > 0 && version >= measured[i].since)
			r = extend_section(fd, s, pcr);
	}
	return r;
}

/* ---- the kernel in it ---- */

static int copy_section(int fd, const struct sw_pe_section *s, int to)
{
	uint32_t n = s->vsize < s->raw_size ? s->vsize : s->raw_size;
	_cleanup_free_ uint8_t *buf = malloc(CHUNK);
	int r = buf ? 0 : -ENOMEM;

	for (uint32_t at = 0, z; r == 0 && at < n; at += z) {
		z = n - at < CHUNK ? n - at : CHUNK;
		r = sw_pread_all(fd, buf, z, s->raw_off + at);
		if (r == 0)
			r = sw_fd_write_all(to, buf, z);
	}
	return r;
}

/* The stub has the firmware start it, as an image of its own. */
static int digest_kernel(int fd, const struct sw_pe_section *s, const char *path,
			 uint8_t ret_digest[static SW_SHA256_LEN], struct sw_error *err)
{
	_cleanup_close_ int kernel = memfd_create("slipway-kernel", MFD_CLOEXEC);
	struct sw_pe pe;
	int r = kernel < 0 ? -errno : copy_section(fd, s, kernel);

	if (r < 0)
		return r;
	r = sw_pe_read(kernel, path, &pe, err);
	return r < 0 ? r : sw_pe_digest(kernel, &pe, ret_digest);
}

/* ---- all of it ---- */

static int measure(int fd, const struct sw_pe *pe, const char *path, struct sw_uki_measured *m,
		   struct sw_error *err)
{
	int version, r = sw_pe_digest(fd, pe, m->image);

	read_stub(fd, pe, m->stub);
	version = version_of(m->stub);
	m->no_sections = why_no_sections(pe, version);
	m->no_kernel = why_no_kernel(pe, version);
	if (r == 0 && !m->no_kernel)
		r = digest_kernel(fd, sw_pe_find(pe, ".linux"), path, m->kernel, err);
	return r < 0 || m->no_sections ? r : extend_sections(fd, pe, version, m->pcr11);
}

int sw_uki_measure(const char *path, struct sw_uki_measured *ret_measured, struct sw_error *err)
{
	_cleanup_close_ int fd = -EBADF;
	struct sw_uki_measured m = {};
	struct sw_pe pe;
	int r = sw_pe_open(path, &fd, &pe, err);

	if (r == 0)
		r = measure(fd, &pe, path, &m, err);
	if (r == 0)
		*ret_measured = m;
	else
		sw_fail_errno(err, SW_EXIT_INVALID, r, "the image cannot be measured");
	return r;
}

void sw_uki_phases(uint8_t pcr11[static SW_SHA256_LEN], const char *phases)
{
	uint8_t digest[SW_SHA256_LEN];

	for (const char *p = phases; *p; p += *p == ':') {
		size_t n = strcspn(p, ":");

		if (n > 0) {
			sw_sha256_raw(p, n, digest);
			sw_pcr_extend(pcr11, digest);
		}
		p += n;
	}
}
