/* SPDX-License-Identifier: Apache-2.0 */
/* Many pieces of a file at once. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/gather.h"
#include "base/parallel.h"

#define SIZE ((size_t)1 << 20)
#define TAIL 1000U	/* the last piece ends in the middle of a page */

/* Each page holds its own number; -1 where files cannot be read past the page cache. */
static int open_pages(void)
{
	int fd = memfd_create("test-gather", MFD_CLOEXEC), direct;
	char path[32];

	assert_true(fd >= 0);
	for (uint32_t i = 0; i < SIZE / SW_GATHER_ALIGN; i++)
		assert_int_equal(pwrite(fd, &i, sizeof(i), (off_t)i * SW_GATHER_ALIGN), sizeof(i));
	assert_int_equal(ftruncate(fd, (off_t)(SIZE + TAIL)), 0);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	direct = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	close(fd);
	return direct;
}

static int read_some(int fd)
{
	static const uint32_t pages[] = { 7, 0, 200, 255 };
	struct sw_gather_piece p[ARRAY_SIZE(pages) + 2] = {};
	uint8_t *data = sw_gather_memory();
	size_t n = ARRAY_SIZE(pages);
	int r;

	assert_non_null(data);
	for (size_t i = 0; i < n + 2; i++) {
		uint64_t at = i < n ? (uint64_t)pages[i] * SW_GATHER_ALIGN
			    : i == n ? SIZE : 2 * SIZE;

		p[i] = (struct sw_gather_piece){ .off = at, .len = SW_GATHER_ALIGN,
						 .data = data + i * SW_GATHER_ALIGN };
	}
	r = sw_gather(fd, p, n + 2);
	for (size_t i = 0; i < n && r == 0; i++) {
		assert_int_equal(p[i].got, SW_GATHER_ALIGN);
		assert_memory_equal(p[i].data, &pages[i], sizeof(pages[i]));
	}
	if (r == 0) {
		assert_int_equal(p[n].got, TAIL);
		assert_int_equal(p[n + 1].got, 0);
	}
	sw_gather_memory_free(data);
	return r;
}

static void pieces_come_in_any_order(void **state SW_UNUSED)
{
	int fd = open_pages();

	if (fd < 0 || read_some(fd) == -EOPNOTSUPP)
		skip();
	for (int i = 0; i < 50; i++)
		assert_int_equal(read_some(fd), 0);
	close(fd);
}

static int one(size_t i SW_UNUSED, void *arg)
{
	return read_some(*(int *)arg);
}

static void threads_do_not_share_a_ring(void **state SW_UNUSED)
{
	int fd = open_pages();

	if (fd < 0 || read_some(fd) == -EOPNOTSUPP)
		skip();
	assert_int_equal(sw_parallel(500, 1, one, &fd), 0);
	close(fd);
}

/* What closes what it inherited, as a daemon does, and then opens files of its own. */
static void a_child_leaves_its_own_files_alone(void **state SW_UNUSED)
{
	int fd = open_pages(), status;
	pid_t pid;

	if (fd < 0 || read_some(fd) == -EOPNOTSUPP)
		skip();
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int own[16], r;

		close_range(fd + 1, ~0U, 0);
		for (size_t i = 0; i < ARRAY_SIZE(own); i++)
			own[i] = dup(fd);
		r = read_some(fd);
		for (size_t i = 0; i < ARRAY_SIZE(own); i++)
			if (fcntl(own[i], F_GETFD) < 0)
				r = -EBADF;
		_exit(r == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_int_equal(read_some(fd), 0);
	close(fd);
}

static void what_cannot_be_done_is_said(void **state SW_UNUSED)
{
	struct sw_gather_piece p[SW_GATHER_MAX + 1] = {};

	assert_int_equal(sw_gather(0, p, 0), -EOPNOTSUPP);
	assert_int_equal(sw_gather(0, p, ARRAY_SIZE(p)), -EOPNOTSUPP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_come_in_any_order),
		cmocka_unit_test(threads_do_not_share_a_ring),
		cmocka_unit_test(a_child_leaves_its_own_files_alone),
		cmocka_unit_test(what_cannot_be_done_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
