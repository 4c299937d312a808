/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/nodefiles.h"

#include <nettle/base64.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/file.h"

#define PLAIN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@:+=-"

static const char *const roots[] = { "/etc/", "/opt/", "/root/", "/srv/", "/usr/local/",
				     "/var/lib/" };
/* What the node has from other keys of the answers; with '/' at its end all below it. */
static const char *const owned[] = {
	"/etc/hostname", "/etc/machine-id", "/etc/fstab", "/root/.ssh/authorized_keys",
	"/etc/ssh/ssh_host_ed25519_key", "/etc/ssh/ssh_host_ed25519_key.pub",
	"/etc/ssl/certs/ca-certificates.crt", "/etc/credstore.encrypted/",
};

static bool is_below(const char *path, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(list[i]);

		if (strncmp(path, list[i], len) == 0 && (list[i][len - 1] == '/' || !path[len]))
			return true;
	}
	return false;
}

/* Plain words between the slashes, so that it is the same in a shell, and none that leads out. */
static bool is_plain(const char *path)
{
	for (const char *p = path; *p;) {
		size_t n;

		if (*p++ != '/')
			return false;
		n = strspn(p, PLAIN);
		if (n == 0 || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		p += n;
	}
	return *path;
}

const char *sw_node_file_why_not(const char *path)
{
	if (strlen(path) > SW_NODE_FILE_PATH_MAX)
		return "the path is too long";
	if (!is_plain(path))
		return "a path begins with /, and its parts have letters, digits and ._@:+=- and "
		       "are neither empty nor . nor ..";
	if (is_below(path, owned, ARRAY_SIZE(owned)))
		return "another key of the answers says what this file is on the node";
	if (!is_below(path, roots, ARRAY_SIZE(roots)))
		return "files are given below /etc, /opt, /root, /srv, /usr/local and /var/lib";
	return NULL;
}

int sw_node_file_mode(const char *text, unsigned int *ret_mode)
{
	size_t n = strlen(text);
	unsigned long mode;

	if (n < 3 || n > 4 || strspn(text, "01234567") != n)
		return -EINVAL;
	mode = strtoul(text, NULL, 8);
	if (mode > 0777 || !(mode & 0400))
		return -EINVAL;
	*ret_mode = (unsigned int)mode;
	return 0;
}

bool sw_node_files_clash(const char *a, const char *b)
{
	size_t n = strlen(a) < strlen(b) ? strlen(a) : strlen(b);

	return strncmp(a, b, n) == 0 && (!a[n] || a[n] == '/') && (!b[n] || b[n] == '/');
}

static json_object *entry(const char *path, const char *mode, const void *bytes, size_t len)
{
	_cleanup_free_ char *text = calloc(1, BASE64_ENCODE_RAW_LENGTH(len) + 1);
	json_object *o;

	if (!text)
		return NULL;
	base64_encode_raw(text, len, bytes);
	o = json_object_new_object();
	sw_json_add_str(o, "path", path);
	sw_json_add_str(o, "mode", mode ? mode : "0644");
	sw_json_add_str(o, "data", text);
	return o;
}

/* The list of the node data, made when it is missing. */
static json_object *list_of(json_object *data)
{
	json_object *list = sw_json_array(data, "files");

	if (!list) {
		list = json_object_new_array();
		sw_json_add(data, "files", list);
	}
	return list;
}

int sw_node_file_add(json_object *data, const char *path, const char *mode, const void *bytes,
		     size_t len)
{
	json_object *o = entry(path, mode, bytes, len);

	return o && json_object_array_add(list_of(data), o) == 0 ? 0 : -ENOMEM;
}

json_object *sw_node_file_find(json_object *data, const char *path, size_t *ret_at)
{
	json_object *list = sw_json_array(data, "files");

	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		json_object *o = json_object_array_get_idx(list, i);

		if (strcmp(sw_json_str(o, "path", ""), path) != 0)
			continue;
		if (ret_at)
			*ret_at = i;
		return o;
	}
	return NULL;
}

int sw_node_file_put(json_object *data, const char *path, const char *mode, const void *bytes,
		     size_t len)
{
	json_object *o;
	size_t at;

	if (!sw_node_file_find(data, path, &at))
		return sw_node_file_add(data, path, mode, bytes, len);
	o = entry(path, mode, bytes, len);
	return o && json_object_array_put_idx(list_of(data), at, o) == 0 ? 0 : -ENOMEM;
}

/* -EINVAL when it is not sound. */
static int decode(const char *text, struct sw_buf *ret_bytes)
{
	struct base64_decode_ctx c;
	size_t n = strlen(text), got = BASE64_DECODE_LENGTH(n);
	_cleanup_free_ uint8_t *bytes = NULL;

	if (n > BASE64_ENCODE_RAW_LENGTH(SW_NODE_FILE_MAX))
		return -EINVAL;
	bytes = malloc(got + 1);
	if (!bytes)
		return -ENOMEM;
	base64_decode_init(&c);
	if (!base64_decode_update(&c, &got, bytes, n, text) || !base64_decode_final(&c))
		return -EINVAL;
	return sw_buf_add(ret_bytes, bytes, got);
}

int sw_node_file_read(json_object *o, struct sw_node_file_read *ret_file)
{
	const char *path = sw_json_str(o, "path", ""), *text = sw_json_str(o, "data", NULL);
	_cleanup_buf_ struct sw_buf bytes = {};
	unsigned int mode = 0;
	int r;

	if (!text || sw_node_file_why_not(path) ||
	    sw_node_file_mode(sw_json_str(o, "mode", ""), &mode) < 0)
		return -EINVAL;
	r = decode(text, &bytes);
	if (r < 0)
		return r;
	*ret_file = (struct sw_node_file_read){ .path = path, .bytes = bytes };
	(void)snprintf(ret_file->mode, sizeof(ret_file->mode), "%04o", mode & 0777);
	bytes = (struct sw_buf){};
	return 0;
}

static int write_one(json_object *o, const char *dir, json_object *list)
{
	_cleanup_free_ char *name = NULL, *full = NULL, *parent = NULL;
	struct sw_node_file_read f = {};
	int r = sw_node_file_read(o, &f);
	mode_t mode = (mode_t)strtoul(f.mode, NULL, 8);

	if (r < 0)
		return r == -EINVAL ? 0 : r;
	name = sw_fmt("files%s", f.path);
	full = sw_fmt("%s/files%s", dir, f.path);
	parent = full ? strndup(full, (size_t)(strrchr(full, '/') - full)) : NULL;
	r = name && parent ? sw_mkdir_all(parent, 0755) : -ENOMEM;
	if (r == 0)
		r = sw_file_write(full, f.bytes.len ? f.bytes.data : (const void *)"", f.bytes.len,
				  mode);
	if (r == 0 && chmod(full, mode) < 0)	/* whatever the umask is */
		r = -errno;
	if (r == 0)
		json_object_array_add(list, json_object_new_string(name));
	sw_buf_clear(&f.bytes);
	return r;
}

int sw_node_files_write(json_object *data, const char *dir, json_object *list,
			struct sw_error *err)
{
	_cleanup_free_ char *all = sw_fmt("%s/files", dir);
	json_object *files = sw_json_array(data, "files");
	size_t n = files ? json_object_array_length(files) : 0;
	int r = 0;

	if (!all)
		return sw_fail_oom(err);
	(void)sw_remove_tree(all);
	for (size_t i = 0; i < n && r == 0; i++)
		r = write_one(json_object_array_get_idx(files, i), dir, list);
	return r < 0 ? sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot write %s/files", dir) : 0;
}
