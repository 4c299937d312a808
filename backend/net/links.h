/* SPDX-License-Identifier: Apache-2.0 */
/* The network links that the kernel has, with their addresses. Reads only. */
#pragma once

#include "machine/facts.h"

/*
 * Reads sys_root/class/net, all but the loopback, sorted by name. Addresses are
 * this process's own, so they are only asked for when sys_root is "/sys".
 * Links that vanish meanwhile are left out. -ENOMEM, and then too what was read
 * so far is handed over for the caller to free with its facts.
 */
int sw_links_read(const char *sys_root, struct sw_link **ret_links, size_t *ret_n);
