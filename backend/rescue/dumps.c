/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Crash dumps that the kernel's pstore left in the firmware's variables (drivers/firmware/efi/
 * efi-pstore.c: dump-type*, of one vendor GUID). They fill the store, and somebody may want to read
 * them: taken away, each is kept in a file.
 */
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/json.h"
#include "boot/varstore.h"
#include "rescue/private.h"

#define DUMP "dump-type"
#define DUMPS_MAX 1024U
#define DUMP_BYTES (64U << 10)

static const char crash_guid[] = "cfc8fc79-be2e-4ddc-97f0-9f98bfe298a0";

static bool is_dump(const struct sw_guid *guid, const char *name)
{
	struct sw_guid crash;

	return sw_guid_parse(crash_guid, &crash) == 0 && sw_guid_equal(guid, &crash) &&
	       strncmp(name, DUMP, strlen(DUMP)) == 0 && strspn(name, "abcdefghijklmnopqrstuvwxyz"
	       "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == strlen(name);
}

struct dumps {
	struct sw_varstore *vars;
	struct sw_rescue_var *v;
	size_t n;
	uint64_t bytes;
};

static void dumps_clear(struct dumps *d)
{
	for (size_t i = 0; i < d->n; i++)
		free(d->v[i].data);
	free(d->v);
}

static int collect(const struct sw_guid *guid, const char *name, void *userdata)
{
	struct dumps *d = userdata;
	struct sw_rescue_var one = { .guid = *guid }, *v;

	if (!is_dump(guid, name) || strlen(name) >= sizeof(one.name) || d->n >= DUMPS_MAX ||
	    sw_var_get(d->vars, guid, name, &one.data, &one.len, &one.attrs) < 0)
		return 0;
	(void)snprintf(one.name, sizeof(one.name), "%s", name);
	v = reallocarray(d->v, d->n + 1, sizeof(*v));
	if (!v || one.len == 0 || one.len > DUMP_BYTES) {
		free(one.data);
		d->v = v ? v : d->v;
		return v ? 0 : -ENOMEM;
	}
	d->v = v;
	d->v[d->n++] = one;
	d->bytes += one.len;
	return 0;
}

static int add_repair(struct sw_finding *fi, struct dumps *d)
{
	struct sw_repair *rep = sw_finding_repair(fi, NULL);

	if (!rep)
		return -ENOMEM;
	(void)snprintf(rep->text, sizeof(rep->text),
		       "keep each of %zu crash dumps in a file beside that for undo, and take it "
		       "out of the firmware; --save names a place on a stick", d->n);
	rep->gone = TAKE_PTR(d->v);
	rep->n_gone = d->n;
	d->n = 0;
	return 0;
}

int sw_examine_dumps(struct sw_examine *x, bool low, size_t *ret_n)
{
	_cleanup_(dumps_clear) struct dumps d = { .vars = x->vars };
	struct sw_finding *fi;

	if (sw_var_list(x->vars, collect, &d) == -ENOMEM)
		return -ENOMEM;
	*ret_n = d.n;
	if (d.n == 0)
		return 0;
	fi = sw_finding_add(x, NULL, "nvram-dumps", low ? SW_FINDING_WARNING : SW_FINDING_INFO,
			    SW_SURE_CERTAIN);
	if (!fi)
		return -ENOMEM;
	(void)snprintf(fi->what, sizeof(fi->what), "%s",
		       low ? "the firmware's variable store is full of crash dumps"
			   : "a kernel has crashed here, and left its dump in the firmware");
	(void)snprintf(fi->evidence, sizeof(fi->evidence),
		       "%zu crash dumps take %llu bytes; the first is %s", d.n,
		       (unsigned long long)d.bytes, d.v[0].name);
	(void)snprintf(fi->effect, sizeof(fi->effect), "%s",
		       low ? "new boot entries or another order may be refused: switching and "
			     "repairs fail"
			   : "they stay until somebody takes them, and fill the store in time");
	return add_repair(fi, &d);
}

/* ---- carrying it out, and back ---- */

int sw_rescue_gone_json(const struct sw_repair *r, json_object **ret_list)
{
	_cleanup_json_ json_object *list = json_object_new_array();

	for (size_t i = 0; list && i < r->n_gone; i++) {
		const struct sw_rescue_var *v = &r->gone[i];
		_cleanup_free_ char *hex = sw_hex_encode(v->data, v->len);
		json_object *o = hex ? json_object_new_object() : NULL;

		if (!o)
			return -ENOMEM;
		sw_json_add_str(o, "name", v->name);
		sw_json_add_u64(o, "attributes", v->attrs);
		sw_json_add_str(o, "data", hex);
		json_object_array_add(list, o);
	}
	*ret_list = TAKE_PTR(list);
	return *ret_list ? 0 : -ENOMEM;
}

int sw_rescue_gone_keep(const struct sw_repair *r, const char *undo_path, struct sw_error *err)
{
	_cleanup_free_ char *dir = sw_fmt("%s.vars", undo_path);
	int k = dir ? sw_mkdir_all(dir, 0700) : -ENOMEM;

	for (size_t i = 0; k == 0 && i < r->n_gone; i++) {
		_cleanup_free_ char *path = sw_fmt("%s/%s", dir, r->gone[i].name);

		k = path ? sw_file_write(path, r->gone[i].data, r->gone[i].len, 0600) : -ENOMEM;
	}
	if (k == 0)
		return 0;
	sw_fail_errno(err, SW_EXIT_FAILED, k, "cannot save what is taken away");
	sw_error_where(err, "%s", dir ? dir : undo_path);
	sw_error_hint(err, "nothing was changed; name another place with --save FILE");
	return k;
}

int sw_rescue_gone_take(struct sw_varstore *vars, const struct sw_repair *r, struct sw_error *err)
{
	int k = vars ? 0 : -EOPNOTSUPP;

	for (size_t i = 0; k == 0 && i < r->n_gone; i++) {
		k = sw_var_del(vars, &r->gone[i].guid, r->gone[i].name);
		k = k == -ENOENT ? 0 : k;
		if (k < 0) {
			sw_fail_errno(err, i ? SW_EXIT_DIRTY : SW_EXIT_FAILED, k,
				      "a crash dump cannot be taken away");
			sw_error_where(err, "%s", r->gone[i].name);
		}
	}
	return k;
}

static int put_back(struct sw_varstore *vars, json_object *o, bool write, struct sw_error *err)
{
	const char *name = sw_json_str(o, "name", ""), *hex = sw_json_str(o, "data", "");
	_cleanup_free_ uint8_t *data = NULL;
	struct sw_guid guid;
	size_t len = 0;
	int r = sw_guid_parse(crash_guid, &guid);

	if (r < 0 || !is_dump(&guid, name) || sw_hex_decode(hex, &data, &len) < 0 || len == 0 ||
	    len > DUMP_BYTES)
		return sw_fail(err, SW_EXIT_INVALID, -EINVAL,
			       "this is not an undo file of slipway doctor");
	if (!write)
		return 0;
	r = sw_var_set(vars, &guid, name, data, len,
		       (uint32_t)sw_json_u64(o, "attributes", SW_VAR_NV_BS_RT));
	if (r < 0) {
		sw_fail_errno(err, SW_EXIT_DIRTY, r, "a crash dump cannot be put back");
		sw_error_where(err, "%s", name);
	}
	return r;
}

int sw_rescue_gone_undo(struct sw_varstore *vars, json_object *list, bool write,
			struct sw_error *err)
{
	int r = 0;

	if (list && !vars)
		return sw_fail(err, SW_EXIT_MISSING, -EOPNOTSUPP, "there are no boot variables");
	for (size_t i = 0; r == 0 && list && i < json_object_array_length(list); i++)
		r = put_back(vars, json_object_array_get_idx(list, i), write, err);
	return r;
}
