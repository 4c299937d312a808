/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/part-device.h"

#include <ctype.h>
#include <string.h>

#include "base/file.h"

#define KERNEL_SECTOR 512U	/* sysfs counts in these, whatever the disk's own are */

int sw_part_device(const struct sw_machine *m, const struct sw_disk *d, unsigned int number,
		   uint64_t start, char **ret_path)
{
	size_t n = strlen(d->name);
	const char *between = n && isdigit((unsigned char)d->name[n - 1]) ? "p" : "";
	_cleanup_free_ char *at = NULL, *line = NULL;
	int r;

	*ret_path = sw_fmt("%s/%s%s%u", m->dev_root, d->name, between, number);
	at = sw_fmt("%s/class/block/%s%s%u/start", m->sys_root, d->name, between, number);
	r = *ret_path && at ? sw_file_read_line(at, &line) : -ENOMEM;
	return r < 0 ? r : strtoull(line, NULL, 10) * KERNEL_SECTOR == start ? 0 : -ESTALE;
}
