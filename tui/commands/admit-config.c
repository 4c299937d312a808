/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/commands/admit-config.h"

#include <string.h>

#include "answers/proxy.h"
#include "base/file.h"
#include "base/text.h"

#define CA_MAX 65536U

static int no_server(const char *file, const char *kind, struct sw_error *err)
{
	sw_fail(err, SW_EXIT_INVALID, -ENOENT, "these answers name no %s server",
		kind ? kind : "attestation");
	sw_error_where(err, "%s", file);
	sw_error_hint(err, "set admission.kind: %s and admission.url", kind ? kind : "attest");
	return -ENOENT;
}

static int from_answers(const struct sw_cli *cli, struct sw_machine *m, const char *file,
			struct sw_admit_list *l, struct sw_error *err)
{
	const char *kind = sw_arg(&cli->args, SW_OPT_KIND);
	_cleanup_answers_ struct sw_answers *a = NULL;
	int r = sw_answers_read(file, &a, err);

	if (r == 0)
		r = sw_answers_use_proxy(a, m, err);
	if (r == 0)
		r = sw_admit_from_answers(a, file, kind, l, err);
	return r < 0 || l->n ? r : no_server(file, kind, err);
}

static int read_ca(const char *file, struct sw_admit_config *c, struct sw_error *err)
{
	_cleanup_buf_ struct sw_buf b = { .max = CA_MAX };
	int r = sw_file_read(file, &b);

	if (r == 0 && !strstr(sw_buf_text(&b), "-----BEGIN CERTIFICATE-----"))
		r = -EINVAL;
	if (r == 0)
		return sw_admit_set_ca(c, sw_buf_text(&b), err);
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
		r = sw_admit_set_protocol(c, sw_arg(&cli->args, SW_OPT_PROTOCOL), "--protocol",
					  err);
	return r == 0 ? sw_admit_set_pin(c, sw_arg(&cli->args, SW_OPT_PIN), "--pin", err) : r;
}

/* --url names one server, of --kind or an attestation server. */
static int from_url(const struct sw_cli *cli, const char *url, struct sw_admit_list *l,
		    struct sw_error *err)
{
	const char *kind = sw_arg(&cli->args, SW_OPT_KIND);
	struct sw_admit_config *c = sw_admit_next(l, kind ? kind : "attest", NULL);

	return c ? sw_admit_set_url(c, url, "--url", err) : 0;
}

/* What --url says goes before; the rest comes from where the other is. */
static int under_url(const struct sw_cli *cli, struct sw_machine *m, const char *url,
		     const char *file, struct sw_admit_list *l, struct sw_error *err)
{
	_cleanup_(sw_admit_list_clear) struct sw_admit_list rest = {};
	struct sw_admit_config *c = &l->v[0];
	int r = from_url(cli, url, l, err);

	if (r == 0 && file && l->n)
		r = from_answers(cli, m, file, &rest, err);
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
	int r = l->n ? 0 : sw_admit_check_url(&none, err);

	for (size_t i = 0; i < l->n && r == 0; i++) {
		tokens += l->v[i].profile->needs_token;
		r = sw_admit_check_url(&l->v[i], err);
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
		r = under_url(cli, m, url, file, l, err);
	else if (file)
		r = from_answers(cli, m, file, l, err);
	else
		r = sw_admit_from_node(m, sw_arg(&cli->args, 'd'), kind, l, err);
	if (r == 0 && !file && !url)
		r = sw_admit_from_command_line(m, kind, l, err);
	if (r == 0)
		r = check_list(cli, l, err);
	for (size_t i = 0; i < l->n && r == 0; i++)
		r = from_options(cli, &l->v[i], err);
	return r;
}
