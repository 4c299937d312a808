/* SPDX-License-Identifier: Apache-2.0 */
/* The keys that say what a new partition holds. */
#include <string.h>
#include <strings.h>

#include "base/strv.h"
#include "layout/content.h"
#include "layout/parse.h"

bool sw_layout_is_path(const char *p)
{
	size_t n = strlen(p);

	return p[0] == '/' && n < 1024 && !strstr(p, "/../") &&
	       !(n >= 3 && !strcmp(p + n - 3, "/.."));
}

static void content_here(struct sw_parse *s, const struct sw_ini_item *it)
{
	s->content_at = (struct sw_parse_place){ s->path, it->line };
}

int sw_parse_format(struct sw_parse *s, const struct sw_parse_key *k SW_UNUSED,
		    const struct sw_ini_item *it, struct sw_error *err)
{
	content_here(s, it);
	if (sw_layout_format_known(it->value))
		return sw_parse_replace(&s->p.format, it->value, err);
	return sw_parse_bad(s, it, err, "slipway does not make this file system",
			    "Use ext4, vfat, swap, xfs, btrfs or squashfs");
}

int sw_parse_copy_blocks(struct sw_parse *s, const struct sw_parse_key *k SW_UNUSED,
			 const struct sw_ini_item *it, struct sw_error *err)
{
	_cleanup_free_ char *path = NULL;
	int r = sw_parse_expand(s, it, &path, err);

	if (r < 0)
		return r;
	content_here(s, it);
	/* As repart: CopyBlocks= takes an earlier one back. */
	if (!*it->value) {
		free(s->p.copy_blocks);
		s->p.copy_blocks = NULL;
		return 0;
	}
	if (!strcmp(path, "auto"))
		return sw_parse_bad(s, it, err, "\"auto\" is not supported",
				    "Name the file or the block device to copy");
	if (!sw_layout_is_path(path))
		return sw_parse_bad(s, it, err, "it is not an absolute path",
				    "Start it with / and leave out ..");
	return sw_parse_replace(&s->p.copy_blocks, path, err);
}

int sw_parse_copy_files(struct sw_parse *s, const struct sw_parse_key *k SW_UNUSED,
			const struct sw_ini_item *it, struct sw_error *err)
{
	_cleanup_free_ char *pair = NULL;
	char *target;
	int r = sw_parse_expand(s, it, &pair, err);

	if (r < 0)
		return r;
	content_here(s, it);
	target = strchr(pair, ':');
	if (target)
		*target++ = '\0';
	else
		target = pair;
	if (!sw_layout_is_path(pair) || !sw_layout_is_path(target))
		return sw_parse_bad(s, it, err, "it is not one or two absolute paths",
				    "Write CopyFiles=/source or CopyFiles=/source:/target");
	if (sw_strv_add(&s->p.copy_files, pair) < 0 || sw_strv_add(&s->p.copy_files, target) < 0)
		return sw_fail_oom(err);
	return 0;
}

int sw_parse_make_directories(struct sw_parse *s, const struct sw_parse_key *k SW_UNUSED,
			      const struct sw_ini_item *it, struct sw_error *err)
{
	_cleanup_free_ char *list = NULL;
	char *save = NULL;
	int r = sw_parse_expand(s, it, &list, err);

	if (r < 0)
		return r;
	content_here(s, it);
	for (char *p = strtok_r(list, " \t", &save); p; p = strtok_r(NULL, " \t", &save)) {
		if (!sw_layout_is_path(p))
			return sw_parse_bad(s, it, err, "it is not a list of absolute paths",
					    "Start each with / and leave out ..");
		if (sw_strv_add(&s->p.make_directories, p) < 0)
			return sw_fail_oom(err);
	}
	return 0;
}

const char *sw_encrypt_name(unsigned int encrypt)
{
	static const char *const names[] = { "off", "tpm2", "key-file", "key-file+tpm2" };

	return names[encrypt & (SW_ENCRYPT_TPM2 | SW_ENCRYPT_KEY_FILE)];
}

int sw_encrypt_parse(const char *text, unsigned int *ret_encrypt)
{
	for (unsigned int e = 0; e <= (SW_ENCRYPT_TPM2 | SW_ENCRYPT_KEY_FILE); e++)
		if (!strcmp(text, sw_encrypt_name(e))) {
			*ret_encrypt = e;
			return 0;
		}
	return -EINVAL;
}

/* Booleans too, as repart takes them: yes is key-file. */
int sw_parse_encrypt(struct sw_parse *s, const struct sw_parse_key *k SW_UNUSED,
		     const struct sw_ini_item *it, struct sw_error *err)
{
	static const char *const off[] = { "", "off", "no", "false", "0", "n", "f" };
	static const char *const on[] = { "yes", "true", "1", "y", "t", "on" };

	content_here(s, it);
	if (sw_encrypt_parse(it->value, &s->p.encrypt) == 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(off); i++)
		if (!strcasecmp(it->value, off[i])) {
			s->p.encrypt = 0;
			return 0;
		}
	for (size_t i = 0; i < ARRAY_SIZE(on); i++)
		if (!strcasecmp(it->value, on[i])) {
			s->p.encrypt = SW_ENCRYPT_KEY_FILE;
			return 0;
		}
	return sw_parse_bad(s, it, err, "this is no kind of encryption",
			    "Write off, tpm2, key-file or key-file+tpm2");
}

static int clash(struct sw_parse *s, const char *what, struct sw_error *err)
{
	sw_fail(err, SW_EXIT_INVALID, -EINVAL, "%s", what);
	sw_error_where(err, "%s:%u:1", s->content_at.path, s->content_at.line);
	return -EINVAL;
}

int sw_parse_check_content(struct sw_parse *s, struct sw_error *err)
{
	bool files = s->p.copy_files || s->p.make_directories;

	if (s->p.copy_blocks && (s->p.format || files))
		return clash(s, "CopyBlocks= does not go with Format=, CopyFiles= or "
				"MakeDirectories=", err);
	if (s->p.format && !strcmp(s->p.format, "swap") && files)
		return clash(s, "Format=swap does not go with CopyFiles= or MakeDirectories=", err);
	if (s->p.format && !strcmp(s->p.format, "squashfs") && !files)
		return clash(s, "Format=squashfs needs CopyFiles= or MakeDirectories=, since "
				"nothing can be put into it later", err);
	if (s->p.encrypt && s->p.role != SW_ROLE_NONE && s->p.role != SW_ROLE_STATE)
		return clash(s, "Encrypt= does not go with a slot, node data or rescue: firmware "
				"and the node read them in clear", err);
	/* As repart: what is encrypted is not left without a file system. */
	if ((files || (s->p.encrypt && !s->p.copy_blocks)) && !s->p.format)
		return sw_parse_replace(&s->p.format, "ext4", err);
	return 0;
}
