/* SPDX-License-Identifier: Apache-2.0 */
/* Partition types by the names of repart.d(5). Private to backend/layout. */
#pragma once

#include "base/cleanup.h"
#include "base/guid.h"

/* Which of the flags of the Discoverable Partitions Specification a type takes. */
enum {
	SW_TYPE_NO_AUTO = 1,
	SW_TYPE_READ_ONLY = 2,
	SW_TYPE_GROW = 4,
	SW_TYPE_VERITY = 8,	/* read-only unless said otherwise */
};

/* A name ("esp", "root", "root-arm64-verity") or a UUID; -EINVAL for neither. */
int sw_part_type_parse(const char *text, struct sw_guid *ret_type);
/* The name of a known type, with its architecture; NULL for others. Static. */
const char *sw_part_type_name(const struct sw_guid *type);
/* The i-th known name, NULL past the last; for suggestions. */
const char *sw_part_type_at(size_t i);
unsigned int sw_part_type_flags(const struct sw_guid *type);
