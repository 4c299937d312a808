/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures that have to be fetched before they can be verified. */
#include <string.h>

#include "base/file.h"
#include "base/strv.h"
#include "payload/payload.h"
#include "payload/trust.h"

#define RETRIES 3

static int fetch_one(struct sw_machine *m, const struct sw_trust *t, const char *source,
		     const char *out, struct sw_error *err)
{
	/* Nobody wants to see how far a signature is; but it can be stopped. */
	const struct sw_sink quiet = sw_sink_polled(t->sink);
	struct sw_fetch f = { .source = source, .out = out, .max = SW_TRUST_SIGNATURE_MAX,
			      .retries = RETRIES, .vouched = true, .ca_file = t->ca_file };
	struct sw_error e = {};
	char got[65];
	int r = sw_fetch_run(m, &f, &quiet, got, &e);

	if (r == 0)
		return 0;
	if (r == -ECANCELED)
		return sw_fail(err, e.exit, r, "%s", e.what);
	sw_fail(err, e.exit, r, "the signature cannot be fetched: %s", e.what);
	sw_error_where(err, "%s", e.where);
	sw_error_why(err, "%s", e.why);
	sw_error_hint(err, "%s", "only what a trusted key has signed is taken; put FILE.sig beside "
				 "FILE, or say where the signature is");
	return r;
}

/* A query belongs to the file alone: whoever uses one has to name the signature. */
static int beside(const char *source, char **ret_source, struct sw_error *err)
{
	if (sw_source_is_remote(source) && strchr(source, '?')) {
		sw_fail(err, SW_EXIT_REFUSED, -EINVAL, "where is the signature?");
		sw_error_why(err, "the address has a query, so .sig cannot be put after it");
		sw_error_hint(err, "say where the signature is");
		return -EINVAL;
	}
	*ret_source = sw_fmt("%s.sig", source);
	return *ret_source ? 0 : sw_fail_oom(err);
}

static int fetch_all(struct sw_machine *m, const struct sw_trust *t, char *const *sources,
		     const char *dir, char ***ret_files, struct sw_error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && sources[i]; i++) {
		_cleanup_free_ char *out = sw_fmt("%s/signature-%zu", dir, i);

		if (i == SW_TRUST_SIGNATURES_MAX)
			return sw_fail(err, SW_EXIT_INVALID, -E2BIG, "too many signatures");
		r = out ? fetch_one(m, t, sources[i], out, err) : sw_fail_oom(err);
		if (r == 0 && sw_strv_add(ret_files, out) < 0)
			r = sw_fail_oom(err);
	}
	return r;
}

static void name_place(const char *source, struct sw_error *err)
{
	_cleanup_free_ char *shown = sw_source_show(source);

	(void)snprintf(err->where, sizeof(err->where), "%s", shown ? shown : "");
}

int sw_trust_vouch(struct sw_machine *m, const struct sw_trust *t, const char *name_space,
		   const char *source, const char *file, char *const *sources, const char *dir,
		   char **ret_who, struct sw_error *err)
{
	_cleanup_strv_ char **files = NULL;
	_cleanup_free_ char *dflt = NULL;
	char *one[2] = {};
	int r = 0;

	if (!sources || !sources[0]) {
		r = beside(source, &dflt, err);
		one[0] = dflt;
		sources = one;
	}
	if (r == 0)
		r = fetch_all(m, t, sources, dir, &files, err);
	if (r == 0)
		r = sw_trust_verify(t, name_space, file, files, ret_who, err);
	/* Whoever reads of it knows the place that it came from, and not our copy. */
	for (size_t i = 0; files && files[i]; i++) {
		if (r < 0 && err && strcmp(err->where, files[i]) == 0)
			name_place(sources[i], err);
		(void)unlink(files[i]);
	}
	if (r < 0 && err && strcmp(err->where, file) == 0)
		name_place(source, err);
	return r;
}
