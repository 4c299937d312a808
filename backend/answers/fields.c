/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The field table. A key exists here and nowhere else: the reader, the writer,
 * the forms of the console, `slipway explain` and slipway-answers(5) walk it.
 * The order is the order of the answer file.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "answers/answers.h"
#include "answers/network-check.h"
#include "answers/sources.h"
#include "answers/values.h"
#include "admission/token.h"
#include "base/catalogue.h"
#include "base/guid.h"
#include "base/template.h"
#include "base/text.h"
#include "boot/bootpath.h"
#include "boot/nodefiles.h"
#include "boot/secrets.h"
#include "net/syslog.h"
#include "payload/payload.h"
#include "tpm/pcr-key.h"

static bool given(const char *s)
{
	return s && *s;
}

static bool always(const struct sw_answers *a SW_UNUSED)
{
	return true;
}

static bool without_uki(const struct sw_answers *a)
{
	return !given(a->uki);
}

static bool without_kernel(const struct sw_answers *a)
{
	return !given(a->kernel) && !given(a->initrd);
}

static bool from_network(const struct sw_answers *a)
{
	return a->boot_mode == SW_MODE_NETWORK;
}

/* Neither given nor left to be asked. */
static bool no_uki(const struct sw_answers *a)
{
	return without_uki(a) && !sw_answers_is_open(a, "payload.uki");
}

/* A node that boots from the network may begin with empty slots, but not with half a payload. */
static bool needs_kernel(const struct sw_answers *a)
{
	return no_uki(a) && (!from_network(a) || given(a->initrd));
}

static bool needs_initrd(const struct sw_answers *a)
{
	return no_uki(a) && (!from_network(a) || given(a->kernel));
}

static bool with_disk(const struct sw_answers *a)
{
	return !sw_answers_diskless(a);
}

static bool has_kernel(const struct sw_answers *a)
{
	return given(a->kernel);
}

static bool has_initrd(const struct sw_answers *a)
{
	return given(a->initrd);
}

static bool has_uki(const struct sw_answers *a)
{
	return given(a->uki);
}

static bool kernel_is_remote(const struct sw_answers *a)
{
	return given(a->kernel) && sw_source_is_remote(a->kernel) && !a->trust_keys;
}

static bool initrd_is_remote(const struct sw_answers *a)
{
	return given(a->initrd) && sw_source_is_remote(a->initrd) && !a->trust_keys;
}

static bool uki_is_remote(const struct sw_answers *a)
{
	return given(a->uki) && sw_source_is_remote(a->uki) && !a->trust_keys;
}

static bool ipxe_is_remote(const struct sw_answers *a)
{
	return given(a->ipxe) && sw_source_is_remote(a->ipxe) && !a->trust_keys;
}

static bool has_rescue(const struct sw_answers *a)
{
	return given(a->rescue);
}

static bool rescue_is_remote(const struct sw_answers *a)
{
	return given(a->rescue) && sw_source_is_remote(a->rescue) && !a->trust_keys;
}

static bool escrows(const struct sw_answers *a)
{
	return a->recovery == SW_RECOVERY_ESCROW;
}

static int say(struct sw_error *err, const char *why, const char *hint)
{
	sw_error_why(err, "%s", why);
	sw_error_hint(err, "%s", hint);
	return -EINVAL;
}

static bool is_https(const char *source)
{
	return source && strncasecmp(source, "https://", 8) == 0;
}

static bool comes_by_https(const struct sw_answers *a)
{
	return is_https(a->kernel) || is_https(a->initrd) || is_https(a->uki) ||
	       is_https(a->rescue) || is_https(a->ipxe);
}

static bool signs_kernel(const struct sw_answers *a)
{
	return has_kernel(a) && a->trust_keys;
}

static bool signs_initrd(const struct sw_answers *a)
{
	return has_initrd(a) && a->trust_keys;
}

static bool signs_uki(const struct sw_answers *a)
{
	return has_uki(a) && a->trust_keys;
}

static int check_version(const char *text, struct sw_error *err)
{
	if (strcmp(text, "1") == 0)
		return 0;
	return say(err, "this slipway reads answer files of version 1",
		   "write slipway: 1, or use a slipway that knows the other version");
}

static int check_size_rule(const char *text, struct sw_error *err)
{
	if (sw_disk_is_size_rule(text))
		return 0;
	return say(err, "it is not a rule about a size",
		   "write \">=100G\", \"<2T\", 64G for exactly that, largest or smallest");
}

/* What disks-identify.c may find; a pattern may stand for several. */
static int check_transport(const char *text, struct sw_error *err)
{
	static const char *const known[] = { "nvme", "sata", "sas", "scsi", "usb", "virtio", "mmc",
					     "iscsi", "fc", "loop", NULL };

	if (strpbrk(text, "*?["))
		return 0;
	for (size_t i = 0; known[i]; i++)
		if (strcasecmp(text, known[i]) == 0)
			return 0;
	sw_hint_nearest(text, known, err);
	return say(err, "a disk is attached by nvme, sata, sas, scsi, usb, virtio, mmc, iscsi or "
			"fc", "slipway disks shows it for each disk");
}

/* A layout is a name below the layouts directory, or the path of such a directory. */
static int check_layout(const char *text, struct sw_error *err)
{
	if (text[0] == '/')
		return 0;
	for (const char *p = text; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("-_", *p))
			return say(err, "it is neither the name of a layout nor a whole path",
				   "use a name such as node, or a path that starts with /");
	return 0;
}

static int check_undo_copy(const char *text, struct sw_error *err)
{
	if (strcmp(text, "stick") == 0 || text[0] == '/' ||
	    strncasecmp(text, "http://", 7) == 0 || strncasecmp(text, "https://", 8) == 0)
		return 0;
	return say(err, "it is neither stick, nor a whole path, nor a web address",
		   "use stick, a path that starts with /, or an http:// or https:// URL");
}

/*
 * The firmware and the kernel split a command line at blanks and end it at a
 * line end; anything beyond ASCII is not carried alike by every loader.
 */
static int check_cmdline(const char *text, struct sw_error *err)
{
	for (const char *p = text; *p; p++)
		if (*p < 0x20 || *p > 0x7e)
			return say(err, "a kernel command line is one line of printable ASCII",
				   "take the line break, tab or special character out");
	return 0;
}

/* It ends up on the node's command line, so it must be one word, and no secret may be in it. */
static int check_admission_url(const char *text, struct sw_error *err)
{
	if (strncasecmp(text, "https://", 8) != 0)
		return say(err, "a node proves its identity only over https",
			   "write it like https://attest.example/v1");
	if (strchr(text, '?'))
		return say(err, "what follows the '?' would be readable on the node by anybody",
			   "give the address alone, like https://attest.example/v1");
	return 0;
}

static int check_admission_pin(const char *text, struct sw_error *err)
{
	char hex[65];

	if (sw_ca_pin_parse(text, hex, err) == 0)
		return 0;
	sw_error_hint(err, "it is sha256: and the SHA-256 of the server's public key: openssl x509 "
			   "-pubkey -noout | openssl pkey -pubin -outform DER | sha256sum");
	return -EINVAL;
}

/* The firmware itself fetches it. */
static int check_boot_uri(const char *text, struct sw_error *err)
{
	if (sw_bootpath_check_uri(text) == 0)
		return 0;
	return say(err, "a firmware boots http:// and https:// addresses without a password",
		   "write it like http://boot.example/node.efi");
}

static int check_boot_nic(const char *text, struct sw_error *err)
{
	uint8_t mac[6];

	if (sw_mac_parse(text, mac) == 0)
		return 0;
	return say(err, "it is not the MAC address of a network card",
		   "slipway facts lists the cards; write it like 52:54:00:12:34:56");
}

static int check_threshold(const char *text, struct sw_error *err)
{
	unsigned long n = strtoul(text, NULL, 10);

	return strspn(text, "0123456789") == strlen(text) && n >= 1 && n <= SW_TRUST_KEYS_MAX ? 0
		: say(err, "it is not a number of keys", "write a number from 1 to 16");
}

static int check_wait(const char *text, struct sw_error *err)
{
	return strspn(text, "0123456789") == strlen(text) && strtoul(text, NULL, 10) <= 600 ? 0
		: say(err, "it is not a number of seconds", "write a number from 0 to 600");
}

/* What is told must reach the right server, and a path may be a secret of its own. */
static int check_webhook_url(const char *text, struct sw_error *err)
{
	if (strncasecmp(text, "https://", 8) == 0)
		return 0;
	return say(err, "what happens on a machine is told only over https",
		   "write it like https://events.example/slipway");
}

/* What runs as root does not come over a network, where nothing here vouches for it. */
static int check_hook(const char *text, struct sw_error *err)
{
	if (sw_source_is_remote(text))
		return say(err, "a hook is not fetched over a network",
			   "put it onto the medium and write medium:/NAME, or give a path");
	return sw_source_check_local(text, err);
}

static int check_hook_timeout(const char *text, struct sw_error *err)
{
	unsigned long n = strtoul(text, NULL, 10);

	return strspn(text, "0123456789") == strlen(text) && n >= 1 && n <= 3600 ? 0
		: say(err, "it is not a number of seconds", "write a number from 1 to 3600");
}

/* Documentation/admin-guide/serial-console.rst: a device's name, and options behind a comma. */
static int check_console(const char *text, struct sw_error *err)
{
	size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");

	if (n > 0 && (!text[n] || (text[n] == ':' && text[n + 1])) &&
	    strspn(text + n, ":abcdefghijklmnopqrstuvwxyz0123456789") == strlen(text + n))
		return 0;
	return say(err, "it is no console of a kernel",
		   "write the device, and its speed behind a colon: tty0, ttyS0:115200n8");
}

static int check_pause(const char *text, struct sw_error *err)
{
	return strspn(text, "0123456789") == strlen(text) && strtoul(text, NULL, 10) <= 3600 ? 0
		: say(err, "it is not a number of seconds", "write a number from 0 to 3600");
}

static bool goes_on(const struct sw_answers *a)
{
	return a->on_error > SW_ON_ERROR_STAY;
}

static int check_log(const char *text, struct sw_error *err)
{
	if (text[0] == '/')
		return 0;
	return say(err, "it is no whole path", "write it like /run/install.log");
}

static int check_syslog(const char *text, struct sw_error *err)
{
	struct sw_syslog_at at;

	if (sw_syslog_parse(text, &at) == 0)
		return 0;
	return say(err, "it is no address of a syslog server",
		   "write it like udp://log.example:514 or tcp://[2001:db8::7]:601");
}

static int check_event(const char *text, struct sw_error *err)
{
	static const char *const events[] = { "started", "progress", "waiting", "succeeded",
					      "failed", NULL };

	for (size_t i = 0; events[i]; i++)
		if (strcmp(text, events[i]) == 0)
			return 0;
	sw_hint_nearest(text, events, err);
	return say(err, "the events are started, progress, waiting, succeeded and failed",
		   "use those of them that count, or leave the key out for all");
}

static int check_body(const char *text, struct sw_error *err)
{
	return sw_template_check(text, sw_webhook_words, err);
}

/* Either the word, or what systemd prints; sd-id128 takes no zeros. */
static int check_machine_id(const char *text, struct sw_error *err)
{
	struct sw_guid id;

	if (strcmp(text, "derive") == 0 ||
	    (sw_guid_parse(text, &id) == 0 && !sw_guid_is_zero(&id)))
		return 0;
	return say(err, "it is no machine ID", "write derive, or 32 hex digits that are not all 0");
}

static int check_credential(const char *text, struct sw_error *err)
{
	return sw_credential_is_name(text) ? 0
		: say(err, "a secret's name has letters, digits, '-', '_' and '.', not first",
		      "use a name such as registry.password");
}

static int check_secret_name(const char *text, struct sw_error *err)
{
	if (strcmp(text, SW_SECRET_HOST_KEY) == 0)
		return say(err, "the node's SSH host key has this name",
			   "node.ssh.host-key: make makes one; give this secret another name");
	return check_credential(text, err);
}

static int check_file_path(const char *text, struct sw_error *err)
{
	const char *why = sw_node_file_why_not(text);

	return why ? say(err, why, "write a whole path such as /etc/sysctl.d/90-site.conf") : 0;
}

static int check_file_mode(const char *text, struct sw_error *err)
{
	unsigned int mode;

	return sw_node_file_mode(text, &mode) == 0 ? 0
		: say(err, "it is no mode that a file of the answers may have",
		      "write 0400 to 0777 in octal, readable by its owner, without setuid, setgid "
		      "and sticky bits");
}

static int check_file_source(const char *text, struct sw_error *err)
{
	return strncasecmp(text, "http://", 7) != 0 ? 0
		: say(err, "a file of the node is not fetched in the open",
		      "write it like https://boot.example/chrony.conf, or medium:/chrony.conf");
}

static const char *const host_key_choices[] = { "make", NULL };
static const char *const secrets_choices[] = { "keep", "drop", NULL };
static const char *const policy_choices[] = { "none", NULL };
static const char *const use_choices[] = { "none", NULL };
static const char *const recovery_choices[] = { "show", "escrow", "none", NULL };
static const char *const wipe_choices[] = { "blank", "ours", "any", NULL };
static const char *const conflict_choices[] = { "refuse", "rename", "ignore", NULL };
static const char *const failing_choices[] = { "refuse", "use", NULL };
static const char *const mode_choices[] = { "local", "network", "hands-off", NULL };
static const char *const strategy_choices[] = { "armed", "order", NULL };
static const char *const via_choices[] = { "auto", "http", "pxe", "ipxe", NULL };
static const char *const protocol_choices[] = { "auto", "strict", "plain", NULL };
static const char *const kind_choices[] = { "none", "attest", "homeworld", "rke2", "k3s",
					    "kubeadm", NULL };
static const char *const reinstall_choices[] = { "once", "always", NULL };
static const char *const on_error_choices[] = { "stay", "reboot", "poweroff", "shell", NULL };
static const char *const finish_choices[] = { "reboot", "poweroff", "stay", "kexec", NULL };

const char *sw_admission_name(enum sw_admission_kind kind)
{
	return (size_t)kind < ARRAY_SIZE(kind_choices) - 1 ? kind_choices[kind] : "";
}

enum sw_admission_kind sw_admission_kind_of(const char *name)
{
	for (unsigned int k = 0; k < SW_N_ADMISSION_KINDS; k++)
		if (strcmp(kind_choices[k], name) == 0)
			return (enum sw_admission_kind)k;
	return SW_ADMISSION_NONE;
}

/* Bits of kinds: those with a token, and all that ask a server. */
#define BY_TOKEN (1U << SW_ADMISSION_HOMEWORLD | 1U << SW_ADMISSION_RKE2 | \
		  1U << SW_ADMISSION_K3S | 1U << SW_ADMISSION_KUBEADM)
#define BY_SERVER (BY_TOKEN | 1U << SW_ADMISSION_ATTEST)

static const char *const dhcp_choices[] = { "yes", "no", "4", "6", NULL };
static const char *const bond_choices[] = { "active-backup", "802.3ad", "balance-rr",
					    "balance-xor", "broadcast", "balance-tlb",
					    "balance-alb", NULL };
static const char *const time_choices[] = { "any", "ntp", "server", "leave", NULL };
static const char *const yes_no[] = { "yes", "no", NULL };

#define AT(member) .offset = offsetof(struct sw_answers, member)
#define IN_ADMISSION(member) \
	.home = SW_HOME_ADMISSION, .offset = offsetof(struct sw_admission, member)
#define IN_MATCH(member) .home = SW_HOME_MATCH, .offset = offsetof(struct sw_disk_match, member)
#define IN_CHOICE(member) .home = SW_HOME_CHOICE, .offset = offsetof(struct sw_disk_choice, member)
#define IN_WEBHOOK(member) .home = SW_HOME_WEBHOOK, .offset = offsetof(struct sw_webhook, member)
#define IN_FILE(member) \
	.home = SW_HOME_FILE, .offset = offsetof(struct sw_node_file, member), .applies = with_disk
#define NO_PAYLOAD "give kernel and initrd, or a unified image (uki) in their place"
#define NO_HASH "sha256sum FILE on the server prints it"
#define HEX_A "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
#define HEX_B "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752"

const struct sw_field sw_fields[] = {
	{ .key = "slipway", .label = N_("File version"), .type = SW_FIELD_INT, AT(version),
	  .help = N_("The version of the answer file's format. It comes first in every file."),
	  .example = "1", .dflt = "1", .required = always, .check = check_version },
	{ .key = "sources", .label = N_("Further sources"), .type = SW_FIELD_LIST, AT(sources),
	  .max = 2000, .check = sw_source_check_name,
	  .help = N_("Only in the medium's slipway.yaml: where more answers are, as in "
		  "slipway.answers= on the kernel command line (slipway(8)). What a later one "
		  "says counts."),
	  .example = "https://boot.example/${mac}.yaml" },
#define SW_IN_FIELD_TABLE
#include "answers/fields-node.h"
#include "answers/fields-secrets.h"

	{ .key = "disk.use", .label = N_("Node without a disk"), .type = SW_FIELD_CHOICE,
	  AT(disk_use),
	  .choices = use_choices,
	  .help = N_("none: no disk is written; the node has boot entries and node data in the "
		  "firmware only, and nothing to start when the network is away. Needs "
		  "boot.mode: network. May be written as disk: none."),
	  .stands_for = "disk",
	  .example = "none" },
	{ .key = "disk.match.serial", .label = N_("Disk serial"), .type = SW_FIELD_TEXT,
	  IN_MATCH(serial),
	  .help = N_("The serial number of the disk to install on. * and ? match any characters."),
	  .example = "S4EVNX0R" },
	{ .key = "disk.match.wwn", .label = N_("Disk WWN"), .type = SW_FIELD_TEXT, IN_MATCH(wwn),
	  .help = N_("The World Wide Name of the disk. * and ? match any characters."),
	  .example = "eui.0025385b71b0a1c2" },
	{ .key = "disk.match.model", .label = N_("Disk model"), .type = SW_FIELD_TEXT,
	  IN_MATCH(model),
	  .help = N_("The model name of the disk. * and ? match any characters."),
	  .example = "*PM9A3*" },
	{ .key = "disk.match.vendor", .label = N_("Disk vendor"), .type = SW_FIELD_TEXT,
	  IN_MATCH(vendor),
	  .help = N_("The vendor that the disk reports. * and ? match any characters."),
	  .example = "SEAGATE*" },
	{ .key = "disk.match.path", .label = N_("Disk path"), .type = SW_FIELD_TEXT, IN_MATCH(path),
	  .help = N_("Where the disk is plugged in: its name below /dev/disk/by-path. "
		  "* and ? match any characters."),
	  .example = "pci-0000:01:00.0-nvme-1" },
	{ .key = "disk.match.transport", .label = N_("Disk transport"), .type = SW_FIELD_TEXT,
	  IN_MATCH(transport), .max = 32, .check = check_transport,
	  .help = N_("How the disk is attached: nvme, sata, sas, scsi, usb or virtio. "
		  "* and ? match any characters."),
	  .example = "nvme" },
	{ .key = "disk.match.size", .label = N_("Disk size"), .type = SW_FIELD_TEXT, IN_MATCH(size),
	  .max = 32, .check = check_size_rule,
	  .help = N_("A rule about the size: >=100G, <2T, 64G (exactly), largest or smallest. "
		  "Units are powers of 1024."),
	  .example = ">=100G" },
	{ .key = "disk.match.rotational", .label = N_("Disk rotates"), .type = SW_FIELD_CHOICE,
	  IN_MATCH(rotational), .choices = yes_no,
	  .help = N_("Whether the disk has turning platters: yes for a hard disk, no for an SSD."),
	  .example = "no" },
	{ .key = "disk.layout", .label = N_("Layout"), .type = SW_FIELD_TEXT, AT(layout),
	  .max = 1024, .check = check_layout, .applies = with_disk, .required = with_disk,
	  .help = N_("How the disk is divided: the name of a layout that comes with slipway, or "
		  "the path of a directory with partition definitions."),
	  .example = "node", .dflt = "node" },
	{ .key = "disk.wipe", .label = N_("Existing content"), .type = SW_FIELD_CHOICE,
	  IN_CHOICE(wipe),
	  .choices = wipe_choices, .applies = with_disk, .required = with_disk,
	  .help = N_("What may be overwritten: only a blank disk, also an earlier slipway install "
		  "(ours), or anything. \"any\" needs a serial, WWN or path."),
	  .example = "ours", .dflt = "blank" },

	{ .key = "disk.recovery", .label = N_("Recovery key"), .type = SW_FIELD_CHOICE,
	  AT(recovery),
	  .choices = recovery_choices,
	  .help = N_("For a layout that encrypts with the TPM. show (as if unsaid): to a person, "
		  "who types a part of it back. escrow: encrypted to disk.escrow. none: what is "
		  "encrypted is lost with the TPM."),
	  .example = "escrow" },
	{ .key = "disk.escrow", .label = N_("Escrow certificate"), .type = SW_FIELD_CERTIFICATE,
	  AT(escrow), .max = 8192, .applies = escrows, .required = escrows,
	  .missing = N_("give the X.509 certificate of whoever keeps the recovery keys, as PEM"),
	  .help = N_("The certificate that the recovery key is encrypted to, as PEM: a public "
		  "key, no secret. `openssl cms -decrypt -inform DER` with the private key opens "
		  "it."),
	  .example = "-----BEGIN CERTIFICATE----- MIIB... -----END CERTIFICATE-----" },
	{ .key = "disk.pcr-key", .label = N_("PCR signer's key"), .type = SW_FIELD_CERTIFICATE,
	  AT(pcr_key), .max = 2048, .check = sw_pcr_key_check,
	  .help = N_("For a layout that encrypts with the TPM: the public key of who signs the PCR "
		  "11 of images (ukify, systemd-measure). The TPM then opens it for images that "
		  "bring such a signature."),
	  .example = "-----BEGIN PUBLIC KEY----- MIIB... -----END PUBLIC KEY-----" },
	{ .key = "disk.keyfile", .label = N_("Key file"), .type = SW_FIELD_URL, AT(key_file),
	  .max = 2000, .local = true,
	  .help = N_("Where the key of partitions with Encrypt=key-file is read from at the "
		  "install: /path, file:///path or medium:/path. The file's bytes are the key."),
	  .example = "medium:/state.key" },
	{ .key = "disk.preserve", .label = N_("Kept partitions"), .type = SW_FIELD_LIST,
	  AT(preserve), .max = 108,
	  .help = N_("Labels of partitions whose content stays when the disk is installed again."),
	  .example = "state" },
	{ .key = "disk.undo-copy", .passing = true,
	  .label = N_("Copy of undo data"), .type = SW_FIELD_TEXT,
	  AT(undo_copy), .max = 2000, .check = check_undo_copy,
	  .help = N_("Where a copy of the undo data goes before anything is written: stick (the "
		  "FAT partition SLIPWAY of a removable disk), a path, or a URL that takes PUT."),
	  .example = "https://boot.example/undo/" },
	{ .key = "disk.more", .label = N_("Further disks"), .type = SW_FIELD_DISKS, AT(more),
	  .help = N_("The layout's further disks, in its order: a list in which each item has "
		  "match and wipe, as disk.match and disk.wipe for the first disk."),
	  .example = "[{match: {serial: S4EVNX0T}, wipe: ours}]" },

	{ .key = "disk.conflicts", .label = N_("Same names elsewhere"), .type = SW_FIELD_CHOICE,
	  AT(conflicts), .choices = conflict_choices,
	  .help = N_("When a partition of another disk has a name or UUID of the node and may be "
		  "started or mounted in its place: refuse (the default), rename it (undo "
		  "brings the name back), or ignore it."),
	  .example = "rename" },
	{ .key = "disk.failing", .label = N_("Failing disk"), .type = SW_FIELD_CHOICE, AT(failing),
	  .choices = failing_choices,
	  .help = N_("When a disk itself reports that it is failing (SMART, NVMe health log): "
		  "refuse to install on it (the default), or use it all the same."),
	  .example = "use" },

	{ .key = "disk.wait", .passing = true,
	  .label = N_("Wait for the disks"), .type = SW_FIELD_TEXT,
	  AT(disk_wait),
	  .max = 3, .check = check_wait,
	  .help = N_("How many seconds an install that nobody watches waits for its disks: until "
		  "no more of them come, and then for those that must fit; 60 when it is not "
		  "given, at most 600."),
	  .example = "120" },

#include "answers/fields-payload.h"

	{ .key = "boot.mode", .label = N_("Boot mode"), .type = SW_FIELD_CHOICE, AT(boot_mode),
	  .choices = mode_choices, .required = always,
	  .help = N_("local: the installed slot boots first. network: the network's image, and the "
		  "slot when that fails; then a payload is optional. hands-off: the boot order is "
		  "left as it is."),
	  .example = "local", .dflt = "local" },
	{ .key = "boot.strategy", .label = N_("Strategy"), .type = SW_FIELD_CHOICE,
	  AT(boot_strategy),
	  .choices = strategy_choices, .applies = from_network,
	  .help = N_("armed: the slot is first in the boot order, and the network is tried once at "
		  "each boot, so a bad image costs one try. order: the network is first; an image "
		  "that panics then boots again and again."),
	  .example = "armed", .dflt = "armed" },
	{ .key = "boot.network.via", .label = N_("Network boot"), .type = SW_FIELD_CHOICE,
	  AT(boot_via), .choices = via_choices, .applies = from_network,
	  .help = N_("Which of the firmware's network entries is used. auto: the first in its boot "
		  "order. ipxe: an iPXE binary on the disk, with a script for "
		  "boot.network.uri."),
	  .example = "http", .dflt = "auto" },
	{ .key = "boot.network.uri", .label = N_("Boot address"), .type = SW_FIELD_URL,
	  AT(boot_uri),
	  .max = 1024, .applies = from_network, .check = check_boot_uri,
	  .help = N_("The http(s) address of the image that the firmware boots. Without it the "
		  "firmware's own entry is used, and DHCP names the image."),
	  .example = "http://boot.example/node.efi" },
	{ .key = "boot.network.nic", .label = N_("Boot network card"), .type = SW_FIELD_TEXT,
	  AT(boot_nic), .max = 17, .applies = from_network, .check = check_boot_nic,
	  .help = N_("The MAC address of the card to boot from. Without it the firmware's first "
		  "card."),
	  .example = "52:54:00:12:34:56" },

	{ .key = "boot.network.ipxe", .label = N_("iPXE binary"), .type = SW_FIELD_URL, AT(ipxe),
	  .max = 2000, .applies = sw_answers_by_ipxe, .required = sw_answers_by_ipxe,
	  .help = N_("Where the iPXE binary (an EFI program of 2022 or later) comes from, in the "
		  "forms of payload.kernel. Under Secure Boot it must be signed."),
	  .missing = N_("give boot.network.ipxe, or another boot.network.via"),
	  .example = "medium:/ipxe.efi" },
	{ .key = "boot.network.sha256", .label = N_("iPXE SHA-256"), .type = SW_FIELD_SHA256,
	  AT(ipxe_sha256), .applies = sw_answers_by_ipxe, .required = ipxe_is_remote,
	  .missing = NO_HASH,
	  .help = N_("The SHA-256 of the iPXE binary. Required when it comes over a network."),
	  .example = HEX_A },

	{ .key = "rescue.uki", .label = N_("Rescue image"), .type = SW_FIELD_URL, AT(rescue),
	  .max = 2000,
	  .help = N_("A unified kernel image for a partition of its own, slipway-rescue, that the "
		  "node starts with slipway mode once rescue, or when no slot starts."),
	  .example = "medium:/rescue.efi" },
	{ .key = "rescue.sha256", .label = N_("Rescue SHA-256"), .type = SW_FIELD_SHA256,
	  AT(rescue_sha256), .applies = has_rescue, .required = rescue_is_remote,
	  .missing = NO_HASH,
	  .help = N_("The SHA-256 of the rescue image. Required when it comes over a network."),
	  .example = HEX_B },

	{ .key = "admission.kind", .label = N_("Admission"), .type = SW_FIELD_CHOICE,
	  IN_ADMISSION(kind), .choices = kind_choices, .kinds = BY_SERVER | 1U,
	  .needs = BY_SERVER | 1U,
	  .help = N_("How the node is admitted to its cluster: not at all, by attestation, or with "
		  "a token, by the server at admission.url."),
	  .example = "attest", .dflt = "none" },
	{ .key = "admission.url", .label = N_("Admission server"), .type = SW_FIELD_URL,
	  IN_ADMISSION(url), .max = 1000, .kinds = BY_SERVER, .needs = BY_SERVER,
	  .check = check_admission_url,
	  .help = N_("The https address of the server that admits the node. That of an attestation "
		  "server is on the node's command line as ember.attest_url."),
	  .example = "https://attest.example/v1" },
	{ .key = "admission.protocol", .label = N_("Exchange"), .type = SW_FIELD_CHOICE,
	  IN_ADMISSION(protocol), .choices = protocol_choices,
	  .kinds = 1U << SW_ADMISSION_ATTEST,
	  .help = N_("The exchange that attests the node. strict: the server gives a nonce, its "
		     "answer opens only in the state that was attested. plain: that of "
		     "safeboot-attest. auto: strict if offered, else plain."),
	  .example = "strict", .dflt = "auto" },
	{ .key = "admission.ca", .label = N_("Server's CA"), .type = SW_FIELD_CERTIFICATE,
	  IN_ADMISSION(ca), .max = 8192, .kinds = BY_SERVER,
	  .needs = 1U << SW_ADMISSION_HOMEWORLD,
	  .missing = N_("give the cluster's keyservertls.pem: a token that reaches another "
			"server is lost"),
	  .help = N_("The certificate, as PEM, of the CA that signed the server's: then no other "
		     "CA is believed. Without it, a pin or a hash in the token, any CA that the "
		     "system trusts can vouch for it."),
	  .example = "-----BEGIN CERTIFICATE----- MIIB... -----END CERTIFICATE-----" },
	{ .key = "admission.pin", .label = N_("Server's key"), .type = SW_FIELD_TEXT,
	  IN_ADMISSION(pin), .max = 71, .check = check_admission_pin,
	  .kinds = 1U << SW_ADMISSION_ATTEST | 1U << SW_ADMISSION_KUBEADM,
	  .help = N_("The SHA-256 of the server's public key (of kubeadm: of its CA's), behind "
		     "sha256:. Then nobody with another key is believed, and of the server's "
		     "certificate only the key matters."),
	  .example = "sha256:" HEX_A },
	{ .key = "admission.tokenfile", .label = N_("Token file"), .type = SW_FIELD_URL,
	  IN_ADMISSION(token_file), .max = 1000, .local = true, .kinds = BY_TOKEN,
	  .help = N_("Where slipway admit reads the token from, never the token itself: /path, "
		     "file:///path or medium:/path. Without it slipway admit takes it from "
		     "--token, or asks."),
	  .example = "medium:/token" },

	{ .key = "hooks.before", .passing = true,
	  .label = N_("Before the install"), .type = SW_FIELD_LIST,
	  AT(hooks_before), .max = 2000, .check = check_hook,
	  .help = N_("Programs or scripts that run before anything is written, as root: /path, "
		  "file:///path or medium:/path. One that fails ends the install."),
	  .example = "medium:/before.sh" },
	{ .key = "hooks.after", .passing = true,
	  .label = N_("After the install"), .type = SW_FIELD_LIST,
	  AT(hooks_after), .max = 2000, .check = check_hook,
	  .help = N_("The same, after an install that has succeeded. One that fails is told, and "
		  "changes nothing about that."),
	  .example = "medium:/after.sh" },
	{ .key = "hooks.on-error", .passing = true,
	  .label = N_("On an error"), .type = SW_FIELD_LIST,
	  AT(hooks_on_error), .max = 2000, .check = check_hook,
	  .help = N_("The same, after an install that has failed."),
	  .example = "medium:/failed.sh" },
	{ .key = "hooks.timeout", .passing = true,
	  .label = N_("Time for a hook"), .type = SW_FIELD_TEXT,
	  AT(hooks_timeout), .max = 4, .check = check_hook_timeout,
	  .help = N_("After how many seconds a hook is ended, and counts as failed; 600 when it is "
		  "not given, at most 3600."),
	  .example = "60" },

#include "answers/fields-network.h"

#include "answers/fields-report.h"

	{ .key = "seed", .label = N_("UUID seed"), .type = SW_FIELD_UUID, AT(seed),
	  .help = N_("A UUID from which all partition UUIDs are derived. Without it they follow "
		  "from the host name and the disk."),
	  .example = "5f0c1c0e-7d0b-4b8e-9a5e-2f6d1a3b4c5d" },
};

const size_t sw_n_fields = ARRAY_SIZE(sw_fields);

const struct sw_field *sw_field_find(const char *key)
{
	for (size_t i = 0; i < sw_n_fields; i++)
		if (strcmp(sw_fields[i].key, key) == 0)
			return &sw_fields[i];
	return NULL;
}

const struct sw_field *sw_field_standing_for(const char *group)
{
	for (size_t i = 0; i < sw_n_fields; i++)
		if (sw_fields[i].stands_for && strcmp(sw_fields[i].stands_for, group) == 0)
			return &sw_fields[i];
	return NULL;
}

const char *sw_field_group_help(const char *group)
{
	if (strcmp(group, "admission") == 0)
		return "How the node is admitted to its cluster. A list of such groups gives "
		       "several admissions, one of a kind, in the order in which they are done.";
	if (strcmp(group, "report.webhooks") == 0)
		return "Who is told over https how an install goes. One group, or a list of up to "
		       "8, each with its own address, trust and token.";
	if (strcmp(group, "node.files") == 0)
		return "Files that the node finds in its root at each start. One group, or a list "
		       "of up to 16, each with its path and one of text and source.";
	if (strcmp(group, "secrets") == 0)
		return "Secrets that the node is given, sealed to its TPM. One group, or a list of "
		       "up to 16, each with its name and one of file, credential and sealed.";
	if (strcmp(group, "network.links") == 0)
		return "The network of the node, and of the medium during the install. One group, "
		       "or a list of up to 16: cards that are matched, and VLANs, bonds and "
		       "bridges on them. Without it every card asks for an address by DHCP.";
	if (strcmp(group, "disk.match") != 0)
		return NULL;
	return "Which disk it is. All keys of the group must fit, and exactly one disk must be "
	       "left. A list of such groups gives alternatives, tried in order: one that no disk "
	       "fits goes on to the next, one that several fit is refused.";
}
