/* SPDX-License-Identifier: Apache-2.0 */
/* What a person types to show that this is the disk. */
#include "disk/select.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/size.h"

/* How many characters the ends of two strings have in common, case ignored. */
static size_t common_tail(const char *a, const char *b)
{
	size_t na = strlen(a), nb = strlen(b), n = 0;

	while (n < na && n < nb && !strncasecmp(a + na - n - 1, b + nb - n - 1, 1))
		n++;
	return n;
}

char *sw_disk_confirm_text(const struct sw_facts *f, const struct sw_disk *d)
{
	size_t need = 4, len = d->serial ? strlen(d->serial) : 0;
	char size[16];

	if (len == 0)
		return strdup(sw_size_format(d->size, size, sizeof(size)));
	for (size_t i = 0; i < f->n_disks; i++) {
		const char *other = f->disks[i].serial;
		size_t n = &f->disks[i] != d && other ? common_tail(d->serial, other) : 0;

		if (n >= need)
			need = n + 1;
	}
	/* Two disks with one serial: the path is what tells them apart. */
	if (need > len && d->path && *d->path && len >= 4)
		return strdup(d->path);
	return strdup(d->serial + (len > need ? len - need : 0));
}

bool sw_disk_confirmed(const char *typed, const char *confirm, const char *serial)
{
	size_t n, least = strlen(confirm), all = serial ? strlen(serial) : 0;

	while (isspace((unsigned char)*typed))
		typed++;
	for (n = strlen(typed); n > 0 && isspace((unsigned char)typed[n - 1]);)
		n--;
	if (n == least && least > 0 && strncasecmp(typed, confirm, n) == 0)
		return true;
	/* More of the serial than was asked for; not when a path or size was asked for. */
	return least > 0 && n > least && n <= all && common_tail(confirm, serial) == least &&
	       strncasecmp(typed, serial + all - n, n) == 0;
}
