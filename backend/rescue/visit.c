/* SPDX-License-Identifier: Apache-2.0 */
#include "rescue/visit.h"

#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "rescue/private.h"

#define FILES 1000u	/* for undo, in one run_dir */

void sw_visit_clear(struct sw_visit *v)
{
	sw_findings_clear(&v->found);
	sw_facts_free(v->f);
	json_object_put(v->raw);
	free(v->told);
	*v = (struct sw_visit){ .m = v->m, .disk = v->disk, .servers = v->servers,
				 .sink = v->sink, .repairing = v->repairing, .image = v->image,
				 .inside = v->inside };
}

bool sw_visit_worth(const struct sw_facts *f)
{
	for (size_t i = 0; i < f->n_disks; i++) {
		const struct sw_disk *d = &f->disks[i];

		if (!d->medium && (d->table.damage || sw_disk_slot(d)))
			return true;
	}
	for (size_t i = 0; i < f->boot.n_entries; i++)	/* of a disk that is away */
		if (f->boot.entries[i].owner && strcmp(f->boot.entries[i].owner, "ours") == 0)
			return true;
	return false;
}

int sw_visit_look(struct sw_visit *v, struct sw_error *err)
{
	int r;

	sw_visit_clear(v);
	r = sw_machine_facts(v->m, &v->f, err);
	if (r == 0 && v->f->boot.supported && sw_machine_vars(v->m, &v->vars, NULL) == 0)
		r = sw_entries_snapshot(v->vars, &v->raw, err);
	if (r == 0)
		r = sw_rescue_examine(v->m, v->f, v->vars, v->raw, v->disk, NULL,
				      v->inside, &v->found, err);
	return r < 0 || !v->servers ? r
		: sw_rescue_ask_servers(v->m, v->f, v->disk, v->sink, &v->found, err);
}

bool sw_visit_locked(const struct sw_visit *v)
{
	for (size_t i = 0; i < v->found.n; i++)
		if (sw_rescue_takes_key(&v->found.v[i]))
			return true;
	return false;
}

/* ---- the files for undo ---- */

static char *file_name(const struct sw_machine *m, unsigned int n)
{
	return sw_fmt("%s/doctor-undo-%u.json", m->run_dir, n);
}

static char *next_file(const struct sw_machine *m)
{
	(void)sw_mkdir_all(m->run_dir, 0755);
	for (unsigned int i = 1; i < FILES; i++) {
		char *path = file_name(m, i);

		if (!path || access(path, F_OK) < 0)
			return path;
		free(path);
	}
	return NULL;
}

json_object *sw_visit_last(const struct sw_machine *m)
{
	for (unsigned int i = FILES; i-- > 1;) {
		_cleanup_free_ char *path = file_name(m, i);
		_cleanup_json_ json_object *undo = NULL;
		json_object *o;

		if (!path || access(path, F_OK) < 0 || sw_json_load(path, &undo, NULL) < 0)
			continue;
		o = json_object_new_object();
		sw_json_add_str(o, "file", path);
		sw_json_add_str(o, "text", sw_json_str(undo, "text", ""));
		return o;
	}
	return NULL;
}

/* ---- repairs ---- */

static const struct sw_finding *find(const struct sw_visit *v, const char *id,
				     struct sw_error *err)
{
	const struct sw_finding *fi = sw_findings_get(&v->found, id);

	if (!fi) {
		sw_fail(err, SW_EXIT_USAGE, -ENOENT, "there is no finding \"%s\" now", id);
		sw_error_hint(err, v->found.n ? "`slipway doctor` lists them" : "nothing is wrong");
		return NULL;
	}
	if (fi->repair)
		return fi;
	sw_fail(err, SW_EXIT_REFUSED, -EOPNOTSUPP, "slipway cannot repair %s", fi->id);
	sw_error_why(err, "%s", fi->what);
	if (fi->advice[0])
		sw_error_hint(err, "%s", fi->advice);
	return NULL;
}

static int still_there(const char *id, const char *saved, struct sw_error *err)
{
	sw_fail(err, SW_EXIT_VERIFY, -EBADMSG, "%s is still there after its repair", id);
	sw_error_why(err, "the firmware or the disk did not keep what was written");
	if (saved)
		sw_error_hint(err, "`slipway doctor --undo %s` takes it back", saved);
	return -EBADMSG;
}

static int nothing_given(const struct sw_repair *r, struct sw_error *err)
{
	sw_fail(err, SW_EXIT_USAGE, -ENOKEY, "this repair asks for the %s", r->asks);
	sw_error_hint(err, "type it at a terminal, or give --given FILE");
	return -ENOKEY;
}

/* What somebody gave becomes the writes; where there is nothing to write it is done. */
static int prepare(const struct sw_visit *v, struct sw_repair *rep, const struct sw_secret *given,
		   struct sw_error *err)
{
	const struct sw_rescue_ask q = { .m = v->m, .f = v->f, .vars = v->vars, .raw = v->raw,
					 .disk = v->disk, .given = given,
					 .sink = v->repairing };

	struct sw_error e = {};
	int r;

	if (rep->needs && !given)
		return nothing_given(rep, err);
	if (rep->carry_out)
		return rep->carry_out(&q, rep, err);
	r = rep->prepare ? rep->prepare(&q, rep, &e) : 0;
	if (r == -ECANCELED)
		return sw_rescue_stopped(err);
	if (r < 0 && err && err->r == 0)
		*err = e;
	return r;
}

int sw_visit_offer_image(struct sw_visit *v, const char *id, struct sw_error *err)
{
	const struct sw_rescue_ask q = { .m = v->m, .f = v->f, .vars = v->vars, .raw = v->raw,
					 .disk = v->disk };

	for (size_t i = 0; i < v->found.n; i++)
		if (strcmp(v->found.v[i].id, id) == 0 && sw_rescue_takes_image(&v->found.v[i]))
			return sw_rescue_offer_image(&q, v->image, &v->found.v[i], err);
	sw_fail(err, SW_EXIT_USAGE, -EINVAL, "\"%s\" is no damaged slot: it takes no image", id);
	sw_error_hint(err, "`slipway doctor` lists the findings; `slipway promote` fills a slot of "
			   "a node whose other one is good");
	return -EINVAL;
}

/* What was repaired is not to look stopped. */
static int look_to_the_end(struct sw_visit *v, struct sw_error *err)
{
	const struct sw_sink *sink = v->sink;
	const struct sw_sink tell = sw_sink_told(sink);
	int r;

	v->sink = &tell;
	r = sw_visit_look(v, err);
	v->sink = sink;
	return r;
}

int sw_visit_repair(struct sw_visit *v, const char *id, const char *save,
		    const struct sw_secret *given, char **ret_saved, struct sw_error *err)
{
	_cleanup_free_ char *name = strdup(id), *path = NULL, *told = NULL;
	const struct sw_finding *fi = find(v, id, err);
	bool keep = (!save || *save) && !(fi && fi->repair->no_undo);
	int r;

	if (!fi)
		return err && err->r < 0 ? err->r : -ENOENT;
	if (sw_event_poll(v->repairing) < 0)	/* while it was looked at */
		return sw_rescue_stopped(err);
	r = prepare(v, fi->repair, given, err);
	if (r < 0)
		return r;
	if (keep)
		path = save ? strdup(save) : next_file(v->m);
	if (!name || (keep && !path))
		return sw_fail_oom(err);
	if (!fi->repair->carry_out)
		r = sw_rescue_repair(v->m, v->vars, fi->repair, path,
				     v->repairing, &told, err);
	if (r == 0)
		r = look_to_the_end(v, err);
	v->told = TAKE_PTR(told);
	if (r == 0 && sw_findings_get(&v->found, name))
		r = still_there(name, path, err);
	if (ret_saved)
		*ret_saved = TAKE_PTR(path);
	return r;
}

static void forget_one(const char *file, const char *ending)
{
	_cleanup_free_ char *path = sw_fmt("%s.%s", file, ending);

	if (path)
		(void)unlink(path);
}

/* Taken back, our own copy is of no use any more; one that was asked for by name stays. */
static void forget(const struct sw_machine *m, const char *file)
{
	_cleanup_free_ char *ours = sw_fmt("%s/doctor-undo-", m->run_dir);
	_cleanup_free_ char *slot = sw_fmt("%s.slot", file);

	if (!ours || !slot || strncmp(file, ours, strlen(ours)) != 0)
		return;
	(void)unlink(file);
	(void)unlink(slot);
	forget_one(file, "image");
	forget_one(file, "e2undo");
	forget_one(file, "log");
}

int sw_visit_undo(struct sw_visit *v, const char *file, char **ret_text, struct sw_error *err)
{
	_cleanup_json_ json_object *undo = NULL;
	int r = sw_json_load(file, &undo, err);

	if (r == 0)
		r = sw_rescue_undo(v->m, v->f, v->vars, undo, file, err);
	if (r < 0)
		return r;
	if (ret_text)
		*ret_text = strdup(sw_json_str(undo, "text", file));
	forget(v->m, file);
	return sw_visit_look(v, err);
}

json_object *sw_visit_to_json(const struct sw_visit *v)
{
	json_object *o = json_object_new_object(), *list = json_object_new_array();

	for (size_t i = 0; i < v->found.n; i++)
		json_object_array_add(list, sw_finding_to_json(&v->found.v[i]));
	sw_json_add_bool(o, "healthy", sw_findings_worst(&v->found) == SW_FINDING_INFO);
	sw_json_add(o, "findings", list);
	if (v->servers)
		sw_json_add_bool(o, "servers", true);
	if (v->found.node)
		sw_json_add(o, "node", json_object_get(v->found.node));
	return o;
}
