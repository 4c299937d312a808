/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "boot/lastfail.h"
#include "boot/why.h"
#include "rescue/private.h"

/* Several nodes, or one that cannot be read: said, and the rest is looked at all the same. */
static int no_node(struct sw_examine *x, const struct sw_error *e)
{
	struct sw_finding *fi;

	if (e->r == -ENOENT)
		return sw_examine_no_node(x, NULL);
	fi = sw_finding_add(x, NULL, "node", e->r == -ENOTUNIQ ? SW_FINDING_INFO : SW_FINDING_ERROR,
			    SW_SURE_CERTAIN);
	if (!fi)
		return -ENOMEM;
	(void)snprintf(fi->what, sizeof(fi->what), "%.150s", e->what);
	(void)snprintf(fi->evidence, sizeof(fi->evidence), "%.100s%s%.200s", e->where,
		       e->where[0] ? ": " : "", e->why);
	(void)snprintf(fi->effect, sizeof(fi->effect),
		       "slots, node data and boot entries were not looked at");
	(void)snprintf(fi->advice, sizeof(fi->advice), "%.200s", e->hint);
	return 0;
}

static bool from_medium(const struct sw_facts *f)
{
	for (size_t i = 0; i < f->n_disks; i++)
		if (f->disks[i].medium)
			return true;
	return false;
}

/* What a person wants to know first: which node, its mode, its image, what comes next. */
static int summary(struct sw_examine *x, const struct sw_switch *s)
{
	_cleanup_why_ struct sw_why w = {};
	json_object *lines;

	if (!s->have_node)
		return 0;
	if (sw_why_make(s, NULL, x->f->time, &w) < 0)
		return -ENOMEM;
	lines = json_object_new_array();
	/* How the medium itself came to run, and the evidence for that, is not asked here. */
	for (size_t i = from_medium(x->f) ? 2 : 0; i < w.n_lines; i++)
		json_object_array_add(lines, json_object_new_string(w.lines[i]));
	sw_json_add(w.json, "text", lines);
	sw_json_add_str(w.json, "disk", s->node.disk->name);
	sw_json_add_str(w.json, "hostname", sw_json_str(s->node.data, "hostname", NULL));
	x->out->node = json_object_get(w.json);
	return 0;
}

/* The other disks of a mirrored node where no switch has read them: without boot variables. */
static int read_copies(struct sw_examine *x, struct sw_switch *s)
{
	const struct sw_node *n = &s->node;
	int r = 0;

	if (s->vars || n->n_copies == 0)
		return 0;
	s->copies = calloc(n->n_copies, sizeof(*s->copies));
	if (!s->copies)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < n->n_copies; i++) {
		struct sw_error e = {};

		r = sw_node_find(x->m, x->f, n->copies[i]->name, &s->copies[s->n_copies], &e);
		if (r == 0)
			s->n_copies++;
		else
			r = no_node(x, &e);
	}
	return r;
}

/* The same slots and data once for each disk; what is damaged on one may be whole on another. */
static int examine_disks(struct sw_examine *x, const struct sw_switch *s)
{
	int r = 0;

	x->nodes[x->n_nodes++] = &s->node;
	for (size_t i = 0; i < s->n_copies && x->n_nodes < ARRAY_SIZE(x->nodes); i++)
		x->nodes[x->n_nodes++] = &s->copies[i];
	for (size_t i = 0; r == 0 && i < x->n_nodes; i++)
		r = sw_examine_node(x, x->nodes[i], i ? x->nodes[i]->disk->name : NULL);
	return r;
}

static int examine_known(struct sw_examine *x, const struct sw_switch *s)
{
	int r = 0;

	if (s->have_node)
		r = examine_disks(x, s);
	if (r == 0 && s->have_node)
		r = sw_examine_needs(x, &s->node);
	if (r == 0 && s->have_node)
		r = sw_examine_tpm(x, s);
	if (r == 0 && s->have_node)
		r = sw_examine_seals(x, s);
	if (r == 0 && s->have_node)
		r = sw_examine_admission(x, s);
	if (r == 0)
		r = summary(x, s);
	return r < 0 || !s->vars ? r : sw_examine_boot(x, s);
}

static int examine_node(struct sw_examine *x)
{
	_cleanup_switch_ struct sw_switch s = { .m = x->m, .f = x->f };
	struct sw_error e = {};
	int r;

	if (x->known)
		return examine_known(x, x->known);
	if (!x->vars || !x->raw) {
		r = sw_node_find(x->m, x->f, x->disk, &s.node, &e);
		s.have_node = r == 0;
	} else {
		r = sw_switch_open(x->m, x->f, x->vars, x->raw, x->disk, &s, &e);
	}
	if (r < 0)
		return no_node(x, &e);
	r = s.have_node ? read_copies(x, &s) : 0;
	return r < 0 ? r : examine_known(x, &s);
}

/* The next install tells of it and takes it away, and so it is of now. */
static int examine_failure(struct sw_examine *x)
{
	char when[SW_TIME_TEXT];
	struct sw_finding *fi;
	struct sw_lastfail f;

	if (!x->vars || sw_lastfail_read(x->vars, &f) < 0)
		return 0;
	fi = sw_finding_add(x, NULL, "last-failure", SW_FINDING_INFO, SW_SURE_CERTAIN);
	if (!fi)
		return -ENOMEM;
	(void)snprintf(fi->what, sizeof(fi->what), "an install has failed, code %s", f.code);
	(void)snprintf(fi->evidence, sizeof(fi->evidence), "recorded %s: %.230s",
		       sw_time_text(f.time, when), f.text);
	(void)snprintf(fi->effect, sizeof(fi->effect),
		       "step %u of %u was the last; slipway status says what is there now", f.step,
		       f.steps);
	(void)snprintf(fi->advice, sizeof(fi->advice),
		       "slipway(8) says what the code means; the next install takes the note away");
	return 0;
}

int sw_rescue_examine(struct sw_machine *m, const struct sw_facts *f, struct sw_varstore *vars,
		      json_object *raw, const char *disk, const struct sw_switch *known,
		      const struct sw_rescue_inside *inside, struct sw_findings *ret_findings,
		      struct sw_error *err)
{
	_cleanup_findings_ struct sw_findings l = {};
	struct sw_examine x = { .m = m, .f = f, .vars = vars, .raw = raw, .disk = disk,
				.known = known, .inside = inside, .out = &l, .err = err };
	int r = 0;

	for (size_t i = 0; r == 0 && i < f->n_disks; i++)
		r = sw_examine_table(&x, &f->disks[i]);
	for (size_t i = 0; r == 0 && i < f->n_disks; i++)
		r = sw_examine_parts(&x, &f->disks[i]);
	for (size_t i = 0; r == 0 && i < f->n_disks; i++)
		r = sw_examine_clash(&x, &f->disks[i]);
	if (r == 0)
		r = examine_node(&x);
	if (r == 0)
		r = sw_examine_machine(&x);
	if (r == 0)
		r = sw_examine_admitted(&x);
	if (r == 0)
		r = examine_failure(&x);
	if (r == 0)
		r = sw_examine_memtest(&x);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "the machine cannot be examined");
	sw_findings_sort(&l);
	*ret_findings = l;
	l = (struct sw_findings){};
	return 0;
}
