/* SPDX-License-Identifier: Apache-2.0 */
/* ${uuid} and the like in the name of a source. */
#include <ctype.h>
#include <string.h>

#include "answers/sources.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/template.h"
#include "tpm/identity.h"

static const char *link_mac(const struct sw_facts *f)
{
	const char *any = NULL;

	for (size_t i = 0; i < f->n_links; i++) {
		const struct sw_link *l = &f->links[i];

		if (!l->mac || !l->mac[0] || strcmp(l->mac, "00:00:00:00:00:00") == 0)
			continue;
		if (l->carrier)
			return l->mac;
		any = any ? any : l->mac;
	}
	return any;
}

static int read_ek(struct sw_machine *m, char **ret_id, struct sw_error *err)
{
	_cleanup_ek_ struct sw_ek ek = {};
	const char *tcti;
	int r = sw_machine_tcti(m, &tcti, err);

	if (r == 0)
		r = sw_tpm_ek(tcti, false, &ek, err);
	if (r < 0)
		return r;
	*ret_id = strdup(ek.id);
	return *ret_id ? 0 : sw_fail_oom(err);
}

static const char *const names[] = { "uuid", "serial", "mac", "hostname", "ek", NULL };

/* Facts are read once for a source, and only for one that asks. */
static int value_of(struct sw_machine *m, int which, struct sw_facts **facts, char **ret_value,
		    struct sw_error *err)
{
	const char *value = NULL;
	int r;

	if (which == 4)
		return read_ek(m, ret_value, err);
	r = *facts ? 0 : sw_machine_facts(m, facts, err);
	if (r < 0)
		return r;
	value = which == 0 ? (*facts)->uuid : which == 1 ? (*facts)->serial :
		which == 2 ? link_mac(*facts) : (*facts)->machine_name;
	if (!value || !value[0]) {
		(void)sw_fail(err, SW_EXIT_MISSING, -ENODATA, "this machine has no %s",
			      names[which]);
		sw_error_why(err, "the source of its answers is named with ${%s}", names[which]);
		sw_error_hint(err, "slipway facts shows what there is; use another of ${uuid}, "
				   "${serial}, ${mac}, ${hostname}, ${ek}");
		return -ENODATA;
	}
	*ret_value = strdup(value);
	return *ret_value ? 0 : sw_fail_oom(err);
}

int sw_source_check_template(const char *text, struct sw_error *err)
{
	for (const char *p = strstr(text, "${"); p; p = strstr(p, "${")) {
		size_t n = strcspn(p + 2, "}");

		if (sw_template_word(p, names, &p) >= 0)
			continue;
		(void)sw_fail(err, SW_EXIT_INVALID, -EINVAL,
			      "\"${%.*s}\" stands for nothing of a machine", n > 30 ? 30 : (int)n,
			      p + 2);
		sw_error_why(err, "a name may have ${uuid}, ${serial}, ${mac}, ${hostname}, ${ek}");
		return -EINVAL;
	}
	return 0;
}

/* RFC 3986, 2.3 and 3.3: what may stand in a path as it is; a serial may hold anything. */
static int add_encoded(struct sw_buf *b, const char *value)
{
	int r = 0;

	for (const char *p = value; *p && r == 0; p++)
		r = isalnum((unsigned char)*p) || strchr("-._~:", *p)
			    ? sw_buf_add(b, p, 1)
			    : sw_buf_addf(b, "%%%02X", (unsigned char)*p);
	return r;
}

int sw_source_fill(struct sw_machine *m, const char *text, char **ret_text, struct sw_error *err)
{
	_cleanup_facts_ struct sw_facts *facts = NULL;
	_cleanup_buf_ struct sw_buf b = { .max = 8192 };
	int r = sw_source_check_template(text, err);

	while (r == 0 && *text) {
		_cleanup_free_ char *value = NULL;
		const char *p = strstr(text, "${");

		if (sw_buf_add(&b, text, p ? (size_t)(p - text) : strlen(text)) < 0)
			return sw_fail_oom(err);
		if (!p)
			break;
		r = value_of(m, sw_template_word(p, names, &text), &facts, &value, err);
		if (r == 0 && add_encoded(&b, value) < 0)
			r = sw_fail_oom(err);
	}
	if (r < 0)
		return r;
	*ret_text = sw_buf_steal(&b);
	return *ret_text ? 0 : sw_fail_oom(err);
}
