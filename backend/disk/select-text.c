/* SPDX-License-Identifier: Apache-2.0 */
/* The table of candidates, the clause that would decide, and the text to confirm with. */
#include "disk/select-text.h"

#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/size.h"

#define HINTS_MAX 4U

static const char *const clause_names[] = {
	[SW_CLAUSE_SERIAL] = "serial", [SW_CLAUSE_WWN] = "wwn",
	[SW_CLAUSE_PATH] = "path",     [SW_CLAUSE_MODEL] = "model",
	[SW_CLAUSE_VENDOR] = "vendor", [SW_CLAUSE_TRANSPORT] = "transport",
	[SW_CLAUSE_SIZE] = "size",     [SW_CLAUSE_ROTATIONAL] = "rotational",
};

/* A disk's own strings reach terminals: no control characters. */
static int add_clean(struct sw_buf *b, const char *s)
{
	int r = 0;

	for (; r >= 0 && s && *s; s++)
		r = sw_buf_addf(b, "%c", (unsigned char)*s < 0x20 || *s == 0x7f ? '?' : *s);
	return r;
}

static int add_named(struct sw_buf *b, const char *name, const char *value)
{
	int r;

	if (!value || !*value)
		return 0;
	r = sw_buf_addf(b, ", %s ", name);
	return r < 0 ? r : add_clean(b, value);
}

static int add_disk(struct sw_buf *b, const struct sw_disk *d)
{
	char size[16];
	int r = add_clean(b, d->name ? d->name : "?");

	if (r >= 0)
		r = sw_buf_addf(b, "  %s", sw_size_format(d->size, size, sizeof(size)));
	if (r >= 0 && d->transport)
		r = sw_buf_adds(b, " ");
	if (r >= 0)
		r = add_clean(b, d->transport);
	if (r >= 0)
		r = add_named(b, "serial", d->serial);
	if (r >= 0)
		r = add_named(b, "model", d->model);
	if (r >= 0 && (!d->serial || !*d->serial))
		r = add_named(b, "path", d->path);
	return r;
}

static int add_verdict(struct sw_buf *b, const struct sw_selection *s, const struct sw_disk *d)
{
	const char *excluded = sw_selection_excluded(s, d);
	bool candidate = s->candidate[d - s->f->disks];
	bool match, asked = false;
	int r = sw_buf_adds(b, ":");

	for (enum sw_clause c = 0; r >= 0 && c < SW_CLAUSE_N; c++) {
		if (!sw_disk_clause(d, s->m, c, &match))
			continue;
		/* Of "largest" only the verdict knows. */
		if (c == SW_CLAUSE_SIZE && match && !candidate && !excluded &&
		    sw_disk_matches(d, s->m))
			match = false;
		r = sw_buf_addf(b, " %s %s,", clause_names[c], match ? "yes" : "no");
		asked = true;
	}
	if (r >= 0 && excluded) {
		r = sw_buf_adds(b, " excluded: ");
		return r < 0 ? r : add_clean(b, excluded);
	}
	if (r >= 0)
		r = sw_buf_adds(b, candidate ? " candidate"
				   : asked   ? " no match"
					     : " not asked for");
	return r;
}

char *sw_selection_table(const struct sw_selection *s)
{
	const struct sw_facts *f = s->f;
	_cleanup_buf_ struct sw_buf b = {};
	int r = f->n_disks ? 0 : sw_buf_adds(&b, "this machine shows no disks");

	for (size_t i = 0; r >= 0 && i < f->n_disks; i++) {
		if (i)
			r = sw_buf_adds(&b, "\n");
		if (r >= 0)
			r = add_disk(&b, &f->disks[i]);
		if (r >= 0)
			r = add_verdict(&b, s, &f->disks[i]);
	}
	return r < 0 ? NULL : sw_buf_steal(&b);
}

static const char *value_of(const struct sw_disk *d, enum sw_clause c)
{
	const char *v = c == SW_CLAUSE_SERIAL ? d->serial : c == SW_CLAUSE_WWN ? d->wwn : d->path;

	return v && *v ? v : NULL;
}

static bool only_one_has(const struct sw_facts *f, const struct sw_disk *d, enum sw_clause c)
{
	const char *v = value_of(d, c);

	for (size_t i = 0; v && i < f->n_disks; i++) {
		const char *w = value_of(&f->disks[i], c);

		if (&f->disks[i] != d && w && !strcasecmp(v, w))
			return false;
	}
	return v != NULL;
}

static int add_clause(struct sw_buf *b, const struct sw_facts *f, const struct sw_disk *d)
{
	for (enum sw_clause c = SW_CLAUSE_SERIAL; c <= SW_CLAUSE_PATH; c++) {
		int r;

		if (!only_one_has(f, d, c))
			continue;
		r = sw_buf_addf(b, "%s%s: ", b->len ? " or " : "Add ", clause_names[c]);
		if (r >= 0)
			r = add_clean(b, value_of(d, c));
		if (r >= 0)
			r = sw_buf_adds(b, " (");
		if (r >= 0)
			r = add_clean(b, d->name ? d->name : "?");
		return r < 0 ? r : sw_buf_adds(b, ")");
	}
	return 0;
}

char *sw_selection_hint(const struct sw_selection *s)
{
	const struct sw_facts *f = s->f;
	_cleanup_buf_ struct sw_buf b = {};
	size_t n = 0, left = 0;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < f->n_disks; i++) {
		if (s->n ? !s->candidate[i] : sw_selection_excluded(s, &f->disks[i]) != NULL)
			continue;
		if (n++ < HINTS_MAX)
			r = add_clause(&b, f, &f->disks[i]);
		else
			left++;
	}
	if (r >= 0 && b.len == 0)
		r = sw_buf_adds(&b, n ? "These disks have no serial, WWN or path that tells them "
					"apart: leave only the right one in the machine"
				      : "No disk of this machine can be used; see the reasons");
	else if (r >= 0)
		r = left ? sw_buf_addf(&b, " (and %zu more) to disk.match", left)
			 : sw_buf_adds(&b, " to disk.match");
	return r < 0 ? NULL : sw_buf_steal(&b);
}

/* How many characters the ends of two strings have in common, case ignored. */
static size_t common_tail(const char *a, const char *b)
{
	size_t na = strlen(a), nb = strlen(b), n = 0;

	while (n < na && n < nb && !strncasecmp(a + na - n - 1, b + nb - n - 1, 1))
		n++;
	return n;
}

char *sw_disk_confirm_text(const struct sw_facts *f, const struct sw_disk *d)
{
	size_t need = 4, len = d->serial ? strlen(d->serial) : 0;
	char size[16];

	if (len == 0)
		return strdup(sw_size_format(d->size, size, sizeof(size)));
	for (size_t i = 0; i < f->n_disks; i++) {
		const char *other = f->disks[i].serial;
		size_t n = &f->disks[i] != d && other ? common_tail(d->serial, other) : 0;

		if (n >= need)
			need = n + 1;
	}
	/* Two disks with one serial: the path is what tells them apart. */
	if (need > len && d->path && *d->path && len >= 4)
		return strdup(d->path);
	return strdup(d->serial + (len > need ? len - need : 0));
}
