/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets that the answers give to the node: read from a file, from a credential of the installing
 * machine, or from what its TPM opens, and sealed as secrets of the node. They are in locked memory
 * only, and a resume reads them again.
 */
#include <string.h>

#include "apply/run.h"
#include "base/file.h"
#include "boot/secrets.h"
#include "payload/payload.h"

#define HINT "nothing was written; `slipway explain secrets` says where a secret may come from"

static int read_file(struct sw_run *run, const char *source, size_t max,
		     struct sw_secret **ret_secret, struct sw_error *err)
{
	_cleanup_free_ char *path = NULL;
	int r = sw_source_local_path(run->m, source, &path, err);

	return r < 0 ? r : sw_secret_read(path, max, ret_secret, err);
}

static int read_credential(struct sw_run *run, const char *name, struct sw_secret **ret_secret,
			   struct sw_error *err)
{
	_cleanup_free_ char *path = NULL;
	int r = sw_machine_credential(run->m, name, &path);

	if (r == 0)
		return sw_secret_read(path, SW_CREDENTIAL_SECRET_MAX, ret_secret, err);
	if (r == -ENOMEM)
		return sw_fail_oom(err);
	sw_fail(err, SW_EXIT_MISSING, -ENOENT, "there is no credential \"%s\"", name);
	sw_error_why(err, "the machine was started without it");
	return -ENOENT;
}

/* Opened as a secret of a node is, for it has the same form. */
static int open_sealed(struct sw_run *run, const struct sw_site_secret *s, const char *tcti,
		       struct sw_secret **ret_secret, struct sw_error *err)
{
	_cleanup_json_ json_object *data = json_object_new_object(), *signatures = NULL;
	json_object *all = json_object_new_object(), *one = json_object_new_object();
	_cleanup_secret_ struct sw_secret *text = NULL;
	struct sw_secret_keys by = { .tcti = tcti };
	int r = read_file(run, s->sealed, 2 * SW_CREDENTIAL_MAX, &text, err);

	sw_json_add(data, "secrets", all);
	sw_json_add(all, s->name, one);
	if (r == 0)
		r = sw_secrets_signatures(run->m, NULL, &signatures, err);
	if (r < 0)
		return r;
	by.signatures = signatures;
	sw_json_add_str(one, "credential", (const char *)text->data);
	r = sw_secrets_open(data, &by, s->name, ret_secret, err);
	if (r < 0 && err) {
		err->hint[0] = '\0';
		sw_error_hint(err, "nothing was written; seal it on this machine, as it is started "
				   "now: systemd-creds encrypt --with-key=tpm2 --name=%s", s->name);
	}
	return r;
}

static int seal(struct sw_run *run, const struct sw_site_secret *s,
		const struct sw_layout_keys *keys, json_object *data, struct sw_error *err)
{
	const struct sw_secret_seal seal = {
		.by = { .tcti = keys->tcti, .log = keys->log }, .name = s->name,
		.pcrs = SW_TPM_PCRS_DEFAULT, .pcr7 = keys->pcr7 };
	_cleanup_secret_ struct sw_secret *secret = NULL;
	struct sw_secret_sealed done;
	int r;

	sw_event_log(run->sink, "sealing the secret \"%s\"", s->name);
	if (s->file)
		r = read_file(run, s->file, SW_CREDENTIAL_SECRET_MAX, &secret, err);
	else if (s->credential)
		r = read_credential(run, s->credential, &secret, err);
	else
		r = open_sealed(run, s, keys->tcti, &secret, err);
	if (r == 0)
		r = sw_secrets_seal(data, &seal, secret, &done, err);
	if (r < 0) {
		sw_error_hint(err, HINT);
		return r;
	}
	if (!done.measured && !(sw_plan_encrypts(run->p) & SW_ENCRYPT_TPM2))
		sw_event_log(run->sink, "warning: " SW_TPM_NOT_MEASURED);
	return 0;
}

int sw_run_seal_site_secrets(struct sw_run *run, const struct sw_layout_keys *keys,
			     struct sw_error *err)
{
	_cleanup_json_ json_object *data = json_object_new_object();
	const struct sw_answers *a = run->p->answers;
	json_object *all = json_object_new_object();
	int r = 0;

	/* With those that are there already, of which there is a most. */
	sw_json_add(data, "secrets", all);
	sw_run_host_key_to_json(run, data);
	sw_run_secrets_to_json(run, data);
	for (size_t i = 0; i < a->n_site_secrets && r == 0; i++)
		r = seal(run, &a->site_secrets[i], keys, data, err);
	if (r < 0)
		return r;
	json_object_put(run->site_secrets);
	run->site_secrets = json_object_get(sw_secrets_of(data));
	return 0;
}

void sw_run_site_secrets_to_json(const struct sw_run *run, json_object *node_data)
{
	/* All of them: the host key and those that are kept are among them. */
	if (run->site_secrets)
		sw_json_add(node_data, "secrets", json_object_get(run->site_secrets));
}
