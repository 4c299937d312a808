/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The boot variables of an undo: each that is still as the install left it is put back
 * to what it was before. What others have made of them since stays, and is named.
 */
#include <string.h>
#include <strings.h>

#include "apply/run.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/le.h"
#include "boot/nodevar.h"

/* Puts one variable back to what it was: content, or absence. */
static int restore_var(struct sw_varstore *vars, const char *name, const char *old_hex,
		       const char *now_hex, struct sw_error *err)
{
	return strcmp(old_hex, now_hex) == 0 ? 0 : sw_entry_restore(vars, name, old_hex, err);
}

static bool mentions_ours(const struct sw_plan *p, const char *hex)
{
	for (size_t i = 0; i < p->n_parts; i++) {
		char id[33];

		for (size_t k = 0; k < 16; k++)
			(void)snprintf(id + 2 * k, 3, "%02x", p->parts[i].uuid.b[k]);
		if (p->parts[i].entry && strcasestr(hex, id))
			return true;
	}
	return false;
}

/* What the plan wrote and nobody has changed since: the network's entry, BootNext. */
static bool as_planned(const struct sw_plan *p, const char *name, const char *hex)
{
	for (size_t i = 0; i < p->entries.n_writes; i++) {
		const struct sw_entry_write *w = &p->entries.writes[i];
		_cleanup_free_ char *wrote = sw_hex_encode(w->data, w->len);

		if (strcmp(w->name, name) == 0 && wrote && strcasecmp(wrote, hex) == 0)
			return true;
	}
	return false;
}

/* Whether the plan took a BootNext away that an earlier mode had left. */
static bool took_next(const struct sw_plan *p)
{
	for (size_t i = 0; i < p->entries.n_writes; i++)
		if (p->entries.writes[i].kind == SW_ENTRY_NEXT)
			return p->entries.writes[i].len == 0;
	return false;
}

/*
 * Whether the machine became a node without a disk after this install to one, which takes
 * such node data away: then there are others again, and order and mode are the newer node's.
 */
static bool is_diskless_by_now(struct sw_varstore *vars, const struct sw_journal_info *info)
{
	const char *data = sw_json_str(info->vars, SW_NODE_VARIABLE, NULL);
	_cleanup_free_ char *now = sw_own_variable_hex(vars, SW_NODE_VARIABLE);

	return info->plan->n_disks && now && (!data || strcasecmp(now, data) != 0);
}

/* Of a node without a disk, which an install to a disk takes away. */
static int restore_node_variable(struct sw_varstore *vars, const struct sw_journal_info *info,
				 struct sw_error *err)
{
	const char *data = sw_json_str(info->vars, SW_NODE_VARIABLE, NULL);
	_cleanup_free_ char *now = sw_own_variable_hex(vars, SW_NODE_VARIABLE);

	if (data ? now && strcasecmp(now, data) == 0 : !now)
		return 0;
	return is_diskless_by_now(vars, info)
		       ? 0 : sw_own_variable_restore(vars, SW_NODE_VARIABLE, data, err);
}

/* ---- the boot order ---- */

/* Of a GPT partition in a device path (UEFI 2.10, 10.3.5.1: type 4, subtype 1, 42 bytes). */
#define HD_NODE "04012a00"

/* What the entry of this number holds now, or NULL. */
static const char *entry_now(json_object *now, uint16_t number)
{
	char name[9];

	(void)snprintf(name, sizeof(name), "Boot%04X", number);
	return sw_json_str(now, name, NULL);
}

static bool is_ours(const struct sw_plan *p, uint16_t number, const char *hex)
{
	char name[9];

	(void)snprintf(name, sizeof(name), "Boot%04X", number);
	return mentions_ours(p, hex) || as_planned(p, name, hex);
}

static bool was_there(const struct sw_journal_info *info, uint16_t number)
{
	return entry_now(info->vars, number) != NULL;
}

/*
 * A disk's entry that came after this install, and not from it: of a newer install, or an
 * administrator's. Those without a disk are the network's, which a switch of the mode makes.
 */
static bool is_newer(const struct sw_journal_info *info, json_object *now, uint16_t number)
{
	const char *hex = entry_now(now, number), *old = entry_now(info->vars, number);

	return hex && strcasestr(hex, HD_NODE) && !is_ours(info->plan, number, hex) &&
	       !(old && strcasecmp(old, hex) == 0);
}

/* Deletes itself with this undo, so that it has no place in an order. */
static bool goes(const struct sw_journal_info *info, json_object *now, uint16_t number)
{
	const char *hex = entry_now(now, number);

	return hex && is_ours(info->plan, number, hex) && !was_there(info, number);
}

/* Was there before, and others have deleted it since. */
static bool is_gone(const struct sw_journal_info *info, json_object *now, uint16_t number)
{
	return was_there(info, number) && !entry_now(now, number);
}

/* Takes those entries out of an order of len bytes; returns how many bytes are left. */
static size_t order_without(bool (*out)(const struct sw_journal_info *info, json_object *now,
					uint16_t number),
			    const struct sw_journal_info *info, json_object *now, uint8_t *order,
			    size_t len)
{
	size_t kept = 0;

	for (size_t i = 0; i + 2 <= len; i += 2) {
		if (out(info, now, sw_le16(order + i)))
			continue;
		memmove(order + kept, order + i, 2);
		kept += 2;
	}
	return kept;
}

static bool has_newer(const struct sw_journal_info *info, json_object *now, const uint8_t *order,
		      size_t len)
{
	for (size_t i = 0; i + 2 <= len; i += 2)
		if (is_newer(info, now, sw_le16(order + i)))
			return true;
	return false;
}

/* As it was before; but an order that others have put entries into since is theirs. */
static int restore_order(struct sw_varstore *vars, const struct sw_journal_info *info,
			 json_object *now, const struct sw_sink *sink, struct sw_error *err)
{
	const char *is = sw_json_str(now, "BootOrder", "");
	const char *was = sw_json_str(info->vars, "BootOrder", "");
	_cleanup_free_ uint8_t *order = NULL, *old = NULL;
	_cleanup_free_ char *hex = NULL;
	size_t len = 0, n_old = 0;

	if (sw_hex_decode(is, &order, &len) < 0 || sw_hex_decode(was, &old, &n_old) < 0)
		return sw_fail_oom(err);
	if (is_diskless_by_now(vars, info) || has_newer(info, now, order, len)) {
		sw_event_log(sink, "the boot order has entries that are newer than this install: "
				   "it stays, only the install's own are taken out");
		hex = sw_hex_encode(order, order_without(goes, info, now, order, len));
	} else {
		sw_event_log(sink, "restoring the boot order");
		hex = sw_hex_encode(old, order_without(is_gone, info, now, old, n_old));
	}
	return hex ? restore_var(vars, "BootOrder", hex, is, err) : sw_fail_oom(err);
}

/* Whether the mode is a newer install's: the first disk's entry that it wrote is not ours. */
static bool mode_is_newer(struct sw_varstore *vars, const struct sw_journal_info *info,
			  json_object *now)
{
	struct sw_mode_state s;

	if (is_diskless_by_now(vars, info))
		return true;
	if (sw_mode_state_read(vars, &s) < 0)
		return false;
	for (size_t i = 0; i < s.n_order; i++) {
		const char *hex = entry_now(now, s.order[i]);

		if (is_newer(info, now, s.order[i]))
			return true;
		if (hex && is_ours(info->plan, s.order[i], hex))
			return false;
	}
	return false;
}

/*
 * Whether the mode that was found is one of an install that was undone since: the entry
 * that it put first is no more. Without any it says nothing about entries.
 */
static bool mode_has_gone(json_object *now, const char *hex)
{
	_cleanup_free_ uint8_t *data = NULL;
	struct sw_mode_state s;
	size_t len = 0;

	if (!hex || sw_hex_decode(hex, &data, &len) < 0 ||
	    sw_mode_state_decode(data, len, &s) < 0 || s.n_order == 0)
		return false;
	return !entry_now(now, s.order[0]);
}

/* The node data last, as they were the first to be written. */
static int restore_own(struct sw_varstore *vars, const struct sw_journal_info *info,
		       json_object *now, const struct sw_sink *sink, struct sw_error *err)
{
	const char *mode = sw_json_str(info->vars, SW_MODE_VARIABLE, NULL);
	_cleanup_json_ json_object *left = NULL;
	int r = 0;

	/* Afresh: of the entries that were there, this undo has deleted its own. */
	if (mode && sw_entries_snapshot(vars, &left, err) < 0)
		return -EIO;
	if (mode && mode_has_gone(left, mode))
		mode = NULL;
	if (mode_is_newer(vars, info, now))
		sw_event_log(sink, "the boot mode is a newer install's and stays");
	else
		r = sw_own_variable_restore(vars, SW_MODE_VARIABLE, mode, err);
	return r < 0 ? r : restore_node_variable(vars, info, err);
}

int sw_undo_vars(struct sw_machine *m, const struct sw_journal_info *info,
		 const struct sw_sink *sink, struct sw_error *err)
{
	_cleanup_json_ json_object *now = NULL;
	struct sw_varstore *vars = NULL;
	int r;

	if (!info->vars)
		return 0;
	r = sw_machine_vars(m, &vars, err);
	if (r == 0 && info->plan->entries.n_writes == 0 && info->plan->n_disks)
		return restore_node_variable(vars, info, err);
	if (r == 0)
		r = sw_entries_snapshot(vars, &now, err);
	if (r < 0)
		return r;
	r = restore_order(vars, info, now, sink, err);
	json_object_object_foreach(now, name, value) {
		const char *hex = json_object_get_string(value);

		if (r < 0)
			break;
		if (strcmp(name, "BootOrder") == 0 ||
		    (!mentions_ours(info->plan, hex) && !as_planned(info->plan, name, hex)))
			continue;
		sw_event_log(sink, "restoring %s", name);
		r = restore_var(vars, name, sw_json_str(info->vars, name, ""), hex, err);
	}
	if (r == 0 && took_next(info->plan) && !sw_json_get(now, "BootNext"))
		r = restore_var(vars, "BootNext", sw_json_str(info->vars, "BootNext", ""), "", err);
	return r < 0 ? r : restore_own(vars, info, now, sink, err);
}
