/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of the field table below secrets: fields.c takes them into its array. */
#ifndef SW_IN_FIELD_TABLE
#error "only for the field table"
#endif
#pragma once

#define IN_SECRET(member) \
	.home = SW_HOME_SECRET, .offset = offsetof(struct sw_site_secret, member), \
	.applies = with_disk

	{ .key = "secrets.name", .label = N_("Secret"), .type = SW_FIELD_TEXT, IN_SECRET(name),
	  .max = 63, .check = check_secret_name,
	  .help = N_("What the node calls the secret. It is sealed to the node's TPM and kept in "
		  "the node data; slipway secret open gives it out, and systemd as a credential."),
	  .example = "registry.password" },
	{ .key = "secrets.file", .label = N_("Secret's file"), .type = SW_FIELD_URL,
	  IN_SECRET(file), .max = 1000, .local = true,
	  .help = N_("A file with the secret, byte for byte: /path, file:///path or medium:/path. "
		  "At most 16 KiB. The answers never hold the secret itself."),
	  .example = "medium:/registry.password" },
	{ .key = "secrets.credential", .label = N_("Secret's credential"), .type = SW_FIELD_TEXT,
	  IN_SECRET(credential), .max = 64, .check = check_credential,
	  .help = N_("In place of the file: the systemd credential of this name that the "
		  "installing machine was started with."),
	  .example = "registry.password" },
	{ .key = "secrets.sealed", .label = N_("Secret, sealed"), .type = SW_FIELD_URL,
	  IN_SECRET(sealed), .max = 1000, .local = true,
	  .help = N_("In place of the file: what systemd-creds encrypt --with-key=tpm2 made on "
		  "this machine, with the secret's name. Its TPM opens it in the install."),
	  .example = "medium:/registry.cred" },
