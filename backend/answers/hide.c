/* SPDX-License-Identifier: Apache-2.0 */
#include "answers/hide.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "admission/shapes.h"
#include "base/file.h"

/* Nobody finds a mistake in a line that is longer; bytes. */
#define LINE_SHOWN_MAX 16384U

/* A line, and of each of its bytes whether it is hidden. */
struct marked {
	char *text;
	bool *hidden;
	size_t len;
};

static void clear(struct marked *m)
{
	free(m->text);
	free(m->hidden);
}

static int begin(struct marked *m, const char *text, size_t len)
{
	m->text = strndup(text, len);
	m->len = m->text ? strlen(m->text) : 0;
	m->hidden = calloc(m->len + 1, sizeof(*m->hidden));
	return m->text && m->hidden ? 0 : -ENOMEM;
}

static void hide(struct marked *m, size_t from, size_t to)
{
	for (size_t i = from; i < to && i < m->len; i++)
		m->hidden[i] = true;
}

static bool hides_any(const struct marked *m)
{
	return m->hidden && memchr(m->hidden, true, m->len);
}

/* One star for each hidden character, in place; a byte that is no UTF-8 is one. */
static void put_stars(struct marked *m)
{
	char *to = m->text;

	for (size_t at = 0; at < m->len;) {
		uint32_t c;
		size_t n = sw_utf8_decode(m->text + at, m->len - at, &c);

		if (n == 0)
			n = 1;
		if (m->hidden[at])
			*to++ = '*';
		else
			for (size_t i = 0; i < n; i++)
				*to++ = m->text[at + i];
		at += n;
	}
	*to = '\0';
}

/* ---- words that stand before a secret ---- */

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '.';
}

static bool contains(const char *word, size_t n, const char *part)
{
	const size_t k = strlen(part);

	for (size_t i = 0; i + k <= n; i++)
		if (strncasecmp(word + i, part, k) == 0)
			return true;
	return false;
}

/* "key", "api_key", "apikey", and no monkey. */
static bool is_a_key(const char *word, size_t n)
{
	if (n < 3 || strncasecmp(word + n - 3, "key", 3) != 0)
		return false;
	return n == 3 || !isalnum((unsigned char)word[n - 4]) || contains(word, n, "apikey") ||
	       contains(word, n, "privatekey") || contains(word, n, "secretkey");
}

static bool sounds_secret(const char *word, size_t n)
{
	static const char *const parts[] = { "passw", "passphrase", "secret", "token", "psk",
					     "credential", "bearer", "authorization", "cookie",
					     "login" };
	/* None is a key of answers: nobody needs to see what it holds to find the mistake. */
	static const char *const whole[] = { "value", "content", "contents", "data", "inline",
					     "pass", "pwd" };

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (contains(word, n, parts[i]))
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(whole); i++)
		if (n == strlen(whole[i]) && strncasecmp(word, whole[i], n) == 0)
			return true;
	return is_a_key(word, n);
}

/* Whether one part of a field's key is the word: its last part, or one of the groups before. */
static bool has_part(const char *key, const char *word, size_t n, bool last)
{
	for (size_t k; *key; key += k + (key[k] == '.')) {
		k = strcspn(key, ".");
		if ((key[k] == '\0') == last && k == n && strncmp(key, word, n) == 0)
			return true;
	}
	return false;
}

/* A group of keys, such as secrets: what stands below it is judged by its own words. */
static bool is_group(const char *word, size_t n)
{
	for (size_t i = 0; i < sw_n_fields; i++)
		if (has_part(sw_fields[i].key, word, n, false))
			return true;
	return false;
}

/* A key whose values are of a kind that no secret is written for by mistake. */
static bool is_open_field(const struct sw_field *f)
{
	return !f->local && f->type != SW_FIELD_TEXT && f->type != SW_FIELD_URL;
}

/*
 * Whether what follows the word may be a secret. Where a key of answers asks for the place of one,
 * people write the secret itself. One word is both, node.secrets and the list of secrets.
 */
static bool asks_secret(const char *word, size_t n)
{
	bool secret = sounds_secret(word, n);

	for (size_t i = 0; i < sw_n_fields; i++) {
		const struct sw_field *f = &sw_fields[i];

		if (!has_part(f->key, word, n, true))
			continue;
		if (is_open_field(f) && !is_group(word, n))
			return false;
		secret = secret || f->local;
	}
	return secret;
}

/* The place of a secret is none, nor is the word that leaves it open, nor a public key. */
static bool is_harmless(const char *value)
{
	static const char *const starts[] = { "/", "medium:", "file:", "ssh-", "ecdsa-",
					      "sk-ssh-", "sk-ecdsa-" };

	for (size_t i = 0; i < ARRAY_SIZE(starts); i++)
		if (strncasecmp(value, starts[i], strlen(starts[i])) == 0)
			return true;
	return strncmp(value, SW_ANSWER_ASK, strlen(SW_ANSWER_ASK)) == 0 &&
	       !is_word(value[strlen(SW_ANSWER_ASK)]);
}

/* "keep" and "drop" of node.secrets. */
static bool is_choice(const char *word, size_t n, const char *value, size_t len)
{
	for (size_t i = 0; i < sw_n_fields; i++) {
		const char *const *c = sw_fields[i].choices;

		if (!c || !has_part(sw_fields[i].key, word, n, true))
			continue;
		for (; *c; c++)
			if (strlen(*c) == len && strncmp(*c, value, len) == 0)
				return true;
	}
	return false;
}

/* Behind a quoted value that begins at text: '' and \" do not end it. */
static size_t end_of_quoted(const char *text, char quote)
{
	size_t n = 0;

	for (; text[n] && (text[n] != quote || (quote == '\'' && text[n + 1] == '\'')); n++)
		if (text[n + 1] && (quote == '\'' ? text[n] == quote : text[n] == '\\'))
			n++;
	return n;
}

/* How long a value is that is not alone on its line: among others in brackets, or in words. */
static size_t length_among(const char *text, char separator)
{
	if (*text == '"' || *text == '\'')
		return 1 + end_of_quoted(text + 1, *text);
	return strcspn(text, separator == '=' ? " \t,\"'}]" : ",}]");
}

/* "word: value" or "word=value" at line[at]: hides the value. Returns where to go on. */
static size_t mark_named(struct marked *m, size_t at, size_t content)
{
	const char *line = m->text, *word = line + at;
	size_t n, from, to;
	char separator;
	bool first;

	for (n = 0; is_word(word[n]);)
		n++;
	from = at + n;
	from += line[from] == '"' || line[from] == '\'';
	from += strspn(line + from, " \t");
	separator = line[from];
	if (n == 0 || (separator != ':' && separator != '=') || !asks_secret(word, n))
		return at + (n ? n : 1);
	from += 1 + strspn(line + from + 1, " \t");
	if (is_group(word, n) && strpbrk(line + from, ":=") && strchr("{[", line[from]))
		return from;
	first = at == content || (at == content + 1 && strchr("\"'", line[content]));
	to = first && separator == ':' ? m->len : from + length_among(line + from, separator);
	from += line[from] == '"' || line[from] == '\'';
	if (!is_harmless(line + from) && !is_choice(word, n, line + from, to - from))
		hide(m, from, to);
	return to > from ? to : from;
}

/* ---- what looks like a secret ---- */

/* The name and password of a URL, up to the last '@' of the word: a password may hold a '/'. */
static void mark_logins(struct marked *m)
{
	for (const char *p = m->text; (p = strstr(p, "://"));) {
		const size_t n = strcspn(p += 3, " \t\"'");
		const char *at = memrchr(p, '@', n);

		if (at)
			hide(m, (size_t)(p - m->text), (size_t)(at - m->text));
	}
}

#define KEY_BEGIN "PRIVATE KEY-----"

static int mark_shapes(struct marked *m)
{
	const char *key = strstr(m->text, KEY_BEGIN);
	int r = 0;

	if (key)
		hide(m, (size_t)(key - m->text) + strlen(KEY_BEGIN), m->len);
	for (size_t i = 0; i < SW_SHAPES && r == 0; i++) {
		size_t at = 0, from, to;

		if (i == SW_SHAPE_NAMED)
			continue;
		for (; (r = sw_shape_next(i, m->text, at, &from, &to)) > 0; at = to)
			hide(m, from, to);
	}
	return r;
}

static int mark_line(struct marked *m, size_t content)
{
	for (size_t at = content; at < m->len;)
		at = mark_named(m, at, content);
	mark_logins(m);
	return mark_shapes(m);
}

/* ---- what stands above a line ---- */

struct line {
	const char *text;
	size_t len;
	size_t dash;		/* where its list item begins, or len */
	size_t content;		/* where its first word or value begins */
};

static struct line line_at(const char *text)
{
	struct line l = { .text = text, .len = strcspn(text, "\r\n") };
	size_t at = strspn(text, " \t");

	l.dash = l.len;
	while (at < l.len && text[at] == '-' && (at + 1 >= l.len || text[at + 1] == ' ')) {
		if (l.dash == l.len)
			l.dash = at;
		at++;
		at += strspn(text + at, " \t");
	}
	l.content = at < l.len ? at : l.len;
	return l;
}

/* The line before text[at], which begins one. */
static bool line_before(const char *text, size_t *at)
{
	if (*at == 0)
		return false;
	for (--*at; *at > 0 && text[*at - 1] != '\n';)
		--*at;
	return true;
}

static bool has_key(const struct line *l)
{
	const char *colon = memchr(l->text + l->content, ':', l->len - l->content);

	return colon && (colon + 1 == l->text + l->len || colon[1] == ' ');
}

/*
 * Whether the line that begins at text[at] is the value of a secret, or a part of it: some key
 * above it that is indented less asks for one. Of a group it is not when it has a key of its own.
 */
static bool is_below_secret(const char *text, size_t at)
{
	const struct line self = line_at(text + at);
	size_t least = self.dash < self.len ? self.dash + 1 : self.content;

	while (least > 0 && line_before(text, &at)) {
		const struct line l = line_at(text + at);
		const char *word = l.text + l.content;
		size_t n = 0;

		if (l.content == l.len || *word == '#' || l.content >= least)
			continue;
		word += *word == '"' || *word == '\'';
		while (is_word(word[n]))
			n++;
		if (n > 0 && asks_secret(word, n) && !(is_group(word, n) && has_key(&self)))
			return true;
		least = l.dash < l.len ? l.dash + 1 : l.content;
	}
	return false;
}

/* Whether a private key in PEM began before text[at] and did not end. */
static bool is_in_private_key(const char *text, size_t at)
{
	const char *begin = NULL, *p = text;

	while ((p = memmem(p, at - (size_t)(p - text), KEY_BEGIN, strlen(KEY_BEGIN)))) {
		const size_t before = (size_t)(p - text) < 24 ? (size_t)(p - text) : 24;

		begin = memmem(p - before, before, "-----END ", 9) ? NULL : p;
		p += strlen(KEY_BEGIN);
	}
	return begin != NULL;
}

static const char *find_line(const char *text, unsigned int line)
{
	for (; line > 1 && text; line--) {
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	return line > 0 ? text : NULL;
}

char *sw_hide_in_line(const char *text, unsigned int line)
{
	_cleanup_(clear) struct marked m = {};
	const char *at = find_line(text, line);
	struct line l;

	if (!at)
		return NULL;
	l = line_at(at);
	if (l.len > LINE_SHOWN_MAX)
		return NULL;
	if (begin(&m, at, l.len) < 0 || mark_line(&m, l.content) < 0)
		return NULL;
	if (is_in_private_key(text, (size_t)(at - text)) ||
	    is_below_secret(text, (size_t)(at - text)))
		hide(&m, l.content, l.len);
	put_stars(&m);
	return TAKE_PTR(m.text);
}

bool sw_hide_value(const struct sw_field *f, const char *value)
{
	_cleanup_(clear) struct marked m = {};
	const char *dot = strrchr(f->key, '.'), *word = dot ? dot + 1 : f->key;

	if (!is_open_field(f) && asks_secret(word, strlen(word)) && !is_harmless(value))
		return true;
	return begin(&m, value, strlen(value)) < 0 || mark_line(&m, 0) < 0 || hides_any(&m);
}

const char *sw_hide_show(const char *text, char shown[static SW_TEXT_SHOW])
{
	_cleanup_(clear) struct marked m = {};

	if (begin(&m, text, strlen(text)) < 0 || mark_line(&m, 0) < 0)
		return sw_text_show("...", shown);
	put_stars(&m);
	return sw_text_show(m.text, shown);
}
