/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bounded reader of PE32+ images for x86-64 (Microsoft PE/COFF specification):
 * just what assembling and inspecting a UKI needs.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hash.h"

#define SW_PE_SECTIONS_MAX 96
#define SW_PE_HEAD (256U << 10)	/* bytes of an image that its headers are within, and more */

struct sw_pe_section {
	char name[9];
	uint32_t vsize, vaddr, raw_size, raw_off;
};

struct sw_pe {
	uint64_t file_size;
	uint32_t coff;		/* file offset of the COFF header */
	uint32_t optional;	/* of the optional header */
	uint32_t table;		/* of the section table */
	uint32_t section_align, file_align;
	uint32_t image_size, headers_size;
	uint32_t cert_off, cert_len;	/* Authenticode table; 0, 0: none */
	unsigned int n_sections;
	struct sw_pe_section sections[SW_PE_SECTIONS_MAX];
};

/*
 * Reads the headers from fd; path is for the error. -EINVAL (SW_EXIT_INVALID)
 * with the reason: not PE, truncated, wrong machine, headers that contradict
 * themselves. Every section's bytes are checked to lie within the file.
 */
int sw_pe_read(int fd, const char *path, struct sw_pe *ret_pe, struct sw_error *err);

/* The same of a file, exit 5 without it; *ret_fd is closed by the caller, on failure too. */
int sw_pe_open(const char *path, int *ret_fd, struct sw_pe *ret_pe, struct sw_error *err);

/* NULL when there is no such section. */
const struct sw_pe_section *sw_pe_find(const struct sw_pe *pe, const char *name);

/* pread that is all or nothing: 0, -EIO past the end, -errno. */
int sw_pread_all(int fd, void *data, size_t len, uint64_t off);

/*
 * The Authenticode digest, which is what firmware measures of an image that it starts. -EBADMSG
 * when its headers leave no room for one.
 */
int sw_pe_digest(int fd, const struct sw_pe *pe, uint8_t ret_digest[static SW_SHA256_LEN]);
/* Takes a range of a file into a hash. */
int sw_pe_hash(int fd, struct sw_hash *h, uint64_t off, uint64_t len);
