/* SPDX-License-Identifier: Apache-2.0 */
/* What a disk says about its own health (SMART, NVMe health log), as smartctl's JSON tells it. */
#pragma once

#include "machine/facts.h"

/* The longest answer that is read, bytes. */
#define SW_HEALTH_JSON_MAX (256U << 10)

/*
 * The verdict of what `smartctl --json=c -H -A -i` prints (smartctl(8), smartmontools 7; the NVMe
 * part after the SMART / health information log page of the NVM Express base specification).
 * Unknown keys are passed over; a document that says nothing yields SW_HEALTH_UNKNOWN. ret_text
 * gets one malloc'd line that says why, or NULL when there is nothing to say (unknown, good).
 * -EINVAL when it is no JSON object, -EFBIG past SW_HEALTH_JSON_MAX, -ENOMEM.
 */
int sw_health_parse(const char *text, size_t len, enum sw_health *ret_health, char **ret_text);

/* "good", "worn", "failing"; NULL when unknown. Static. */
const char *sw_health_name(enum sw_health h);

/*
 * malloc'd "FAILING: it has made itself read-only" or "worn: ..."; "" when it is good or nobody
 * knows. NULL when out of memory.
 */
char *sw_health_words(const struct sw_disk *d);
