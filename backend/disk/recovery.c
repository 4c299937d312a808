/* SPDX-License-Identifier: Apache-2.0 */
#include "disk/recovery.h"

#include <ctype.h>
#include <string.h>
#include <sys/random.h>

#include <nettle/memops.h>

static const char modhex[] = "cbdefghijklnrtuv";

int sw_recovery_new(struct sw_secret **ret_key, struct sw_error *err)
{
	_cleanup_secret_ struct sw_secret *raw = NULL, *text = NULL;
	char *p;
	int r = sw_secret_random(SW_RECOVERY_GROUPS * SW_RECOVERY_GROUP / 2, &raw, err);

	if (r == 0)
		r = sw_secret_new(SW_RECOVERY_LEN, &text, err);
	if (r < 0)
		return r;
	p = (char *)text->data;
	for (size_t i = 0; i < raw->len; i++) {
		if (i > 0 && i % (SW_RECOVERY_GROUP / 2) == 0)
			*p++ = '-';
		*p++ = modhex[raw->data[i] >> 4];
		*p++ = modhex[raw->data[i] & 15];
	}
	*ret_key = TAKE_PTR(text);
	return 0;
}

void sw_recovery_group(const struct sw_secret *key, unsigned int n,
		       char ret_group[static SW_RECOVERY_GROUP + 1])
{
	n %= SW_RECOVERY_GROUPS;
	memcpy(ret_group, key->data + n * (SW_RECOVERY_GROUP + 1), SW_RECOVERY_GROUP);
	ret_group[SW_RECOVERY_GROUP] = '\0';
}

int sw_recovery_ask_for(unsigned int *ret_n)
{
	unsigned char c;

	/* 252 is the largest multiple of 7: no group is asked for more often. */
	do {
		if (getrandom(&c, 1, 0) != 1)
			return -errno;
	} while (c >= 252);
	*ret_n = 1 + c % (SW_RECOVERY_GROUPS - 1);
	return 0;
}

/* The letters of text alone, in lower case; the count of them all, even beyond max. */
static size_t letters(const char *text, size_t len, char *out, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '-' || isspace((unsigned char)text[i]))
			continue;
		if (n < max)
			out[n] = (char)tolower((unsigned char)text[i]);
		n++;
	}
	return n;
}

bool sw_recovery_matches(const struct sw_secret *key, unsigned int n, const char *typed)
{
	char given[SW_RECOVERY_LEN] = "", whole[SW_RECOVERY_LEN];
	size_t len = letters(typed, strlen(typed), given, sizeof(given));
	size_t all = letters((const char *)key->data, key->len, whole, sizeof(whole));
	const char *group = whole + n % SW_RECOVERY_GROUPS * SW_RECOVERY_GROUP;
	bool ok = (len == SW_RECOVERY_GROUP && memeql_sec(given, group, len)) ||
		  (len == all && memeql_sec(given, whole, all));

	explicit_bzero(given, sizeof(given));
	explicit_bzero(whole, sizeof(whole));
	return ok;
}

int sw_recovery_passphrase(const struct sw_secret *given, struct sw_secret **ret_key,
			   struct sw_error *err)
{
	_cleanup_secret_ struct sw_secret *key = NULL;
	char whole[SW_RECOVERY_GROUPS * SW_RECOVERY_GROUP + 1] = "";
	size_t n = letters((const char *)given->data, given->len, whole, sizeof(whole) - 1);
	bool is_key = n == sizeof(whole) - 1 && strspn(whole, modhex) == n;
	int r = sw_secret_new(is_key ? SW_RECOVERY_LEN : given->len, &key, err);

	if (r == 0 && !is_key)
		memcpy(key->data, given->data, given->len);
	for (size_t i = 0; r == 0 && is_key && i < SW_RECOVERY_GROUPS; i++) {
		uint8_t *to = key->data + i * (SW_RECOVERY_GROUP + 1);

		memcpy(to, whole + i * SW_RECOVERY_GROUP, SW_RECOVERY_GROUP);
		if (i + 1 < SW_RECOVERY_GROUPS)
			to[SW_RECOVERY_GROUP] = '-';
	}
	explicit_bzero(whole, sizeof(whole));
	if (r == 0)
		*ret_key = TAKE_PTR(key);
	return r;
}
