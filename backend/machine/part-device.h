/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's own device of a partition, for what the kernel or another program does with it. */
#pragma once

#include "machine/machine.h"

/*
 * "/dev/nvme0n1p4"; start: bytes from the beginning of the disk, as its table has it. malloc'd.
 * -ESTALE, with the path all the same: the kernel has the partition elsewhere, by a table that is
 * no longer on the disk. Only a real machine has such devices.
 */
int sw_part_device(const struct sw_machine *m, const struct sw_disk *d, unsigned int number,
		   uint64_t start, char **ret_path);
