/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a set of answers, and what follows from one: the node's command line. */
#include "answers/answers.h"

#include <string.h>

#include "answers/values.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/strv.h"
#include "boot/uki.h"

const char *const sw_webhook_words[] = {
	"event", "hostname", "serial", "uuid", "mac", "title", "step", "steps", "percent", "code",
	"text", "why", "hint", "time", "version", "answers", "image", NULL,
};

void sw_home_clear(enum sw_field_home home, void *base)
{
	for (size_t i = 0; i < sw_n_fields; i++)
		if (sw_fields[i].home == home)
			sw_value_clear(&sw_fields[i], base);
}

static void clear_choice(struct sw_disk_choice *c)
{
	for (size_t i = 0; i < c->n_match; i++)
		sw_home_clear(SW_HOME_MATCH, &c->match[i]);
	sw_home_clear(SW_HOME_CHOICE, c);
	free(c->match);
}

int sw_disk_choice_add_match(struct sw_disk_choice *c)
{
	struct sw_disk_match *v;

	if (c->n_match >= SW_ALTERNATIVES_MAX)
		return -E2BIG;
	v = reallocarray(c->match, c->n_match + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	c->match = v;
	v[c->n_match++] = (struct sw_disk_match){};
	return 0;
}

void sw_disk_choice_clear_match(struct sw_disk_choice *c)
{
	for (size_t i = 0; i < c->n_match; i++) {
		sw_home_clear(SW_HOME_MATCH, &c->match[i]);
		c->match[i] = (struct sw_disk_match){};
	}
	if (c->n_match > 1)
		c->n_match = 1;
}

/* With the table's defaults and one empty alternative. */
static int init_choice(struct sw_disk_choice *c)
{
	int r = sw_disk_choice_add_match(c);

	for (size_t i = 0; i < sw_n_fields && r == 0; i++)
		if (sw_fields[i].home == SW_HOME_CHOICE)
			r = sw_value_set(&sw_fields[i], c, sw_fields[i].key, "", NULL);
	return r;
}

int sw_answers_add_more(struct sw_answers *a)
{
	struct sw_disk_choice *v, c = {};
	int r;

	if (a->n_more >= SW_MORE_MAX)
		return -E2BIG;
	v = reallocarray(a->more, a->n_more + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	a->more = v;
	r = init_choice(&c);
	if (r < 0)
		clear_choice(&c);
	else
		v[a->n_more++] = c;
	return r;
}

void sw_answers_cut_more(struct sw_answers *a, size_t keep)
{
	while (a->n_more > keep)
		clear_choice(&a->more[--a->n_more]);
}

const struct sw_admission *sw_answers_admission(const struct sw_answers *a,
						enum sw_admission_kind kind)
{
	for (size_t i = 0; i < a->n_admission; i++)
		if (a->admission[i].kind == kind)
			return &a->admission[i];
	return NULL;
}

bool sw_answers_have_links(const struct sw_answers *a)
{
	static const struct sw_net_link nothing;

	return a->n_links > 1 || memcmp(&a->links[0], &nothing, sizeof(nothing)) != 0;
}

bool sw_answers_have_files(const struct sw_answers *a, bool fetched)
{
	for (size_t i = 0; i < a->n_node_files; i++)
		if (fetched ? a->node_files[i].source : a->node_files[i].path)
			return true;
	return false;
}

bool sw_answers_have_secrets(const struct sw_answers *a)
{
	return a->n_site_secrets && a->site_secrets[0].name;
}

const struct sw_site_secret *sw_answers_secret(const struct sw_answers *a, const char *name)
{
	for (size_t i = 0; i < a->n_site_secrets; i++)
		if (a->site_secrets[i].name && strcmp(a->site_secrets[i].name, name) == 0)
			return &a->site_secrets[i];
	return NULL;
}

bool sw_answers_reports(const struct sw_answers *a)
{
	return a->report_log || a->report_syslog || (a->n_webhooks && a->webhooks[0].url);
}

struct sw_answers *sw_answers_new(void)
{
	_cleanup_answers_ struct sw_answers *a = calloc(1, sizeof(*a));

	if (!a || init_choice(&a->disk) < 0)
		return NULL;
	for (size_t i = 0; i < SW_N_LIST_GROUPS; i++)
		if (sw_items_add(&sw_list_groups[i], a) < 0)
			return NULL;
	for (size_t i = 0; i < sw_n_fields; i++) {
		const struct sw_field *f = &sw_fields[i];

		if (f->dflt && sw_field_set(f, a, f->dflt, NULL) < 0)
			return NULL;
	}
	return TAKE_PTR(a);
}

struct sw_answers *sw_answers_free(struct sw_answers *a)
{
	if (!a)
		return NULL;
	sw_answers_cut_more(a, 0);
	free(a->more);
	a->n_admission = SW_ADMISSIONS_MAX;	/* with what was begun behind the last */
	for (size_t i = 0; i < SW_N_LIST_GROUPS; i++)
		sw_items_cut(&sw_list_groups[i], a, 0);
	clear_choice(&a->disk);
	sw_home_clear(SW_HOME_ANSWERS, a);
	sw_places_free(a->places);
	sw_strv_free(a->open);
	free(a);
	return NULL;
}

static int copy_value(const char *key, const struct sw_field *f SW_UNUSED, const char *text,
		      void *arg)
{
	return sw_answers_set(arg, key, text, NULL);
}

/* As many alternatives as there are, also empty ones. */
static int copy_shape(const struct sw_disk_choice *from, struct sw_disk_choice *to)
{
	int r = 0;

	while (to->n_match < from->n_match && r == 0)
		r = sw_disk_choice_add_match(to);
	return r;
}

/* By way of the field table, so that no key can be forgotten. */
int sw_answers_copy(const struct sw_answers *a, struct sw_answers **ret_answers,
		    struct sw_error *err)
{
	_cleanup_answers_ struct sw_answers *c = sw_answers_new();
	int r = c ? copy_shape(&a->disk, &c->disk) : -ENOMEM;

	for (size_t i = 0; i < a->n_more && r == 0; i++) {
		r = sw_answers_add_more(c);
		if (r == 0)
			r = copy_shape(&a->more[i], &c->more[i]);
	}
	if (r == 0)
		r = sw_answers_each(a, copy_value, c);
	for (char *const *p = a->open; p && *p && r == 0; p++)
		r = sw_answers_leave_open(c, *p, NULL);
	if (r == -ENOMEM)
		return sw_fail_oom(err);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_INVALID, r, "the answers cannot be copied");
	*ret_answers = TAKE_PTR(c);
	return 0;
}

bool sw_answers_have_payload(const struct sw_answers *a)
{
	return (a->uki && *a->uki) || (a->kernel && *a->kernel);
}

bool sw_answers_by_ipxe(const struct sw_answers *a)
{
	return a->boot_mode == SW_MODE_NETWORK && a->boot_via == SW_BOOT_IPXE;
}

bool sw_answers_fetches(const struct sw_answers *a)
{
	return sw_answers_have_payload(a) || sw_answers_by_ipxe(a) || (a->rescue && *a->rescue) ||
	       sw_answers_have_files(a, true);
}

struct sw_trust sw_answers_trust(const struct sw_answers *a)
{
	return (struct sw_trust){
		.keys = a->trust_keys,
		.threshold = a->trust_threshold
				     ? (unsigned int)strtoul(a->trust_threshold, NULL, 10) : 1,
		.none = a->trust_policy == SW_TRUST_NOBODY,
	};
}

/* No item of a list holds a comma: a colon stands for it. */
static int add_console(struct sw_buf *b, const char *console)
{
	const char *options = strchr(console, ':');
	int n = (int)strcspn(console, ":");

	return sw_buf_addf(b, "%sconsole=%.*s%s%s", b->len ? " " : "", n, console,
			   options ? "," : "", options ? options + 1 : "");
}

/* The last console= is the one that /dev/console is, so their order counts. */
char *sw_answers_node_cmdline(const struct sw_answers *a)
{
	const struct sw_admission *ad = sw_answers_admission(a, SW_ADMISSION_ATTEST);
	_cleanup_buf_ struct sw_buf own = {};
	int r = sw_buf_adds(&own, a->cmdline ? a->cmdline : "");

	for (char *const *c = a->consoles; c && *c && r == 0; c++)
		r = add_console(&own, *c);
	return r < 0 ? NULL : sw_uki_cmdline(sw_buf_text(&own), ad ? ad->url : NULL);
}
