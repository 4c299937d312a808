/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as volume descriptors and boot catalogue of a CD of 64 KiB, from sector 16 on. */
#include <stdlib.h>
#include <string.h>

#include "machine/eltorito.h"

#define CD 65536U
#define FROM (16 * SW_CD_SECTOR)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t cd[CD];
	struct sw_io *io = NULL;
	struct sw_eltorito t;

	if (size > CD - FROM)
		return 0;
	memset(cd, 0, sizeof(cd));
	memcpy(cd + FROM, data, size);
	if (sw_io_new_recorder(CD, 512, cd, NULL, SIZE_MAX, 0, &io) < 0)
		return 0;
	if (sw_eltorito_read(io, &t) == 0 &&
	    (!t.start || !t.size || t.entry >= SW_CD_SECTOR / 32))
		abort();
	sw_io_close(io);
	return 0;
}
