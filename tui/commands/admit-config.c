/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/commands/admit-config.h"

#include <string.h>

#include "admission/token.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "boot/node.h"

#define CA_MAX 65536U
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

static int set_pin(struct sw_admit_config *c, const char *pin, const char *where,
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

static int set_protocol(struct sw_admit_config *c, const char *name, const char *where,
			struct sw_error *err)
{
	if (!name || sw_attest_protocol_parse(name, &c->protocol) == 0)
		return 0;
	sw_fail(err, SW_EXIT_USAGE, -EINVAL, "this exchange is not known");
	sw_error_where(err, "%s", where);
	sw_error_hint(err, "it is strict, plain or auto");
	return -EINVAL;
}

static int set_ca(struct sw_admit_config *c, const char *pem, struct sw_error *err)
{
	if (!pem || !*pem)
		return 0;
	free(c->ca);
	c->ca = sw_pem_lines(pem);
	return c->ca ? 0 : sw_fail_oom(err);
}

static int set_url(struct sw_admit_config *c, const char *url, const char *from,
		   struct sw_error *err)
{
	if (c->url || !url || !*url)
		return 0;
	c->url = strdup(url);
	c->from = from;
	return c->url ? 0 : sw_fail_oom(err);
}

/* ---- the places ---- */

/* The next of the list, when this kind is wanted. NULL: it is not. */
static struct sw_admit_config *next(const struct sw_cli *cli, struct sw_admit_list *l,
				    const char *kind)
{
	const char *only = sw_arg(&cli->args, SW_OPT_KIND);
	const struct sw_profile *p = sw_profile_find(kind);

	if (!p || l->n >= SW_ADMISSIONS_MAX || (only && strcmp(only, kind) != 0))
		return NULL;
	l->v[l->n].profile = p;
	return &l->v[l->n++];
}

static int no_server(const char *file, const char *kind, struct sw_error *err)
{
	sw_fail(err, SW_EXIT_INVALID, -ENOENT, "these answers name no %s server",
		kind ? kind : "attestation");
	sw_error_where(err, "%s", file);
	sw_error_hint(err, "set admission.kind: %s and admission.url", kind ? kind : "attest");
	return -ENOENT;
}

static int take_answer(const struct sw_admission *ad, const char *file, struct sw_admit_config *c,
		       struct sw_error *err)
{
	int r = set_url(c, ad->url, "the answers", err);

	c->protocol = ad->protocol;
	if (r == 0)
		r = set_ca(c, ad->ca, err);
	if (r == 0)
		r = set_pin(c, ad->pin, file, err);
	if (r == 0 && ad->token_file && *ad->token_file) {
		c->token_file = strdup(ad->token_file);
		r = c->token_file ? 0 : sw_fail_oom(err);
	}
	return r;
}

static int from_answers(const struct sw_cli *cli, const char *file, struct sw_admit_list *l,
			struct sw_error *err)
{
	_cleanup_answers_ struct sw_answers *a = NULL;
	int r = sw_answers_read(file, &a, err);

	for (size_t i = 0; r == 0 && i < a->n_admission; i++) {
		const struct sw_admission *ad = &a->admission[i];
		struct sw_admit_config *c = next(cli, l, sw_admission_name(ad->kind));

		if (c)
			r = take_answer(ad, file, c, err);
	}
	return r < 0 || l->n ? r : no_server(file, sw_arg(&cli->args, SW_OPT_KIND), err);
}

static int take_node_data(const struct sw_cli *cli, json_object *data, struct sw_admit_list *l,
			  struct sw_error *err)
{
	json_object *list = sw_json_array(data, "admission");
	int r = 0;

	for (size_t i = 0; list && r == 0 && i < json_object_array_length(list); i++) {
		json_object *o = json_object_array_get_idx(list, i);
		struct sw_admit_config *c = next(cli, l, sw_json_str(o, "kind", ""));

		if (!c)
			continue;
		r = set_url(c, sw_json_str(o, "url", NULL), "the node data", err);
		if (r == 0)
			r = set_protocol(c, sw_json_str(o, "protocol", NULL), "node data", err);
		if (r == 0)
			r = set_ca(c, sw_json_str(o, "ca", NULL), err);
		if (r == 0)
			r = set_pin(c, sw_json_str(o, "pin", NULL), "node data", err);
	}
	return r;
}

/* A machine without node data is none that was installed yet; that is no error here. */
static int from_node_data(const struct sw_cli *cli, struct sw_machine *m,
			  struct sw_admit_list *l, struct sw_error *err)
{
	_cleanup_node_ struct sw_node n = {};
	_cleanup_facts_ struct sw_facts *f = NULL;
	const char *disk = sw_arg(&cli->args, 'd');
	struct sw_error e = {};
	int r = sw_machine_facts(m, &f, &e);

	if (r == 0)
		r = sw_node_find(m, f, disk, &n, &e);
	if (r == -ENOENT && !disk)
		r = sw_node_read_variable(m, &n);
	if (r == 0 && n.data)
		return take_node_data(cli, n.data, l, err);
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

static int from_command_line(const struct sw_cli *cli, struct sw_machine *m,
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
		c = next(cli, l, "attest");
	return c ? set_url(c, url, "the kernel's command line", err) : 0;
}

/* ---- together ---- */

static int read_ca(const char *file, struct sw_admit_config *c, struct sw_error *err)
{
	_cleanup_buf_ struct sw_buf b = { .max = CA_MAX };
	int r = sw_file_read(file, &b);

	if (r == 0 && !strstr(sw_buf_text(&b), "-----BEGIN CERTIFICATE-----"))
		r = -EINVAL;
	if (r == 0)
		return set_ca(c, sw_buf_text(&b), err);
	sw_fail(err, SW_EXIT_USAGE, r, "the CA cannot be taken");
	sw_error_where(err, "%s", file);
	sw_error_why(err, "%s", r == -EINVAL ? "there is no certificate in it" : strerror(-r));
	sw_error_hint(err, "a file with certificates as PEM");
	return r;
}

static int from_options(const struct sw_cli *cli, struct sw_admit_config *c, struct sw_error *err)
{
	const char *ca = sw_arg(&cli->args, SW_OPT_CA);
	int r = ca ? read_ca(ca, c, err) : 0;

	if (r == 0)
		r = set_protocol(c, sw_arg(&cli->args, SW_OPT_PROTOCOL), "--protocol", err);
	return r == 0 ? set_pin(c, sw_arg(&cli->args, SW_OPT_PIN), "--pin", err) : r;
}

static int check_url(const struct sw_admit_config *c, struct sw_error *err)
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

/* --url names one server, of --kind or an attestation server. */
static int from_url(const struct sw_cli *cli, const char *url, struct sw_admit_list *l,
		    struct sw_error *err)
{
	const char *kind = sw_arg(&cli->args, SW_OPT_KIND);
	struct sw_admit_config *c = next(cli, l, kind ? kind : "attest");

	return c ? set_url(c, url, "--url", err) : 0;
}

/* What --url says goes before; the rest comes from where the other is. */
static int under_url(const struct sw_cli *cli, const char *url, const char *file,
		     struct sw_admit_list *l, struct sw_error *err)
{
	_cleanup_(sw_admit_list_clear) struct sw_admit_list rest = {};
	struct sw_admit_config *c = &l->v[0];
	int r = from_url(cli, url, l, err);

	if (r == 0 && file && l->n)
		r = from_answers(cli, file, &rest, err);
	for (size_t i = 0; r == 0 && i < rest.n; i++) {
		struct sw_admit_config *from = &rest.v[i];

		if (from->profile != c->profile)
			continue;
		c->ca = from->ca;
		c->token_file = from->token_file;
		memcpy(c->pin, from->pin, sizeof(c->pin));
		from->ca = from->token_file = NULL;
	}
	return r;
}

static int check_list(const struct sw_cli *cli, const struct sw_admit_list *l,
		      struct sw_error *err)
{
	const char *kind = sw_arg(&cli->args, SW_OPT_KIND);
	static const struct sw_admit_config none = { .profile = &sw_profile_attest };
	size_t tokens = 0;
	int r = l->n ? 0 : check_url(&none, err);

	for (size_t i = 0; i < l->n && r == 0; i++) {
		tokens += l->v[i].profile->needs_token;
		r = check_url(&l->v[i], err);
	}
	if (r < 0 || kind || l->n < 2)
		return r;
	if (!sw_arg(&cli->args, SW_OPT_CA) && !sw_arg(&cli->args, SW_OPT_PIN) &&
	    (tokens < 2 || !sw_arg(&cli->args, SW_OPT_TOKEN)))
		return 0;
	sw_fail(err, SW_EXIT_USAGE, -EINVAL, "which of %zu admissions is that for?", l->n);
	sw_error_hint(err, "give --kind with --token, --ca and --pin");
	return -EINVAL;
}

int sw_admit_config_read(const struct sw_cli *cli, struct sw_machine *m,
			 struct sw_admit_list *ret_list, struct sw_error *err)
{
	const char *url = sw_arg(&cli->args, SW_OPT_URL), *file = sw_arg(&cli->args, 'a');
	const char *kind = sw_arg(&cli->args, SW_OPT_KIND);
	struct sw_admit_list *l = ret_list;
	int r = 0;

	if (kind && !sw_profile_find(kind)) {
		sw_fail(err, SW_EXIT_USAGE, -EINVAL, "there is no admission of this kind");
		sw_error_hint(err, "--kind is attest, homeworld, rke2, k3s or kubeadm");
		return -EINVAL;
	}
	if (url)
		r = under_url(cli, url, file, l, err);
	else if (file)
		r = from_answers(cli, file, l, err);
	else
		r = from_node_data(cli, m, l, err);
	if (r == 0 && !file && !url)
		r = from_command_line(cli, m, l, err);
	if (r == 0)
		r = check_list(cli, l, err);
	for (size_t i = 0; i < l->n && r == 0; i++)
		r = from_options(cli, &l->v[i], err);
	return r;
}
