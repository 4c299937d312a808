/* SPDX-License-Identifier: Apache-2.0 */
/* A bundle leaves the machine. */
#include "apply/store.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/size.h"
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

static int begin(const struct sw_sink *sink, unsigned int step, const char *what, size_t bytes)
{
	struct sw_event ev = { .type = SW_EVENT_START, .step = step, .steps = 2 };
	char size[16];

	if (bytes)
		(void)snprintf(ev.text, sizeof(ev.text), "Write to %.200s, %s", what,
			       sw_size_format(bytes, size, sizeof(size)));
	else
		(void)snprintf(ev.text, sizeof(ev.text), "%s", what);
	sw_event_emit(sink, &ev);
	return sw_event_poll(sink);
}

static int put(struct sw_machine *m, const struct sw_store *s, const struct sw_buf *packed,
	       const struct sw_sink *sink, struct sw_error *err)
{
	_cleanup_free_ char *shown = sw_source_show(s->where);
	int r = begin(sink, 2, shown ? shown : s->where, packed->len);

	if (r == 0)
		r = sw_store_put_bytes(m, s, packed->data, packed->len, sink, err);
	return r;
}

int sw_bundle_write(struct sw_machine *m, const struct sw_bundle *b, char *const *recipients,
		    const char *where, const struct sw_sink *sink, json_object **ret_done,
		    struct sw_error *err)
{
	bool encrypted = recipients && recipients[0];
	_cleanup_buf_ struct sw_buf packed = {};
	_cleanup_free_ char *name = NULL;
	struct sw_store s = { .what = "bundle", .where = where };
	char code[SW_BUNDLE_CODE];
	int r = sw_store_check(&s, err);

	if (r == 0)
		r = begin(sink, 1, encrypted ? "Pack and encrypt" : "Pack", 0);
	if (r == 0)
		r = sw_bundle_pack(b, recipients, &packed, err);
	if (r == 0) {
		sw_bundle_code(&packed, code);
		s.name = name = sw_bundle_name(b, code, encrypted);
		r = name ? put(m, &s, &packed, sink, err) : sw_fail_oom(err);
	}
	if (r == 0)
		*ret_done = describe(&packed, where, name, code, encrypted);
	if (r != -ECANCELED)
		return r;
	*err = (struct sw_error){};
	return sw_fail(err, SW_EXIT_CANCELLED, r, "stopped; no whole bundle was written");
}
