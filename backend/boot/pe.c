/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/pe.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "boot/devpath.h"

#define MACHINE_X64 0x8664
#define MAGIC_PE32PLUS 0x20b
#define OPT_MIN 112		/* up to the data directories */
#define DIR_SECURITY 4
#define SECTION_LEN 40

int sw_pread_all(int fd, void *data, size_t len, uint64_t off)
{
	uint8_t *p = data;

	while (len > 0) {
		ssize_t n = pread(fd, p, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		p += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static int bad(struct sw_error *err, const char *path, const char *why)
{
	sw_fail(err, SW_EXIT_INVALID, -EINVAL, "not an EFI program for x86-64");
	sw_error_where(err, "%s", path);
	sw_error_why(err, "%s", why);
	return -EINVAL;
}

static bool inside(const struct sw_pe *pe, uint64_t off, uint64_t len)
{
	return off <= pe->file_size && len <= pe->file_size - off;
}

static const char *read_optional(int fd, struct sw_pe *pe, uint16_t opt_len)
{
	uint8_t o[OPT_MIN + (DIR_SECURITY + 1) * 8] = {};
	uint32_t n_dirs;

	if (opt_len < OPT_MIN || !inside(pe, pe->optional, opt_len))
		return "its optional header is truncated";
	if (sw_pread_all(fd, o, opt_len < sizeof(o) ? opt_len : sizeof(o), pe->optional) < 0)
		return "it cannot be read";
	if (sw_le16(o) != MAGIC_PE32PLUS)
		return "it is not a 64-bit image";
	pe->section_align = sw_le32(o + 32);
	pe->file_align = sw_le32(o + 36);
	pe->image_size = sw_le32(o + 56);
	pe->headers_size = sw_le32(o + 60);
	n_dirs = sw_le32(o + 108);
	if (n_dirs > DIR_SECURITY && opt_len >= sizeof(o)) {
		pe->cert_off = sw_le32(o + OPT_MIN + DIR_SECURITY * 8);
		pe->cert_len = sw_le32(o + OPT_MIN + DIR_SECURITY * 8 + 4);
	}
	if (pe->file_align == 0 || (pe->file_align & (pe->file_align - 1)) ||
	    pe->section_align < pe->file_align || (pe->section_align & (pe->section_align - 1)))
		return "its alignments are no powers of two";
	if (!inside(pe, pe->cert_off, pe->cert_len))
		return "its signature is truncated";
	return NULL;
}

static const char *read_sections(int fd, struct sw_pe *pe)
{
	uint8_t t[SW_PE_SECTIONS_MAX * SECTION_LEN];

	if (!inside(pe, pe->table, (uint64_t)pe->n_sections * SECTION_LEN) ||
	    sw_pread_all(fd, t, pe->n_sections * SECTION_LEN, pe->table) < 0)
		return "its section table is truncated";
	for (unsigned int i = 0; i < pe->n_sections; i++) {
		const uint8_t *h = t + i * SECTION_LEN;
		struct sw_pe_section *s = &pe->sections[i];

		memcpy(s->name, h, 8);
		s->name[8] = '\0';
		s->vsize = sw_le32(h + 8);
		s->vaddr = sw_le32(h + 12);
		s->raw_size = sw_le32(h + 16);
		s->raw_off = sw_le32(h + 20);
		if (!inside(pe, s->raw_off, s->raw_size))
			return "it is truncated: a section lies past its end";
	}
	return NULL;
}

int sw_pe_read(int fd, const char *path, struct sw_pe *ret_pe, struct sw_error *err)
{
	struct sw_pe pe = {};
	struct stat st;
	uint8_t dos[64], coff[24];
	const char *why;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return bad(err, path, "it is not a regular file");
	pe.file_size = (uint64_t)st.st_size;
	if (sw_pread_all(fd, dos, sizeof(dos), 0) < 0 || dos[0] != 'M' || dos[1] != 'Z')
		return bad(err, path, "it does not begin like a PE image");
	pe.coff = sw_le32(dos + 60);
	if (pe.coff > pe.file_size || sw_pread_all(fd, coff, sizeof(coff), pe.coff) < 0)
		return bad(err, path, "it is truncated before the PE header");
	if (memcmp(coff, "PE\0", 4) != 0)
		return bad(err, path, "it has no PE header");
	pe.coff += 4;
	if (sw_le16(coff + 4) != MACHINE_X64)
		return bad(err, path, "it is for another processor");
	pe.n_sections = sw_le16(coff + 6);
	if (pe.n_sections == 0 || pe.n_sections > SW_PE_SECTIONS_MAX)
		return bad(err, path, "its number of sections is not sensible");
	if (pe.coff > UINT32_MAX - 20 - 65536)
		return bad(err, path, "its headers lie out of range");
	pe.optional = pe.coff + 20;
	pe.table = pe.optional + sw_le16(coff + 20);
	why = read_optional(fd, &pe, sw_le16(coff + 20));
	if (!why)
		why = read_sections(fd, &pe);
	if (why)
		return bad(err, path, why);
	*ret_pe = pe;
	return 0;
}

int sw_pe_open(const char *path, int *ret_fd, struct sw_pe *ret_pe, struct sw_error *err)
{
	int r;

	*ret_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (*ret_fd >= 0)
		return sw_pe_read(*ret_fd, path, ret_pe, err);
	r = -errno;
	sw_fail_errno(err, SW_EXIT_MISSING, r, "cannot open the kernel image");
	sw_error_where(err, "%s", path);
	return r;
}

const struct sw_pe_section *sw_pe_find(const struct sw_pe *pe, const char *name)
{
	for (unsigned int i = 0; i < pe->n_sections; i++)
		if (strcmp(pe->sections[i].name, name) == 0)
			return &pe->sections[i];
	return NULL;
}
