/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/text.h"
#include "boot/pe.h"
#include "boot/uki.h"

#define TEXT_MAX 65536u

/* Text as the stub takes it: up to a NUL; trailing white space says nothing. */
static int read_text(int fd, const struct sw_pe_section *s, char **ret_text)
{
	uint32_t n = s->vsize && s->vsize < s->raw_size ? s->vsize : s->raw_size;
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r;

	if (n > TEXT_MAX)
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

static int read_sections(const struct sw_pe *pe, struct sw_uki_info *info)
{
	info->sections = calloc(pe->n_sections ? pe->n_sections : 1, sizeof(*info->sections));
	if (!info->sections)
		return -ENOMEM;
	for (unsigned int i = 0; i < pe->n_sections; i++) {
		const struct sw_pe_section *s = &pe->sections[i];
		struct sw_uki_section *out = &info->sections[info->n_sections++];

		(void)snprintf(out->name, sizeof(out->name), "%s", s->name);
		(void)sw_text_clean(out->name);
		out->offset = s->raw_off;
		out->size = s->vsize && s->vsize < s->raw_size ? s->vsize : s->raw_size;
	}
	return 0;
}

static int read_info(int fd, const struct sw_pe *pe, struct sw_uki_info *info)
{
	const struct sw_pe_section *cmdline = sw_pe_find(pe, ".cmdline");
	const struct sw_pe_section *osrel = sw_pe_find(pe, ".osrel");
	int r = read_sections(pe, info);

	info->is_uki = sw_pe_find(pe, ".linux") != NULL;
	info->is_signed = pe->cert_len > 0;
	info->size = pe->file_size;
	if (r == 0 && cmdline)
		r = read_text(fd, cmdline, &info->cmdline);
	if (r == 0 && osrel)
		r = read_text(fd, osrel, &info->osrel);
	return r;
}

int sw_uki_inspect(const char *path, struct sw_uki_info *ret_info, struct sw_error *err)
{
	_cleanup_close_ int fd = -1;
	struct sw_uki_info info = {};
	struct sw_pe pe;
	int r = sw_pe_open(path, &fd, &pe, err);

	if (r < 0)
		return r;
	r = read_info(fd, &pe, &info);
	if (r < 0) {
		sw_uki_info_clear(&info);
		sw_fail_errno(err, SW_EXIT_INVALID, r, "cannot read what the image says of itself");
		sw_error_where(err, "%s", path);
		return r;
	}
	*ret_info = info;
	return 0;
}

int sw_uki_signatures(const char *path, struct sw_buf *ret_table, struct sw_error *err)
{
	_cleanup_close_ int fd = -1;
	_cleanup_free_ uint8_t *table = NULL;
	struct sw_pe pe;
	int r = sw_pe_open(path, &fd, &pe, err);

	if (r < 0 || pe.cert_len == 0)
		return r;
	r = pe.cert_len > SW_UKI_SIGNATURES_MAX ? -EFBIG : 0;
	table = r == 0 ? malloc(pe.cert_len) : NULL;
	if (r == 0 && !table)
		return sw_fail_oom(err);
	if (r == 0)
		r = sw_pread_all(fd, table, pe.cert_len, pe.cert_off);
	if (r == 0)
		r = sw_buf_add(ret_table, table, pe.cert_len);
	if (r == 0)
		return 0;
	sw_fail_errno(err, SW_EXIT_INVALID, r, "the image's signatures cannot be read");
	sw_error_where(err, "%s", path);
	return r;
}

char *sw_uki_osrel(const struct sw_uki_info *info, const char *key)
{
	size_t n = strlen(key);

	for (const char *p = info->osrel, *next; p && *p; p = next) {
		const char *value = p + n + 1, *end;

		next = p + strcspn(p, "\n");
		next += *next == '\n';
		if (strncmp(p, key, n) != 0 || p[n] != '=')
			continue;
		end = value + strcspn(value, "\n");
		if (end - value >= 2 && (*value == '"' || *value == '\'') && end[-1] == *value) {
			value++;
			end--;
		}
		return strndup(value, (size_t)(end - value));
	}
	return NULL;
}

int sw_uki_check(const struct sw_uki_info *info, bool secure_boot, const char *where,
		 struct sw_error *err)
{
	if (!info->is_uki) {
		sw_fail(err, SW_EXIT_INVALID, -EINVAL, "this is not a unified kernel image");
		sw_error_where(err, "%s", where);
		sw_error_why(err, "there is no kernel in it");
		sw_error_hint(err, "give a kernel, its initrd and a command line instead, or build "
				   "a UKI");
		return -EINVAL;
	}
	if (!secure_boot || info->is_signed)
		return 0;
	sw_fail(err, SW_EXIT_REFUSED, -EPERM, "the image is not signed");
	sw_error_where(err, "%s", where);
	sw_error_why(err, "Secure Boot is on: the firmware would refuse it");
	sw_error_hint(err, "sign the UKI, or turn Secure Boot off in the firmware's setup");
	return -EPERM;
}

void sw_uki_info_clear(struct sw_uki_info *info)
{
	free(info->cmdline);
	free(info->osrel);
	free(info->sections);
	*info = (struct sw_uki_info){};
}
