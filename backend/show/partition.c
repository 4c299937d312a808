/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "base/size.h"
#include "base/text.h"
#include "boot/bootlist.h"
#include "boot/nodedata.h"
#include "boot/slot.h"
#include "browse/browse.h"
#include "show/show.h"
#include "stack/stack.h"

static void line(struct sw_buf *b, const char *label, const char *text)
{
	if (text && *text)
		(void)sw_buf_addf(b, "%-13s %s\n", label, text);
}

static void add_place(const struct sw_part *p, struct sw_buf *b)
{
	char size[16], at[16], guid[SW_GUID_TEXT];

	(void)sw_buf_addf(b, "%-13s %u\n", "Partition", p->number);
	line(b, "Name", p->label);
	(void)sw_buf_addf(b, "%-13s %s (%" PRIu64 " bytes)\n", "Size",
			  sw_size_format(p->size, size, sizeof(size)), p->size);
	(void)sw_buf_addf(b, "%-13s %s (byte %" PRIu64 ")\n", "Begins at",
			  sw_size_format(p->start, at, sizeof(at)), p->start);
	if (!sw_guid_is_zero(&p->type))
		line(b, "Type", sw_guid_format(&p->type, guid));
	if (!sw_guid_is_zero(&p->uuid))
		line(b, "UUID", sw_guid_format(&p->uuid, guid));
	if (p->attrs)
		(void)sw_buf_addf(b, "%-13s %#" PRIx64 "\n", "Attributes", p->attrs);
	line(b, "Content", p->fs_type ? p->fs_type : "none that is known");
	line(b, "Its label", p->fs_label);
	line(b, "Its UUID", p->fs_uuid);
	line(b, "Part of", p->group);
}

/* ---- what slipway keeps there ---- */

static void add_slot(struct sw_io *io, const struct sw_part *p, struct sw_buf *b)
{
	struct sw_slot_manifest m = {};
	struct sw_error e = {};
	char when[SW_TIME_TEXT];
	bool good = false, blank = false;

	(void)sw_buf_adds(b, "\nA boot slot.\n");
	if (sw_slot_is_blank(io, p->start, &blank) == 0 && blank) {
		line(b, "State", "empty: no image was put there yet");
		return;
	}
	if (sw_slot_read(io, p->start, p->size, &m, &good, &e) < 0) {
		line(b, "State", "damaged");
		line(b, "Why", sw_error_reason(&e));
		return;
	}
	line(b, "State", good ? "good: the image has the hash of its manifest"
			      : "damaged: the image is not the one of its manifest");
	line(b, "Image", m.version ? m.version : m.build_id);
	line(b, "SHA-256", m.sha256);
	line(b, "From", m.source);
	line(b, "Put there by", m.reason);
	line(b, "On", sw_time_text(m.time, when));
	(void)sw_buf_addf(b, "%-13s %" PRIu64 "\n", "Sequence", m.sequence);
	line(b, "Overlay", m.overlay);
	sw_slot_manifest_clear(&m);
}

/* Values of others may be secret: of those only the names are shown. */
static void add_keys(const char *label, json_object *o, struct sw_buf *b)
{
	const char *comma = "";

	if (!o || !json_object_is_type(o, json_type_object) || !json_object_object_length(o))
		return;
	(void)sw_buf_addf(b, "%-13s ", label);
	json_object_object_foreach(o, key, value) {
		(void)value;
		(void)sw_buf_addf(b, "%s%s", comma, key);
		comma = ", ";
	}
	(void)sw_buf_adds(b, "\n");
}

static void add_node_data(struct sw_io *io, const struct sw_part *p, struct sw_buf *b)
{
	_cleanup_json_ json_object *data = NULL;
	struct sw_nodedata_copies copies = {};
	struct sw_error e = {};
	char when[SW_TIME_TEXT];
	uint64_t sequence = 0;

	(void)sw_buf_adds(b, "\nNode data, in two copies.\n");
	(void)sw_nodedata_look(io, p->start, p->size, &copies);
	(void)sw_buf_addf(b, "%-13s first %s, second %s\n", "Copies",
			  copies.valid[0] ? "good" : "damaged or never written",
			  copies.valid[1] ? "good" : "damaged or never written");
	if (sw_nodedata_read(io, p->start, p->size, &data, &sequence, &e) < 0) {
		line(b, "Why", sw_error_reason(&e));
		return;
	}
	(void)sw_buf_addf(b, "%-13s %" PRIu64 "\n", "Written", sequence);
	line(b, "Node", sw_json_str(data, "hostname", NULL));
	line(b, "Machine ID", sw_json_str(data, "machine_id", NULL));
	line(b, "Mode", sw_json_str(data, "mode", NULL));
	line(b, "Installed", sw_time_text(sw_json_int(data, "installed", 0), when));
	line(b, "SSH host key", sw_json_str(data, "ssh_host_key", NULL));
	add_keys("Values for", sw_json_get(data, "config"), b);
	add_keys("Secrets for", sw_json_get(data, "secrets"), b);
}

static void add_content(struct sw_machine *m, const struct sw_disk *d, const struct sw_part *p,
			struct sw_buf *b)
{
	_cleanup_io_ struct sw_io *io = NULL;
	struct sw_error e = {};

	if (sw_machine_open_disk(m, d, false, false, &io, &e) < 0) {
		line(b, "Cannot read", sw_error_reason(&e));
		return;
	}
	if (sw_part_is_slot(p) || (p->label && strcmp(p->label, SW_RESCUE_LABEL) == 0))
		add_slot(io, p, b);
	else if (sw_part_is_node_data(p))
		add_node_data(io, p, b);
}

/* ---- what has to be put together first ---- */

static void add_stack(const struct sw_facts *f, const char *disk, unsigned int number,
		      struct sw_buf *b)
{
	struct sw_stack s;

	if (sw_stack_find(f, disk, number, &s, NULL) < 0)
		return;
	if (s.kind == SW_STACK_LUKS) {
		(void)sw_buf_adds(b, "\nEncrypted and locked. Enter asks for its key and opens it "
				     "to look inside;\nnothing is written.\n");
		return;
	}
	(void)sw_buf_addf(b, "\nA member of the %s \"%s\", of which these are here:",
			  s.kind == SW_STACK_MD ? "array" : "volume group", s.name);
	for (size_t i = 0; i < s.n; i++) {
		(void)sw_buf_addf(b, "%s %s", i ? "," : "", s.members[i].disk->name);
		if (s.members[i].number)
			(void)sw_buf_addf(b, " partition %u", s.members[i].number);
	}
	(void)sw_buf_adds(b, ".\nEnter puts them together to look inside; nothing is written or "
			     "rebuilt.\n");
}

/* A disk without a table, or what was opened. */
static void add_whole(const struct sw_disk *d, struct sw_buf *b)
{
	char size[16];

	line(b, "Disk", d->name);
	line(b, "Name", d->model);
	(void)sw_buf_addf(b, "%-13s %s (%" PRIu64 " bytes)\n", "Size",
			  sw_size_format(d->size, size, sizeof(size)), d->size);
	for (char **g = d->signatures; g && *g; g++)
		line(b, "Content", *g);
	line(b, "Part of", d->table.group);
}

int sw_show_partition(struct sw_machine *m, const struct sw_facts *f, const char *disk,
		      unsigned int number, struct sw_buf *out, struct sw_error *err)
{
	const struct sw_disk *d = sw_facts_disk(f, disk);
	const struct sw_part *p = d && number ? sw_table_part(&d->table, number) : NULL;
	_cleanup_volume_ struct sw_volume v = {};
	struct sw_error e = {};

	if (!d || (number && !p)) {
		sw_fail(err, SW_EXIT_MISSING, -ENOENT, "there is no such partition any more");
		sw_error_where(err, "%s, partition %u", disk, number);
		return -ENOENT;
	}
	if (!p) {
		add_whole(d, out);
		add_stack(f, disk, 0, out);
		return 0;
	}
	line(out, "Disk", d->name);
	add_place(p, out);
	add_content(m, d, p, out);
	add_stack(f, disk, number, out);
	if (sw_volume_find(m, f, disk, number, &v, &e) < 0)
		(void)sw_buf_addf(out, "\nIts files: %s.\n", sw_error_reason(&e));
	return 0;
}
