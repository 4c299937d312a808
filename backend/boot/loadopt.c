/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/loadopt.h"

#include <string.h>

#include "boot/utf16.h"

#define HEAD 6	/* attributes and the path's length */

int sw_loadopt_parse(const uint8_t *data, size_t len, struct sw_loadopt *ret_option)
{
	struct sw_loadopt o = {};
	size_t label_len, at;
	int r;

	if (len < HEAD || len > SW_LOADOPT_MAX)
		return -EINVAL;
	o.attrs = sw_le32(data);
	o.path_len = sw_le16(data + 4);
	label_len = sw_utf16_size(data + HEAD, len - HEAD);
	at = HEAD + label_len;
	if (label_len == 0 || o.path_len > len - at)
		return -EINVAL;
	o.path = data + at;
	o.optional = o.path + o.path_len;
	o.optional_len = len - at - o.path_len;
	r = sw_devpath_check(o.path, o.path_len);
	if (r < 0)
		return r;
	o.label = sw_utf16_to_utf8(data + HEAD, label_len);
	if (!o.label)
		return -ENOMEM;
	*ret_option = o;
	return 0;
}

void sw_loadopt_clear(struct sw_loadopt *o)
{
	free(o->label);
	o->label = NULL;
}

int sw_loadopt_build(uint32_t attrs, const char *label, const uint8_t *path, size_t path_len,
		     const uint8_t *optional, size_t optional_len, struct sw_buf *b)
{
	uint8_t head[HEAD];
	int r = sw_devpath_check(path, path_len);

	if (r < 0 || path_len > 0xffff)
		return -EINVAL;
	sw_put_le32(head, attrs);
	sw_put_le16(head + 4, (uint16_t)path_len);
	r = sw_buf_add(b, head, sizeof(head));
	if (r == 0)
		r = sw_utf16_add(b, label);
	if (r == 0)
		r = sw_buf_add(b, path, path_len);
	if (r == 0 && optional_len > 0)
		r = sw_buf_add(b, optional, optional_len);
	return r;
}

int sw_loadopt_build_file(const char *label, const struct sw_devpath_hd *hd, const char *path,
			  struct sw_buf *b)
{
	_cleanup_buf_ struct sw_buf p = {};
	int r = sw_devpath_add_hd(&p, hd);

	if (r == 0)
		r = sw_devpath_add_file(&p, path);
	if (r == 0)
		r = sw_devpath_add_end(&p);
	return r < 0 ? r : sw_loadopt_build(SW_LOADOPT_ACTIVE, label, p.data, p.len, NULL, 0, b);
}
