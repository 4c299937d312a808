/* SPDX-License-Identifier: Apache-2.0 */
/*
 * machine.yaml of a stand-in. We write it, but people edit it to play with the
 * machine, so every refusal names line and column.
 */
#include <string.h>
#include <yaml.h>

#include "base/file.h"
#include "base/size.h"
#include "machine/private.h"
#include "base/text.h"

#define FILE_MAX ((size_t)4 << 20)	/* room for that many disks with all their keys */
#define DISKS_MAX 8192
#define TEXT_MAX 255

struct loader {
	const char *path;
	yaml_document_t doc;
	struct sw_standin *s;
	struct sw_error *err;
};

struct sw_standin *sw_standin_free(struct sw_standin *s)
{
	if (!s)
		return NULL;
	for (size_t i = 0; i < s->n_disks; i++) {
		struct sw_standin_item *d = &s->disks[i];

		free(d->name);
		free(d->serial);
		free(d->model);
		free(d->vendor);
		free(d->wwn);
		free(d->transport);
		free(d->path);
		free(d->image);
		free(d->health);
	}
	free(s->disks);
	free(s->name);
	free(s);
	return NULL;
}

static int refuse_at(struct loader *l, yaml_mark_t at, const char *what, const char *why)
{
	int r = sw_fail(l->err, SW_EXIT_INVALID, -EINVAL, "%s", what);

	sw_error_where(l->err, "%s:%zu:%zu", l->path, at.line + 1, at.column + 1);
	sw_error_why(l->err, "%s", why);
	sw_error_hint(l->err, "correct the file, or make a new stand-in");
	return r;
}

static int refuse(struct loader *l, const yaml_node_t *n, const char *key, const char *why)
{
	char what[100];

	(void)snprintf(what, sizeof(what), "machine.yaml: '%.60s' cannot be used", key);
	return refuse_at(l, n->start_mark, what, why);
}

/* The text of a scalar without NUL bytes or control characters; NULL otherwise. Borrowed. */
static const char *text_of(const yaml_node_t *n)
{
	const char *s;

	if (n->type != YAML_SCALAR_NODE)
		return NULL;
	s = (const char *)n->data.scalar.value;
	return strlen(s) == n->data.scalar.length && sw_text_is_clean(s) ? s : NULL;
}

static int get_text(struct loader *l, const char *key, const yaml_node_t *v, char **ret)
{
	const char *s = text_of(v);

	if (!s || !*s)
		return refuse(l, v, key, "a text on one line is expected");
	if (strlen(s) > TEXT_MAX)
		return refuse(l, v, key, "the text is too long");
	if (*ret)
		return refuse(l, v, key, "the key is there twice");
	*ret = strdup(s);
	return *ret ? 0 : sw_fail_oom(l->err);
}

static int get_bool(struct loader *l, const char *key, const yaml_node_t *v, bool *ret)
{
	const char *s = text_of(v);

	if (s && strcmp(s, "true") == 0)
		*ret = true;
	else if (s && strcmp(s, "false") == 0)
		*ret = false;
	else
		return refuse(l, v, key, "true or false is expected");
	return 0;
}

static int get_size(struct loader *l, const char *key, const yaml_node_t *v, uint64_t *ret)
{
	const char *s = text_of(v);

	if (!s || sw_size_parse(s, ret) < 0)
		return refuse(l, v, key, "a size such as 64G is expected");
	return 0;
}

static int get_sector(struct loader *l, const char *key, const yaml_node_t *v, uint32_t *ret)
{
	const char *s = text_of(v);

	if (s && strcmp(s, "512") == 0)
		*ret = 512;
	else if (s && strcmp(s, "4096") == 0)
		*ret = 4096;
	else
		return refuse(l, v, key, "the sector size is 512 or 4096");
	return 0;
}

/* An image is a plain file of the directory: the stand-in must not reach a disk of its host. */
static int get_file(struct loader *l, const char *key, const yaml_node_t *v, char **ret)
{
	int r = get_text(l, key, v, ret);

	if (r < 0)
		return r;
	if (strchr(*ret, '/') || (*ret)[0] == '.')
		return refuse(l, v, key, "a file name without a directory is expected");
	return 0;
}

static int get_name(struct loader *l, const char *key, const yaml_node_t *v, char **ret)
{
	int r = get_text(l, key, v, ret);

	if (r < 0)
		return r;
	if ((*ret)[strspn(*ret, "abcdefghijklmnopqrstuvwxyz0123456789")])
		return refuse(l, v, key, "a kernel name such as nvme0n1 is expected");
	return 0;
}

static int disk_key(struct loader *l, const char *key, const yaml_node_t *v, void *to)
{
	struct sw_standin_item *d = to;
	const struct {
		const char *key;
		char **text;
		bool *flag;
	} known[] = {
		{ "serial", &d->serial, NULL },	      { "model", &d->model, NULL },
		{ "vendor", &d->vendor, NULL },	      { "wwn", &d->wwn, NULL },
		{ "transport", &d->transport, NULL }, { "path", &d->path, NULL },
		{ "medium", NULL, &d->medium },	      { "removable", NULL, &d->removable },
		{ "rotational", NULL, &d->rotational }, { "read_only", NULL, &d->read_only },
	};

	if (strcmp(key, "name") == 0)
		return get_name(l, key, v, &d->name);
	if (strcmp(key, "image") == 0)
		return get_file(l, key, v, &d->image);
	if (strcmp(key, "health") == 0)
		return get_file(l, key, v, &d->health);
	if (strcmp(key, "size") == 0)
		return get_size(l, key, v, &d->size);
	if (strcmp(key, "sector") == 0)
		return get_sector(l, key, v, &d->sector);
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strcmp(key, known[i].key) == 0)
			return known[i].text ? get_text(l, key, v, known[i].text)
					     : get_bool(l, key, v, known[i].flag);
	return refuse(l, v, key, "a disk has no such key");
}

static int each_key(struct loader *l, const yaml_node_t *map, void *to,
		    int (*fn)(struct loader *l, const char *key, const yaml_node_t *v, void *to))
{
	if (map->type != YAML_MAPPING_NODE)
		return refuse_at(l, map->start_mark, "machine.yaml is not as expected",
				 "keys with values are expected here");
	for (yaml_node_pair_t *p = map->data.mapping.pairs.start;
	     p < map->data.mapping.pairs.top; p++) {
		const yaml_node_t *k = yaml_document_get_node(&l->doc, p->key);
		const yaml_node_t *v = yaml_document_get_node(&l->doc, p->value);
		const char *key = text_of(k);
		int r;

		if (!key)
			return refuse_at(l, k->start_mark, "machine.yaml is not as expected",
					 "the key is not a word");
		r = fn(l, key, v, to);
		if (r < 0)
			return r;
	}
	return 0;
}

static int one_disk(struct loader *l, const yaml_node_t *n, struct sw_standin_item *d)
{
	int r = each_key(l, n, d, disk_key);

	if (r < 0)
		return r;
	if (!d->name || !d->image || !d->size)
		return refuse(l, n, "disks", "a disk needs at least name, image and size");
	if (d->size % d->sector)
		return refuse(l, n, "size", "the size is not a multiple of the sector size");
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct sw_standin_item *x = *(const struct sw_standin_item *const *)a;
	const struct sw_standin_item *y = *(const struct sw_standin_item *const *)b;
	int r = strcmp(x->name, y->name);

	/* Of two alike the later one in the file comes second. */
	return r != 0 ? r : (x > y) - (x < y);
}

/* Where a disk says its name; only called for disks that have been read. */
static const yaml_node_t *name_of(struct loader *l, const yaml_node_t *disk)
{
	for (const yaml_node_pair_t *p = disk->data.mapping.pairs.start;
	     p < disk->data.mapping.pairs.top; p++) {
		const char *key = text_of(yaml_document_get_node(&l->doc, p->key));

		if (key && strcmp(key, "name") == 0)
			return yaml_document_get_node(&l->doc, p->value);
	}
	return disk;
}

/* Sorted, so that thousands of disks are compared in no time. */
static int check_names(struct loader *l, const yaml_node_item_t *nodes)
{
	_cleanup_free_ const struct sw_standin_item **list = NULL;
	size_t n = l->s->n_disks;

	list = calloc(n + 1, sizeof(*list));
	if (!list)
		return sw_fail_oom(l->err);
	for (size_t i = 0; i < n; i++)
		list[i] = &l->s->disks[i];
	qsort(list, n, sizeof(*list), by_name);
	for (size_t i = 1; i < n; i++)
		if (strcmp(list[i - 1]->name, list[i]->name) == 0)
			return refuse(l, name_of(l, yaml_document_get_node(
							    &l->doc,
							    nodes[list[i] - l->s->disks])),
				      "name", "two disks have the same name");
	return 0;
}

static int get_disks(struct loader *l, const yaml_node_t *v)
{
	yaml_node_item_t *first;
	size_t n;

	if (v->type != YAML_SEQUENCE_NODE)
		return refuse(l, v, "disks", "a list of disks is expected");
	first = v->data.sequence.items.start;
	n = (size_t)(v->data.sequence.items.top - first);
	if (n > DISKS_MAX)
		return refuse(l, v, "disks", "there are too many disks");
	if (l->s->disks)
		return refuse(l, v, "disks", "the key is there twice");
	l->s->disks = calloc(n ? n : 1, sizeof(*l->s->disks));
	if (!l->s->disks)
		return sw_fail_oom(l->err);
	for (size_t i = 0; i < n; i++) {
		int r;

		l->s->disks[i].sector = 512;
		l->s->n_disks = i + 1;
		r = one_disk(l, yaml_document_get_node(&l->doc, first[i]), &l->s->disks[i]);
		if (r < 0)
			return r;
	}
	return check_names(l, first);
}

static int top_key(struct loader *l, const char *key, const yaml_node_t *v, void *to)
{
	struct sw_standin *s = to;
	const char *text = text_of(v);

	if (strcmp(key, "machine") == 0)
		return text && strcmp(text, "1") == 0
			? 0 : refuse(l, v, key, "this slipway reads version 1 only");
	if (strcmp(key, "name") == 0)
		return get_text(l, key, v, &s->name);
	if (strcmp(key, "memory") == 0)
		return get_size(l, key, v, &s->memory);
	if (strcmp(key, "tpm") == 0)
		return get_bool(l, key, v, &s->tpm);
	if (strcmp(key, "disks") == 0)
		return get_disks(l, v);
	if (strcmp(key, "firmware") != 0)
		return refuse(l, v, key, "there is no such key");
	if (!text || (strcmp(text, "uefi") != 0 && strcmp(text, "bios") != 0))
		return refuse(l, v, key, "the firmware is uefi or bios");
	s->bios = text[0] == 'b';
	return 0;
}

static int load_text(struct loader *l, const struct sw_buf *b)
{
	const yaml_node_t *root;
	yaml_parser_t parser;
	int r = 0;

	if (!yaml_parser_initialize(&parser))
		return sw_fail_oom(l->err);
	yaml_parser_set_input_string(&parser, (const uint8_t *)sw_buf_text(b), b->len);
	if (!yaml_parser_load(&parser, &l->doc)) {
		r = refuse_at(l, parser.problem_mark, "machine.yaml is not valid YAML",
			      parser.problem ? parser.problem : "it cannot be read");
		yaml_parser_delete(&parser);
		return r;
	}
	root = yaml_document_get_root_node(&l->doc);
	if (root)
		r = each_key(l, root, l->s, top_key);
	else
		r = refuse_at(l, (yaml_mark_t){}, "machine.yaml is empty", "no machine is in it");
	yaml_document_delete(&l->doc);
	yaml_parser_delete(&parser);
	return r;
}

int sw_standin_load(const char *path, struct sw_standin **ret_standin, struct sw_error *err)
{
	_cleanup_(sw_standin_freep) struct sw_standin *s = calloc(1, sizeof(*s));
	_cleanup_buf_ struct sw_buf b = { .max = FILE_MAX };
	struct loader l = { .path = path, .s = s, .err = err };
	int r;

	if (!s)
		return sw_fail_oom(err);
	s->memory = 16ULL << 30;
	r = sw_file_read(path, &b);
	if (r < 0) {
		sw_fail_errno(err, SW_EXIT_MISSING, r, "this is not a stand-in machine");
		sw_error_where(err, "%s", path);
		sw_error_hint(err, "make one with `slipway machine create DIR`");
		return r;
	}
	r = load_text(&l, &b);
	if (r < 0)
		return r;
	*ret_standin = TAKE_PTR(s);
	return 0;
}
