/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a measured event was about, in words: which variable, which image from
 * which path, which text of a boot loader. Event data: TCG PC Client Platform
 * Firmware Profile 1.05, section 10.4; systemd-stub(7) for its own.
 */
#pragma once

#include "tpm/eventlog.h"

/*
 * One line without control characters, "" when there is nothing to say; malloc'd,
 * NULL when out of memory. Data that does not have the form of its type is shown
 * by its length.
 */
char *sw_event_describe(const struct sw_log_event *e);
