/* SPDX-License-Identifier: Apache-2.0 */
/* The messages of the kernel that runs, as they are in its ring. */
#pragma once

/* malloc'd text. -errno: it shows them to root only, perhaps. */
int sw_kernel_log(char **ret_text);
