/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/secrets.h"

#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "boot/secrets.h"
#include "payload/trust.h"
#include "plan/steps.h"
#include "plan/text.h"

static const char *const names[] = {
	[SW_BECOMES_KEPT] = "kept", [SW_BECOMES_RECOVERY] = "recovery",
	[SW_BECOMES_UNSURE] = "unsure", [SW_BECOMES_LOST] = "lost",
	[SW_BECOMES_DROPPED] = "dropped",
};

static int parse(const char *name, enum sw_becomes *ret_becomes)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(names[i], name) == 0) {
			*ret_becomes = (enum sw_becomes)i;
			return 0;
		}
	}
	return -EINVAL;
}

/* ---- what becomes of each ---- */

static enum sw_becomes judge(const struct sw_plan *p, enum sw_old_secret state, bool recovery)
{
	if (p->answers->secrets == SW_SECRETS_DROP)
		return SW_BECOMES_DROPPED;
	if (state == SW_OLD_OPENS)
		return SW_BECOMES_KEPT;
	if (recovery)
		return SW_BECOMES_RECOVERY;
	return state == SW_OLD_UNSURE ? SW_BECOMES_UNSURE : SW_BECOMES_LOST;
}

/* NULL: captured facts may say anything. */
static json_object *take_one(const struct sw_plan *p, json_object *o)
{
	const char *name = sw_json_str(o, "name", "");
	enum sw_old_secret state;
	json_object *one;

	if (!sw_credential_is_name(name) ||
	    sw_old_secret_parse(sw_json_str(o, "state", ""), &state) < 0)
		return NULL;
	one = json_object_new_object();
	sw_json_add_str(one, "name", name);
	sw_json_add_str(one, "becomes",
			names[judge(p, state, sw_json_bool(o, "recovery", false))]);
	sw_json_add_str(one, "state", sw_old_secret_name(state));
	sw_json_add_bool(one, "signed", sw_json_bool(o, "signed", false));
	return one;
}

static bool is_planned(const struct sw_plan *p, const char *node)
{
	for (size_t k = 0; k < p->n_disks; k++)
		if (p->disks[k].node && strcmp(p->disks[k].node, node) == 0)
			return true;
	return false;
}

/* Copies of a mirrored node hold the same; the last that was written counts. */
static json_object *newest(const struct sw_plan *p, json_object *old)
{
	size_t n = json_object_is_type(old, json_type_array) ? json_object_array_length(old) : 0;
	json_object *best = NULL;

	for (size_t i = 0; i < n; i++) {
		json_object *o = json_object_array_get_idx(old, i);

		if (json_object_is_type(o, json_type_object) &&
		    is_planned(p, sw_json_str(o, "disk", "")) &&
		    (!best || sw_json_u64(o, "sequence", 0) > sw_json_u64(best, "sequence", 0)))
			best = o;
	}
	return best;
}

/* ---- what else it was ---- */

static int warn_machine_id(struct sw_plan *p, const char *was)
{
	char id[33];
	int r = sw_plan_machine_id(p, id);

	if (!was || strlen(was) != 32 || !sw_text_is_clean(was) ||
	    (r == 0 && strcmp(id, was) == 0))
		return 0;
	if (r == 0)
		return sw_plan_warn(p, sw_fmt("the node that is there has the machine ID %s; the "
					      "new one gets another", was));
	return sw_plan_warn(p, sw_fmt("the node that is there has the machine ID %s; the new one "
				      "gets none: node.machine-id keeps it", was));
}

static int warn_admission(struct sw_plan *p, json_object *kinds)
{
	for (size_t i = 0; kinds && i < json_object_array_length(kinds); i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(kinds, i));
		enum sw_admission_kind kind = sw_admission_kind_of(name ? name : "");

		if (kind == SW_ADMISSION_NONE)
			continue;
		return sw_plan_warn(p, kind == SW_ADMISSION_ATTEST
			? strdup("what the node that is there got when it was admitted is not "
				 "kept: the new one attests again")
			: sw_fmt("what the node that is there got when it was admitted is not "
				 "kept: the new one needs a new token for %s", name));
	}
	return 0;
}

int sw_plan_take_old(struct sw_plan *p, json_object *old, struct sw_error *err)
{
	json_object *node = newest(p, old), *secrets = node ? sw_json_array(node, "secrets") : NULL;
	size_t n = secrets ? json_object_array_length(secrets) : 0;
	int r;

	if (!node)
		return 0;
	if (n > 0)
		p->old_secrets = json_object_new_array();
	for (size_t i = 0; i < n && i < SW_SECRETS_MAX; i++) {
		json_object *one = take_one(p, json_object_array_get_idx(secrets, i));

		if (one)
			json_object_array_add(p->old_secrets, one);
	}
	r = warn_machine_id(p, sw_json_str(node, "machine_id", NULL));
	if (r == 0)
		r = warn_admission(p, sw_json_array(node, "admission"));
	return r < 0 ? sw_fail_oom(err) : 0;
}

/* ---- asking ---- */

static size_t count(const struct sw_plan *p)
{
	return p->old_secrets ? json_object_array_length(p->old_secrets) : 0;
}

static enum sw_becomes becomes(json_object *one)
{
	enum sw_becomes b = SW_BECOMES_LOST;

	(void)parse(sw_json_str(one, "becomes", ""), &b);
	return b;
}

int sw_plan_becomes(const struct sw_plan *p, const char *name, enum sw_becomes *ret_becomes)
{
	for (size_t i = 0; i < count(p); i++) {
		json_object *one = json_object_array_get_idx(p->old_secrets, i);

		if (strcmp(sw_json_str(one, "name", ""), name) == 0) {
			*ret_becomes = becomes(one);
			return 0;
		}
	}
	return -ENOENT;
}

bool sw_plan_keeps_secrets(const struct sw_plan *p)
{
	for (size_t i = 0; i < count(p); i++)
		if (becomes(json_object_array_get_idx(p->old_secrets, i)) < SW_BECOMES_LOST)
			return true;
	return false;
}

bool sw_plan_keeps_host_key(const struct sw_plan *p)
{
	enum sw_becomes b;

	return sw_plan_becomes(p, SW_SECRET_HOST_KEY, &b) == 0 && b == SW_BECOMES_KEPT;
}

/* ---- the review ---- */

static const char *why_lost(json_object *one)
{
	enum sw_old_secret s = SW_OLD_DAMAGED;

	(void)sw_old_secret_parse(sw_json_str(one, "state", ""), &s);
	switch (s) {
	case SW_OLD_OTHER_TPM:
		return "it was sealed by another TPM, or this one was cleared since";
	case SW_OLD_NO_TPM:
		return "no TPM is here that could open it";
	case SW_OLD_DAMAGED:
		return "what is kept of it is damaged";
	default:
		return "the TPM no longer opens it: its PCRs are not as they were sealed to";
	}
}

static char *words(const struct sw_plan *p, json_object *one)
{
	const char *name = sw_json_str(one, "name", "?");

	if (sw_answers_secret(p->answers, name))
		return sw_fmt("%s: replaced by the one that the answers give", name);

	switch (becomes(one)) {
	case SW_BECOMES_KEPT:
		return sw_fmt("%s: kept, %s", name, sw_json_bool(one, "signed", false)
			? "for images that bring signed PCRs along" : "the TPM opens it");
	case SW_BECOMES_RECOVERY:
		return sw_fmt("%s: kept, but only its recovery key opens it: afterwards `slipway "
			      "secret reseal --recovery-file FILE`", name);
	case SW_BECOMES_UNSURE:
		return sw_fmt("%s: kept if the TPM opens it for the new image, which is known once "
			      "that is fetched", name);
	case SW_BECOMES_DROPPED:
		return sw_fmt("%s: dropped, as node.secrets says", name);
	default:
		return sw_fmt("%s: LOST: %s, and no recovery key was given for it", name,
			      why_lost(one));
	}
}

/* Where each comes from that the answers give; never what it is. */
static int add_given(struct sw_buf *b, const struct sw_plan *p, unsigned int width)
{
	const struct sw_answers *a = p->answers;
	int r = 0;

	for (size_t i = 0; sw_plan_gives_secrets(p) && i < a->n_site_secrets && r == 0; i++) {
		const struct sw_site_secret *s = &a->site_secrets[i];
		_cleanup_free_ char *text = sw_fmt("%s: from %s%s, sealed to the TPM", s->name,
			s->credential ? "the credential " : "",
			s->file ? s->file : s->credential ? s->credential : s->sealed);

		r = text ? sw_plan_wrap(b, i || count(p) ? "         " : "Secrets  ", text, width)
			 : -ENOMEM;
	}
	return r;
}

int sw_plan_add_secrets(struct sw_buf *b, const struct sw_plan *p, unsigned int width)
{
	int r = 0;

	for (size_t i = 0; i < count(p) && r == 0; i++) {
		_cleanup_free_ char *text = words(p, json_object_array_get_idx(p->old_secrets, i));

		r = text ? sw_plan_wrap(b, i ? "         " : "Secrets  ", text, width) : -ENOMEM;
	}
	return r < 0 ? r : add_given(b, p, width);
}

/* ---- what was read ---- */

bool sw_plan_secrets_are_sound(json_object *list)
{
	if (!json_object_is_type(list, json_type_array) ||
	    json_object_array_length(list) > SW_SECRETS_MAX)
		return false;
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		json_object *one = json_object_array_get_idx(list, i);
		enum sw_old_secret s;
		enum sw_becomes b;

		if (!json_object_is_type(one, json_type_object) ||
		    !sw_credential_is_name(sw_json_str(one, "name", "")) ||
		    parse(sw_json_str(one, "becomes", ""), &b) < 0 ||
		    sw_old_secret_parse(sw_json_str(one, "state", ""), &s) < 0)
			return false;
	}
	return true;
}

bool sw_plan_kept_secrets_are_sound(json_object *kept)
{
	json_object *all = json_object_is_type(kept, json_type_object) ? sw_secrets_of(kept) : NULL;
	const char *key = all ? sw_json_str(kept, "ssh_host_key", NULL) : NULL;

	if (!all || json_object_object_length(all) > (int)SW_SECRETS_MAX ||
	    (key && sw_trust_check_key(key, NULL) < 0))
		return false;
	json_object_object_foreach(all, name, entry) {
		if (!sw_credential_is_name(name) || !json_object_is_type(entry, json_type_object) ||
		    !sw_json_str(entry, "credential", NULL))
			return false;
	}
	return true;
}
