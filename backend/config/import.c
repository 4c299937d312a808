/* SPDX-License-Identifier: Apache-2.0 */
/* Writing what a preview says into the node data, and taking it back. */
#include <dirent.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "boot/secrets.h"
#include "config/private.h"

#define UNDO_NAME "config-undo-%" PRIu64 ".json"
#define UNDO_KEY "slipway_config_undo"

int sw_config_find_node(struct sw_machine *m, const struct sw_facts *f, const char *disk,
			struct sw_node *ret_node, struct sw_error *err)
{
	struct sw_error e = {};
	int r = sw_node_find(m, f, disk, ret_node, &e);

	if (r == -ENOENT && !disk && sw_node_read_variable(m, ret_node) == 0)
		return 0;
	if (r < 0) {
		if (err)
			*err = e;
		return r;
	}
	if (ret_node->data)
		return 0;
	sw_fail(err, SW_EXIT_MISSING, -ENOENT, "the node has no node data");
	sw_error_where(err, "%s", ret_node->disk->name);
	sw_error_hint(err, "an install writes it; `slipway doctor` looks at its copies");
	return -ENOENT;
}

/* ---- the file for undo ---- */

/* The highest number in use; 0: none. */
static uint64_t last_number(const struct sw_machine *m)
{
	_cleanup_closedir_ DIR *d = opendir(m->run_dir);
	uint64_t last = 0;

	for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
		uint64_t n = 0;
		char end = 0;

		if (sscanf(e->d_name, "config-undo-%" SCNu64 ".jso%c", &n, &end) == 2 && end == 'n')
			last = n > last ? n : last;
	}
	return last;
}

char *sw_config_last(const struct sw_machine *m)
{
	uint64_t n = last_number(m);

	return n ? sw_fmt("%s/" UNDO_NAME, m->run_dir, n) : NULL;
}

static int keep(const struct sw_machine *m, json_object *before, json_object *after,
		char **ret_path, struct sw_error *err)
{
	_cleanup_json_ json_object *o = json_object_new_object();
	_cleanup_free_ char *path = sw_fmt("%s/" UNDO_NAME, m->run_dir, last_number(m) + 1);
	const char *text;
	int r;

	sw_json_add_u64(o, UNDO_KEY, 1);
	sw_json_add(o, "before", json_object_get(before));
	sw_json_add(o, "after", json_object_get(after));
	text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN);
	if (!path || !text)
		return sw_fail_oom(err);
	r = sw_mkdir_all(m->run_dir, 0700);
	if (r == 0)
		r = sw_file_write(path, text, strlen(text), 0600);
	if (r < 0) {
		sw_fail_errno(err, SW_EXIT_FAILED, r, "what is there now cannot be kept for undo");
		sw_error_where(err, "%s", path);
		return r;
	}
	*ret_path = TAKE_PTR(path);
	return 0;
}

/* ---- import ---- */

static int seal_all(const struct sw_config_keys *keys, struct sw_config_preview *p,
		    struct sw_error *err)
{
	int r = 0;

	for (size_t i = 0; i < p->n_secrets && r == 0; i++) {
		const struct sw_secret_seal s = { .by.tcti = keys->tcti, .pcr7 = keys->pcr7,
						  .name = p->secrets[i].name,
						  .pcrs = SW_TPM_PCRS_DEFAULT };
		struct sw_secret_sealed done;

		r = sw_secrets_seal(p->data, &s, p->secrets[i].data, &done, err);
	}
	return r;
}

int sw_config_import(struct sw_machine *m, struct sw_node *n, const struct sw_config_keys *keys,
		     struct sw_config_preview *p, char **ret_undo, struct sw_error *err)
{
	_cleanup_free_ char *undo = NULL;
	_cleanup_json_ json_object *before = NULL;
	int r = seal_all(keys, p, err);

	if (r == 0)
		r = keep(m, n->data, p->data, &undo, err);
	if (r < 0)
		return r;
	before = n->data;
	n->data = json_object_get(p->data);
	r = sw_node_write_data(m, n, err);
	if (r < 0) {
		sw_error_hint(err, "`slipway config undo` writes back what was there");
		return r;
	}
	*ret_undo = TAKE_PTR(undo);
	return 0;
}

/* ---- undo ---- */

static int not_as_left(const char *file, struct sw_error *err)
{
	sw_fail(err, SW_EXIT_REFUSED, -ESTALE, "the node data are not as the import left them");
	sw_error_where(err, "%s", file);
	sw_error_why(err, "something else was written since, which an undo would lose");
	sw_error_hint(err, "nothing was written; import again, or set what is wrong with "
			   "`slipway node set`");
	return -ESTALE;
}

int sw_config_undo(struct sw_machine *m, struct sw_node *n, const char *file, struct sw_error *err)
{
	_cleanup_json_ json_object *o = NULL;
	json_object *before, *after;
	int r = sw_json_load(file, &o, err);

	if (r < 0)
		return r;
	before = sw_json_get(o, "before");
	after = sw_json_get(o, "after");
	if (sw_json_int(o, UNDO_KEY, 0) != 1 || !before || !after) {
		sw_fail(err, SW_EXIT_INVALID, -EINVAL, "this is no file of an import");
		sw_error_where(err, "%s", file);
		return -EINVAL;
	}
	/* One that was cut off before it wrote, or an undo after it wrote, is as it was. */
	if (!json_object_equal(n->data, before)) {
		if (!json_object_equal(n->data, after))
			return not_as_left(file, err);
		json_object_put(n->data);
		n->data = json_object_get(before);
		r = sw_node_write_data(m, n, err);
	}
	if (r == 0)
		(void)unlink(file);
	return r;
}
