/* SPDX-License-Identifier: Apache-2.0 */
/* Which PCR is not as something was sealed to it, and which event of the firmware's log differs. */
#include <string.h>

#include "base/hex.h"
#include "boot/measured.h"
#include "rescue/sealed.h"

#define SHORT 8U	/* bytes of a digest that are kept: sw_sealed_to_json() */
#define LONGEST 60	/* of an event's description */

struct chain {
	const struct sw_log_event *e[256];
	size_t n;
};

static int bank_of(const struct sw_eventlog *l)
{
	return l ? sw_eventlog_bank(l, "sha256") : -ENOENT;
}

/* What the log says was extended into a PCR; false when that does not make the value. */
static bool chain_of(const struct sw_eventlog *l, unsigned int pcr, const uint8_t value[static 32],
		     struct chain *c)
{
	int bank = bank_of(l);
	struct sw_pcrs made;

	c->n = 0;
	if (bank < 0)
		return false;
	sw_pcrs_init(l, (size_t)bank, &made);
	for (size_t i = 0; i < l->n_events && c->n < ARRAY_SIZE(c->e); i++) {
		const struct sw_log_event *e = &l->events[i];

		if (e->pcr != pcr || e->type == SW_EV_NO_ACTION || !e->digest[bank])
			continue;
		if (sw_pcrs_extend(l, (size_t)bank, e, &made) < 0)
			return false;
		c->e[c->n++] = e;
	}
	return memcmp(made.value[pcr], value, 32) == 0;
}

static bool is_same(const struct sw_eventlog *l, const struct sw_log_event *e, json_object *digest)
{
	const char *was = json_object_get_string(digest);
	char hex[2 * SHORT + 1];

	return was && strcmp(sw_hex(e->digest[bank_of(l)], SHORT, hex), was) == 0;
}

static int put_event(struct sw_buf *b, const char *before, const struct sw_log_event *e)
{
	_cleanup_free_ char *words = sw_event_describe(e);
	const char *type = sw_event_type_name(e->type);

	if (!words)
		return -ENOMEM;
	return sw_buf_addf(b, "%s%s%s%.*s", before, type ? type : "of an unknown type",
			   *words ? " " : "", LONGEST, words);
}

/* The first that is another one, is new, or is gone. */
static int put_difference(struct sw_buf *b, const struct sw_eventlog *l, const struct chain *c,
			  json_object *events)
{
	size_t was = json_object_array_length(events), i = 0;
	char before[60];

	while (i < c->n && i < was && is_same(l, c->e[i], json_object_array_get_idx(events, i)))
		i++;
	(void)snprintf(before, sizeof(before), "; event %zu of %zu is ", i + 1, c->n);
	if (i == c->n)
		return sw_buf_addf(b, "; event %zu of then is missing, after the last one", i + 1);
	if (i < was && i + 1 < c->n &&
	    is_same(l, c->e[i + 1], json_object_array_get_idx(events, i)))
		(void)snprintf(before, sizeof(before), "; event %zu is new: ", i + 1);
	else if (i < was && i + 1 < was &&
		 is_same(l, c->e[i], json_object_array_get_idx(events, i + 1)))
		(void)snprintf(before, sizeof(before), "; an event is missing before event %zu, ",
			       i + 1);
	else if (i < was)
		(void)snprintf(before, sizeof(before), "; event %zu is another one, now ", i + 1);
	else
		(void)snprintf(before, sizeof(before), "; event %zu is new: ", i + 1);
	return put_event(b, before, c->e[i]);
}

static int put_events(struct sw_buf *b, const struct sw_eventlog *l, unsigned int pcr,
		      const uint8_t now[static 32], json_object *events)
{
	_cleanup_free_ struct chain *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	if (bank_of(l) < 0)
		return sw_buf_adds(b, "; the firmware keeps no log of what it measured");
	if (!chain_of(l, pcr, now, c))
		return sw_buf_adds(b, "; something was measured that is not in the firmware's log");
	return events ? put_difference(b, l, c, events)
		      : sw_buf_adds(b, "; `slipway tpm explain` shows what made it");
}

static int compare_one(struct sw_buf *b, unsigned int pcr, json_object *was,
		       const struct sw_tpm_bank *now, const struct sw_eventlog *l)
{
	const char *value = was ? sw_json_str(was, "value", NULL) : NULL;
	char hex[65];
	int r;

	(void)sw_hex(now->value[pcr], 32, hex);
	if (!now->has[pcr] || (value && strcmp(value, hex) == 0))
		return 0;
	if (!value)
		return sw_buf_addf(b, "%sPCR %u is %.16s..., and not as it was sealed to",
				   b->len ? "; " : "", pcr, hex);
	r = sw_buf_addf(b, "%sPCR %u is %.16s..., it was %.16s...", b->len ? "; " : "", pcr, hex,
			value);
	return r < 0 ? r : put_events(b, l, pcr, now->value[pcr], sw_json_array(was, "events"));
}

int sw_seal_compare(uint32_t pcrs, json_object *sealed_to, const struct sw_tpm_bank *now,
		    const struct sw_eventlog *l, struct sw_buf *ret_words)
{
	int r = 0;

	for (unsigned int i = 0; r == 0 && i < SW_PCRS; i++) {
		char key[12];

		(void)snprintf(key, sizeof(key), "%u", i);
		if (pcrs & 1U << i)
			r = compare_one(ret_words, i,
					sealed_to ? sw_json_get(sealed_to, key) : NULL, now, l);
	}
	if (r == 0 && ret_words->len == 0)
		r = sw_buf_adds(ret_words, "its PCRs do not hold what they held when it was "
					   "sealed");
	return r;
}

int sw_seal_differs(const struct sw_seal_aim *a, const struct sw_sealed *s, json_object *sealed_to,
		    struct sw_buf *ret_words)
{
	_cleanup_free_ struct sw_tpm_pcrs *now = calloc(1, sizeof(*now));
	_cleanup_eventlog_ struct sw_eventlog *l = NULL;
	struct sw_tpm_bank *bank;

	if (!now)
		return -ENOMEM;
	if (sw_tpm_read_pcrs(a->tcti, now, NULL) < 0 ||
	    !(bank = sw_tpm_sha256_bank(now)))
		return sw_buf_adds(ret_words, "its PCRs do not hold what they held when it was "
					      "sealed");
	/* Of the node's next start only the value is known, not the events. */
	if (a->later)
		memcpy(bank->value[7], a->pcr7.node, sizeof(a->pcr7.node));
	else
		(void)sw_eventlog_read(a->log, &l, NULL);
	return sw_seal_compare(s->pcrs, sealed_to, bank, l, ret_words);
}
