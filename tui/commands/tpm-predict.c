/* SPDX-License-Identifier: Apache-2.0 */
/* `slipway tpm predict`: the PCRs that a node image gives when the firmware starts it. */
#include <string.h>

#include "base/hex.h"
#include "base/json.h"
#include "boot/uki-measure.h"
#include "boot/uki.h"
#include "rescue/reseal.h"
#include "tui/commands/common.h"
#include "tui/commands/list.h"
#include "tui/commands/tpm-log.h"

#define PREDICTED (1U << 4 | 1U << 7 | 1U << 11 | 1U << 12)

enum { OPT_PHASES = 300 };

struct value {
	bool told, logged;
	char why[300];			/* it cannot be told */
	uint8_t image[SW_SHA256_LEN];
	uint8_t log[SW_SHA256_LEN];	/* what the log has, if logged */
};

struct job {
	const struct sw_cli *cli;
	const char *image;
	uint32_t mask;
	struct sw_eventlog *log;	/* NULL: none */
	struct sw_uki_measured m;
	struct value v[SW_PCRS];
	struct sw_error first;		/* why the first of them cannot be told */
};

static void job_clear(struct job *j)
{
	sw_eventlog_free(j->log);
}

/* ---- telling ---- */

static void untold(struct job *j, unsigned int pcr, enum sw_exit exit, const char *why)
{
	if (j->mask & 1U << pcr) {
		sw_fail(&j->first, exit, -ENODATA, "PCR %u of this image cannot be told", pcr);
		sw_error_where(&j->first, "%s", j->image);
		sw_error_why(&j->first, "%s", why);
	}
	(void)snprintf(j->v[pcr].why, sizeof(j->v[pcr].why), "%s", why);
}

static void tell_pcr4(struct job *j)
{
	struct value *v = &j->v[4];

	if (j->m.no_kernel) {
		untold(j, 4, SW_EXIT_MISSING, j->m.no_kernel);
	} else if (sw_eventlog_pcr4(j->log, v->image) < 0) {
		untold(j, 4, SW_EXIT_VERIFY, "the log says nothing of PCR 4 in the sha256 bank");
	} else {
		sw_pcr_extend(v->image, j->m.image);
		/*
		 * Under Secure Boot the stub answers for the kernel in place of the firmware, which
		 * then neither checks nor measures it.
		 */
		if (!sw_eventlog_secure_boot(j->log))
			sw_pcr_extend(v->image, j->m.kernel);
		v->told = true;
	}
}

static int tell_pcr7(struct job *j, struct sw_error *err)
{
	_cleanup_buf_ struct sw_buf table = {};
	struct value *v = &j->v[7];
	struct sw_error why = {};
	struct sw_pcr7 p;
	int r = sw_uki_signatures(j->image, &table, err);

	if (r < 0)
		return r;
	r = sw_eventlog_pcr7(j->log, table.data, table.len, &p);
	if (r == 0) {
		memcpy(v->image, p.node, sizeof(v->image));
		v->told = true;
		return 0;
	}
	(void)sw_pcr7_failed(r, j->image, &why);
	if (!j->first.r && j->mask & 1U << 7)
		j->first = why;
	(void)snprintf(v->why, sizeof(v->why), "%.299s", why.why);
	return 0;
}

/* What only the image says. */
static void tell_sections(struct job *j)
{
	const char *phases = sw_arg(&j->cli->args, OPT_PHASES);

	if (j->m.no_sections) {
		untold(j, 11, SW_EXIT_MISSING, j->m.no_sections);
		untold(j, 12, SW_EXIT_MISSING, j->m.no_sections);
		return;
	}
	memcpy(j->v[11].image, j->m.pcr11, sizeof(j->m.pcr11));
	sw_uki_phases(j->v[11].image, phases ? phases : "");
	j->v[11].told = j->v[12].told = true;
}

static void add_log(struct job *j)
{
	int bank = sw_eventlog_bank(j->log, "sha256");
	struct sw_pcrs pcrs;

	if (bank < 0 || sw_eventlog_replay(j->log, (size_t)bank, &pcrs, NULL) < 0)
		return;
	for (unsigned int i = 0; i < SW_PCRS; i++) {
		j->v[i].logged = true;
		memcpy(j->v[i].log, pcrs.value[i], SW_SHA256_LEN);
	}
}

/* A machine without a log can still be told what the image alone decides. */
static int tell_logged(struct job *j, struct sw_error *err)
{
	const char *file = sw_arg(&j->cli->args, 'l');
	struct sw_error none = {};
	int r = sw_cli_eventlog(j->cli, file, &j->log, file ? err : &none);

	if (r < 0 && file)
		return r;
	if (r < 0) {
		untold(j, 4, none.exit, none.what);
		untold(j, 7, none.exit, none.what);
		sw_error_hint(&j->first, "--log FILE reads a saved log of the machine");
		return 0;
	}
	add_log(j);
	tell_pcr4(j);
	return tell_pcr7(j, err);
}

/* ---- showing ---- */

static void print_value(unsigned int pcr, const struct value *v)
{
	char hex[SW_HEX_TEXT];

	if (v->told)
		printf("PCR %2u  %s%s\n", pcr, sw_hex(v->image, sizeof(v->image), hex),
		       v->logged && memcmp(v->image, v->log, sizeof(v->log)) == 0
			       ? " (as in the log)"
			       : "");
	else
		printf("PCR %2u  cannot be told: %s\n", pcr, v->why);
}

static json_object *json_of(const struct job *j)
{
	json_object *o = json_object_new_object(), *told = json_object_new_object(),
		    *log = json_object_new_object(), *unknown = json_object_new_object();
	char hex[SW_HEX_TEXT], key[4];

	for (unsigned int i = 0; i < SW_PCRS; i++) {
		const struct value *v = &j->v[i];

		if (!(j->mask & 1U << i))
			continue;
		(void)snprintf(key, sizeof(key), "%u", i);
		if (v->told)
			sw_json_add_str(told, key, sw_hex(v->image, sizeof(v->image), hex));
		else
			sw_json_add_str(unknown, key, v->why);
		if (v->logged)
			sw_json_add_str(log, key, sw_hex(v->log, sizeof(v->log), hex));
	}
	sw_json_add_str(o, "stub", j->m.stub);
	sw_json_add(o, "sha256", told);
	sw_json_add(o, "log", log);
	sw_json_add(o, "unknown", unknown);
	return o;
}

static void show(const struct job *j)
{
	_cleanup_json_ json_object *o = j->cli->json ? json_of(j) : NULL;

	for (unsigned int i = 0; i < SW_PCRS && !o; i++)
		if (j->mask & 1U << i)
			print_value(i, &j->v[i]);
	if (o)
		sw_print_json(o);
}

/* ---- the command ---- */

static int wanted(struct job *j, struct sw_error *err)
{
	int r = sw_cli_pcrs(j->cli, 1, &j->mask, err);

	if (r < 0)
		return r;
	if (j->mask == SW_ALL_PCRS)
		j->mask = PREDICTED;
	if (!(j->mask & ~PREDICTED))
		return 0;
	sw_fail(err, SW_EXIT_USAGE, -EINVAL, "PCRs 4, 7, 11 and 12 of an image can be told");
	sw_error_hint(err, "the firmware makes 0 to 3 alike for every image: `slipway tpm pcrs`");
	return -EINVAL;
}

/* One that was asked for by its number must be told. */
static int answer(struct job *j, struct sw_error *err)
{
	for (unsigned int i = 0; i < SW_PCRS && j->cli->args.n_rest > 1; i++)
		if (j->mask & 1U << i && !j->v[i].told) {
			*err = j->first;
			return err->r;
		}
	show(j);
	return 0;
}

static int run(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_(job_clear) struct job j = { .cli = cli, .image = cli->args.rest[0] };
	int r = wanted(&j, err);

	if (r == 0)
		r = sw_uki_measure(j.image, &j.m, err);
	if (r == 0 && j.mask & (1U << 4 | 1U << 7))
		r = tell_logged(&j, err);
	if (r < 0)
		return r;
	tell_sections(&j);
	return answer(&j, err);
}

static const struct sw_opt opts[] = {
	{ 'l', "log", "FILE", "a saved log of the machine (default: this machine's)" },
	{ OPT_PHASES, "phases", "LIST", "what systemd measures after it, like enter-initrd:ready" },
	{ 0, NULL, NULL, NULL },
};

const struct sw_command sw_command_tpm_predict = {
	.name = "tpm predict",
	.summary = "Tell the PCRs that an image will give when the firmware starts it",
	.operands = "IMAGE [PCR...]",
	.min_rest = 1,
	.max_rest = -1,
	.opts = opts,
	.details = "PCR 4 (what is started), 7 (Secure Boot), 11 (the parts of the image) and 12\n"
		   "(what is added to its command line: nothing by slipway's entries), when the\n"
		   "firmware starts the image first. 4 and 7 need the machine's event log; an\n"
		   "encrypted install seals to 7. A named one that cannot be told is an error.",
	.run = run,
};
