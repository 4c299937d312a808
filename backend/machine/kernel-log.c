/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/kernel-log.h"

#include <stdlib.h>
#include <sys/klog.h>

#include "base/cleanup.h"

enum { READ_ALL = 3, BUFFER_SIZE = 10 };	/* syslog(2) */

int sw_kernel_log(char **ret_text)
{
	int size = klogctl(BUFFER_SIZE, NULL, 0), n;
	_cleanup_free_ char *text = size > 0 ? calloc(1, (size_t)size + 1) : NULL;

	if (size <= 0)
		return size < 0 ? -errno : -ENODATA;
	n = text ? klogctl(READ_ALL, text, size) : -1;
	if (n < 0)
		return text ? -errno : -ENOMEM;
	text[n] = '\0';
	*ret_text = TAKE_PTR(text);
	return 0;
}
