/* SPDX-License-Identifier: Apache-2.0 */
/* What lvm prints of a group's volumes, and a loop device's name: only what is a name comes out. */
#include <string.h>

#include "stack/private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_volumes(const char *text)
{
	_cleanup_strv_ char **volumes = NULL;
	size_t left;

	if (sw_stack_lvs_parse(text, &volumes, &left) < 0)
		return;
	for (char **v = volumes; v && *v; v++)
		if (!**v || strpbrk(*v, " /\n\"'$[]"))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *copy = malloc(size + 1);
	unsigned int number;
	char disk[64];

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	copy[size] = '\0';
	check_volumes(copy);
	if (sw_stack_mark_parse(copy, disk, &number) && (!disk[0] || strlen(disk) > 63))
		abort();
	return 0;
}
