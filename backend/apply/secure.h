/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The erase commands that disks bring along: NVMe sanitize and format through
 * nvme-cli, ATA security erase through hdparm. What the tools print is parsed
 * here; they run on the real machine only.
 */
#pragma once

#include "machine/machine.h"

enum sw_secure_kind {
	SW_SECURE_NONE,
	SW_SECURE_NVME_CRYPTO,		/* sanitize: the key is thrown away */
	SW_SECURE_NVME_BLOCK,		/* sanitize: block erase */
	SW_SECURE_NVME_FORMAT,		/* format with user data erase */
	SW_SECURE_ATA_ENHANCED,
	SW_SECURE_ATA,
};

/* "NVMe sanitize (block erase)" */
const char *sw_secure_name(enum sw_secure_kind kind);

/* The disk's best command, or exit 5 with the reason why there is none. */
int sw_secure_detect(struct sw_machine *m, const struct sw_facts *f, const struct sw_disk *d,
		     enum sw_secure_kind *ret_kind, struct sw_error *err);

/*
 * Gives the command and waits until the disk says that it is done; this cannot
 * be cancelled. Success means "the disk reported success", nothing more.
 */
int sw_secure_run(const char *node, enum sw_secure_kind kind, const struct sw_sink *sink,
		  struct sw_error *err);

/* ---- the parts, for tests ---- */

#define SW_SECURE_ARGV 12

/*
 * The nth command (from 0) of this kind; false when there is none. The ATA
 * password is no secret: a drive that loses power in between can be unlocked
 * with it.
 */
bool sw_secure_command(const char *node, enum sw_secure_kind kind, unsigned int n,
		       const char *ret_argv[static SW_SECURE_ARGV]);

/*
 * `nvme id-ctrl --raw-binary`, the Identify Controller data of the NVMe base
 * specification: the best of what the controller can do. -EBADMSG: too short.
 */
int sw_secure_parse_nvme(const void *data, size_t len, enum sw_secure_kind *ret_kind);

struct sw_ata_security {
	bool supported, enabled, locked, frozen, enhanced;
	unsigned int minutes;	/* the drive's estimate, 0: none */
};
/* `hdparm -I`. -EBADMSG when it has no Security section. */
int sw_secure_parse_ata(const char *text, struct sw_ata_security *ret_security);

enum sw_sanitize_state { SW_SANITIZE_NEVER, SW_SANITIZE_RUNNING, SW_SANITIZE_DONE,
			 SW_SANITIZE_FAILED };
/* `nvme sanitize-log --raw-binary`, log page 81h; ret_done of 65536. */
int sw_secure_parse_sanitize(const void *data, size_t len, enum sw_sanitize_state *ret_state,
			     unsigned int *ret_done);
