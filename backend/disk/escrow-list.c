/* SPDX-License-Identifier: Apache-2.0 */
/* Keys in escrow in the node data, which may come from any earlier install. */
#include <string.h>

#include "base/text.h"
#include "disk/recovery.h"

#define CMS_MAX 8192U
#define TEXT_MAX 512U

static bool is_base64(const char *s)
{
	size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=");

	return n > 0 && n < CMS_MAX && s[n] == '\0';
}

static void add_text(json_object *o, const char *key, const char *text)
{
	_cleanup_free_ char *copy = text ? strndup(text, TEXT_MAX) : NULL;

	if (!copy)
		return;
	(void)sw_text_clean(copy);
	sw_json_add_str(o, key, copy);
}

json_object *sw_escrow_entry_clean(json_object *entry)
{
	const char *cms = sw_json_str(entry, "cms", "");
	json_object *opens = sw_json_array(entry, "opens"), *o, *list;
	size_t n = opens ? json_object_array_length(opens) : 0;

	if (!is_base64(cms) || n > SW_ESCROW_KEPT_MAX)
		return NULL;
	o = json_object_new_object();
	add_text(o, "certificate", sw_json_str(entry, "certificate", NULL));
	sw_json_add_str(o, "cms", cms);
	if (n == 0)
		return o;
	sw_json_add(o, "opens", list = json_object_new_array());
	for (size_t i = 0; i < n; i++) {
		const char *label = json_object_get_string(json_object_array_get_idx(opens, i));

		if (label && strlen(label) < TEXT_MAX)
			json_object_array_add(list, json_object_new_string(label));
	}
	return o;
}

json_object *sw_escrow_list_clean(json_object *list)
{
	json_object *out;
	size_t n;

	if (!json_object_is_type(list, json_type_array))
		return NULL;
	n = json_object_array_length(list);
	if (n > SW_ESCROW_KEPT_MAX)
		return NULL;
	out = json_object_new_array();
	for (size_t i = 0; i < n; i++) {
		json_object *e = sw_escrow_entry_clean(json_object_array_get_idx(list, i));

		if (e)
			json_object_array_add(out, e);
	}
	return out;
}

bool sw_escrow_entry_opens(json_object *entry, const char *label)
{
	json_object *opens = sw_json_array(entry, "opens");
	size_t n = opens ? json_object_array_length(opens) : 0;

	for (size_t i = 0; i < n; i++) {
		const char *s = json_object_get_string(json_object_array_get_idx(opens, i));

		if (s && !strcmp(s, label))
			return true;
	}
	return n == 0;
}

int sw_escrow_to_node_data(json_object *node_data, json_object *fresh, json_object *kept)
{
	size_t n = kept ? json_object_array_length(kept) : 0, from = 0;
	json_object *list;

	if (!fresh && n > 0)
		fresh = json_object_array_get_idx(kept, from++);
	if (fresh)
		sw_json_add(node_data, "recovery_escrow", json_object_get(fresh));
	if (from == n)
		return 0;
	list = json_object_new_array();
	if (!list)
		return -ENOMEM;
	for (size_t i = from; i < n; i++)
		json_object_array_add(list, json_object_get(json_object_array_get_idx(kept, i)));
	sw_json_add(node_data, "recovery_escrow_kept", list);
	return 0;
}
