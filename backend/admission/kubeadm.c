/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kubeadm's discovery by token (its cmd/kubeadm/app/discovery/token): the cluster-info that
 * everybody may read, asked of anybody at first; the token's signature over it; the CA in it
 * against the pin; then the same once more over TLS that this CA vouches for. The token is not
 * sent: it goes into the files with which kubelet or kubeadm join.
 */
#include <string.h>

#include "admission/ca.h"
#include "admission/cluster-info.h"
#include "admission/persist.h"
#include "admission/profile.h"
#include "admission/tar.h"
#include "admission/token.h"
#include "base/file.h"

#define INFO_MAX 262144U
#define PATH "/api/v1/namespaces/kube-public/configmaps/cluster-info"

static int kubeadm_check(const struct sw_profile *p SW_UNUSED, const struct sw_admit_ask *ask,
			 struct sw_error *err)
{
	struct sw_token_info i;

	sw_token_inspect((const char *)ask->token->data, ask->token->len, &i);
	if (i.kind == SW_TOKEN_KUBEADM && i.state == SW_TOKEN_WHOLE)
		return 0;
	return sw_profile_bad_token(i.kind == SW_TOKEN_KUBEADM && i.why[0] ? i.why
				    : "it is no bootstrap token: 6 characters, a dot, 16 more",
				    "kubeadm token create on the control plane makes one", err);
}

static const struct sw_status_saying sayings[] = {
	{ 401, "the API server wants a login where everybody may read",
	  "let the API server take anonymous requests for cluster-info, as kubeadm sets it up" },
	{ 403, "the API server does not show its cluster-info",
	  "kubeadm init phase bootstrap-token on the control plane allows it again" },
	{ 404, "the cluster has no cluster-info",
	  "check the address; kubeadm init phase bootstrap-token makes it anew" },
	{ 429, "the API server gets too many requests", "wait a minute, then try again" },
	{ 503, "the API server is not ready", "wait until it has started, then try again" },
	{},
};

static int kubeadm_explain(long status, const char *body SW_UNUSED, const char *url,
			   struct sw_error *err)
{
	return sw_profile_refused(sayings, status, url, err);
}

struct discovery {
	const struct sw_admit_ask *ask;
	const char *base;
	struct sw_cluster_info info;
	char pin[65];		/* of its CA */
};

/* ca: NULL for the first time, when what comes is believed for its signature alone. */
static int get_info(const struct discovery *d, const char *ca, struct sw_cluster_info *ret_info,
		    struct sw_http_answer *answer, struct sw_error *err)
{
	_cleanup_free_ char *url = sw_fmt("%s%s", d->base, PATH);
	_cleanup_buf_ struct sw_buf body = { .max = INFO_MAX + 1 };
	const struct sw_http_post get = { .url = url, .max = INFO_MAX, .trust.ca = ca,
					  .anybody = !ca, .timeout_s = d->ask->timeout_s,
					  .sink = d->ask->sink };
	int r;

	if (!url)
		return sw_fail_oom(err);
	r = sw_http_post(&get, &body, answer, err);
	if (r == 0 && answer->status == 200) {
		r = sw_cluster_info_read((const char *)body.data, body.len,
					 (const char *)d->ask->token->data, ret_info, err);
		/* A new token is signed with a moment later. */
		answer->retry = r == -ENOKEY;
	} else if (r == 0) {
		r = kubeadm_explain(answer->status, "", url, err);
		answer->retry = r == -EAGAIN;
	}
	sw_error_where(err, "%s", d->base);
	return r;
}

static int check_ca(struct discovery *d, struct sw_error *err)
{
	const char *pin = d->ask->trust.pin;
	int r = sw_ca_has_key(d->info.ca, strlen(d->info.ca), pin, d->pin);

	if (r > 0)
		return 0;
	if (r == -EBADMSG) {
		sw_fail(err, SW_EXIT_ADMISSION, r, "the cluster's CA cannot be used");
		sw_error_why(err, "there is no certificate in its cluster-info");
		sw_error_hint(err, "is this a Kubernetes API server that kubeadm set up?");
	} else if (r == 0) {
		r = sw_fail(err, SW_EXIT_NETWORK, -EKEYREJECTED,
			    "this is another cluster's server");
		sw_error_why(err, "the pin is sha256:%s, the cluster's CA has sha256:%s", pin,
			     d->pin);
		sw_error_hint(err, "if the cluster got a new CA, change the pin; if not, somebody "
				   "answers in its place. The token was not sent");
	} else {
		return sw_fail_oom(err);
	}
	sw_error_where(err, "%s", d->base);
	return r;
}

static int discover(void *arg, struct sw_http_answer *answer, struct sw_error *err)
{
	_cleanup_cluster_info_ struct sw_cluster_info again = {};
	struct discovery *d = arg;
	int r;

	sw_cluster_info_clear(&d->info);
	r = get_info(d, d->ask->trust.ca, &d->info, answer, err);
	if (r == 0)
		r = check_ca(d, err);
	if (r == 0)
		r = get_info(d, d->info.ca, &again, answer, err);
	if (r < 0 || strcmp(d->info.kubeconfig, again.kubeconfig) == 0)
		return r;
	sw_fail(err, SW_EXIT_NETWORK, -EKEYREJECTED, "the server says two things");
	sw_error_where(err, "%s", d->base);
	sw_error_why(err, "its cluster-info was another one when it was asked again");
	sw_error_hint(err, "see whether several servers stand behind this address");
	return -EKEYREJECTED;
}

/* ---- files ---- */

#define USER "tls-bootstrap-token-user"

/* A bootstrap token has no character that YAML would want escaped. */
static int add_kubeconfig(struct sw_buf *b, const struct discovery *d)
{
	return sw_buf_addf(b,
			   "apiVersion: v1\n"
			   "kind: Config\n"
			   "clusters:\n"
			   "- name: kubernetes\n"
			   "  cluster:\n"
			   "    server: \"%s\"\n"
			   "    certificate-authority-data: \"%s\"\n"
			   "users:\n"
			   "- name: " USER "\n"
			   "  user:\n"
			   "    token: \"%s\"\n"
			   "contexts:\n"
			   "- name: " USER "@kubernetes\n"
			   "  context:\n"
			   "    cluster: kubernetes\n"
			   "    user: " USER "\n"
			   "current-context: " USER "@kubernetes\n",
			   d->info.server, d->info.ca_base64,
			   (const char *)d->ask->token->data);
}

/* For `kubeadm join --config`, which would stumble over the files beside it. */
static int add_join(struct sw_buf *b, const struct discovery *d)
{
	return sw_buf_addf(b,
			   "apiVersion: kubeadm.k8s.io/v1beta3\n"
			   "kind: JoinConfiguration\n"
			   "discovery:\n"
			   "  bootstrapToken:\n"
			   "    apiServerEndpoint: \"%s\"\n"
			   "    token: \"%s\"\n"
			   "    caCertHashes: [\"sha256:%s\"]\n"
			   "nodeRegistration:\n"
			   "  ignorePreflightErrors:\n"
			   "  - FileAvailable--etc-kubernetes-bootstrap-kubelet.conf\n"
			   "  - FileAvailable--etc-kubernetes-pki-ca.crt\n",
			   d->base + strlen("https://"), (const char *)d->ask->token->data,
			   d->pin);
}

static int make_files(const struct discovery *d, struct sw_buf *ret_tar, struct sw_error *err)
{
	_cleanup_wipe_ struct sw_buf config = {}, join = {};
	const size_t room = 4096 + strlen(d->info.ca_base64) + strlen(d->info.server) +
			    strlen(d->base);

	if (sw_buf_reserve(&config, room) < 0 || sw_buf_reserve(&join, room) < 0 ||
	    add_kubeconfig(&config, d) < 0 || add_join(&join, d) < 0)
		return sw_fail_oom(err);
	const struct sw_archive_file files[] = {
		{ "etc/kubernetes/bootstrap-kubelet.conf", config.data, config.len, 0600, 0 },
		{ "etc/kubernetes/kubeadm-join.yaml", join.data, join.len, 0600, 0 },
		{ "etc/kubernetes/pki/ca.crt", d->info.ca, strlen(d->info.ca), 0644, 0 },
	};
	return sw_tar_make(files, ARRAY_SIZE(files), ret_tar, err);
}

static int kubeadm_run(const struct sw_profile *p, const struct sw_admit_ask *ask,
		       struct sw_buf *ret_tar, struct sw_error *err)
{
	_cleanup_free_ char *base = NULL;
	struct discovery d = { .ask = ask };
	const struct sw_persist persist = { .sink = ask->sink, .patience_s = ask->patience_s,
					    .once = discover, .arg = &d };
	int r = sw_profile_base(p, ask->url, &base, err);

	if (r < 0)
		return r;
	d.base = base;
	if (!ask->trust.pin && !ask->trust.ca)
		sw_event_log(ask->sink, "warning: nothing pins the cluster's CA: only the token's "
			     "own signature vouches for it, and whoever has the token can make "
			     "that");
	r = sw_persist(&persist, err);
	if (r == 0)
		r = make_files(&d, ret_tar, err);
	sw_cluster_info_clear(&d.info);
	return r;
}

const struct sw_profile sw_profile_kubeadm = {
	.kind = "kubeadm",
	.port = 6443,
	.probe = PATH,
	.needs_token = true,
	.token_life_s = 24 * 3600,	/* kubeadm token create, --ttl */
	.check = kubeadm_check,
	.run = kubeadm_run,
	.explain = kubeadm_explain,
};
