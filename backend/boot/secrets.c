/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/secrets.h"

#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "disk/luks-open.h"

#define RESEAL "`slipway secret reseal --recovery-file FILE` opens the copy that a recovery key " \
	"was given for and seals it anew; without one seal the secret again from where it came from"

static uint64_t now_us(void)
{
	return (uint64_t)sw_wall_ms() * 1000U;
}

/* ---- node data ---- */

json_object *sw_secrets_of(json_object *data)
{
	json_object *o = sw_json_get(data, "secrets");

	return o && json_object_is_type(o, json_type_object) ? o : NULL;
}

static json_object *entry_of(json_object *data, const char *name)
{
	json_object *all = sw_secrets_of(data), *o = all ? sw_json_get(all, name) : NULL;

	return o && json_object_is_type(o, json_type_object) ? o : NULL;
}

static int missing(const char *name, struct sw_error *err)
{
	sw_fail(err, SW_EXIT_MISSING, -ENOENT, "the node has no secret \"%.64s\"", name);
	sw_error_hint(err, "`slipway secret list` shows what there is");
	return -ENOENT;
}

const char *sw_secrets_text(json_object *data, const char *name)
{
	json_object *o = entry_of(data, name);

	return o ? sw_json_str(o, "credential", NULL) : NULL;
}

int sw_secrets_remove(json_object *data, const char *name, struct sw_error *err)
{
	json_object *all = sw_secrets_of(data);

	if (!all || !sw_json_get(all, name))
		return missing(name, err);
	json_object_object_del(all, name);
	return 0;
}

/* One copy of it taken apart; bytes owns what c points into. */
static int take_apart(json_object *entry, const char *which, const char *name,
		      struct sw_buf *bytes, struct sw_credential *c, struct sw_error *err)
{
	const char *text = sw_json_str(entry, which, NULL);
	int r = text ? sw_credential_from_text(text, bytes, err) : -ENOENT;

	if (r == 0)
		r = sw_credential_parse(bytes->data, bytes->len, c, err);
	if (r < 0 && text)
		sw_error_where(err, "secret \"%s\" in the node data", name);
	return r;
}

static json_object *pcr_numbers(uint32_t pcrs)
{
	json_object *list = json_object_new_array();

	for (int i = 0; i < 24; i++)
		if (pcrs & 1U << i)
			json_object_array_add(list, json_object_new_int(i));
	return list;
}

json_object *sw_secrets_list(json_object *data)
{
	json_object *list = json_object_new_array(), *all = sw_secrets_of(data);

	if (!all)
		return list;
	json_object_object_foreach(all, name, entry) {
		json_object *o = json_object_new_object();
		_cleanup_buf_ struct sw_buf bytes = {};
		struct sw_credential c = {};
		int r = take_apart(entry, "credential", name, &bytes, &c, NULL);

		sw_json_add_str(o, "name", name);
		sw_json_add(o, "pcrs", pcr_numbers(r == 0 ? c.sealed.pcrs : 0));
		sw_json_add(o, "signed", pcr_numbers(r == 0 ? c.sealed.signer.pcrs : 0));
		sw_json_add_bool(o, "recovery", sw_json_str(entry, "recovery", NULL));
		sw_json_add_bool(o, "damaged", r < 0 || c.recovery);
		json_object_array_add(list, o);
	}
	return list;
}

/* ---- opening ---- */

static int by_recovery(json_object *entry, const char *name, const struct sw_secret *recovery,
		       struct sw_secret **ret_secret, struct sw_error *err)
{
	_cleanup_buf_ struct sw_buf bytes = {};
	struct sw_credential c;
	int r = take_apart(entry, "recovery", name, &bytes, &c, err);

	if (r == -ENOENT) {
		sw_fail(err, SW_EXIT_MISSING, r, "no recovery key was given for \"%s\"", name);
		sw_error_hint(err, "seal the secret again from where it came from");
	}
	if (r < 0)
		return r;
	return sw_credential_open(&c, recovery, name, now_us(), ret_secret, err);
}

/* What the TPM's reasons advise is about volumes. */
static int no_longer(const char *name, int r, struct sw_error *err)
{
	if (r == -EPERM || r == -ENOKEY)
		sw_error_where(err, "secret \"%s\"", name);
	if (r == -EPERM && err) {
		err->hint[0] = '\0';
		sw_error_hint(err, "%s", RESEAL);
	}
	return r;
}

static int by_tpm(json_object *entry, const struct sw_secret_keys *by, const char *name,
		  struct sw_secret **ret_secret, struct sw_error *err)
{
	_cleanup_secret_ struct sw_secret *key = NULL;
	_cleanup_buf_ struct sw_buf bytes = {};
	struct sw_credential c;
	int r = take_apart(entry, "credential", name, &bytes, &c, err);

	if (r == -ENOENT || (r == 0 && c.recovery))
		return missing(name, err);
	if (r == 0)
		r = no_longer(name, sw_tpm_unseal(by->tcti, &c.sealed, by->signatures, &key, err),
			      err);
	return r < 0 ? r : sw_credential_open(&c, key, name, now_us(), ret_secret, err);
}

int sw_secrets_open(json_object *data, const struct sw_secret_keys *by, const char *name,
		    struct sw_secret **ret_secret, struct sw_error *err)
{
	json_object *entry = entry_of(data, name);

	if (!entry)
		return missing(name, err);
	return by->recovery ? by_recovery(entry, name, by->recovery, ret_secret, err)
			    : by_tpm(entry, by, name, ret_secret, err);
}

/* The first that can be read: the machine's own, else where systemd's parts look for it. */
static int find_signatures(const struct sw_machine *m, json_object **ret_signatures)
{
	static const char *const places[] = {
		"/.extra/tpm2-pcr-signature.json",	/* systemd-stub, in the initrd */
		"/run/systemd/tpm2-pcr-signature.json",
		"/etc/systemd/tpm2-pcr-signature.json",
		"/usr/lib/systemd/tpm2-pcr-signature.json",
	};
	_cleanup_free_ char *own = sw_fmt("%s/tpm2-pcr-signature.json", m->run_dir);

	if (!own)
		return -ENOMEM;
	if (sw_json_load(own, ret_signatures, NULL) == 0 || m->kind != SW_MACHINE_REAL)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (sw_json_load(places[i], ret_signatures, NULL) == 0)
			break;
	return 0;
}

int sw_secrets_signatures(const struct sw_machine *m, const char *file,
			  json_object **ret_signatures, struct sw_error *err)
{
	if (file)
		return sw_json_load(file, ret_signatures, err);
	return find_signatures(m, ret_signatures) < 0 ? sw_fail_oom(err) : 0;
}

int sw_secrets_part_key(struct sw_machine *m, struct sw_io *part, const char *file,
			const char *label, struct sw_secret **ret_key, struct sw_error *err)
{
	_cleanup_json_ json_object *signatures = NULL;
	const char *tcti = NULL;
	int r = sw_machine_tcti(m, &tcti, err);

	if (r == 0)
		r = sw_secrets_signatures(m, file, &signatures, err);
	return r < 0 ? r : sw_luks_tpm_key(tcti, part, signatures, label, ret_key, err);
}

/* ---- sealing ---- */

static int weak_key(struct sw_error *err)
{
	sw_fail(err, SW_EXIT_INVALID, -EKEYREJECTED, "this recovery key is too short");
	sw_error_why(err, "the copy lies on the disk in the open, and only the key protects it");
	sw_error_hint(err, "a recovery key as slipway shows it, or a file of %u random bytes or "
			   "more", SW_RECOVERY_BYTES_MIN);
	return -EKEYREJECTED;
}

static int add_text(json_object *o, const char *which, const struct sw_buf *bytes,
		    struct sw_error *err)
{
	_cleanup_free_ char *text = sw_credential_to_text(bytes);

	if (!text || !*text)
		return sw_fail_oom(err);
	sw_json_add_str(o, which, text);
	return 0;
}

static int add_recovery(json_object *o, const struct sw_secret_seal *s,
			const struct sw_secret *secret, struct sw_error *err)
{
	_cleanup_buf_ struct sw_buf bytes = {};
	int r;

	if (s->by.recovery->len < SW_RECOVERY_BYTES_MIN)
		return weak_key(err);
	r = sw_credential_close(NULL, s->by.recovery, s->name, now_us(), secret, &bytes, err);
	return r < 0 ? r : add_text(o, "recovery", &bytes, err);
}

static int add_credential(json_object *o, const struct sw_secret_seal *s,
			  const struct sw_secret *secret, struct sw_secret_sealed *done,
			  struct sw_error *err)
{
	_cleanup_secret_ struct sw_secret *key = NULL;
	_cleanup_buf_ struct sw_buf bytes = {};
	const struct sw_seal_signer signer = { s->signer, s->by.signatures, s->by.log };
	struct sw_sealed sealed;
	json_object *to;
	int r = sw_tpm_seal_tried(s->by.tcti, s->pcrs, s->pcr7, &signer, &sealed, &key, err);

	if (r == 0)
		r = sw_credential_close(&sealed, key, s->name, now_us(), secret, &bytes, err);
	if (r < 0)
		return r;
	done->measured = sealed.measured;
	done->later = sealed.later;
	sw_json_add_u64(o, "time", now_us() / 1000000U);
	to = sw_sealed_to_json(&sealed.to);
	if (to)
		sw_json_add(o, "sealed_to", to);
	return add_text(o, "credential", &bytes, err);
}

/* What was made is read and opened as it will be, from its text on. */
static int try_it(json_object *o, const struct sw_secret_seal *s, const struct sw_secret *secret,
		  struct sw_error *err)
{
	_cleanup_secret_ struct sw_secret *back = NULL;
	int r = by_tpm(o, &s->by, s->name, &back, err);

	if (r == 0 && !sw_secret_same(back, secret))
		r = sw_fail(err, SW_EXIT_MISSING, -EIO, "the TPM does not give back what was "
							"sealed");
	return r;
}

static json_object *room_for(json_object *data, const char *name, struct sw_error *err)
{
	json_object *all = sw_secrets_of(data);

	if (!all) {
		all = json_object_new_object();
		sw_json_add(data, "secrets", all);
	}
	if (sw_json_get(all, name) || json_object_object_length(all) < (int)SW_SECRETS_MAX)
		return all;
	sw_fail(err, SW_EXIT_REFUSED, -ENOSPC, "a node has at most %u secrets", SW_SECRETS_MAX);
	sw_error_hint(err, "`slipway secret remove NAME` takes one away");
	return NULL;
}

int sw_secrets_seal(json_object *data, const struct sw_secret_seal *s,
		    const struct sw_secret *secret, struct sw_secret_sealed *ret_sealed,
		    struct sw_error *err)
{
	_cleanup_json_ json_object *o = json_object_new_object();
	struct sw_secret_sealed done = { .recovery = s->by.recovery };
	json_object *all;
	int r = add_credential(o, s, secret, &done, err);

	if (r == 0 && !done.later)
		r = try_it(o, s, secret, err);
	if (r == 0 && s->by.recovery)
		r = add_recovery(o, s, secret, err);
	if (r < 0)
		return r;
	all = room_for(data, s->name, err);
	if (!all)
		return -ENOSPC;
	done.replaced = sw_json_get(all, s->name);
	sw_json_add(all, s->name, TAKE_PTR(o));
	*ret_sealed = done;
	return 0;
}

/* Who signs for it so far stays its signer, unless another one is named. */
static int keep_signer(json_object *entry, struct sw_secret_seal *s, struct sw_pcr_key *key,
		       struct sw_error *err)
{
	_cleanup_buf_ struct sw_buf bytes = {};
	struct sw_credential c = {};
	int r = s->signer ? 0 : take_apart(entry, "credential", s->name, &bytes, &c, err);

	*key = c.sealed.signer;
	if (r == 0 && key->pcrs)
		s->signer = key;
	return r;
}

int sw_secrets_reseal(json_object *data, const struct sw_secret_seal *seal,
		      struct sw_secret_sealed *ret_sealed, struct sw_error *err)
{
	_cleanup_json_ json_object *o = json_object_new_object();
	_cleanup_secret_ struct sw_secret *secret = NULL;
	struct sw_secret_sealed done = { .replaced = true };
	json_object *entry = entry_of(data, seal->name);
	const char *copy = entry ? sw_json_str(entry, "recovery", NULL) : NULL;
	struct sw_secret_seal s = *seal;
	struct sw_pcr_key key;
	int r = sw_secrets_open(data, &s.by, s.name, &secret, err);

	if (r == 0)
		r = keep_signer(entry, &s, &key, err);
	if (r == 0)
		r = add_credential(o, &s, secret, &done, err);
	if (r == 0 && !done.later)
		r = try_it(o, &s, secret, err);
	if (r < 0)
		return r;
	if (copy)
		sw_json_add_str(o, "recovery", copy);
	done.recovery = copy;
	sw_json_add(sw_secrets_of(data), s.name, TAKE_PTR(o));
	*ret_sealed = done;
	return 0;
}
