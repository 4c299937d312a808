/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pure planner. Firmware in the field punishes every liberty taken here:
 * repeats in BootOrder, entries that differ by label only, dropped foreign
 * numbers, Boot0000, a delete before the new order stands. So: rewrite in place,
 * the lowest free number from 0001, foreign and phantom numbers kept in their
 * order, deletes last, and no write at all when the wanted state holds.
 */
#include <string.h>

#include "base/hex.h"
#include "base/json.h"
#include "boot/entries-private.h"
#include "boot/entries.h"

#define NUMBERS 65536

struct present {
	uint16_t number;
	uint8_t *data;
	size_t len;
	bool taken;		/* ours: wanted again, or stale */
};

struct planner {
	struct present *all;
	size_t n_all;
	uint8_t *order, *next;	/* raw; NULL: absent */
	size_t order_len, next_len;
	uint8_t used[NUMBERS / 8];
	uint16_t *numbers;	/* of the wanted, in their order */
	struct sw_entry_plan plan;
};

static void planner_clear(struct planner *p)
{
	for (size_t i = 0; i < p->n_all; i++)
		free(p->all[i].data);
	free(p->all);
	free(p->order);
	free(p->next);
	free(p->numbers);
	sw_entry_plan_clear(&p->plan);
}

static void mark(struct planner *p, unsigned int n)
{
	p->used[n / 8] |= (uint8_t)(1u << (n % 8));
}

static bool marked(const struct planner *p, unsigned int n)
{
	return p->used[n / 8] >> (n % 8) & 1;
}

static int load_one(struct planner *p, const char *name, const char *hex)
{
	int number = sw_entry_number(name);
	struct present *e;

	if (strcmp(name, "BootOrder") == 0)
		return sw_hex_decode(hex, &p->order, &p->order_len);
	if (strcmp(name, "BootNext") == 0)
		return sw_hex_decode(hex, &p->next, &p->next_len);
	if (number < 0)
		return 0;
	e = &p->all[p->n_all++];
	e->number = (uint16_t)number;
	mark(p, e->number);
	return sw_hex_decode(hex, &e->data, &e->len);
}

static int by_number(const void *a, const void *b)
{
	const struct present *x = a, *y = b;

	return (int)x->number - (int)y->number;
}

/* A number that only BootOrder or BootNext knows belongs to a device that is away: never reused. */
static int load(struct planner *p, json_object *raw)
{
	int r = 0;

	p->all = calloc((size_t)json_object_object_length(raw) + 1, sizeof(*p->all));
	if (!p->all)
		return -ENOMEM;
	json_object_object_foreach(raw, key, value)
		if (r == 0)
			r = json_object_is_type(value, json_type_string)
				    ? load_one(p, key, json_object_get_string(value))
				    : -EINVAL;
	if (r < 0)
		return r;
	if (p->n_all > 1)
		qsort(p->all, p->n_all, sizeof(*p->all), by_number);
	for (size_t i = 0; i + 2 <= p->order_len; i += 2)
		mark(p, sw_le16(p->order + i));
	if (p->next_len == 2)
		mark(p, sw_le16(p->next));
	return 0;
}

/* ---- one wanted entry ---- */

int sw_entry_build(const struct sw_entry_wanted *w, struct sw_buf *b)
{
	struct sw_devpath_hd hd = { .number = w->part_number, .start = w->part_start,
				    .size = w->part_size, .guid = w->part_uuid };

	return sw_loadopt_build_file(w->label, &hd, w->path, b);
}

/*
 * Some firmware upper-cases paths or puts the hardware path before HD(): both
 * still say the same, and rewriting them at every run would wear the flash out.
 */
enum sw_entry_match sw_entry_match(const uint8_t *data, size_t len,
				   const struct sw_entry_wanted *w)
{
	_cleanup_loadopt_ struct sw_loadopt o = {};
	_cleanup_free_ char *path = NULL;
	struct sw_devpath_hd hd;

	if (sw_loadopt_parse(data, len, &o) < 0 || sw_entry_is_firmware_made(&o) ||
	    sw_devpath_find_file(o.path, o.path_len, &hd, &path) < 0)
		return SW_ENTRY_FOREIGN;
	if (!sw_guid_equal(&hd.guid, &w->part_uuid) || strcasecmp(path, w->path) != 0)
		return SW_ENTRY_FOREIGN;
	if (o.attrs == SW_LOADOPT_ACTIVE && o.optional_len == 0 && strcmp(o.label, w->label) == 0 &&
	    hd.number == w->part_number && hd.start == w->part_start && hd.size == w->part_size)
		return SW_ENTRY_RIGHT;
	return SW_ENTRY_OTHER_CONTENT;
}

static size_t place_in_order(const struct planner *p, uint16_t number)
{
	for (size_t i = 0; i + 2 <= p->order_len; i += 2)
		if (sw_le16(p->order + i) == number)
			return i;
	return SIZE_MAX;
}

/* The one to keep: right content first, then the earliest in BootOrder, then the lowest number. */
static struct present *choose(struct planner *p, const struct sw_entry_wanted *w)
{
	struct present *best = NULL;
	enum sw_entry_match best_match = SW_ENTRY_FOREIGN;

	for (size_t i = 0; i < p->n_all; i++) {
		struct present *e = &p->all[i];
		enum sw_entry_match m = sw_entry_match(e->data, e->len, w);

		if (m == SW_ENTRY_FOREIGN)
			continue;
		e->taken = true;
		if (!best || m > best_match ||
		    (m == best_match &&
		     place_in_order(p, e->number) < place_in_order(p, best->number))) {
			best = e;
			best_match = m;
		}
	}
	return best;
}

static struct sw_entry_write *new_write(struct planner *p, enum sw_entry_write_kind kind,
					const char *name)
{
	struct sw_entry_write *v =
		reallocarray(p->plan.writes, p->plan.n_writes + 1, sizeof(*v));

	if (!v)
		return NULL;
	p->plan.writes = v;
	v = &v[p->plan.n_writes++];
	*v = (struct sw_entry_write){ .kind = kind };
	(void)snprintf(v->name, sizeof(v->name), "%s", name);
	return v;
}

static int copy_bytes(uint8_t **to, size_t *to_len, const uint8_t *from, size_t len)
{
	if (!from)
		return 0;
	*to = malloc(len + 1);
	if (!*to)
		return -ENOMEM;
	memcpy(*to, from, len);
	*to_len = len;
	return 0;
}

static int add_write(struct planner *p, enum sw_entry_write_kind kind, const char *name,
		     const uint8_t *data, size_t len, const uint8_t *old, size_t old_len,
		     const char *text)
{
	struct sw_entry_write *w = new_write(p, kind, name);
	int r = w ? copy_bytes(&w->data, &w->len, data, len) : -ENOMEM;

	if (r == 0)
		r = copy_bytes(&w->old, &w->old_len, old, old_len);
	if (r == 0)
		(void)snprintf(w->text, sizeof(w->text), "%s", text);
	return r;
}

static int free_number(const struct planner *p)
{
	for (unsigned int n = 1; n < NUMBERS; n++)
		if (!marked(p, n))
			return (int)n;
	return -ENOSPC;
}

static int plan_entry(struct planner *p, const struct sw_entry_wanted *w, uint16_t *ret_number)
{
	struct present *e = choose(p, w);
	_cleanup_buf_ struct sw_buf b = {};
	char name[16], text[200], guid[SW_GUID_TEXT];
	int n = e ? e->number : free_number(p), r;

	if (n < 0)
		return n;
	*ret_number = (uint16_t)n;
	mark(p, (unsigned int)n);
	if (e && sw_entry_match(e->data, e->len, w) == SW_ENTRY_RIGHT)
		return 0;
	r = sw_entry_build(w, &b);
	if (r < 0)
		return r;
	(void)snprintf(name, sizeof(name), "Boot%04X", (unsigned int)n);
	(void)snprintf(text, sizeof(text), "%s \"%.60s\": partition %s, %.60s",
		       e ? "correct the boot entry" : "add the boot entry", w->label,
		       sw_guid_format(&w->part_uuid, guid), w->path);
	return add_write(p, SW_ENTRY_SET, name, b.data, b.len, e ? e->data : NULL, e ? e->len : 0,
			 text);
}

/* ---- order, next, deletes ---- */

static bool is_ours(const struct planner *p, uint16_t number)
{
	for (size_t i = 0; i < p->n_all; i++)
		if (p->all[i].number == number)
			return p->all[i].taken;
	return false;
}

static bool in_list(const uint8_t *list, size_t len, uint16_t number)
{
	for (size_t i = 0; i + 2 <= len; i += 2)
		if (sw_le16(list + i) == number)
			return true;
	return false;
}

static int plan_order(struct planner *p, size_t n_wanted)
{
	_cleanup_free_ uint8_t *order = malloc(p->order_len + 2 * n_wanted + 2);
	char text[200];
	size_t len = 0, n;

	if (!order)
		return -ENOMEM;
	for (size_t i = 0; i < n_wanted; i++, len += 2)
		sw_put_le16(order + len, p->numbers[i]);
	for (size_t i = 0; i + 2 <= p->order_len; i += 2) {
		uint16_t number = sw_le16(p->order + i);

		if (is_ours(p, number) || in_list(order, len, number))
			continue;
		sw_put_le16(order + len, number);
		len += 2;
	}
	if (len == 0 || (len == p->order_len && memcmp(order, p->order, len) == 0))
		return 0;
	n = (size_t)snprintf(text, sizeof(text), "boot order:");
	for (size_t i = 0; i < len && n < sizeof(text) - 8; i += 2)
		n += (size_t)snprintf(text + n, sizeof(text) - n, " %04X", sw_le16(order + i));
	return add_write(p, SW_ENTRY_ORDER, "BootOrder", order, len, p->order, p->order_len, text);
}

static int plan_next(struct planner *p, int boot_next, const struct sw_entry_wanted *wanted)
{
	char text[200];
	uint8_t d[2];

	if (boot_next < 0)
		return 0;
	sw_put_le16(d, p->numbers[boot_next]);
	if (p->next_len == 2 && memcmp(p->next, d, 2) == 0)
		return 0;
	(void)snprintf(text, sizeof(text), "start \"%.60s\" once at the next boot",
		       wanted[boot_next].label);
	return add_write(p, SW_ENTRY_NEXT, "BootNext", d, 2, p->next, p->next_len, text);
}

static int plan_deletes(struct planner *p, size_t n_wanted)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < p->n_all; i++) {
		struct present *e = &p->all[i];
		bool keep = !e->taken;
		char name[16];

		for (size_t k = 0; k < n_wanted; k++)
			keep = keep || p->numbers[k] == e->number;
		if (keep)
			continue;
		(void)snprintf(name, sizeof(name), "Boot%04X", e->number);
		r = add_write(p, SW_ENTRY_DELETE, name, NULL, 0, e->data, e->len,
			      "remove a second entry for the same partition and file");
	}
	return r;
}

static int check_wanted(const struct sw_entry_wanted *w, size_t n, int boot_next)
{
	if (boot_next >= 0 && (size_t)boot_next >= n)
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i; k++)
			if (sw_guid_equal(&w[i].part_uuid, &w[k].part_uuid) &&
			    strcasecmp(w[i].path, w[k].path) == 0)
				return -EINVAL;
	return 0;
}

int sw_entries_plan(json_object *raw, const struct sw_entry_wanted *wanted, size_t n_wanted,
		    int boot_next, struct sw_entry_plan *ret_plan, struct sw_error *err)
{
	_cleanup_(planner_clear) struct planner p = {};
	int r = check_wanted(wanted, n_wanted, boot_next);

	if (r == 0)
		r = load(&p, raw);
	if (r == 0) {
		p.numbers = calloc(n_wanted + 1, sizeof(*p.numbers));
		r = p.numbers ? 0 : -ENOMEM;
	}
	for (size_t i = 0; r == 0 && i < n_wanted; i++)
		r = plan_entry(&p, &wanted[i], &p.numbers[i]);
	if (r == 0)
		r = plan_order(&p, n_wanted);
	if (r == 0)
		r = plan_next(&p, boot_next, wanted);
	if (r == 0)
		r = plan_deletes(&p, n_wanted);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot plan the boot entries");
	*ret_plan = p.plan;
	p.plan = (struct sw_entry_plan){};
	return 0;
}
