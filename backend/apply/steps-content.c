/* SPDX-License-Identifier: Apache-2.0 */
/* Steps that make content: payload, boot image, slot, node data, file systems. */
#include <string.h>
#include <sys/stat.h>

#include "apply/run.h"
#include "base/file.h"
#include "net/trust.h"
#include "base/hash.h"
#include "base/json.h"
#include "boot/ipxe.h"
#include "boot/nodedata.h"
#include "boot/nodevar.h"
#include "boot/uki.h"
#include "disk/recovery.h"
#include "payload/payload.h"
#include "tpm/signed.h"

#define FETCH_RETRIES 5

/* A file that no trusted key signed never gets beyond the work directory. */
static int vouch(struct sw_run *run, const char *source, char *const *signatures, const char *file,
		 struct sw_error *err)
{
	struct sw_trust t = sw_answers_trust(run->p->answers);
	_cleanup_free_ char *who = NULL;
	int r;

	if (!sw_trust_asks(&t))
		return 0;
	t.ca_file = run->ca_file;
	r = sw_trust_vouch(run->m, &t, SW_TRUST_IMAGES, source, file, signatures, run->work, &who,
			   err);
	if (r == 0)
		sw_event_log(run->sink, "signed by %s", who);
	return r;
}

/* libcurl takes the CAs of a transfer as a file. */
static int keep_ca(struct sw_run *run, struct sw_error *err)
{
	const char *ca = run->p->answers->payload_ca;
	_cleanup_free_ char *pem = NULL, *path = NULL;
	int r;

	if (run->ca_file || !ca || !*ca)
		return 0;
	pem = sw_pem_lines(ca);
	path = sw_fmt("%s/payload-ca.pem", run->work);
	if (!pem || !path)
		return sw_fail_oom(err);
	r = sw_file_write(path, pem, strlen(pem), 0600);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r,
				     "the payload servers' CA cannot be kept");
	run->ca_file = TAKE_PTR(path);
	return 0;
}

int sw_run_get(struct sw_run *run, struct sw_fetch *f, const char *name, const char *to,
	       struct sw_error *err)
{
	_cleanup_free_ char *shown = sw_source_show(f->source);
	char got[SW_SHA256_TEXT];
	int r;

	if (!f->out || !shown)
		return sw_fail_oom(err);
	r = keep_ca(run, err);
	if (r < 0)
		return r;
	f->ca_file = run->ca_file;
	f->retries = FETCH_RETRIES;
	f->step = run->step;
	sw_event_log(run->sink, "fetching %s%s%s", shown, to ? " for " : "", to ? to : "");
	r = sw_fetch_run(run->m, f, run->sink, got, err);
	if (r == 0)
		sw_event_log(run->sink, "%s has sha256 %s", name, got);
	return r;
}

int sw_run_fetch(struct sw_run *run, const char *source, const char *sha256,
		 char *const *signatures, const char *name, char **ret_path, struct sw_error *err)
{
	struct sw_trust t = sw_answers_trust(run->p->answers);
	_cleanup_free_ char *out = sw_fmt("%s/%s", run->work, name);
	struct sw_fetch f = { .source = source, .sha256 = sha256 && *sha256 ? sha256 : NULL,
			      .vouched = sw_trust_asks(&t), .out = out };
	int r = sw_run_get(run, &f, name, NULL, err);

	if (r == 0)
		r = vouch(run, source, signatures, out, err);
	if (r < 0)
		return r;
	free(*ret_path);
	*ret_path = TAKE_PTR(out);
	return 0;
}

static int fetch_payload(struct sw_run *run, struct sw_error *err)
{
	const struct sw_answers *a = run->p->answers;
	int r;

	if (!sw_answers_have_payload(a))
		return 0;
	if (a->uki && *a->uki)
		return sw_run_fetch(run, a->uki, a->uki_sha256, a->uki_signature, "uki",
				    &run->uki, err);
	r = sw_run_fetch(run, a->kernel, a->kernel_sha256, a->kernel_signature, "kernel",
			 &run->kernel, err);
	return r < 0 ? r : sw_run_fetch(run, a->initrd, a->initrd_sha256, a->initrd_signature,
					"initrd", &run->initrd, err);
}

int sw_step_fetch(struct sw_run *run, const struct sw_step *s SW_UNUSED, struct sw_error *err)
{
	int r = sw_formats_check(run, err);

	if (r == 0)
		r = fetch_payload(run, err);
	if (r == 0)
		r = sw_run_fetch_files(run, err);
	return r < 0 ? r : sw_extras_fetch(run, err);
}

static void drop_file(char **path)
{
	if (*path)
		(void)unlink(*path);
	free(*path);
	*path = NULL;
}

static int assemble(struct sw_run *run, struct sw_error *err)
{
	_cleanup_free_ char *cmdline = sw_answers_node_cmdline(run->p->answers);
	_cleanup_free_ char *out = sw_fmt("%s/uki", run->work);
	_cleanup_free_ char *osrel = NULL;
	struct sw_uki_parts parts = { .stub = run->m->stub,
				      .kernel = run->kernel,
				      .initrd = run->initrd,
				      .cmdline = cmdline };
	int r;

	osrel = sw_fmt("ID=slipway-node\nNAME=\"Slipway node\"\nPRETTY_NAME=\"%s\"\n",
		       run->p->answers->hostname && *run->p->answers->hostname
			       ? run->p->answers->hostname
			       : "node");
	if (!cmdline || !out || !osrel)
		return sw_fail_oom(err);
	parts.osrel = osrel;
	r = sw_uki_assemble(&parts, out, err);
	if (r < 0)
		return r;
	/* Memory is scarce on a small machine: what went into the image is not needed again. */
	drop_file(&run->kernel);
	drop_file(&run->initrd);
	run->uki = TAKE_PTR(out);
	return 0;
}

static int check_uki(struct sw_run *run, struct sw_error *err)
{
	_cleanup_free_ char *shown = sw_source_show(run->p->answers->uki);
	struct sw_uki_info info = {};
	int r = sw_uki_inspect(run->uki, &info, err);

	if (r == 0)
		r = sw_uki_check(&info, run->secure_boot, shown ? shown : "", err);
	sw_buf_clear(&run->signatures);
	if (r == 0 && run->secure_boot)
		r = sw_uki_signatures(run->uki, &run->signatures, err);
	if (r == 0) {
		free(run->manifest.version);
		run->manifest.version = sw_uki_osrel(&info, "IMAGE_VERSION");
	}
	sw_uki_info_clear(&info);
	return r;
}

static int describe(struct sw_run *run, struct sw_error *err)
{
	const struct sw_answers *a = run->p->answers;
	int r = sw_sha256_file(run->uki, run->manifest.sha256);

	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot read the boot image");
	sw_event_log(run->sink, "boot image has sha256 %s", run->manifest.sha256);
	run->manifest.sequence = 1;
	run->manifest.time = run->p->time;
	run->manifest.build_id = strndup(run->manifest.sha256, 16);
	run->manifest.source = sw_source_show(a->uki && *a->uki ? a->uki : a->kernel);
	run->manifest.reason = strdup("install");
	return run->manifest.build_id && run->manifest.source && run->manifest.reason
		       ? 0 : sw_fail_oom(err);
}

/* How many slots are filled: one on each disk that has any. */
static size_t count_filled(const struct sw_plan *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_steps; i++)
		n += p->steps[i].kind == SW_STEP_SLOT && p->steps[i].part_label &&
		     strcmp(p->steps[i].part_label, SW_RESCUE_LABEL) != 0 &&
		     strcmp(p->steps[i].part_label, SW_IPXE_LABEL) != 0;
	return n;
}

static int build_image(struct sw_run *run, const struct sw_placed *part, struct sw_error *err)
{
	_cleanup_free_ char *out = sw_fmt("%s/slot.img", run->work);
	uint32_t volume_id;
	int r;

	if (!out)
		return sw_fail_oom(err);
	drop_file(&run->image);
	memcpy(&volume_id, part->uuid.b, sizeof(volume_id));
	r = sw_slot_build(run->uki, &run->manifest, part->size, run->p->disks[part->disk].sector,
			  volume_id, "SLIPWAY", out, err);
	if (r == 0)
		run->image = TAKE_PTR(out);
	return r;
}

/* Whether the image brings a signature of its PCRs by the key of the answers along. */
static int look_for_signer(struct sw_run *run, struct sw_error *err)
{
	const char *text = run->p->answers->pcr_key;
	_cleanup_json_ json_object *signatures = NULL;
	struct sw_pcr_key key;
	int r = text && *text ? sw_pcr_key_from_text(text, &key, err) : -ENODATA;

	if (r == -ENODATA)
		return 0;
	if (r == 0)
		r = sw_uki_pcr_signatures(run->uki, &signatures, err);
	run->pcr_signed = signatures && sw_pcr_key_has_signed(&key, signatures);
	return r;
}

int sw_step_image(struct sw_run *run, const struct sw_step *s SW_UNUSED, struct sw_error *err)
{
	const struct sw_placed *part = sw_plan_find(run->p, 0, SW_ROLE_SLOT);
	int r = sw_extras_check(run, err);

	if (r < 0 || !sw_answers_have_payload(run->p->answers))
		return r;
	if (!part)
		return sw_fail(err, SW_EXIT_INTERNAL, -EINVAL, "the plan has no slot");
	r = run->uki ? check_uki(run, err) : assemble(run, err);
	if (r == 0)
		r = describe(run, err);
	if (r == 0)
		r = look_for_signer(run, err);
	if (r == 0)
		r = build_image(run, part, err);
	/* Copies on other disks are built again, each for its own place. */
	if (r == 0 && count_filled(run->p) == 1)
		drop_file(&run->uki);
	return r;
}

int sw_step_slot(struct sw_run *run, const struct sw_step *s, struct sw_error *err)
{
	const struct sw_placed *part = sw_run_part(run, s);
	int r = 0;

	if (!part)
		return sw_fail(err, SW_EXIT_INTERNAL, -EINVAL, "the plan has no such slot");
	if (part->role != SW_ROLE_SLOT)
		r = sw_extra_build(run, part, &run->image, err);
	else if (part != sw_plan_find(run->p, 0, SW_ROLE_SLOT))
		r = build_image(run, part, err);
	if (r == 0)
		r = sw_slot_write(sw_run_io(run, s), s->off, run->image, run->step, run->sink, err);
	if (r == 0)
		drop_file(&run->image);
	return r;
}

int sw_step_blank(struct sw_run *run, const struct sw_step *s, struct sw_error *err)
{
	return sw_slot_invalidate(sw_run_io(run, s), s->off, s->len, err);
}

int sw_step_node_data(struct sw_run *run, const struct sw_step *s, struct sw_error *err)
{
	_cleanup_json_ json_object *o = sw_plan_node_data(run->p);
	struct sw_varstore *vars = NULL;
	int r;

	if (!o || sw_run_escrow_to_json(run, o) < 0)
		return sw_fail_oom(err);
	sw_run_host_key_to_json(run, o);
	r = sw_run_files_to_json(run, o, err);
	if (r < 0)
		return r;
	sw_run_site_secrets_to_json(run, o);
	sw_run_secrets_to_json(run, o);
	r = sw_extras_to_json(run, o);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "the iPXE binary cannot be read");
	if (run->p->n_disks)
		return sw_nodedata_write(sw_run_io(run, s), s->off, s->len, o, true, err);
	r = sw_machine_vars(run->m, &vars, err);
	return r < 0 ? r : sw_nodevar_write(vars, o, err);
}
