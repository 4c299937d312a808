/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One start into the memory test that is on slipway's medium (memtest86+), and as before after it.
 *
 * The firmware starts it, not the running kernel: the test gets all memory, and a screen and
 * keyboard that no driver has touched; and kexec is closed to unsigned programs just where the
 * firmware is. So it needs a boot entry for one start. That entry is of UEFI's category for
 * applications (2.10, 3.1.3): it can be asked for by BootNext, and is passed over in BootOrder. It
 * stands there all the same, last, for some firmware forgets a BootNext that is not in the order.
 * It is ours by label and path, and slipway takes it away when it starts the next time.
 */
#pragma once

#include "boot/loadopt.h"
#include "boot/varset.h"
#include "machine/machine.h"

#define SW_MEMTEST_LABEL "Slipway memory test"
#define SW_MEMTEST_PATH "\\EFI\\BOOT\\memtest.efi"

/* Whether it is such an entry, of this medium or of another. */
bool sw_memtest_is_entry(const struct sw_loadopt *o);

/*
 * 0 when the medium has a memory test that this machine's firmware starts. -EPERM (exit 4): Secure
 * Boot is on; -ENOENT (exit 5): slipway was not started from a medium, or it has none; -EOPNOTSUPP
 * (exit 5): no UEFI variables; other errors as of reading the medium.
 */
int sw_memtest_check(struct sw_machine *m, const struct sw_facts *f, struct sw_error *err);
/*
 * The next start is that test: adds its entry to set, or takes what is left of an earlier one, puts
 * it last in the order and makes it BootNext. An order that is empty stays so. Errors of
 * sw_memtest_check(), and exit 5 when it is not known how the firmware finds the medium.
 */
int sw_memtest_set(struct sw_machine *m, const struct sw_facts *f, struct sw_varset *set,
		   struct sw_error *err);
/* The number of the first such entry, -1: there is none. */
int sw_memtest_find(const struct sw_varset *set);
/* Takes every such entry out of set, out of order and BootNext too; returns how many. */
size_t sw_memtest_remove(struct sw_varset *set);

/* Notes in run_dir that it was asked for in this start of the machine; failing is harmless. */
void sw_memtest_mark(const struct sw_machine *m, const char *boot_id);
/* Whether the coming start is to be the test: asked for in this one, and BootNext still says so. */
bool sw_memtest_is_pending(const struct sw_machine *m, const char *boot_id,
			   const struct sw_varset *set);
/*
 * At the beginning of a start of slipway: takes away what an earlier start has left, unless the
 * test is still to come. *ret_removed: how many entries. Does nothing, without an error, where
 * there are no variables, and writes nothing where there is no such entry.
 */
int sw_memtest_clear(struct sw_machine *m, size_t *ret_removed, struct sw_error *err);
