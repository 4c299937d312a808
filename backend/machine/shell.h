/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way to a rescue shell. Whoever has one can read what the TPM gives this
 * system, so before the first one the keys sealed to PCR 7 are given up until the
 * machine is restarted; and since what is sealed after that would never open, an
 * install that seals is refused meanwhile.
 */
#pragma once

#include "machine/machine.h"

#define SW_SHELL "/bin/sh"
/* The decrypted state while a shell is in it, below /dev/mapper: ours, and in no list of disks. */
#define SW_SHELL_STATE_MAP "slipway-state"

/* Whether there is a shell on this system. */
bool sw_shell_exists(void);
/*
 * To be called before a shell is opened; more than once is fine. On failure none may
 * be: exit 5 when there is a TPM that refuses, exit 4 on captured facts.
 */
int sw_shell_prepare(struct sw_machine *m, struct sw_error *err);
/*
 * The terminal is this process group's again: a shell that had given it to a program of its own may
 * have died with that.
 */
void sw_shell_take_terminal(int tty);
/* 0, or -EPERM with exit 4: keys sealed now would not open after a restart. */
int sw_shell_may_seal(const struct sw_machine *m, struct sw_error *err);
