/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the operator wants, in one typed structure described by one field
 * table. The answer file, the console's forms, `explain` and the man page are
 * all made from that table; a key exists once.
 */
#pragma once

#include "admission/protocol.h"
#include "base/error.h"
#include "disk/select.h"
#include "payload/trust.h"

#define SW_ANSWERS_VERSION 1
#define SW_CMDLINE_MAX 2048	/* characters of a kernel command line (COMMAND_LINE_SIZE on x86) */
#define SW_ALTERNATIVES_MAX 16	/* groups below one disk.match */
#define SW_MORE_MAX 63		/* further disks */
#define SW_DISK_WAIT 60U	/* seconds in which an unattended install's disks may come */
#define SW_ON_ERROR_PAUSE 60U	/* seconds in which a person can stop on-error */
#define SW_ADMISSIONS_MAX 4U	/* ways in which one node is admitted, in order */
#define SW_WEBHOOKS_MAX 8U	/* receivers of one install's events */
#define SW_LINKS_MAX 16U	/* network links that the answers name */
#define SW_NODE_FILES_MAX 16U	/* files that the answers give to a node */
#define SW_SITE_SECRETS_MAX 16U	/* secrets that the answers give to a node */
#define SW_FIELD_MAX 255U		/* characters of a value whose field says nothing else */
#define SW_LIST_MAX 64		/* items of a field of type SW_FIELD_LIST */

struct sw_places;	/* where each value stands in the answer file; private to answers/ */

enum sw_boot_mode { SW_MODE_LOCAL, SW_MODE_NETWORK, SW_MODE_HANDS_OFF };
enum sw_boot_strategy { SW_BOOT_ARMED, SW_BOOT_ORDER };
enum sw_boot_via { SW_BOOT_AUTO, SW_BOOT_HTTP, SW_BOOT_PXE, SW_BOOT_IPXE };
enum sw_trust_policy { SW_TRUST_UNSAID, SW_TRUST_NOBODY };
/* 0: not said, which means refuse. */
enum sw_conflicts { SW_CONFLICTS_REFUSE = 1, SW_CONFLICTS_RENAME, SW_CONFLICTS_IGNORE };
/* 0: not said, which means refuse. */
enum sw_failing { SW_FAILING_REFUSE = 1, SW_FAILING_USE };
/* Unsaid is show, and in no digest of answers that were written before. */
enum sw_recovery { SW_RECOVERY_UNSAID, SW_RECOVERY_SHOW, SW_RECOVERY_ESCROW, SW_RECOVERY_NONE };
/* 0: not said, so a disk is chosen. */
enum sw_disk_use { SW_DISK_NONE = 1 };
/* 0: not said, so the node makes its own. */
enum sw_host_key { SW_HOST_KEY_MAKE = 1 };
/* 0: not said, which means keep. */
enum sw_old_secrets { SW_SECRETS_KEEP = 1, SW_SECRETS_DROP };
enum sw_finish { SW_FINISH_REBOOT, SW_FINISH_POWEROFF, SW_FINISH_STAY, SW_FINISH_KEXEC };
/* 0: not said, which means stay. */
enum sw_on_error { SW_ON_ERROR_STAY = 1, SW_ON_ERROR_REBOOT, SW_ON_ERROR_POWEROFF,
		   SW_ON_ERROR_SHELL };
/* 0: not said, which means once. */
enum sw_reinstall { SW_REINSTALL_ONCE = 1, SW_REINSTALL_ALWAYS };
enum sw_admission_kind {
	SW_ADMISSION_NONE, SW_ADMISSION_ATTEST, SW_ADMISSION_HOMEWORLD, SW_ADMISSION_RKE2,
	SW_ADMISSION_K3S, SW_ADMISSION_KUBEADM,
};
#define SW_N_ADMISSION_KINDS (SW_ADMISSION_KUBEADM + 1)

/* One way in which the node is admitted to a cluster. */
struct sw_admission {
	enum sw_admission_kind kind;
	char *url;		/* https */
	enum sw_attest_protocol protocol;	/* for SW_ADMISSION_ATTEST */
	char *ca;		/* PEM on one line: who signed the server's certificate; or NULL */
	char *pin;		/* "sha256:" and 64 hex digits: a key to believe; or NULL */
	char *token_file;	/* where the token is; never the token */
};

/* Somebody who is told over https how an install goes. */
struct sw_webhook {
	char *url;		/* https:// */
	char *ca;		/* PEM on one line: who signed the server's certificate; or NULL */
	char *pin;		/* "sha256:" and 64 hex digits: the server's key; or NULL */
	char *token;		/* where the bearer token is; never the token */
	char **events;		/* which of the events it is told of; NULL: all */
	char *body;		/* a template (report/message.h), or NULL: the JSON object */
};

/* A file that the node is given. Exactly one of text and source. */
struct sw_node_file {
	char *path;		/* on the node (boot/nodefiles.h) */
	char *text;		/* what is in it; may have lines */
	char *source, *sha256;
	char *mode;		/* octal, or NULL: 0644 */
};

/* A secret that the node is given; where it is, never the secret. Exactly one of the three. */
struct sw_site_secret {
	char *name;		/* as the node knows it */
	char *file;		/* a local source */
	char *credential;	/* one of systemd's on the installing machine */
	char *sealed;		/* a local source: systemd's text, opened by this machine's TPM */
};

/* 0: not said. */
enum sw_yes_no { SW_YES = 1, SW_NO };
enum sw_dhcp { SW_DHCP_YES = 1, SW_DHCP_NO, SW_DHCP_4, SW_DHCP_6 };
enum sw_bond_mode {
	SW_BOND_ACTIVE_BACKUP = 1, SW_BOND_802_3AD, SW_BOND_BALANCE_RR, SW_BOND_BALANCE_XOR,
	SW_BOND_BROADCAST, SW_BOND_BALANCE_TLB, SW_BOND_BALANCE_ALB,
};

/*
 * One network link: cards that fit what is asked for, or a VLAN, bond or bridge that is made.
 * Numbers are text, as they were written.
 */
struct sw_net_link {
	char *name;		/* what other links call it; a made link has it in the kernel too */
	char *mac, *driver, *device;	/* what a card must have; globs but for mac; or NULL */
	enum sw_yes_no carrier;
	enum sw_dhcp dhcp;
	enum sw_yes_no ra;
	char **addresses;	/* "192.0.2.7/24" */
	char **gateways;	/* at most one of each family */
	char **dns, **search;
	char *mtu;
	char *vlan_id, *vlan_link;
	char **bond;		/* names of links */
	enum sw_bond_mode bond_mode;
	char **bridge;
};

struct sw_answers {
	int version;
	char **sources;		/* where more answers are; only in a medium's own file */
	char *hostname;
	char *machine_id;	/* "derive", or 32 hex digits; or NULL */
	char **ssh_authorized;	/* SSH public keys; NULL-terminated or NULL */
	enum sw_host_key ssh_host_key;
	enum sw_old_secrets secrets;	/* of a node that is on the disk already */
	struct sw_node_file node_files[SW_NODE_FILES_MAX];
	size_t n_node_files;	/* at least 1; the only one may be empty: then there is none */
	struct sw_site_secret site_secrets[SW_SITE_SECRETS_MAX];
	size_t n_site_secrets;	/* at least 1; the only one may be empty: then there is none */
	struct sw_disk_choice disk;	/* always has at least one alternative, perhaps empty */
	enum sw_disk_use disk_use;
	char *layout;		/* name or path */
	enum sw_recovery recovery;	/* counts when the layout encrypts with a TPM */
	char *escrow;		/* certificate for SW_RECOVERY_ESCROW, on one line */
	char *pcr_key;		/* who signs PCR 11 for the TPM's seal: PEM on one line, or NULL */
	char *key_file;		/* where the key of Encrypt=key-file is; never the key */
	char **preserve;	/* partition labels; NULL-terminated or NULL */
	char *undo_copy;	/* "stick", a path, an http(s) URL; empty: none */
	struct sw_disk_choice *more;	/* the layout's further disks; each as `disk` */
	size_t n_more;
	enum sw_conflicts conflicts;	/* names of the node on other disks */
	char *disk_wait;	/* seconds as text, or NULL: SW_DISK_WAIT */
	enum sw_failing failing;	/* a disk that reports its own end */
	char *kernel, *initrd, *uki;	/* http(s)://…, /path, file:///path, medium:/path */
	char *kernel_sha256, *initrd_sha256, *uki_sha256;
	char *payload_ca;	/* PEM on one line: who signed the payload servers' certificates */
	char **kernel_signature, **initrd_signature, **uki_signature;	/* sources; or NULL */
	char *cmdline;
	char **consoles;	/* of the node's kernel: "ttyS0,115200"; NULL-terminated or NULL */
	char **trust_keys;	/* SSH public keys; NULL-terminated or NULL */
	char *trust_threshold;	/* a number as text, or NULL: 1 */
	enum sw_trust_policy trust_policy;
	enum sw_boot_mode boot_mode;
	enum sw_boot_strategy boot_strategy;	/* of mode network */
	enum sw_boot_via boot_via;
	char *boot_uri;		/* what the firmware boots over HTTP; empty: what DHCP says */
	char *boot_nic;		/* MAC address, empty: the firmware's first card */
	char *ipxe, *ipxe_sha256;	/* the iPXE binary, a source; for SW_BOOT_IPXE */
	char *rescue, *rescue_sha256;	/* a UKI for the partition slipway-rescue, a source */
	struct sw_admission admission[SW_ADMISSIONS_MAX];
	size_t n_admission;	/* at least 1; the only one may be of kind none */
	char **hooks_before, **hooks_after, **hooks_on_error;	/* local sources; or NULL */
	char *hooks_timeout;	/* seconds as text, or NULL: SW_HOOK_TIMEOUT (apply/hooks.h) */
	char *report_log;	/* path of a file, or NULL */
	char **report_syslog;	/* udp://HOST[:PORT], tcp://HOST[:PORT]; NULL-terminated or NULL */
	struct sw_webhook webhooks[SW_WEBHOOKS_MAX];
	size_t n_webhooks;	/* at least 1; the only one may be empty: then there is none */
	struct sw_net_link links[SW_LINKS_MAX];
	size_t n_links;		/* at least 1; the only one may be empty: then nothing is said */
	char *proxy;		/* http://HOST[:PORT], or NULL */
	char *proxy_login;	/* where USER:PASSWORD of the proxy is, never the login; or NULL */
	char **no_proxy;	/* hosts and domains that are asked directly */
	char **ntp;		/* time servers of the node; NULL: those of DHCP */
	int time_from;		/* enum sw_time_from (net/time.h); 0: not said */
	enum sw_finish finish;
	enum sw_on_error on_error;	/* after an unattended install that failed */
	char *on_error_pause;	/* seconds as text, or NULL: SW_ON_ERROR_PAUSE */
	enum sw_reinstall reinstall;	/* unattended, and these answers are on a disk already */
	char *seed;		/* UUID text; empty: from hostname and disk, see plan */
	char **open;		/* keys that are asked at the install; NULL-terminated or NULL */
	struct sw_places *places;	/* NULL when not from a file */
};

struct sw_answers *sw_answers_new(void);	/* with the table's defaults */
struct sw_answers *sw_answers_free(struct sw_answers *a);
SW_DEFINE_CLEANUP(struct sw_answers, sw_answers_free)
#define _cleanup_answers_ _cleanup_(sw_answers_freep)
/* A copy with every value, but without the places in a file. */
int sw_answers_copy(const struct sw_answers *a, struct sw_answers **ret_answers,
		    struct sw_error *err);

/* Leaves the choice one alternative that asks for nothing. */
void sw_disk_choice_clear_match(struct sw_disk_choice *c);
/* One more empty alternative; -E2BIG past SW_ALTERNATIVES_MAX, -ENOMEM. */
int sw_disk_choice_add_match(struct sw_disk_choice *c);
/* One more further disk with one empty alternative; -E2BIG past SW_MORE_MAX, -ENOMEM. */
int sw_answers_add_more(struct sw_answers *a);
/* Takes the last n_more - keep further disks away. */
void sw_answers_cut_more(struct sw_answers *a, size_t keep);
/* The admission of this kind, or NULL. */
const struct sw_admission *sw_answers_admission(const struct sw_answers *a,
						enum sw_admission_kind kind);
/* The secret of this name that the answers give to the node, or NULL. */
const struct sw_site_secret *sw_answers_secret(const struct sw_answers *a, const char *name);
/* True when they give it a file, or one that is fetched. */
bool sw_answers_have_files(const struct sw_answers *a, bool fetched);
/* True when they give it a secret. */
bool sw_answers_have_secrets(const struct sw_answers *a);
/* "homeworld": as in answers and node data; static. */
const char *sw_admission_name(enum sw_admission_kind kind);
/* SW_ADMISSION_NONE for what is none. */
enum sw_admission_kind sw_admission_kind_of(const char *name);

/* What ${...} in report.webhooks.body may be; NULL-terminated. */
extern const char *const sw_webhook_words[];
/* True when the answers say anything about the network's links. */
bool sw_answers_have_links(const struct sw_answers *a);
/* True when somebody is to be told: report.log, report.syslog or a webhook. */
bool sw_answers_reports(const struct sw_answers *a);

enum sw_field_type {
	SW_FIELD_TEXT, SW_FIELD_CHOICE, SW_FIELD_URL, SW_FIELD_SHA256, SW_FIELD_HOSTNAME,
	SW_FIELD_INT, SW_FIELD_UUID,
	SW_FIELD_CERTIFICATE,	/* X.509 as PEM; its line breaks become blanks */
	/*
	 * Text items in a char **, NULL-terminated or NULL. In YAML a list or one
	 * value; as text with commas between the items, so no item may hold one,
	 * and none may stand twice. max and check are about one item.
	 */
	SW_FIELD_LIST,
	/*
	 * disk.more: a list of groups, whose values are those of the fields that
	 * live in a choice or match. Here only for its key and words; it has no
	 * text of its own: get gives "" and set takes only that.
	 */
	SW_FIELD_DISKS,
};

/*
 * Which structure a field's value is in. One field of a match or choice has as
 * many values as there are alternatives and disks; each has a key of its own,
 * see sw_answers_set().
 */
enum sw_field_home {
	SW_HOME_ANSWERS, SW_HOME_CHOICE, SW_HOME_MATCH, SW_HOME_ADMISSION, SW_HOME_WEBHOOK,
	SW_HOME_LINK, SW_HOME_SECRET, SW_HOME_FILE,
};

struct sw_field {
	const char *key;	/* "disk.match.serial" */
	const char *label;	/* "Disk serial"; at most 20 characters */
	const char *help;	/* one or two sentences */
	const char *example;
	const char *dflt;	/* default as text, or NULL: none */
	enum sw_field_type type;
	/*
	 * SW_FIELD_CHOICE: NULL-terminated. Without a default the stored value 0
	 * means unset, and choices count from 1.
	 */
	const char *const *choices;
	bool secret;
	bool lines;		/* the text may have line breaks */
	bool local;		/* SW_FIELD_URL: of a key or token, never fetched over a network */
	bool passing;		/* about the installing alone: it changes nothing of the node */
	enum sw_field_home home;
	size_t offset;		/* into the structure that home names */
	/* NULL: always. Else whether the field counts, given the others. */
	bool (*applies)(const struct sw_answers *a);
	bool (*required)(const struct sw_answers *a);
	/* SW_HOME_ADMISSION: bits 1 << kind where it counts, and where it is required; 0: never */
	unsigned int kinds, needs;
	const char *missing;	/* what to do when it is required and absent, or NULL */
	size_t max;		/* longest text; 0: SW_FIELD_MAX */
	/* The group in whose place this one value may stand, as in `trust: none`; or NULL. */
	const char *stands_for;
	/* A rule of this field alone, after the type's own; says only err->why and the hint. */
	int (*check)(const char *text, struct sw_error *err);
};

extern const struct sw_field sw_fields[];
extern const size_t sw_n_fields;

const struct sw_field *sw_field_find(const char *key);
/* The field whose value may stand for a whole group, or NULL. */
const struct sw_field *sw_field_standing_for(const char *group);
/* What is to be said about a group of fields, such as disk.match; NULL: nothing. */
const char *sw_field_group_help(const char *group);
/*
 * The field's value as text; malloc'd, "" when unset, NULL when out of memory.
 * Of a field with several values: that of the first alternative of the first disk.
 */
char *sw_field_get(const struct sw_field *f, const struct sw_answers *a);
/*
 * Checks and stores; hex digits and host names are folded to lower case. Empty
 * text takes the value away (a choice or number goes back to its default). On
 * bad input nothing is stored, and err->what/why/hint say what is allowed ("did
 * you mean ..." for choices).
 */
int sw_field_set(const struct sw_field *f, struct sw_answers *a, const char *text,
		 struct sw_error *err);
/* The same of the structure that f->home names; NULL: as above. */
char *sw_field_get_at(const struct sw_field *f, const struct sw_answers *a, const void *base);
int sw_field_set_at(const struct sw_field *f, struct sw_answers *a, void *base, const char *text,
		    struct sw_error *err);
/*
 * Whether the field counts, and whether it must have a value, given the others; base: the
 * structure that f->home names, NULL for the first.
 */
bool sw_field_applies(const struct sw_field *f, const struct sw_answers *a, const void *base);
bool sw_field_required(const struct sw_field *f, const struct sw_answers *a, const void *base);
/*
 * The same by key. disk.match[2].serial is the serial of the second alternative
 * (1 is the first, like no number), disk.more[1].match.serial that of the first
 * further disk, disk.more[1].wipe what may be lost on it, admission[2].url
 * the server of the second admission, report.webhooks[2].url the second receiver,
 * network.links[2].mtu the second link, secrets[2].name the second secret,
 * node.files[2].path the second file. Setting makes the alternative, disk, admission, receiver,
 * link, secret or file when it is the next one in turn. -EINVAL for an unknown key.
 */
int sw_answers_set(struct sw_answers *a, const char *key, const char *text,
		   struct sw_error *err);
/*
 * Calls fn with the key and text of every value that is set, in a fixed order
 * (the table's, then further alternatives, then further disks). The wipe of a
 * further disk is always among them. Stops at the first error and returns it.
 */
int sw_answers_each(const struct sw_answers *a,
		    int (*fn)(const char *key, const struct sw_field *f, const char *text,
			      void *arg),
		    void *arg);

/*
 * Where the key, or else the group that it is in, stands, as FILE:LINE:COLUMN of the error;
 * file: what the answers were read from, or NULL.
 */
void sw_answers_at(const struct sw_answers *a, const char *key, const char *file,
		   struct sw_error *err);

/*
 * The lists of groups that a form edits item by item: node.files is that of SW_HOME_FILE. The most
 * items of one; 0: the home is about no list.
 */
size_t sw_answers_max_items(enum sw_field_home home);
/* How many there are; one that says nothing does not count when it is the only one. */
size_t sw_answers_items(const struct sw_answers *a, enum sw_field_home home);
/* The structure of item i, which may be one that is begun behind the last; NULL past the most. */
void *sw_answers_item(struct sw_answers *a, enum sw_field_home home, size_t i);
/* Whether any of its values is set. */
bool sw_answers_item_says(const struct sw_answers *a, enum sw_field_home home, size_t i);
/* What was begun behind the last counts once it says something. */
void sw_answers_count_item(struct sw_answers *a, enum sw_field_home home, size_t i);
/* Takes one away, those behind it move up; the only one is emptied. */
void sw_answers_drop_item(struct sw_answers *a, enum sw_field_home home, size_t i);
/*
 * The rules about item i of node.files or secrets as a whole and beside those before it. -EINVAL,
 * exit 3; ret_field: which of its values is wrong.
 */
int sw_answers_check_item(const struct sw_answers *a, enum sw_field_home home, size_t i,
			  const struct sw_field **ret_field, struct sw_error *err);

/*
 * Answers left open: `serial: ask` in a file. Such a key has no value; whoever is there when it
 * is installed is asked for it, and setting it closes it. No plan is made before all are closed.
 * Only what the console has one field for: no key with an ordinal, nothing in a list of groups.
 */
#define SW_ANSWER_ASK "ask"
/* Takes the value away and leaves the key open. -EINVAL, exit 3, when it cannot be. */
int sw_answers_leave_open(struct sw_answers *a, const char *key, struct sw_error *err);
/* Whether it ever can; whether it can as these answers are. */
bool sw_field_can_be_asked(const struct sw_field *f);
bool sw_answers_can_be_open(const struct sw_answers *a, const struct sw_field *f);
bool sw_answers_is_open(const struct sw_answers *a, const char *key);
/* Whether the key, or any below it, is open; "": any at all. */
bool sw_answers_has_open(const struct sw_answers *a, const char *group);
/* Nobody is to be asked for the key, or those below it, any more; "": for none. */
void sw_answers_close(struct sw_answers *a, const char *group);
/* Gives every open key the value that it has in `from`. */
int sw_answers_fill_open(struct sw_answers *a, const struct sw_answers *from,
			 struct sw_error *err);
/* "disk.match.serial, node.hostname": in the order of the table; "" without any. malloc'd. */
char *sw_answers_open_text(const struct sw_answers *a);
/* -EINVAL, exit 3, and names them, when any are open. */
int sw_answers_refuse_open(const struct sw_answers *a, struct sw_error *err);

/* Only the check, for use while typing. Empty text is fine; whether it may stay so: `required`. */
int sw_field_check(const struct sw_field *f, const char *text, struct sw_error *err);

/*
 * Reads a YAML answer file: UTF-8, at most 1 MiB, 10,000 nodes and 16 levels.
 * Errors are -EINVAL with exit 3 and file:line:column. Only what stands in the
 * file is judged; sw_answers_validate() judges the whole.
 */
int sw_answers_read(const char *path, struct sw_answers **ret_answers, struct sw_error *err);
/*
 * The same, with up to max errors (at least 1) in errs, which need no
 * initialising, and their number: also of a file that cannot be read. When a
 * key cannot be read the rules about several keys are looked at all the same,
 * but for those that may fail because of it.
 */
int sw_answers_read_all(const char *path, struct sw_error *errs, size_t max, size_t *ret_n,
			struct sw_answers **ret_answers);
/* The same for text in memory; the first error only. file is for messages. */
int sw_answers_parse(const char *text, size_t len, const char *file,
		     struct sw_answers **ret_answers, struct sw_error *err);
/* The same, with up to max errors in errs and their number; what may be a part needs no rule. */
int sw_answers_parse_all(const char *text, size_t len, const char *file, struct sw_error *errs,
			 size_t max, size_t *ret_n, struct sw_answers **ret_answers);
/* The same of text that is a whole file, as sw_answers_read_all(). */
int sw_answers_parse_whole(const char *text, size_t len, const char *file, struct sw_error *errs,
			   size_t max, size_t *ret_n, struct sw_answers **ret_answers);
/*
 * One key or group of such text ("report", "node.hostname"), whatever is wrong with the others.
 * -ENOENT, and no error, when it is not there.
 */
int sw_answers_parse_part(const char *text, size_t len, const char *file, const char *path,
			  struct sw_answers **ret_answers, struct sw_error *err);

/*
 * Whole-document rules: required fields, hashes for what comes over a network,
 * uki or kernel and initrd, ... -EINVAL (-EOPNOTSUPP for what this version does
 * not do), exit 3. The place is file:line:column when the answers were read
 * from a file, else file (which may be NULL).
 */
int sw_answers_validate(const struct sw_answers *a, const char *file, struct sw_error *err);
int sw_answers_validate_all(const struct sw_answers *a, const char *file, struct sw_error *errs,
			    size_t max, size_t *ret_n);

/* Only the rules below report, and that nothing of it is left open. */
int sw_answers_validate_report(const struct sw_answers *a, struct sw_error *err);
/* Only the rules below network, for a file that says nothing else. */
int sw_answers_validate_network(const struct sw_answers *a, const char *file,
				struct sw_error *err);

/* The layout's name or path, the default where it was emptied: a node without a disk needs none. */
const char *sw_answers_layout(const struct sw_answers *a);
/* True for a node without a disk: nothing but boot variables is written. */
bool sw_answers_diskless(const struct sw_answers *a);
/*
 * Makes it one: takes every answer away that does not go with that, and boots from the
 * network. ret_dropped, for sw_answers_take_disk(): what was taken away.
 */
int sw_answers_drop_disk(struct sw_answers *a, char ***ret_dropped, struct sw_error *err);
/* The way back: what was dropped is there again. dropped may be NULL. */
int sw_answers_take_disk(struct sw_answers *a, char *const *dropped, struct sw_error *err);
/* True when there is an image to install; without one the slots stay empty. */
bool sw_answers_have_payload(const struct sw_answers *a);

/* True when the node starts from the network by an iPXE on its disk. */
bool sw_answers_by_ipxe(const struct sw_answers *a);
/* True when any file has to be fetched: a payload, an iPXE, a rescue image. */
bool sw_answers_fetches(const struct sw_answers *a);

/* The answer file that reproduces these answers (comments from the table); malloc'd. */
char *sw_answers_to_yaml(const struct sw_answers *a);

/*
 * The node's kernel command line: payload.cmdline, a console= for each of `console`,
 * what sw_uki_cmdline() adds, ember.attest_url= when the node is to be attested. malloc'd.
 */
char *sw_answers_node_cmdline(const struct sw_answers *a);

/*
 * "explain KEY" text; a key that holds others lists them, NULL lists all, one
 * line each. malloc'd; NULL when unknown, see sw_answers_suggest().
 */
char *sw_answers_explain(const char *key);
/*
 * The same for programs: {"slipway": 1, "keys": [{"key": ..., "type": ...}]}; new reference. NULL
 * when unknown.
 */
json_object *sw_answers_explain_json(const char *key);
/* The key (or group of keys) nearest to what was typed, or NULL; malloc'd. */
char *sw_answers_suggest(const char *key);
/* Source of slipway-answers(5) (mdoc) from the table; malloc'd. */
char *sw_answers_manual(void);
/* The table as a JSON Schema, for editors; malloc'd, NULL when out of memory. */
char *sw_answers_schema(void);
/* Whom the answers trust; everything in it is borrowed from them. */
struct sw_trust sw_answers_trust(const struct sw_answers *a);
/*
 * sha256 over the canonical form of what makes the node, to tell whether it was installed from
 * these answers: fields that are `passing` do not count.
 */
int sw_answers_digest(const struct sw_answers *a, char ret_hex[static 65]);
/*
 * Whether both are there and have the same digest. What is open in b may be anything in a:
 * whoever was asked has answered then.
 */
bool sw_answers_same(const struct sw_answers *a, const struct sw_answers *b);
