/* SPDX-License-Identifier: Apache-2.0 */
/* The node data as files of config/. Secrets leave the machine encrypted or not at all. */
#include <ctype.h>
#include <string.h>

#include "admission/tar.h"
#include "apply/store.h"
#include "base/age.h"
#include "base/file.h"
#include "base/text.h"
#include "boot/nodedata.h"
#include "boot/nodefiles.h"
#include "boot/secrets.h"
#include "config/private.h"
#include "net/trust.h"

struct saving {
	const struct sw_config_save *o;
	struct item {
		char *name;
		struct sw_buf data;
	} *v;
	size_t n;
	json_object *done;
};

static void saving_clear(struct saving *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->v[i].name);
		sw_buf_clear(&s->v[i].data);
	}
	free(s->v);
	json_object_put(s->done);
}

/* ---- what there is ---- */

static int add(struct saving *s, const char *name, const void *data, size_t len)
{
	struct item *bigger = reallocarray(s->v, s->n + 1, sizeof(*bigger));

	if (!bigger)
		return -ENOMEM;
	s->v = bigger;
	bigger += s->n;
	*bigger = (struct item){ .name = strdup(name) };
	if (!bigger->name)
		return -ENOMEM;
	s->n++;
	return sw_buf_add(&bigger->data, data, len);
}

static int add_line(struct saving *s, const char *name, const char *text)
{
	_cleanup_free_ char *line = text ? sw_fmt("%s\n", text) : NULL;

	return !text ? 0 : line ? add(s, name, line, strlen(line)) : -ENOMEM;
}

static int add_lines(struct saving *s, const char *name, json_object *list)
{
	_cleanup_buf_ struct sw_buf b = {};
	size_t n = list ? json_object_array_length(list) : 0;
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = sw_buf_addf(&b, "%s\n",
				json_object_get_string(json_object_array_get_idx(list, i)));
	return r == 0 && n ? add(s, name, b.data, b.len) : r;
}

/* Names come from the node data, which anybody may have written: none leads out. */
static bool is_name(const char *name)
{
	return *name && *name != '.' && !strchr(name, '/') && sw_text_is_clean(name);
}

static int add_object(struct saving *s, const char *above, json_object *o)
{
	int r = 0;

	if (!o || !json_object_is_type(o, json_type_object))
		return 0;
	json_object_object_foreach(o, key, value) {
		bool own = strcmp(above, "config") == 0 && (strcmp(key, "fstab") == 0 ||
							    strcmp(key, "tls-roots") == 0);
		_cleanup_free_ char *name = !own ? sw_fmt("%s/%s", above, key)
					    : sw_fmt("%s", strcmp(key, "fstab") == 0
								   ? key : "tls/roots.pem");
		const char *text = json_object_get_string(value);

		if (r == 0 && is_name(key) && text)
			r = name ? add(s, name, text, strlen(text)) : -ENOMEM;
	}
	return r;
}

static int add_attestation(struct saving *s, json_object *data)
{
	const char *ca = sw_json_str(sw_nodedata_admission(data, "attest"), "ca", NULL);
	_cleanup_free_ char *pem = ca ? sw_pem_lines(ca) : NULL;

	return !ca ? 0 : pem ? add(s, "attest_ca", pem, strlen(pem)) : -ENOMEM;
}

/* Numbered, as names of a stick may have one case only; '_' for what FAT does not take. */
static int add_file(struct saving *s, const struct sw_node_file_read *f, unsigned int number,
		    struct sw_buf *list)
{
	const char *base = f->bytes.len ? strrchr(f->path, '/') + 1 : NULL;
	_cleanup_free_ char *name = base ? sw_fmt("files/%02u-%.60s", number, base) : NULL;
	int r;

	if (base && !name)
		return -ENOMEM;
	for (char *c = name ? strrchr(name, '/') + 1 : NULL; c && *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("._-", *c))
			*c = '_';
	for (char *end = name ? name + strlen(name) - 1 : NULL; end && *end == '.'; end--)
		*end = '_';
	r = name ? add(s, name, f->bytes.data, f->bytes.len) : 0;
	return r < 0 ? r : sw_buf_addf(list, "%s %s %s\n", f->mode, f->path,
				       name ? name + strlen("files/") : SW_CONFIG_NO_BYTES);
}

static int add_files(struct saving *s, json_object *files)
{
	_cleanup_buf_ struct sw_buf list = {};
	size_t n = files ? json_object_array_length(files) : 0;
	unsigned int number = 0;
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		struct sw_node_file_read f = {};

		r = sw_node_file_read(json_object_array_get_idx(files, i), &f);
		if (r == 0)
			r = add_file(s, &f, ++number, &list);
		else if (r == -EINVAL)	/* what no node takes */
			r = 0;
		sw_buf_clear(&f.bytes);
	}
	return r == 0 && list.len ? add(s, SW_CONFIG_FILES, list.data, list.len) : r;
}

static int collect(struct saving *s, json_object *data)
{
	json_object *net = sw_json_get(data, "network_config");
	int r = add_line(s, "hostname", sw_json_str(data, "hostname", NULL));

	if (r == 0)
		r = add_line(s, "machine-id", sw_json_str(data, "machine_id", NULL));
	if (r == 0)
		r = add_lines(s, "ssh/authorized_keys", sw_json_array(data, "ssh_authorized_keys"));
	if (r == 0)
		r = add_line(s, "ssh/" SW_SECRET_HOST_KEY ".pub",
			     sw_json_str(data, "ssh_host_key", NULL));
	if (r == 0)
		r = add_object(s, "network", sw_json_get(net, "files"));
	if (r == 0)
		r = add_line(s, "proxy", sw_json_str(net, "proxy", NULL));
	if (r == 0)
		r = add_lines(s, "no_proxy", sw_json_array(net, "no_proxy"));
	if (r == 0)
		r = add_lines(s, "ntp", sw_json_array(net, "ntp"));
	if (r == 0)
		r = add_attestation(s, data);
	if (r == 0)
		r = add_files(s, sw_json_array(data, "files"));
	return r < 0 ? r : add_object(s, "config", sw_json_get(data, SW_CONFIG_KEYS_OF));
}

/* ---- secrets ---- */

static void note_closed(json_object *list, const char *name, const struct sw_error *e)
{
	json_object *o = json_object_new_object();

	sw_json_add_str(o, "name", name);
	sw_json_add_str(o, "why", sw_error_reason(e));
	json_object_array_add(list, o);
}

/* Those that the TPM opens, into all; the others are named. */
static int open_all(json_object *data, const struct sw_config_keys *keys, json_object *all,
		    struct saving *s, struct sw_error *err)
{
	const struct sw_secret_keys by = { .tcti = keys->tcti };
	_cleanup_json_ json_object *list = sw_secrets_list(data);
	json_object *names = json_object_new_array(), *closed = json_object_new_array();
	int r = 0;

	sw_json_add(s->done, "secrets", names);
	sw_json_add(s->done, "closed", closed);
	for (size_t i = 0; list && i < json_object_array_length(list) && r == 0; i++) {
		const char *name = sw_json_str(json_object_array_get_idx(list, i), "name", "");
		_cleanup_secret_ struct sw_secret *plain = NULL, *text = NULL;
		struct sw_error e = {};

		if (sw_secrets_open(data, &by, name, &plain, &e) < 0) {
			note_closed(closed, name, &e);
			continue;
		}
		r = sw_secret_base64(plain, &text, err);
		if (r == 0) {
			sw_json_add_str(all, name, (const char *)text->data);
			json_object_array_add(names, json_object_new_string(name));
		}
	}
	return r;
}

static int add_secrets(struct saving *s, const struct sw_node *n, const struct sw_config_keys *keys,
		       struct sw_error *err)
{
	_cleanup_json_ json_object *all = json_object_new_object();
	_cleanup_secret_ struct sw_secret *plain = NULL;
	_cleanup_buf_ struct sw_buf packed = {};
	int r;

	if (!s->o->recipients || !s->o->recipients[0]) {
		r = sw_passphrase_check(s->o->passphrase, err);
		if (r < 0)
			return r;
	}
	r = open_all(n->data, keys, all, s, err);
	if (r < 0 || json_object_object_length(all) == 0)
		return r;
	r = sw_config_secrets_pack(all, &plain, err);
	if (r == 0)
		r = sw_age_encrypt(plain->data, plain->len, s->o->recipients, s->o->passphrase,
				   "the secrets", &packed, err);
	if (r == 0 && add(s, SW_CONFIG_SECRETS, packed.data, packed.len) < 0)
		r = sw_fail_oom(err);
	return r;
}

/* ---- where to ---- */

static int cannot(const char *where, int r, struct sw_error *err)
{
	sw_fail_errno(err, SW_EXIT_FAILED, r, "the configuration cannot be saved");
	sw_error_where(err, "%s", where);
	return r;
}

static int to_directory(const struct saving *s, const char *dir, struct sw_error *err)
{
	int r = sw_mkdir_all(dir, 0700);

	for (size_t i = 0; i < s->n && r == 0; i++) {
		_cleanup_free_ char *path = sw_fmt("%s/%s", dir, s->v[i].name);
		char *slash = path ? strrchr(path, '/') : NULL;

		if (!path)
			return sw_fail_oom(err);
		*slash = '\0';
		r = sw_mkdir_all(path, 0700);
		*slash = '/';
		if (r == 0)
			r = sw_file_write(path, s->v[i].data.data, s->v[i].data.len, 0600);
	}
	return r < 0 ? cannot(dir, r, err) : 0;
}

static int to_tar(const struct saving *s, const char *path, struct sw_error *err)
{
	_cleanup_free_ struct sw_archive_file *files = calloc(s->n + 1, sizeof(*files));
	_cleanup_buf_ struct sw_buf tar = {};
	int r = files ? 0 : sw_fail_oom(err);

	for (size_t i = 0; i < s->n && r == 0; i++)
		files[i] = (struct sw_archive_file){ .path = s->v[i].name, .mode = 0600,
						     .data = s->v[i].data.data,
						     .len = s->v[i].data.len };
	if (r == 0)
		r = sw_tar_make(files, s->n, &tar, err);
	if (r < 0)
		return r;
	r = sw_file_write(path, tar.data, tar.len, 0600);
	return r < 0 ? cannot(path, r, err) : 0;
}

static int to_stick(struct sw_machine *m, const struct saving *s, struct sw_error *err)
{
	_cleanup_free_ char *image = NULL, *dir = NULL, *tree = NULL;
	const char *argv[] = { "mcopy", "-s", "-o", "-i", NULL, NULL, "::/", NULL };
	int r = sw_store_find_stick(m, "configuration", &image, err);

	if (r < 0)
		return r;
	r = sw_scratch_new("config", &dir);
	tree = r == 0 ? sw_fmt("%s/" SW_CONFIG_DIR, dir) : NULL;
	if (!tree)
		return cannot("the stick", r < 0 ? r : -ENOMEM, err);
	argv[4] = image;
	argv[5] = tree;
	r = to_directory(s, tree, err);
	if (r == 0)
		r = sw_store_mcopy(argv, err);
	if (r == 0)
		r = sw_store_flush(image, err);
	sw_error_where(err, "the stick");
	(void)sw_remove_tree(dir);
	return r;
}

static int check_place(const char *where, struct sw_error *err)
{
	if (where[0] == '/' || strcmp(where, SW_CONFIG_STICK) == 0)
		return 0;
	sw_fail(err, SW_EXIT_INVALID, -EINVAL, "\"%s\" is no place for the configuration", where);
	sw_error_hint(err, "stick, or a path that begins with /; one that ends in .tar is a tar");
	return -EINVAL;
}

int sw_config_store(struct sw_machine *m, const struct sw_node *n,
		    const struct sw_config_keys *keys, const struct sw_config_save *o,
		    json_object **ret_done, struct sw_error *err)
{
	_cleanup_(saving_clear) struct saving s = { .o = o, .done = json_object_new_object() };
	json_object *names = json_object_new_array();
	int r = check_place(o->where, err);

	sw_json_add_str(s.done, "where", o->where);
	sw_json_add(s.done, "files", names);
	if (r == 0 && collect(&s, n->data) < 0)
		r = sw_fail_oom(err);
	if (r == 0 && o->secrets)
		r = add_secrets(&s, n, keys, err);
	for (size_t i = 0; i < s.n && r == 0; i++)
		json_object_array_add(names, json_object_new_string(s.v[i].name));
	if (r < 0)
		return r;
	if (strcmp(o->where, SW_CONFIG_STICK) == 0)
		r = to_stick(m, &s, err);
	else if (sw_ends_with(o->where, ".tar"))
		r = to_tar(&s, o->where, err);
	else
		r = to_directory(&s, o->where, err);
	if (r == 0)
		*ret_done = TAKE_PTR(s.done);
	return r;
}
