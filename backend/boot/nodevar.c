/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/nodevar.h"

#include <string.h>

#include "boot/modes.h"

int sw_nodevar_text(json_object *data, char **ret_text, struct sw_error *err)
{
	const char *text = json_object_to_json_string_ext(data, JSON_C_TO_STRING_PLAIN |
								JSON_C_TO_STRING_NOSLASHESCAPE);

	if (!text)
		return sw_fail_oom(err);
	if (strlen(text) > SW_NODEVAR_MAX) {
		sw_fail(err, SW_EXIT_INVALID, -E2BIG, "the node data do not fit into the firmware");
		sw_error_why(err, "a node without a disk keeps them in the variable "
				  SW_NODE_VARIABLE ", in at most %u bytes; these are %zu",
			     SW_NODEVAR_MAX, strlen(text));
		sw_error_hint(err, "shorten the addresses");
		return -E2BIG;
	}
	*ret_text = strdup(text);
	return *ret_text ? 0 : sw_fail_oom(err);
}

int sw_nodevar_read(struct sw_varstore *vars, json_object **ret_data)
{
	_cleanup_json_ json_object *o = NULL;
	_cleanup_free_ uint8_t *d = NULL;
	uint32_t attrs;
	size_t n;
	int r = sw_var_get(vars, &sw_guid_slipway, SW_NODE_VARIABLE, &d, &n, &attrs);

	if (r < 0)
		return r;
	if (n > SW_NODEVAR_MAX ||
	    sw_json_parse((const char *)d, n, SW_NODE_VARIABLE, &o, NULL) < 0 ||
	    sw_json_int(o, "slipway_node", 0) != 1)
		return -EBADMSG;
	*ret_data = TAKE_PTR(o);
	return 0;
}

int sw_nodevar_write(struct sw_varstore *vars, json_object *data, struct sw_error *err)
{
	_cleanup_free_ char *text = NULL;
	int r = sw_nodevar_text(data, &text, err);

	if (r < 0)
		return r;
	r = sw_var_set(vars, &sw_guid_slipway, SW_NODE_VARIABLE, text, strlen(text),
		       SW_VAR_NV_BS_RT);
	if (r < 0) {
		sw_fail_errno(err, SW_EXIT_FAILED, r, "the variable %s cannot be written",
			      SW_NODE_VARIABLE);
		sw_error_hint(err, "`slipway boot list` shows entries that could make room");
	}
	return r;
}
