/* SPDX-License-Identifier: Apache-2.0 */
#include "base/qr.h"

#include <errno.h>
#include <qrencode.h>
#include <stdlib.h>
#include <string.h>

#include "base/library.h"

SW_LIBRARY_NOTE(qrencode, "libqrencode.so.4");

#define QR_LIST(X) X(QRcode_encodeString) X(QRcode_free)

static struct {
	QR_LIST(SW_LIBRARY_POINTER)
} lib;

#define TABLE lib
static const struct sw_library_symbol symbols[] = { QR_LIST(SW_LIBRARY_SYMBOL) };

static struct sw_library library = {
	.soname = "libqrencode.so.4",
	.package = "libqrencode4",
	.symbols = symbols,
	.n_symbols = ARRAY_SIZE(symbols),
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

unsigned int sw_qr_size(unsigned int version)
{
	return 17 + 4 * version;
}

size_t sw_qr_room(unsigned int version)
{
	/* ISO/IEC 18004, table 7: level L, alphanumeric; version 1 first. */
	static const uint16_t room[SW_QR_VERSION_MAX] = { 25, 47, 77, 114, 154, 195, 224, 279,
							  335, 395, 468, 535, 619, 667, 758 };

	return version >= 1 && version <= SW_QR_VERSION_MAX ? room[version - 1] : 0;
}

static bool is_alphanumeric(const char *text)
{
	static const char letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

	return text[strspn(text, letters)] == '\0';
}

int sw_qr_make(const char *text, unsigned int version, struct sw_qr *ret, struct sw_error *err)
{
	size_t size = sw_qr_size(version);
	QRcode *code;
	int r = sw_library_open(&library, err);

	*ret = (struct sw_qr){};
	if (r < 0)
		return r;
	if (strlen(text) > sw_qr_room(version) || !is_alphanumeric(text))
		return sw_fail(err, SW_EXIT_INVALID, -EINVAL, "this text does not fit the QR code");
	code = lib.QRcode_encodeString_(text, (int)version, QR_ECLEVEL_L, QR_MODE_8, 1);
	if (!code || code->width != (int)size) {
		lib.QRcode_free_(code);
		return sw_fail(err, SW_EXIT_FAILED, -EIO, "libqrencode made no QR code");
	}
	ret->dark = malloc(size * size);
	if (ret->dark)
		ret->size = (unsigned int)size;
	for (size_t i = 0; ret->dark && i < size * size; i++)
		ret->dark[i] = code->data[i] & 1;
	lib.QRcode_free_(code);
	return ret->dark ? 0 : sw_fail_oom(err);
}

void sw_qr_clear(struct sw_qr *qr)
{
	free(qr->dark);
	*qr = (struct sw_qr){};
}

bool sw_qr_is_dark(const struct sw_qr *qr, int row, int col)
{
	int size = (int)qr->size;

	return row >= 0 && col >= 0 && row < size && col < size &&
	       qr->dark[(size_t)row * qr->size + (size_t)col];
}
