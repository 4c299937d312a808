/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of the field table below node: fields.c takes them into its array. */
#ifndef SW_IN_FIELD_TABLE
#error "only for the field table"
#endif
#pragma once

	{ .key = "node.hostname", .label = N_("Host name"), .type = SW_FIELD_HOSTNAME, AT(hostname),
	  .help = N_("The name of the node and of this install. ${serial}, ${uuid}, "
		  "${mac} and ${ek} stand for this machine's, ${dhcp} for the name in its DHCP "
		  "lease, ${dns} for what name servers call its address."),
	  .example = "node-07", .required = always, .max = 64 },
	{ .key = "node.machine-id", .label = N_("Machine ID"), .type = SW_FIELD_TEXT,
	  AT(machine_id), .max = 36, .check = check_machine_id,
	  .help = N_("What /etc/machine-id is on the node: derive makes it from the UUID seed, "
		  "the same again from the same answers and disk; or 32 hex digits. Without it "
		  "the node has its own way."),
	  .example = "derive" },
	{ .key = "node.ssh.authorized-keys", .label = N_("Who may log in"),
	  .type = SW_FIELD_LIST, AT(ssh_authorized), .max = 4096, .applies = with_disk,
	  .check = sw_trust_check_key,
	  .help = N_("SSH public keys of those who may log in as root. The node data hold them, "
		  "unsigned: whoever can write to the disk can change them."),
	  .example = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBlAYunT+OL353ffrga6NFifox3kUbvD5EbG"
		     "avJ/EDZP ops" },
	{ .key = "node.ssh.host-key", .label = N_("SSH host key"), .type = SW_FIELD_CHOICE,
	  AT(ssh_host_key), .choices = host_key_choices, .applies = with_disk,
	  .help = N_("make: the install makes the node's Ed25519 host key, seals it to the TPM and "
		  "tells its fingerprint, to compare at the first login. Without it the node "
		  "makes its own."),
	  .example = "make" },
	{ .key = "node.files.path", .label = N_("File"), .type = SW_FIELD_TEXT, IN_FILE(path),
	  .max = SW_NODE_FILE_PATH_MAX, .check = check_file_path,
	  .help = N_("A file of the node's root, below /etc, /opt, /root, /srv, /usr/local or "
		  "/var/lib. The node data hold it, unsigned: whoever can write to the disk can "
		  "change it."),
	  .example = "/etc/sysctl.d/90-site.conf" },
	{ .key = "node.files.text", .label = N_("File's text"), .type = SW_FIELD_TEXT,
	  IN_FILE(text), .max = 4096, .lines = true,
	  .help = N_("What is in the file: lines of text, as with `text: |`. Everybody who sees "
		  "the answers sees it: a secret belongs into secrets."),
	  .example = "vm.swappiness = 10" },
	{ .key = "node.files.source", .label = N_("File's source"), .type = SW_FIELD_URL,
	  IN_FILE(source), .max = 1000, .check = check_file_source,
	  .help = N_("In place of the text: where the file is, https://..., /path or medium:/path. "
		  "At most 64 KiB, and 128 KiB with all others. An https one needs sha256."),
	  .example = "medium:/chrony.conf" },
	{ .key = "node.files.sha256", .label = N_("File's SHA-256"), .type = SW_FIELD_SHA256,
	  IN_FILE(sha256),
	  .help = N_("What the source is held against before the first write."),
	  .example = HEX_A },
	{ .key = "node.files.mode", .label = N_("File's mode"), .type = SW_FIELD_TEXT,
	  IN_FILE(mode), .max = 4, .check = check_file_mode,
	  .help = N_("Who may read, write and run it, in octal; without it 0644. The file is "
		  "root's."),
	  .example = "0600" },
	{ .key = "node.secrets", .label = N_("Old secrets"), .type = SW_FIELD_CHOICE, AT(secrets),
	  .choices = secrets_choices, .applies = with_disk,
	  .help = N_("The secrets and SSH host key of a node that is on the disk already. keep, as "
		  "when nothing is said: those that will open on the new one; the review names "
		  "each. drop: none."),
	  .example = "drop" },
