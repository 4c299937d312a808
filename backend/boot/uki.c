/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Assembling a unified kernel image: the stub's bytes, then one section each for
 * .osrel, .cmdline, .initrd and .linux, laid out after the stub's last address.
 * .linux comes last, since some stubs start the kernel in place and it grows.
 * Kernel and initrd are streamed: an initrd may be larger than memory allows.
 */
#include "boot/uki.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "boot/devpath.h"
#include "boot/pe.h"

#define CMDLINE_MAX 4096
#define PAGE 4096u
#define SECTION_LEN 40
#define SECTION_FLAGS 0x40000040u	/* initialised data, readable */
#define IMAGE_MAX 0x70000000ull		/* addresses are 32-bit; leave a margin */
#define CHUNK (256u << 10)
#define N_NEW 4

struct part {
	const char *name;
	const char *path;	/* streamed from here, or */
	const char *text;	/* these bytes */
	uint64_t len;
	uint32_t vaddr, off, raw;
	int fd;
};

struct job {
	struct sw_pe pe;
	struct part parts[N_NEW];
	unsigned int n;
	int stub, out;
	const char *stub_path;
	uint64_t image_size;
};

static void job_clear(struct job *j)
{
	for (unsigned int i = 0; i < j->n; i++)
		sw_cleanup_closep(&j->parts[i].fd);
	sw_cleanup_closep(&j->stub);
	sw_cleanup_closep(&j->out);
}

static uint64_t align(uint64_t v, uint64_t a)
{
	return (v + a - 1) / a * a;
}

static int refuse(struct sw_error *err, const char *where, const char *why)
{
	sw_fail(err, SW_EXIT_INVALID, -EINVAL, "cannot make a unified kernel image");
	sw_error_where(err, "%s", where);
	sw_error_why(err, "%s", why);
	return -EINVAL;
}

static int open_input(const char *path, int *ret_fd, uint64_t *ret_len, struct sw_error *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		int r = -errno;

		sw_fail_errno(err, SW_EXIT_MISSING, r, "cannot open a part of the kernel image");
		sw_error_where(err, "%s", path);
		return r;
	}
	if (!S_ISREG(st.st_mode) || st.st_size == 0)
		return refuse(err, path, "it is empty or not a regular file");
	*ret_len = (uint64_t)st.st_size;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int add_text(struct job *j, const char *name, const char *text)
{
	j->parts[j->n++] = (struct part){ .name = name, .text = text, .len = strlen(text),
					  .fd = -EBADF };
	return 0;
}

static int add_file(struct job *j, const char *name, const char *path, struct sw_error *err)
{
	struct part *p = &j->parts[j->n];
	int r;

	*p = (struct part){ .name = name, .path = path, .fd = -EBADF };
	r = open_input(path, &p->fd, &p->len, err);
	if (r == 0)
		j->n++;
	return r;
}

static int check_stub(struct job *j, struct sw_error *err)
{
	uint32_t end = j->pe.table + (j->pe.n_sections + N_NEW) * SECTION_LEN;

	if (sw_pe_find(&j->pe, ".linux"))
		return refuse(err, j->stub_path, "the stub carries a kernel already");
	if (j->pe.cert_len > 0)
		return refuse(err, j->stub_path, "the stub is signed; the unsigned one is needed");
	if (j->pe.n_sections + N_NEW > SW_PE_SECTIONS_MAX || end > j->pe.headers_size)
		return refuse(err, j->stub_path, "no room for further section headers");
	for (unsigned int i = 0; i < j->pe.n_sections; i++)
		if (j->pe.sections[i].raw_size > 0 && j->pe.sections[i].raw_off < end)
			return refuse(err, j->stub_path, "no room for further section headers");
	return 0;
}

/* The stub starts .linux as an EFI program: refuse a kernel that is none. */
static int check_kernel(const struct part *kernel, struct sw_error *err)
{
	struct sw_error inner = {};
	struct sw_pe pe;

	if (sw_pe_read(kernel->fd, kernel->path, &pe, &inner) == 0)
		return 0;
	sw_fail(err, SW_EXIT_INVALID, -EINVAL, "the kernel cannot be started by UEFI");
	sw_error_where(err, "%s", kernel->path);
	sw_error_why(err, "%s", inner.why);
	sw_error_hint(err, "use an x86-64 bzImage built with CONFIG_EFI_STUB");
	return -EINVAL;
}

/* Addresses follow the stub's own; file offsets follow its last byte. */
static int lay_out(struct job *j, struct sw_error *err)
{
	uint64_t va = align(j->pe.image_size, PAGE), off = j->pe.file_size;
	uint64_t va_align = j->pe.section_align > PAGE ? j->pe.section_align : PAGE;

	for (unsigned int i = 0; i < j->pe.n_sections; i++) {
		const struct sw_pe_section *s = &j->pe.sections[i];
		uint64_t size = s->vsize > s->raw_size ? s->vsize : s->raw_size;

		if (va < (uint64_t)s->vaddr + size)
			va = (uint64_t)s->vaddr + size;
	}
	for (unsigned int i = 0; i < j->n; i++) {
		struct part *p = &j->parts[i];

		va = align(va, va_align);
		off = align(off, j->pe.file_align);
		if (p->len > IMAGE_MAX || va + p->len > IMAGE_MAX || off + p->len > IMAGE_MAX)
			return refuse(err, p->path ? p->path : p->name, "it is too large");
		p->vaddr = (uint32_t)va;
		p->off = (uint32_t)off;
		p->raw = (uint32_t)align(p->len, j->pe.file_align);
		va += p->len;
		off += p->raw;
	}
	j->image_size = align(va, va_align);
	return 0;
}

static int copy_bytes(int from, int to, uint64_t from_off, uint64_t to_off, uint64_t len)
{
	_cleanup_free_ uint8_t *buf = malloc(CHUNK);

	if (!buf)
		return -ENOMEM;
	while (len > 0) {
		size_t n = len < CHUNK ? (size_t)len : CHUNK;
		int r = sw_pread_all(from, buf, n, from_off);

		if (r < 0)
			return r;
		if (lseek(to, (off_t)to_off, SEEK_SET) < 0)
			return -errno;
		r = sw_fd_write_all(to, buf, n);
		if (r < 0)
			return r;
		from_off += n;
		to_off += n;
		len -= n;
	}
	return 0;
}

static int put(struct job *j, uint64_t off, const void *data, size_t len)
{
	if (lseek(j->out, (off_t)off, SEEK_SET) < 0)
		return -errno;
	return sw_fd_write_all(j->out, data, len);
}

static int write_headers(struct job *j)
{
	uint8_t v[4];
	int r;

	sw_put_le16(v, (uint16_t)(j->pe.n_sections + j->n));
	r = put(j, j->pe.coff + 2, v, 2);
	sw_put_le32(v, (uint32_t)j->image_size);
	if (r == 0)
		r = put(j, j->pe.optional + 56, v, 4);
	/* The checksum is not looked at by UEFI; zero says "none". */
	sw_put_le32(v, 0);
	if (r == 0)
		r = put(j, j->pe.optional + 64, v, 4);
	for (unsigned int i = 0; r == 0 && i < j->n; i++) {
		const struct part *p = &j->parts[i];
		uint8_t h[SECTION_LEN] = {};

		memcpy(h, p->name, strlen(p->name));
		sw_put_le32(h + 8, (uint32_t)p->len);
		sw_put_le32(h + 12, p->vaddr);
		sw_put_le32(h + 16, p->raw);
		sw_put_le32(h + 20, p->off);
		sw_put_le32(h + 36, SECTION_FLAGS);
		r = put(j, j->pe.table + (j->pe.n_sections + i) * SECTION_LEN, h, sizeof(h));
	}
	return r;
}

static int write_image(struct job *j)
{
	const struct part *last = &j->parts[j->n - 1];
	int r = copy_bytes(j->stub, j->out, 0, 0, j->pe.file_size);

	for (unsigned int i = 0; r == 0 && i < j->n; i++) {
		const struct part *p = &j->parts[i];

		r = p->text ? put(j, p->off, p->text, p->len)
			    : copy_bytes(p->fd, j->out, 0, p->off, p->len);
	}
	if (r == 0)
		r = write_headers(j);
	/* The padding after the last section belongs to the file. */
	if (r == 0 && ftruncate(j->out, (off_t)((uint64_t)last->off + last->raw)) < 0)
		r = -errno;
	if (r == 0 && fsync(j->out) < 0)
		r = -errno;
	return r;
}

static int gather(struct job *j, const struct sw_uki_parts *parts, struct sw_error *err)
{
	uint64_t stub_len;
	int r;

	if (strlen(parts->cmdline) > CMDLINE_MAX)
		return refuse(err, "the kernel command line", "it is longer than 4096 bytes");
	r = open_input(parts->stub, &j->stub, &stub_len, err);
	if (r == 0)
		r = sw_pe_read(j->stub, parts->stub, &j->pe, err);
	if (r == 0)
		r = check_stub(j, err);
	if (r == 0 && parts->osrel && *parts->osrel)
		r = add_text(j, ".osrel", parts->osrel);
	if (r == 0 && *parts->cmdline)
		r = add_text(j, ".cmdline", parts->cmdline);
	if (r == 0)
		r = add_file(j, ".initrd", parts->initrd, err);
	if (r == 0)
		r = add_file(j, ".linux", parts->kernel, err);
	if (r == 0)
		r = check_kernel(&j->parts[j->n - 1], err);
	return r < 0 ? r : lay_out(j, err);
}

int sw_uki_assemble(const struct sw_uki_parts *parts, const char *out, struct sw_error *err)
{
	_cleanup_(job_clear) struct job j = { .stub = -EBADF, .out = -EBADF,
					      .stub_path = parts->stub };
	int r = gather(&j, parts, err);

	if (r < 0)
		return r;
	j.out = open(out, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	r = j.out < 0 ? -errno : write_image(&j);
	if (r < 0) {
		if (j.out >= 0)
			(void)unlink(out);
		sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot write the unified kernel image");
		sw_error_where(err, "%s", out);
	}
	return r;
}
