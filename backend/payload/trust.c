/* SPDX-License-Identifier: Apache-2.0 */
#include "payload/trust.h"

#include <string.h>

#include <nettle/base64.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/strv.h"
#include "base/text.h"

#define KEY_LEN_MAX 4096

void sw_trust_clear(struct sw_trust *t)
{
	t->keys = sw_strv_free(t->keys);
	*t = (struct sw_trust){};
}

bool sw_trust_asks(const struct sw_trust *t)
{
	return !t->none && t->keys && t->keys[0];
}

/* ---- keys ---- */

static const char *const key_types[] = {
	"ssh-ed25519", "sk-ssh-ed25519@openssh.com", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384",
	"ecdsa-sha2-nistp521", "sk-ecdsa-sha2-nistp256@openssh.com", "ssh-rsa",
};

static int say(struct sw_error *err, const char *why)
{
	sw_error_why(err, "%s", why);
	sw_error_hint(err, "give the line of a .pub file, like ssh-ed25519 AAAAC3Nz... name");
	return -EINVAL;
}

static bool is_type(const char *key, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(key_types); i++)
		if (strlen(key_types[i]) == len && strncmp(key_types[i], key, len) == 0)
			return true;
	return false;
}

static uint8_t *decode(const char *base64, size_t len, size_t *ret_n)
{
	_cleanup_free_ uint8_t *blob = malloc(BASE64_DECODE_LENGTH(len));
	struct base64_decode_ctx c;

	base64_decode_init(&c);
	if (!blob || !base64_decode_update(&c, ret_n, blob, len, base64) ||
	    !base64_decode_final(&c))
		return NULL;
	return TAKE_PTR(blob);
}

/* RFC 4253, 6.6: the blob begins with the type as a string with its length before it. */
static bool blob_is(const char *base64, size_t len, const char *type, size_t type_len)
{
	size_t n = 0;
	_cleanup_free_ uint8_t *blob = len > 0 ? decode(base64, len, &n) : NULL;

	return blob && n >= type_len + 4 && blob[0] == 0 && blob[1] == 0 && blob[2] == 0 &&
	       blob[3] == type_len && memcmp(blob + 4, type, type_len) == 0;
}

int sw_trust_check_key(const char *key, struct sw_error *err)
{
	size_t type = strcspn(key, " "), blob;

	if (strlen(key) > KEY_LEN_MAX || !sw_text_is_clean(key))
		return say(err, "it is too long or holds a character that no key has");
	if (!is_type(key, type))
		return say(err, strstr(key, "PRIVATE KEY") || strstr(key, "BEGIN ")
					? "it is not a public key"
					: "it does not begin with a type of key that ssh knows");
	if (key[type] != ' ')
		return say(err, "the key itself is missing after its type");
	blob = strspn(key + type + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789+/=");
	if (key[type + 1 + blob] != ' ' && key[type + 1 + blob] != '\0')
		return say(err, "there is something in it that is not base64");
	if (!blob_is(key + type + 1, blob, key, type))
		return say(err, "it is cut short or not of the type that it begins with");
	return 0;
}

int sw_trust_fingerprint(const char *key, char ret[static SW_SSH_FINGERPRINT])
{
	const char *base64 = key + strcspn(key, " ");
	uint8_t hash[SW_SHA256_LEN];
	_cleanup_free_ uint8_t *blob = NULL;
	size_t n = 0, at;
	int r = sw_trust_check_key(key, NULL);

	if (r < 0)
		return r;
	base64++;
	blob = decode(base64, strcspn(base64, " "), &n);
	if (!blob)
		return -ENOMEM;
	sw_sha256_raw(blob, n, hash);
	at = (size_t)snprintf(ret, SW_SSH_FINGERPRINT, "SHA256:");
	base64_encode_raw(ret + at, sizeof(hash), hash);
	ret[at + strcspn(ret + at, "=")] = '\0';
	return 0;
}

/* Type and key without the comment. */
static size_t identity_len(const char *key)
{
	size_t type = strcspn(key, " ");

	return type + 1 + strcspn(key + type + 1, " ");
}

static bool same_key(const char *a, const char *b)
{
	size_t n = identity_len(a);

	return n == identity_len(b) && strncmp(a, b, n) == 0;
}

static int refuse(struct sw_error *err, const char *why)
{
	sw_fail(err, SW_EXIT_INVALID, -EINVAL, "the trusted keys cannot be used");
	sw_error_why(err, "%s", why);
	return -EINVAL;
}

int sw_trust_check(const struct sw_trust *t, struct sw_error *err)
{
	size_t n = sw_strv_len(t->keys);

	if (t->none)
		return n ? refuse(err, "trust is none, and yet there are keys") : 0;
	if (n > SW_TRUST_KEYS_MAX)
		return refuse(err, "there are more than 16");
	if (t->threshold > n && (n || t->threshold > 1))
		return refuse(err, "more signatures are asked for than there are keys");
	for (size_t i = 0; i < n; i++) {
		struct sw_error e = {};

		if (sw_trust_check_key(t->keys[i], &e) < 0) {
			(void)refuse(err, e.why);
			sw_error_hint(err, "%s", e.hint);
			return -EINVAL;
		}
		for (size_t k = 0; k < i; k++)
			if (same_key(t->keys[i], t->keys[k]))
				return refuse(err, "one of them is given twice");
	}
	return 0;
}

static int add_line(char ***keys, const char *line, size_t len, struct sw_error *err)
{
	_cleanup_free_ char *key = NULL;
	struct sw_error e = {};
	int r;

	while (len > 0 && strchr(" \t\r", line[len - 1]))
		len--;
	while (len > 0 && strchr(" \t", *line))
		line++, len--;
	if (len == 0 || *line == '#')
		return 0;
	key = memchr(line, '\0', len) ? strdup("") : strndup(line, len);
	if (!key)
		return sw_fail_oom(err);
	r = sw_strv_len(*keys) < SW_TRUST_KEYS_MAX ? sw_trust_check_key(key, &e)
						   : say(&e, "there are more than 16 keys");
	if (r == 0)
		return sw_strv_add(keys, key) < 0 ? sw_fail_oom(err) : 0;
	sw_fail(err, SW_EXIT_INVALID, r, "this is not an SSH public key");
	sw_error_why(err, "%s", e.why);
	sw_error_hint(err, "%s", e.hint);
	return r;
}

int sw_trust_parse_keys(const char *text, size_t len, const char *file, char ***ret_keys,
			struct sw_error *err)
{
	_cleanup_strv_ char **keys = NULL;
	unsigned int line = 1;

	for (size_t at = 0; at < len; line++) {
		const char *end = memchr(text + at, '\n', len - at);
		size_t n = end ? (size_t)(end - text) - at : len - at;
		int r = add_line(&keys, text + at, n, err);

		if (r < 0) {
			sw_error_where(err, "%s:%u:1", file, line);
			return r;
		}
		at += n + 1;
	}
	if (!keys) {
		sw_fail(err, SW_EXIT_INVALID, -ENOENT, "there is no key in the file");
		sw_error_where(err, "%s", file);
		return -ENOENT;
	}
	*ret_keys = TAKE_PTR(keys);
	return 0;
}

/* ---- as JSON, for the node data ---- */

json_object *sw_trust_to_json(const struct sw_trust *t)
{
	json_object *o;

	if (!t->none && !sw_trust_asks(t))
		return NULL;
	o = json_object_new_object();
	if (t->none) {
		sw_json_add_bool(o, "none", true);
		return o;
	}
	sw_json_add(o, "keys", sw_json_strv(t->keys));
	sw_json_add_u64(o, "threshold", t->threshold ? t->threshold : 1);
	return o;
}

int sw_trust_from_json(json_object *o, struct sw_trust *ret_trust)
{
	_cleanup_trust_ struct sw_trust t = {};
	json_object *list = sw_json_array(o, "keys");
	uint64_t threshold = sw_json_u64(o, "threshold", 1);
	int r = 0;

	t.none = sw_json_bool(o, "none", false);
	t.threshold = threshold > SW_TRUST_KEYS_MAX ? SW_TRUST_KEYS_MAX + 1
						    : (unsigned int)threshold;
	for (size_t i = 0; r == 0 && list && i < json_object_array_length(list); i++) {
		const char *s = json_object_get_string(json_object_array_get_idx(list, i));

		r = sw_strv_add(&t.keys, s ? s : "");
	}
	if (r < 0)
		return r;
	/* Damaged: neither signatures nor their absence may be taken from it. */
	if (sw_trust_check(&t, NULL) < 0)
		return 0;
	*ret_trust = t;
	t = (struct sw_trust){};
	return 0;
}
