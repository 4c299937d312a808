/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/edit.h"

#include <string.h>

#include "base/hex.h"
#include "base/text.h"
#include "boot/loadopt.h"

int sw_entry_number_parse(const char *text, uint16_t *ret_number)
{
	unsigned int n = 0;
	size_t len;

	if (strncasecmp(text, "boot", 4) == 0)
		text += 4;
	len = strlen(text);
	if (len == 0 || len > 4)
		return -EINVAL;
	for (; *text; text++) {
		int digit = sw_hex_digit(*text);

		if (digit < 0)
			return -EINVAL;
		n = n << 4 | (unsigned int)digit;
	}
	*ret_number = (uint16_t)n;
	return 0;
}

static int no_such(struct sw_error *err, uint16_t number)
{
	sw_fail(err, SW_EXIT_MISSING, -ENOENT, "there is no boot entry Boot%04X", number);
	sw_error_hint(err, "`slipway boot list` shows all of them");
	return -ENOENT;
}

/* Firmware's own, network's and foreign entries are touched on demand only. */
static int may_touch(struct sw_edit *e, const struct sw_boot_entry *b, const char *what,
		     struct sw_error *err)
{
	if (b->owner == SW_OWNER_OURS)
		return 0;
	e->foreign = true;
	if (e->force)
		return 0;
	sw_fail(err, SW_EXIT_REFUSED, -EPERM, "Boot%04X is not ours: %s is refused", b->number,
		what);
	sw_error_why(err, "it is %s%s%.60s", b->owner == SW_OWNER_FIRMWARE ? "the firmware's"
		     : b->owner == SW_OWNER_NETWORK ? "a network entry"
		     : b->owner == SW_OWNER_PHANTOM ? "a number without an entry"
						    : "another system's",
		     b->label[0] ? ": " : "", b->label);
	sw_error_hint(err, "give --force when that is what you want");
	return -EPERM;
}

/* True when all that is not ours or network stands in the same order as before. */
static bool foreign_kept(const struct sw_edit *e)
{
	int place = -1;

	for (size_t i = 0; i < e->list->n; i++) {
		const struct sw_boot_entry *b = &e->list->v[i];
		int now;

		if (!b->position || b->owner == SW_OWNER_OURS || b->owner == SW_OWNER_NETWORK)
			continue;
		now = sw_varset_place(e->set, b->number);
		if (now < place)
			return false;
		place = now;
	}
	return true;
}

int sw_edit_order(struct sw_edit *e, const uint16_t *numbers, size_t n, struct sw_error *err)
{
	int r;

	for (size_t i = 0; i < n; i++) {
		if (!sw_boot_list_find(e->list, numbers[i]))
			return no_such(err, numbers[i]);
		for (size_t k = 0; k < i; k++)
			if (numbers[k] == numbers[i])
				return sw_fail(err, SW_EXIT_USAGE, -EINVAL,
					       "Boot%04X is named twice", numbers[i]);
	}
	r = sw_varset_first(e->set, numbers, n);
	if (r < 0)
		return sw_fail_oom(err);
	if (foreign_kept(e))
		return 0;
	e->foreign = true;
	if (e->force)
		return 0;
	sw_fail(err, SW_EXIT_REFUSED, -EPERM,
		"this would change the order of entries that are not ours");
	sw_error_why(err, "only our entries and network entries move without --force");
	sw_error_hint(err, "name the foreign entries in their present order, or give --force");
	return -EPERM;
}

int sw_edit_next(struct sw_edit *e, int number, struct sw_error *err)
{
	if (number >= 0) {
		if (!sw_varset_find(e->set, (uint16_t)number))
			return no_such(err, (uint16_t)number);
		if (sw_varset_append(e->set, (uint16_t)number) < 0)
			return sw_fail_oom(err);
	}
	e->set->next = number;
	return 0;
}

static int check_label(const char *label, struct sw_error *err)
{
	if (*label && strlen(label) <= 80 && sw_text_is_clean(label))
		return 0;
	sw_fail(err, SW_EXIT_USAGE, -EINVAL, "the label is not usable");
	sw_error_hint(err, "1 to 80 bytes of plain text");
	return -EINVAL;
}

int sw_edit_rename(struct sw_edit *e, uint16_t number, const char *label, struct sw_error *err)
{
	const struct sw_boot_entry *b = sw_boot_list_find(e->list, number);
	const struct sw_varset_entry *v = sw_varset_find(e->set, number);
	_cleanup_loadopt_ struct sw_loadopt o = {};
	_cleanup_buf_ struct sw_buf buf = {};
	int r;

	if (!b || !v)
		return no_such(err, number);
	r = check_label(label, err);
	if (r == 0)
		r = may_touch(e, b, "renaming it", err);
	if (r < 0)
		return r;
	if (sw_loadopt_parse(v->data, v->len, &o) < 0)
		return sw_fail(err, SW_EXIT_REFUSED, -EINVAL, "Boot%04X cannot be read", number);
	r = sw_loadopt_build(o.attrs, label, o.path, o.path_len, o.optional, o.optional_len, &buf);
	if (r == 0)
		r = sw_varset_put(e->set, number, buf.data, buf.len);
	return r < 0 ? sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot make the entry") : 0;
}

int sw_edit_delete(struct sw_edit *e, uint16_t number, struct sw_error *err)
{
	const struct sw_boot_entry *b = sw_boot_list_find(e->list, number);
	int r;

	if (!b)
		return no_such(err, number);
	r = may_touch(e, b, "deleting it", err);
	if (r == 0)
		sw_varset_remove(e->set, number);
	return r;
}

static const struct sw_varset_entry *with_path(const struct sw_varset *s, const uint8_t *path,
					       size_t len)
{
	for (size_t i = 0; i < s->n_entries; i++) {
		_cleanup_loadopt_ struct sw_loadopt o = {};

		if (sw_loadopt_parse(s->entries[i].data, s->entries[i].len, &o) == 0 &&
		    o.path_len == len && memcmp(o.path, path, len) == 0)
			return &s->entries[i];
	}
	return NULL;
}

int sw_edit_add(struct sw_edit *e, const char *label, const uint8_t *path, size_t len, bool first,
		uint16_t *ret_number, struct sw_error *err)
{
	const struct sw_varset_entry *same = with_path(e->set, path, len);
	_cleanup_buf_ struct sw_buf b = {};
	int r = check_label(label, err), n;
	uint16_t number;

	if (r < 0)
		return r;
	if (same) {
		sw_fail(err, SW_EXIT_REFUSED, -EEXIST, "Boot%04X has this device path already",
			same->number);
		sw_error_why(err, "firmware drops one of two entries that differ by their label");
		sw_error_hint(err, "use that one, or `slipway boot rename`");
		return -EEXIST;
	}
	n = sw_varset_free_number(e->set);
	if (n < 0)
		return sw_fail_errno(err, SW_EXIT_REFUSED, n, "no boot entry number is free");
	number = (uint16_t)n;
	r = sw_loadopt_build(SW_LOADOPT_ACTIVE, label, path, len, NULL, 0, &b);
	if (r == 0)
		r = sw_varset_put(e->set, number, b.data, b.len);
	if (r == 0)
		r = first ? sw_varset_first(e->set, &number, 1) : sw_varset_append(e->set, number);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot make the entry");
	*ret_number = number;
	return 0;
}
