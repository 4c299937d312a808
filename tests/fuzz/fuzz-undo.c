/* SPDX-License-Identifier: Apache-2.0 */
/* An undo file that anybody may have written: refused or for a disk that is not here. */
#include "base/json.h"
#include "rescue/rescue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_json_ json_object *o = NULL;
	struct sw_error err = {};
	struct sw_facts f = {};

	if (sw_json_parse((const char *)data, size, "undo", &o, NULL) < 0)
		return 0;
	/* No disk is here, so only a file that names no place can succeed. */
	if (sw_rescue_undo(NULL, &f, NULL, o, &err) == 0 &&
	    (json_object_array_length(sw_json_array(o, "bytes")) ||
	     json_object_array_length(sw_json_array(o, "variables"))))
		abort();
	return 0;
}
