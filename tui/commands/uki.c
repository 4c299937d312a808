/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `slipway uki show FILE|URL`: what a unified kernel image holds and whether it is signed. What
 * comes from a server is only looked at, so that nobody has to vouch for it.
 */
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "boot/uki.h"
#include "payload/payload.h"
#include "tui/commands/common.h"
#include "tui/commands/list.h"

static const char *const release_keys[] = { "PRETTY_NAME", "ID", "IMAGE_ID", "IMAGE_VERSION",
					    "BUILD_ID", "VERSION_ID" };

static json_object *release_json(const struct sw_uki_info *info)
{
	json_object *o = json_object_new_object();

	for (size_t i = 0; i < ARRAY_SIZE(release_keys); i++) {
		_cleanup_free_ char *v = sw_uki_osrel(info, release_keys[i]);

		if (v)
			sw_json_add_str(o, release_keys[i], sw_text_clean(v));
	}
	return o;
}

static json_object *to_json(const struct sw_uki_info *info, const char *file, const char *sha256)
{
	json_object *o = json_object_new_object(), *list = json_object_new_array();

	sw_json_add_str(o, "file", file);
	sw_json_add_bool(o, "uki", info->is_uki);
	sw_json_add_bool(o, "signed", info->is_signed);
	sw_json_add_u64(o, "size", info->size);
	sw_json_add_str(o, "sha256", sha256);
	sw_json_add_str(o, "cmdline", info->cmdline);
	sw_json_add(o, "os_release", release_json(info));
	for (size_t i = 0; i < info->n_sections; i++) {
		json_object *s = json_object_new_object();

		sw_json_add_str(s, "name", info->sections[i].name);
		sw_json_add_u64(s, "offset", info->sections[i].offset);
		sw_json_add_u64(s, "size", info->sections[i].size);
		json_object_array_add(list, s);
	}
	sw_json_add(o, "sections", list);
	return o;
}

static void print_text(json_object *o)
{
	json_object *list = sw_json_array(o, "sections"), *release = sw_json_get(o, "os_release");

	printf("Image      %s, %llu bytes\n", sw_json_bool(o, "uki", false)
						      ? "a unified kernel image"
						      : "an EFI program without a kernel: no UKI",
	       (unsigned long long)sw_json_u64(o, "size", 0));
	printf("SHA-256    %s\n", sw_json_str(o, "sha256", ""));
	printf("Signature  %s\n", sw_json_bool(o, "signed", false)
					  ? "there is one for Secure Boot; whose is not checked"
					  : "none: firmware with Secure Boot on refuses it");
	json_object_object_foreach(release, key, value)
		printf("%-10s %s\n", strcmp(key, "PRETTY_NAME") == 0 ? "Release" : key,
		       json_object_get_string(value));
	printf("Command    %s\n", sw_json_str(o, "cmdline", "(none)"));
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		json_object *s = json_object_array_get_idx(list, i);

		printf("%-10s %-9s %12llu bytes\n", i ? "" : "Sections", sw_json_str(s, "name", ""),
		       (unsigned long long)sw_json_u64(s, "size", 0));
	}
}

static int look(const char *file, const char *source, json_object **ret, struct sw_error *err)
{
	_cleanup_(sw_uki_info_clear) struct sw_uki_info info = {};
	char sha256[SW_SHA256_TEXT];
	int r = sw_uki_inspect(file, &info, err);

	if (r == 0)
		r = sw_sha256_file(file, sha256);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot read %s", source);
	if (info.cmdline)
		(void)sw_text_clean(info.cmdline);
	*ret = to_json(&info, source, sha256);
	return 0;
}

static int look_remote(const char *source, json_object **ret, struct sw_error *err)
{
	_cleanup_free_ char *dir = NULL, *shown = sw_source_show(source), *out = NULL;
	struct sw_fetch f = { .source = source, .vouched = true };
	char sha256[SW_SHA256_TEXT];
	int r = sw_scratch_new("slipway-uki", &dir);

	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot make a scratch directory");
	f.out = out = sw_fmt("%s/uki", dir);
	r = out && shown ? sw_fetch_run(NULL, &f, NULL, sha256, err) : sw_fail_oom(err);
	if (r == 0)
		r = look(out, shown, ret, err);
	(void)sw_remove_tree(dir);
	return r;
}

static int run(struct sw_cli *cli, struct sw_error *err)
{
	const char *source = cli->args.rest[0];
	_cleanup_json_ json_object *o = NULL;
	int r = sw_source_is_remote(source) ? look_remote(source, &o, err)
					    : look(source, source, &o, err);

	if (r < 0)
		return r;
	if (cli->json)
		sw_print_json(o);
	else
		print_text(o);
	return 0;
}

const struct sw_command sw_command_uki_show = {
	.name = "uki show",
	.summary = "Show what a unified kernel image holds, and whether it is signed",
	.operands = "FILE|URL",
	.min_rest = 1,
	.max_rest = 1,
	.details = "Sections, command line, release, SHA-256, and whether a Secure Boot signature\n"
		   "is there. Who signed it and whether the firmware knows them is not checked.",
	.run = run,
};
