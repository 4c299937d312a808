/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/content.h"

#include <string.h>

#include "base/json.h"
#include "base/strv.h"
#include "layout/content.h"

int sw_content_check(const struct sw_layout *l, struct sw_error *err)
{
	static const char *const names[] = {
		[SW_ROLE_SLOT] = "slot", [SW_ROLE_NODE_DATA] = "node-data",
		[SW_ROLE_RESCUE] = "rescue", [SW_ROLE_IPXE] = "ipxe",
	};

	for (size_t i = 0; i < l->n_parts; i++) {
		const struct sw_layout_part *part = &l->parts[i];

		if (part->role == SW_ROLE_NONE || part->role == SW_ROLE_STATE)
			continue;
		if (!part->copy_blocks && !part->copy_files && !part->make_directories)
			continue;
		sw_fail(err, SW_EXIT_INVALID, -EINVAL,
			"a partition with X-Slipway-Role=%s cannot be filled by the layout",
			names[part->role]);
		sw_error_where(err, "%s/%s", l->name, part->file);
		sw_error_why(err, "the install writes its content");
		sw_error_hint(err, "Leave out CopyBlocks=, CopyFiles= and MakeDirectories=");
		return -EINVAL;
	}
	return 0;
}

static int copy_list(char ***to, char *const *from)
{
	int r = 0;

	for (; r >= 0 && from && *from; from++)
		r = sw_strv_add(to, *from);
	return r;
}

int sw_content_take(struct sw_placed *part, const struct sw_layout_part *from)
{
	part->format = from->format ? strdup(from->format) : NULL;
	part->copy_blocks = from->copy_blocks ? strdup(from->copy_blocks) : NULL;
	part->copy_blocks_size = from->copy_blocks_size;
	if ((from->format && !part->format) || (from->copy_blocks && !part->copy_blocks))
		return -ENOMEM;
	return copy_list(&part->copy_files, from->copy_files) < 0 ||
			       copy_list(&part->make_directories, from->make_directories) < 0
		       ? -ENOMEM : 0;
}

void sw_content_clear(struct sw_placed *part)
{
	free(part->format);
	free(part->copy_blocks);
	sw_strv_free(part->copy_files);
	sw_strv_free(part->make_directories);
}

static void list_to_json(json_object *o, const char *key, char *const *list)
{
	if (list)
		sw_json_add(o, key, sw_json_strv(list));
}

void sw_content_to_json(json_object *o, const struct sw_placed *part)
{
	sw_json_add_str(o, "format", part->format);
	sw_json_add_str(o, "copy_blocks", part->copy_blocks);
	if (part->copy_blocks)
		sw_json_add_u64(o, "copy_blocks_size", part->copy_blocks_size);
	list_to_json(o, "copy_files", part->copy_files);
	list_to_json(o, "make_directories", part->make_directories);
}

static int list_from_json(json_object *o, const char *key, char ***ret)
{
	json_object *a = sw_json_array(o, key);
	size_t n = a ? json_object_array_length(a) : 0;
	int r = 0;

	for (size_t i = 0; i < n && r >= 0; i++) {
		const char *text = json_object_get_string(json_object_array_get_idx(a, i));

		r = text && sw_layout_is_path(text) ? sw_strv_add(ret, text) : -EINVAL;
	}
	return r;
}

/* A plan may have been edited by hand: the rules are those of the layout's reader. */
int sw_content_from_json(json_object *o, struct sw_placed *part, const char **ret_key)
{
	int r;

	part->format = sw_json_dup(o, "format");
	part->copy_blocks = sw_json_dup(o, "copy_blocks");
	part->copy_blocks_size = sw_json_u64(o, "copy_blocks_size", 0);
	*ret_key = "partitions.format";
	if (part->format && !sw_layout_format_known(part->format))
		return -EINVAL;
	*ret_key = "partitions.copy_blocks";
	if (part->copy_blocks && (!sw_layout_is_path(part->copy_blocks) || part->format ||
				  part->copy_blocks_size > part->size))
		return -EINVAL;
	*ret_key = "partitions.copy_files";
	r = list_from_json(o, "copy_files", &part->copy_files);
	if (r >= 0 && sw_strv_len(part->copy_files) % 2 != 0)
		r = -EINVAL;
	if (r < 0)
		return r;
	*ret_key = "partitions.make_directories";
	r = list_from_json(o, "make_directories", &part->make_directories);
	if (r >= 0 && (part->copy_files || part->make_directories) &&
	    (!part->format || strcmp(part->format, "swap") == 0))
		r = -EINVAL;
	return r;
}
