/* SPDX-License-Identifier: Apache-2.0 */
/* Private to `slipway bundle`: the report as QR codes on a terminal. */
#pragma once

#include "bundle/bundle.h"
#include "tui/commands/common.h"

enum sw_qr_cells { SW_QR_CELLS_AUTO, SW_QR_CELLS_HALF, SW_QR_CELLS_FULL };

/* "half" or "full"; NULL: as the terminal says. Exit 2 for another word. */
int sw_bundle_qr_cells(const char *word, enum sw_qr_cells *ret, struct sw_error *err);
/*
 * Shows them one by one, at a terminal with a question behind each; with --json as one object.
 * Exit 5 where this terminal cannot show one.
 */
int sw_bundle_qr_show(const struct sw_cli *cli, json_object *report, enum sw_qr_cells cells,
		      bool inverted, struct sw_error *err);
