/* SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char units[] = "BKMGTP";

static int parse_unit(const char *s, unsigned int *ret_shift)
{
	const char *u;

	*ret_shift = 0;
	if (*s == '\0')
		return 0;
	u = strchr(units, toupper((unsigned char)*s));
	if (!u)
		return -EINVAL;
	*ret_shift = 10U * (unsigned int)(u - units);
	s++;
	return *s == '\0' || (*ret_shift && (!strcasecmp(s, "B") || !strcasecmp(s, "iB"))) ? 0
											 : -EINVAL;
}

int sw_size_parse(const char *text, uint64_t *ret_bytes)
{
	uint64_t whole = 0, frac = 0, scale = 1;
	unsigned int shift;
	const char *p = text;

	if (!isdigit((unsigned char)*p))
		return -EINVAL;
	for (; isdigit((unsigned char)*p); p++) {
		if (whole > (UINT64_MAX >> 1) / 10)
			return -ERANGE;
		whole = whole * 10 + (uint64_t)(*p - '0');
	}
	if (*p == '.') {
		if (!isdigit((unsigned char)*++p))
			return -EINVAL;
		for (; isdigit((unsigned char)*p); p++)
			if (scale < 1000000) {
				frac = frac * 10 + (uint64_t)(*p - '0');
				scale *= 10;
			}
	}
	if (parse_unit(p, &shift) < 0)
		return -EINVAL;
	if (whole > (UINT64_MAX >> 1) >> shift)
		return -ERANGE;
	*ret_bytes = (whole << shift) +
		     (uint64_t)((double)frac / (double)scale * (double)((uint64_t)1 << shift));
	return 0;
}

const char *sw_size_format(uint64_t bytes, char *text, size_t size)
{
	unsigned int u = 0;
	uint64_t div = 1;

	while (u + 1 < sizeof(units) - 1 && bytes / div >= 1024) {
		div <<= 10;
		u++;
	}
	if (u > 0 && bytes / div < 10 && bytes % div)
		(void)snprintf(text, size, "%.1f%c", (double)bytes / (double)div, units[u]);
	else
		(void)snprintf(text, size, "%llu%c",
			       (unsigned long long)((bytes + div / 2) / div), units[u]);
	return text;
}
