/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slipway-answers(5) in mdoc. The KEYS section is the field table; the rest is
 * what no table can say.
 */
#include <ctype.h>
#include <string.h>

#include "answers/answers.h"
#include "base/buf.h"

static const char head[] =
	".\\\" SPDX-License-Identifier: Apache-2.0\n"
	".\\\" Made from the field table; do not edit.\n"
	".Dd January 1, 2026\n"
	".Dt SLIPWAY-ANSWERS 5\n"
	".Os \"slipway " SW_VERSION "\"\n"
	".Sh NAME\n"
	".Nm slipway-answers\n"
	".Nd what slipway installs, and where\n"
	".Sh DESCRIPTION\n"
	"An answer file says what\n"
	".Xr slipway 8\n"
	"would ask on its console: which disk, what to put on it, how it boots.\n"
	"It is written in YAML 1.1, in UTF-8, and has at most 1 MiB.\n"
	"Every value is text as far as YAML goes: a serial number 0123 keeps its zero, and a host\n"
	"may be called\n"
	".Dq no .\n"
	"Anchors, aliases, merge keys, tags, keys that stand twice, unknown keys and a second\n"
	"document are refused, each with its line and column.\n"
	".Pp\n"
	".Ql slipway check\n"
	"reads a file without touching anything;\n"
	".Ql slipway plan\n"
	"shows what an install would do.\n"
	".Sh EXAMPLE\n"
	".Bd -literal -offset indent\n";

static const char middle[] =
	".Ed\n"
	".Sh KEYS\n"
	"A dot stands for one level of indentation:\n"
	".Ql disk.wipe\n"
	"is the key\n"
	".Ql wipe\n"
	"below\n"
	".Ql disk .\n"
	"The word\n"
	".Ql ask ,\n"
	"without quotes, leaves an answer open: an otherwise unattended install asks for that\n"
	"alone, on its console, and\n"
	".Ql slipway install\n"
	"asks at its terminal.\n"
	"Where nobody can be asked, the install is refused and names the keys.\n"
	"In quotes it is a value like any other.\n"
	"In a list of groups nothing can be left open.\n"
	"When it is started again, what these answers installed already counts as the same,\n"
	"whatever was answered.\n"
	".Pp\n"
	"The keys below\n"
	".Ql disk.match\n"
	"must all fit, and exactly one disk of the machine must be left.\n"
	"In place of one group of them a list of up to 16 groups may stand: alternatives, tried\n"
	"in order.\n"
	"The first that exactly one disk fits wins.\n"
	"One that no disk fits goes on to the next.\n"
	"One that several disks fit is refused: the next could only be a guess.\n"
	".Pp\n"
	"In place of the group\n"
	".Ql admission\n"
	"a list of up to 4 such groups may stand, one of a kind, in the order in which\n"
	".Ql slipway admit\n"
	"goes through them.\n"
	".Pp\n"
	"A list of values is written as\n"
	".Ql [one, two] ,\n"
	"as items of their own below the key, or as the one value it has.\n"
	".Bl -tag -width Ds\n";

static const char tail[] =
	".El\n"
	".Sh SOURCES\n"
	"The payload and, on the command line of\n"
	".Xr slipway 8 ,\n"
	"the answer file itself come from one of these:\n"
	".Bl -tag -width Ds\n"
	".It Ar http://HOST/FILE , Ar https://HOST/FILE\n"
	"Fetched over the network, with retries.\n"
	"The SHA-256 is required.\n"
	".It Ar /FILE , Ar file:///FILE\n"
	"A file of the running system.\n"
	".It Ar medium:/FILE\n"
	"A file on the medium that slipway was started from.\n"
	".El\n"
	".Sh FILES\n"
	".Bl -tag -width Ds\n"
	".It Pa slipway.yaml\n"
	"The answer file on the medium that slipway was started from, or on a removable partition\n"
	"labelled\n"
	".Ql SLIPWAY .\n"
	".It Pa layouts/NAME/*.conf\n"
	"The layouts that\n"
	".Ql disk.layout\n"
	"names.\n"
	".El\n"
	".Sh SEE ALSO\n"
	".Xr repart.d 5 ,\n"
	".Xr slipway 8\n";

/* roff reads a leading dot or quote as a request. */
static int guard(struct sw_buf *b, const char *text)
{
	return *text == '.' || *text == '\'' ? sw_buf_adds(b, "\\&") : 0;
}

/* It reads a backslash as an escape. */
static int add_char(struct sw_buf *b, const char *c)
{
	return *c == '\\' ? sw_buf_adds(b, "\\e") : sw_buf_add(b, c, 1);
}

/* A value: it reads a bare dash as a hyphen, which nobody could paste. */
static int add_text(struct sw_buf *b, const char *text, const char *quote)
{
	int r = guard(b, text);

	for (; *text && r == 0; text++)
		r = *text == '-' ? sw_buf_adds(b, "\\-") : *text == '"' ? sw_buf_adds(b, quote)
								   : add_char(b, text);
	return r;
}

/* Prose; every sentence gets a line of its own, as mdoc wants it. */
static int add_prose(struct sw_buf *b, const char *text)
{
	int r = guard(b, text);

	for (; *text && r == 0; text++) {
		if (text[0] != '.' || text[1] != ' ') {
			r = add_char(b, text);
			continue;
		}
		r = sw_buf_adds(b, ".\n");
		text++;
		if (r == 0)
			r = guard(b, text + 1);
	}
	return r < 0 ? r : sw_buf_adds(b, "\n");
}

/* A value as the argument of a macro: in quotes, since it may hold blanks; one in it is \(dq. */
static int add_quoted(struct sw_buf *b, const char *before, const char *text, const char *after)
{
	int r = sw_buf_addf(b, "%s\"", before);

	if (r == 0)
		r = add_text(b, text, "\\(dq");
	return r < 0 ? r : sw_buf_addf(b, "\"%s", after);
}

static int add_choices(struct sw_buf *b, const struct sw_field *f)
{
	int r = sw_buf_adds(b, "One of\n");

	for (size_t i = 0; f->choices[i] && r == 0; i++)
		r = add_quoted(b, ".Cm ", f->choices[i], f->choices[i + 1] ? " ,\n" : " .\n");
	return r;
}

static int add_field(struct sw_buf *b, const struct sw_field *f)
{
	struct sw_answers empty = {};
	int r = add_quoted(b, ".It Cm ", f->key, "\n");

	if (r == 0)
		r = add_prose(b, f->help);
	if (r == 0 && f->choices)
		r = add_choices(b, f);
	if (r == 0 && f->required && !f->applies && !f->dflt && f->required(&empty))
		r = sw_buf_adds(b, "Required.\n");
	if (r == 0 && f->dflt)
		r = add_quoted(b, "The default is\n.Cm ", f->dflt, " .\n");
	if (r == 0)
		r = add_quoted(b, "Example:\n.Ql ", f->example, "\n");
	return r;
}

/* The example is made of the table's own examples, so that it cannot grow stale. */
static struct sw_answers *example_answers(void)
{
	static const char *const keys[] = {
		"node.hostname", "disk.match.serial", "disk.wipe", "payload.kernel",
		"payload.initrd", "payload.sha256.kernel", "payload.sha256.initrd",
		"payload.cmdline", "admission.kind", "admission.url",
	};
	_cleanup_answers_ struct sw_answers *a = sw_answers_new();

	for (size_t i = 0; a && i < ARRAY_SIZE(keys); i++) {
		const struct sw_field *f = sw_field_find(keys[i]);

		if (!f || sw_field_set(f, a, f->example, NULL) < 0)
			return NULL;
	}
	return TAKE_PTR(a);
}

static int add_example(struct sw_buf *b)
{
	_cleanup_answers_ struct sw_answers *a = example_answers();
	_cleanup_free_ char *yaml = a ? sw_answers_to_yaml(a) : NULL;
	int r = yaml ? 0 : -ENOMEM;

	for (char *line = yaml; r == 0 && *line;) {
		char *end = strchr(line, '\n');

		*end = '\0';
		if (*line != '#')
			r = add_text(b, line, "\"");
		if (r == 0 && *line != '#')
			r = sw_buf_adds(b, "\n");
		line = end + 1;
	}
	return r;
}

char *sw_answers_manual(void)
{
	_cleanup_buf_ struct sw_buf b = {};
	int r = sw_buf_adds(&b, head);

	if (r == 0)
		r = add_example(&b);
	if (r == 0)
		r = sw_buf_adds(&b, middle);
	for (size_t i = 0; i < sw_n_fields && r == 0; i++)
		r = add_field(&b, &sw_fields[i]);
	if (r == 0)
		r = sw_buf_adds(&b, tail);
	return r < 0 ? NULL : sw_buf_steal(&b);
}
