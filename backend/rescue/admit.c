/* SPDX-License-Identifier: Apache-2.0 */
#include "rescue/admit.h"

#include <string.h>

#include "admission/attest.h"
#include "admission/overlay.h"
#include "admission/tar.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "net/time.h"

#define LOG_MAX ((size_t)4 << 20)

void sw_admitting_clear(struct sw_admitting *a)
{
	a->id = sw_identity_free(a->id);
	sw_buf_wipe(&a->tar);
	a->sha256[0] = '\0';
}

void sw_admit_own_log(struct sw_machine *m, struct sw_buf *log)
{
	_cleanup_free_ char *path = sw_machine_tpm_log(m);

	log->max = LOG_MAX;
	if (path && sw_file_read(path, log) < 0)
		sw_buf_clear(log);
}

static int open_tpm(struct sw_admitting *a, struct sw_error *err)
{
	const char *tcti;
	int r = sw_machine_tcti(a->m, &tcti, err);

	return r == 0 ? sw_identity_open(tcti, false, &a->id, err) : r;
}

static int take(struct sw_admitting *a, const struct sw_admit_config *c, struct sw_buf *got,
		struct sw_error *err)
{
	_cleanup_wipe_ struct sw_buf both = { .max = a->tar.max };
	int r = 0;

	if (a->done)
		a->done(c, &a->by[a->tried - 1], a->userdata);
	if (a->tar.len)
		r = sw_tar_join(&a->tar, got, &both, err);
	if (r < 0)
		return r;
	if (a->tar.len == 0) {
		both = *got;
		*got = (struct sw_buf){};
	}
	sw_buf_wipe(&a->tar);
	a->tar = both;
	both = (struct sw_buf){};
	return 0;
}

/*
 * A server that is not believed was sent nothing, and may only be one that a wrong clock makes look
 * so: then the clock is set, where that is slipway's to do or was asked for, and it is tried anew.
 */
static int run_by_the_clock(struct sw_admitting *a, const struct sw_profile *p,
			    const struct sw_admit_ask *ask, struct sw_buf *got,
			    struct sw_error *err)
{
	const struct sw_time_server server = { .url = ask->url, .trust = ask->trust };
	const struct sw_time_ask time = { .servers = &server, .n_servers = 1, .sink = a->sink };
	struct sw_error e = {};
	bool set = false;
	int r = p->run(p, ask, got, &e);

	if (r == -EKEYREJECTED && (a->sets_clock || sw_machine_sets_clock(a->m)) &&
	    sw_time_settle(a->m, &time, a->sets_clock, &set, NULL) == 0 && set) {
		e = (struct sw_error){};
		r = p->run(p, ask, got, &e);
	}
	if (r < 0 && err)
		*err = e;
	return r;
}

/* One of the list. */
static int admit_by(struct sw_admitting *a, struct sw_admit_config *c, struct sw_error *err)
{
	struct sw_admitted_by *by = &a->by[a->tried++];
	const struct sw_attest how = { .url = c->url, .trust = sw_admit_trust(c),
				       .protocol = c->protocol, .log = a->log,
				       .log_len = a->log_len, .patience_s = a->wait_s,
				       .ret_used = &by->used, .sink = a->sink };
	const struct sw_profile *p = c->profile;
	_cleanup_secret_ struct sw_secret *token = NULL;
	_cleanup_wipe_ struct sw_buf got = { .max = a->tar.max };
	struct sw_admit_ask ask = { .url = c->url, .trust = how.trust, .attest = &how,
				    .patience_s = a->wait_s, .sink = a->sink };
	int r = 0;

	*by = (struct sw_admitted_by){ .asked = how.protocol };
	if (p->needs_tpm && !a->id)
		r = open_tpm(a, err);
	if (r == 0 && p->needs_token)
		r = a->token(c, &token, a->userdata, err);
	ask.id = a->id;
	ask.token = token;
	if (r == 0)
		r = p->check(p, &ask, err);
	if (r == 0 && a->dry)
		return a->dry(c, &ask, a->userdata, err);
	if (r == 0)
		r = run_by_the_clock(a, p, &ask, &got, err);
	return r == 0 ? take(a, c, &got, err) : r;
}

static void hint_alone(const struct sw_profile *p, struct sw_error *err)
{
	size_t n = err ? strlen(err->hint) : 0;

	if (err)
		(void)snprintf(err->hint + n, sizeof(err->hint) - n,
			       "%sslipway admit --kind %s tries this one alone", n ? "; " : "",
			       p->kind);
}

int sw_admit_all(struct sw_admitting *a, struct sw_error *err)
{
	int r = 0;

	a->tar.max = (size_t)SW_OVERLAY_MAX_BYTES + 64;
	for (size_t i = 0; i < a->list->n && r == 0; i++) {
		r = admit_by(a, &a->list->v[i], err);
		if (r < 0 && a->list->n > 1)
			hint_alone(a->list->v[i].profile, err);
	}
	if (a->tar.len && sw_sha256(a->tar.data, a->tar.len, a->sha256) < 0 && r == 0)
		r = sw_fail_oom(err);
	return r;
}

int sw_admit_keep(const struct sw_admitting *a, char **ret_path, struct sw_overlay **ret_overlay,
		  struct sw_error *err)
{
	_cleanup_free_ char *path = sw_fmt("%s/overlay.tar", a->m->run_dir);
	_cleanup_overlay_ struct sw_overlay *o = NULL;
	int r = path ? sw_overlay_list(a->tar.data, a->tar.len, &o, err) : sw_fail_oom(err);

	if (r < 0)
		return r;
	r = sw_file_write(path, a->tar.data, a->tar.len, 0600);
	if (r < 0) {
		sw_fail_errno(err, SW_EXIT_FAILED, r, "the overlay cannot be kept");
		sw_error_where(err, "%s", path);
		return r;
	}
	if (ret_path)
		*ret_path = TAKE_PTR(path);
	if (ret_overlay)
		*ret_overlay = TAKE_PTR(o);
	return 0;
}

void sw_admit_note(const struct sw_admitting *a, const struct sw_error *failed)
{
	for (size_t i = 0; i < a->tried; i++) {
		const struct sw_admit_config *c = &a->list->v[i];
		const bool bad = failed && i + 1 == a->tried;

		/* What was done is done, whether it can be noted or not. */
		(void)sw_admitted_note(a->m, c->profile->kind, c->url, bad ? NULL : a->sha256,
				       &a->by[i], bad ? failed : NULL);
	}
}

/* ---- what to know of it ---- */

json_object *sw_admit_warnings(const struct sw_admit_config *c, const struct sw_admitted_by *by)
{
	json_object *list = json_object_new_array();

	if (!sw_admit_is_pinned(c) && c->profile != &sw_profile_kubeadm)
		json_object_array_add(list, json_object_new_string(
			"nothing pins the server: every CA that this system trusts can vouch for "
			"it"));
	if (sw_admitted_fell_back(by))
		json_object_array_add(list, json_object_new_string(
			"the server has no strict exchange, so the plain one was taken: its "
			"nonce is this machine's clock"));
	return list;
}

static int probe_url(const struct sw_admit_config *c, char **ret_url, struct sw_error *err)
{
	_cleanup_free_ char *base = NULL;
	int r = 0;

	if (!c->profile->probe) {
		*ret_url = strdup(c->url);
		return *ret_url ? 0 : sw_fail_oom(err);
	}
	r = sw_profile_base(c->profile, c->url, &base, err);
	if (r < 0)
		return r;
	*ret_url = sw_fmt("%s%s", base, c->profile->probe);
	return *ret_url ? 0 : sw_fail_oom(err);
}

int sw_admit_preflight(struct sw_machine *m, const struct sw_admit_config *c,
		       unsigned int timeout_s, struct sw_preflight_seen *ret_seen,
		       struct sw_preflight *ret_verdicts, struct sw_error *err)
{
	struct sw_preflight_ask ask = { .profile = c->profile, .timeout_s = timeout_s,
					.protocol = c->protocol, .trust = sw_admit_trust(c) };
	_cleanup_free_ char *url = NULL;
	int r = probe_url(c, &url, err);

	if (r < 0)
		return r;
	ask.url = url;
	/* A kubeadm pin is of the CA, and a token's hash is known when there is a token. */
	ask.anybody = c->profile->needs_token && !c->profile->once && !c->ca;
	if (ask.anybody)
		ask.trust = (struct sw_http_trust){};
	r = sw_preflight_look(m, &ask, ret_seen, err);
	if (r == 0)
		sw_preflight_judge(ret_seen, ret_verdicts);
	return r;
}
