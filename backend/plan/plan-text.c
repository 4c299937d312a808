/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The review: what a person reads before anything is written. Which disk,
 * what is on it and dies, what will be there, what will be done, warnings. Each
 * warning has a label of its own, so that two never read as one.
 */
#include <string.h>

#include "base/file.h"
#include "base/size.h"
#include "base/strv.h"
#include "payload/payload.h"
#include "plan/network.h"
#include "plan/secrets.h"
#include "plan/text.h"

int sw_plan_wrap(struct sw_buf *b, const char *first, const char *text, unsigned int width)
{
	size_t indent = strlen(first), col = indent;
	int r = sw_buf_adds(b, first);

	for (const char *p = text; *p && r == 0;) {
		size_t n = strcspn(p, " \n");
		bool start = col == indent;

		if (!start && col + 1 + n > width) {
			r = sw_buf_addf(b, "\n%*s", (int)indent, "");
			col = indent;
			start = true;
		}
		/* A word longer than a line (a path, a URL) is cut where the line ends. */
		if (width > indent && n > width - indent)
			n = width - indent;
		if (r == 0)
			r = sw_buf_addf(b, "%s%.*s", start ? "" : " ", (int)n, p);
		col += n + !start;
		p += n;
		if (*p == '\n' && p[1]) {
			r = r < 0 ? r : sw_buf_addf(b, "\n%*s", (int)indent, "");
			col = indent;
		}
		p += *p == ' ' || *p == '\n';
	}
	return r < 0 ? r : sw_buf_adds(b, "\n");
}

static int add_disk(struct sw_buf *b, const struct sw_plan *p, size_t disk, unsigned int width)
{
	const struct sw_plan_disk *d = &p->disks[disk];
	char size[16], first[32] = "Disk     ";
	int r;

	if (p->n_disks > 1)
		(void)snprintf(first, sizeof(first), "Disk %-4zu", disk + 1);
	r = sw_buf_addf(b, "%s%s  %s  serial %s\n", first, d->model ? d->model : "(no model)",
			sw_size_format(d->size, size, sizeof(size)),
			d->serial ? d->serial : "(none)");
	if (r == 0)
		r = sw_plan_add_chosen(b, d, width);
	if (r == 0)
		r = sw_plan_wrap(b, "Now      ", d->old_table_text, width);
	return r;
}

static int add_source(struct sw_buf *b, const char *before, const char *source)
{
	_cleanup_free_ char *shown = sw_source_show(source ? source : "");

	return shown ? sw_buf_addf(b, "%s%s", before, shown) : -ENOMEM;
}

/* What may replace the payload later; nothing to say when only a hash ties this one. */
static int add_trust(struct sw_buf *b, const struct sw_answers *a, unsigned int width)
{
	struct sw_trust t = sw_answers_trust(a);
	char text[96];

	if (t.none)
		return sw_plan_wrap(b, "Trust    ",
				   "NONE: whoever can change an image at its source decides what "
				   "this node runs, now and later", width);
	if (!sw_trust_asks(&t))
		return 0;
	(void)snprintf(text, sizeof(text),
		       "only what %u of %zu keys signed, now and at each promote", t.threshold,
		       sw_strv_len(t.keys));
	return sw_plan_wrap(b, "Trust    ", text, width);
}

/* A token is no part of an install. */
static int add_admission(struct sw_buf *b, const struct sw_admission *ad, unsigned int width)
{
	_cleanup_free_ char *text = NULL;
	const char *url = ad->url ? ad->url : "";
	int r;

	if (ad->kind == SW_ADMISSION_NONE)
		return 0;
	if (ad->kind == SW_ADMISSION_ATTEST) {
		r = sw_plan_wrap(b, "Attests  ", url, width);
		return r < 0 ? r : sw_plan_wrap(b, "         ",
						sw_attest_protocol_text(ad->protocol), width);
	}
	text = sw_fmt("by %s at %s, with a token: slipway admit", sw_admission_name(ad->kind), url);
	return text ? sw_plan_wrap(b, "Admitted ", text, width) : -ENOMEM;
}

static int add_network(struct sw_buf *b, const struct sw_answers *a, unsigned int width)
{
	_cleanup_strv_ char **lines = NULL;
	int r = sw_plan_network_words(a, &lines);

	for (size_t i = 0; lines && lines[i] && r == 0; i++)
		r = sw_plan_wrap(b, i ? "         " : "Network  ", lines[i], width);
	return r;
}

/* Who the node is: its name, and for whom it is what. */
static int add_identity(struct sw_buf *b, const struct sw_plan *p, unsigned int width)
{
	const struct sw_answers *a = p->answers;
	size_t n = sw_strv_len(a->ssh_authorized);
	_cleanup_buf_ struct sw_buf ssh = {};
	char id[33];
	int r = sw_buf_addf(b, "Name     %s\n", a->hostname && *a->hostname ? a->hostname : "-");

	if (r == 0 && sw_plan_machine_id(p, id) == 0)
		r = sw_buf_addf(b, "         machine ID %s\n", id);
	if (r == 0 && sw_plan_makes_host_key(p))
		r = sw_buf_addf(&ssh, "a host key is made and sealed to the TPM%s", n ? ", " : "");
	if (r == 0 && sw_plan_keeps_host_key(p))
		r = sw_buf_addf(&ssh, "the host key is kept%s", n ? ", " : "");
	if (r == 0 && n)
		r = sw_buf_addf(&ssh, "%zu key%s may log in as root", n, n == 1 ? "" : "s");
	return r < 0 || !ssh.len ? r : sw_plan_wrap(b, "SSH      ", sw_buf_text(&ssh), width);
}

/* What the node finds in its root, and whence. */
static int add_files(struct sw_buf *b, const struct sw_answers *a, unsigned int width)
{
	int r = 0;

	for (size_t i = 0; sw_answers_have_files(a, false) && i < a->n_node_files && r == 0; i++) {
		const struct sw_node_file *f = &a->node_files[i];
		_cleanup_free_ char *shown = f->source ? sw_source_show(f->source) : NULL;
		_cleanup_free_ char *text = shown
			? sw_fmt("%s (%s): from %s", f->path, f->mode ? f->mode : "0644", shown)
			: sw_fmt("%s (%s): %zu bytes of the answers", f->path,
				 f->mode ? f->mode : "0644", f->text ? strlen(f->text) : 0);

		r = text ? sw_plan_wrap(b, i ? "         " : "Files    ", text, width) : -ENOMEM;
	}
	return r;
}

static int add_node(struct sw_buf *b, const struct sw_plan *p, unsigned int width)
{
	const struct sw_answers *a = p->answers;
	_cleanup_buf_ struct sw_buf payload = {};
	int r;

	if (!sw_answers_have_payload(a))
		r = sw_buf_adds(&payload, p->n_disks ? "none: the slots stay empty"
						     : "none: the network has it");
	else if (a->uki)
		r = add_source(&payload, "", a->uki);
	else
		r = add_source(&payload, "", a->kernel);
	if (r == 0 && a->kernel && !a->uki)
		r = add_source(&payload, ", ", a->initrd);
	if (r == 0)
		r = add_identity(b, p, width);
	if (r == 0)
		r = sw_plan_wrap(b, "Payload  ", sw_buf_text(&payload), width);
	if (r == 0)
		r = add_trust(b, a, width);
	for (size_t i = 0; i < a->n_admission && r == 0; i++)
		r = add_admission(b, &a->admission[i], width);
	if (r == 0)
		r = add_network(b, a, width);
	if (r == 0)
		r = add_files(b, a, width);
	for (size_t i = 0; i < p->entries.n_writes && r == 0; i++)
		r = sw_plan_wrap(b, i ? "         " : "Boot     ", p->entries.writes[i].text,
				 width);
	return r;
}

/* What runs as root beside the plan's own steps, and when. */
static int add_hooks(struct sw_buf *b, const struct sw_answers *a, unsigned int width)
{
	const struct { const char *when; char *const *list; } hooks[] = {
		{ "before", a->hooks_before }, { "after", a->hooks_after },
		{ "on an error", a->hooks_on_error },
	};
	bool first = true;
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(hooks) && r == 0; i++)
		for (char *const *h = hooks[i].list; h && *h && r == 0; h++, first = false) {
			_cleanup_free_ char *text = sw_fmt("%s: %s", hooks[i].when, *h);

			r = text ? sw_plan_wrap(b, first ? "Hooks    " : "         ", text, width)
				 : -ENOMEM;
		}
	return r;
}

static int add_steps(struct sw_buf *b, const struct sw_plan *p, unsigned int width)
{
	int r = 0;

	for (size_t i = 0; i < p->n_steps && r == 0; i++) {
		char first[40];

		(void)snprintf(first, sizeof(first), "%s%2zu ", i ? "        " : "Steps   ", i + 1);
		r = sw_plan_wrap(b, first, p->steps[i].title, width);
	}
	return r;
}

char *sw_plan_text(const struct sw_plan *p, unsigned int width)
{
	_cleanup_buf_ struct sw_buf b = {};
	int r = p->n_disks ? 0 : sw_buf_adds(&b, "Disk     none: no disk is written\n");

	for (size_t k = 0; k < p->n_disks && r == 0; k++) {
		r = add_disk(&b, p, k, width);
		if (r == 0)
			r = sw_plan_add_tables(&b, p, k, width);
	}
	if (r == 0)
		r = add_node(&b, p, width);
	if (r == 0)
		r = add_hooks(&b, p->answers, width);
	if (r == 0)
		r = sw_plan_add_secrets(&b, p, width);
	for (char **w = p->warnings; r == 0 && w && *w; w++)
		r = sw_plan_wrap(&b, "Note     ", *w, width);
	if (r == 0)
		r = add_steps(&b, p, width);
	return r < 0 ? NULL : sw_buf_steal(&b);
}
