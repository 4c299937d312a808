/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The line above every screen: which screen of which product, and on the right
 * on which machine one is, its firmware, whether it has a network, and from where
 * it was started. It is made of the facts alone, so it changes only when they do.
 */
#pragma once

#include "base/buf.h"
#include "machine/facts.h"
#include "tui/session/frame.h"

/* Draws row 0. title: of the view. f may be NULL: not known yet. */
void sw_title_draw(struct sw_frame *fr, const char *title, const struct sw_facts *f);

/* "UEFI, Secure Boot on"; brief: "UEFI SB on". */
const char *sw_title_firmware(const struct sw_facts *f, bool brief);
/* In a few words whether the machine has a network: "net up", "no address". */
const char *sw_title_network(const struct sw_facts *f);
/* A link's first address that reaches beyond its own wire; NULL: none. */
const char *sw_title_address(const struct sw_link *l);
/* Adds from where this system was started: "sdb", "network", a boot entry; nothing: unknown. */
void sw_title_origin(const struct sw_facts *f, struct sw_buf *b);
