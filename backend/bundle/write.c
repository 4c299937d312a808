/* SPDX-License-Identifier: Apache-2.0 */
/* A bundle leaves the machine. */
#include "apply/store.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "bundle/bundle.h"
#include "payload/payload.h"

static json_object *describe(const struct sw_buf *packed, const char *where, const char *name,
			     const char *code, bool encrypted)
{
	json_object *o = json_object_new_object();
	_cleanup_free_ char *shown = sw_source_show(where);
	char hex[SW_SHA256_TEXT];

	(void)sw_sha256(packed->data, packed->len, hex);
	sw_json_add_str(o, "output", shown);
	sw_json_add_str(o, "file", name);
	sw_json_add_str(o, "code", code);
	sw_json_add_str(o, "sha256", hex);
	sw_json_add_u64(o, "bytes", packed->len);
	sw_json_add_bool(o, "encrypted", encrypted);
	return o;
}

int sw_bundle_write(struct sw_machine *m, const struct sw_bundle *b, char *const *recipients,
		    const char *where, json_object **ret_done, struct sw_error *err)
{
	bool encrypted = recipients && recipients[0];
	_cleanup_buf_ struct sw_buf packed = {};
	_cleanup_free_ char *name = NULL;
	struct sw_store s = { .what = "bundle", .where = where };
	char code[SW_BUNDLE_CODE];
	int r = sw_store_check(&s, err);

	if (r == 0)
		r = sw_bundle_pack(b, recipients, &packed, err);
	if (r < 0)
		return r;
	sw_bundle_code(&packed, code);
	s.name = name = sw_bundle_name(b, code, encrypted);
	r = name ? sw_store_put_bytes(m, &s, packed.data, packed.len, err) : sw_fail_oom(err);
	if (r == 0)
		*ret_done = describe(&packed, where, name, code, encrypted);
	return r;
}
