/* SPDX-License-Identifier: Apache-2.0 */
/* What the command line says of the servers that admit this node. */
#pragma once

#include "rescue/servers.h"
#include "tui/commands/common.h"

enum { SW_OPT_URL = 300, SW_OPT_CA, SW_OPT_PIN, SW_OPT_KIND, SW_OPT_TOKEN,
       SW_OPT_PROTOCOL };

/* The rows of an option table for what sw_admit_config_read() takes. */
#define SW_ADMIT_CONFIG_OPTS                                                                  \
	{ SW_OPT_URL, "url", "URL", "the server that admits the node" },                      \
	{ SW_OPT_KIND, "kind", "KIND", "attest, homeworld, rke2, k3s or kubeadm" },             \
	{ 'a', "answers", "FILE", "take server, CA and pin from this answer file" },          \
	{ SW_OPT_CA, "ca", "FILE", "believe only a server whose certificate this CA signed" }, \
	{ SW_OPT_PIN, "pin", "sha256:HEX", "believe only the server (kubeadm: CA) with it" },      \
	{ SW_OPT_TOKEN, "token", "FILE", "where the token is read from; - is standard input" }, \
	{ SW_OPT_PROTOCOL, "protocol", "NAME", "strict, plain or auto (default)" },            \
	{ 'd', "disk", "NAME", "the node's disk, when several have one" }

/*
 * All ways in which the node is to be admitted, or that of --kind.
 * The URL of --url, of --answers, of the node data, else ember.attest_url= of the kernel's
 * command line. CA and pin come with it; those of the node data hold for the command line's URL
 * too, and --ca, --pin and --protocol go before all. Exit 5 when nothing names a server.
 */
int sw_admit_config_read(const struct sw_cli *cli, struct sw_machine *m,
			 struct sw_admit_list *ret_list, struct sw_error *err);

/*
 * The token for this one: of --token, of the answers' admission.tokenfile, else asked for at a
 * terminal. Exit 5 when there is none.
 */
int sw_admit_token(const struct sw_cli *cli, struct sw_machine *m, struct sw_admit_config *c,
		   struct sw_secret **ret_token, struct sw_error *err);
