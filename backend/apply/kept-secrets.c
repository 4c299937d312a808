/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The secrets of the node that was there, taken over before the first write: as they are when the
 * TPM will open them on the node, sealed anew when it opens them here and would not there. Each is
 * opened or judged first; what the review promised and cannot be kept stops the install.
 */
#include <string.h>

#include "apply/run.h"
#include "boot/nodedata.h"
#include "boot/secrets.h"
#include "plan/secrets.h"

struct taking {
	struct sw_run *run;
	json_object *old;	/* node data */
	json_object *secrets;	/* what is taken over */
	const struct sw_layout_keys *keys;
	json_object *signatures;
};

/* What the TPM opens here is sealed anew, for there it would not. */
static int reseal(struct taking *t, const char *name, const struct sw_credential *c)
{
	struct sw_secret_seal s = { .by = { .tcti = t->keys->tcti, .log = t->keys->log,
					    .signatures = t->signatures },
				    .name = name, .pcrs = SW_TPM_PCRS_DEFAULT,
				    .pcr7 = t->keys->pcr7 };
	struct sw_secret_sealed done;

	if (c->sealed.pcrs & ~SW_TPM_PCRS_DEFAULT)
		return -EPERM;
	return sw_secrets_reseal(t->old, &s, &done, NULL);
}

static bool will_open(struct taking *t, const char *name)
{
	const char *text = sw_secrets_text(t->old, name);
	_cleanup_buf_ struct sw_buf bytes = {};
	struct sw_credential c = {};

	if (!text || sw_credential_from_text(text, &bytes, NULL) < 0 ||
	    sw_credential_parse(bytes.data, bytes.len, &c, NULL) < 0)
		return false;
	if (sw_old_secret_judge(t->keys->tcti, &c, t->keys->pcr7) == SW_OLD_OPENS)
		return true;
	return t->keys->tcti && reseal(t, name, &c) == 0;
}

static int broken_promise(const char *name, struct sw_error *err)
{
	sw_fail(err, SW_EXIT_REFUSED, -ESTALE, "the secret \"%s\" cannot be kept", name);
	sw_error_why(err, "the plan says that the TPM opens it, and by now it does not");
	sw_error_hint(err, "nothing was written; plan again, and the review says what becomes of "
			   "it");
	return -ESTALE;
}

static int take(struct taking *t, const char *name, struct sw_error *err)
{
	enum sw_becomes b;

	/* What the answers give takes its place. */
	if (sw_plan_becomes(t->run->p, name, &b) < 0 || b >= SW_BECOMES_LOST ||
	    sw_answers_secret(t->run->p->answers, name))
		return 0;
	if (!will_open(t, name)) {
		if (b == SW_BECOMES_KEPT)
			return broken_promise(name, err);
		if (b == SW_BECOMES_UNSURE) {
			sw_event_log(t->run->sink, "warning: the TPM does not open the secret "
				     "\"%s\" for the new image: it is not kept", name);
			return 0;
		}
	}
	/* A reseal has put another one there. */
	sw_json_add(t->secrets, name, json_object_get(sw_json_get(sw_secrets_of(t->old), name)));
	sw_event_log(t->run->sink, "keeping the secret \"%s\"", name);
	return 0;
}

static int take_all(struct taking *t, struct sw_error *err)
{
	json_object *old = sw_secrets_of(t->old);
	_cleanup_json_ json_object *names = json_object_new_array();
	int r = 0;

	if (!old)
		return 0;
	json_object_object_foreach(old, name, entry) {
		(void)entry;
		json_object_array_add(names, json_object_new_string(name));
	}
	for (size_t i = 0; r == 0 && i < json_object_array_length(names); i++)
		r = take(t, json_object_get_string(json_object_array_get_idx(names, i)), err);
	return r;
}

/* A journal that does not hold them could not give them back at a resume. */
static int check_size(json_object *kept, struct sw_error *err)
{
	size_t n = strlen(json_object_to_json_string_ext(kept, JSON_C_TO_STRING_PLAIN));

	if (n <= SW_KEPT_SECRETS_MAX)
		return 0;
	sw_fail(err, SW_EXIT_REFUSED, -E2BIG, "the node's secrets are too many to be kept");
	sw_error_why(err, "they take %zu bytes, and %u are what the journal has room for", n,
		     SW_KEPT_SECRETS_MAX);
	sw_error_hint(err, "nothing was written; take some away with `slipway secret remove`, or "
			   "set node.secrets: drop");
	return -E2BIG;
}

static int keep(struct taking *t, struct sw_error *err)
{
	_cleanup_json_ json_object *kept = json_object_new_object();
	int r = take_all(t, err);

	if (r < 0 || json_object_object_length(t->secrets) == 0)
		return r;
	sw_json_add(kept, "secrets", json_object_get(t->secrets));
	if (sw_json_get(t->secrets, SW_SECRET_HOST_KEY))
		sw_json_add_str(kept, "ssh_host_key",
				sw_json_str(t->old, "ssh_host_key", NULL));
	r = check_size(kept, err);
	if (r < 0)
		return r;
	json_object_put(t->run->p->kept_secrets);
	t->run->p->kept_secrets = TAKE_PTR(kept);
	return 0;
}

int sw_run_keep_secrets(struct sw_run *run, const struct sw_layout_keys *keys,
			struct sw_error *err)
{
	_cleanup_json_ json_object *old = NULL, *secrets = NULL, *signatures = NULL;
	struct taking t = { .run = run, .keys = keys };
	int r = 0;

	/* A resume has them from the journal; the node data may be gone by then. */
	if (run->resumed || !sw_plan_keeps_secrets(run->p))
		return 0;
	old = sw_run_newest_node_data(run);
	if (!old)
		return broken_promise("all of them", err);
	secrets = json_object_new_object();
	r = sw_secrets_signatures(run->m, NULL, &signatures, err);
	t.old = old;
	t.secrets = secrets;
	t.signatures = signatures;
	return r < 0 ? r : keep(&t, err);
}

bool sw_run_has_kept(const struct sw_run *run, const char *name)
{
	json_object *kept = run->p->kept_secrets;

	return kept && sw_json_get(sw_secrets_of(kept), name);
}

void sw_run_secrets_to_json(const struct sw_run *run, json_object *node_data)
{
	json_object *kept = run->p->kept_secrets, *all;

	if (!kept)
		return;
	/* Those that were made now count more. */
	all = sw_secrets_of(node_data);
	if (!all)
		sw_json_add(node_data, "secrets", all = json_object_new_object());
	json_object_object_foreach(sw_secrets_of(kept), name, entry) {
		if (!sw_json_get(all, name))
			sw_json_add(all, name, json_object_get(entry));
	}
	if (!sw_json_get(node_data, "ssh_host_key"))
		sw_json_add_str(node_data, "ssh_host_key", sw_json_str(kept, "ssh_host_key", NULL));
}
