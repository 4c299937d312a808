/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules that look at more than one field. They need no machine: what the
 * disk or the firmware has to say comes with the plan.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "admission/profile.h"
#include "answers/answers.h"
#include "answers/validate-private.h"
#include "answers/values.h"
#include "base/file.h"
#include "base/strv.h"

static bool given(const char *s)
{
	return s && *s;
}

/* The groups of the top by what the rules of others go, beside their own. */
static const struct {
	const char *group, *others[5];
} rests_on[] = {
	{ "payload", { "trust", "boot", "disk", "admission" } },
	{ "console", { "payload", "disk" } },
	{ "trust", { "payload", "disk" } },
	{ "boot", { "disk" } },
	{ "rescue", { "trust", "disk" } },
	{ "admission", { "disk" } },
	{ "secrets", { "disk" } },
	{ "finish", { "payload", "boot" } },
};

/* Whether the complaint may come of what could not be read, and not of a mistake of its own. */
static bool may_follow(const struct sw_unread *u, const char *key, const char *what)
{
	char group[SW_KEY_MAX];

	(void)snprintf(group, sizeof(group), "%.*s", (int)strcspn(key, ".["), key);
	if (sw_strv_has(u->groups, group) || (u->unknown && strncmp(what, "is missing", 10) == 0))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(rests_on); i++)
		for (size_t k = 0; strcmp(rests_on[i].group, group) == 0 && rests_on[i].others[k];
		     k++)
			if (u->unknown || sw_strv_has(u->groups, rests_on[i].others[k]))
				return true;
	return false;
}

void sw_broken(struct sw_check *c, const char *key, int r, const char *what,
	       const char *why, const char *hint)
{
	struct sw_error *err;

	if (c->unread && may_follow(c->unread, key, what))
		return;
	err = sw_errors_next(c->errors);
	(void)sw_fail(err, SW_EXIT_INVALID, r, "%s %s", key, what);
	sw_answers_at(c->a, key, c->file, err);
	sw_error_why(err, "%s", why);
	sw_error_hint(err, "%s", hint);
	(void)sw_errors_keep(c->errors, r);
}

void sw_broken_item(struct sw_check *c, enum sw_field_home home, size_t i, const char *word,
		    const char *what, const char *why, const char *hint)
{
	const struct sw_list_group *g = sw_list_group_of(home);
	char key[SW_KEY_MAX];

	if (c->only_home && (c->only_home != home || c->only != i))
		return;
	sw_items_key(key, g, 0, word);
	c->field = c->field ? c->field : sw_field_find(key);
	sw_items_key(key, g, i, word);
	sw_broken(c, key, -EINVAL, what, why, hint);
}

/* Answers also come from forms and from code: each value is held against its own rule again. */
static bool value_holds(struct sw_check *c, const struct sw_field *f, const char *key,
			const char *text)
{
	struct sw_error *err;

	if (sw_value_check(f, key, text, NULL) == 0)
		return true;
	err = sw_errors_next(c->errors);
	(void)sw_value_check(f, key, text, err);
	if (c->file)
		sw_error_where(err, "%s", c->file);
	(void)sw_errors_keep(c->errors, -EINVAL);
	return false;
}

static void report_missing(struct sw_check *c, const struct sw_field *f, const char *key)
{
	bool hash = f->type == SW_FIELD_SHA256;

	sw_broken(c, key, -EINVAL, "is missing",
		  hash ? "what comes over a network is checked against its SHA-256 before use"
		       : f->help,
		  f->missing ? f->missing : "slipway explain says more about each key");
}

static void report_stray(struct sw_check *c, const struct sw_field *f)
{
	if (strncmp(f->key, "payload.signature.", 18) == 0)
		sw_broken(c, f->key, -EINVAL, "is given, but nothing would use it",
			  "there are no trusted keys, or no such payload, in these answers",
			  "give trust.keys, or take it out");
	else if (strcmp(f->key, "disk.escrow") == 0)
		sw_broken(c, f->key, -EINVAL, "is given, but nothing would use it",
			"disk.recovery is not escrow", "set disk.recovery: escrow, or take it out");
	else if (strncmp(f->key, "payload.sha256.", 15) == 0)
		sw_broken(c, f->key, -EINVAL, "is given, but nothing belongs to it",
			  "there is no such payload in these answers", "take it out");
	else if (strcmp(f->key, "console") == 0)
		sw_broken(c, f->key, -EINVAL, "does not go with payload.uki",
			  "a unified image is stored byte for byte and has its own command line",
			  "build the consoles into the image, or give kernel and initrd");
	else if (strcmp(f->key, "payload.cmdline") == 0)
		sw_broken(c, f->key, -EINVAL, "does not go with payload.uki",
			  "a unified image is stored byte for byte and has its own command line",
			  "build the command line into the image, or give kernel and initrd");
	else if (strcmp(f->key, "rescue.sha256") == 0)
		sw_broken(c, f->key, -EINVAL, "is given, but nothing belongs to it",
			  "there is no rescue.uki in these answers", "take it out");
	else if (c->a->boot_mode == SW_MODE_NETWORK && strncmp(f->key, "boot.network.", 13) == 0)
		sw_broken(c, f->key, -EINVAL, "is given, but nothing would use it",
			  "boot.network.via is not ipxe", "set via: ipxe, or take it out");
	else if (strncmp(f->key, "boot.network.", 13) == 0 && !f->dflt)
		sw_broken(c, f->key, -EINVAL, "is given, but nothing would use it",
			  "boot.mode is not network", "set boot.mode: network, or take it out");
	else if (strcmp(f->key, "on-error.pause") == 0)
		sw_broken(c, f->key, -EINVAL, "is given, but nothing would use it",
			  "on-error.action is stay", "set on-error.action, or take it out");
	else if (strcmp(f->key, "payload.uki") == 0)
		sw_broken(c, f->key, -EINVAL, "does not go with a kernel or initrd",
			  "a unified image holds both", "give one or the other");
}

/* Whether the top group of the key has an open one. */
static bool open_beside(const struct sw_answers *a, const char *key)
{
	char group[SW_KEY_MAX];

	(void)snprintf(group, sizeof(group), "%.*s", (int)strcspn(key, "."), key);
	return sw_answers_has_open(a, group);
}

static void check_field(struct sw_check *c, const struct sw_field *f)
{
	_cleanup_free_ char *text = sw_field_get(f, c->a);
	bool applies = sw_field_applies(f, c->a, NULL);

	if (!text) {
		(void)sw_errors_keep(c->errors, sw_fail_oom(sw_errors_next(c->errors)));
		return;
	}
	/* Without any payload two fields are missing; one message says it. */
	if (!*text && strcmp(f->key, "payload.initrd") == 0 && !given(c->a->kernel))
		return;
	if (*text && !value_holds(c, f, f->key, text))
		return;
	/* What may become of the others of its group is known when they were asked. */
	if (*text && !applies && !open_beside(c->a, f->key))
		report_stray(c, f);
	else if (!*text && applies && sw_field_required(f, c->a, NULL) &&
		 !sw_answers_is_open(c->a, f->key))
		report_missing(c, f, f->key);
}

/* A layer may have made a list of what another one left open. */
static void check_open(struct sw_check *c)
{
	for (char *const *p = c->a->open; p && *p; p++)
		if (!sw_answers_can_be_open(c->a, sw_field_find(*p)))
			sw_broken(c, *p, -EINVAL, "cannot be left to ask",
				  "it stands in a list of groups now", "give the value");
}

/* ---- admission ---- */

static void admission_key(char key[static SW_KEY_MAX], size_t i, const char *word)
{
	sw_items_key(key, sw_list_group_of(SW_HOME_ADMISSION), i, word);
}

static void check_admission_field(struct sw_check *c, const struct sw_field *f, size_t i)
{
	const struct sw_admission *ad = &c->a->admission[i];
	_cleanup_free_ char *text = sw_value_get(f, ad);
	char key[SW_KEY_MAX], why[64];

	admission_key(key, i, strrchr(f->key, '.') + 1);
	if (!text) {
		(void)sw_errors_keep(c->errors, sw_fail_oom(sw_errors_next(c->errors)));
		return;
	}
	if (*text && !value_holds(c, f, key, text))
		return;
	(void)snprintf(why, sizeof(why), "admission.kind is %s", sw_admission_name(ad->kind));
	/* A default is nobody's word. */
	if (*text && !sw_field_applies(f, c->a, ad) && !(f->dflt && strcmp(text, f->dflt) == 0) &&
	    !open_beside(c->a, f->key))
		sw_broken(c, key, -EINVAL, "is given, but nothing would use it", why,
			  ad->kind == SW_ADMISSION_NONE ? "set admission.kind, or take it out"
							: "take it out");
	else if (!*text && sw_field_required(f, c->a, ad) && !sw_answers_is_open(c->a, key))
		report_missing(c, f, key);
}

/* One of a kind: the node finds each by its kind. */
static void check_kind(struct sw_check *c, size_t i)
{
	const enum sw_admission_kind kind = c->a->admission[i].kind;

	if (kind == SW_ADMISSION_NONE && c->a->n_admission > 1)
		sw_broken_item(c, SW_HOME_ADMISSION, i, "kind", "is none among others",
			       "none is no way of admission",
			       "take this one out of the list, or all others");
	for (size_t k = 0; k < i && kind != SW_ADMISSION_NONE; k++)
		if (c->a->admission[k].kind == kind)
			sw_broken_item(c, SW_HOME_ADMISSION, i, "kind", "stands twice",
				       "a node is admitted once in each way",
				       "take one of both out");
}

/* What a profile would refuse of its server's address. */
static void check_server(struct sw_check *c, size_t i)
{
	const struct sw_admission *ad = &c->a->admission[i];
	const struct sw_profile *p = sw_profile_find(sw_admission_name(ad->kind));
	_cleanup_free_ char *base = NULL;
	struct sw_error e = {};

	if (!p || !p->needs_token || !given(ad->url) || strncasecmp(ad->url, "https://", 8) != 0)
		return;
	if (sw_profile_base(p, ad->url, &base, &e) < 0)
		sw_broken_item(c, SW_HOME_ADMISSION, i, "url", "cannot be used", e.why, e.hint);
}

static void check_admissions(struct sw_check *c)
{
	for (size_t i = 0; i < c->a->n_admission; i++) {
		check_kind(c, i);
		check_server(c, i);
		for (size_t k = 0; k < sw_n_fields; k++)
			if (sw_fields[k].home == SW_HOME_ADMISSION)
				check_admission_field(c, &sw_fields[k], i);
	}
}

/* A pattern of nothing but wildcards names no disk. */
static bool names_something(const char *glob)
{
	if (!glob)
		return false;
	for (; *glob; glob++)
		if (isalnum((unsigned char)*glob))
			return true;
	return false;
}

/* A rule that tells disks apart, though it names none. */
static bool sorts(const struct sw_disk_match *m)
{
	return given(m->model) || given(m->vendor) || given(m->transport) || given(m->size) ||
	       m->rotational;
}

/* Whether it can be used. The keys are those of its serial and of the disk's wipe. */
static bool check_alternative(struct sw_check *c, const struct sw_disk_match *m, enum sw_wipe wipe,
			      const char *serial, const char *wipe_key)
{
	bool named = names_something(m->serial) || names_something(m->wwn) ||
		     names_something(m->path);

	if (!named && !sorts(m)) {
		sw_broken(c, serial, -EINVAL, "is missing, or another rule that tells disks apart",
			  "slipway never guesses which disk to write to",
			  "slipway facts lists the disks with serial, WWN, model, path and size");
		return false;
	}
	if (wipe != SW_WIPE_ANY || named)
		return true;
	sw_broken(c, wipe_key, -EINVAL, "cannot be \"any\" here",
		  "overwriting anything needs a disk named by serial, WWN or path",
		  "add disk.match.serial, or use wipe: blank or wipe: ours");
	return false;
}

/* Every alternative must be fit to be the one that decides. */
static void check_choice(struct sw_check *c, const char *disk, const struct sw_disk_choice *choice)
{
	char wipe[SW_KEY_MAX];

	(void)snprintf(wipe, sizeof(wipe), "%s.wipe", disk);
	/* Whoever is asked names the disk. */
	if (choice == &c->a->disk && sw_answers_has_open(c->a, "disk.match"))
		return;
	for (size_t i = 0; i < choice->n_match; i++) {
		char serial[SW_KEY_MAX];

		(void)snprintf(serial, sizeof(serial),
			       i ? "%s.match[%zu].serial" : "%s.match.serial", disk, i + 1);
		if (!check_alternative(c, &choice->match[i], choice->wipe, serial, wipe))
			return;
	}
}

static int check_further_value(const char *key, const struct sw_field *f, const char *text,
			       void *arg)
{
	/* Those without an ordinal have been looked at with all fields. */
	if (strchr(key, '[') && f->home != SW_HOME_ADMISSION)
		(void)value_holds(arg, f, key, text);
	return 0;
}

static void check_disks(struct sw_check *c)
{
	if (sw_answers_each(c->a, check_further_value, c) < 0)
		(void)sw_errors_keep(c->errors, sw_fail_oom(sw_errors_next(c->errors)));
	check_choice(c, "disk", &c->a->disk);
	for (size_t i = 0; i < c->a->n_more; i++) {
		char disk[SW_KEY_MAX];

		(void)snprintf(disk, sizeof(disk), "disk.more[%zu]", i + 1);
		check_choice(c, disk, &c->a->more[i]);
	}
}

/* The others of a receiver say nothing without its address. */
static void check_webhooks(struct sw_check *c)
{
	for (size_t i = 0; i < c->a->n_webhooks; i++) {
		const struct sw_webhook *w = &c->a->webhooks[i];
		bool empty = !w->ca && !w->pin && !w->token && !w->events && !w->body;
		char key[SW_KEY_MAX];

		sw_items_key(key, sw_list_group_of(SW_HOME_WEBHOOK), i, "url");
		if (!w->url && (!empty || c->a->n_webhooks > 1) &&
		    !sw_answers_is_open(c->a, key))
			sw_broken(c, key, -EINVAL, "is missing",
				  "nobody is told anything without it",
				  "give the https address of the receiver, or take the others out");
	}
}

static void check_cmdline(struct sw_check *c)
{
	_cleanup_free_ char *line = sw_answers_node_cmdline(c->a);

	if (sw_answers_admission(c->a, SW_ADMISSION_ATTEST) && given(c->a->cmdline) &&
	    strstr(c->a->cmdline, "ember.attest_url="))
		sw_broken(c, "payload.cmdline", -EINVAL, "holds ember.attest_url= already",
			  "admission.kind is attest, so slipway adds it from admission.url",
			  "take it out of the command line");
	else if (line && strlen(line) > SW_CMDLINE_MAX)
		sw_broken(c, "payload.cmdline", -EINVAL, "is too long with what slipway adds to it",
			  "a kernel command line has at most 2048 characters", "shorten it");
}

static void check_trust(struct sw_check *c)
{
	struct sw_trust t = sw_answers_trust(c->a);
	struct sw_error e = {};

	if (sw_trust_check(&t, &e) < 0)
		sw_broken(c, t.none ? "trust.policy" : "trust.keys", -EINVAL, "cannot be used",
			  e.why, e.hint[0] ? e.hint : "see slipway explain trust");
}

static void check_mode(struct sw_check *c)
{
	if (c->a->boot_mode == SW_MODE_NETWORK && c->a->boot_via == SW_BOOT_PXE &&
	    given(c->a->boot_uri))
		sw_broken(c, "boot.network.uri", -EINVAL, "does not go with boot.network.via: pxe",
			  "only HTTP boot is told the address of its image",
			  "use via: http, or take the address out");
	if (sw_answers_by_ipxe(c->a) && !given(c->a->boot_uri) &&
	    !sw_answers_is_open(c->a, "boot.network.uri"))
		sw_broken(c, "boot.network.uri", -EINVAL, "is missing",
			  "iPXE's script needs the address of what it boots",
			  "give boot.network.uri, or another boot.network.via");
}

static int check_needless(const char *key, const struct sw_field *f, const char *text, void *arg)
{
	const char *why = sw_answers_why_disk(key, f, text);

	if (why)
		sw_broken(arg, key, -EINVAL, "does not go with disk: none", why,
			  "take it out, or choose a disk with disk.match");
	return 0;
}

static void check_diskless(struct sw_check *c)
{
	if (c->a->boot_mode != SW_MODE_NETWORK)
		sw_broken(c, "boot.mode", -EINVAL, "must be network with disk: none",
			  "without a disk the network is all that the node can start from",
			  "set boot.mode: network, or choose a disk with disk.match");
	if (sw_answers_by_ipxe(c->a))
		sw_broken(c, "boot.network.via", -EINVAL, "cannot be ipxe with disk: none",
			  "iPXE and its script lie in a partition",
			  "use via: http, or choose a disk with disk.match");
	if (sw_answers_each(c->a, check_needless, c) < 0)
		(void)sw_errors_keep(c->errors, sw_fail_oom(sw_errors_next(c->errors)));
}

/* What is started at once is the image of the slot. */
static void check_finish(struct sw_check *c)
{
	if (c->a->finish == SW_FINISH_KEXEC && !sw_answers_have_payload(c->a) &&
	    !sw_answers_has_open(c->a, "payload"))
		sw_broken(c, "finish", -EINVAL, "cannot be kexec without a payload",
			  "the slots stay empty, so there is no kernel to start",
			  "use finish: reboot, or give a payload");
}

static void check_rules(struct sw_check *c)
{
	if (c->a->sources)
		sw_broken(c, "sources", -EINVAL, "does not count here",
			  "only the medium's own file is asked where more answers are",
			  "take it out; slipway answers shows what a medium's sources come to");
	for (size_t i = 0; i < sw_n_fields; i++)
		if (sw_fields[i].home != SW_HOME_ADMISSION)
			check_field(c, &sw_fields[i]);
	check_open(c);
	check_admissions(c);
	if (!sw_answers_diskless(c->a)) {
		check_disks(c);
		check_cmdline(c);
		check_trust(c);
	}
	check_mode(c);
	check_finish(c);
	check_webhooks(c);
	sw_check_files(c);
	sw_check_secrets(c);
	sw_check_network(c);
}

int sw_answers_validate_all(const struct sw_answers *a, const char *file, struct sw_error *errs,
			    size_t max, size_t *ret_n)
{
	struct sw_errors errors = { .v = errs, .max = max };
	struct sw_check c = { .a = a, .file = file, .errors = &errors };

	if (sw_answers_diskless(a))
		check_diskless(&c);
	/* What needs a disk is named once, not a second time by its own rules. */
	if (errors.r == 0)
		check_rules(&c);
	if (ret_n)
		*ret_n = errors.n;
	return errors.r;
}

int sw_answers_validate_report(const struct sw_answers *a, struct sw_error *err)
{
	struct sw_error first;
	struct sw_errors errors = { .v = &first, .max = 1 };
	struct sw_check c = { .a = a, .errors = &errors };

	check_webhooks(&c);
	if (errors.r == 0 && sw_answers_has_open(a, "report"))
		sw_broken(&c, "report", -EINVAL, "is left open",
			  "nobody was there to give the value", "give it in the answers");
	if (errors.r < 0 && err && err->r == 0)
		*err = first;
	return errors.r;
}

void sw_check_rest(const struct sw_answers *a, const char *file, const struct sw_unread *unread,
		   struct sw_errors *errors)
{
	struct sw_check c = { .a = a, .file = file, .errors = errors, .unread = unread };
	int first = errors->r;

	/* Whether the node has a disk changes what every other answer means. */
	if (!sw_answers_diskless(a))
		check_rules(&c);
	errors->r = first;
}

int sw_answers_validate(const struct sw_answers *a, const char *file, struct sw_error *err)
{
	struct sw_error first;
	int r = sw_answers_validate_all(a, file, &first, 1, NULL);

	if (r < 0 && err && err->r == 0)
		*err = first;
	return r;
}

int sw_answers_check_item(const struct sw_answers *a, enum sw_field_home home, size_t i,
			  const struct sw_field **ret_field, struct sw_error *err)
{
	struct sw_errors errors = { .v = err, .max = 1 };
	struct sw_check c = { .a = a, .errors = &errors, .only_home = home, .only = i };

	if (home == SW_HOME_FILE)
		sw_check_files(&c);
	else if (home == SW_HOME_SECRET)
		sw_check_secrets(&c);
	*ret_field = c.field;
	return errors.r;
}
