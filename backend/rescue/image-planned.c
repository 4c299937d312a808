/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image that says it came with the install, and is not what the install's journal plans. Where
 * nothing is signed, whoever changes an image changes the hash in its manifest along, and the slot
 * is whole. The manifest of what was put there later (promote, doctor) names another time, and no
 * record of it is in the journal: of those this tells nothing.
 */
#include <string.h>

#include "apply/journal.h"
#include "base/text.h"
#include "plan/plan.h"
#include "rescue/private.h"

#define WORD 64U	/* characters of a word that are shown */
#define WORDS (2 * WORD + 32)
#define DIFFERS (WORDS + 32)

/* What slipway adds to each command line: the version that installed may have had other values. */
static bool is_added(const char *word, size_t len)
{
	static const char *const added[] = { "panic=", "watchdog.open_timeout=" };

	for (size_t i = 0; i < ARRAY_SIZE(added); i++)
		if (len >= strlen(added[i]) && strncmp(word, added[i], strlen(added[i])) == 0)
			return true;
	return false;
}

/* The next word that counts; NULL: there is none. */
static const char *next_word(const char **line, size_t *ret_len)
{
	for (;;) {
		const char *word = *line + strspn(*line, " \t\n");

		*ret_len = strcspn(word, " \t\n");
		*line = word + *ret_len;
		if (*ret_len == 0)
			return NULL;
		if (!is_added(word, *ret_len))
			return word;
	}
}

/* The first word of one line that the other has not in its place; "": they are alike. */
static void differing(const char *planned, const char *here, char text[static WORDS])
{
	size_t a_len, b_len;
	const char *a, *b;

	*text = '\0';
	do {
		a = next_word(&planned, &a_len);
		b = next_word(&here, &b_len);
	} while (a && b && a_len == b_len && strncmp(a, b, a_len) == 0);
	a_len = a_len < WORD ? a_len : WORD;
	b_len = b_len < WORD ? b_len : WORD;
	if (a && b)
		(void)snprintf(text, WORDS, "has \"%.*s\" where \"%.*s\" was", (int)b_len, b,
			       (int)a_len, a);
	else if (a)
		(void)snprintf(text, WORDS, "ends before \"%.*s\"", (int)a_len, a);
	else if (b)
		(void)snprintf(text, WORDS, "goes on with \"%.*s\"", (int)b_len, b);
	(void)sw_text_clean(text);
}

static int finding(struct sw_examine *x, const struct sw_node *n, const struct sw_node_slot *s,
		   const char *prefix, const char *differs, int64_t when)
{
	struct sw_finding *fi;
	char id[32], time[SW_TIME_TEXT];

	(void)snprintf(id, sizeof(id), "image-%c", s->letter);
	fi = sw_finding_add(x, prefix, id, SW_FINDING_WARNING, SW_SURE_LIKELY);
	if (!fi)
		return -ENOMEM;
	(void)snprintf(fi->what, sizeof(fi->what),
		       "the image of slot %c is not the one that was installed",
		       s->letter - 'a' + 'A');
	(void)snprintf(fi->evidence, sizeof(fi->evidence),
		       "%.40s on %.40s says that it is of the install of %s; %s",
		       s->part->label, n->disk->name, sw_time_text(when, time), differs);
	(void)snprintf(fi->effect, sizeof(fi->effect),
		       "it was changed with its manifest, and nothing that is signed says by "
		       "whom; it starts as it is now");
	(void)snprintf(fi->advice, sizeof(fi->advice),
		       "if nobody meant it: promote an image whose source is known; a signed one "
		       "under Secure Boot cannot be changed so");
	return 0;
}

static void compare(const struct sw_plan *p, const struct sw_slot_manifest *m, const char *cmdline,
		    char text[static DIFFERS])
{
	const struct sw_answers *a = p->answers;
	_cleanup_free_ char *planned = NULL;
	char words[WORDS];

	*text = '\0';
	if (a->uki && *a->uki) {
		if (a->uki_sha256 && *a->uki_sha256 && strcasecmp(a->uki_sha256, m->sha256) != 0)
			(void)snprintf(text, DIFFERS, "its sha256 begins with %.16s, and %.16s was "
				       "installed", m->sha256, a->uki_sha256);
		return;
	}
	planned = sw_answers_node_cmdline(a);
	if (!planned)
		return;
	differing(planned, cmdline ? cmdline : "", words);
	if (*words)
		(void)snprintf(text, DIFFERS, "its kernel command line %s", words);
}

int sw_examine_image_planned(struct sw_examine *x, const struct sw_node *n,
			     const struct sw_node_slot *s, const char *prefix, struct sw_io *io,
			     const char *cmdline)
{
	_cleanup_plan_ struct sw_plan *p = NULL;
	struct sw_journal_head h = {};
	char differs[DIFFERS] = "";
	int r;

	if (!s->m.reason || strcmp(s->m.reason, "install") != 0)
		return 0;
	r = sw_rescue_journal(n->disk, io, io->size, &h, &p);
	if (r == 0 && p->time == s->m.time)
		compare(p, &s->m, cmdline, differs);
	sw_journal_head_clear(&h);
	if (r == 0 && *differs)
		r = finding(x, n, s, prefix, differs, s->m.time);
	return r == -ENOMEM ? r : 0;
}
