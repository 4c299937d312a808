/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/devpath.h"

#include <stdbool.h>
#include <string.h>

#include "boot/utf16.h"

#define HEADER 4
#define HD_LEN 38

int sw_devpath_next(const uint8_t *p, size_t len, size_t *offset,
		    struct sw_devpath_node *ret_node)
{
	size_t at = *offset, n;

	if (at > len || len - at < HEADER)
		return -EINVAL;
	n = sw_le16(p + at + 2);
	if (n < HEADER || n > len - at)
		return -EINVAL;
	*offset = at + n;
	/* 0xff was an end type in early firmware; Linux takes it, too. */
	if ((p[at] == SW_DP_END || p[at] == 0xff) && p[at + 1] == 0xff)
		return 0;
	*ret_node = (struct sw_devpath_node){
		.type = p[at], .subtype = p[at + 1], .data = p + at + HEADER, .len = n - HEADER,
	};
	return 1;
}

int sw_devpath_check(const uint8_t *p, size_t len)
{
	struct sw_devpath_node node;
	size_t at = 0;
	int r;

	while ((r = sw_devpath_next(p, len, &at, &node)) > 0)
		;
	return r;
}

static bool read_hd(const struct sw_devpath_node *n, struct sw_devpath_hd *ret_hd)
{
	if (n->type != SW_DP_MEDIA || n->subtype != SW_DP_MEDIA_HD || n->len != HD_LEN ||
	    n->data[37] != 2)
		return false;
	ret_hd->number = sw_le32(n->data);
	ret_hd->start = sw_le64(n->data + 4);
	ret_hd->size = sw_le64(n->data + 12);
	memcpy(ret_hd->guid.b, n->data + 20, 16);
	return true;
}

int sw_devpath_find_file(const uint8_t *p, size_t len, struct sw_devpath_hd *ret_hd,
			 char **ret_path)
{
	struct sw_devpath_node n;
	struct sw_devpath_hd hd;
	bool have_hd = false;
	size_t at = 0;

	while (sw_devpath_next(p, len, &at, &n) > 0) {
		char *path;

		if (!have_hd) {
			have_hd = read_hd(&n, &hd);
			continue;
		}
		if (n.type != SW_DP_MEDIA || n.subtype != SW_DP_MEDIA_FILE)
			return -ENOENT;
		path = sw_utf16_to_utf8(n.data, n.len);
		if (!path)
			return -ENOMEM;
		*ret_hd = hd;
		*ret_path = path;
		return 0;
	}
	return -ENOENT;
}

_Bool sw_devpath_has(const uint8_t *p, size_t len, uint8_t type, uint8_t subtype)
{
	struct sw_devpath_node n;
	size_t at = 0;

	while (sw_devpath_next(p, len, &at, &n) > 0)
		if (n.type == type && n.subtype == subtype)
			return 1;
	return 0;
}

int sw_devpath_add(struct sw_buf *b, uint8_t type, uint8_t subtype, const void *data, size_t len)
{
	uint8_t head[HEADER] = { type, subtype };
	int r;

	if (len > 0xffff - HEADER)
		return -E2BIG;
	sw_put_le16(head + 2, (uint16_t)(len + HEADER));
	r = sw_buf_add(b, head, sizeof(head));
	return r < 0 || len == 0 ? r : sw_buf_add(b, data, len);
}

int sw_devpath_add_hd(struct sw_buf *b, const struct sw_devpath_hd *hd)
{
	uint8_t d[HD_LEN] = {};

	sw_put_le32(d, hd->number);
	sw_put_le64(d + 4, hd->start);
	sw_put_le64(d + 12, hd->size);
	memcpy(d + 20, hd->guid.b, 16);
	d[36] = 2;	/* GPT */
	d[37] = 2;	/* the signature is a GUID */
	return sw_devpath_add(b, SW_DP_MEDIA, SW_DP_MEDIA_HD, d, sizeof(d));
}

int sw_devpath_add_file(struct sw_buf *b, const char *path)
{
	_cleanup_buf_ struct sw_buf u = {};
	int r = sw_utf16_add(&u, path);

	return r < 0 ? r : sw_devpath_add(b, SW_DP_MEDIA, SW_DP_MEDIA_FILE, u.data, u.len);
}

int sw_devpath_add_end(struct sw_buf *b)
{
	return sw_devpath_add(b, SW_DP_END, 0xff, NULL, 0);
}
