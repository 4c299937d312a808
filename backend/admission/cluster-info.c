/* SPDX-License-Identifier: Apache-2.0 */
#include "admission/cluster-info.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "base/yaml.h"

#define ID 6U
#define SECRET 16U
#define PART_MAX 65536U

void sw_cluster_info_clear(struct sw_cluster_info *i)
{
	free(i->kubeconfig);
	free(i->server);
	free(i->ca);
	free(i->ca_base64);
	*i = (struct sw_cluster_info){};
}

static int fail(struct sw_error *err, int r, const char *what, const char *why, const char *hint)
{
	sw_fail(err, SW_EXIT_ADMISSION, r, "%s", what);
	sw_error_why(err, "%s", why);
	sw_error_hint(err, "%s", hint);
	return r;
}

static int malformed(struct sw_error *err, const char *why)
{
	return fail(err, -EBADMSG, "the cluster-info of this server cannot be used", why,
		    "is this a Kubernetes API server that kubeadm set up, and did all of its "
		    "answer arrive?");
}

/* ---- base64 ---- */

/* Without padding and with - and _ (RFC 4648, 5); malloc'd. */
static char *encode_url(const void *data, size_t len)
{
	char *text = malloc(4 * (len / 3 + 1) + 1);

	if (!text)
		return NULL;
	(void)EVP_EncodeBlock((unsigned char *)text, data, (int)len);
	for (char *p = text; *p; p++)
		*p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
	text[strcspn(text, "=")] = '\0';
	return text;
}

/* Of either alphabet, padded or not; malloc'd text, NULL when it is no base64 or holds a NUL. */
static char *decode(const char *base64, size_t len)
{
	_cleanup_free_ char *padded = malloc(len + 4);
	char *out = malloc(len + 4);
	size_t n = 0;
	int got;

	for (size_t i = 0; padded && i < len && base64[i] != '='; i++)
		if (!strchr(" \r\n", base64[i]))
			padded[n++] = base64[i] == '-' ? '+' : base64[i] == '_' ? '/' : base64[i];
	if (!padded || !out || n % 4 == 1) {
		free(out);
		return NULL;
	}
	len = n;
	while (n % 4)
		padded[n++] = '=';
	got = n ? EVP_DecodeBlock((unsigned char *)out, (unsigned char *)padded, (int)n) : -1;
	if (got < 0 || memchr(out, 0, len * 3 / 4)) {
		free(out);
		return NULL;
	}
	out[len * 3 / 4] = '\0';
	return out;
}

/* ---- the signature ---- */

/* {"alg": "HS256", "kid": ID} */
static bool header_fits(const char *header, size_t len, const char *id)
{
	_cleanup_free_ char *text = decode(header, len);
	_cleanup_json_ json_object *o = NULL;

	return text && sw_json_parse(text, strlen(text), "JWS", &o, NULL) == 0 &&
	       strcmp(sw_json_str(o, "alg", ""), "HS256") == 0 &&
	       strncmp(sw_json_str(o, "kid", ""), id, ID) == 0 &&
	       strlen(sw_json_str(o, "kid", "")) == ID;
}

/* jws: header, two dots, signature. */
static int signature_holds(const char *jws, const char *config, const char *token)
{
	const size_t head = strcspn(jws, ".");
	_cleanup_free_ char *payload = encode_url(config, strlen(config)), *all = NULL;
	_cleanup_free_ char *want = NULL;
	uint8_t mac[EVP_MAX_MD_SIZE];
	unsigned int n = 0;
	size_t len;

	if (strncmp(jws + head, "..", 2) != 0 || !header_fits(jws, head, token))
		return 0;
	all = payload ? sw_fmt("%.*s.%s", (int)head, jws, payload) : NULL;
	if (!all || !HMAC(EVP_sha256(), token + ID + 1, SECRET, (const unsigned char *)all,
			  strlen(all), mac, &n))
		return -ENOMEM;
	want = encode_url(mac, n);
	if (!want)
		return -ENOMEM;
	len = strlen(want);
	return strlen(jws + head + 2) == len && CRYPTO_memcmp(jws + head + 2, want, len) == 0;
}

/* The id is public; the secret has no copy here. */
static int check_signature(json_object *data, const char *config, const char *token,
			   struct sw_error *err)
{
	char key[32], why[96];
	const char *jws;
	int r;

	(void)snprintf(key, sizeof(key), "jws-kubeconfig-%.6s", token);
	(void)snprintf(why, sizeof(why), "it has no signature for the token id %.6s", token);
	jws = sw_json_str(data, key, NULL);
	if (!jws)
		return fail(err, -ENOKEY, "the cluster does not know this token", why,
			    "it may have expired: kubeadm token create --print-join-command on "
			    "the control plane makes a new one");
	r = strlen(jws) < 1024 ? signature_holds(jws, config, token) : 0;
	if (r < 0)
		return sw_fail_oom(err);
	return r ? 0 : fail(err, -EKEYREJECTED, "this cluster is not the token's",
			    "its cluster-info is not signed with the secret of the token",
			    "check the token; if it is right, somebody answers in the server's "
			    "place. The token was not sent");
}

/* ---- what it says ---- */

static const char *text_of(const struct sw_yaml *map, const char *key)
{
	const struct sw_yaml_item *i = sw_yaml_find(map, key);

	return i && i->value->kind == SW_YAML_SCALAR ? i->value->text : NULL;
}

/* clusters[0].cluster */
static const struct sw_yaml *cluster_of(const struct sw_yaml *root)
{
	const struct sw_yaml_item *list = sw_yaml_find(root, "clusters"), *one;

	if (!list || list->value->kind != SW_YAML_LIST || list->value->n != 1)
		return NULL;
	one = sw_yaml_find(list->value->items[0].value, "cluster");
	return one ? one->value : NULL;
}

static int read_config(struct sw_cluster_info *i, struct sw_error *err)
{
	_cleanup_yaml_ struct sw_yaml *root = NULL;
	const struct sw_yaml *cluster;
	const char *server, *ca;

	if (sw_yaml_parse(i->kubeconfig, strlen(i->kubeconfig), "kubeconfig", &root, NULL) < 0)
		return malformed(err, "its kubeconfig is no YAML that can be read");
	cluster = cluster_of(root);
	server = cluster ? text_of(cluster, "server") : NULL;
	ca = cluster ? text_of(cluster, "certificate-authority-data") : NULL;
	if (!server || !ca)
		return malformed(err, "its kubeconfig does not have one cluster with a server and "
				      "certificate-authority-data");
	if (strncasecmp(server, "https://", 8) != 0 || strlen(server) > 500 ||
	    strpbrk(server, "@?#\"\\") || !sw_text_is_clean(server))
		return malformed(err, "the server in its kubeconfig is no https address");
	i->server = strdup(server);
	i->ca = decode(ca, strlen(ca));
	i->ca_base64 = i->ca ? strdup(ca) : NULL;
	if (!i->ca)
		return malformed(err, "the CA in its kubeconfig is no base64");
	return i->server && i->ca_base64 ? 0 : sw_fail_oom(err);
}

int sw_cluster_info_read(const char *json, size_t len, const char *token,
			 struct sw_cluster_info *ret_info, struct sw_error *err)
{
	_cleanup_json_ json_object *o = NULL;
	_cleanup_cluster_info_ struct sw_cluster_info i = {};
	json_object *data;
	int r = sw_crypto_open(err);

	if (r < 0)
		return r;
	if (sw_json_parse(json, len, "cluster-info", &o, NULL) < 0)
		return malformed(err, "it is no JSON, or cut short");
	data = sw_json_get(o, "data");
	i.kubeconfig = data ? sw_json_dup(data, "kubeconfig") : NULL;
	if (!i.kubeconfig || !*i.kubeconfig || strlen(i.kubeconfig) > PART_MAX)
		return malformed(err, "it has no kubeconfig");
	r = check_signature(data, i.kubeconfig, token, err);
	if (r == 0)
		r = read_config(&i, err);
	if (r == 0) {
		*ret_info = i;
		i = (struct sw_cluster_info){};
	}
	return r;
}
