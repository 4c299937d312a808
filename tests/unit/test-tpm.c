/* SPDX-License-Identifier: Apache-2.0 */
/* Asking a TPM never hangs and never writes over the console. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "tpm/tpm.h"

static time_t ahead_s;

/* The wall clock of this program is ahead: a deadline by it is one that never comes. */
int clock_gettime(clockid_t clock, struct timespec *t)
{
	int r = (int)syscall(SYS_clock_gettime, clock, t);

	if (r == 0 && clock == CLOCK_REALTIME)
		t->tv_sec += ahead_s;
	return r;
}

/* Listens on path and never answers. */
static int mute(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0 && strlen(path) < sizeof(a.sun_path));
	memcpy(a.sun_path, path, strlen(path) + 1);
	assert_int_equal(bind(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 4), 0);
	return fd;
}

static void never_answers(void)
{
	_cleanup_free_ char *dir = NULL, *sock = NULL, *ctrl = NULL, *tcti = NULL;
	struct sw_tpm_info info = {};
	struct sw_error err = {};
	struct timespec a, b, pause = { .tv_nsec = 300 * 1000 * 1000 };
	int fd, fd2;

	assert_int_equal(sw_scratch_new("slipway-test", &dir), 0);
	sock = sw_fmt("%s/t", dir);
	ctrl = sw_fmt("%s/t.ctrl", dir);
	tcti = sw_fmt("swtpm:path=%s", sock);
	fd = mute(sock);
	fd2 = mute(ctrl);
	clock_gettime(CLOCK_MONOTONIC, &a);
	assert_int_equal(sw_tpm_query(tcti, 1, &info, &err), -ETIMEDOUT);
	clock_gettime(CLOCK_MONOTONIC, &b);
	assert_true(b.tv_sec - a.tv_sec < 60);
	assert_null(info.version);
	assert_string_equal(err.what, "the TPM does not answer");
	/* The thread left behind ends with its connection and frees what it held. */
	close(fd);
	close(fd2);
	(void)nanosleep(&pause, NULL);
	assert_int_equal(sw_remove_tree(dir), 0);
}

static void test_a_tpm_that_never_answers_is_given_up(void **state SW_UNUSED)
{
	never_answers();
}

/* As an install does for TLS on a machine whose clock is years off. */
static void test_a_clock_that_is_set_back_makes_no_wait_for_a_tpm_longer(void **state SW_UNUSED)
{
	ahead_s = 10L * 365 * 86400;
	alarm(90);
	never_answers();
	alarm(0);
	ahead_s = 0;
}

static void test_no_tpm_is_an_error_in_words(void **state SW_UNUSED)
{
	struct sw_tpm_info info = {};
	struct sw_error err = {}, err2 = {};

	assert_true(sw_tpm_query("device:/nonexistent/tpmrm0", 2, &info, &err) < 0);
	assert_int_equal(err.exit, SW_EXIT_MISSING);
	assert_true(err.why[0]);
	assert_true(sw_tpm_query("no-such-tcti:x", 2, &info, &err2) < 0);
	assert_null(info.vendor);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_tpm_that_never_answers_is_given_up),
		cmocka_unit_test(test_a_clock_that_is_set_back_makes_no_wait_for_a_tpm_longer),
		cmocka_unit_test(test_no_tpm_is_an_error_in_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
