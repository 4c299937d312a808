/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What others must not see: the host key, tokens, and secrets.age. They go into the node data
 * sealed to the TPM, never otherwise. What the node has now is asked of the TPM, to compare.
 */
#include <nettle/base64.h>
#include <string.h>

#include "admission/token.h"
#include "base/age.h"
#include "base/file.h"
#include "base/proc.h"
#include "base/text.h"
#include "boot/secrets.h"
#include "config/private.h"
#include "payload/trust.h"

#define KEYGEN_S 60U
#define OPENED_MAX ((size_t)512 << 10)
#define NAME_MAX_LEN 63U

/* ---- sealing later ---- */

static int remember(struct sw_importing *im, const char *name, const struct sw_secret *data)
{
	struct sw_config_preview *p = im->out;
	struct sw_config_sealing *bigger = reallocarray(p->secrets, p->n_secrets + 1,
							sizeof(*bigger));

	if (!bigger)
		return -ENOMEM;
	p->secrets = bigger;
	bigger += p->n_secrets;
	*bigger = (struct sw_config_sealing){};
	(void)snprintf(bigger->name, sizeof(bigger->name), "%s", name);
	if (sw_secret_copy(data, &bigger->data, NULL) < 0)
		return -ENOMEM;
	p->n_secrets++;
	return 0;
}

/* The verdict for a secret of this name, which is sealed by an import unless it is the same. */
static int decide(struct sw_importing *im, const char *name, const struct sw_secret *data,
		  struct sw_config_item *it)
{
	_cleanup_secret_ struct sw_secret *now = NULL;
	const struct sw_secret_keys by = { .tcti = im->keys->tcti };
	struct sw_error e = {};

	if (!im->keys->tcti)
		return sw_config_refuse(it, "this machine has no TPM to seal it to, and it is kept "
					    "in no other way");
	if (!sw_secrets_text(im->n->data, name)) {
		it->verdict = SW_CONFIG_NEW;
		return remember(im, name, data);
	}
	if (sw_secrets_open(im->n->data, &by, name, &now, &e) < 0) {
		it->verdict = SW_CONFIG_DIFFERS;
		(void)snprintf(it->why, sizeof(it->why),
			       "the TPM does not open the present one here, so it is replaced");
		return remember(im, name, data);
	}
	it->verdict = sw_secret_same(now, data) ? SW_CONFIG_SAME : SW_CONFIG_DIFFERS;
	return it->verdict == SW_CONFIG_SAME ? 0 : remember(im, name, data);
}

/* ---- the host key ---- */

/* Its public half, by ssh-keygen, through a file in memory; NULL: it said why not. */
static int public_half(const struct sw_secret *private, char **ret_public,
		       struct sw_config_item *it)
{
	_cleanup_free_ char *dir = NULL, *path = NULL;
	_cleanup_buf_ struct sw_buf out = {};
	const char *argv[] = { "ssh-keygen", "-y", "-P", "", "-f", NULL, NULL };
	int r = sw_scratch_new("config", &dir);

	path = r == 0 ? sw_fmt("%s/key", dir) : NULL;
	if (!path)
		return r < 0 ? sw_config_refuse(it, "%s", strerror(-r)) : -ENOMEM;
	argv[5] = path;
	r = sw_file_write(path, private->data, private->len, 0600);
	if (r == 0)
		r = sw_proc_run(argv, NULL, KEYGEN_S, &out);
	(void)sw_remove_tree(dir);
	if (r == -ENOENT)
		return sw_config_refuse(it, "the program ssh-keygen is not here to look at it");
	if (r)
		return sw_config_refuse(it, "ssh-keygen does not take it for a key without a "
					    "passphrase");
	*ret_public = strndup(sw_buf_text(&out), strcspn(sw_buf_text(&out), "\n"));
	return *ret_public ? 0 : -ENOMEM;
}

/* Type and key, without the comment behind them. */
static bool same_key(const char *a, const char *b)
{
	size_t n = strcspn(a, " ");

	n += a[n] ? 1 + strcspn(a + n + 1, " ") : 0;
	return strncmp(a, b, n) == 0 && (!b[n] || b[n] == ' ');
}

int sw_config_take_host_key(struct sw_importing *im, const struct sw_config_file *f,
			    struct sw_config_item *it)
{
	_cleanup_free_ char *public = NULL;
	int r = public_half(f->data, &public, it);

	if (r < 0 || !public)
		return r;
	if (strncmp(public, "ssh-ed25519 ", 12) != 0)
		return sw_config_refuse(it, "it is of another type than its name says");
	r = decide(im, SW_SECRET_HOST_KEY, f->data, it);
	if (r == 0 && it->verdict != SW_CONFIG_REFUSED) {
		char print[SW_SSH_FINGERPRINT];

		if (sw_trust_fingerprint(public, print) == 0)
			(void)snprintf(it->then, sizeof(it->then), "%s", print);
		sw_json_add_str(im->out->data, "ssh_host_key", public);
		if (!it->why[0])
			(void)snprintf(it->why, sizeof(it->why), "the source has it in the clear: "
				       "erase it there once the node has it");
	}
	return r;
}

static bool offered(const struct sw_importing *im, const char *name)
{
	for (size_t i = 0; i < im->source->n; i++)
		if (strcmp(im->source->v[i].name, name) == 0)
			return true;
	return false;
}

int sw_config_take_host_pub(struct sw_importing *im, const struct sw_config_file *f,
			    struct sw_config_item *it)
{
	_cleanup_free_ char *line = strdup((const char *)f->data->data);
	const char *now = sw_json_str(im->out->data, "ssh_host_key", NULL);

	if (!line)
		return -ENOMEM;
	line[strcspn(line, "\r\n")] = '\0';
	if (sw_trust_check_key(line, NULL) < 0)
		return sw_config_refuse(it, "it is no public key");
	if (now && same_key(now, line)) {
		it->verdict = SW_CONFIG_SAME;
		return 0;
	}
	return sw_config_refuse(it, offered(im, "ssh/" SW_SECRET_HOST_KEY)
					    ? "it is not the public half of the key beside it"
					    : "without its private half the node cannot use it; "
					      "that is in " SW_CONFIG_SECRETS " of a saved node");
}

/* ---- tokens ---- */

int sw_config_take_token(struct sw_importing *im, const struct sw_config_file *f,
			 struct sw_config_item *it)
{
	_cleanup_free_ char *name = sw_fmt(SW_CONFIG_TOKEN "%s", strrchr(f->name, '/') + 1);
	struct sw_token_info info;

	if (!name)
		return -ENOMEM;
	if (strlen(name) > NAME_MAX_LEN || !sw_credential_is_name(name))
		return sw_config_refuse(it, "its name cannot be that of a secret");
	sw_token_inspect((const char *)f->data->data, f->data->len, &info);
	if (info.kind == SW_TOKEN_NONE || info.state != SW_TOKEN_WHOLE)
		return sw_config_refuse(it, "it is no whole token%s%.120s", info.why[0] ? ": " : "",
					info.why);
	(void)snprintf(it->then, sizeof(it->then), "%s, as the secret %.40s",
		       sw_token_kind_name(info.kind), name);
	return decide(im, name, f->data, it);
}

/* ---- secrets.age ---- */

static int from_base64(const char *text, struct sw_secret **ret)
{
	_cleanup_secret_ struct sw_secret *s = NULL;
	struct base64_decode_ctx c;
	size_t n = strlen(text), got = BASE64_DECODE_LENGTH(n);

	if (!n || sw_secret_new(got, &s, NULL) < 0)
		return n ? -ENOMEM : -EINVAL;
	base64_decode_init(&c);
	if (!base64_decode_update(&c, &got, s->data, n, text) || !base64_decode_final(&c) || !got)
		return -EINVAL;
	s->len = got;
	*ret = TAKE_PTR(s);
	return 0;
}

static int take_one(struct sw_importing *im, const char *name, const char *text)
{
	_cleanup_free_ char *shown = sw_fmt(SW_CONFIG_SECRETS ": %.60s", name);
	_cleanup_secret_ struct sw_secret *s = NULL;
	_cleanup_free_ char *public = NULL;
	struct sw_config_item *it = NULL;
	int r;

	if (shown)
		it = sw_config_item_add(im, sw_text_clean(shown), "secret");
	if (!it)
		return -ENOMEM;
	if (strlen(name) > NAME_MAX_LEN || !sw_credential_is_name(name))
		return sw_config_refuse(it, "its name cannot be that of a secret");
	r = text ? from_base64(text, &s) : -EINVAL;
	if (r < 0)
		return r == -ENOMEM ? r : sw_config_refuse(it, "its content is damaged");
	if (strcmp(name, SW_SECRET_HOST_KEY) != 0)
		return decide(im, name, s, it);
	r = public_half(s, &public, it);
	if (r < 0 || !public)
		return r;
	r = decide(im, name, s, it);
	if (r == 0 && it->verdict != SW_CONFIG_REFUSED)
		sw_json_add_str(im->out->data, "ssh_host_key", public);
	return r;
}

static int take_all(struct sw_importing *im, const char *file, const struct sw_secret *plain)
{
	_cleanup_json_ json_object *o = NULL;
	json_object *all = NULL;
	struct sw_config_item *it;
	int r = 0;

	if (sw_json_parse((const char *)plain->data, plain->len, file, &o, NULL) == 0 &&
	    sw_json_int(o, "slipway_secrets", 0) == 1)
		all = sw_json_get(o, "secrets");
	if (!all || !json_object_is_type(all, json_type_object)) {
		it = sw_config_item_add(im, file, "secrets");
		return it ? sw_config_refuse(it, "what is in it is not from `slipway config save`")
			  : -ENOMEM;
	}
	json_object_object_foreach(all, name, value)
		if (r == 0)
			r = take_one(im, name, json_object_is_type(value, json_type_string)
						       ? json_object_get_string(value) : NULL);
	return r;
}

int sw_config_take_secrets(struct sw_importing *im, const struct sw_config_file *f,
			   struct sw_config_item *it)
{
	_cleanup_secret_ struct sw_secret *plain = NULL;
	const struct sw_config_keys *k = im->keys;
	struct sw_error e = {};
	int r = -ENOKEY;

	if (k->identity || k->passphrase)
		r = sw_age_decrypt(f->data->data, f->data->len, k->identity, k->passphrase,
				   OPENED_MAX, &plain, &e);
	if (r == 0)
		return take_all(im, f->name, plain);
	it = sw_config_item_add(im, f->name, "secrets");
	if (!it)
		return -ENOMEM;
	if (r == -ENOKEY)
		return sw_config_refuse(it, "it is encrypted, and no key was given to open it");
	return sw_config_refuse(it, "%.100s: %.90s", e.what, e.why);
}

int sw_config_secrets_pack(json_object *secrets, struct sw_secret **ret_text, struct sw_error *err)
{
	_cleanup_secret_ struct sw_secret *t = NULL;
	json_object *o = json_object_new_object();
	const char *text;
	int r;

	sw_json_add_u64(o, "slipway_secrets", 1);
	sw_json_add(o, "secrets", json_object_get(secrets));
	text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN);
	r = text ? sw_secret_new(strlen(text), &t, err) : sw_fail_oom(err);
	if (r == 0)
		memcpy(t->data, text, t->len);
	json_object_put(o);
	*ret_text = TAKE_PTR(t);
	return r;
}
