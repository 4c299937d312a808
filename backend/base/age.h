/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Encryption by age(1), to public keys or by a passphrase: what comes out is what `age --decrypt`
 * takes. The plain bytes go through files without a name, never over a disk; a passphrase goes
 * through a terminal of its own, so that it is in no list of processes.
 */
#pragma once

#include "base/buf.h"
#include "base/error.h"
#include "base/secret.h"

#define SW_PASSPHRASE_MIN 12U	/* characters of one that protects what leaves the machine */
#define SW_PASSPHRASE_MAX 512U

/* Exit 3 for one that is too short, too long, or has what cannot be typed on one line. */
int sw_passphrase_check(const struct sw_secret *passphrase, struct sw_error *err);

/*
 * To recipients ("age1…" or "ssh-…", public; NULL-terminated), or, when that is NULL or empty, by
 * the passphrase. what: for messages, "the bundle". Exit 2 for a recipient that age refuses, 5
 * without age.
 */
int sw_age_encrypt(const void *plain, size_t len, char *const *recipients,
		   const struct sw_secret *passphrase, const char *what, struct sw_buf *out,
		   struct sw_error *err);

/*
 * By the identity in a file (age's or an SSH key's), or, when that is NULL, by the passphrase. max:
 * bytes of what may come out. Exit 3 when the key is not the right one or the file is damaged.
 */
int sw_age_decrypt(const void *cipher, size_t len, const char *identity,
		   const struct sw_secret *passphrase, size_t max, struct sw_secret **ret_plain,
		   struct sw_error *err);
