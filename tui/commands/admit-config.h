/* SPDX-License-Identifier: Apache-2.0 */
/* Which server admits this node, and by what it is known. */
#pragma once

#include "net/trust.h"
#include "tui/commands/common.h"

enum { SW_OPT_URL = 300, SW_OPT_CA, SW_OPT_PIN };

/* The rows of an option table for what sw_admit_config_read() takes. */
#define SW_ADMIT_CONFIG_OPTS                                                                  \
	{ SW_OPT_URL, "url", "URL", "the attestation server" },                               \
	{ 'a', "answers", "FILE", "take server, CA and pin from this answer file" },          \
	{ SW_OPT_CA, "ca", "FILE", "believe only a server whose certificate this CA signed" }, \
	{ SW_OPT_PIN, "pin", "sha256:HEX", "believe only the server that has this key" },     \
	{ 'd', "disk", "NAME", "the node's disk, when several have one" }

struct sw_admit_config {
	char *url;
	char *ca;		/* PEM with its lines, or NULL */
	char pin[65];		/* or "" */
	const char *from;	/* "node data"; static */
};

/*
 * The URL of --url, of --answers, of the node data, else ember.attest_url= of the kernel's
 * command line. CA and pin come with it; those of the node data hold for the command line's URL
 * too, and --ca and --pin go before all. Exit 5 when nothing names a server.
 */
int sw_admit_config_read(const struct sw_cli *cli, struct sw_machine *m,
			 struct sw_admit_config *ret_config, struct sw_error *err);
void sw_admit_config_clear(struct sw_admit_config *c);
#define _cleanup_admit_config_ _cleanup_(sw_admit_config_clear)

struct sw_http_trust sw_admit_trust(const struct sw_admit_config *c);
/* "its CA and its key"; static. */
const char *sw_admit_trust_text(const struct sw_admit_config *c);
