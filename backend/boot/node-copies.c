/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A node on two disks (layout "mirror"): which of its copies counts, and node data
 * that stays the same on all of them.
 */
#include <string.h>

#include "base/json.h"
#include "boot/node-private.h"
#include "boot/nodedata.h"
#include "boot/nodevar.h"
#include "boot/utf16.h"

/* The seed of the install that a disk's node data names; false when it cannot be read. */
static bool read_seed(struct sw_machine *m, const struct sw_disk *d, char seed[static SW_GUID_TEXT],
		      uint64_t *ret_sequence)
{
	const struct sw_part *p = sw_disk_node_data(d);
	_cleanup_json_ json_object *data = NULL;
	_cleanup_io_ struct sw_io *io = NULL;
	struct sw_error ignored = {};

	if (!p || sw_machine_open_disk(m, d, false, false, &io, &ignored) < 0 ||
	    sw_nodedata_read(io, p->start, p->size, &data, ret_sequence, &ignored) < 0)
		return false;
	(void)snprintf(seed, SW_GUID_TEXT, "%s", sw_json_str(data, "seed", ""));
	return seed[0] != '\0';
}

/* The partition that the boot stub came from, as systemd's stub says. */
static bool started_from(struct sw_machine *m, struct sw_guid *ret_guid)
{
	struct sw_varstore *vars = NULL;
	struct sw_error ignored = {};
	_cleanup_free_ uint8_t *data = NULL;
	_cleanup_free_ char *text = NULL;
	uint32_t attrs;
	size_t n;

	if (sw_machine_vars(m, &vars, &ignored) < 0 ||
	    sw_var_get(vars, &sw_guid_loader, "LoaderDevicePartUUID", &data, &n, &attrs) < 0)
		return false;
	text = sw_utf16_to_utf8(data, n);
	return text && sw_guid_parse(text, ret_guid) == 0;
}

static bool holds(const struct sw_disk *d, const struct sw_guid *uuid)
{
	for (size_t i = 0; i < d->table.n_parts; i++)
		if (sw_guid_equal(&d->table.parts[i].uuid, uuid))
			return true;
	return false;
}

static int refuse_two(const struct sw_disk *a, const struct sw_disk *b, struct sw_error *err)
{
	sw_fail(err, SW_EXIT_REFUSED, -ENOTUNIQ, "more than one disk holds a node");
	sw_error_why(err, "%s and %s", a->name, b->name);
	sw_error_hint(err, "say which with --disk NAME");
	return -ENOTUNIQ;
}

/*
 * Copies of one install carry its seed. Of these counts the one that runs, else
 * the one with the newest node data, else the first.
 */
static int pick_copy(struct sw_machine *m, const struct sw_disk **c, size_t n, size_t *ret_at,
		     struct sw_error *err)
{
	char first[SW_GUID_TEXT] = "", seed[SW_GUID_TEXT];
	uint64_t best = 0, sequence = 0;
	struct sw_guid started;
	bool known = started_from(m, &started);

	*ret_at = 0;
	for (size_t i = 0; i < n; i++) {
		if (!read_seed(m, c[i], i ? seed : first, &sequence) ||
		    (i > 0 && strcmp(seed, first) != 0))
			return refuse_two(c[0], c[i ? i : 1], err);
		if (sequence > best)
			*ret_at = i;
		best = sequence > best ? sequence : best;
	}
	for (size_t i = 0; known && i < n; i++)
		if (holds(c[i], &started))
			*ret_at = i;
	return 0;
}

int sw_node_pick_disk(struct sw_machine *m, const struct sw_facts *f, const char *name,
		      struct sw_node *n, struct sw_error *err)
{
	const struct sw_disk *c[SW_NODE_COPIES + 1];
	size_t count = 0, at = 0;
	int r = 0;

	for (size_t i = 0; i < f->n_disks && count <= SW_NODE_COPIES; i++)
		if (sw_disk_slot(&f->disks[i]) && (!name || strcmp(name, f->disks[i].name) == 0))
			c[count++] = &f->disks[i];
	if (count == 0) {
		sw_fail(err, SW_EXIT_MISSING, -ENOENT, "there is no node%s%s", name ? " on " : "",
			name ? name : " on this machine");
		sw_error_why(err, "no disk has a partition slipway-a");
		return -ENOENT;
	}
	if (count > SW_NODE_COPIES)
		return refuse_two(c[0], c[1], err);
	if (count > 1)
		r = pick_copy(m, c, count, &at, err);
	if (r < 0)
		return r;
	n->disk = c[at];
	for (size_t i = 0; i < count; i++)
		if (i != at)
			n->copies[n->n_copies++] = c[i];
	return 0;
}

static int write_data(struct sw_machine *m, const struct sw_disk *d, json_object *data,
		      struct sw_error *err)
{
	const struct sw_part *p = sw_disk_node_data(d);
	_cleanup_io_ struct sw_io *io = NULL;
	int r;

	if (!p) {
		sw_fail(err, SW_EXIT_MISSING, -ENOENT, "the disk has no node data");
		sw_error_why(err, "there is no partition slipway-node on %s", d->name);
		return -ENOENT;
	}
	r = sw_machine_open_disk(m, d, true, true, &io, err);
	return r < 0 ? r : sw_nodedata_write(io, p->start, p->size, data, false, err);
}

int sw_node_read_variable(struct sw_machine *m, struct sw_node *n)
{
	struct sw_varstore *vars = NULL;
	int r = sw_machine_vars(m, &vars, NULL);

	return r < 0 ? -ENOENT : sw_nodevar_read(vars, &n->data);
}

static int write_variable(struct sw_machine *m, json_object *data, struct sw_error *err)
{
	struct sw_varstore *vars = NULL;
	int r = sw_machine_vars(m, &vars, err);

	return r < 0 ? r : sw_nodevar_write(vars, data, err);
}

int sw_node_write_data(struct sw_machine *m, const struct sw_node *n, struct sw_error *err)
{
	int r = n->disk ? write_data(m, n->disk, n->data, err)
			: write_variable(m, n->data, err);

	for (size_t i = 0; i < n->n_copies && r == 0; i++)
		r = write_data(m, n->copies[i], n->data, err);
	return r;
}
