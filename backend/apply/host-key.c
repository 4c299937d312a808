/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The node's SSH host key: made by ssh-keygen in the work directory, which is memory on the medium,
 * and sealed to the TPM as a secret of the node. Only the public half is kept in the open.
 */
#include <string.h>

#include "apply/run.h"
#include "base/file.h"
#include "base/proc.h"
#include "boot/secrets.h"
#include "payload/trust.h"

#define TIMEOUT_S 60U
#define PRIVATE_MAX 4096U	/* bytes; ssh-keygen writes some 400 */

void sw_run_clear_host_key(struct sw_run *run)
{
	json_object_put(run->host_key.secrets);
	free(run->host_key.public);
	run->host_key.secrets = NULL;
	run->host_key.public = NULL;
}

static int generate(const struct sw_run *run, const char *path, struct sw_error *err)
{
	_cleanup_free_ char *comment = sw_fmt("root@%s", run->p->answers->hostname);
	const char *argv[] = { "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f",
			       path, NULL };
	_cleanup_buf_ struct sw_buf out = {};
	int r = comment ? sw_proc_run(argv, NULL, TIMEOUT_S, &out) : -ENOMEM;

	if (r == 0)
		return 0;
	sw_fail(err, r == -ENOENT ? SW_EXIT_MISSING : SW_EXIT_FAILED, r < 0 ? r : -EIO,
		"the SSH host key cannot be made");
	sw_error_why(err, "%s", r == -ENOENT ? "the program ssh-keygen is not there"
					     : r < 0 ? strerror(-r) : sw_buf_text(&out));
	sw_error_hint(err, "nothing was written; install OpenSSH's client (Debian: "
			   "openssh-client), or leave node.ssh.host-key away");
	return r < 0 ? r : -EIO;
}

static int read_public(struct sw_run *run, const char *path, struct sw_error *err)
{
	_cleanup_free_ char *file = sw_fmt("%s.pub", path), *line = NULL;
	int r = file ? sw_file_read_line(file, &line) : -ENOMEM;

	if (r == 0)
		r = sw_trust_check_key(line, NULL);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "the SSH host key cannot be read");
	run->host_key.public = TAKE_PTR(line);
	return 0;
}

static int seal(struct sw_run *run, const char *path, struct sw_secret_seal *s,
		struct sw_error *err)
{
	_cleanup_json_ json_object *data = json_object_new_object();
	_cleanup_secret_ struct sw_secret *private = NULL;
	struct sw_secret_sealed done;
	int r = sw_secret_read(path, PRIVATE_MAX, &private, err);

	(void)unlink(path);
	if (r == 0)
		r = sw_secrets_seal(data, s, private, &done, err);
	if (r < 0)
		return r;
	/* Of the disk's key it was said already. */
	if (!done.measured && !(sw_plan_encrypts(run->p) & SW_ENCRYPT_TPM2))
		sw_event_log(run->sink, "warning: " SW_TPM_NOT_MEASURED);
	run->host_key.secrets = json_object_get(sw_secrets_of(data));
	return 0;
}

int sw_run_make_host_key(struct sw_run *run, const struct sw_layout_keys *keys,
			 struct sw_error *err)
{
	_cleanup_free_ char *path = sw_fmt("%s/host-key", run->work);
	struct sw_secret_seal s = { .by = { .tcti = keys->tcti, .log = keys->log },
				    .name = SW_SECRET_HOST_KEY, .pcrs = SW_TPM_PCRS_DEFAULT,
				    .pcr7 = keys->pcr7 };
	int r = path ? 0 : sw_fail_oom(err);

	sw_run_clear_host_key(run);
	if (r == 0)
		sw_event_log(run->sink, "making the node's SSH host key");
	if (r == 0)
		r = generate(run, path, err);
	if (r == 0)
		r = seal(run, path, &s, err);
	return r < 0 ? r : read_public(run, path, err);
}

void sw_run_host_key_to_json(const struct sw_run *run, json_object *node_data)
{
	if (!run->host_key.secrets)
		return;
	sw_json_add(node_data, "secrets", json_object_get(run->host_key.secrets));
	sw_json_add_str(node_data, "ssh_host_key", run->host_key.public);
}
