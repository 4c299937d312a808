/* SPDX-License-Identifier: Apache-2.0 */
/* What mdadm, lvm and dmsetup are told, and what lvm answers. */
#include <string.h>

#include "base/file.h"
#include "stack/private.h"

#define SEPARATOR ":slipway:"	/* of columns; in no name */
#define NAME_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+_.-"

static int words(const char *const *fixed, char ***ret_argv)
{
	int r = 0;

	for (size_t i = 0; r == 0 && fixed[i]; i++)
		r = sw_strv_add(ret_argv, fixed[i]);
	return r;
}

/*
 * By no configuration file, which might name other devices; --readonly starts no resync and writes
 * no superblock, --freeze-reshape goes on with no reshape.
 */
int sw_stack_md_words(const char *name, char *const *loops, bool degraded, char ***ret_argv)
{
	const char *const fixed[] = { "mdadm", "--assemble", "--readonly", "--freeze-reshape",
				      "--config=none", NULL };
	_cleanup_free_ char *device = sw_fmt("/dev/md/slipway-%s", name);
	int r = device ? words(fixed, ret_argv) : -ENOMEM;

	if (r == 0 && degraded)
		r = sw_strv_add(ret_argv, "--run");
	if (r == 0)
		r = sw_strv_add(ret_argv, device);
	for (; r == 0 && *loops; loops++)
		r = sw_strv_add(ret_argv, *loops);
	return r;
}

char *sw_stack_lvm_config(const char *group, char *const *loops)
{
	_cleanup_buf_ struct sw_buf b = {};
	int r = sw_buf_adds(&b, "devices{use_devicesfile=0 hints=\"none\" "
				"obtain_device_list_from_udev=0 filter=[");
	for (; r == 0 && *loops; loops++)
		r = sw_buf_addf(&b, "\"a|^%s$|\",", *loops);
	if (r == 0)
		r = sw_buf_addf(&b, "\"r|.*|\"]} activation{read_only_volume_list=[\"%s\"] "
			      "monitoring=0} backup{backup=0 archive=0} "
			      "global{metadata_read_only=1 use_lvmlockd=0 use_lvmpolld=0}", group);
	return r < 0 ? NULL : sw_buf_steal(&b);
}

int sw_stack_lvm_list_words(const char *config, const char *group, char ***ret_argv)
{
	const char *const fixed[] = { "lvm", "lvs", "--config", config, "--readonly",
				      "--noheadings", "--separator", SEPARATOR, "--options",
				      "lv_name,segtype",
				      group, NULL };

	return words(fixed, ret_argv);
}

int sw_stack_lvm_open_words(const char *config, const char *group, const char *volume,
			    bool degraded, char ***ret_argv)
{
	_cleanup_free_ char *name = sw_fmt("%s/%s", group, volume);
	const char *const fixed[] = { "lvm", "lvchange", "--config", config, "--activate", "y",
				      "--ignoreactivationskip", "--activationmode",
				      degraded ? "partial" : "complete", name, NULL };

	return name ? words(fixed, ret_argv) : -ENOMEM;
}

int sw_stack_remove_words(const char *kernel_name, const char *dm_name, char ***ret_argv)
{
	_cleanup_free_ char *device = sw_fmt("/dev/%s", kernel_name);
	const char *const md[] = { "mdadm", "--stop", device, NULL };
	const char *const dm[] = { "dmsetup", "remove", "--retry", dm_name, NULL };

	if (!device)
		return -ENOMEM;
	return words(dm_name ? dm : md, ret_argv);
}

/* Thin volumes, caches, snapshots and RAID keep metadata that their drivers write. */
static bool can_be_looked_into(const char *type)
{
	return strcmp(type, "linear") == 0 || strcmp(type, "striped") == 0;
}

/* "  root:slipway:linear"; whatever else lvm says has no such mark. */
static int lvs_line(const char *line, size_t len, char ***volumes, size_t *left)
{
	_cleanup_free_ char *text = strndup(line, len);
	char *mark = text ? strstr(text, SEPARATOR) : NULL, *name, *type;

	if (!mark)
		return text ? 0 : -ENOMEM;
	*mark = '\0';
	name = text + strspn(text, " ");
	type = mark + strlen(SEPARATOR);
	type[strcspn(type, " ")] = '\0';
	if (can_be_looked_into(type) && *name && !name[strspn(name, NAME_LETTERS)])
		return sw_strv_add(volumes, name);
	(*left)++;
	return 0;
}

int sw_stack_lvs_parse(const char *text, char ***ret_volumes, size_t *ret_left)
{
	int r = 0;

	*ret_left = 0;
	while (r == 0 && *text) {
		size_t n = strcspn(text, "\n");

		r = lvs_line(text, n, ret_volumes, ret_left);
		text += n + (text[n] == '\n');
	}
	return r;
}
