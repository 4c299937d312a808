/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Admission tokens by their shape, while they are typed: what kind it is, whether
 * its check characters hold, and whether it says which server to trust. Nothing
 * here sends a token, keeps a copy of it, or repeats a part that is secret.
 *
 * Grammars: Homeworld's keyserver (15 random bytes in base64 without padding and
 * two characters of the SHA-256 of that text), Kubernetes' bootstrap tokens
 * (id.secret), and the K10 tokens of k3s and rke2 (SHA-256 of the server's CA,
 * then user:password or a bootstrap token).
 */
#pragma once

#include "base/error.h"

#define SW_TOKEN_MAX 4096	/* characters */

enum sw_token_kind {
	SW_TOKEN_NONE,		/* nothing typed yet */
	SW_TOKEN_MANUAL,	/* the word "manual": admission by hand */
	SW_TOKEN_HOMEWORLD,
	SW_TOKEN_KUBEADM,
	SW_TOKEN_K10,		/* k3s, rke2 */
	SW_TOKEN_URL,
	SW_TOKEN_OPAQUE,	/* some other word: taken as it is */
};

enum sw_token_state {
	SW_TOKEN_PARTIAL,	/* may become one: more characters are needed */
	SW_TOKEN_WHOLE,		/* complete, as far as its shape tells */
	SW_TOKEN_WRONG,		/* cannot be one */
};

struct sw_token_info {
	enum sw_token_kind kind;
	enum sw_token_state state;
	size_t length;		/* characters that count: without blanks around it */
	bool has_check;		/* the kind has check characters */
	bool check_ok;		/* and they hold; false while partial */
	bool pinned;		/* it names the server's CA */
	char ca_sha256[65];	/* K10: the CA's hash, which is no secret; else empty */
	char id[7];		/* kubeadm: the public part; else empty */
	char user[65];		/* K10: the user name; else empty */
	size_t doubt;		/* 1-based character to look at first, 0: none in particular */
	char why[200];		/* what is wrong or missing; "" when nothing */
	char hint[200];		/* what to do next, or a risk to know of */
};

/* Never fails. text need not be terminated; blanks and line ends around it do not count. */
void sw_token_inspect(const char *text, size_t len, struct sw_token_info *ret_info);

/* "Homeworld token"; static. */
const char *sw_token_kind_name(enum sw_token_kind kind);
/* "homeworld", for JSON and answer files; static. */
const char *sw_token_kind_key(enum sw_token_kind kind);
/* "complete", "incomplete", "wrong"; static. */
const char *sw_token_state_name(enum sw_token_state state);
json_object *sw_token_info_to_json(const struct sw_token_info *i);

/*
 * A CA pin of kubeadm's form, "sha256:" and 64 hex digits: SHA-256 of the CA
 * key's SubjectPublicKeyInfo. Writes 64 lower-case digits; -EINVAL with the
 * reason in words.
 */
int sw_ca_pin_parse(const char *text, char ret_sha256[static 65], struct sw_error *err);
