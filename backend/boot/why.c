/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/why.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/json.h"
#include "boot/promote.h"

const char *sw_road_name(enum sw_road r)
{
	static const char *const names[] = { "unknown", "slot", "network", "other" };

	return names[r];
}

static void SW_PRINTF(2, 3) add(struct sw_why *w, const char *fmt, ...)
{
	va_list ap;

	if (w->n_lines == SW_WHY_LINES)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(w->lines[w->n_lines++], sizeof(w->lines[0]), fmt, ap);
	va_end(ap);
}

static char letter(const struct sw_switch *s, size_t slot)
{
	return (char)(s->node.slots[slot].letter - 'a' + 'A');
}

/* The value of the last node.src= on the line; false: there is none. */
static bool source_word(const char *cmdline, char word[static 16])
{
	bool found = false;

	for (const char *p = cmdline; p && *p; p += strcspn(p, " \t\n")) {
		p += strspn(p, " \t\n");
		if (strncmp(p, "node.src=", 9) != 0)
			continue;
		(void)snprintf(word, 16, "%.*s", (int)strcspn(p + 9, " \t\n"), p + 9);
		found = true;
	}
	return found;
}

/* What the command line claims, held against what the firmware and the stub say. */
static enum sw_road weigh(const struct sw_switch *s, const char *word, size_t *slot,
			  char why[static 240])
{
	enum sw_road claimed = strcmp(word, "network") == 0 ? SW_ROAD_NETWORK : SW_ROAD_UNKNOWN;
	size_t at = 0;

	for (size_t i = 0; i < s->node.n_slots; i++)
		if (word[0] == s->node.slots[i].letter && !word[1]) {
			claimed = SW_ROAD_SLOT;
			at = i;
		}
	if (claimed == SW_ROAD_UNKNOWN) {
		(void)snprintf(why, 240, "%.120s; node.src=%s says nothing", s->why, word);
		return s->road;
	}
	if (s->road == SW_ROAD_UNKNOWN) {
		*slot = at;
		(void)snprintf(why, 240, "node.src=%s on the kernel command line; %.120s", word,
			       s->why);
		return claimed;
	}
	if (s->road == claimed && (claimed != SW_ROAD_SLOT || s->road_slot == at)) {
		(void)snprintf(why, 240, "%.120s, and node.src=%s agrees", s->why, word);
		return claimed;
	}
	(void)snprintf(why, 240, "%.120s, but the kernel command line says node.src=%s", s->why,
		       word);
	return SW_ROAD_UNKNOWN;
}

static void say_road(struct sw_why *w, const struct sw_switch *s, const char *cmdline)
{
	char word[16], why[240];
	size_t slot = s->road_slot;
	char name[2] = {};

	(void)snprintf(why, sizeof(why), "%s", s->why);
	w->road = source_word(cmdline, word) ? weigh(s, word, &slot, why) : s->road;
	if (w->road == SW_ROAD_SLOT)
		add(w, "This system was started from slot %c on %s.", letter(s, slot),
		    s->node.disk->name);
	else if (w->road == SW_ROAD_NETWORK)
		add(w, "This system was started over the network.");
	else if (w->road == SW_ROAD_OTHER)
		add(w, "This system was started from somewhere else, not from a slot of the node.");
	else
		add(w, "It is unknown how this system was started.");
	add(w, "Evidence: %s.", why);
	sw_json_add_str(w->json, "road", sw_road_name(w->road));
	sw_json_add_str(w->json, "evidence", why);
	if (w->road == SW_ROAD_SLOT) {
		name[0] = s->node.slots[slot].letter;
		sw_json_add_str(w->json, "slot", name);
	}
}

static void say_mode(struct sw_why *w, const struct sw_switch *s)
{
	bool net = s->wish.mode == SW_NODE_NETWORK;

	add(w, "The mode is %s%s%s.", sw_node_mode_name(s->wish.mode), net ? ", strategy " : "",
	    net ? sw_strategy_name(s->wish.strategy) : "");
	sw_json_add_str(w->json, "mode", sw_node_mode_name(s->wish.mode));
	if (net)
		sw_json_add_str(w->json, "strategy", sw_strategy_name(s->wish.strategy));
}

static void add_tried(struct sw_why *w, json_object *list, const char *text)
{
	if (sw_json_array_has(list, text))
		return;
	add(w, "Before this: %s.", text);
	json_object_array_add(list, json_object_new_string(text));
}

/* What was tried before this: what the switch remembers and how it came out. */
static void say_tried(struct sw_why *w, const struct sw_switch *s)
{
	_cleanup_(sw_mode_result_clear) struct sw_mode_result res = { .network = -1 };
	json_object *list = json_object_new_array();
	struct sw_error e = {};

	sw_json_add(w->json, "tried", list);
	if (!s->have_state) {
		add(w, "Nothing is remembered of earlier starts.");
		return;
	}
	if (sw_switch_plan(s, &s->wish, &res, &e) < 0) {
		add(w, "Problem: %s.", e.what);
		json_object_array_add(list, json_object_new_string(e.what));
	}
	for (size_t i = 0; i < s->n_tried; i++)
		add_tried(w, list, s->tried[i]);
	/* A single start that is still to come was not tried. */
	for (size_t i = 0; i < res.n_notes && !(s->ev.same_boot && s->state.once); i++)
		add_tried(w, list, res.notes[i]);
	if (s->state.next_misses)
		add(w, "The firmware lost BootNext %u time%s in a row.", s->state.next_misses,
		    s->state.next_misses == 1 ? "" : "s");
}

static void age_text(int64_t age, char text[static 32])
{
	if (age < 0)
		(void)snprintf(text, 32, "from the future");
	else if (age < 7200)
		(void)snprintf(text, 32, "%" PRId64 " minute%s old", age / 60,
			       age / 60 == 1 ? "" : "s");
	else if (age < 2 * 86400)
		(void)snprintf(text, 32, "%" PRId64 " hours old", age / 3600);
	else
		(void)snprintf(text, 32, "%" PRId64 " days old", age / 86400);
}

static void say_lkg(struct sw_why *w, const struct sw_switch *s, int64_t now)
{
	int best = s->have_node ? sw_node_best_slot(&s->node) : -1;
	const struct sw_slot_manifest *m;
	json_object *o;
	char name[2] = {}, age[32];

	if (best < 0) {
		add(w, "There is no last known good image: no slot is good.");
		return;
	}
	m = &s->node.slots[best].m;
	name[0] = s->node.slots[best].letter;
	age_text(now - m->time, age);
	add(w, "The last known good image is in slot %c: %s, sequence %" PRIu64 ", from %.100s.",
	    letter(s, (size_t)best), age, m->sequence, m->source ? m->source : "-");
	o = json_object_new_object();
	sw_json_add_str(o, "slot", name);
	sw_json_add_u64(o, "sequence", m->sequence);
	sw_json_add_str(o, "source", m->source);
	sw_json_add_str(o, "version", m->version);
	json_object_object_add(o, "time", json_object_new_int64(m->time));
	json_object_object_add(o, "age", json_object_new_int64(now - m->time));
	sw_json_add(w->json, "last_known_good", o);
}

/* The first entry of the order that the firmware can try; entries alone are counted. */
static int first_in_order(const struct sw_varset *set)
{
	for (size_t i = 0; i < set->n_order; i++)
		if (sw_varset_find(set, set->order[i]))
			return set->order[i];
	return -1;
}

static void say_next(struct sw_why *w, const struct sw_switch *s)
{
	_cleanup_varset_ struct sw_varset set = { .next = -1 };
	char name[64], then[64];
	json_object *o;
	int first;

	if (!s->raw || sw_varset_load(s->raw, &set) < 0)
		return;
	first = first_in_order(&set);
	o = json_object_new_object();
	if (first >= 0)
		sw_json_add_u64(o, "first", (uint64_t)first);
	if (set.next >= 0)
		sw_json_add_u64(o, "once", (uint64_t)set.next);
	sw_json_add(w->json, "next", o);
	if (first >= 0)
		(void)sw_varset_name(&set, (uint16_t)first, then);
	if (set.next >= 0)
		add(w, "Next: %s once; when that fails, %s.",
		    sw_varset_name(&set, (uint16_t)set.next, name),
		    first >= 0 ? then : "what the firmware finds");
	else if (first >= 0)
		add(w, "Next: %s.", then);
	else
		add(w, "Next: what the firmware finds by itself; there is no boot order.");
}

/* A node on several disks: what is on one and not on the other. */
static void say_copies(struct sw_why *w, const struct sw_switch *s)
{
	_cleanup_free_ char *differ = sw_switch_differences(s);
	char *rest = NULL;
	json_object *list = json_object_new_array();

	for (char *line = differ ? strtok_r(differ, "\n", &rest) : NULL; line;
	     line = strtok_r(NULL, "\n", &rest)) {
		json_object_array_add(list, json_object_new_string(line));
		add(w, "The node's disks differ: %s.", line);
	}
	if (s->n_copies)
		sw_json_add(w->json, "differences", list);
	else
		json_object_put(list);
}

int sw_why_make(const struct sw_switch *s, const char *cmdline, int64_t now,
		struct sw_why *ret_why)
{
	struct sw_why w = { .json = json_object_new_object() };

	if (!w.json)
		return -ENOMEM;
	say_road(&w, s, cmdline);
	if (s->have_node) {
		say_mode(&w, s);
		say_tried(&w, s);
	}
	say_lkg(&w, s, now);
	say_copies(&w, s);
	say_next(&w, s);
	*ret_why = w;
	return 0;
}

void sw_why_clear(struct sw_why *w)
{
	if (w->json)
		json_object_put(w->json);
	*w = (struct sw_why){};
}
