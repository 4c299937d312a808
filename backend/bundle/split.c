/* SPDX-License-Identifier: Apache-2.0 */
/* A report in parts that a QR code each can carry, and the way back. */
#include <ctype.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/strv.h"
#include "base/text.h"
#include "bundle/private.h"

#define WORD "SLIPWAY "
#define CODE_LEN 6		/* of SW_BUNDLE_CODE, without its dash */
#define PARTS_MAX 99
#define HEAD_MAX (strlen(WORD) + CODE_LEN + strlen(" 99/99 "))
#define DATA_MAX 4296	/* characters of a part that is read: no QR code holds more */

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

void sw_bundle_parts_clear(struct sw_bundle_parts *p)
{
	sw_strv_free(p->line);
	*p = (struct sw_bundle_parts){};
}

/* ---- base32 ---- */

static int encode(const struct sw_buf *in, struct sw_buf *out)
{
	uint32_t bits = 0;
	unsigned int have = 0;
	int r = 0;

	for (size_t i = 0; i < in->len || have > 0;) {
		if (have < 5 && i < in->len) {
			bits = bits << 8 | in->data[i++];
			have += 8;
		} else if (have < 5) {
			bits <<= 5 - have;
			have = 5;
		}
		for (; r == 0 && have >= 5; have -= 5)
			r = sw_buf_add(out, &letters[bits >> (have - 5) & 31], 1);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Bits that make no whole byte at the end are the encoder's filling. */
static int decode(const char *text, size_t len, struct sw_buf *out)
{
	uint32_t bits = 0;
	unsigned int have = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < len; i++) {
		const char *at = memchr(letters, text[i], sizeof(letters) - 1);
		uint8_t byte;

		if (!at)
			return -EBADMSG;
		bits = bits << 5 | (uint32_t)(at - letters);
		have += 5;
		if (have < 8)
			continue;
		have -= 8;
		byte = (uint8_t)(bits >> have);
		r = sw_buf_add(out, &byte, 1);
	}
	return r;
}

/* ---- cutting ---- */

/* The report with its first n findings, and of the node its name. */
static json_object *shorter(json_object *report, size_t n)
{
	static const char *const kept[] = { "machine", "product", "serial", "node_id", "time",
					    "slipway", NULL };
	json_object *o = json_object_new_object(), *list = json_object_new_array();
	json_object *all = sw_json_array(report, "findings"), *node = sw_json_get(report, "node");
	size_t had = all ? json_object_array_length(all) : 0;

	for (size_t i = 0; kept[i]; i++)
		sw_json_add_str(o, kept[i], sw_json_str(report, kept[i], NULL));
	for (size_t i = 0; i < n && i < had; i++)
		json_object_array_add(list, json_object_get(json_object_array_get_idx(all, i)));
	sw_json_add(o, "findings", list);
	if (n < had)
		sw_json_add_u64(o, "left_out", had - n);
	if (node) {
		json_object *name = json_object_new_object();

		sw_json_add_str(name, "hostname", sw_json_str(node, "hostname", NULL));
		sw_json_add(o, "node", name);
	}
	return o;
}

static size_t parts_of(size_t letters_len, size_t room)
{
	size_t each = room - HEAD_MAX;

	return (letters_len + each - 1) / each;
}

/* Packs the report as it is, and its data as letters. */
static int pack(json_object *report, struct sw_bundle_parts *p, struct sw_buf *data,
		struct sw_error *err)
{
	_cleanup_buf_ struct sw_buf packed = {};
	int r = sw_report_pack(report, false, &packed, err);

	sw_buf_clear(data);
	if (r < 0)
		return r;
	sw_bundle_code(&packed, p->code);
	return encode(&packed, data) < 0 ? sw_fail_oom(err) : 0;
}

/* The parts are of one length, so that their codes look alike. */
static int cut(const struct sw_buf *data, struct sw_bundle_parts *p)
{
	size_t each = (data->len + p->n - 1) / p->n;
	const char *text = sw_buf_text(data);
	int r = 0;

	for (size_t i = 0; r == 0 && i < p->n; i++) {
		size_t from = i * each < data->len ? i * each : data->len;
		_cleanup_free_ char *line = sw_fmt(WORD "%.3s%s %zu/%zu %.*s", p->code,
						   p->code + 4, i + 1, p->n, (int)each,
						   text + from);

		r = line ? sw_strv_add(&p->line, line) : -ENOMEM;
	}
	return r;
}

int sw_bundle_split(json_object *report, size_t room, size_t wanted,
		    struct sw_bundle_parts *ret, struct sw_error *err)
{
	json_object *all = sw_json_array(report, "findings");
	size_t had = all ? json_object_array_length(all) : 0, n = had;
	_cleanup_buf_ struct sw_buf data = {};
	int r;

	*ret = (struct sw_bundle_parts){};
	do {
		_cleanup_json_ json_object *o = shorter(report, n);

		ret->left_out = had - n;
		r = pack(o, ret, &data, err);
	} while (r == 0 && parts_of(data.len, room) > wanted && n-- > 1);
	if (r < 0)
		return r;
	ret->n = parts_of(data.len, room);
	if (ret->n > PARTS_MAX) {
		r = sw_fail(err, SW_EXIT_INVALID, -E2BIG, "the report needs more than %d QR codes",
			    PARTS_MAX);
		sw_error_hint(err, "a larger screen takes larger codes; or print it as a block");
	} else if (cut(&data, ret) < 0) {
		r = sw_fail_oom(err);
	}
	if (r < 0)
		sw_bundle_parts_clear(ret);
	return r;
}

/* ---- putting together ---- */

/* One report's parts, as they were met; borrowed from the log. */
struct found {
	char code[CODE_LEN + 1];
	size_t n, have;
	struct { const char *text; size_t len; } part[PARTS_MAX];
};

/* A number of one or two digits, not 0; moves *p behind it and what follows it. */
static size_t number(const char **p, const char *end, char then)
{
	size_t v = 0;

	for (int i = 0; i < 2 && *p < end && isdigit((unsigned char)**p); i++)
		v = v * 10 + (size_t)(*(*p)++ - '0');
	if (*p == end || **p != then)
		return 0;
	(*p)++;
	return v;
}

/* A part that begins here: its place in a report and its data. False: it is none. */
static bool is_part(const char *p, const char *end, struct found *head, size_t *ret_i,
		    const char **ret_text, size_t *ret_len)
{
	const char *text;

	if ((size_t)(end - p) < HEAD_MAX - 2 || memcmp(p, WORD, strlen(WORD)) != 0)
		return false;
	p += strlen(WORD);
	memcpy(head->code, p, CODE_LEN);
	for (size_t i = 0; i < CODE_LEN; i++)
		if (!isdigit((unsigned char)p[i]) && !isupper((unsigned char)p[i]))
			return false;
	p += CODE_LEN;
	if (*p++ != ' ')
		return false;
	*ret_i = number(&p, end, '/');
	head->n = number(&p, end, ' ');
	if (*ret_i == 0 || *ret_i > head->n)
		return false;
	for (text = p; p < end && p - text < DATA_MAX &&
		       memchr(letters, *p, sizeof(letters) - 1);)
		p++;
	*ret_text = text;
	*ret_len = (size_t)(p - text);
	return true;
}

/* The parts that were met last; a whole report is kept until another is whole, too. */
static void collect(const char *log, size_t len, struct found *now, struct found *whole)
{
	const char *end = log + len, *text;
	size_t i, n;

	for (const char *p = log; (p = memmem(p, (size_t)(end - p), WORD, strlen(WORD))); p++) {
		struct found head = {};

		if (!is_part(p, end, &head, &i, &text, &n))
			continue;
		if (strcmp(head.code, now->code) != 0 || head.n != now->n)
			*now = head;
		now->have += now->part[i - 1].text == NULL;
		now->part[i - 1].text = text;
		now->part[i - 1].len = n;
		if (now->have == now->n)
			*whole = *now;
	}
}

static int incomplete(const struct found *f, struct sw_error *err)
{
	_cleanup_buf_ struct sw_buf missing = {};

	for (size_t i = 0; i < f->n; i++)
		if (!f->part[i].text)
			(void)sw_buf_addf(&missing, "%s%zu", missing.len ? ", " : "", i + 1);
	sw_fail(err, SW_EXIT_INVALID, -ENODATA,
		"of the %zu codes of report %.3s-%s some are missing", f->n, f->code, f->code + 3);
	sw_error_why(err, "there is no code %.400s", sw_buf_text(&missing));
	sw_error_hint(err, "read these with the telephone, too, and add their text; the order does "
			   "not matter");
	return -ENODATA;
}

static int join(const struct found *f, struct sw_buf *out, struct sw_error *err)
{
	_cleanup_buf_ struct sw_buf data = {}, packed = {};
	char code[SW_BUNDLE_CODE];
	int r = 0;

	for (size_t i = 0; r == 0 && i < f->n; i++)
		r = sw_buf_add(&data, f->part[i].text, f->part[i].len);
	if (r == 0)
		r = decode(sw_buf_text(&data), data.len, &packed);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_INVALID, r, "the report cannot be put together");
	sw_bundle_code(&packed, code);
	if (strncmp(code, f->code, 3) == 0 && strcmp(code + 4, f->code + 3) == 0)
		return sw_report_unpack(&packed, out, err);
	sw_fail(err, SW_EXIT_INVALID, -EBADMSG, "the codes of report %.3s-%s give another one",
		f->code, f->code + 3);
	sw_error_why(err, "a part of the text was changed or lost on its way");
	sw_error_hint(err, "read the codes again, each as one line");
	return -EBADMSG;
}

int sw_report_from_parts(const char *log, size_t len, struct sw_buf *out, struct sw_error *err)
{
	struct found now = {}, whole = {};

	collect(log, len, &now, &whole);
	if (whole.n)
		return join(&whole, out, err);
	return now.n ? incomplete(&now, err) : -ENOENT;
}
