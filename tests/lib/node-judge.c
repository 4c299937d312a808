/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/node-judge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "boot/entries-private.h"
#include "boot/fat32.h"
#include "boot/node.h"
#include "boot/nodedata.h"

void node_judge_learn(struct node_judge *j, struct world *w)
{
	_cleanup_facts_ struct sw_facts *f = NULL;
	_cleanup_node_ struct sw_node n = {};

	assert_int_equal(sw_machine_facts(w->m, &f, NULL), 0);
	assert_int_equal(sw_node_find(w->m, f, NULL, &n, NULL), 0);
	assert_int_equal(n.n_slots, NODE_SLOTS);
	assert_non_null(n.data_part);
	for (int k = 0; k < NODE_SLOTS; k++) {
		j->part[k] = *n.slots[k].part;
		j->entry[k] = sw_node_entry(&n, (size_t)k);
		j->entry[k].label = k ? "Slipway B" : "Slipway A";
	}
	j->data = *n.data_part;
	free(j->disk);
	j->disk = world_image(w, 0);
}

void node_judge_clear(struct node_judge *j)
{
	free(j->disk);
	json_object_put(j->raw);
	*j = (struct node_judge){};
}

static enum node_slot_state slot_state(struct sw_io *io, const struct sw_part *p, char sha256[65])
{
	_cleanup_(sw_slot_manifest_clear) struct sw_slot_manifest m = {};
	_cleanup_fat_ struct sw_fat fat = {};
	bool ok = false;

	if (sw_fat_open(io, p->start, p->size, &fat) < 0)
		return NODE_UNREADABLE;	/* the firmware passes it over */
	if (sw_slot_read(io, p->start, p->size, &m, &ok, NULL) < 0 || !ok)
		return NODE_WRONG;
	memcpy(sha256, m.sha256, 65);
	return NODE_GOOD;
}

/* Variables change only where the tape has one. */
static void read_variables(struct tape_play *p, struct node_judge *j)
{
	struct sw_varstore *vars = NULL;
	unsigned int n = 1;

	for (size_t i = 0; i < p->at; i++)
		n += p->tape->ops[i].kind == TAPE_VAR;
	if (n == j->vars_seen)
		return;
	json_object_put(j->raw);
	j->raw = NULL;
	assert_int_equal(sw_machine_vars(p->m, &vars, NULL), 0);
	assert_int_equal(sw_entries_snapshot(vars, &j->raw, NULL), 0);
	j->vars_seen = n;
}

static int leads_to(const struct node_judge *j, const struct sw_varset *v, int number,
		    const enum node_slot_state st[NODE_SLOTS])
{
	const struct sw_varset_entry *e = number < 0 ? NULL : sw_varset_find(v, (uint16_t)number);

	for (int k = 0; e && k < NODE_SLOTS; k++)
		if (sw_entry_match(e->data, e->len, &j->entry[k]) != SW_ENTRY_FOREIGN)
			return st[k] == NODE_UNREADABLE ? -1 : k;
	return -1;
}

/* The slot that starts by BootNext or the order; a network entry is passed over. */
static int by_order(const struct node_judge *j, const enum node_slot_state st[NODE_SLOTS])
{
	_cleanup_varset_ struct sw_varset v = { .next = -1 };
	int slot;

	assert_int_equal(sw_varset_load(j->raw, &v), 0);
	slot = leads_to(j, &v, v.next, st);
	for (size_t i = 0; slot < 0 && i < v.n_order; i++)
		slot = leads_to(j, &v, v.order[i], st);
	return slot;
}

/*
 * All that fsck.vfat may find in a slot that we read are the reserved sectors but
 * the first, torn: so the first write of a promote may leave the old image, which
 * still starts. Nothing of that is what firmware needs (FSInfo is a hint).
 */
static void others_say(const char *disk, const struct sw_part *p, enum node_slot_state st,
		       const char *sha256)
{
	_cleanup_free_ char *script = sw_fmt(
		"p=$(mktemp); trap 'rm -f \"$p\"' EXIT; export MTOOLS_SKIP_CHECK=1\n"
		"dd if=\"$0\" of=\"$p\" bs=64K iflag=skip_bytes,count_bytes conv=sparse "
		"skip=%llu count=%llu status=none || exit 2\n"
		"if [ -z \"$1\" ]; then ! fsck.vfat -n \"$p\" >/dev/null 2>&1; exit; fi\n"
		"out=$(fsck.vfat -n \"$p\" 2>&1) || case $out in *[Bb]ackup*|*FSINFO*) ;; "
		"*) echo \"$out\" >&2; exit 3 ;; esac\n"
		"[ \"$(mtype -i \"$p\" ::/EFI/BOOT/BOOTX64.EFI | sha256sum)\" = \"$1  -\" ]",
		(unsigned long long)p->start, (unsigned long long)p->size);

	world_sh(script, disk, st == NODE_GOOD ? sha256 : "");
}

bool node_starts(struct node_judge *j, struct tape_play *p, struct node_starts *ret)
{
	struct node_starts s = { .fallback = -1 };
	_cleanup_json_ json_object *doc = NULL;
	uint64_t sequence;

	for (int k = 0; k < NODE_SLOTS; k++) {
		s.slot[k] = slot_state(p->disk[0], &j->part[k], s.sha256[k]);
		if (s.fallback < 0 && s.slot[k] != NODE_UNREADABLE)
			s.fallback = k;
	}
	read_variables(p, j);
	s.order = by_order(j, s.slot);
	*ret = s;
	return s.order >= 0 && s.fallback >= 0 && s.slot[s.order] == NODE_GOOD &&
	       s.slot[s.fallback] == NODE_GOOD &&
	       sw_nodedata_read(p->disk[0], j->data.start, j->data.size, &doc, &sequence,
				NULL) == 0;
}

void node_outside(const struct node_judge *j, const struct node_starts *st)
{
	for (int k = 0; k < NODE_SLOTS; k++)
		others_say(j->disk, &j->part[k], st->slot[k], st->sha256[k]);
}
