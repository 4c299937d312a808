/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <string.h>

#include "boot/pe.h"
#include "boot/uki.h"

#define CMDLINE_SHOWN 65536u

/* Text as the stub takes it: up to a NUL; trailing white space says nothing. */
static int read_cmdline(int fd, const struct sw_pe_section *s, char **ret_text)
{
	uint32_t n = s->vsize && s->vsize < s->raw_size ? s->vsize : s->raw_size;
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r;

	if (n > CMDLINE_SHOWN)
		return -E2BIG;
	text = calloc(1, n + 1);
	if (!text)
		return -ENOMEM;
	r = sw_pread_all(fd, text, n, s->raw_off);
	if (r < 0)
		return r;
	for (len = strlen(text); len > 0 && strchr(" \t\r\n", text[len - 1]);)
		text[--len] = '\0';
	*ret_text = TAKE_PTR(text);
	return 0;
}

int sw_uki_inspect(const char *path, struct sw_uki_info *ret_info, struct sw_error *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	const struct sw_pe_section *cmdline;
	struct sw_uki_info info = {};
	struct sw_pe pe;
	int r = fd < 0 ? -errno : 0;

	if (r < 0) {
		sw_fail_errno(err, SW_EXIT_MISSING, r, "cannot open the kernel image");
		sw_error_where(err, "%s", path);
		return r;
	}
	r = sw_pe_read(fd, path, &pe, err);
	if (r < 0)
		return r;
	info.is_uki = sw_pe_find(&pe, ".linux") != NULL;
	info.is_signed = pe.cert_len > 0;
	info.size = pe.file_size;
	cmdline = sw_pe_find(&pe, ".cmdline");
	if (cmdline)
		r = read_cmdline(fd, cmdline, &info.cmdline);
	if (r < 0) {
		sw_fail_errno(err, SW_EXIT_INVALID, r, "cannot read the image's command line");
		sw_error_where(err, "%s", path);
		return r;
	}
	*ret_info = info;
	return 0;
}

void sw_uki_info_clear(struct sw_uki_info *info)
{
	free(info->cmdline);
	*info = (struct sw_uki_info){};
}
