/* SPDX-License-Identifier: Apache-2.0 */
/* Which PCR 7 a secret of the node has to be sealed to, from where slipway runs now. */
#pragma once

#include "boot/switch.h"
#include "tpm/eventlog.h"

struct sw_aim {
	struct sw_pcr7 pcr7;
	bool later;		/* pcr7 counts; else PCR 7 as it is */
	char letter;		/* the slot whose image it is for, 0: none */
	const char *image;	/* borrowed; NULL: that of a slot */
};

/*
 * On the node, or with present, PCR 7 as it is; elsewhere that which the firmware will give the
 * image (NULL: that of the slot which starts first). vars: the raw boot variables, or NULL. Exit 4
 * while a rescue shell was opened.
 */
int sw_rescue_aim(struct sw_machine *m, const struct sw_facts *f, json_object *vars,
		  const char *disk, const char *image, bool present, struct sw_aim *ret_aim,
		  struct sw_error *err);
