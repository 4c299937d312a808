/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ConfigMap kube-public/cluster-info of a Kubernetes cluster, which everybody may read: where
 * the cluster is and which CA it has, signed with each bootstrap token by a detached JWS (RFC 7515,
 * HS256) under jws-kubeconfig-ID (Kubernetes, cluster-bootstrap/token).
 */
#pragma once

#include <stddef.h>

#include "base/error.h"

struct sw_cluster_info {
	char *kubeconfig;	/* as it stands there */
	char *server;		/* https:// */
	char *ca;		/* PEM */
	char *ca_base64;	/* the same as it stands there */
};

/*
 * token: "id.secret", 23 characters that sw_token_inspect() knows; its signature must hold before
 * anything else is believed. -EBADMSG (exit 9) for what is no such ConfigMap, -ENOKEY when it is
 * not signed with this token (unknown there, or expired), -EKEYREJECTED when that does not hold.
 */
int sw_cluster_info_read(const char *json, size_t len, const char *token,
			 struct sw_cluster_info *ret_info, struct sw_error *err);
void sw_cluster_info_clear(struct sw_cluster_info *i);
#define _cleanup_cluster_info_ _cleanup_(sw_cluster_info_clear)
