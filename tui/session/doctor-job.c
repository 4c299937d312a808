/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/session/doctor-job.h"

#include <string.h>

#include "base/catalogue.h"
#include "base/file.h"
#include "base/json.h"
#include "rescue/visit.h"

static int carry_out(struct sw_visit *v, enum sw_doctor_task task, const char *arg,
		     struct sw_secret *given, json_object *out, struct sw_error *err)
{
	_cleanup_free_ char *text = NULL, *done = NULL;
	int r;

	if (task == SW_DOCTOR_LOOK || task == SW_DOCTOR_SERVERS)
		return 0;
	if (task == SW_DOCTOR_REPAIR)
		r = sw_visit_repair(v, arg, NULL, given, NULL, err);
	else
		r = sw_visit_undo(v, arg, &text, err);
	if (r < 0)
		return r;
	done = task == SW_DOCTOR_REPAIR
		       ? sw_fmt(_("Repaired, and looked at again: %s is gone.%s%s"), arg,
				v->told ? " " : "", v->told ? v->told : "")
		       : sw_fmt(_("Taken back: %s."), text ? text : arg);
	sw_json_add_str(out, "done", done);
	return 0;
}

/* Only for what it was named for: another finding is looked at and repaired as ever. */
static int offer(struct sw_visit *v, enum sw_doctor_task task, const char *arg,
		 struct sw_rescue_image *image, const struct sw_doctor_image *wanted,
		 struct sw_error *err)
{
	const char *id = sw_json_str(wanted->what, "id", "");

	if (task != SW_DOCTOR_LOOK && (task != SW_DOCTOR_REPAIR || strcmp(arg, id) != 0))
		return 0;
	*image = (struct sw_rescue_image){ .source = sw_json_str(wanted->what, "source", ""),
					   .sha256 = sw_json_str(wanted->what, "sha256", NULL),
					   .ca = wanted->ca, .sink = v->sink };
	image->trust_none = !sw_json_bool(wanted->what, "signed", false);
	v->image = image;
	return sw_visit_offer_image(v, id, err);
}

int sw_doctor_job(struct sw_machine *m, enum sw_doctor_task task, const char *arg,
		  struct sw_secret *given, const struct sw_doctor_image *image,
		  const struct sw_sink *sink, json_object *out, struct sw_error *err)
{
	struct sw_rescue_image slot = { 0 };
	_cleanup_visit_ struct sw_visit v = { .m = m, .servers = task == SW_DOCTOR_SERVERS,
					      .sink = sink, .repairing = sink };
	_cleanup_json_ json_object *found = NULL;
	json_object *last;
	int r;

	if (m->kind == SW_MACHINE_CAPTURED)
		return sw_fail(err, SW_EXIT_MISSING, -EROFS,
			       "captured facts have no disks to look at");
	r = given ? sw_secret_relock(given, err) : 0;
	if (r == 0)
		r = sw_visit_look(&v, err);
	if (r == 0 && image && image->what)
		r = offer(&v, task, arg, &slot, image, err);
	if (r == 0)
		r = carry_out(&v, task, arg, given, out, err);
	if (r < 0)
		return r;
	found = sw_visit_to_json(&v);
	sw_json_add_all(out, found);
	last = sw_visit_last(m);
	if (last)
		sw_json_add(out, "last", last);
	return 0;
}
