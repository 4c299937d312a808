/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files that an install gave to the node: files/list has a line for each, and its bytes lie
 * beside it under a name that a stick can have.
 */
#include <string.h>

#include "answers/answers.h"
#include "base/file.h"
#include "base/text.h"
#include "boot/nodefiles.h"
#include "config/private.h"

static int word(const char **p, const char *end, char *ret, size_t size)
{
	size_t n = 0;

	while (*p < end && (**p == ' ' || **p == '\t'))
		++*p;
	for (; *p < end && **p != ' ' && **p != '\t'; ++*p) {
		if (n + 1 >= size || (unsigned char)**p <= ' ' || (unsigned char)**p >= 0x7f)
			return -EINVAL;
		ret[n++] = **p;
	}
	ret[n] = '\0';
	return (int)n;
}

int sw_config_read_listed(const char *line, size_t len, struct sw_config_listed *ret_listed)
{
	const char *p = line, *end = line + len;
	struct sw_config_listed l;
	char more[2];
	int r;

	while (end > p && (end[-1] == '\r' || end[-1] == ' ' || end[-1] == '\t'))
		end--;
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	if (p == end || *p == '#')
		return 0;
	r = word(&p, end, l.mode, sizeof(l.mode));
	if (r > 0)
		r = word(&p, end, l.path, sizeof(l.path));
	if (r > 0)
		r = word(&p, end, l.name, sizeof(l.name));
	if (r <= 0 || word(&p, end, more, sizeof(more)) != 0)
		return -EINVAL;
	*ret_listed = l;
	return 1;
}

/* Whatever calls fn other than with 1 ends it. line: from 1 on. */
static int each_line(const struct sw_secret *text,
		     int (*fn)(unsigned int line, int r, const struct sw_config_listed *l,
			       void *arg), void *arg)
{
	const char *p = (const char *)text->data, *end = p + text->len;
	unsigned int line = 0;
	int r = 1;

	while (p < end && r == 1) {
		const char *stop = memchr(p, '\n', (size_t)(end - p));
		struct sw_config_listed l = {};
		int found;

		stop = stop ? stop : end;
		found = sw_config_read_listed(p, (size_t)(stop - p), &l);
		line++;
		r = found == 0 ? 1 : fn(line, found, &l, arg);
		p = stop < end ? stop + 1 : end;
	}
	return r;
}

static const struct sw_config_file *offered(const struct sw_config_source *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->v[i].name, name) == 0)
			return &s->v[i];
	return NULL;
}

/* ---- what is there already ---- */

/* Why the node has no room for one more file of this path and length; NULL: it has. */
static const char *no_room(json_object *data, const char *path, size_t len)
{
	json_object *list = sw_json_array(data, "files");
	size_t n = list ? json_object_array_length(list) : 0, others = 0, all = len;

	for (size_t i = 0; i < n; i++) {
		struct sw_node_file_read f = {};

		if (sw_node_file_read(json_object_array_get_idx(list, i), &f) < 0)
			continue;
		if (strcmp(f.path, path) != 0) {
			others++;
			all += f.bytes.len;
		}
		sw_buf_clear(&f.bytes);
		if (strcmp(f.path, path) != 0 && sw_node_files_clash(f.path, path))
			return "one of the node's files would have to be a directory for it, or "
			       "it for one of them";
	}
	return others >= SW_NODE_FILES_MAX ? "a node is given at most 16 files"
	       : all > SW_NODE_FILES_ALL ? "with the node's other files it is more than 128 KiB"
					 : NULL;
}

/* ---- one of the list ---- */

/* Who may read it, and how large it is; never what is in it. */
static void describe(char text[static 100], const char *mode, size_t len)
{
	(void)snprintf(text, 100, "mode %s, %zu byte%s", mode, len, len == 1 ? "" : "s");
}

static int put(struct sw_importing *im, const struct sw_config_listed *l, unsigned int mode,
	       const void *bytes, size_t len, struct sw_config_item *it)
{
	json_object *data = im->out->data, *is = sw_node_file_find(data, l->path, NULL);
	struct sw_node_file_read was = {};
	char octal[8];
	int r = is ? sw_node_file_read(is, &was) : -ENOENT;

	if (r == -ENOMEM)
		return r;
	(void)snprintf(octal, sizeof(octal), "%04o", mode);
	if (r == 0)
		describe(it->now, was.mode, was.bytes.len);
	describe(it->then, octal, len);
	it->verdict = r == -ENOENT ? SW_CONFIG_NEW : SW_CONFIG_DIFFERS;
	if (r == 0 && strcmp(was.mode, octal) == 0 && was.bytes.len == len &&
	    (!len || memcmp(was.bytes.data, bytes, len) == 0))
		it->verdict = SW_CONFIG_SAME;
	sw_buf_clear(&was.bytes);
	if (it->verdict == SW_CONFIG_SAME) {
		it->now[0] = it->then[0] = '\0';
		return 0;
	}
	return sw_node_file_put(data, l->path, octal, len ? bytes : "", len);
}

/* What the line names is taken, or it says why not. */
static int judge(struct sw_importing *im, const struct sw_config_listed *l,
		 struct sw_config_item *it)
{
	_cleanup_free_ char *name = sw_fmt("files/%s", l->name);
	const bool empty = strcmp(l->name, SW_CONFIG_NO_BYTES) == 0;
	const char *why = sw_node_file_why_not(l->path);
	const struct sw_config_file *f = NULL;
	unsigned int mode;

	if (!name)
		return -ENOMEM;
	if (why)
		return sw_config_refuse(it, "%s", why);
	if (sw_node_file_mode(l->mode, &mode) < 0)
		return sw_config_refuse(it, "its mode is not 0400 to 0777 in octal, readable by "
					    "its owner");
	if (!empty)
		f = offered(im->source, name);
	if (!empty && !f)
		return sw_config_refuse(it, "%.100s is not there", name);
	if (!empty && !f->data)
		return sw_config_refuse(it, "%.80s: %.100s", name, f->why);
	why = no_room(im->out->data, l->path, f ? f->data->len : 0);
	if (why)
		return sw_config_refuse(it, "%s", why);
	return put(im, l, mode, f ? f->data->data : NULL, f ? f->data->len : 0, it);
}

struct taking {
	struct sw_importing *im;
	size_t n;
};

/* Another item of this import has this path already. */
static bool is_twice(const struct sw_config_preview *p, const char *name)
{
	for (size_t i = 0; i + 1 < p->n; i++)
		if (strcmp(p->v[i].name, name) == 0)
			return true;
	return false;
}

static int take_line(unsigned int line, int found, const struct sw_config_listed *l, void *arg)
{
	struct taking *t = arg;
	struct sw_config_item *it;
	_cleanup_free_ char *name = found < 0 ? sw_fmt(SW_CONFIG_FILES ": line %u", line)
					      : sw_fmt("files: %s", l->path);
	bool over = ++t->n > SW_CONFIG_FILES_MAX;
	int r;

	it = name ? sw_config_item_add(t->im, over ? "(more files)" : name, "file of the node")
		  : NULL;
	if (!it)
		return -ENOMEM;
	if (over)
		r = sw_config_refuse(it, "the list names more than %u files", SW_CONFIG_FILES_MAX);
	else if (found < 0)
		r = sw_config_refuse(it, "a line has a mode, a path on the node and a name below "
					 "files/, or - for an empty file");
	else if (is_twice(t->im->out, name))
		r = sw_config_refuse(it, "line %u: the list has this path twice", line);
	else
		r = judge(t->im, l, it);
	return r < 0 ? r : !over;
}

int sw_config_take_files(struct sw_importing *im, const struct sw_config_file *f,
			 struct sw_config_item *it SW_UNUSED)
{
	struct taking t = { .im = im };
	int r = each_line(f->data, take_line, &t);

	return r < 0 ? r : 0;
}

/* ---- what lies beside the list ---- */

static int is_not(unsigned int line SW_UNUSED, int found, const struct sw_config_listed *l,
		  void *arg)
{
	return found < 0 || strcmp(l->name, arg) != 0;
}

int sw_config_take_unlisted(struct sw_importing *im, const struct sw_config_file *f,
			    struct sw_config_item *it)
{
	const struct sw_config_file *list = offered(im->source, SW_CONFIG_FILES);
	char *name = strrchr(f->name, '/') + 1;

	if (list && list->data && each_line(list->data, is_not, name) == 0)
		return 0;
	it = sw_config_item_add(im, f->name, "file of the node");
	return it ? sw_config_refuse(it, "files/list does not name it") : -ENOMEM;
}
