/* SPDX-License-Identifier: Apache-2.0 */
/* Sources that are on this machine itself. Private to answers/. */
#pragma once

#include "answers/sources.h"
#include "base/buf.h"

#define SW_ANSWERS_MAX (1u << 20)	/* bytes: an answer file is a page or two */
#define SW_KEY_SET "slipway.set"
#define SW_KEY_ANSWERS "slipway.answers"

/*
 * SW_FORM_BASE64, SMBIOS, CREDENTIAL and FW_CFG: what is there. ret_set is true when the
 * text is lines of KEY=VALUE and not a file. Exit 5 when there is nothing of that name.
 */
int sw_source_local(struct sw_machine *m, const struct sw_answers_source *s, struct sw_buf *b,
		    bool *ret_set, struct sw_error *err);
/*
 * The OEM strings (type 11) of one structure as sysfs shows it: SMBIOS specification 3.6,
 * 6.1.3 and 7.12. Calls fn with each.
 */
int sw_smbios_strings(const uint8_t *data, size_t len, int (*fn)(const char *text, void *arg),
		      void *arg);
#define SW_DHCP_OPTION 224U	/* unless another is named; 224 to 254 are a site's own */

/* Whether a network has to be there before it can be asked. */
bool sw_answers_source_is_far(const struct sw_answers_source *s);
/* SW_FORM_DNS and DHCP: it has no answers, but says where they are. */
bool sw_source_points(const struct sw_answers_source *s);
/*
 * What the TXT record or the option says; malloc'd. Exit 10 while there is none to ask or no
 * lease yet, 5 when there is no such record, 3 when several say different things.
 */
int sw_source_look_up(struct sw_machine *m, const struct sw_answers_source *s, char **ret_text,
		      struct sw_error *err);
/*
 * The source that text names, with the hash, pin and keys of s, and judged by sw_source_may().
 * Exit 4 when text has conditions of its own.
 */
int sw_source_pointed(const struct sw_answers_source *s, const char *text,
		      struct sw_answers_source *ret_source, struct sw_error *err);
/*
 * The URL in the TXT records of a DNS answer; malloc'd. -EBADMSG, -ENODATA without one,
 * -ENOTUNIQ with several.
 */
int sw_dns_txt(const uint8_t *answer, size_t len, char **ret_text);
/*
 * What read finds in the leases of this machine as networkd keeps them, which has to be one text;
 * malloc'd. One in which it finds nothing does not count. -ENODATA without any, -ENOTUNIQ when they
 * differ.
 */
int sw_leases_find(const struct sw_machine *m, int (*read)(const char *lease, void *arg,
							    char **ret_text),
		   void *arg, char **ret_text);
/* The URL in an option of a lease as networkd keeps it; malloc'd. -ENODATA, -EBADMSG. */
int sw_lease_option(const char *lease, unsigned int option, char **ret_text);
/*
 * The resolver with the name servers that this machine was told; ret_net: "dns" and "search" as of
 * sw_routes_look(). The caller closes it with res_nclose().
 */
struct __res_state;
int sw_resolver_open(const struct sw_machine *m, struct __res_state *rs, json_object **ret_net,
		     struct sw_error *err);

/* ---- what the network calls this machine (source-names.c) ---- */

/* The host name in its DHCP leases; malloc'd. -ENODATA without one, exit 3 when they differ. */
int sw_name_by_dhcp(const struct sw_machine *m, char **ret_name, struct sw_error *err);
/* What name servers call the first of its addresses that they know; malloc'd. -ENODATA. */
int sw_name_by_dns(const struct sw_machine *m, const struct sw_facts *f, char **ret_name,
		   struct sw_error *err);
/* "7.2.0.192.in-addr.arpa" of "192.0.2.7/24"; false for a link-local one and for what is none. */
bool sw_dns_reverse(const char *address, char ret_name[static 80]);
/* The first name in the PTR records of a DNS answer; malloc'd. -EBADMSG, -ENODATA. */
int sw_dns_ptr(const uint8_t *answer, size_t len, char **ret_name);

/* Lines of KEY=VALUE as answers; from is where they are, for messages and provenance. */
int sw_answers_from_set(const char *lines, const char *from, struct sw_answers **ret_answers,
			struct sw_error *err);
