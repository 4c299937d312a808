/* SPDX-License-Identifier: Apache-2.0 */
/* The signatures of PCRs that an image brings along: section .pcrsig, systemd-stub(7). */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "boot/uki.h"

static int read_section(const char *path, const struct sw_uki_section *s, struct sw_buf *b)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *text = NULL;

	if (fd < 0)
		return -errno;
	if (s->size > SW_UKI_PCRSIG_MAX)
		return -EFBIG;
	text = malloc((size_t)s->size + 1);
	if (!text)
		return -ENOMEM;
	if (pread(fd, text, (size_t)s->size, (off_t)s->offset) != (ssize_t)s->size)
		return -EIO;
	/* It is filled up with NULs. */
	return sw_buf_add(b, text, strnlen(text, (size_t)s->size));
}

int sw_uki_pcr_signatures(const char *path, json_object **ret_signatures, struct sw_error *err)
{
	_cleanup_buf_ struct sw_buf text = {};
	struct sw_uki_info info = {};
	int r = sw_uki_inspect(path, &info, err);

	*ret_signatures = NULL;
	for (size_t i = 0; r == 0 && i < info.n_sections; i++) {
		if (strcmp(info.sections[i].name, ".pcrsig") != 0)
			continue;
		r = read_section(path, &info.sections[i], &text);
		if (r < 0)
			sw_fail_errno(err, SW_EXIT_VERIFY, r, "the image's signatures of PCRs "
							      "cannot be read");
	}
	sw_uki_info_clear(&info);
	if (r == 0 && text.len)
		r = sw_json_parse(sw_buf_text(&text), text.len, ".pcrsig", ret_signatures, err);
	return r;
}
