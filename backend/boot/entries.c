/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading boot entries: the raw snapshot that plans are computed from and bound
 * to, and the decoded list that people see. Odd content (other spellings of
 * names, options that do not parse) is shown and never touched.
 */
#include "boot/entries.h"

#include <string.h>

#include "base/hash.h"
#include "base/hex.h"
#include "base/json.h"
#include "boot/ipxe.h"
#include "boot/entries-private.h"
#include "machine/machine.h"

/* EDK2 marks the entries that it makes and deletes by itself with this GUID as optional data. */
static const uint8_t edk2_mark[16] = { 0x4e, 0xac, 0x08, 0x81, 0x11, 0x9f, 0x59, 0x4d,
				       0x85, 0x0e, 0xe2, 0x1a, 0x52, 0x2c, 0x59, 0xb2 };
/* AMI ends its optional data with this. */
static const uint8_t ami_mark[4] = { 0x00, 0x00, 0x42, 0x4f };

int sw_entry_number(const char *name)
{
	int n = 0;

	if (strncmp(name, "Boot", 4) != 0 || strlen(name) != 8)
		return -1;
	for (const char *p = name + 4; *p; p++) {
		if (*p >= '0' && *p <= '9')
			n = n << 4 | (*p - '0');
		else if (*p >= 'A' && *p <= 'F')
			n = n << 4 | (*p - 'A' + 10);
		else
			return -1;
	}
	return n;
}

bool sw_entry_is_firmware_made(const struct sw_loadopt *o)
{
	if (o->optional_len == sizeof(edk2_mark) &&
	    memcmp(o->optional, edk2_mark, sizeof(edk2_mark)) == 0)
		return true;
	return o->optional_len >= sizeof(ami_mark) &&
	       memcmp(o->optional + o->optional_len - sizeof(ami_mark), ami_mark,
		      sizeof(ami_mark)) == 0;
}

static bool is_network(const struct sw_loadopt *o)
{
	return sw_devpath_has(o->path, o->path_len, SW_DP_MESSAGING, SW_DP_MSG_MAC) ||
	       sw_devpath_has(o->path, o->path_len, SW_DP_MESSAGING, SW_DP_MSG_URI);
}

/* Without the wanted partitions at hand, label and path together say whose it is. */
static bool looks_ours(const struct sw_loadopt *o)
{
	_cleanup_free_ char *path = NULL;
	struct sw_devpath_hd hd;

	return strncmp(o->label, "Slipway ", 8) == 0 &&
	       sw_devpath_find_file(o->path, o->path_len, &hd, &path) == 0 &&
	       (strcasecmp(path, "\\EFI\\BOOT\\BOOTX64.EFI") == 0 ||
		strcasecmp(path, SW_IPXE_PATH) == 0);
}

static const char *owner(const struct sw_loadopt *o)
{
	if (looks_ours(o))
		return "ours";
	if (is_network(o))
		return "network";
	if (sw_entry_is_firmware_made(o) ||
	    sw_devpath_has(o->path, o->path_len, SW_DP_MEDIA, SW_DP_MEDIA_FV_FILE))
		return "firmware";
	return "foreign";
}

/* ---- snapshot ---- */

struct snapshot {
	struct sw_varstore *s;
	json_object *raw;
};

static int add_variable(const struct sw_guid *guid, const char *name, void *userdata)
{
	struct snapshot *sn = userdata;
	_cleanup_free_ uint8_t *data = NULL;
	_cleanup_free_ char *hex = NULL;
	uint32_t attrs;
	size_t n;
	int r;

	if (!sw_guid_equal(guid, &sw_guid_global))
		return 0;
	if (sw_entry_number(name) < 0 && strcmp(name, "BootOrder") != 0 &&
	    strcmp(name, "BootNext") != 0)
		return 0;
	r = sw_var_get(sn->s, guid, name, &data, &n, &attrs);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	hex = sw_hex_encode(data, n);
	if (!hex)
		return -ENOMEM;
	sw_json_add_str(sn->raw, name, hex);
	return 0;
}

int sw_entries_snapshot(struct sw_varstore *s, json_object **ret_raw, struct sw_error *err)
{
	_cleanup_json_ json_object *raw = json_object_new_object();
	struct snapshot sn = { .s = s, .raw = raw };
	int r = raw ? sw_var_list(s, add_variable, &sn) : -ENOMEM;

	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot read the boot variables");
	*ret_raw = TAKE_PTR(raw);
	return 0;
}

int sw_entries_of_machine(struct sw_machine *m, const struct sw_facts *f, json_object **ret_raw,
			  struct sw_error *err)
{
	struct sw_varstore *store = NULL;
	int r = f->boot.supported ? sw_machine_vars(m, &store, err) : 0;

	return r < 0 || !store ? r : sw_entries_snapshot(store, ret_raw, err);
}

static int by_key(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Over sorted "name=hex" lines, so that the order of a listing does not matter. */
int sw_entries_digest(json_object *raw, char ret_hex[static 65])
{
	size_t n = (size_t)json_object_object_length(raw), i = 0;
	_cleanup_free_ const char **keys = calloc(n + 1, sizeof(*keys));
	_cleanup_hash_ struct sw_hash *h = sw_hash_new();
	int r = 0;

	if (!keys || !h)
		return -ENOMEM;
	json_object_object_foreach(raw, key, value) {
		(void)value;
		keys[i++] = key;
	}
	if (n > 1)
		qsort(keys, n, sizeof(*keys), by_key);
	for (i = 0; r == 0 && i < n; i++) {
		const char *v = sw_json_str(raw, keys[i], "");

		r = sw_hash_update(h, keys[i], strlen(keys[i]));
		if (r == 0)
			r = sw_hash_update(h, "=", 1);
		if (r == 0)
			r = sw_hash_update(h, v, strlen(v));
		if (r == 0)
			r = sw_hash_update(h, "\n", 1);
	}
	return r < 0 ? r : sw_hash_final(h, ret_hex);
}

/* ---- the decoded list ---- */

static int decode_entry(struct sw_bootvar *e, const char *hex)
{
	_cleanup_loadopt_ struct sw_loadopt o = {};
	_cleanup_free_ uint8_t *data = NULL;
	size_t n;
	int r = sw_hex_decode(hex, &data, &n);

	if (r < 0)
		return r;
	if (sw_loadopt_parse(data, n, &o) < 0) {
		e->label = strdup("(unreadable)");
		e->path = strdup("");
		e->owner = strdup("foreign");
	} else {
		e->attrs = o.attrs;
		e->label = strdup(o.label);
		e->owner = strdup(owner(&o));
		r = sw_devpath_text(o.path, o.path_len, &e->path);
	}
	return r == 0 && (!e->label || !e->path || !e->owner) ? -ENOMEM : r;
}

static int decode_order(struct sw_bootvars *b, const char *hex)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t n;
	int r = sw_hex_decode(hex, &data, &n);

	if (r < 0)
		return r;
	b->order = calloc(n / 2 + 1, sizeof(*b->order));
	if (!b->order)
		return -ENOMEM;
	for (b->n_order = 0; b->n_order < n / 2; b->n_order++)
		b->order[b->n_order] = sw_le16(data + 2 * b->n_order);
	return 0;
}

static int read_number(struct sw_varstore *s, const char *name)
{
	_cleanup_free_ uint8_t *data = NULL;
	uint32_t attrs;
	size_t n;

	if (sw_var_get(s, &sw_guid_global, name, &data, &n, &attrs) < 0 || n != 2)
		return -1;
	return sw_le16(data);
}

static int by_number(const void *a, const void *b)
{
	const struct sw_bootvar *x = a, *y = b;

	return (int)x->number - (int)y->number;
}

static int decode(struct sw_bootvars *b, json_object *raw)
{
	int r = 0;

	b->entries = calloc((size_t)json_object_object_length(raw) + 1, sizeof(*b->entries));
	if (!b->entries)
		return -ENOMEM;
	json_object_object_foreach(raw, key, value) {
		int number = sw_entry_number(key);

		if (r < 0)
			break;
		if (number >= 0) {
			struct sw_bootvar *e = &b->entries[b->n_entries++];

			e->number = (uint16_t)number;
			r = decode_entry(e, json_object_get_string(value));
		} else if (strcmp(key, "BootOrder") == 0) {
			r = decode_order(b, json_object_get_string(value));
		}
	}
	if (b->n_entries > 1)
		qsort(b->entries, b->n_entries, sizeof(*b->entries), by_number);
	return r < 0 ? r : sw_entries_digest(raw, b->digest);
}

int sw_entries_read(struct sw_varstore *s, struct sw_bootvars *ret_boot, struct sw_error *err)
{
	struct sw_bootvars b = { .supported = true, .writable = s->writable };
	_cleanup_json_ json_object *raw = NULL;
	int r = sw_entries_snapshot(s, &raw, err);

	if (r < 0)
		return r;
	b.current = read_number(s, "BootCurrent");
	b.next = read_number(s, "BootNext");
	r = decode(&b, raw);
	if (r < 0) {
		sw_bootvars_clear(&b);
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot decode the boot variables");
	}
	*ret_boot = b;
	return 0;
}

void sw_bootvars_clear(struct sw_bootvars *b)
{
	for (size_t i = 0; i < b->n_entries; i++) {
		free(b->entries[i].label);
		free(b->entries[i].path);
		free(b->entries[i].owner);
	}
	free(b->entries);
	free(b->order);
	*b = (struct sw_bootvars){ .current = -1, .next = -1 };
}
