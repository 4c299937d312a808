/* SPDX-License-Identifier: Apache-2.0 */
/* The node data partition of a disk that anybody may have written. */
#include <string.h>

#include "boot/nodedata.h"
#include "boot/nodefiles.h"
#include "tests/lib/crash.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever a disk says, no file of the node leads out of where files may be. */
static void look_at_files(json_object *o)
{
	json_object *list = sw_json_array(o, "files");

	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		json_object *one = json_object_array_get_idx(list, i);
		const char *path = sw_json_str(one, "path", "");
		unsigned int mode;

		if (!sw_node_file_why_not(path) && (*path != '/' || strstr(path, "/../")))
			abort();
		if (sw_node_file_mode(sw_json_str(one, "mode", ""), &mode) == 0 && mode > 0777)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ uint8_t *disk = malloc(size + 1);
	_cleanup_json_ json_object *o = NULL, *again = NULL;
	uint64_t sequence = 0, next = 0;
	struct mem_io m;

	if (!disk)
		return 0;
	memcpy(disk, data, size);
	mem_io_init(&m, disk, size, 512);
	if (sw_nodedata_read(&m.io, 0, size, &o, &sequence, NULL) < 0)
		return 0;
	look_at_files(o);
	/* Whatever was read can be written as the next generation, unless it no longer fits. */
	if (sw_nodedata_write(&m.io, 0, size, o, false, NULL) < 0)
		return 0;
	if (sw_nodedata_read(&m.io, 0, size, &again, &next, NULL) < 0 || next != sequence + 1)
		abort();
	return 0;
}
