/* SPDX-License-Identifier: Apache-2.0 */
/* How a source of answers is named, and whether what it says may be believed. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "answers/source-private.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/strv.h"
#include "payload/payload.h"

#define NAME_MAX_LEN 64		/* of a label, credential or fw_cfg item */

static const struct form {
	const char *prefix;
	enum sw_source_form form;
	bool bare;		/* may stand without a name: "smbios" */
} forms[] = {
	{ "post:", SW_FORM_POST, false },
	{ "label:", SW_FORM_LABEL, false },
	{ "base64:", SW_FORM_BASE64, false },
	{ "smbios", SW_FORM_SMBIOS, true },
	{ "credential:", SW_FORM_CREDENTIAL, false },
	{ "fw_cfg:", SW_FORM_FW_CFG, false },
	{ "dns:", SW_FORM_DNS, false },
	{ "dns", SW_FORM_DNS, true },
	{ "dhcp:", SW_FORM_DHCP, false },
	{ "dhcp", SW_FORM_DHCP, true },
};

static int bad(struct sw_error *err, const char *why, const char *hint)
{
	(void)sw_fail(err, SW_EXIT_INVALID, -EINVAL, "not a usable source of answers");
	sw_error_why(err, "%s", why);
	sw_error_hint(err, "%s", hint);
	return -EINVAL;
}

/* ---- #sha256=…&pin=… ---- */

static int take_condition(struct sw_answers_source *s, const char *word, struct sw_error *err)
{
	char **into = NULL;
	const char *hex = NULL;

	if (strncmp(word, "sha256=", 7) == 0) {
		into = &s->sha256;
		hex = word + 7;
	} else if (strncmp(word, "pin=sha256:", 11) == 0) {
		into = &s->pin;
		hex = word + 11;
	}
	if (!into)
		return bad(err, "what stands behind its '#' is neither sha256= nor pin=sha256:",
			   "write it like https://boot.example/node.yaml#sha256=HEX");
	if (*into || !sw_sha256_is_hex(hex))
		return bad(err, *into ? "the same condition stands there twice"
				      : "the condition behind its '#' is not a SHA-256",
			   "give 64 hex digits, as sha256sum prints them");
	*into = strdup(hex);
	return *into ? 0 : sw_fail_oom(err);
}

/* In a path '#' is a letter like others: only these words make it the start of conditions. */
static char *find_conditions(char *text)
{
	for (char *p = strchr(text, '#'); p; p = strchr(p + 1, '#'))
		if (strncmp(p + 1, "sha256=", 7) == 0 || strncmp(p + 1, "pin=", 4) == 0)
			return p;
	return NULL;
}

static int split_conditions(struct sw_answers_source *s, char *text, struct sw_error *err)
{
	char *p = find_conditions(text), *word;
	int r = 0;

	if (!p)
		return 0;
	*p++ = '\0';
	while (r == 0 && (word = strsep(&p, "&")))
		r = take_condition(s, word, err);
	return r;
}

/* ---- the forms ---- */

/* Templates hold characters that a URL cannot have: what is judged is one that is filled in. */
static int check_file(const char *text, struct sw_error *err)
{
	_cleanup_free_ char *filled = strdup(text);
	int r = filled ? sw_source_check_template(text, err) : sw_fail_oom(err);
	char *end;

	if (r < 0)
		return r;
	for (char *p = filled; (p = strstr(p, "${")) && (end = strchr(p, '}')); p++) {
		*p = 'x';
		memmove(p + 1, end + 1, strlen(end + 1) + 1);
	}
	return sw_source_check(filled, err);
}

static bool is_name(const char *text)
{
	size_t n = strlen(text);

	for (const char *p = text; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("._-/", *p))
			return false;
	return n > 0 && n <= NAME_MAX_LEN && !strstr(text, "..") && text[0] != '/';
}

static bool is_option(const char *text)
{
	unsigned long n = strtoul(text, NULL, 10);

	return strlen(text) == 3 && strspn(text, "0123456789") == 3 && n >= 224 && n <= 254;
}

static int check_form(const struct sw_answers_source *s, struct sw_error *err)
{
	switch (s->form) {
	case SW_FORM_FILE:
		return check_file(s->location, err);
	case SW_FORM_POST:
		if (strncasecmp(s->location, "https://", 8) != 0)
			return bad(err, "what identifies this machine is only sent over https",
				   "write it like post:https://boot.example/answers");
		return check_file(s->location, err);
	case SW_FORM_LABEL:
	case SW_FORM_CREDENTIAL:
	case SW_FORM_FW_CFG:
		return is_name(s->location) ? 0 :
			bad(err, "what stands behind the colon is no name",
			    "use letters, digits and . _ - only, like label:RACK-7, "
			    "credential:slipway.answers or fw_cfg:opt/slipway/answers");
	case SW_FORM_DNS:
		return !s->location[0] || is_name(s->location) ? 0 :
			bad(err, "what stands behind dns: is no name",
			    "write it like dns:_slipway.example.org, or dns alone");
	case SW_FORM_DHCP:
		return !s->location[0] || is_option(s->location) ? 0 :
			bad(err, "what stands behind dhcp: is no option of a site's own",
			    "use 224 to 254, like dhcp:230, or dhcp alone for 224");
	case SW_FORM_BASE64:
		return s->location[0] ? 0 : bad(err, "nothing stands behind base64:",
						"base64 -w0 FILE prints it");
	default:
		return 0;
	}
}

static const char *take_form(struct sw_answers_source *s, const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		size_t n = strlen(forms[i].prefix);

		if (strncmp(text, forms[i].prefix, n) != 0 || (forms[i].bare && text[n]))
			continue;
		s->form = forms[i].form;
		return text + n;
	}
	return text;
}

static int fill(struct sw_answers_source *s, const char *text, const char *who,
		struct sw_error *err)
{
	_cleanup_free_ char *copy = strdup(text), *shown = NULL;
	const char *location;
	int r = copy ? split_conditions(s, copy, err) : sw_fail_oom(err);

	if (r < 0)
		return r;
	location = take_form(s, copy);
	s->location = strdup(location);
	if (!s->location)
		return sw_fail_oom(err);
	r = check_form(s, err);
	if (r < 0)
		return r;
	if (s->pin && strncasecmp(s->location, "https://", 8) != 0 && !sw_source_points(s))
		return bad(err, "a pin is about the key of an https server",
			   "use an https:// URL, or #sha256=HEX");
	shown = s->form == SW_FORM_BASE64 ? strdup("base64 text") : sw_source_show(copy);
	s->text = shown ? sw_fmt("%s (%s)", shown, who) : NULL;
	return s->text ? 0 : sw_fail_oom(err);
}

int sw_answers_source_parse(const char *text, enum sw_source_kind kind, const char *who,
			    struct sw_answers_source *ret_source, struct sw_error *err)
{
	_cleanup_answers_source_ struct sw_answers_source s = { .kind = kind };
	int r = fill(&s, text, who, err);

	if (r < 0)
		return r;
	*ret_source = s;
	s = (struct sw_answers_source){};
	return 0;
}

int sw_source_check_name(const char *text, struct sw_error *err)
{
	_cleanup_answers_source_ struct sw_answers_source s = {};

	return sw_answers_source_parse(text, SW_SOURCE_MEDIUM, "medium", &s, err);
}

/* ---- trust ---- */

/* A signature can lie beside a file; the others are one value. */
static bool can_be_signed(const struct sw_answers_source *s)
{
	return s->form == SW_FORM_FILE || s->form == SW_FORM_LABEL || sw_source_points(s);
}

/* Whoever answers there would else choose a server and a key of his own. */
static int must_be_anchored(const struct sw_answers_source *s, struct sw_error *err)
{
	if (s->sha256 || s->pin || s->keys)
		return 0;
	(void)sw_fail(err, SW_EXIT_INVALID, -EINVAL,
		      "DNS or DHCP as the only word on who is believed");
	sw_error_where(err, "%s", s->text);
	sw_error_why(err, "neither proves who answers, so anyone near could name a server");
	sw_error_hint(err, "add #pin=sha256:HEX or #sha256=HEX behind it, or slipway.trust=KEY");
	return -EINVAL;
}

int sw_source_may(const struct sw_answers_source *s, struct sw_error *err)
{
	bool by_hand = s->form == SW_FORM_SET || s->form == SW_FORM_BASE64;

	if (s->sha256)
		return 0;
	if (sw_source_points(s))
		return must_be_anchored(s, err);
	if (!s->keys && strncasecmp(s->location, "http://", 7) == 0) {
		(void)sw_fail(err, SW_EXIT_INVALID, -EINVAL,
			      "an http source of answers without a hash");
		sw_error_where(err, "%s", s->text);
		sw_error_why(err, "over http anyone on the wire could answer");
		sw_error_hint(err, "%s", s->kind == SW_SOURCE_CMDLINE
			      ? "add slipway.answers.sha256=HEX, or use https"
			      : "add #sha256=HEX behind the URL, or use https");
		return -EINVAL;
	}
	/* Who writes the command line or the medium also says there which keys count. */
	if (!s->keys || by_hand || can_be_signed(s) || s->pin)
		return 0;
	(void)sw_fail(err, SW_EXIT_REFUSED, -EKEYREJECTED,
		      "a source of answers that nobody can have signed");
	sw_error_where(err, "%s", s->text);
	sw_error_why(err, "trusted keys are named, so answers must be signed by one of them");
	sw_error_hint(err, "name a file or URL with a signature beside it, or add #sha256=HEX");
	return -EKEYREJECTED;
}

void sw_answers_source_clear(struct sw_answers_source *s)
{
	free(s->location);
	free(s->sha256);
	free(s->pin);
	sw_strv_free(s->keys);
	free(s->text);
	*s = (struct sw_answers_source){};
}

void sw_sources_clear(struct sw_sources *s)
{
	for (size_t i = 0; i < s->n; i++)
		sw_answers_source_clear(&s->v[i]);
	sw_strv_free(s->keys);
	free(s->text);
	*s = (struct sw_sources){};
}
