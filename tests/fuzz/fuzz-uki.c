/* SPDX-License-Identifier: Apache-2.0 */
/* A kernel image that came over the network: inspected, and told what it will measure. */
#include <string.h>
#include <sys/mman.h>

#include "base/file.h"
#include "boot/uki-measure.h"
#include "boot/uki.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(sw_uki_info_clear) struct sw_uki_info info = {};
	_cleanup_close_ int fd = memfd_create("uki", MFD_CLOEXEC);
	struct sw_error err = {}, unmeasured = {};
	struct sw_uki_measured m = {};
	char path[64];
	int r;

	if (fd < 0 || sw_fd_write_all(fd, data, size) < 0)
		abort();
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = sw_uki_inspect(path, &info, &err);
	/* A refusal always says why; a success knows the size. */
	if ((r < 0 && !err.why[0]) || (r == 0 && info.size != size))
		abort();
	r = sw_uki_measure(path, &m, &unmeasured);
	if ((r < 0 && !unmeasured.why[0]) || strlen(m.stub) >= sizeof(m.stub))
		abort();
	return 0;
}
