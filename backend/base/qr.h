/* SPDX-License-Identifier: Apache-2.0 */
/* QR codes by libqrencode, opened at its first use (base/library.h). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Sizes ("versions") that are used here; a telephone reads larger ones off a screen badly. */
#define SW_QR_VERSION_MIN 3U
#define SW_QR_VERSION_MAX 15U

struct sw_qr {
	unsigned int size;	/* modules on each side, without the quiet zone around them */
	uint8_t *dark;		/* 1: dark; row by row */
};

/* Modules on each side of this version. */
unsigned int sw_qr_size(unsigned int version);
/* Characters of the alphanumeric mode (0-9 A-Z space $%*+-./:) that it holds. */
size_t sw_qr_room(unsigned int version);

/*
 * Encodes text of that alphabet in this version, at the lowest level of error correction: a screen
 * has no stains. Exit 3 for text that does not fit or is of another alphabet, 5 without the
 * library.
 */
int sw_qr_make(const char *text, unsigned int version, struct sw_qr *ret_qr, struct sw_error *err);
void sw_qr_clear(struct sw_qr *qr);
#define _cleanup_qr_ _cleanup_(sw_qr_clear)
/* False outside of it, too: the quiet zone. */
bool sw_qr_is_dark(const struct sw_qr *qr, int row, int col);
