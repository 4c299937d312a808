/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recovery key of an encrypted partition: 256 random bits as eight groups of
 * eight letters that look alike on every keyboard layout ("modhex"), which is also
 * what `systemd-cryptenroll --recovery-key` makes, so that systemd's tools take it.
 */
#pragma once

#include "base/json.h"
#include "base/secret.h"

#define SW_RECOVERY_GROUPS 8U
#define SW_RECOVERY_GROUP 8U	/* letters */
#define SW_RECOVERY_LEN (SW_RECOVERY_GROUPS * (SW_RECOVERY_GROUP + 1) - 1)

/* A new one: SW_RECOVERY_LEN characters, groups joined by '-', which is the passphrase. */
int sw_recovery_new(struct sw_secret **ret_key, struct sw_error *err);

/* Copies group n (0 to 7) of a key, with a NUL. Wipe it after use. */
void sw_recovery_group(const struct sw_secret *key, unsigned int n,
		       char ret_group[static SW_RECOVERY_GROUP + 1]);

/* The group that a person is asked to type back: chosen at random, never the first. */
int sw_recovery_ask_for(unsigned int *ret_n);

/*
 * Whether what was typed is group n or the whole key; blanks, dashes and case do not
 * count. Takes the same time however wrong it is.
 */
bool sw_recovery_matches(const struct sw_secret *key, unsigned int n, const char *typed);

/*
 * What was typed or read, as the passphrase: a recovery key in any case, with or without
 * dashes, blanks or a line's end becomes the one that opens; other bytes stay as they are.
 */
int sw_recovery_passphrase(const struct sw_secret *given, struct sw_secret **ret_key,
			   struct sw_error *err);

/*
 * Reads a certificate: PEM, or the base64 of its DER; white space of any kind does
 * not count. Says only err->why and the hint. With ret_subject: its subject, malloc'd.
 */
int sw_escrow_check(const char *certificate, char **ret_subject, struct sw_error *err);

/*
 * The key encrypted to the certificate: CMS EnvelopedData (RFC 5652; AES-256-CBC, RSA
 * by OAEP or ECDH) as base64 of its DER on one line, malloc'd. What
 * `openssl cms -decrypt -inform DER` turns back.
 */
int sw_escrow_seal(const char *certificate, const struct sw_secret *key, char **ret_base64,
		   struct sw_error *err);

/*
 * Keys in escrow as node data have them: the newest is "recovery_escrow", those of
 * partitions that were kept on a reinstall are in the list "recovery_escrow_kept". Each
 * is {certificate, cms, opens: [labels]}; opens was not always written.
 */
#define SW_ESCROW_KEPT_MAX 16U
/* A copy of an entry with nothing in it but these, or NULL for what is none. */
json_object *sw_escrow_entry_clean(json_object *entry);
/* A copy of a list of them; NULL when it is none, or longer than SW_ESCROW_KEPT_MAX. */
json_object *sw_escrow_list_clean(json_object *list);
/* Whether it opens, or may open, a partition of this label. */
bool sw_escrow_entry_opens(json_object *entry, const char *label);
/*
 * Puts them into new node data: fresh, the key that was made now (NULL: none), first,
 * then the kept ones. Both borrowed.
 */
int sw_escrow_to_node_data(json_object *node_data, json_object *fresh, json_object *kept);
