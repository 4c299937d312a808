/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a technician looks at on the console, as text to be read: a partition, the TPM, the
 * hardware, logs. Reads only, and never shows a secret.
 */
#pragma once

#include "base/buf.h"
#include "base/json.h"
#include "machine/machine.h"

/*
 * Everything about one partition (0: the disk as a whole): its place, what slipway keeps there,
 * whether it is whole, and what it has to be put together with to look inside.
 */
int sw_show_partition(struct sw_machine *m, const struct sw_facts *f, const char *disk,
		      unsigned int number, struct sw_buf *out, struct sw_error *err);

/* Facts, lockout, PCRs, and which event made which PCR. Exit 5 without a TPM. */
int sw_show_tpm(struct sw_machine *m, struct sw_buf *out, struct sw_error *err);

/* Processor, memory, firmware, cards, disks. -ENOMEM. */
int sw_show_hardware(struct sw_machine *m, const struct sw_facts *f, struct sw_buf *out);

/*
 * The logs that there are: [{"id", "text", "off"}]; off: why it cannot be read. "kernel",
 * "failure", and "journal:DISK:NUMBER" for each partition where a node may keep one. New reference.
 */
json_object *sw_show_logs(struct sw_machine *m, const struct sw_facts *f);
/* One of them. Exit 5 when it is not there or cannot be read. */
int sw_show_log(struct sw_machine *m, const struct sw_facts *f, const char *id, struct sw_buf *out,
		struct sw_error *err);

/*
 * What memory tests this machine can start, what each is like, and how to get one where it has
 * none. off: why that of the medium cannot be started, as sw_memtest_check() says; empty: it can.
 * -ENOMEM.
 */
int sw_show_memory_test(const struct sw_facts *f, const struct sw_error *off, struct sw_buf *out);
