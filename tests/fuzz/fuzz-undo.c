/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An undo file that anybody may have written: refused, or for a disk that is not
 * here. On a disk that is here nothing is written before every place was looked
 * at, and then the same file can be used again.
 */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "rescue/private.h"

#define DISK 65536u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_a_disk(json_object *o)
{
	_cleanup_(sw_io_log_clear) struct sw_io_log log = {};
	_cleanup_io_ struct sw_io *io = NULL;
	static uint8_t zeros[DISK];
	struct sw_error err = {};
	int r;

	if (sw_io_new_recorder(DISK, 512, zeros, &log, SIZE_MAX, 0, &io) < 0)
		return;
	r = sw_rescue_undo_io(io, io, o, "/nonexistent/undo", false, &err);
	if (log.n || memcmp(sw_io_recorder_data(io), zeros, DISK) != 0)
		abort();
	if (r < 0)
		return;
	/* Places that overlap may be refused the second time; each byte is one of the file's. */
	(void)sw_rescue_undo_io(io, io, o, "/nonexistent/undo", true, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_json_ json_object *o = NULL;
	struct sw_error err = {};
	struct sw_facts f = {};

	if (sw_json_parse((const char *)data, size, "undo", &o, NULL) < 0)
		return 0;
	/* No disk is here, so only a file that names no place can succeed. */
	if (sw_rescue_undo(NULL, &f, NULL, o, "/nonexistent/undo", &err) == 0 &&
	    (json_object_array_length(sw_json_array(o, "bytes")) ||
	     json_object_array_length(sw_json_array(o, "variables"))))
		abort();
	if (sw_json_array(o, "bytes"))
		on_a_disk(o);
	return 0;
}
