/* SPDX-License-Identifier: Apache-2.0 */
#include "admission/admitted.h"

#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "net/http.h"

#define NOTE_MAX 8192

static char *note_path(const struct sw_machine *m)
{
	return sw_fmt("%s/admitted", m->run_dir);
}

bool sw_admitted_fell_back(const struct sw_admitted_by *by)
{
	return by->asked == SW_ATTEST_AUTO && by->used == SW_ATTEST_PLAIN;
}

static json_object *one(const char *kind, const char *url, const char *overlay,
			const struct sw_admitted_by *by, const struct sw_error *failed)
{
	json_object *o = json_object_new_object();

	sw_json_add_str(o, "kind", kind);
	sw_json_add_str(o, "url", url);
	sw_json_add_bool(o, "admitted", !failed);
	json_object_object_add(o, "time", json_object_new_int64(sw_wall_s()));
	if (by->used != SW_ATTEST_AUTO)
		sw_json_add_str(o, "protocol", sw_attest_protocol_name(by->used));
	sw_json_add_bool(o, "fell_back", sw_admitted_fell_back(by));
	sw_json_add_str(o, "overlay", overlay);
	sw_json_add_str(o, "error", failed ? failed->what : NULL);
	if (failed && failed->why[0])
		sw_json_add_str(o, "why", failed->why);
	if (failed && failed->hint[0])
		sw_json_add_str(o, "hint", failed->hint);
	return o;
}

int sw_admitted_note(const struct sw_machine *m, const char *kind, const char *url,
		     const char *overlay, const struct sw_admitted_by *by,
		     const struct sw_error *failed)
{
	_cleanup_json_ json_object *was = sw_admitted_look(m), *list = json_object_new_array();
	_cleanup_free_ char *path = note_path(m), *shown = sw_http_show(url);
	const char *text;
	int r = path && shown ? sw_mkdir_all(m->run_dir, 0700) : -ENOMEM;

	if (r < 0)
		return r;
	for (size_t i = 0; was && i < json_object_array_length(was); i++) {
		json_object *o = json_object_array_get_idx(was, i);

		if (strcmp(sw_json_str(o, "kind", ""), kind) != 0)
			json_object_array_add(list, json_object_get(o));
	}
	json_object_array_add(list, one(kind, shown, overlay, by, failed));
	text = json_object_to_json_string_ext(list, JSON_C_TO_STRING_PLAIN);
	return sw_file_write(path, text, strlen(text), 0600);
}

json_object *sw_admitted_look(const struct sw_machine *m)
{
	_cleanup_buf_ struct sw_buf text = { .max = NOTE_MAX };
	_cleanup_free_ char *path = note_path(m);
	json_object *o = NULL;

	if (!path || sw_file_read(path, &text) < 0 ||
	    sw_json_parse(sw_buf_text(&text), text.len, path, &o, NULL) < 0)
		return NULL;
	if (json_object_is_type(o, json_type_array))
		return o;
	json_object_put(o);
	return NULL;
}
