/* SPDX-License-Identifier: Apache-2.0 */
/* Disks as values: releasing them, and saying in words what is on one. */
#include "disk/disk.h"

#include <ctype.h>
#include <string.h>

#include <libfdisk/libfdisk.h>

#include "base/buf.h"
#include "base/size.h"
#include "disk/gpt.h"

#define DESCRIBE_MAX 8U		/* partitions named before "and N more" */

void sw_table_clear(struct sw_table *t)
{
	sw_gpt_parts_free(t->parts, t->n_parts);
	free(t->group);
	free(t->damage);
	*t = (struct sw_table){};
}

const struct sw_part *sw_table_part(const struct sw_table *t, unsigned int number)
{
	for (size_t i = 0; i < t->n_parts; i++)
		if (t->parts[i].number == number)
			return &t->parts[i];
	return NULL;
}

bool sw_part_holds(const struct sw_part *p, const char *fs_type)
{
	return p->fs_type && strcmp(p->fs_type, fs_type) == 0;
}

static void strv_free(char **list)
{
	for (char **s = list; s && *s; s++)
		free(*s);
	free(list);
}

void sw_disk_clear(struct sw_disk *d)
{
	free(d->name);
	free(d->node);
	free(d->serial);
	free(d->wwn);
	free(d->model);
	free(d->vendor);
	free(d->transport);
	free(d->path);
	free(d->health_text);
	strv_free(d->uses);
	strv_free(d->signatures);
	strv_free(d->paths);
	sw_table_clear(&d->table);
	*d = (struct sw_disk){};
}

static void context_unref(struct fdisk_context **c)
{
	if (*c)
		fdisk_unref_context(*c);
}

/* Labels come from the disk: nothing in them may reach a terminal as a control character. */
static int add_clean(struct sw_buf *b, const char *s)
{
	int r = 0;

	for (; r >= 0 && *s; s++)
		r = sw_buf_addf(b, "%c", (unsigned char)*s < 0x20 || *s == 0x7f ? '?' : *s);
	return r;
}

static int add_type(struct sw_buf *b, struct fdisk_label *gpt, const struct sw_guid *type)
{
	char text[SW_GUID_TEXT];
	struct fdisk_parttype *t;

	if (sw_guid_is_zero(type))
		return sw_buf_adds(b, "partition");
	(void)sw_guid_format(type, text);
	for (char *p = text; *p; p++)
		*p = (char)toupper((unsigned char)*p);
	t = gpt ? fdisk_label_get_parttype_from_string(gpt, text) : NULL;
	return sw_buf_adds(b, t && fdisk_parttype_get_name(t) ? fdisk_parttype_get_name(t)
							      : "unknown type");
}

static int add_part(struct sw_buf *b, struct fdisk_label *gpt, const struct sw_part *p)
{
	char size[16];
	int r = add_type(b, gpt, &p->type);

	if (r >= 0)
		r = sw_buf_addf(b, " %s", sw_size_format(p->size, size, sizeof(size)));
	if (r >= 0 && p->fs_type)
		r = sw_buf_addf(b, " %s", p->fs_type);
	if (r >= 0 && p->label && *p->label) {
		r = sw_buf_adds(b, " ");
		if (r >= 0)
			r = add_clean(b, p->label);
	}
	return r;
}

static int add_parts(struct sw_buf *b, const struct sw_table *t)
{
	_cleanup_(context_unref) struct fdisk_context *cxt = fdisk_new_context();
	struct fdisk_label *gpt = cxt ? fdisk_get_label(cxt, "gpt") : NULL;
	int r = sw_buf_addf(b, ", %zu partition%s", t->n_parts, t->n_parts == 1 ? "" : "s");

	for (size_t i = 0; r >= 0 && i < t->n_parts && i < DESCRIBE_MAX; i++) {
		r = sw_buf_adds(b, i ? ", " : ": ");
		if (r >= 0)
			r = add_part(b, gpt, &t->parts[i]);
	}
	if (r >= 0 && t->n_parts > DESCRIBE_MAX)
		r = sw_buf_addf(b, " and %zu more", t->n_parts - DESCRIBE_MAX);
	return r;
}

static int add_signatures(struct sw_buf *b, char *const *list)
{
	int r = 0;

	for (; r >= 0 && list && *list; list++) {
		r = b->len ? sw_buf_adds(b, "; ") : 0;
		if (r >= 0)
			r = add_clean(b, *list);
	}
	return r;
}

char *sw_disk_describe(const struct sw_disk *d)
{
	static const char *const kinds[] = {
		[SW_TABLE_NONE] = "",
		[SW_TABLE_GPT] = "GPT",
		[SW_TABLE_DOS] = "DOS table",
		[SW_TABLE_DAMAGED_GPT] = "damaged GPT",
	};
	_cleanup_buf_ struct sw_buf b = {};
	const struct sw_table *t = &d->table;
	int r = 0;

	if (t->type != SW_TABLE_NONE) {
		r = sw_buf_adds(&b, kinds[t->type]);
		if (r >= 0)
			r = add_parts(&b, t);
	}
	if (r >= 0 && t->damage)
		r = sw_buf_addf(&b, "%s(%s)", b.len ? " " : "", t->damage);
	if (r >= 0)
		r = add_signatures(&b, d->signatures);
	/* Without a digest nobody has looked inside; the uses say why. */
	if (r >= 0 && b.len == 0)
		r = sw_buf_adds(&b, t->digest[0] || !d->uses ? "empty" : "not read");
	return r < 0 ? NULL : sw_buf_steal(&b);
}
