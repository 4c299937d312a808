/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ${uuid} and the like, in the name of a source and in the name of a node: one list of words, and
 * for each use what becomes of letters that may not stand there.
 */
#include <ctype.h>
#include <string.h>

#include "answers/source-private.h"
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

enum { WORD_UUID, WORD_SERIAL, WORD_MAC, WORD_HOSTNAME, WORD_EK, WORD_DHCP, WORD_DNS };
static const char *const names[] = { "uuid", "serial", "mac", "hostname", "ek", "dhcp", "dns",
				     NULL };
#define ALL_WORDS "${uuid}, ${serial}, ${mac}, ${hostname}, ${ek}, ${dhcp}, ${dns}"

/* The machine, or facts of it, or both; facts are read once, and only for a word that asks. */
struct filling {
	struct sw_machine *m;
	const struct sw_facts *facts;
	struct sw_facts *own;
	const char *what;	/* "the source of its answers" */
};

static void filling_clear(struct filling *f)
{
	sw_facts_free(f->own);
}

static int fail_none(const struct filling *f, int which, struct sw_error *err)
{
	(void)sw_fail(err, SW_EXIT_MISSING, -ENODATA, "this machine has no %s", names[which]);
	sw_error_why(err, "%s is named with ${%s}", f->what, names[which]);
	if (f->m)
		sw_error_hint(err, "slipway facts shows what there is; use another of " ALL_WORDS);
	else if (which >= WORD_EK)
		sw_error_hint(err, "only the machine itself can tell its ${ek}, ${dhcp} and "
				   "${dns}");
	else
		sw_error_hint(err, "it is not in the facts that were captured of it; use another "
				   "of " ALL_WORDS);
	return -ENODATA;
}

/* What has to be asked of somebody else; -EOPNOTSUPP: nobody is there to ask. */
static int ask(const struct filling *f, int which, char **ret_value, struct sw_error *err)
{
	if (!f->m || f->m->kind == SW_MACHINE_CAPTURED)
		return -EOPNOTSUPP;
	if (which == WORD_EK)
		return read_ek(f->m, ret_value, err);
	return which == WORD_DHCP ? sw_name_by_dhcp(f->m, ret_value, err)
				  : sw_name_by_dns(f->m, f->facts, ret_value, err);
}

static int value_of(struct filling *f, int which, char **ret_value, struct sw_error *err)
{
	const char *value = NULL;
	int r = 0;

	if (!f->facts && which != WORD_EK && which != WORD_DHCP) {
		r = sw_machine_facts(f->m, &f->own, err);
		f->facts = f->own;
	}
	if (r == 0 && which >= WORD_EK) {
		r = ask(f, which, ret_value, err);
		return r == -EOPNOTSUPP || r == -ENODATA ? fail_none(f, which, err) : r;
	}
	if (r < 0)
		return r;
	value = which == WORD_UUID ? f->facts->uuid : which == WORD_SERIAL ? f->facts->serial :
		which == WORD_MAC ? link_mac(f->facts) : f->facts->machine_name;
	if (!value || !value[0])
		return fail_none(f, which, err);
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
		sw_error_why(err, "a name may have " ALL_WORDS);
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

/* What a host name cannot have becomes one '-' between what it can, nothing at either end. */
static int add_host(struct sw_buf *b, const char *value)
{
	size_t from = b->len;
	int r = 0;

	for (const char *p = value; *p && r == 0; p++) {
		char c = (char)tolower((unsigned char)*p);
		bool fits = isalnum((unsigned char)c) || c == '.';

		if (!fits && (b->len == from || b->data[b->len - 1] == '-'))
			continue;
		r = sw_buf_add(b, fits ? &c : "-", 1);
	}
	while (b->len > from && (b->data[b->len - 1] == '-' || b->data[b->len - 1] == '.'))
		b->len--;
	return r;
}

static int fill(struct filling *f, const char *text, int (*add)(struct sw_buf *b, const char *v),
		char **ret_text, struct sw_error *err)
{
	_cleanup_buf_ struct sw_buf b = { .max = 8192 };
	int r = sw_source_check_template(text, err);

	while (r == 0 && *text) {
		_cleanup_free_ char *value = NULL;
		const char *p = strstr(text, "${");

		if (sw_buf_add(&b, text, p ? (size_t)(p - text) : strlen(text)) < 0)
			return sw_fail_oom(err);
		if (!p)
			break;
		r = value_of(f, sw_template_word(p, names, &text), &value, err);
		if (r == 0 && add(&b, value) < 0)
			r = sw_fail_oom(err);
	}
	if (r < 0)
		return r;
	*ret_text = sw_buf_steal(&b);
	return *ret_text ? 0 : sw_fail_oom(err);
}

int sw_source_fill(struct sw_machine *m, const char *text, char **ret_text, struct sw_error *err)
{
	_cleanup_(filling_clear) struct filling f = {
		.m = m, .what = "the source of its answers",
	};

	return fill(&f, text, add_encoded, ret_text, err);
}

int sw_answers_fill_name(struct sw_machine *m, const struct sw_facts *facts, struct sw_answers *a,
			 struct sw_error *err)
{
	_cleanup_(filling_clear) struct filling f = { .m = m, .facts = facts, .what = "the node" };
	const struct sw_field *field = sw_field_find("node.hostname");
	_cleanup_free_ char *name = NULL;
	struct sw_error e = {};
	int r;

	if (!a->hostname || !strstr(a->hostname, "${"))
		return 0;
	r = fill(&f, a->hostname, add_host, &name, err);
	if (r < 0)
		return r;
	if (*name && sw_field_set(field, a, name, &e) == 0)
		return 0;
	(void)sw_fail(err, SW_EXIT_INVALID, -EINVAL, "\"%.64s\" is no host name", name);
	sw_error_why(err, "that is what node.hostname, %.80s, comes to on this machine: %.200s",
		     a->hostname, *name ? e.why : "nothing");
	sw_error_hint(err, "use other words, or a fixed name");
	return -EINVAL;
}
