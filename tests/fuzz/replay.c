/* SPDX-License-Identifier: Apache-2.0 */
/* Stand-alone driver: runs a fuzz target over the files it is given. */
#include <stdio.h>

#include "base/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		_cleanup_buf_ struct sw_buf b = {};
		int r = sw_file_read(argv[i], &b);

		if (r < 0) {
			fprintf(stderr, "%s: cannot be read (%d)\n", argv[i], r);
			return 1;
		}
		/* The sentinel NUL must not hide an overrun: hand over an exact copy. */
		_cleanup_free_ uint8_t *copy = malloc(b.len ? b.len : 1);

		if (!copy)
			return 1;
		for (size_t k = 0; k < b.len; k++)
			copy[k] = b.data[k];
		LLVMFuzzerTestOneInput(copy, b.len);
	}
	return 0;
}
