/* SPDX-License-Identifier: Apache-2.0 */
#include "rescue/servers.h"

#include <string.h>

#include "admission/token.h"
#include "answers/proxy.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "boot/node.h"

#define URL_KEY "ember.attest_url="

void sw_admit_config_clear(struct sw_admit_config *c)
{
	free(c->url);
	free(c->ca);
	free(c->token_file);
	*c = (struct sw_admit_config){};
}

void sw_admit_list_clear(struct sw_admit_list *l)
{
	while (l->n > 0)
		sw_admit_config_clear(&l->v[--l->n]);
}

struct sw_http_trust sw_admit_trust(const struct sw_admit_config *c)
{
	return (struct sw_http_trust){ .ca = c->ca, .pin = c->pin[0] ? c->pin : NULL };
}

const char *sw_admit_trust_text(const struct sw_admit_config *c)
{
	if (c->profile == &sw_profile_kubeadm && c->pin[0])
		return "its CA's key";
	if (c->profile == &sw_profile_kubeadm && !c->ca)
		return "the token's signature";
	if (c->hashed)
		return "the CA that the token names";
	if (c->ca && c->pin[0])
		return "its CA and its key";
	if (c->ca)
		return "its CA";
	return c->pin[0] ? "its key" : "any CA that the system trusts";
}

int sw_admit_set_pin(struct sw_admit_config *c, const char *pin, const char *where,
		   struct sw_error *err)
{
	struct sw_error e = {};

	if (!pin || !*pin || sw_ca_pin_parse(pin, c->pin, &e) == 0)
		return 0;
	c->pin[0] = '\0';
	sw_fail(err, SW_EXIT_USAGE, -EINVAL, "the pin of the server's key cannot be used");
	sw_error_where(err, "%s", where);
	sw_error_why(err, "%s", e.why);
	sw_error_hint(err, "it is sha256: and the SHA-256 of the server's public key in hex");
	return -EINVAL;
}

int sw_admit_set_protocol(struct sw_admit_config *c, const char *name, const char *where,
			struct sw_error *err)
{
	if (!name || sw_attest_protocol_parse(name, &c->protocol) == 0)
		return 0;
	sw_fail(err, SW_EXIT_USAGE, -EINVAL, "this exchange is not known");
	sw_error_where(err, "%s", where);
	sw_error_hint(err, "it is strict, plain or auto");
	return -EINVAL;
}

int sw_admit_set_ca(struct sw_admit_config *c, const char *pem, struct sw_error *err)
{
	if (!pem || !*pem)
		return 0;
	free(c->ca);
	c->ca = sw_pem_lines(pem);
	return c->ca ? 0 : sw_fail_oom(err);
}

int sw_admit_set_url(struct sw_admit_config *c, const char *url, const char *from,
		   struct sw_error *err)
{
	if (c->url || !url || !*url)
		return 0;
	c->url = strdup(url);
	c->from = from;
	return c->url ? 0 : sw_fail_oom(err);
}

/* ---- the places ---- */

struct sw_admit_config *sw_admit_next(struct sw_admit_list *l, const char *kind,
				      const char *only)
{
	const struct sw_profile *p = sw_profile_find(kind);

	if (!p || l->n >= SW_ADMISSIONS_MAX || (only && strcmp(only, kind) != 0))
		return NULL;
	l->v[l->n].profile = p;
	return &l->v[l->n++];
}

static int take_answer(const struct sw_admission *ad, const char *file, struct sw_admit_config *c,
		       struct sw_error *err)
{
	int r = sw_admit_set_url(c, ad->url, "the answers", err);

	c->protocol = ad->protocol;
	if (r == 0)
		r = sw_admit_set_ca(c, ad->ca, err);
	if (r == 0)
		r = sw_admit_set_pin(c, ad->pin, file, err);
	if (r == 0 && ad->token_file && *ad->token_file) {
		c->token_file = strdup(ad->token_file);
		r = c->token_file ? 0 : sw_fail_oom(err);
	}
	return r;
}

int sw_admit_from_answers(const struct sw_answers *a, const char *file, const char *only,
			  struct sw_admit_list *l, struct sw_error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < a->n_admission; i++) {
		const struct sw_admission *ad = &a->admission[i];
		struct sw_admit_config *c = sw_admit_next(l, sw_admission_name(ad->kind), only);

		if (c)
			r = take_answer(ad, file, c, err);
	}
	return r;
}

static int take_node_data(json_object *data, const char *only, struct sw_admit_list *l,
			  struct sw_error *err)
{
	json_object *list = sw_json_array(data, "admission");
	int r = sw_node_use_proxy(sw_json_get(data, "network_config"), err);

	for (size_t i = 0; list && r == 0 && i < json_object_array_length(list); i++) {
		json_object *o = json_object_array_get_idx(list, i);
		struct sw_admit_config *c = sw_admit_next(l, sw_json_str(o, "kind", ""), only);

		if (!c)
			continue;
		r = sw_admit_set_url(c, sw_json_str(o, "url", NULL), "the node data", err);
		if (r == 0)
			r = sw_admit_set_protocol(c, sw_json_str(o, "protocol", NULL), "node data",
						  err);
		if (r == 0)
			r = sw_admit_set_ca(c, sw_json_str(o, "ca", NULL), err);
		if (r == 0)
			r = sw_admit_set_pin(c, sw_json_str(o, "pin", NULL), "node data", err);
	}
	return r;
}

int sw_admit_from_data(json_object *data, struct sw_admit_list *l, struct sw_error *err)
{
	return take_node_data(data, NULL, l, err);
}

int sw_admit_from_node(struct sw_machine *m, const char *disk, const char *only,
		       struct sw_admit_list *l, struct sw_error *err)
{
	_cleanup_node_ struct sw_node n = {};
	_cleanup_facts_ struct sw_facts *f = NULL;
	struct sw_error e = {};
	int r = sw_machine_facts(m, &f, &e);

	if (r == 0)
		r = sw_node_find(m, f, disk, &n, &e);
	if (r == -ENOENT && !disk)
		r = sw_node_read_variable(m, &n);
	if (r == 0 && n.data)
		return take_node_data(n.data, only, l, err);
	if (r != -ENOTUNIQ && !disk)
		return 0;
	if (err)
		*err = e;
	return r;
}

/* The value of ember.attest_url= in a command line; malloc'd, NULL: there is none. */
static char *url_of(const char *line)
{
	const char *p = line;

	for (; (p = strstr(p, URL_KEY)); p++)
		if (p == line || p[-1] == ' ')
			break;
	if (!p)
		return NULL;
	p += strlen(URL_KEY);
	return strndup(p, strcspn(p, " \t\n"));
}

int sw_admit_from_command_line(struct sw_machine *m, const char *only,
			       struct sw_admit_list *l, struct sw_error *err)
{
	_cleanup_free_ char *path = sw_fmt("%s/cmdline", m->proc_root), *line = NULL, *url = NULL;
	struct sw_admit_config *c = NULL;

	if (!path)
		return sw_fail_oom(err);
	if (m->kind == SW_MACHINE_CAPTURED || sw_file_read_line(path, &line) < 0)
		return 0;
	url = url_of(line);
	for (size_t i = 0; i < l->n && !c; i++)
		if (l->v[i].profile == &sw_profile_attest)
			c = &l->v[i];
	if (url && !c)
		c = sw_admit_next(l, "attest", only);
	return c ? sw_admit_set_url(c, url, "the kernel's command line", err) : 0;
}

int sw_admit_check_url(const struct sw_admit_config *c, struct sw_error *err)
{
	const char *why = NULL;

	if (!c->url) {
		sw_fail(err, SW_EXIT_MISSING, -ENOENT, "nothing names %s server",
			c->profile->needs_tpm ? "an attestation" : "the");
		sw_error_hint(err, "give --url or --answers; `slipway node set attest_url=` keeps "
				   "one for the node");
		return -ENOENT;
	}
	if (strncmp(c->url, "https://", 8) != 0)
		why = "a node proves its identity only over https";
	else if (strpbrk(c->url, "?#@") || !sw_text_is_clean(c->url))
		why = "it holds what may be a secret, and everybody on the node can read it";
	if (!why)
		return 0;
	sw_fail(err, SW_EXIT_USAGE, -EINVAL, "the server's URL cannot be used");
	sw_error_where(err, "%s", c->from);
	sw_error_why(err, "%s", why);
	sw_error_hint(err, "write it like https://attest.example/v1");
	return -EINVAL;
}

bool sw_admit_is_pinned(const struct sw_admit_config *c)
{
	return c->ca || c->pin[0] || c->hashed;
}

int sw_admit_find(struct sw_machine *m, const struct sw_answers *a, struct sw_admit_list *l,
		  struct sw_error *err)
{
	int r = sw_admit_from_answers(a, "the answers", NULL, l, err);

	if (r == 0 && l->n == 0) {
		r = sw_admit_from_node(m, NULL, NULL, l, err);
		if (r == 0)
			r = sw_admit_from_command_line(m, NULL, l, err);
	}
	for (size_t i = 0; i < l->n && r == 0; i++)
		r = sw_admit_check_url(&l->v[i], err);
	if (r < 0 || l->n)
		return r;
	sw_fail(err, SW_EXIT_MISSING, -ENOENT, "nothing names a server that admits this machine");
	sw_error_hint(err, "name one in step 5 of an install; on a node, `slipway node set "
			   "attest_url=` keeps one");
	return -ENOENT;
}

/* ---- its token ---- */

bool sw_admit_trim_token(struct sw_admit_config *c, struct sw_secret *s)
{
	size_t from = 0, to = s->len;
	struct sw_token_info i;

	while (to > 0 && strchr(" \t\r\n", s->data[to - 1]))
		to--;
	while (from < to && strchr(" \t\r\n", s->data[from]))
		from++;
	memmove(s->data, s->data + from, to - from);
	explicit_bzero(s->data + (to - from), s->len - (to - from));
	s->len = to - from;
	if (s->len == 0)
		return false;
	sw_token_inspect((const char *)s->data, s->len, &i);
	c->hashed = i.pinned;
	return true;
}

int sw_admit_read_token(struct sw_machine *m, struct sw_admit_config *c,
			struct sw_secret **ret_token, struct sw_error *err)
{
	const char *from = c->token_file;
	_cleanup_free_ char *path = NULL;
	int r = 0;

	if (strncmp(from, "medium:/", 8) == 0)
		r = sw_machine_medium_file(m, from + 8, &path, err);
	else
		path = strdup(strncmp(from, "file://", 7) == 0 ? from + 7 : from);
	if (r == 0 && !path)
		r = sw_fail_oom(err);
	if (r == 0)
		r = sw_secret_read(path, SW_TOKEN_MAX, ret_token, err);
	if (r < 0 || sw_admit_trim_token(c, *ret_token))
		return r;
	*ret_token = sw_secret_free(*ret_token);
	sw_fail(err, SW_EXIT_MISSING, -ENOKEY, "the token's file has nothing in it");
	sw_error_where(err, "%s", from);
	return -ENOKEY;
}
