/* SPDX-License-Identifier: Apache-2.0 */
/* Which of this machine's addresses its packets to another would come from. Sends nothing. */
#pragma once

#define SW_ADDRESS_TEXT 64U

/*
 * to: an address as a number. -ENETUNREACH and the like when the kernel knows no way there,
 * -EINVAL when it is no address.
 */
int sw_source_address(const char *to, char ret_from[static SW_ADDRESS_TEXT]);

/* The same to anywhere outside: whether there is a default route. */
int sw_source_default(char ret_from[static SW_ADDRESS_TEXT]);

/* True when text is an address as a number, with or without brackets. */
_Bool sw_is_address(const char *text);

/*
 * The host of an URL without brackets, and its port. -EINVAL when it is no URL with a host.
 * ret_host: malloc'd.
 */
int sw_url_host(const char *url, char **ret_host, unsigned int *ret_port);

/* 1 when the host has this address, 0 when not, -EHOSTUNREACH when its name is not known. */
int sw_host_has(const char *host, const char *address);
