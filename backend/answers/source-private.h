/* SPDX-License-Identifier: Apache-2.0 */
/* Sources that are on this machine itself. Private to answers/. */
#pragma once

#include "answers/sources.h"
#include "base/buf.h"

#define SW_ANSWERS_MAX (1u << 20)	/* bytes: an answer file is a page or two */
#define SW_KEY_SET "slipway.set"
#define SW_KEY_ANSWERS "slipway.answers"

/*
 * SW_FORM_BASE64, SMBIOS, CREDENTIAL and FW_CFG: what is there. ret_set is true when the
 * text is lines of KEY=VALUE and not a file. Exit 5 when there is nothing of that name.
 */
int sw_source_local(struct sw_machine *m, const struct sw_answers_source *s, struct sw_buf *b,
		    bool *ret_set, struct sw_error *err);
/*
 * The OEM strings (type 11) of one structure as sysfs shows it: SMBIOS specification 3.6,
 * 6.1.3 and 7.12. Calls fn with each.
 */
int sw_smbios_strings(const uint8_t *data, size_t len, int (*fn)(const char *text, void *arg),
		      void *arg);
/* Lines of KEY=VALUE as answers; from is where they are, for messages and provenance. */
int sw_answers_from_set(const char *lines, const char *from, struct sw_answers **ret_answers,
			struct sw_error *err);
