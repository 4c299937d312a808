/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of the field table below payload, console and trust: fields.c takes them in. */
#ifndef SW_IN_FIELD_TABLE
#error "only for the field table"
#endif
#pragma once

	{ .key = "payload.kernel", .label = N_("Kernel"), .type = SW_FIELD_URL, AT(kernel),
	  .max = 2000, .applies = without_uki, .required = needs_kernel,
	  .missing = NO_PAYLOAD,
	  .help = N_("Where the node's kernel comes from: http(s)://, /path, file:/// or "
	  	"medium:/."),
	  .example = "http://boot.example:8080/vmlinuz" },
	{ .key = "payload.initrd", .label = N_("Initrd"), .type = SW_FIELD_URL, AT(initrd),
	  .max = 2000, .applies = without_uki, .required = needs_initrd,
	  .missing = NO_PAYLOAD,
	  .help = N_("Where the node's initial RAM disk comes from, in the same forms as the "
	  	"kernel."),
	  .example = "http://boot.example:8080/initrd" },
	{ .key = "payload.uki", .label = N_("Unified image"), .type = SW_FIELD_URL, AT(uki),
	  .max = 2000, .applies = without_kernel,
	  .help = N_("A unified kernel image (UKI) in place of kernel and initrd. It is stored "
		  "byte for byte, so its signature stays valid."),
	  .example = "https://boot.example/node.efi" },
	{ .key = "payload.sha256.kernel", .label = N_("Kernel SHA-256"), .type = SW_FIELD_SHA256,
	  AT(kernel_sha256), .applies = has_kernel, .required = kernel_is_remote,
	  .missing = NO_HASH,
	  .help = N_("The SHA-256 of the kernel, 64 hex digits. Required when it comes over a "
		  "network."),
	  .example = HEX_A },
	{ .key = "payload.sha256.initrd", .label = N_("Initrd SHA-256"), .type = SW_FIELD_SHA256,
	  AT(initrd_sha256), .applies = has_initrd, .required = initrd_is_remote,
	  .missing = NO_HASH,
	  .help = N_("The SHA-256 of the initrd, 64 hex digits. Required when it comes over a "
		  "network."),
	  .example = HEX_B },
	{ .key = "payload.sha256.uki", .label = N_("Image SHA-256"), .type = SW_FIELD_SHA256,
	  AT(uki_sha256), .applies = has_uki, .required = uki_is_remote,
	  .missing = NO_HASH,
	  .help = N_("The SHA-256 of the unified kernel image. With payload.uki it may stand "
		  "directly as payload.sha256."),
	  .stands_for = "payload.sha256",
	  .example = HEX_A },
	{ .key = "payload.signature.kernel", .label = N_("Kernel signature"), .type = SW_FIELD_LIST,
	  AT(kernel_signature), .max = 2000, .applies = signs_kernel, .check = sw_source_check,
	  .help = N_("Where the SSH signatures of the kernel are, one or several. Without it: "
		  "beside the kernel, with .sig after its name."),
	  .example = "https://boot.example/vmlinuz.sig" },
	{ .key = "payload.signature.initrd", .label = N_("Initrd signature"), .type = SW_FIELD_LIST,
	  AT(initrd_signature), .max = 2000, .applies = signs_initrd, .check = sw_source_check,
	  .help = N_("Where the SSH signatures of the initrd are; by default beside it, with "
	  	".sig."),
	  .example = "https://boot.example/initrd.sig" },
	{ .key = "payload.signature.uki", .label = N_("Image signature"), .type = SW_FIELD_LIST,
	  AT(uki_signature), .max = 2000, .applies = signs_uki, .check = sw_source_check,
	  .help = N_("Where the SSH signatures of the unified image are; by default beside it, "
		  "with .sig."),
	  .example = "https://boot.example/node.efi.sig" },
	{ .key = "payload.cmdline", .label = N_("Command line"), .type = SW_FIELD_TEXT, AT(cmdline),
	  .max = SW_CMDLINE_MAX, .applies = without_uki, .check = check_cmdline,
	  .help = N_("The node's kernel command line, with kernel and initrd only. "
		  "panic=10 and watchdog.open_timeout=300 are added; "
		  "give either with 0 to refuse."),
	  .example = "console=ttyS0,115200 panic=10" },
	{ .key = "payload.ca", .label = N_("Payload servers' CA"), .type = SW_FIELD_CERTIFICATE,
	  AT(payload_ca), .max = 8192, .applies = comes_by_https,
	  .help = N_("The certificate, as PEM, of the CA that signed those of the payload's https "
		  "servers: then no other CA is believed. Without it any that the system trusts. "
		  "Hashes are needed all the same."),
	  .example = "-----BEGIN CERTIFICATE----- MIIB... -----END CERTIFICATE-----" },

	{ .key = "console", .label = N_("Kernel's consoles"), .type = SW_FIELD_LIST, AT(consoles),
	  .max = 32, .applies = without_uki, .check = check_console,
	  .help = N_("Where the node's kernel writes to: each becomes a console= behind "
		  "payload.cmdline, the last one is /dev/console. A speed stands behind a colon, "
		  "as ttyS0:115200n8. Not with payload.uki."),
	  .example = "ttyS0:115200n8" },

	{ .key = "trust.keys", .label = N_("Trusted keys"), .type = SW_FIELD_LIST, AT(trust_keys),
	  .max = 4096, .check = sw_trust_check_key,
	  .help = N_("SSH public keys. The payload must be signed by them, now and at every "
		  "promote on the node; a hash is then not needed."),
	  .example = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBlAYunT+OL353ffrga6NFifox3kUbvD5EbG"
		     "avJ/EDZP ops" },
	{ .key = "trust.threshold", .label = N_("Signatures needed"), .type = SW_FIELD_TEXT,
	  AT(trust_threshold), .max = 2, .check = check_threshold,
	  .help = N_("How many of the trusted keys must have signed; 1 when it is not given."),
	  .example = "2" },
	{ .key = "trust.policy", .label = N_("Trust"), .type = SW_FIELD_CHOICE, AT(trust_policy),
	  .choices = policy_choices,
	  .help = N_("none: the node takes every later image without a signature, whoever put it "
		  "on the server. May be written as trust: none."),
	  .stands_for = "trust",
	  .example = "none" },
