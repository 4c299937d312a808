/* SPDX-License-Identifier: Apache-2.0 */
#include "admission/homeworld-check.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/hash.h"


#define BODY (SW_HOMEWORLD_LEN - 2)

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool sw_homeworld_check(const char *s)
{
	uint8_t hash[SW_SHA256_LEN];
	bool ok;

	sw_sha256_raw(s, BODY, hash);
	ok = s[BODY] == alphabet[hash[0] >> 2] &&
	     s[BODY + 1] == alphabet[(hash[0] & 3) << 4 | hash[1] >> 4];
	explicit_bzero(hash, sizeof(hash));
	return ok;
}

/* Characters that are read for each other on screens and on paper. */
static const char *const alike[] = { "Il1", "O0Q", "S5", "B8", "Z2", "G6", "uv", "nm", "rn",
				     "9gq" };

static bool try_one(char *s, size_t at, char c)
{
	char was = s[at];
	bool ok;

	if (c == was)
		return false;
	s[at] = c;
	ok = sw_homeworld_check(s);
	s[at] = was;
	return ok;
}

static bool try_place(char *s, size_t at)
{
	char c = s[at];
	bool ok = isalpha((unsigned char)c) && try_one(s, at, (char)(c ^ 0x20));

	for (size_t i = 0; i < sizeof(alike) / sizeof(alike[0]) && !ok; i++)
		for (const char *p = strchr(alike[i], c) ? alike[i] : ""; *p && !ok; p++)
			ok = try_one(s, at, *p);
	return ok;
}

static bool try_swap(char *s, size_t at)
{
	char a = s[at], b = s[at + 1];
	bool ok;

	if (a == b)
		return false;
	s[at] = b;
	s[at + 1] = a;
	ok = sw_homeworld_check(s);
	s[at] = a;
	s[at + 1] = b;
	return ok;
}

int sw_homeworld_locate(const char *s, struct sw_homeworld_doubt *ret_doubt)
{
	char copy[SW_HOMEWORLD_LEN];
	size_t found = 0;

	memcpy(copy, s, sizeof(copy));
	for (size_t at = 0; at < SW_HOMEWORLD_LEN; at++) {
		if (try_place(copy, at)) {
			*ret_doubt = (struct sw_homeworld_doubt){ .at = at };
			found++;
		}
		if (at + 1 < SW_HOMEWORLD_LEN && try_swap(copy, at)) {
			*ret_doubt = (struct sw_homeworld_doubt){ .at = at, .swapped = true };
			found++;
		}
	}
	explicit_bzero(copy, sizeof(copy));
	return found == 1 ? 0 : -ENOENT;
}
