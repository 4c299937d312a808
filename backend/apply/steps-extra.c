/* SPDX-License-Identifier: Apache-2.0 */
/* What the node can also start: an iPXE for the network, a rescue image. */
#include <string.h>
#include <unistd.h>

#include "apply/run.h"
#include "base/file.h"
#include "base/hash.h"
#include "boot/ipxe.h"
#include "boot/uki.h"
#include "payload/payload.h"

int sw_extras_fetch(struct sw_run *run, struct sw_error *err)
{
	const struct sw_answers *a = run->p->answers;
	int r = 0;

	if (sw_answers_by_ipxe(a))
		r = sw_run_fetch(run, a->ipxe, a->ipxe_sha256, NULL, "ipxe", &run->ipxe, err);
	if (r == 0 && a->rescue && *a->rescue)
		r = sw_run_fetch(run, a->rescue, a->rescue_sha256, NULL, "rescue", &run->rescue,
				 err);
	return r;
}

static int check_rescue(struct sw_run *run, struct sw_error *err)
{
	_cleanup_free_ char *shown = sw_source_show(run->p->answers->rescue);
	struct sw_uki_info info = {};
	int r = sw_uki_inspect(run->rescue, &info, err);

	if (r == 0)
		r = sw_uki_check(&info, run->secure_boot, shown ? shown : "", err);
	sw_uki_info_clear(&info);
	return r;
}

int sw_extras_check(struct sw_run *run, struct sw_error *err)
{
	_cleanup_free_ char *shown = NULL;
	int r = 0;

	if (run->ipxe) {
		shown = sw_source_show(run->p->answers->ipxe);
		r = sw_ipxe_check(run->ipxe, run->secure_boot, shown ? shown : "", err);
	}
	return r == 0 && run->rescue ? check_rescue(run, err) : r;
}

int sw_extras_to_json(const struct sw_run *run, json_object *node_data)
{
	const struct sw_answers *a = run->p->answers;
	_cleanup_free_ char *script = NULL;

	if (!run->ipxe)
		return 0;
	script = sw_ipxe_script(a->boot_uri, a->boot_nic);
	return script ? sw_ipxe_to_node_data(node_data, run->ipxe, script) : -ENOMEM;
}

static int build_rescue(struct sw_run *run, const struct sw_placed *part, uint32_t volume_id,
			const char *out, struct sw_error *err)
{
	_cleanup_(sw_slot_manifest_clear) struct sw_slot_manifest m = { .sequence = 1,
		.time = run->p->time, .source = sw_source_show(run->p->answers->rescue),
		.reason = strdup("rescue") };
	int r = sw_sha256_file(run->rescue, m.sha256);

	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot read the rescue image");
	m.build_id = strndup(m.sha256, 16);
	if (!m.source || !m.reason || !m.build_id)
		return sw_fail_oom(err);
	return sw_slot_build(run->rescue, &m, part->size, run->p->disks[part->disk].sector,
			     volume_id, "SLIPWAYRESC", out, err);
}

int sw_extra_build(struct sw_run *run, const struct sw_placed *part, char **ret_image,
		   struct sw_error *err)
{
	const struct sw_answers *a = run->p->answers;
	_cleanup_free_ char *out = sw_fmt("%s/extra.img", run->work), *script = NULL;
	uint32_t volume_id;
	int r;

	if (!out)
		return sw_fail_oom(err);
	(void)unlink(out);
	memcpy(&volume_id, part->uuid.b, sizeof(volume_id));
	if (part->role == SW_ROLE_IPXE && run->ipxe) {
		script = sw_ipxe_script(a->boot_uri, a->boot_nic);
		r = !script ? sw_fail_oom(err)
			    : sw_ipxe_build(run->ipxe, script, run->p->time, part->size,
					    run->p->disks[part->disk].sector, volume_id, out, err);
	} else if (part->role == SW_ROLE_RESCUE && run->rescue) {
		r = build_rescue(run, part, volume_id, out, err);
	} else {
		r = sw_fail(err, SW_EXIT_INTERNAL, -EINVAL, "nothing was fetched for %s",
			    part->label);
	}
	if (r < 0)
		return r;
	free(*ret_image);
	*ret_image = TAKE_PTR(out);
	return 0;
}
