/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Never a wrong or guessed disk. Machines are generated from a seed that is
 * printed: identical models, missing and shared serials, several ways to one
 * disk, boot sticks, read-only and mounted disks, members of arrays, equal sizes,
 * names that want to be more than names. Rules are generated from what is there.
 * An oracle that shares no code with the selection says what must come out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <cmocka.h>

#include "answers/answers.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/quote.h"
#include "base/size.h"
#include "base/text.h"
#include "disk/select.h"

#define MACHINES 1500U
#define RULES 3U
#define NODES_MAX 12U
#define TAKEN_MAX 2U
#define GIB (1ULL << 30)

static uint64_t rng;

static uint32_t roll(uint32_t n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (uint32_t)(rng >> 32) % n;
}

/* ---- machines ---- */

struct machine {
	struct sw_disk d[NODES_MAX];
	char names[NODES_MAX][16];
	unsigned int physical[NODES_MAX];	/* which disk a node leads to */
	size_t n;
};

static char long_text[300];
static char *in_use[] = { (char *)"sdx1 is mounted on /srv", NULL };
static char *in_array[] = { (char *)"md0 is made of it", NULL };

static char *one_of(const char *const *list, size_t n)
{
	return (char *)list[roll((uint32_t)n)];
}
#define ONE_OF(list) one_of(list, ARRAY_SIZE(list))

static const char *const serials[] = {
	"S4EVNX0R", "S4EVNX0S", "S4EVNX0T", "s4evnx0r", "000000000001", "0123", "NODE07SYS",
	"NODE07DATA", "A*B", "AXB", "A?B", "A[12]B", "A1B", "back\\slash", "no", "- x", "a: b # c",
	"quo\"te", "\xc3\xa9t\xc3\xa9", "\033[2Jx", "x\ny", "", NULL, NULL, NULL, long_text,
};
static const char *const wwns[] = {
	"eui.0025385b71b0a1c2", "EUI.0025385B71B0A1C2", "0x5000c500a1", "0x5000c500a2",
	"0x5000c500a3", "0x5000c500a4", "0x0000000000000000", "", NULL, NULL, NULL, NULL,
};
static const char *const models[] = { "PM9A3", "PM9A3", "pm9a3", "Fast [Pro] 1", "QEMU HARDDISK",
				      "", NULL };
static const char *const vendors[] = { "SEAGATE", "ATA", NULL };
static const char *const transports[] = { "nvme", "sata", "usb", "sas", NULL };
static const char *const digests[] = { "", "aa", "aa", "bb" };

static void give_path(struct sw_disk *d, char *text)
{
	(void)snprintf(text, 32, "pci-0000:%02u:00.0-ata-%u", roll(3), roll(9));
	d->path = roll(6) ? text : NULL;
}

static char paths[NODES_MAX][32];

static void new_disk(struct machine *m, size_t i)
{
	struct sw_disk *d = &m->d[i];

	*d = (struct sw_disk){
		.serial = ONE_OF(serials), .wwn = ONE_OF(wwns), .model = ONE_OF(models),
		.vendor = ONE_OF(vendors), .transport = ONE_OF(transports),
		.size = (10 + 10 * (uint64_t)roll(3)) * GIB + (roll(8) ? 0 : 512),
		.sector = roll(12) ? 512 : roll(2) ? 4096 : 520,
		.rotational = roll(2), .removable = !roll(4), .read_only = !roll(14),
		.medium = !roll(14),
		.uses = roll(8) ? NULL : roll(2) ? in_use : in_array,
	};
	if (!roll(20))
		d->size = 0;
	(void)snprintf(d->table.digest, sizeof(d->table.digest), "%s", ONE_OF(digests));
	give_path(d, paths[i]);
	m->physical[i] = (unsigned int)i;
}

/* Another node of a disk that is there: what the bus tells may differ, the disk's own words not. */
static void new_way(struct machine *m, size_t i)
{
	size_t to = roll((uint32_t)i);

	m->d[i] = m->d[to];
	m->physical[i] = m->physical[to];
	give_path(&m->d[i], paths[i]);
	if (!roll(3))
		m->d[i].table.digest[0] = '\0';
	if (!roll(3))
		m->d[i].transport = ONE_OF(transports);
	if (!roll(2))
		m->d[i].uses = NULL;
	if (!roll(4))
		m->d[i].wwn = NULL;
}

/* Kernel names are given out in any order, and another one at each start. */
static void rename_all(struct machine *m)
{
	uint32_t start = roll(13);

	for (size_t i = 0; i < m->n; i++) {
		(void)snprintf(m->names[i], sizeof(m->names[i]), "sd%c",
			       (char)('a' + (start + i) % 26));
		m->d[i].name = m->names[i];
	}
}

static void generate(struct machine *m)
{
	m->n = roll(NODES_MAX + 1);
	for (size_t i = 0; i < m->n; i++)
		if (i && !roll(5))
			new_way(m, i);
		else
			new_disk(m, i);
	rename_all(m);
}

/* ---- rules ---- */

struct rule {
	struct sw_disk_match m[3];
	size_t n;
	char text[3][SW_CLAUSE_N][320];
	uint64_t min;
};

static const char *value_of(const struct sw_disk *d, enum sw_clause c)
{
	const char *const v[] = {
		[SW_CLAUSE_SERIAL] = d->serial, [SW_CLAUSE_WWN] = d->wwn,
		[SW_CLAUSE_PATH] = d->path,	[SW_CLAUSE_MODEL] = d->model,
		[SW_CLAUSE_VENDOR] = d->vendor, [SW_CLAUSE_TRANSPORT] = d->transport,
	};

	return v[c] && *v[c] ? v[c] : NULL;
}

static char **slot_of(struct sw_disk_match *m, enum sw_clause c)
{
	char **const slots[] = {
		[SW_CLAUSE_SERIAL] = &m->serial, [SW_CLAUSE_WWN] = &m->wwn,
		[SW_CLAUSE_PATH] = &m->path,	 [SW_CLAUSE_MODEL] = &m->model,
		[SW_CLAUSE_VENDOR] = &m->vendor, [SW_CLAUSE_TRANSPORT] = &m->transport,
		[SW_CLAUSE_SIZE] = &m->size,
	};

	return slots[c];
}

/* The whole value, as itself or quoted, or a pattern that is made from it. */
static void pattern_from(const char *value, char *out)
{
	size_t n = strlen(value), cut = roll((uint32_t)n + 1), k = 0;

	switch (roll(6)) {
	case 0:
		(void)snprintf(out, 320, "%.*s*", (int)cut, value);
		break;
	case 1:
		(void)snprintf(out, 320, "*%s", value + cut);
		break;
	case 2:
		(void)snprintf(out, 320, "%.*s?%s", (int)cut, value,
			       value + cut + (cut < n ? 1 : 0));
		break;
	case 3:
		for (; *value && k < 310; value++) {
			if (strchr("*?[\\", *value))
				out[k++] = '\\';
			out[k++] = *value;
		}
		out[k] = '\0';
		break;
	default:
		(void)snprintf(out, 320, "%s", value);
	}
}

static void size_rule_from(uint64_t size, char *out)
{
	static const char *const rules[] = { "largest", "smallest", ">=20G", "<20G", "<=20G",
					     ">10G", "20G" };

	if (roll(2))
		(void)snprintf(out, 320, "%s", ONE_OF(rules));
	else
		(void)snprintf(out, 320, "%llu", (unsigned long long)size);
}

static void make_match(struct rule *r, size_t at, const struct machine *m)
{
	struct sw_disk none = {};
	const struct sw_disk *d = m->n && roll(10) ? &m->d[roll((uint32_t)m->n)] : &none;

	r->m[at] = (struct sw_disk_match){};
	for (enum sw_clause c = 0; c < SW_CLAUSE_N; c++) {
		char *text = r->text[at][c];

		if (roll(c <= SW_CLAUSE_PATH ? 3 : 4))
			continue;
		if (c == SW_CLAUSE_ROTATIONAL) {
			r->m[at].rotational = 1 + roll(2);
			continue;
		}
		if (c == SW_CLAUSE_SIZE)
			size_rule_from(d->size, text);
		else if (value_of(d, c))
			pattern_from(value_of(d, c), text);
		else
			continue;
		if (*text)
			*slot_of(&r->m[at], c) = text;
	}
}

static void make_rule(struct rule *r, const struct machine *m)
{
	r->n = roll(3) ? 1 : 2 + roll(2);
	r->min = roll(4) ? 0 : 20 * GIB;
	for (size_t i = 0; i < r->n; i++)
		make_match(r, i, m);
}

/* ---- the oracle ---- */

static bool glob(const char *p, const char *v, bool fold)
{
	if (*p == '\0')
		return *v == '\0';
	if (*p == '*')
		return glob(p + 1, v, fold) || (*v && glob(p, v + 1, fold));
	if (*v == '\0')
		return false;
	if (*p == '?') {
		size_t n = 1;

		while (((unsigned char)v[n] & 0xc0) == 0x80)
			n++;
		/* In the C locale a character is a byte. */
		(void)n;
		return glob(p + 1, v + 1, fold);
	}
	if (*p == '[' && strchr(p, ']')) {
		const char *end = strchr(p, ']');
		bool in = memchr(p + 1, *v, (size_t)(end - p - 1)) != NULL;

		for (const char *q = p + 1; fold && q < end; q++)
			in = in || strncasecmp(q, v, 1) == 0;
		return in && glob(end + 1, v + 1, fold);
	}
	if (*p == '\\' && p[1])
		p++;
	return (fold ? strncasecmp(p, v, 1) == 0 : *p == *v) && glob(p + 1, v + 1, fold);
}

static bool size_fits(uint64_t size, const char *rule)
{
	uint64_t bytes;
	const char *digits = rule + strspn(rule, "<>=");

	if (!strcmp(rule, "largest") || !strcmp(rule, "smallest"))
		return true;
	assert_int_equal(sw_size_parse(digits, &bytes), 0);
	if (!strncmp(rule, ">=", 2))
		return size >= bytes;
	if (!strncmp(rule, "<=", 2))
		return size <= bytes;
	return *rule == '>' ? size > bytes : *rule == '<' ? size < bytes : size == bytes;
}

static bool clause_fits(const struct sw_disk *d, struct sw_disk_match *m, enum sw_clause c)
{
	bool fold = c != SW_CLAUSE_SERIAL && c != SW_CLAUSE_PATH;
	const char *pattern, *value;

	if (c == SW_CLAUSE_ROTATIONAL)
		return !m->rotational || d->rotational == (m->rotational == SW_ROTATIONAL_YES);
	pattern = *slot_of(m, c);
	if (!pattern)
		return true;
	if (c == SW_CLAUSE_SIZE)
		return size_fits(d->size, pattern);
	value = value_of(d, c);
	return value && (!strcmp(value, pattern) || glob(pattern, value, fold));
}

static bool fits(const struct sw_disk *d, struct sw_disk_match *m)
{
	bool asked = m->rotational;

	for (enum sw_clause c = 0; c < SW_CLAUSE_N; c++) {
		if (!clause_fits(d, m, c))
			return false;
		asked = asked || (c < SW_CLAUSE_ROTATIONAL && *slot_of(m, c));
	}
	return asked;
}

struct scene {
	const struct machine *m;
	uint64_t min;
	const struct sw_disk *taken[TAKEN_MAX];
	size_t n_taken;
};

static bool is_bad(const struct scene *s, const struct sw_disk *d)
{
	for (size_t i = 0; i < s->n_taken; i++)
		if (s->taken[i] == d)
			return true;
	return d->medium || d->read_only || d->uses || !d->size || d->sector == 520 ||
	       d->size < s->min;
}

static bool equal(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool wwn_is_name(const char *w)
{
	return w && *w && strcmp(w, "0x0000000000000000") != 0;
}

static bool perhaps_one(const struct sw_disk *a, const struct sw_disk *b)
{
	if (a->size != b->size || a->sector != b->sector || !equal(a->serial, b->serial))
		return false;
	if (a->table.digest[0] && b->table.digest[0] && !equal(a->table.digest, b->table.digest))
		return false;
	if (wwn_is_name(a->wwn) && wwn_is_name(b->wwn))
		return strcasecmp(a->wwn, b->wwn) == 0;
	return a->serial && *a->serial && equal(a->model, b->model);
}

static bool is_free(const struct scene *s, const struct sw_disk *d)
{
	if (is_bad(s, d))
		return false;
	for (size_t i = 0; i < s->m->n; i++)
		if (&s->m->d[i] != d && perhaps_one(d, &s->m->d[i]) && is_bad(s, &s->m->d[i]))
			return false;
	return true;
}

/* May this node be written to on the word of this rule, if it is the only one left? */
static bool is_beyond_doubt(const struct scene *s, struct sw_disk_match *m,
			    const struct sw_disk *d)
{
	for (size_t i = 0; i < s->m->n; i++) {
		const struct sw_disk *o = &s->m->d[i];
		bool apart = (m->path && !clause_fits(o, m, SW_CLAUSE_PATH)) ||
			     (m->wwn && !clause_fits(o, m, SW_CLAUSE_WWN));

		if (o == d)
			continue;
		if (perhaps_one(d, o) && !apart)
			return false;
		if (!fits(o, m) || is_free(s, o))
			continue;
		if ((m->serial && equal(d->serial, o->serial)) ||
		    (m->wwn && !strcasecmp(d->wwn, o->wwn)) || (m->path && equal(d->path, o->path)))
			return false;
	}
	return true;
}

static bool is_left(const struct scene *s, struct sw_disk_match *m, const struct sw_disk *d)
{
	bool large = m->size && !strcmp(m->size, "largest");
	bool small = m->size && !strcmp(m->size, "smallest");

	if (!is_free(s, d) || !fits(d, m))
		return false;
	for (size_t i = 0; i < s->m->n; i++) {
		const struct sw_disk *o = &s->m->d[i];

		if (((large && o->size > d->size) || (small && o->size < d->size)) &&
		    is_free(s, o) && fits(o, m))
			return false;
	}
	return true;
}

/* The node that one alternative gives, or -ENODEV or -ENOTUNIQ. */
static int expect_one(const struct scene *s, struct sw_disk_match *m)
{
	int found = -ENODEV;

	for (size_t i = 0; i < s->m->n; i++)
		if (is_left(s, m, &s->m->d[i]))
			found = found == -ENODEV ? (int)i : -ENOTUNIQ;
	return found >= 0 && !is_beyond_doubt(s, m, &s->m->d[found]) ? -ENOTUNIQ : found;
}

static int expect(const struct scene *s, struct rule *r, size_t *ret_last)
{
	int found = -ENODEV;

	for (size_t i = 0; i < r->n && found == -ENODEV; i++) {
		found = expect_one(s, &r->m[i]);
		*ret_last = i;
	}
	return found;
}

/* ---- what the selection says ---- */

static int select_node(const struct scene *s, struct sw_disk_match *m, size_t n,
		       struct sw_error *e)
{
	struct sw_facts f = { .disks = (struct sw_disk *)s->m->d, .n_disks = s->m->n };
	struct sw_disk_choice c = { .match = m, .n_match = n };
	const struct sw_disk *d = NULL;
	_cleanup_free_ char *table = NULL;
	int r = sw_disk_choose(&f, &c, s->min, s->taken, s->n_taken, &d, &table, e);

	assert_non_null(table);
	for (size_t i = 0; i < s->m->n; i++)
		assert_non_null(strstr(table, s->m->d[i].name));
	for (const char *p = table; *p; p++)
		assert_true(*p == '\n' || (unsigned char)*p >= 0x20);
	return r < 0 ? r : (int)(d - f.disks);
}

/* ---- the hint ---- */

/* Reads "key: value", the value perhaps in quotes; returns its end. */
static const char *take_clause(const char *at, struct sw_buf *yaml)
{
	size_t key = strspn(at, "abcdefghijklmnopqrstuvwxyz");
	const char *end;

	if (key == 0 || strncmp(at + key, ": ", 2) != 0)
		fail_msg("no clause: %s", at);
	end = at + key + 2;
	if (*end == '"')
		for (end++; *end && *end != '"'; end++)
			end += *end == '\\';
	else
		end += strcspn(end, " ");
	end += *end == '"';
	assert_int_equal(sw_buf_addf(yaml, "    %.*s\n", (int)(end - at), at), 0);
	return end;
}

/* What a person would do: put the clauses into the file, in place of those of the same kind. */
static void overlay(const struct sw_buf *yaml, struct sw_disk_match *m,
		    struct sw_answers **ret_answers)
{
	_cleanup_free_ char *file =
		sw_fmt("slipway: 1\ndisk:\n  match:\n%s", sw_buf_text(yaml));
	struct sw_disk_match *add;
	struct sw_error e = {};

	if (sw_answers_parse(file, strlen(file), "hint", ret_answers, &e) < 0)
		fail_msg("the hint is no answer: %s\n%s", e.what, file);
	add = &(*ret_answers)->disk.match[0];
	for (enum sw_clause c = 0; c < SW_CLAUSE_ROTATIONAL; c++)
		if (*slot_of(add, c))
			*slot_of(m, c) = *slot_of(add, c);
	if (add->rotational)
		m->rotational = add->rotational;
}

/* The clauses of a disk's own words, as the oracle sees them; returns their number. */
static size_t own_clauses(const struct sw_disk *d, enum sw_clause *kinds, char (*text)[600])
{
	size_t n = 0;

	for (enum sw_clause c = 0; c < SW_CLAUSE_SIZE; c++) {
		const char *v = value_of(d, c);
		size_t k = 0;

		if (!v || !sw_text_is_clean(v) || strlen(v) > 255)
			continue;
		for (; *v; v++) {
			if (strchr("*?[\\", *v))
				text[n][k++] = '\\';
			text[n][k++] = *v;
		}
		text[n][k] = '\0';
		kinds[n++] = c;
	}
	(void)snprintf(text[n], 600, "%llu", (unsigned long long)d->size);
	kinds[n++] = SW_CLAUSE_SIZE;
	(void)snprintf(text[n], 600, "largest");
	kinds[n++] = SW_CLAUSE_SIZE;
	(void)snprintf(text[n], 600, "smallest");
	kinds[n++] = SW_CLAUSE_SIZE;
	kinds[n++] = SW_CLAUSE_ROTATIONAL;
	return n;
}

static void put(struct sw_disk_match *m, enum sw_clause c, char *text, const struct sw_disk *d)
{
	if (c == SW_CLAUSE_ROTATIONAL)
		m->rotational = d->rotational ? SW_ROTATIONAL_YES : SW_ROTATIONAL_NO;
	else
		*slot_of(m, c) = text;
}

/* The length of the shortest single clause that leaves d alone, as it would be written; 0: none. */
static size_t shortest(const struct scene *s, const struct sw_disk_match *base,
		       const struct sw_disk *d)
{
	static const char *const words[] = { "serial", "wwn", "path", "model", "vendor",
					     "transport", "size", "rotational" };
	enum sw_clause kinds[SW_CLAUSE_N + 2];
	static char text[SW_CLAUSE_N + 2][600];
	size_t n = own_clauses(d, kinds, text), best = 0;

	for (size_t i = 0; i < n; i++) {
		struct sw_disk_match m = *base;
		_cleanup_buf_ struct sw_buf b = {};
		size_t len = strlen(words[kinds[i]]) + 2;

		put(&m, kinds[i], text[i], d);
		if (expect_one(s, &m) != (int)(d - s->m->d))
			continue;
		if (kinds[i] == SW_CLAUSE_ROTATIONAL)
			len += d->rotational ? 3 : 2;
		else if (kinds[i] == SW_CLAUSE_SIZE && *text[i] <= '9')
			len += d->size % GIB ? strlen(text[i]) : 3;	/* "20G" */
		else if (sw_quote_add(&b, text[i]) == 0)
			len += b.len;
		if (!best || len < best)
			best = len;
	}
	return best;
}

/* Whether any clause or pair of clauses leaves d alone. */
static bool can_be_decided(const struct scene *s, const struct sw_disk_match *base,
			   const struct sw_disk *d)
{
	enum sw_clause kinds[SW_CLAUSE_N + 2];
	static char text[SW_CLAUSE_N + 2][600];
	size_t n = own_clauses(d, kinds, text);

	for (size_t i = 0; i < n; i++)
		for (size_t k = i; k < n; k++) {
			struct sw_disk_match m = *base;

			if (k != i && kinds[i] == kinds[k])
				continue;
			put(&m, kinds[i], text[i], d);
			put(&m, kinds[k], text[k], d);
			if (expect_one(s, &m) == (int)(d - s->m->d))
				return true;
		}
	return false;
}

struct tally {
	unsigned int chosen, several, none, clauses, pairs, undecidable, permuted;
};

/* One "clause (sda)" or "clause and clause (sda)" of a hint. */
static const char *check_item(const struct scene *s, const struct sw_disk_match *base, bool add,
			      const char *p, struct tally *t)
{
	_cleanup_answers_ struct sw_answers *a = NULL;
	_cleanup_buf_ struct sw_buf yaml = {};
	struct sw_disk_match m = *base;
	const char *start = p;
	struct sw_error e = {};
	char name[16];
	bool pair;
	size_t len;
	int r;

	p = take_clause(p, &yaml);
	len = (size_t)(p - start);
	pair = !strncmp(p, " and ", 5);
	if (pair)
		p = take_clause(p + 5, &yaml);
	assert_int_equal(sscanf(p, " (%15[a-z])", name), 1);
	overlay(&yaml, &m, &a);
	r = select_node(s, &m, 1, &e);
	if (r < 0 || strcmp(s->m->d[r].name, name) != 0)
		fail_msg("the hint's clause does not pick %s but %d: %s\n%s", name, r, start,
			 sw_buf_text(&yaml));
	/* It is the shortest where it completes a rule; in place of a rule a name comes first. */
	if (add && shortest(s, base, &s->m->d[r]) != (pair ? 0 : len))
		fail_msg("not the shortest (%zu): %s", shortest(s, base, &s->m->d[r]), start);
	t->clauses++;
	t->pairs += pair;
	return strchr(p, ')') + 1;
}

static void check_hint(const struct scene *s, const struct sw_disk_match *m, int r,
		       const char *hint, struct tally *t)
{
	static const char other[] = "To use another disk, let disk.match be ";
	static const struct sw_disk_match nothing;
	struct sw_disk_match base = r == -ENOTUNIQ ? *m : nothing;
	const char *p = NULL;

	if (!strncmp(hint, "Add ", 4))
		p = hint + 4;
	else if (!strncmp(hint, "Write ", 6))
		p = hint + 6;
	else if (!strncmp(hint, other, sizeof(other) - 1))
		p = hint + sizeof(other) - 1;
	while (p) {
		p = check_item(s, &base, r == -ENOTUNIQ, p, t);
		p = strncmp(p, " or ", 4) ? NULL : p + 4;
	}
	if (strncmp(hint, "Nothing tells these disks apart", 31) != 0)
		return;
	t->undecidable++;
	for (size_t i = 0; i < s->m->n; i++) {
		const struct sw_disk *d = &s->m->d[i];
		bool in = r == -ENODEV ? is_free(s, d) : is_left(s, &base, d);

		if (in && can_be_decided(s, &base, d))
			fail_msg("%s can be told apart, but the hint says: %s", d->name, hint);
	}
}

/* ---- order and names do not matter ---- */

static void check_permuted(const struct scene *s, struct rule *r, int want, struct tally *t)
{
	static struct machine other;
	struct scene p = { .m = &other, .min = s->min };
	size_t order[NODES_MAX];
	struct sw_error e = {};
	int got;

	other = *s->m;
	for (size_t i = 0; i < other.n; i++)
		order[i] = i;
	for (size_t i = other.n; i > 1; i--) {
		size_t k = roll((uint32_t)i), swap = order[k];

		order[k] = order[i - 1];
		order[i - 1] = swap;
	}
	for (size_t i = 0; i < other.n; i++) {
		other.d[i] = s->m->d[order[i]];
		for (size_t k = 0; k < s->n_taken; k++)
			if (s->taken[k] == &s->m->d[order[i]])
				p.taken[p.n_taken++] = &other.d[i];
	}
	rename_all(&other);
	got = select_node(&p, r->m, r->n, &e);
	if (want < 0 ? got != want : got < 0 || order[got] != (size_t)want)
		fail_msg("in another order %d, not %d", got < 0 ? got : (int)order[got], want);
	t->permuted++;
}

static void take_some(struct scene *s)
{
	s->n_taken = 0;
	while (s->m->n && s->n_taken < TAKEN_MAX && !roll(4)) {
		const struct sw_disk *d = &s->m->d[roll((uint32_t)s->m->n)];

		if (s->n_taken && s->taken[0] == d)
			break;
		s->taken[s->n_taken++] = d;
	}
}

/* A disk that is chosen leads to no place that a taken or excluded node leads to. */
static void check_truth(const struct scene *s, int r)
{
	for (size_t i = 0; i < s->m->n; i++) {
		const struct sw_disk *o = &s->m->d[i];

		if (s->m->physical[i] == s->m->physical[r] && is_bad(s, o) &&
		    perhaps_one(o, &s->m->d[r]))
			fail_msg("%s is the same disk as %s", s->m->d[r].name, o->name);
	}
}

static void check_machine(uint64_t seed, unsigned int number, struct tally *t)
{
	static struct machine m;
	static struct rule rule;
	struct scene s = { .m = &m };

	generate(&m);
	for (unsigned int i = 0; i < RULES; i++) {
		struct sw_error e = {};
		size_t last = 0;
		int want, got;

		make_rule(&rule, &m);
		s.min = rule.min;
		take_some(&s);
		want = expect(&s, &rule, &last);
		got = select_node(&s, rule.m, rule.n, &e);
		if (want != got)
			fail_msg("seed %llu machine %u rule %u: %d expected, got %d: %s\n%s",
				 (unsigned long long)seed, number, i, want, got, e.what, e.why);
		if (got >= 0) {
			check_truth(&s, got);
		} else {
			assert_int_equal(e.exit, SW_EXIT_REFUSED);
			assert_true(e.what[0] && e.why[0] && e.hint[0]);
			check_hint(&s, &rule.m[last], got, e.hint, t);
		}
		check_permuted(&s, &rule, want, t);
		t->chosen += got >= 0;
		t->several += got == -ENOTUNIQ;
		t->none += got == -ENODEV;
	}
}

static void test_never_a_wrong_or_guessed_disk(void **state SW_UNUSED)
{
	const char *env = getenv("SLIPWAY_TEST_SEED");
	struct timespec now;
	uint64_t seed;
	struct tally t = {};

	(void)clock_gettime(CLOCK_REALTIME, &now);
	seed = env ? strtoull(env, NULL, 10) : (uint64_t)now.tv_nsec ^ (uint64_t)now.tv_sec;
	print_message("SLIPWAY_TEST_SEED=%llu\n", (unsigned long long)seed);
	memset(long_text, 'L', sizeof(long_text) - 1);
	for (unsigned int i = 0; i < MACHINES; i++) {
		rng = (seed + 1) * 0x9e3779b97f4a7c15ULL ^ (i + 1) * 0xbf58476d1ce4e5b9ULL;
		for (unsigned int k = 0; k < 4; k++)
			(void)roll(2);
		check_machine(seed, i, &t);
	}
	print_message("%u machines, %u rules: %u chosen, %u refused as several, %u as none; "
		      "%u clauses of hints tried (%u pairs), %u times nothing decides; "
		      "%u times the same in another order\n",
		      MACHINES, MACHINES * RULES, t.chosen, t.several, t.none, t.clauses, t.pairs,
		      t.undecidable, t.permuted);
	assert_true(t.chosen > 100 && t.several > 100 && t.none > 100 && t.clauses > 100 &&
		    t.pairs > 0 && t.undecidable > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_never_a_wrong_or_guessed_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
