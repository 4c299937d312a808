/* SPDX-License-Identifier: Apache-2.0 */
#include "rescue/aim.h"

#include "machine/shell.h"
#include "rescue/reseal.h"
#include "tpm/seal.h"

/*
 * A system that was started from a slot has the PCR 7 that the node will have. A stand-in's
 * firmware keeps no log.
 */
static bool wants_present(const struct sw_switch *s, const char *image)
{
	return s->m->kind != SW_MACHINE_REAL ||
	       (!image && s->have_node && s->road == SW_ROAD_SLOT);
}

int sw_rescue_aim(struct sw_machine *m, const struct sw_facts *f, json_object *raw,
		  const char *disk, const char *image, bool present, struct sw_aim *a,
		  struct sw_error *err)
{
	_cleanup_switch_ struct sw_switch s = { .m = m, .f = f };
	_cleanup_free_ char *log = sw_machine_tpm_log(m);
	struct sw_varstore *vars = NULL;
	int r = raw ? sw_machine_vars(m, &vars, err) : 0;

	if (r == 0 && vars)
		r = sw_switch_open(m, f, vars, raw, disk, &s, err);
	if (r < 0)
		return r;
	if (present || wants_present(&s, image))
		return sw_shell_may_seal(m, err);
	if (!log)
		return sw_fail_oom(err);
	a->later = true;
	a->image = image;
	r = sw_reseal_foretell(&s, image, log, &a->pcr7, &a->letter, err);
	if (r < 0)
		sw_error_hint(err, "--present seals to PCR 7 as it is under this system: only "
				   "right on the node itself");
	/* That of a restart does not have what a shell's opening added. */
	else if (sw_shell_may_seal(m, NULL) < 0)
		sw_tpm_forfeited(a->pcr7.now);
	return r;
}
