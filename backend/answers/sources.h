/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where answers come from when nobody is there to type them. They are never
 * looked for everywhere: only the kernel command line and the medium itself
 * speak first, and every other source counts because one of these names it. A
 * removable partition labelled SLIPWAY is asked only when neither says anything.
 */
#pragma once

#include "answers/answers.h"
#include "answers/merge.h"
#include "answers/rest.h"
#include "base/event.h"
#include "machine/machine.h"

#define SW_ANSWERS_FILE "slipway.yaml"
#define SW_KEYS_FILE "slipway.keys"
#define SW_STICK_LABEL "SLIPWAY"
#define SW_STICK_COUNTDOWN 30	/* seconds in which any key stops it */
#define SW_SOURCES_MAX 16	/* named by one kernel command line or medium */

/*
 * Calls fn with each word of a kernel command line up to "--": double quotes may stand
 * around the value or the whole word, as the kernel has it. A word without `=` has the
 * value "". Stops at the first error and returns it.
 */
int sw_cmdline_each(const char *cmdline, int (*fn)(const char *key, const char *value, void *arg),
		    void *arg);
/* The value of the last word with this key, malloc'd. -ENOENT when it is not there. */
int sw_cmdline_get(const char *cmdline, const char *key, char **ret_value);

/* What named it. */
enum sw_source_kind { SW_SOURCE_NONE, SW_SOURCE_CMDLINE, SW_SOURCE_MEDIUM, SW_SOURCE_STICK };

enum sw_source_form {
	SW_FORM_FILE,		/* http(s)://, /path, file:///path, medium:/path */
	SW_FORM_POST,		/* post:https://: gets this machine's facts and answers for it */
	SW_FORM_LABEL,		/* label:NAME: on that FAT partition of a removable disk */
	SW_FORM_BASE64,		/* base64:TEXT: the file itself */
	SW_FORM_SET,		/* lines of KEY=VALUE */
	SW_FORM_SMBIOS,		/* smbios: OEM strings */
	SW_FORM_CREDENTIAL,	/* credential[:NAME]: a systemd system credential */
	SW_FORM_FW_CFG,		/* fw_cfg:NAME: QEMU's configuration device */
	SW_FORM_DNS,		/* dns[:NAME]: a TXT record has its URL */
	SW_FORM_DHCP,		/* dhcp[:NUMBER]: an option of the lease has its URL */
};

struct sw_answers_source {
	enum sw_source_kind kind;
	enum sw_source_form form;
	char *location;		/* what the form says: URL, path, label, text; STICK: its device */
	char *sha256;		/* what the file must hash to, or NULL */
	char *pin;		/* SHA-256 of the https server's key in hex, or NULL */
	uint64_t offset;	/* STICK: of its file system on the device, bytes */
	unsigned int countdown;	/* seconds to wait for a key before it is used */
	char **keys;		/* SSH keys of which one must have signed it; NULL: none is known */
	bool main;		/* the medium's own slipway.yaml: it may name others */
	char *text;		/* for people: "http://… (kernel command line)" */
};

/* All that were found, the weakest first: what a later one says counts more. */
struct sw_sources {
	struct sw_answers_source v[SW_SOURCES_MAX + 2];	/* with the medium and slipway.set= */
	size_t n;
	char **keys;		/* what every source that can be signed must be signed by */
	char *text;		/* for people: the texts of all, with commas; NULL without any */
	unsigned int countdown;
	unsigned int spread_s;	/* they are read after a wait of up to so many seconds */
};

#define SW_SPREAD_MAX 3600U	/* seconds */

/*
 * Reads how a source is named: one of the forms above, and at its end what must be true of
 * it: #sha256=HEX, #pin=sha256:HEX, or both with & between. who is for messages ("kernel
 * command line"). URLs may hold ${uuid} and the like, see sw_source_fill(). -EINVAL, exit 3.
 */
int sw_answers_source_parse(const char *text, enum sw_source_kind kind, const char *who,
			    struct sw_answers_source *ret_source, struct sw_error *err);
/* sw_field.check of `sources`. */
int sw_source_check_name(const char *text, struct sw_error *err);
/*
 * Whether it may be believed: http wants a hash or a signature (exit 3, anyone on the wire
 * could answer); where keys are known, what cannot be signed wants a hash or a pin. What DNS
 * or DHCP names wants a hash, a pin or keys: whoever answers there chooses the server.
 */
int sw_source_may(const struct sw_answers_source *s, struct sw_error *err);

/*
 * What the kernel command line says: every slipway.answers=SOURCE in its order, then
 * slipway.set=KEY=VALUE. slipway.answers.sha256=HEX goes with the source before it.
 * ret_sources needs no initialising. n 0 when it says nothing.
 */
int sw_sources_from_cmdline(const char *cmdline, struct sw_sources *ret_sources,
			    struct sw_error *err);

/*
 * The partition labelled SLIPWAY on a removable disk; kind NONE when there is
 * none, exit 4 when there are several.
 */
int sw_source_from_stick(const struct sw_facts *f, struct sw_answers_source *ret_source,
			 struct sw_error *err);
/* The same for another label. */
int sw_source_from_label(const struct sw_facts *f, const char *label,
			 struct sw_answers_source *ret_source, struct sw_error *err);

/*
 * The medium's file, then what the kernel command line says; without both, and with facts,
 * the stick. Only looks: nothing is fetched. Keys come from slipway.trust="KEY,KEY" on the
 * kernel command line and from slipway.keys on the medium, never from where the answers are;
 * when there are any, only what one of them has signed is taken (FILE.sig beside it).
 */
int sw_sources_find(struct sw_machine *m, const struct sw_facts *f, struct sw_sources *ret_sources,
		    struct sw_error *err);
void sw_answers_source_clear(struct sw_answers_source *s);
#define _cleanup_answers_source_ _cleanup_(sw_answers_source_clear)
void sw_sources_clear(struct sw_sources *s);
#define _cleanup_sources_ _cleanup_(sw_sources_clear)

/*
 * Fetches and parses one. A network that is not up yet is tried again with growing
 * pauses until `wait_s` seconds have passed; a wrong hash or bad answers are
 * final at once. Not validated: the caller does. rest (or NULL): what bad answers
 * still say, when they are those that were meant: hash, pin and signature are right.
 */
int sw_source_read(struct sw_machine *m, const struct sw_answers_source *s, unsigned int wait_s,
		   const struct sw_sink *sink, struct sw_answers **ret_answers,
		   struct sw_rest *rest, struct sw_error *err);
/* Gives this machine the network of these answers, of which only network may be there. */
typedef int sw_sources_network(struct sw_machine *m, const struct sw_answers *a,
			       const struct sw_sink *sink, struct sw_error *err);
/*
 * Reads all of them, with those that the medium's file names in `sources` right behind it,
 * and merges them key by key. ret_merge keeps which source set each value. What is on this machine
 * is read first: when it says anything of the network's links and others are to be asked over them,
 * `network` (or NULL) is called before that. When it fails, rest (or NULL) has what they still say
 * together: those that were read, those on this machine, never a stick's that nobody named.
 */
int sw_sources_read(struct sw_machine *m, const struct sw_sources *s, unsigned int wait_s,
		    sw_sources_network *network, const struct sw_sink *sink,
		    struct sw_merge **ret_merge, struct sw_rest *rest, struct sw_error *err);

/* Takes on-error alone from others. -ENOMEM. */
int sw_answers_take_on_error(struct sw_answers *a, const struct sw_answers *from);

/*
 * Puts this machine in: ${uuid} ${serial} (DMI), ${mac} (of the first card with a link),
 * ${hostname}, ${ek} (SHA-256 of the TPM's endorsement key), ${dhcp} (the name in a DHCP lease),
 * ${dns} (what name servers call one of its addresses), each percent-encoded where a URL needs it.
 * malloc'd. Exit 5 when the machine has no such thing.
 */
int sw_source_fill(struct sw_machine *m, const char *text, char **ret_text, struct sw_error *err);
/* -EINVAL, exit 3, when a ${…} in it is none of these. */
int sw_source_check_template(const char *text, struct sw_error *err);
/*
 * The same words in node.hostname: afterwards it is a name. Letters that no host name can have
 * become '-'. facts: of the machine, or NULL to read them; m: the machine, or NULL where only its
 * facts are there. Exit 3 when what comes out is no host name.
 */
int sw_answers_fill_name(struct sw_machine *m, const struct sw_facts *facts, struct sw_answers *a,
			 struct sw_error *err);
