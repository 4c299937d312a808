/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/hex.h"
#include "base/text.h"
#include "boot/measured.h"
#include "show/show.h"
#include "tpm/facts.h"
#include "tpm/pcrs.h"

/* ---- facts ---- */

static void add_flags(struct sw_buf *b, const char *label, json_object *o, const char *on,
		      const char *off)
{
	const char *comma = "";

	(void)sw_buf_addf(b, "%-14s", label);
	json_object_object_foreach(o, key, value) {
		(void)sw_buf_addf(b, "%s%s %s", comma, key,
				  json_object_get_boolean(value) ? on : off);
		comma = ", ";
	}
	(void)sw_buf_adds(b, "\n");
}

static void add_lockout(const struct sw_tpm_facts *f, struct sw_buf *b)
{
	char text[SW_SPAN_TEXT];

	(void)sw_buf_addf(b, "%-14s%u of %u wrong attempts", "Lockout", f->failures,
			  f->failures_max);
	if (f->locked)
		(void)sw_buf_addf(b, "; LOCKED, it opens itself in %s",
				  sw_span_text(f->wait_s, text));
	else
		(void)sw_buf_addf(b, "; one is forgotten every %s",
				  sw_span_text(f->interval_s, text));
	(void)sw_buf_adds(b, "\n");
}

static void add_facts(const struct sw_tpm_facts *f, struct sw_buf *b)
{
	_cleanup_json_ json_object *o = sw_tpm_facts_to_json(f);
	json_object *banks = sw_json_array(o, "banks");

	(void)sw_buf_addf(b, "%-14s%s%s%s, firmware %s\n", "Maker", f->vendor,
			  *f->model ? ", " : "", f->model, sw_json_str(o, "firmware", "?"));
	(void)sw_buf_addf(b, "%-14s", "PCR banks");
	for (size_t i = 0; banks && i < json_object_array_length(banks); i++)
		(void)sw_buf_addf(b, "%s%s", i ? ", " : "",
				  json_object_get_string(json_object_array_get_idx(banks, i)));
	(void)sw_buf_adds(b, "\n");
	add_flags(b, "Hierarchies", sw_json_get(o, "hierarchies"), "on", "off");
	add_flags(b, "Passwords", sw_json_get(o, "passwords"), "set", "none");
	add_flags(b, "Certificates", sw_json_get(o, "certificates"), "stored", "none");
	add_lockout(f, b);
	(void)sw_buf_addf(b, "%-14s%s\n%-14s%s\n", "Attestation",
			  f->attests ? "can be used" : "cannot be used", "Sealing",
			  f->seals ? "can be used" : "cannot be used");
	for (size_t i = 0; i < f->n_findings; i++) {
		(void)sw_buf_addf(b, "%s %s\n", f->finding[i].stops ? "!" : "-",
				  f->finding[i].what);
		if (f->finding[i].hint)
			(void)sw_buf_addf(b, "  %s\n", f->finding[i].hint);
	}
}

/* ---- PCRs and what made them ---- */

static const struct sw_tpm_bank *find_bank(struct sw_tpm_pcrs *p)
{
	const struct sw_tpm_bank *b = sw_tpm_sha256_bank(p);

	return b || !p->n_banks ? b : &p->bank[0];
}

static void add_events(const struct sw_eventlog *l, size_t bank, uint32_t pcr, struct sw_buf *b)
{
	for (size_t i = 0; i < l->n_events; i++) {
		const struct sw_log_event *e = &l->events[i];
		_cleanup_free_ char *words = NULL;
		const char *type = sw_event_type_name(e->type);

		if (e->pcr != pcr || e->type == SW_EV_NO_ACTION || !e->digest[bank])
			continue;
		words = sw_event_describe(e);
		(void)sw_buf_addf(b, "    %s: %s\n", type ? type : "an event", words ? words : "");
	}
}

static void add_pcrs(const struct sw_tpm_bank *bank, const struct sw_eventlog *l,
		     struct sw_buf *b)
{
	const char *name = sw_tpm_alg_name(bank->alg);
	int of_log = l && name ? sw_eventlog_bank(l, name) : -ENOENT;
	struct sw_pcrs replayed = {};
	char hex[2 * SW_DIGEST_MAX + 1];
	bool can = of_log >= 0 &&
		   sw_eventlog_replay(l, (size_t)of_log, &replayed, NULL) == 0;

	(void)sw_buf_addf(b, "\nPCRs of the bank %s\n", name ? name : "?");
	for (uint32_t i = 0; i < SW_PCRS; i++) {
		bool same;

		if (!bank->has[i])
			continue;
		(void)sw_buf_addf(b, "%3u %s\n", i, sw_hex(bank->value[i], bank->size, hex));
		if (!can || !replayed.used[i])
			continue;
		same = memcmp(replayed.value[i], bank->value[i], bank->size) == 0;
		add_events(l, (size_t)of_log, i, b);
		if (!same)
			(void)sw_buf_adds(b, "    ! the log does not lead to this value: something "
					     "else was measured since\n");
	}
}

int sw_show_tpm(struct sw_machine *m, struct sw_buf *out, struct sw_error *err)
{
	_cleanup_eventlog_ struct sw_eventlog *l = NULL;
	_cleanup_free_ char *path = sw_machine_tpm_log(m);
	struct sw_tpm_facts facts;
	const struct sw_tpm_bank *bank;
	struct sw_tpm_pcrs pcrs;
	struct sw_error no_log = {}, no_pcrs = {};
	const char *tcti;
	int r = sw_machine_tcti(m, &tcti, err);

	if (r == 0)
		r = sw_tpm_read_facts(tcti, &facts, err);
	if (r < 0)
		return r;
	add_facts(&facts, out);
	if (path)
		(void)sw_eventlog_read(path, &l, &no_log);
	if (sw_tpm_read_pcrs(tcti, &pcrs, &no_pcrs) < 0)
		(void)sw_buf_addf(out, "\nPCRs: %s\n", sw_error_reason(&no_pcrs));
	else if ((bank = find_bank(&pcrs)))
		add_pcrs(bank, l, out);
	if (!l)
		(void)sw_buf_addf(out, "\nThe firmware's log: %s\n", sw_error_reason(&no_log));
	return 0;
}
