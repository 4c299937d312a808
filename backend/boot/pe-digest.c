/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Authenticode digest of a PE image, as firmware measures it into PCR 4: Windows
 * Authenticode Portable Executable Signature Format 1.0, "Calculating the PE Image Hash".
 */
#include <stdlib.h>

#include "base/hash.h"
#include "base/le.h"
#include "boot/pe.h"

#define CHUNK (256U << 10)
#define CHECKSUM 64U		/* in the optional header, 4 bytes */
#define DIRECTORIES 108U	/* how many; then they come, 8 bytes each */
#define SECURITY (DIRECTORIES + 4U + 4U * 8U)

int sw_pe_hash(int fd, struct sw_hash *h, uint64_t off, uint64_t len)
{
	_cleanup_free_ uint8_t *buf = malloc(CHUNK);
	int r = buf ? 0 : -ENOMEM;

	while (r == 0 && len > 0) {
		size_t n = len < CHUNK ? (size_t)len : CHUNK;

		r = sw_pread_all(fd, buf, n, off);
		if (r == 0)
			r = sw_hash_update(h, buf, n);
		off += n;
		len -= n;
	}
	return r;
}

static int by_place(const void *a, const void *b)
{
	const struct sw_pe_section *x = a, *y = b;

	return x->raw_off < y->raw_off ? -1 : x->raw_off > y->raw_off;
}

/* All headers but the checksum and where the signatures are. */
static int hash_headers(int fd, const struct sw_pe *pe, struct sw_hash *h)
{
	uint64_t checksum = pe->optional + CHECKSUM, security = pe->optional + SECURITY;
	uint8_t n_dirs[4];
	int r = sw_pread_all(fd, n_dirs, sizeof(n_dirs), pe->optional + DIRECTORIES);

	if (r == 0 && (pe->headers_size > pe->file_size || pe->headers_size < security + 8))
		r = -EBADMSG;
	if (r == 0)
		r = sw_pe_hash(fd, h, 0, checksum);
	checksum += 4;
	if (r == 0 && sw_le32(n_dirs) <= 4)
		return sw_pe_hash(fd, h, checksum, pe->headers_size - checksum);
	if (r == 0)
		r = sw_pe_hash(fd, h, checksum, security - checksum);
	security += 8;
	return r < 0 ? r : sw_pe_hash(fd, h, security, pe->headers_size - security);
}

static int hash_all(int fd, const struct sw_pe *pe, struct sw_hash *h)
{
	struct sw_pe sorted = *pe;
	uint64_t done = pe->headers_size, end = pe->file_size - pe->cert_len;
	int r = hash_headers(fd, pe, h);

	qsort(sorted.sections, sorted.n_sections, sizeof(*sorted.sections), by_place);
	for (unsigned int i = 0; r == 0 && i < sorted.n_sections; i++) {
		const struct sw_pe_section *s = &sorted.sections[i];

		r = sw_pe_hash(fd, h, s->raw_off, s->raw_size);
		done += s->raw_size;
	}
	/* What lies behind the last section, but for the signatures. */
	return r == 0 && done < end ? sw_pe_hash(fd, h, done, end - done) : r;
}

int sw_pe_digest(int fd, const struct sw_pe *pe, uint8_t ret_digest[static SW_SHA256_LEN])
{
	_cleanup_hash_ struct sw_hash *h = sw_hash_new();
	int r = h ? hash_all(fd, pe, h) : -ENOMEM;

	return r < 0 ? r : sw_hash_final_raw(h, ret_digest);
}
