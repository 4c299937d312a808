/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Doing and undoing one planned write. Each looks first: what holds the new
 * content already is left alone (a resumed run), and what somebody else has
 * changed since the plan is not overwritten.
 */
#include <string.h>

#include "base/hex.h"
#include "base/json.h"
#include "boot/entries.h"

static const char *const kinds[] = { "set", "order", "next", "delete" };

void sw_entry_write_clear(struct sw_entry_write *w)
{
	free(w->data);
	free(w->old);
	*w = (struct sw_entry_write){};
}

void sw_entry_plan_clear(struct sw_entry_plan *p)
{
	for (size_t i = 0; i < p->n_writes; i++)
		sw_entry_write_clear(&p->writes[i]);
	free(p->writes);
	*p = (struct sw_entry_plan){};
}

static int explain(struct sw_error *err, int r, const char *name)
{
	enum sw_exit e = r == -EBADMSG ? SW_EXIT_VERIFY
			 : r == -ESTALE ? SW_EXIT_REFUSED
					: SW_EXIT_FAILED;

	if (r == -EBADMSG || r == -ESTALE)
		sw_fail(err, e, r, "the boot variable %s was not changed", name);
	else
		sw_fail_errno(err, e, r, "the boot variable %s cannot be written", name);
	sw_error_where(err, "%s", name);
	switch (r) {
	case -EBADMSG:
		sw_error_why(err, "the firmware reported success but kept the old content");
		sw_error_hint(err, "look for a boot order lock in the firmware's setup; the disk "
				   "still boots by \\EFI\\BOOT\\BOOTX64.EFI");
		break;
	case -ESTALE:
		sw_error_why(err, "it changed since the plan was made");
		sw_error_hint(err, "make a new plan");
		break;
	case -ENOSPC:
		sw_error_hint(err, "the firmware's variable store is full; remove dump-type0-* "
				   "variables and restart; the disk still boots by "
				   "\\EFI\\BOOT\\BOOTX64.EFI");
		break;
	case -EROFS:
		sw_error_hint(err, "remount efivarfs for writing, or unlock the firmware's setup");
		break;
	default:
		sw_error_hint(err, "the disk still boots by \\EFI\\BOOT\\BOOTX64.EFI");
	}
	return r;
}

static bool same(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	return a_len == b_len && (a_len == 0 || memcmp(a, b, a_len) == 0);
}

/* Leads the variable from one content to another; empty stands for "not there". */
static int lead(struct sw_varstore *s, const struct sw_entry_write *w, const uint8_t *from,
		size_t from_len, const uint8_t *to, size_t to_len)
{
	_cleanup_free_ uint8_t *now = NULL;
	uint32_t attrs;
	size_t n = 0;
	int r = sw_var_get(s, &sw_guid_global, w->name, &now, &n, &attrs);

	if (r < 0 && r != -ENOENT)
		return r;
	if (same(now, n, to, to_len))
		return 0;
	if (!same(now, n, from, from_len) && w->kind != SW_ENTRY_NEXT)
		return -ESTALE;
	return sw_var_set(s, &sw_guid_global, w->name, to, to_len, SW_VAR_NV_BS_RT);
}

int sw_entry_write_apply(struct sw_varstore *s, const struct sw_entry_write *w,
			 struct sw_error *err)
{
	int r = lead(s, w, w->old, w->old_len, w->data, w->len);

	return r < 0 ? explain(err, r, w->name) : 0;
}

int sw_entry_plan_apply(struct sw_varstore *s, const struct sw_entry_plan *p, size_t *ret_done,
			struct sw_error *err)
{
	size_t done = 0;
	int r = 0;

	while (r == 0 && done < p->n_writes) {
		r = sw_entry_write_apply(s, &p->writes[done], err);
		done += r == 0;
	}
	if (ret_done)
		*ret_done = done;
	if (r < 0 && err && done > 0) {
		err->exit = SW_EXIT_DIRTY;
		(void)snprintf(err->hint, sizeof(err->hint),
			       "%zu of %zu writes are done; each of these states boots: repeat the "
			       "command when the firmware takes writes again", done, p->n_writes);
	}
	return r;
}

int sw_entry_write_undo(struct sw_varstore *s, const struct sw_entry_write *w,
			struct sw_error *err)
{
	int r = lead(s, w, w->data, w->len, w->old, w->old_len);

	return r < 0 ? explain(err, r, w->name) : 0;
}

static int add_hex(json_object *o, const char *key, const uint8_t *data, size_t len)
{
	_cleanup_free_ char *hex = NULL;

	if (!data)
		return 0;
	hex = sw_hex_encode(data, len);
	if (!hex)
		return -ENOMEM;
	sw_json_add_str(o, key, hex);
	return 0;
}

json_object *sw_entry_write_to_json(const struct sw_entry_write *w)
{
	_cleanup_json_ json_object *o = json_object_new_object();

	if (!o)
		return NULL;
	sw_json_add_str(o, "kind", kinds[w->kind]);
	sw_json_add_str(o, "name", w->name);
	sw_json_add_str(o, "text", w->text);
	if (add_hex(o, "data", w->data, w->len) < 0 || add_hex(o, "old", w->old, w->old_len) < 0)
		return NULL;
	return TAKE_PTR(o);
}

static int get_hex(json_object *o, const char *key, uint8_t **ret_data, size_t *ret_len)
{
	const char *hex = sw_json_str(o, key, NULL);

	return hex ? sw_hex_decode(hex, ret_data, ret_len) : 0;
}

/* A saved plan comes from a file: it may name nothing but what entries are made of. */
static bool name_fits(enum sw_entry_write_kind kind, const char *name)
{
	if (kind == SW_ENTRY_ORDER)
		return strcmp(name, "BootOrder") == 0;
	if (kind == SW_ENTRY_NEXT)
		return strcmp(name, "BootNext") == 0;
	return sw_entry_number(name) >= 0;
}

int sw_entry_write_from_json(json_object *o, struct sw_entry_write *ret_write)
{
	const char *kind = sw_json_str(o, "kind", ""), *name = sw_json_str(o, "name", "");
	_cleanup_(sw_entry_write_clear) struct sw_entry_write w = {};
	size_t k = 0;
	int r;

	while (k < ARRAY_SIZE(kinds) && strcmp(kind, kinds[k]) != 0)
		k++;
	if (k == ARRAY_SIZE(kinds) || !name_fits((enum sw_entry_write_kind)k, name))
		return -EINVAL;
	w.kind = (enum sw_entry_write_kind)k;
	(void)snprintf(w.name, sizeof(w.name), "%s", name);
	(void)snprintf(w.text, sizeof(w.text), "%s", sw_json_str(o, "text", ""));
	r = get_hex(o, "data", &w.data, &w.len);
	if (r == 0)
		r = get_hex(o, "old", &w.old, &w.old_len);
	if (r < 0)
		return r;
	/* Only entries and BootNext are ever taken away. */
	if (w.len == 0 ? w.kind != SW_ENTRY_DELETE && w.kind != SW_ENTRY_NEXT
		       : w.kind == SW_ENTRY_DELETE)
		return -EINVAL;
	*ret_write = w;
	w = (struct sw_entry_write){};
	return 0;
}
