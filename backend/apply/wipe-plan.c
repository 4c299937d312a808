/* SPDX-License-Identifier: Apache-2.0 */
/* What a wipe would do to a disk: found by reading, told before anything is written. */
#include <string.h>

#include "apply/wipe.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/size.h"
#include "disk/disk.h"
#include "disk/select.h"
#include "plan/plan.h"

#define ZONE_HEADER 4096

struct sw_wipe_plan *sw_wipe_plan_free(struct sw_wipe_plan *p)
{
	if (!p)
		return NULL;
	free(p->name);
	free(p->node);
	free(p->serial);
	free(p->wwn);
	free(p->model);
	free(p->content);
	free(p->confirm);
	free(p->report);
	sw_regions_clear(&p->regions);
	free(p);
	return NULL;
}

static int copy_text(const char *from, char **to)
{
	*to = from ? strdup(from) : NULL;
	return from && !*to ? -ENOMEM : 0;
}

static int identify(struct sw_wipe_plan *p, const struct sw_facts *f, const struct sw_disk *d,
		    const struct sw_wipe_options *o)
{
	bool blank = d->table.type == SW_TABLE_NONE && !d->table.damage &&
		     !(d->signatures && d->signatures[0]);

	p->size = d->size;
	p->sector = d->sector;
	p->diskseq = d->diskseq;
	(void)snprintf(p->digest, sizeof(p->digest), "%s", d->table.digest);
	p->verify = o->verify;
	p->content = blank ? NULL : sw_disk_describe(d);
	p->confirm = sw_disk_confirm_text(f, d);
	if ((!blank && !p->content) || !p->confirm || copy_text(d->name, &p->name) < 0 ||
	    copy_text(d->node, &p->node) < 0 || copy_text(d->serial, &p->serial) < 0 ||
	    copy_text(d->wwn, &p->wwn) < 0 || copy_text(d->model, &p->model) < 0 ||
	    copy_text(o->report, &p->report) < 0)
		return -ENOMEM;
	return 0;
}

/* The kernel says 0 when the disk cannot be told. A file can always be given holes. */
static bool takes_discard(struct sw_machine *m, const struct sw_disk *d)
{
	_cleanup_free_ char *path = NULL, *line = NULL;

	if (m->kind == SW_MACHINE_STANDIN)
		return true;
	path = sw_fmt("%s/block/%s/queue/discard_max_bytes", m->sys_root, d->name);
	return path && sw_file_read_line(path, &line) == 0 && strtoull(line, NULL, 10) > 0;
}

static int choose_method(struct sw_machine *m, const struct sw_facts *f, const struct sw_disk *d,
			 struct sw_wipe_plan *p, enum sw_wipe_method asked, struct sw_error *err)
{
	bool discard = takes_discard(m, d);

	p->mark.method = asked;
	if (asked == SW_WIPE_METHOD_AUTO) {
		p->mark.method = discard ? SW_WIPE_METHOD_DISCARD : SW_WIPE_METHOD_ZERO;
		p->fall_back = discard;
	}
	if (asked == SW_WIPE_METHOD_DISCARD && !discard) {
		sw_fail(err, SW_EXIT_MISSING, -EOPNOTSUPP, "the disk does not take discard");
		sw_error_where(err, "%s", d->node);
		sw_error_hint(err, "nothing was written; --method zero works on every disk");
		return -EOPNOTSUPP;
	}
	return asked == SW_WIPE_METHOD_SECURE ? sw_secure_detect(m, f, d, &p->secure, err) : 0;
}

/* An install's journal must not offer to resume or undo on a disk that was wiped. */
static int add_journal(struct sw_wipe_plan *p, struct sw_io *io)
{
	uint64_t off = sw_plan_journal_offset(io->size);

	if (off == 0)
		return 0;
	return sw_regions_add(&p->regions, io, off, ZONE_HEADER, false, "journal of an install");
}

/* What to erase must be known to whoever goes on after a power cut, without the table. */
static int remember(struct sw_wipe_plan *p, bool gpt, struct sw_error *err)
{
	if (!gpt)
		sw_regions_join(&p->regions, SW_WIPE_REGIONS);
	if (!gpt && p->regions.n > SW_WIPE_REGIONS &&
	    p->mark.method == SW_WIPE_METHOD_SIGNATURES) {
		sw_fail(err, SW_EXIT_REFUSED, -E2BIG, "%zu signatures, too far apart to be "
			"remembered through a power cut", p->regions.n);
		sw_error_where(err, "%s", p->node);
		sw_error_hint(err, "nothing was written; use --method discard or --method zero");
		return -E2BIG;
	}
	p->mark.n_regions = p->regions.n <= SW_WIPE_REGIONS ? p->regions.n : 0;
	for (size_t i = 0; i < p->mark.n_regions; i++)
		p->mark.region[i] = p->regions.v[i];
	return 0;
}

static int find_regions(struct sw_wipe_plan *p, struct sw_io *io, struct sw_error *err)
{
	struct sw_table t = {};
	char **signatures = NULL;
	int r = sw_disk_probe(io, &t, &signatures, err);

	if (r == 0)
		r = sw_regions_find(io, &t, &p->regions, err);
	if (r == 0)
		r = add_journal(p, io) < 0 ? sw_fail_oom(err) : 0;
	if (r == 0)
		r = remember(p, t.type == SW_TABLE_GPT || t.type == SW_TABLE_DAMAGED_GPT, err);
	sw_table_clear(&t);
	for (char **s = signatures; s && *s; s++)
		free(*s);
	free(signatures);
	return r;
}

/* Goes on where an earlier wipe stopped, unless another method is asked for. */
static int take_up(struct sw_wipe_plan *p, const struct sw_wipe_mark *old,
		   const struct sw_wipe_options *o)
{
	p->resumed = true;
	p->mark.time = old->time;
	if (!o->restart &&
	    (o->method == SW_WIPE_METHOD_AUTO || o->method == old->method)) {
		p->mark.method = old->method;
		p->mark.done = old->done;
	}
	if (old->n_regions == 0)
		return 0;
	sw_regions_clear(&p->regions);
	p->regions.v = calloc(old->n_regions, sizeof(*p->regions.v));
	if (!p->regions.v)
		return -ENOMEM;
	p->regions.n = p->mark.n_regions = old->n_regions;
	memcpy(p->regions.v, old->region, old->n_regions * sizeof(*old->region));
	memcpy(p->mark.region, old->region, sizeof(old->region));
	return 0;
}

static int read_disk(struct sw_machine *m, const struct sw_disk *d,
		     const struct sw_wipe_options *o, struct sw_wipe_plan *p, struct sw_error *err)
{
	_cleanup_io_ struct sw_io *io = NULL;
	struct sw_wipe_mark old;
	int r = sw_machine_open_disk(m, d, false, false, &io, err);

	if (r == 0)
		r = find_regions(p, io, err);
	if (r < 0)
		return r;
	return sw_wipe_mark_read(io, &old) == 0 && take_up(p, &old, o) < 0 ? sw_fail_oom(err) : 0;
}

static int refuse(const struct sw_disk *d, struct sw_error *err)
{
	const char *why = sw_disk_excluded(d, 0);

	if (!why && d->size < 2ULL * SW_WIPE_REGIONS * 4096)
		why = "it is too small to be a disk";
	if (!why)
		return 0;
	sw_fail(err, SW_EXIT_REFUSED, -EPERM, "the disk must not be wiped");
	sw_error_where(err, "%s", d->node ? d->node : d->name);
	sw_error_why(err, "%s", why);
	sw_error_hint(err, "nothing was written; `slipway disks` shows every disk and its state");
	return -EPERM;
}

int sw_wipe_plan(struct sw_machine *m, const struct sw_facts *f, const struct sw_disk *d,
		 const struct sw_wipe_options *o, struct sw_wipe_plan **ret_plan,
		 struct sw_error *err)
{
	_cleanup_wipe_plan_ struct sw_wipe_plan *p = calloc(1, sizeof(*p));
	int r = refuse(d, err);

	if (r < 0)
		return r;
	if (!p || identify(p, f, d, o) < 0)
		return sw_fail_oom(err);
	p->mark.disk_size = d->size;
	p->mark.time = sw_wall_s();
	r = choose_method(m, f, d, p, o->method, err);
	if (r == 0)
		r = read_disk(m, d, o, p, err);
	if (r < 0)
		return r;
	*ret_plan = TAKE_PTR(p);
	return 0;
}

/* ---- in words ---- */

static const char *what_it_does(const struct sw_wipe_plan *p)
{
	switch (p->mark.method) {
	case SW_WIPE_METHOD_DISCARD:
		return "the disk is told to forget everything (discard); tables and signatures are "
		       "overwritten with zeros";
	case SW_WIPE_METHOD_ZERO:
		return "zeros are written over every sector";
	case SW_WIPE_METHOD_SECURE:
		return sw_secure_name(p->secure);
	default:
		return "tables and signatures are overwritten with zeros; everything else stays "
		       "on the disk and can be read by anyone who looks for it";
	}
}

char *sw_wipe_plan_text(const struct sw_wipe_plan *p)
{
	_cleanup_buf_ struct sw_buf b = {};
	char size[16];
	int r = sw_buf_addf(&b, "Wipe of %s (%s, %s, serial %s)\n", p->name,
			    sw_size_format(p->size, size, sizeof(size)),
			    p->model ? p->model : "model unknown",
			    p->serial ? p->serial : "none");

	if (r == 0)
		r = sw_buf_addf(&b, "  on it:  %s\n",
				p->content ? p->content : "nothing that is known");
	if (r == 0)
		r = sw_buf_addf(&b, "  method: %s: %s\n", sw_wipe_method_name(p->mark.method),
				what_it_does(p));
	if (r == 0 && p->resumed)
		r = sw_buf_addf(&b, "  an earlier wipe of this disk stopped; this one %s\n",
				p->mark.done ? "goes on where it was" : "begins anew");
	if (r == 0)
		r = sw_buf_adds(&b, "A wipe cannot be undone.\n");
	return r < 0 ? NULL : sw_buf_steal(&b);
}

json_object *sw_wipe_plan_to_json(const struct sw_wipe_plan *p)
{
	json_object *o = json_object_new_object(), *list = json_object_new_array();

	sw_json_add_str(o, "disk", p->name);
	sw_json_add_str(o, "serial", p->serial);
	sw_json_add_str(o, "wwn", p->wwn);
	sw_json_add_str(o, "model", p->model);
	sw_json_add_u64(o, "size", p->size);
	sw_json_add_str(o, "content", p->content);
	sw_json_add_str(o, "method", sw_wipe_method_name(p->mark.method));
	if (p->secure)
		sw_json_add_str(o, "command", sw_secure_name(p->secure));
	sw_json_add_bool(o, "resumed", p->resumed);
	sw_json_add_u64(o, "done", p->mark.done);
	sw_json_add_str(o, "confirm", p->confirm);
	for (size_t i = 0; i < p->regions.n; i++) {
		json_object *e = json_object_new_object();

		sw_json_add_str(e, "what", p->regions.v[i].what);
		sw_json_add_u64(e, "offset", p->regions.v[i].off);
		sw_json_add_u64(e, "length", p->regions.v[i].len);
		json_object_array_add(list, e);
	}
	sw_json_add(o, "regions", list);
	return o;
}
