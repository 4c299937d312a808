/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys of a definition file. repart warns and carries on with a default
 * where a value is wrong; we refuse, since a typing error must not decide about
 * a disk.
 */
#include "layout/part.h"

#include <limits.h>
#include <string.h>
#include <strings.h>

#include "base/size.h"
#include "base/text.h"
#include "layout/parse.h"
#include "layout/sizes.h"
#include "layout/specifier.h"
#include "layout/types.h"

#define BITS_RESERVED 0x0000fffffffffff8ULL	/* UEFI 2.10, 5.3.3: must be zero */
#define BIT_GROW (1ULL << 59)
#define BIT_READ_ONLY (1ULL << 60)
#define BIT_NO_AUTO (1ULL << 63)

int sw_parse_bad(struct sw_parse *s, const struct sw_ini_item *it, struct sw_error *err,
	       const char *why, const char *hint)
{
	sw_fail(err, SW_EXIT_INVALID, -EINVAL, "%s=%.80s is not valid", it->key, it->value);
	sw_error_where(err, "%s:%u:%u", s->path, it->line, it->value_column);
	sw_error_why(err, "%s", why);
	sw_error_hint(err, "%s", hint);
	return -EINVAL;
}

/* ---- did you mean ---- */

static void suggest(const char *word, const char *candidate, const char **best, unsigned int *d)
{
	unsigned int x = sw_edit_distance(word, candidate);

	if (x < *d) {
		*d = x;
		*best = candidate;
	}
}

/* ---- values ---- */

static int set_type(struct sw_parse *s, const struct sw_parse_key *k SW_UNUSED,
		    const struct sw_ini_item *it, struct sw_error *err)
{
	const char *best = NULL;
	unsigned int d = 4;
	char hint[160];

	s->has_type = true;
	s->type_at = (struct sw_parse_place){ s->path, it->line };
	if (sw_part_type_parse(it->value, &s->p.type) == 0 && !sw_guid_is_zero(&s->p.type))
		return 0;
	for (size_t i = 0; sw_part_type_at(i); i++)
		suggest(it->value, sw_part_type_at(i), &best, &d);
	(void)snprintf(hint, sizeof(hint), best ? "Did you mean \"%s\"?"
						: "Give a name from repart.d(5), such as esp or "
						  "linux-generic, or a UUID%s",
		       best ? best : "");
	return sw_parse_bad(s, it, err, "there is no partition type of this name", hint);
}

int sw_parse_replace(char **field, const char *value, struct sw_error *err)
{
	char *copy = strdup(value);

	if (!copy)
		return sw_fail_oom(err);
	free(*field);
	*field = copy;
	return 0;
}

int sw_parse_expand(struct sw_parse *s, const struct sw_ini_item *it, char **ret_text,
		    struct sw_error *err)
{
	char which = 0, why[80];
	int r = sw_specifier_expand(it->value, s->m, ret_text, &which);

	if (r >= 0)
		return r;
	if (r == -ENOMEM)
		return sw_fail_oom(err);
	(void)snprintf(why, sizeof(why), "%s: %%%c",
		       r == -E2BIG     ? "it becomes too long"
		       : r == -ENODATA ? "it is not known here what this stands for"
				       : "there is no such specifier",
		       which > 0x20 && which < 0x7f ? which : '?');
	return sw_parse_bad(s, it, err, why, "Write %% for a percent sign");
}

static int not_text(struct sw_parse *s, const struct sw_ini_item *it, struct sw_error *err)
{
	return sw_parse_bad(s, it, err, "it is not plain text in UTF-8", "Use letters and digits");
}

static int check_label(struct sw_parse *s, const struct sw_ini_item *it, const char *label,
		       struct sw_error *err)
{
	size_t units = 0, n;
	uint32_t c;

	/* What a specifier stands for was in no file. */
	if (!sw_text_is_clean(label))
		return not_text(s, it, err);
	for (const char *p = label; *p; p += n) {
		n = sw_utf8_decode(p, strlen(p), &c);
		units += n == 4 ? 2 : 1;
	}
	if (units > SW_LABEL_UNITS)
		return sw_parse_bad(s, it, err, "a GPT label has at most 36 characters",
				    "Shorten it");
	return 0;
}

static int set_label(struct sw_parse *s, const struct sw_parse_key *k SW_UNUSED,
		     const struct sw_ini_item *it, struct sw_error *err)
{
	_cleanup_free_ char *label = NULL;
	int r = sw_parse_expand(s, it, &label, err);

	if (r >= 0)
		r = check_label(s, it, label, err);
	if (r < 0)
		return r;
	free(s->p.label);
	/* As repart: an empty one is a label too, and not made from the type. */
	s->p.own_label = true;
	s->p.label = TAKE_PTR(label);
	s->label_at = (struct sw_parse_place){ s->path, it->line };
	return 0;
}

static int set_uuid(struct sw_parse *s, const struct sw_parse_key *k SW_UNUSED,
		    const struct sw_ini_item *it, struct sw_error *err)
{
	_cleanup_free_ char *uuid = NULL;
	int r = sw_parse_expand(s, it, &uuid, err);

	if (r < 0)
		return r;
	s->p.uuid_null = !strcmp(uuid, "null");
	/* As repart: UUID= takes an earlier one back. */
	if (s->p.uuid_null || !*it->value) {
		s->p.uuid = (struct sw_guid){};
		return 0;
	}
	if (sw_guid_parse(uuid, &s->p.uuid) < 0 || sw_guid_is_zero(&s->p.uuid))
		return sw_parse_bad(s, it, err, "it is not a UUID",
			   "Write it as 01234567-89ab-4cde-8f01-23456789abcd");
	return 0;
}

/* A whole decimal number between the limits, and nothing else. */
static int read_number(const char *text, long long min, long long max, long long *ret)
{
	char *end;

	errno = 0;
	*ret = strtoll(text, &end, 10);
	return errno || end == text || *end || strchr(" \t+", *text) || *ret < min || *ret > max
		       ? -EINVAL
		       : 0;
}

static int set_priority(struct sw_parse *s, const struct sw_parse_key *k SW_UNUSED,
			const struct sw_ini_item *it, struct sw_error *err)
{
	long long v;

	if (read_number(it->value, INT_MIN, INT_MAX, &v) < 0)
		return sw_parse_bad(s, it, err, "it is not a whole number of 32 bits",
			   "0 or less: never left out; larger numbers are left out first");
	s->p.priority = (int)v;
	return 0;
}

static int set_weight(struct sw_parse *s, const struct sw_parse_key *k,
		      const struct sw_ini_item *it, struct sw_error *err)
{
	long long v;

	if (read_number(it->value, 0, 1000000, &v) < 0)
		return sw_parse_bad(s, it, err, "it is not a number from 0 to 1000000",
			   "1000 is the usual weight");
	*(uint32_t *)((char *)s + k->offset) = (uint32_t)v;
	return 0;
}

static int set_size(struct sw_parse *s, const struct sw_parse_key *k, const struct sw_ini_item *it,
		    struct sw_error *err)
{
	bool is_max = strstr(k->name, "Max") != NULL;
	uint64_t v;

	if (sw_size_parse(it->value, &v) < 0)
		return sw_parse_bad(s, it, err, "it is not a size",
				    "Write bytes, or 512M, 1.5G, 2T");
	if (!is_max)
		v += SW_LAYOUT_GRAIN - 1;
	v -= v % SW_LAYOUT_GRAIN;
	*(uint64_t *)((char *)s + k->offset) = v;
	if (k->offset == offsetof(struct sw_parse, p.size_min))
		s->has_min = true;
	if (k->offset == offsetof(struct sw_parse, p.size_max))
		s->max_at = (struct sw_parse_place){ s->path, it->line };
	if (k->offset == offsetof(struct sw_parse, p.padding_max))
		s->padding_max_at = (struct sw_parse_place){ s->path, it->line };
	return 0;
}

static int set_flags(struct sw_parse *s, const struct sw_parse_key *k SW_UNUSED,
		     const struct sw_ini_item *it, struct sw_error *err)
{
	const char *t = it->value;
	int base = !strncasecmp(t, "0x", 2) ? 16 : !strncasecmp(t, "0b", 2) ? 2 : 10;
	char *end;

	if (base != 10)
		t += 2;
	errno = 0;
	s->p.attrs = strtoull(t, &end, base);
	if (errno || end == t || *end || strchr(" \t+-", *t) || !strncasecmp(t, "0x", 2))
		return sw_parse_bad(s, it, err, "it is not a number of 64 bits",
			   "Write it in decimal, or with 0x or 0b in front");
	if (s->p.attrs & BITS_RESERVED)
		return sw_parse_bad(s, it, err, "bits 3 to 47 are reserved and must be zero",
				    "Use bits 0 to 2, or 48 to 63");
	return 0;
}

static int set_bool(struct sw_parse *s, const struct sw_parse_key *k, const struct sw_ini_item *it,
		    struct sw_error *err)
{
	static const char *const words[2][6] = {
		{ "0", "no", "n", "false", "f", "off" },
		{ "1", "yes", "y", "true", "t", "on" },
	};

	for (int v = 0; v < 2; v++)
		for (size_t i = 0; i < 6; i++)
			if (!strcasecmp(it->value, words[v][i])) {
				*(int *)((char *)s + k->offset) = v;
				return 0;
			}
	return sw_parse_bad(s, it, err, "it is neither yes nor no", "Write yes or no");
}

/* As repart: an empty one takes back what was said of the flag. */
static int set_flag(struct sw_parse *s, const struct sw_parse_key *k, const struct sw_ini_item *it,
		    struct sw_error *err)
{
	if (*it->value)
		return set_bool(s, k, it, err);
	*(int *)((char *)s + k->offset) = -1;
	return 0;
}

static int set_role(struct sw_parse *s, const struct sw_parse_key *k SW_UNUSED,
		    const struct sw_ini_item *it, struct sw_error *err)
{
	static const char *const roles[] = {
		[SW_ROLE_SLOT] = "slot",
		[SW_ROLE_NODE_DATA] = "node-data",
		[SW_ROLE_STATE] = "state",
		[SW_ROLE_RESCUE] = "rescue",
		[SW_ROLE_IPXE] = "ipxe",
	};

	for (size_t i = SW_ROLE_SLOT; i < ARRAY_SIZE(roles); i++)
		if (!strcmp(it->value, roles[i])) {
			s->p.role = (enum sw_role)i;
			return 0;
		}
	return sw_parse_bad(s, it, err, "there is no such role",
			    "Use slot, node-data, state or rescue");
}

static int set_description(struct sw_parse *s, const struct sw_parse_key *k SW_UNUSED,
			   const struct sw_ini_item *it, struct sw_error *err)
{
	return sw_parse_replace(&s->description, it->value, err);
}

/* Keys of systemd that slipway does not act on: dropping one silently would be a lie. */
static int set_unsupported(struct sw_parse *s, const struct sw_parse_key *k,
			   const struct sw_ini_item *it, struct sw_error *err)
{
	sw_fail(err, SW_EXIT_INVALID, -EOPNOTSUPP, "%s= is not supported", it->key);
	sw_error_where(err, "%s:%u:%u", s->path, it->line, it->key_column);
	if (k->since)
		sw_error_why(err, "systemd has it since version %u; slipway does what 252 does",
			     k->since);
	else
		sw_error_why(err, "systemd-repart knows it, slipway does not act on it");
	sw_error_hint(err, "Leave it out, or keep it in a file that only systemd-repart reads");
	return -EOPNOTSUPP;
}

#define AT(field) offsetof(struct sw_parse, field)

static const struct sw_parse_key keys[] = {
	{ "Type", set_type, 0, 0 },
	{ "Label", set_label, 0, 0 },
	{ "UUID", set_uuid, 0, 0 },
	{ "Priority", set_priority, 0, 0 },
	{ "Weight", set_weight, AT(p.weight), 0 },
	{ "PaddingWeight", set_weight, AT(p.padding_weight), 0 },
	{ "SizeMinBytes", set_size, AT(p.size_min), 0 },
	{ "SizeMaxBytes", set_size, AT(p.size_max), 0 },
	{ "PaddingMinBytes", set_size, AT(p.padding_min), 0 },
	{ "PaddingMaxBytes", set_size, AT(p.padding_max), 0 },
	{ "Format", sw_parse_format, 0, 0 },
	{ "Flags", set_flags, 0, 0 },
	{ "NoAuto", set_flag, AT(no_auto), 0 },
	{ "ReadOnly", set_flag, AT(read_only), 0 },
	{ "GrowFileSystem", set_flag, AT(grow), 0 },
	{ "X-Slipway-Role", set_role, 0, 0 },
	{ "X-Slipway-Description", set_description, 0, 0 },
	{ "X-Slipway-Disk", sw_parse_disk, 0, 0 },
	{ "X-Slipway-Raid", sw_parse_raid, 0, 0 },
	{ "X-Slipway-SizePercent", sw_parse_percent, 0, 0 },
	{ "CopyBlocks", sw_parse_copy_blocks, 0, 0 },
	{ "CopyFiles", sw_parse_copy_files, 0, 0 },
	{ "MakeDirectories", sw_parse_make_directories, 0, 0 },
	{ "Encrypt", sw_parse_encrypt, 0, 0 },
	{ "FactoryReset", set_bool, AT(factory_reset), 0 },
	{ "Verity", set_unsupported, 0, 0 },
	{ "VerityMatchKey", set_unsupported, 0, 0 },
	{ "SplitName", set_unsupported, 0, 0 },
	{ "Minimize", set_unsupported, 0, 253 },
	{ "ExcludeFiles", set_unsupported, 0, 254 },
	{ "ExcludeFilesTarget", set_unsupported, 0, 254 },
	{ "Subvolumes", set_unsupported, 0, 255 },
	{ "VerityDataBlockSizeBytes", set_unsupported, 0, 255 },
	{ "VerityHashBlockSizeBytes", set_unsupported, 0, 255 },
	{ "DefaultSubvolume", set_unsupported, 0, 256 },
	{ "MountPoint", set_unsupported, 0, 256 },
	{ "EncryptedVolume", set_unsupported, 0, 256 },
	{ "MakeSymlinks", set_unsupported, 0, 257 },
	{ "Compression", set_unsupported, 0, 257 },
	{ "CompressionLevel", set_unsupported, 0, 257 },
	{ "SupplementFor", set_unsupported, 0, 257 },
	{ "AddValidateFS", set_unsupported, 0, 258 },
	{ "FileSystemSectorSize", set_unsupported, 0, 258 },
	{ "VolumeLabel", set_unsupported, 0, 259 },
	{ "TPM2PCRs", set_unsupported, 0, 259 },
	{ "KeyFile", set_unsupported, 0, 259 },
	{ "Integrity", set_unsupported, 0, 260 },
	{ "IntegrityAlgorithm", set_unsupported, 0, 260 },
	{ "BlockDeviceReplace", set_unsupported, 0, 261 },
	{ "Discard", set_unsupported, 0, 261 },
	{ "EncryptKDF", set_unsupported, 0, 261 },
	{ "VolumeName", set_unsupported, 0, 261 },
};

static int unknown_key(struct sw_parse *s, const struct sw_ini_item *it, struct sw_error *err)
{
	const char *best = NULL;
	unsigned int d = 4;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		suggest(it->key, keys[i].name, &best, &d);
	sw_fail(err, SW_EXIT_INVALID, -EINVAL, "there is no key %.80s=", it->key);
	sw_error_where(err, "%s:%u:%u", s->path, it->line, it->key_column);
	if (best)
		sw_error_hint(err, "Did you mean %s=?", best);
	else
		sw_error_hint(err, "The keys are those of repart.d(5); your own start with X-");
	return -EINVAL;
}

static int on_section(struct sw_parse *s, const struct sw_ini_item *it, struct sw_error *err)
{
	if (!strcmp(it->section, "Partition"))
		s->seen = true;
	else if (strncmp(it->section, "X-", 2) != 0) {
		sw_fail(err, SW_EXIT_INVALID, -EINVAL, "there is no section [%.80s]", it->section);
		sw_error_where(err, "%s:%u:%u", s->path, it->line, it->key_column);
		sw_error_hint(err, "The only section is [Partition]");
		return -EINVAL;
	}
	return 0;
}

static int on_item(const struct sw_ini_item *it, void *userdata, struct sw_error *err)
{
	struct sw_parse *s = userdata;

	if (!it->key)
		return on_section(s, it, err);
	if (!it->section) {
		sw_fail(err, SW_EXIT_INVALID, -EINVAL, "%.80s= stands before any section", it->key);
		sw_error_where(err, "%s:%u:%u", s->path, it->line, it->key_column);
		sw_error_hint(err, "Start the file with [Partition]");
		return -EINVAL;
	}
	if (strcmp(it->section, "Partition") != 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcmp(it->key, keys[i].name))
			return sw_text_is_clean(it->value) ? keys[i].set(s, &keys[i], it, err)
							   : not_text(s, it, err);
	if (!strncmp(it->key, "X-", 2) && strncasecmp(it->key, "X-Slipway", 9) != 0)
		return 0;
	return unknown_key(s, it, err);
}

/* ---- the whole ---- */

static void set_bit(uint64_t *attrs, uint64_t bit, int on)
{
	if (on >= 0)
		*attrs = on ? *attrs | bit : *attrs & ~bit;
}

/* The three friendly flags with repart's defaults; a type that has no such flag refuses it. */
static int apply_flags(struct sw_parse *s, struct sw_error *err)
{
	unsigned int can = sw_part_type_flags(&s->p.type);
	const char *no = s->no_auto > 0 && !(can & SW_TYPE_NO_AUTO) ? "NoAuto"
			 : s->read_only > 0 && !(can & SW_TYPE_READ_ONLY) ? "ReadOnly"
			 : s->grow > 0 && !(can & SW_TYPE_GROW) ? "GrowFileSystem"
								: NULL;

	if (no) {
		sw_fail(err, SW_EXIT_INVALID, -EINVAL, "%s=yes has no meaning for this type", no);
		sw_error_where(err, "%s:%u:1", s->type_at.path, s->type_at.line);
		sw_error_hint(err, "Leave %s= out", no);
		return -EINVAL;
	}
	if (s->read_only < 0 && (can & SW_TYPE_VERITY))
		s->read_only = 1;
	if (s->grow < 0 && (can & SW_TYPE_GROW))
		s->grow = !(s->read_only > 0 || (s->read_only < 0 && (s->p.attrs & BIT_READ_ONLY)));
	set_bit(&s->p.attrs, BIT_NO_AUTO, s->no_auto);
	set_bit(&s->p.attrs, BIT_READ_ONLY, s->read_only);
	set_bit(&s->p.attrs, BIT_GROW, s->grow);
	return 0;
}

static int check_whole(struct sw_parse *s, struct sw_error *err)
{
	if (!s->seen || !s->has_type) {
		sw_fail(err, SW_EXIT_INVALID, -EINVAL,
			s->seen ? "Type= is missing" : "there is no [Partition] section");
		sw_error_where(err, "%s:1:1", s->path);
		sw_error_hint(err, "A definition starts with [Partition] and has a Type=");
		return -EINVAL;
	}
	if (s->has_min && s->p.size_max < s->p.size_min) {
		sw_fail(err, SW_EXIT_INVALID, -EINVAL, "SizeMaxBytes= is below SizeMinBytes=");
		sw_error_where(err, "%s:%u:1", s->max_at.path, s->max_at.line);
		return -EINVAL;
	}
	if (s->p.padding_max < s->p.padding_min) {
		sw_fail(err, SW_EXIT_INVALID, -EINVAL,
			"PaddingMaxBytes= is below PaddingMinBytes=");
		sw_error_where(err, "%s:%u:1", s->padding_max_at.path, s->padding_max_at.line);
		return -EINVAL;
	}
	if (s->p.role != SW_ROLE_NONE && s->p.own_label && !*s->p.label) {
		sw_fail(err, SW_EXIT_INVALID, -EINVAL, "a partition with a role needs a label");
		sw_error_where(err, "%s:%u:1", s->label_at.path, s->label_at.line);
		sw_error_hint(err, "Leave Label= out, or give one");
		return -EINVAL;
	}
	if (sw_parse_check_content(s, err) < 0 || sw_parse_check_disks(s, err) < 0)
		return -EINVAL;
	return apply_flags(s, err);
}

int sw_layout_part_parse_all(const struct sw_layout_source *sources, size_t n, const char *file,
			     const struct sw_layout_machine *m, struct sw_layout_part *ret_part,
			     char **ret_description,
			     struct sw_error *err)
{
	struct sw_parse s = { .m = m, .no_auto = -1, .read_only = -1, .grow = -1 };
	int r = 0;

	s.p.weight = 1000;
	s.p.size_min = SW_LAYOUT_DEFAULT_MIN;
	s.p.size_max = s.p.padding_max = UINT64_MAX;
	for (size_t i = 0; r >= 0 && i < n; i++) {
		s.path = sources[i].path;
		r = sw_ini_parse(sources[i].text, sources[i].len, s.path, on_item, &s, err);
	}
	s.path = sources[0].path;
	if (r >= 0)
		r = check_whole(&s, err);
	if (r >= 0 && !(s.p.file = strdup(file)))
		r = sw_fail_oom(err);
	if (r < 0) {
		free(s.description);
		sw_layout_part_clear(&s.p);
		return r;
	}
	s.p.factory_reset = s.factory_reset > 0;
	*ret_part = s.p;
	if (s.description)
		*ret_description = s.description;
	return 0;
}

int sw_layout_part_parse(const char *text, size_t len, const char *path, const char *file,
			 struct sw_layout_part *ret_part, char **ret_description,
			 struct sw_error *err)
{
	const struct sw_layout_source one = { .text = text, .len = len, .path = path };

	return sw_layout_part_parse_all(&one, 1, file, NULL, ret_part, ret_description, err);
}
