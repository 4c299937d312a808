/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An encrypted partition opened to be looked into: in user space, where nothing needs a kernel
 * with device mapper, or by device mapper for programs that want a device. Neither writes.
 */
#pragma once

#include "disk/luks.h"

/*
 * What is inside the LUKS2 partition that part is, for reading, at any offset: the header is copied
 * to a scratch file, and opened there by key (a passphrase, a recovery key as it opens, the content
 * of a key file). part is borrowed. -EPERM (exit 4) when the key opens nothing, -EOPNOTSUPP (exit
 * 5) for another cipher than AES-XTS with 512 bits. Writes to it are refused: -EROFS.
 */
int sw_luks_inside(struct sw_io *part, const struct sw_secret *key, struct sw_io **ret_io,
		   struct sw_error *err);

/*
 * The passphrase that this machine's TPM gives for the partition that part is. label: of the
 * partition, for messages. The seals are tried in the order of the tokens, those that want a PIN
 * left out; the error is that of the first. signatures: of PCRs, or NULL. -ENOENT (exit 5): it has
 * no seal.
 */
int sw_luks_tpm_key(const char *tcti, struct sw_io *part, json_object *signatures,
		    const char *label, struct sw_secret **ret_key, struct sw_error *err);
