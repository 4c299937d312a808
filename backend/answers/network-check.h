/* SPDX-License-Identifier: Apache-2.0 */
/* What a value below network may be. Each says err->why and the hint. Private to answers/. */
#pragma once

#include "base/error.h"

int sw_net_check_name(const char *text, struct sw_error *err);
int sw_net_check_mac(const char *text, struct sw_error *err);
int sw_net_check_glob(const char *text, struct sw_error *err);
int sw_net_check_subnet(const char *text, struct sw_error *err);
int sw_net_check_address(const char *text, struct sw_error *err);
int sw_net_check_host(const char *text, struct sw_error *err);
int sw_net_check_domain(const char *text, struct sw_error *err);
int sw_net_check_mtu(const char *text, struct sw_error *err);
int sw_net_check_vlan(const char *text, struct sw_error *err);
int sw_net_check_proxy(const char *text, struct sw_error *err);
