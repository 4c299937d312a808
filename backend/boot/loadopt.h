/* SPDX-License-Identifier: Apache-2.0 */
/* EFI_LOAD_OPTION (UEFI 2.10, section 3.1.3): what a Boot#### variable holds. */
#pragma once

#include "boot/devpath.h"

#define SW_LOADOPT_ACTIVE 0x1u
#define SW_LOADOPT_APP 0x100u	/* category: started when asked for, never by the order alone */
#define SW_LOADOPT_MAX 32768u	/* bytes; OVMF's largest variable */

struct sw_loadopt {
	uint32_t attrs;
	char *label;			/* UTF-8, malloc'd */
	const uint8_t *path;		/* borrowed from the bytes that were parsed */
	size_t path_len;
	const uint8_t *optional;	/* borrowed */
	size_t optional_len;
};

/* Refuses (-EINVAL) what is truncated, has no terminated label or no well-formed path. */
int sw_loadopt_parse(const uint8_t *data, size_t len, struct sw_loadopt *ret_option);
void sw_loadopt_clear(struct sw_loadopt *o);
#define _cleanup_loadopt_ _cleanup_(sw_loadopt_clear)

/* Adds the option's bytes to b. -EILSEQ for a label that is not UTF-8; -EINVAL for a bad path. */
int sw_loadopt_build(uint32_t attrs, const char *label, const uint8_t *path, size_t path_len,
		     const uint8_t *optional, size_t optional_len, struct sw_buf *b);

/* An active option for a file on a GPT partition: HD(), File(), no optional data. */
int sw_loadopt_build_file(const char *label, const struct sw_devpath_hd *hd, const char *path,
			  struct sw_buf *b);
