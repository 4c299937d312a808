/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key sequences beyond terminfo. Terminals send what they like whatever TERM
 * says: a vt220 entry knows no application-mode arrows, an xterm entry no
 * others, and none knows all forms of Home and End. So all forms are accepted
 * everywhere.
 */
#pragma once

#include <stdint.h>

/* Registers the sequences with the current ncurses terminal. */
void sw_keytab_define(void);
/* One of ncurses' results as a key of tui/session/keys.h; 0: nothing that we use. */
uint32_t sw_keytab_key(int kind, uint32_t code);
