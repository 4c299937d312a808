/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A verdict for each file of config/. The names are kamikazi-core's where both mean the same, those
 * of `slipway node config` for what only slipway has.
 */
#include <fnmatch.h>
#include <stdarg.h>
#include <string.h>

#include "answers/answers.h"
#include "base/file.h"
#include "base/guid.h"
#include "base/hex.h"
#include "base/strv.h"
#include "base/text.h"
#include "boot/nodedata.h"
#include "boot/secrets.h"
#include "config/private.h"
#include "payload/trust.h"

#define ADDED_KEYS_MAX 64U

const char *sw_config_verdict_name(enum sw_config_verdict v)
{
	static const char *const names[] = { "new", "same", "differs", "refused" };

	return names[v];
}

/* ---- verdicts ---- */

int sw_config_refuse(struct sw_config_item *it, const char *fmt, ...)
{
	va_list ap;

	it->verdict = SW_CONFIG_REFUSED;
	va_start(ap, fmt);
	(void)vsnprintf(it->why, sizeof(it->why), fmt, ap);
	va_end(ap);
	return 0;
}

void sw_config_decide(struct sw_config_item *it, const char *now, const char *then)
{
	it->verdict = !now ? SW_CONFIG_NEW
			   : then && strcmp(now, then) == 0 ? SW_CONFIG_SAME : SW_CONFIG_DIFFERS;
	if (it->verdict == SW_CONFIG_DIFFERS && then && !strchr(now, '\n'))
		(void)snprintf(it->now, sizeof(it->now), "%s", now);
	if (then && !strchr(then, '\n'))
		(void)snprintf(it->then, sizeof(it->then), "%s", then);
}

int sw_config_put(struct sw_config_item *it, json_object *o, const char *key, const char *value)
{
	if (!o)
		return -ENOMEM;
	sw_config_decide(it, sw_json_str(o, key, NULL), value);
	sw_json_add_str(o, key, value);
	return 0;
}

json_object *sw_config_object(struct sw_importing *im, const char *key)
{
	json_object *o = sw_json_get(im->out->data, key);

	if (o && json_object_is_type(o, json_type_object))
		return o;
	o = json_object_new_object();
	sw_json_add(im->out->data, key, o);
	return o;
}

/* ---- the small ones ---- */

/* As the answers would take it; the word that is checked is without blanks at its ends. */
static int take_field(const struct sw_config_file *f, const char *field, char **ret_value,
		      struct sw_config_item *it)
{
	_cleanup_answers_ struct sw_answers *a = sw_answers_new();
	_cleanup_free_ char *value = strdup((const char *)f->data->data);
	const struct sw_field *fi = sw_field_find(field);
	struct sw_error e = {};
	int r = a && value && fi ? 0 : -ENOMEM;

	if (r < 0)
		return r;
	value[strcspn(value, "\r\n")] = '\0';
	sw_text_clean(value);
	if (!*value || sw_field_set(fi, a, value, &e) < 0)
		return sw_config_refuse(it, "%s", !*value ? "its first line is empty"
						  : sw_error_reason(&e));
	*ret_value = TAKE_PTR(value);
	return 0;
}

static int take_hostname(struct sw_importing *im, const struct sw_config_file *f,
			 struct sw_config_item *it)
{
	_cleanup_free_ char *value = NULL;
	int r = take_field(f, "node.hostname", &value, it);

	return r < 0 || !value ? r : sw_config_put(it, im->out->data, "hostname", value);
}

static int take_machine_id(struct sw_importing *im, const struct sw_config_file *f,
			   struct sw_config_item *it)
{
	_cleanup_free_ char *value = NULL;
	struct sw_guid id;
	uint8_t rfc[16];
	char hex[33];
	int r = take_field(f, "node.machine-id", &value, it);

	if (r < 0 || !value)
		return r;
	if (sw_guid_parse(value, &id) < 0)
		return sw_config_refuse(it, "it is no machine ID: 32 hex digits");
	sw_guid_to_rfc(&id, rfc);
	sw_hex(rfc, sizeof(rfc), hex);
	return sw_config_put(it, im->out->data, "machine_id", hex);
}

static int take_proxy(struct sw_importing *im, const struct sw_config_file *f,
		      struct sw_config_item *it)
{
	_cleanup_free_ char *value = NULL;
	int r = take_field(f, "network.proxy", &value, it);

	if (r < 0 || !value)
		return r;
	return sw_config_put(it, sw_config_object(im, "network_config"), "proxy", value);
}

/* The server that the node attests to is known by it; without one there is nothing to know. */
static int take_attest_ca(struct sw_importing *im, const struct sw_config_file *f,
			  struct sw_config_item *it)
{
	_cleanup_answers_ struct sw_answers *a = sw_answers_new();
	json_object *o = sw_nodedata_admission(im->out->data, "attest");
	const struct sw_field *field = sw_field_find("admission.ca");
	struct sw_error e = {};
	int r;

	if (!a || !field)
		return -ENOMEM;
	if (!o)
		return sw_config_refuse(it, "the node attests to no server; `slipway node set "
					    "attest_url=` names one");
	if (sw_field_set(field, a, (const char *)f->data->data, &e) < 0)
		return sw_config_refuse(it, "%s", sw_error_reason(&e));
	r = sw_config_put(it, o, "ca", a->admission[0].ca);
	it->now[0] = it->then[0] = '\0';
	return r;
}

static bool has_certificate(const char *text)
{
	return strstr(text, "-----BEGIN CERTIFICATE-----") &&
	       strstr(text, "-----END CERTIFICATE-----") && !strstr(text, "PRIVATE KEY");
}

/* Whoever the node is to believe beyond its image: one file, as tls-roots of its config/. */
static int take_roots(struct sw_importing *im, const struct sw_config_file *f,
		      struct sw_config_item *it)
{
	const char *text = (const char *)f->data->data, *was;
	json_object *config = sw_config_object(im, SW_CONFIG_KEYS_OF);
	_cleanup_free_ char *both = NULL;

	if (!has_certificate(text))
		return sw_config_refuse(it, "there is no certificate in it, or a private key");
	was = sw_json_str(config, "tls-roots", NULL);
	if (was && strstr(was, text)) {
		it->verdict = SW_CONFIG_SAME;
		return 0;
	}
	both = sw_fmt("%s%s%s", was ? was : "", text, sw_ends_with(text, "\n") ? "" : "\n");
	if (!both || strlen(both) > SW_CONFIG_FILE_MAX)
		return both ? sw_config_refuse(it, "with those that are there it is too much")
			    : -ENOMEM;
	sw_json_add_str(config, "tls-roots", both);
	it->verdict = SW_CONFIG_NEW;
	(void)snprintf(it->why, sizeof(it->why), "%s", was ? "those that are there stay" : "");
	return 0;
}

/* ---- who may log in ---- */

static json_object *authorized(struct sw_importing *im)
{
	json_object *list = sw_json_array(im->out->data, "ssh_authorized_keys");

	if (!list) {
		list = json_object_new_array();
		sw_json_add(im->out->data, "ssh_authorized_keys", list);
	}
	return list;
}

/* Nobody who can log in now is locked out: keys are only added. */
static int take_authorized(struct sw_importing *im, const struct sw_config_file *f,
			   struct sw_config_item *it)
{
	_cleanup_strv_ char **keys = NULL;
	json_object *list = authorized(im);
	size_t had = json_object_array_length(list), added = 0;
	struct sw_error e = {};

	if (sw_trust_parse_keys((const char *)f->data->data, f->data->len, f->name, &keys, &e) < 0)
		return sw_config_refuse(it, "%s%s%s", e.what, e.why[0] ? ": " : "", e.why);
	if (had + sw_strv_len(keys) > ADDED_KEYS_MAX)
		return sw_config_refuse(it, "with those that are there, more than %u keys",
					ADDED_KEYS_MAX);
	for (char **k = keys; *k; k++)
		if (!sw_json_array_has(list, *k)) {
			json_object_array_add(list, json_object_new_string(*k));
			added++;
		}
	it->verdict = !added ? SW_CONFIG_SAME : had ? SW_CONFIG_DIFFERS : SW_CONFIG_NEW;
	if (added)
		(void)snprintf(it->then, sizeof(it->then), "%zu added, %zu stay%s", added, had,
			       had == 1 ? "s" : "");
	return 0;
}

/* ---- what `slipway node set` made ---- */

static bool is_key(const char *key)
{
	return *key >= 'a' && *key <= 'z' && strlen(key) <= 64 &&
	       strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789_-.") == strlen(key);
}

static int take_value(struct sw_importing *im, const struct sw_config_file *f,
		      struct sw_config_item *it)
{
	const char *key = strrchr(f->name, '/') + 1;
	int r;

	if (!is_key(key))
		return sw_config_refuse(it, "a key has a-z, 0-9, _, - and ., and begins with a "
					    "letter");
	r = sw_config_put(it, sw_config_object(im, SW_CONFIG_KEYS_OF), key,
			  (const char *)f->data->data);
	it->now[0] = it->then[0] = '\0';	/* others may not see it */
	return r;
}

/* ---- all that there is ---- */

#define NETWORKD "the node's network is systemd-networkd's: files below network/"
#define NO_PLACE "a slipway node has no place for it; put it into the image or its overlay"

static const struct kind {
	const char *pattern;	/* of fnmatch(3), where * is no / */
	const char *what;
	sw_config_taker take;	/* NULL: never, and why */
	const char *why;
	bool small;		/* a node without a disk can take it, too */
} kinds[] = {
	{ "hostname", "host name", take_hostname, NULL, true },
	{ "machine-id", "machine ID", take_machine_id, NULL, false },
	{ "ssh/authorized_keys", "keys that may log in", take_authorized, NULL, false },
	{ "keystore/authorized_keys", "keys that may log in", take_authorized, NULL, false },
	{ "keystore/root_keys", "keys that may log in", take_authorized, NULL, false },
	{ "ssh/ssh_host_ed25519_key", "SSH host key", sw_config_take_host_key, NULL, false },
	{ "ssh/ssh_host_ed25519_key.pub", "SSH host key, public", sw_config_take_host_pub, NULL,
	  false },
	{ "ssh/ssh_host_*", "SSH host key", NULL, "a slipway node has an ed25519 host key only",
	  false },
	{ "network/*", "network", sw_config_take_network, NULL, false },
	{ "proxy", "proxy", take_proxy, NULL, false },
	{ "no_proxy", "names without the proxy", sw_config_take_words, NULL, false },
	{ "ntp", "time servers", sw_config_take_words, NULL, false },
	{ "fstab", "file systems", sw_config_take_fstab, NULL, false },
	{ "attest_ca", "CA of the attestation server", take_attest_ca, NULL, false },
	{ "tls/*", "TLS roots", take_roots, NULL, false },
	{ "tokens/*", "admission token", sw_config_take_token, NULL, false },
	{ "config/*", "value for the node", take_value, NULL, false },
	{ SW_CONFIG_SECRETS, "secrets", sw_config_take_secrets, NULL, false },
	{ SW_CONFIG_FILES, "files of the node", sw_config_take_files, NULL, false },
	{ "files/*", "file of the node", sw_config_take_unlisted, NULL, false },
	{ "attest_url", "attestation server", NULL, "`slipway node set attest_url=` sets it",
	  false },
	{ "attest_pin", "attestation server", NULL, "`slipway node set attest_pin=` sets it",
	  false },
	{ "node.json", "node data", NULL, "they are another node's as a whole", false },
	{ "credentials/*", "sealed secret", NULL, "only the TPM that sealed it opens it", false },
	{ "overlay", "overlay", NULL, "it belongs to one image; `slipway promote` keeps it",
	  false },
	{ "nics", "network", NULL, NETWORKD, false },
	{ "interfaces/*", "network", NULL, NETWORKD, false },
	{ "dhcp/*", "network", NULL, NETWORKD, false },
	{ "nodhcp", "network", NULL, NETWORKD, false },
	{ "openvswitch/*", "network", NULL, NO_PLACE, false },
	{ "fstab-early", "file systems", NULL, "the node mounts what its image wants early; put "
					       "it into fstab", false },
	{ "keystore/*", "key", NULL, "a private key of a person does not belong on a node",
	  false },
	{ "serfkey", "token", NULL, "put it below tokens/, with a name that says what it is",
	  false },
	{ "ssh/sshd_config", "SSH server", NULL, NO_PLACE, false },
	{ "ssh/ssh_config", "SSH client", NULL, NO_PLACE, false },
	{ "modules", "kernel modules", NULL, NO_PLACE, false },
	{ "role", "role", NULL, NO_PLACE, false },
	{ "roles/*", "role", NULL, NO_PLACE, false },
	{ "ceph/*", "ceph", NULL, NO_PLACE, false },
	{ "samba/*", "samba", NULL, NO_PLACE, false },
};

static const struct kind *kind_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (fnmatch(kinds[i].pattern, name, FNM_PATHNAME | FNM_PERIOD) == 0)
			return &kinds[i];
	return NULL;
}

/* Its taker adds the items, as many as there are, and it need not be text. */
static bool has_own_items(const struct kind *k)
{
	return k && (k->take == sw_config_take_secrets || k->take == sw_config_take_files ||
		     k->take == sw_config_take_unlisted);
}

static bool is_text(const struct sw_secret *s)
{
	for (size_t at = 0, n; at < s->len; at += n) {
		uint32_t c;

		n = sw_utf8_decode((const char *)s->data + at, s->len - at, &c);
		if (!n || c == 0)
			return false;
	}
	return true;
}

struct sw_config_item *sw_config_item_add(struct sw_importing *im, const char *name,
					  const char *what)
{
	struct sw_config_preview *p = im->out;
	struct sw_config_item *bigger = reallocarray(p->v, p->n + 1, sizeof(*bigger));

	if (!bigger)
		return NULL;
	p->v = bigger;
	bigger += p->n;
	*bigger = (struct sw_config_item){ .name = strdup(name), .what = what };
	if (!bigger->name)
		return NULL;
	p->n++;
	return bigger;
}

static int judge(struct sw_importing *im, const struct sw_config_file *f)
{
	const struct kind *k = kind_of(f->name);
	struct sw_config_item *it;

	if (f->data && im->n->disk && has_own_items(k))
		return k->take(im, f, NULL);
	it = sw_config_item_add(im, f->name, k ? k->what : "unknown");
	if (!it)
		return -ENOMEM;
	if (!f->data)
		return sw_config_refuse(it, "%s", f->why);
	if (!k)
		return sw_config_refuse(it, "no file of this name is known; slipway(8) lists them");
	if (!k->take)
		return sw_config_refuse(it, "%s", k->why);
	if (!im->n->disk && !k->small)
		return sw_config_refuse(it, "a node without a disk keeps only its name: its node "
					    "data are an EFI variable");
	if (!is_text(f->data))
		return sw_config_refuse(it, "it is no text: not UTF-8, or with NUL in it");
	return k->take(im, f, it);
}

int sw_config_preview(const struct sw_node *n, const struct sw_config_keys *keys,
		      const struct sw_config_source *source, struct sw_config_preview *ret_preview,
		      struct sw_error *err)
{
	_cleanup_config_preview_ struct sw_config_preview p = {};
	struct sw_importing im = { .n = n, .keys = keys, .source = source, .out = &p, .err = err };
	int r = json_object_deep_copy(n->data, &p.data, NULL) < 0 ? -ENOMEM : 0;

	for (size_t i = 0; i < source->n && r == 0; i++)
		r = judge(&im, &source->v[i]);
	if (r < 0)
		return sw_fail_oom(err);
	for (size_t i = 0; i < p.n; i++)
		p.changes += p.v[i].verdict == SW_CONFIG_NEW ||
			     p.v[i].verdict == SW_CONFIG_DIFFERS;
	*ret_preview = p;
	p = (struct sw_config_preview){};
	return 0;
}

void sw_config_preview_clear(struct sw_config_preview *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->v[i].name);
	for (size_t i = 0; i < p->n_secrets; i++)
		sw_secret_free(p->secrets[i].data);
	free(p->secrets);
	free(p->v);
	json_object_put(p->data);
	*p = (struct sw_config_preview){};
}

json_object *sw_config_preview_to_json(const struct sw_config_preview *p)
{
	json_object *o = json_object_new_object(), *list = json_object_new_array();

	sw_json_add_u64(o, "changes", p->changes);
	for (size_t i = 0; i < p->n; i++) {
		const struct sw_config_item *it = &p->v[i];
		json_object *e = json_object_new_object();

		sw_json_add_str(e, "name", it->name);
		sw_json_add_str(e, "what", it->what);
		sw_json_add_str(e, "verdict", sw_config_verdict_name(it->verdict));
		sw_json_add_str(e, "why", it->why);
		sw_json_add_str(e, "now", it->now);
		sw_json_add_str(e, "then", it->then);
		json_object_array_add(list, e);
	}
	sw_json_add(o, "items", list);
	return o;
}
