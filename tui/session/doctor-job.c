/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/session/doctor-job.h"

#include <string.h>

#include "base/catalogue.h"
#include "base/file.h"
#include "base/json.h"
#include "disk/recovery.h"
#include "rescue/visit.h"

static int carry_out(struct sw_visit *v, const struct sw_doctor_ask *ask, json_object *out,
		     struct sw_error *err)
{
	const bool repair = ask->task == SW_DOCTOR_REPAIR;
	_cleanup_free_ char *text = NULL, *done = NULL;
	int r;

	if (!repair && ask->task != SW_DOCTOR_UNDO)
		return 0;
	r = repair ? sw_visit_repair(v, ask->arg, NULL, ask->given, NULL, err)
		   : sw_visit_undo(v, ask->arg, &text, err);
	if (r < 0)
		return r;
	done = repair ? sw_fmt(_("Repaired, and looked at again: %s is gone.%s%s"), ask->arg,
			       v->told ? " " : "", v->told ? v->told : "")
		      : sw_fmt(_("Taken back: %s."), text ? text : ask->arg);
	sw_json_add_str(out, "done", done);
	return 0;
}

/* Only for what it was named for: another finding is looked at and repaired as ever. */
static int offer(struct sw_visit *v, const struct sw_doctor_ask *ask,
		 struct sw_rescue_image *image, struct sw_error *err)
{
	json_object *what = ask->image ? ask->image->what : NULL;
	const char *id = what ? sw_json_str(what, "id", "") : "";

	if (!what || (ask->task != SW_DOCTOR_LOOK &&
		      (ask->task != SW_DOCTOR_REPAIR || strcmp(ask->arg, id) != 0)))
		return 0;
	*image = (struct sw_rescue_image){ .source = sw_json_str(what, "source", ""),
					   .sha256 = sw_json_str(what, "sha256", NULL),
					   .ca = ask->image->ca };
	image->trust_none = !sw_json_bool(what, "signed", false);
	v->image = image;
	return sw_visit_offer_image(v, id, err);
}

/* ---- an encrypted state ---- */

static int take_key(const struct sw_doctor_ask *ask, struct sw_rescue_inside *inside,
		    struct sw_secret **ret_key, struct sw_error *err)
{
	int r = ask->key ? sw_secret_relock(ask->key, err) : 0;

	if (r == 0 && ask->key)
		r = sw_recovery_passphrase(ask->key, ret_key, err);
	inside->key = *ret_key;
	return r;
}

/* Who gave a key wants to be told that it is the wrong one; a repair goes on without. */
static int look(struct sw_visit *v, const struct sw_doctor_ask *ask,
		const struct sw_rescue_opened *opened, json_object *out, struct sw_error *err)
{
	int r = sw_visit_look(v, err);

	if (r < 0)
		return r;
	if (opened->n)
		sw_json_add_bool(out, "opened", true);
	if (opened->n || opened->why.r == 0 || ask->task == SW_DOCTOR_REPAIR ||
	    ask->task == SW_DOCTOR_UNDO)
		return 0;
	sw_fail(err, opened->why.exit, opened->why.r, "the state stays closed");
	sw_error_why(err, "%s", sw_error_reason(&opened->why));
	return opened->why.r;
}

int sw_doctor_job(struct sw_machine *m, const struct sw_doctor_ask *ask,
		  const struct sw_sink *sink, json_object *out, struct sw_error *err)
{
	_cleanup_secret_ struct sw_secret *key = NULL;
	struct sw_rescue_opened opened = { 0 };
	struct sw_rescue_inside inside = { .opened = &opened };
	struct sw_rescue_image slot = { 0 };
	_cleanup_visit_ struct sw_visit v = { .m = m,
					      .servers = ask->task == SW_DOCTOR_SERVERS ||
							 ask->servers,
					      .inside = ask->open ? &inside : NULL,
					      .sink = sink, .repairing = sink };
	_cleanup_json_ json_object *found = NULL;
	json_object *last;
	int r;

	if (m->kind == SW_MACHINE_CAPTURED)
		return sw_fail(err, SW_EXIT_MISSING, -EROFS,
			       "captured facts have no disks to look at");
	r = ask->given ? sw_secret_relock(ask->given, err) : 0;
	if (r == 0)
		r = take_key(ask, &inside, &key, err);
	if (r == 0)
		r = look(&v, ask, &opened, out, err);
	if (r == 0)
		r = offer(&v, ask, &slot, err);
	if (r == 0)
		r = carry_out(&v, ask, out, err);
	if (r < 0)
		return r;
	found = sw_visit_to_json(&v);
	sw_json_add_all(out, found);
	last = sw_visit_last(m);
	if (last)
		sw_json_add(out, "last", last);
	return 0;
}
