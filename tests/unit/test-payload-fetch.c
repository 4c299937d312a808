/* SPDX-License-Identifier: Apache-2.0 */
/* Fetching against a real server that misbehaves, and from files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "net/http.h"
#include "payload/payload.h"
#include "tests/lib/http-server.h"

#define LEN 600000

/* Stands in for the machine until that is linked: DIR/medium/NAME, as on a stand-in. */
__attribute__((weak)) int sw_machine_medium_file(struct sw_machine *m, const char *name,
						 char **ret_path, struct sw_error *err)
{
	_cleanup_free_ char *path = sw_fmt("%s/medium/%s", m->dir, name);

	if (access(path, R_OK) < 0)
		return sw_fail_errno(err, SW_EXIT_MISSING, -ENOENT, "no %s on the medium", name);
	*ret_path = TAKE_PTR(path);
	return 0;
}

struct world {
	char *dir, *out;
	uint8_t *data, *other;
	char hash[65], other_hash[65];
	struct http_server *server;
	struct http_route route;
};

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	/* A proxy of the environment must not get between us and the loopback. */
	unsetenv("http_proxy");
	unsetenv("all_proxy");
	unsetenv("ALL_PROXY");
	assert_int_equal(sw_scratch_new("slipway-fetch", &w->dir), 0);
	w->out = sw_fmt("%s/out", w->dir);
	w->data = malloc(LEN);
	w->other = malloc(LEN);
	assert_non_null(w->data);
	assert_non_null(w->other);
	for (size_t i = 0; i < LEN; i++) {
		w->data[i] = (uint8_t)(i * 2654435761U >> 13);
		w->other[i] = (uint8_t)(i * 40503U >> 7);
	}
	assert_int_equal(sw_sha256(w->data, LEN, w->hash), 0);
	assert_int_equal(sw_sha256(w->other, LEN, w->other_hash), 0);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	http_server_stop(w->server);
	assert_int_equal(sw_remove_tree(w->dir), 0);
	free(w->dir);
	free(w->out);
	free(w->data);
	free(w->other);
	free(w);
	return 0;
}

/* Serves the test data at /file with the given misbehaviour. */
static void serve(struct world *w, struct http_route route)
{
	w->route = route;
	w->route.path = "/file";
	if (!w->route.data) {
		w->route.data = w->data;
		w->route.len = LEN;
	}
	w->route.other = w->other;
	w->server = http_server_start(&w->route, 1);
	assert_non_null(w->server);
}

static int fetch(struct world *w, struct sw_fetch f, const struct sw_sink *sink,
		 struct sw_error *err)
{
	_cleanup_free_ char *url = w->server ? http_server_url(w->server, "/file") : NULL;
	char hex[65];
	int r;

	f.out = w->out;
	f.backoff_ms = f.backoff_ms ? f.backoff_ms : 20;
	if (!f.source)
		f.source = url;
	r = sw_fetch_run(NULL, &f, sink, hex, err);
	if (r == 0 && f.sha256)
		assert_string_equal(hex, f.sha256);
	return r;
}

/* The plain case: the right hash, and nobody who listens. */
static int fetch_with(struct world *w, unsigned int retries)
{
	return fetch(w, (struct sw_fetch){ .sha256 = w->hash, .retries = retries }, NULL, NULL);
}

static void assert_content(struct world *w, const uint8_t *data)
{
	_cleanup_buf_ struct sw_buf b = {};

	assert_int_equal(sw_file_read(w->out, &b), 0);
	assert_int_equal(b.len, LEN);
	assert_memory_equal(b.data, data, LEN);
}

static unsigned int files_in(const char *dir)
{
	_cleanup_closedir_ DIR *d = opendir(dir);
	unsigned int n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	return n - 2;
}

static void assert_nothing_left(struct world *w)
{
	assert_int_equal(files_in(w->dir), 0);
}

static void test_a_file_arrives_whole_and_leaves_no_temporary_file(void **state)
{
	struct world *w = *state;
	struct sw_error e = {};

	serve(w, (struct http_route){});
	assert_int_equal(fetch(w, (struct sw_fetch){ .sha256 = w->hash }, NULL, &e), 0);
	assert_content(w, w->data);
	assert_int_equal(files_in(w->dir), 1);
	assert_int_equal(http_server_requests(w->server), 1);
	assert_true(http_server_agent_is(w->server, "slipway/" SW_VERSION));
}

static void test_an_empty_file_is_a_file(void **state)
{
	struct world *w = *state;
	static const uint8_t none[1];
	char hash[65];
	struct stat st;

	assert_int_equal(sw_sha256("", 0, hash), 0);
	serve(w, (struct http_route){ .data = none, .len = 0 });
	assert_int_equal(fetch(w, (struct sw_fetch){ .sha256 = hash }, NULL, NULL), 0);
	assert_int_equal(stat(w->out, &st), 0);
	assert_int_equal(st.st_size, 0);
}

static void test_a_reset_is_resumed_where_it_broke(void **state)
{
	struct world *w = *state;

	serve(w, (struct http_route){ .fault = HTTP_RESET, .percent = 30, .times = 1,
				      .etag = "\"v1\"" });
	assert_int_equal(fetch_with(w, 2), 0);
	assert_content(w, w->data);
	assert_int_equal(http_server_requests(w->server), 2);
	assert_int_equal(http_server_ranges(w->server), 1);
	assert_int_equal(http_server_last_range(w->server), LEN * 30 / 100);
}

static void test_without_an_etag_a_broken_transfer_starts_anew(void **state)
{
	struct world *w = *state;

	serve(w, (struct http_route){ .fault = HTTP_RESET, .percent = 30, .times = 1 });
	assert_int_equal(fetch_with(w, 1), 0);
	assert_content(w, w->data);
	assert_int_equal(http_server_ranges(w->server), 0);
}

static void test_a_weak_etag_is_never_resumed_on(void **state)
{
	struct world *w = *state;

	serve(w, (struct http_route){ .fault = HTTP_RESET, .percent = 50, .times = 1,
				      .etag = "W/\"v1\"" });
	assert_int_equal(fetch_with(w, 1), 0);
	assert_int_equal(http_server_ranges(w->server), 0);
}

static void test_a_server_that_ignores_ranges_still_yields_the_file(void **state)
{
	struct world *w = *state;

	serve(w, (struct http_route){ .fault = HTTP_NO_RANGE, .percent = 60, .times = 1,
				      .etag = "\"v1\"" });
	assert_int_equal(fetch_with(w, 1), 0);
	assert_content(w, w->data);
	assert_int_equal(http_server_ranges(w->server), 1);
}

static void test_a_file_that_changes_in_between_is_fetched_anew(void **state)
{
	struct world *w = *state;

	serve(w, (struct http_route){ .fault = HTTP_CHANGED, .percent = 40, .etag = "\"v1\"" });
	assert_int_equal(fetch(w, (struct sw_fetch){ .sha256 = w->other_hash, .retries = 1 }, NULL,
			       NULL), 0);
	assert_content(w, w->other);
}

static void test_a_wrong_range_is_refused_and_fetched_anew(void **state)
{
	struct world *w = *state;

	serve(w, (struct http_route){ .fault = HTTP_WRONG_RANGE, .percent = 40, .etag = "\"v1\"" });
	assert_int_equal(fetch_with(w, 2), 0);
	assert_content(w, w->data);
	assert_int_equal(http_server_requests(w->server), 3);
}

static void test_a_reset_without_retries_is_one_clear_error(void **state)
{
	struct world *w = *state;
	struct sw_error e = {};

	serve(w, (struct http_route){ .fault = HTTP_RESET, .percent = 30, .times = 9,
				      .etag = "\"v1\"" });
	assert_true(fetch(w, (struct sw_fetch){ .sha256 = w->hash }, NULL, &e) < 0);
	assert_int_equal(e.exit, SW_EXIT_NETWORK);
	assert_string_equal(e.what, "the connection broke while receiving");
	assert_non_null(strstr(e.where, "/file"));
	assert_true(e.why[0] && e.hint[0]);
	assert_nothing_left(w);
}

static void test_two_server_errors_are_outlasted(void **state)
{
	struct world *w = *state;

	serve(w, (struct http_route){ .fault = HTTP_STATUS, .status = 500, .times = 2 });
	assert_int_equal(fetch_with(w, 2), 0);
	assert_content(w, w->data);
	assert_int_equal(http_server_requests(w->server), 3);
}

static void test_a_missing_file_is_not_asked_for_twice(void **state)
{
	struct world *w = *state;
	struct sw_error e = {};

	serve(w, (struct http_route){ .fault = HTTP_STATUS, .status = 404, .times = 9 });
	assert_int_equal(fetch(w, (struct sw_fetch){ .sha256 = w->hash, .retries = 3 }, NULL, &e),
			 -ENOENT);
	assert_int_equal(e.exit, SW_EXIT_NETWORK);
	assert_non_null(strstr(e.what, "no such file"));
	assert_int_equal(http_server_requests(w->server), 1);
	assert_nothing_left(w);
}

static void test_a_stalled_transfer_is_dropped_and_resumed(void **state)
{
	struct world *w = *state;

	serve(w, (struct http_route){ .fault = HTTP_STALL, .times = 1, .etag = "\"v1\"" });
	assert_int_equal(fetch(w, (struct sw_fetch){ .sha256 = w->hash, .retries = 1,
						     .stall_s = 1 }, NULL, NULL), 0);
	assert_content(w, w->data);
	assert_int_equal(http_server_last_range(w->server), LEN / 2);
}

static void test_less_than_announced_is_an_error_and_resumed(void **state)
{
	struct world *w = *state;
	struct sw_error e = {};

	serve(w, (struct http_route){ .fault = HTTP_SHORT, .times = 9 });
	assert_true(fetch(w, (struct sw_fetch){ .sha256 = w->hash, .retries = 1 }, NULL, &e) < 0);
	assert_non_null(strstr(e.what, "in part"));
	assert_nothing_left(w);
}

static void test_a_redirect_loop_ends(void **state)
{
	struct world *w = *state;
	struct sw_error e = {};

	serve(w, (struct http_route){ .fault = HTTP_REDIRECT, .location = "/file" });
	assert_int_equal(fetch(w, (struct sw_fetch){ .sha256 = w->hash, .retries = 3 }, NULL, &e),
			 -ELOOP);
	assert_int_equal(http_server_requests(w->server), SW_HTTP_REDIRECTS + 1);
	assert_nothing_left(w);
}

static void test_a_redirect_to_a_local_file_is_refused(void **state)
{
	struct world *w = *state;
	struct sw_error e = {};

	serve(w, (struct http_route){ .fault = HTTP_REDIRECT, .location = "file:///etc/passwd" });
	assert_int_equal(fetch(w, (struct sw_fetch){ .sha256 = w->hash }, NULL, &e), -EPROTO);
	assert_nothing_left(w);
}

static void test_redirects_never_give_up_tls(void **state SW_UNUSED)
{
	assert_true(sw_http_may_redirect("http://a/", "https://b/"));
	assert_true(sw_http_may_redirect("http://a/", "http://b/"));
	assert_true(sw_http_may_redirect("https://a/", "HTTPS://b/"));
	assert_false(sw_http_may_redirect("https://a/", "http://a/"));
	assert_false(sw_http_may_redirect("HTTPS://a/", "http://a/"));
	assert_false(sw_http_may_redirect("http://a/", "ftp://a/"));
	assert_false(sw_http_may_redirect("http://a/", "file:///etc/passwd"));
}

static void test_a_wrong_hash_leaves_nothing_and_shows_both(void **state)
{
	struct world *w = *state;
	struct sw_error e = {};
	char start[13];

	serve(w, (struct http_route){});
	assert_int_equal(fetch(w, (struct sw_fetch){ .sha256 = w->other_hash, .retries = 3 }, NULL,
			       &e), -EBADMSG);
	assert_int_equal(e.exit, SW_EXIT_VERIFY);
	(void)snprintf(start, sizeof(start), "%.12s", w->hash);
	assert_non_null(strstr(e.why, start));
	(void)snprintf(start, sizeof(start), "%.12s", w->other_hash);
	assert_non_null(strstr(e.why, start));
	assert_int_equal(http_server_requests(w->server), 1);
	assert_nothing_left(w);
}

static void test_an_old_file_survives_a_failed_fetch(void **state)
{
	struct world *w = *state;
	_cleanup_buf_ struct sw_buf b = {};

	assert_int_equal(sw_file_write(w->out, "old", 3, 0600), 0);
	serve(w, (struct http_route){});
	assert_int_equal(fetch(w, (struct sw_fetch){ .sha256 = w->other_hash }, NULL, NULL),
			 -EBADMSG);
	assert_int_equal(sw_file_read(w->out, &b), 0);
	assert_string_equal(sw_buf_text(&b), "old");
}

static void test_no_hash_means_no_download(void **state)
{
	struct world *w = *state;
	struct sw_error e = {};

	serve(w, (struct http_route){});
	assert_int_equal(fetch(w, (struct sw_fetch){}, NULL, &e), -EPERM);
	assert_int_equal(e.exit, SW_EXIT_REFUSED);
	assert_int_equal(http_server_requests(w->server), 0);
	assert_nothing_left(w);
}

static void test_a_disk_without_room_is_named_before_a_byte_is_written(void **state)
{
	struct world *w = *state;
	struct sw_error e = {};

	serve(w, (struct http_route){ .fault = HTTP_HUGE, .announce = 1ULL << 60 });
	assert_int_equal(fetch(w, (struct sw_fetch){ .sha256 = w->hash, .retries = 3,
						     .max = UINT64_MAX }, NULL, &e), -ENOSPC);
	assert_int_equal(e.exit, SW_EXIT_FAILED);
	assert_string_equal(e.where, w->out);
	assert_non_null(strstr(e.why, "1024P are needed"));
	assert_int_equal(http_server_requests(w->server), 1);
	assert_nothing_left(w);
}

static void test_a_write_that_hits_a_limit_leaves_nothing(void **state)
{
	struct world *w = *state;
	struct sw_error e = {};
	struct rlimit old, small;
	int r;

	serve(w, (struct http_route){});
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = (struct rlimit){ .rlim_cur = 100000, .rlim_max = old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	r = fetch(w, (struct sw_fetch){ .sha256 = w->hash }, NULL, &e);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(r, -EFBIG);
	assert_int_equal(e.exit, SW_EXIT_FAILED);
	assert_non_null(strstr(e.what, "no room"));
	assert_nothing_left(w);
}

static void test_the_ceiling_holds_for_announced_sizes(void **state)
{
	struct world *w = *state;
	struct sw_error e = {};

	serve(w, (struct http_route){});
	assert_int_equal(fetch(w, (struct sw_fetch){ .sha256 = w->hash, .max = LEN - 1 }, NULL, &e),
			 -EFBIG);
	assert_non_null(strstr(e.what, "too large"));
	assert_nothing_left(w);
}

static void test_silence_and_noise_are_told_apart(void **state)
{
	struct world *w = *state;
	struct sw_error e = {};

	serve(w, (struct http_route){ .fault = HTTP_SILENT, .times = 1 });
	assert_true(fetch(w, (struct sw_fetch){ .sha256 = w->hash }, NULL, &e) < 0);
	assert_non_null(strstr(e.what, "without a word"));
	http_server_stop(w->server);
	memset(&e, 0, sizeof(e));
	serve(w, (struct http_route){ .fault = HTTP_GARBAGE });
	assert_true(fetch(w, (struct sw_fetch){ .sha256 = w->hash }, NULL, &e) < 0);
	assert_int_equal(e.exit, SW_EXIT_NETWORK);
	assert_non_null(strstr(e.what, "not HTTP"));
	assert_nothing_left(w);
}

static void test_a_closed_port_an_unknown_name_and_no_tls_are_told_apart(void **state)
{
	struct world *w = *state;
	struct sw_error refused = {}, unknown = {}, tls = {};
	_cleanup_free_ char *url = NULL, *https = NULL;

	serve(w, (struct http_route){});
	url = http_server_url(w->server, "/file");
	https = sw_fmt("https%s", url + 4);
	assert_true(fetch(w, (struct sw_fetch){ .source = https, .sha256 = w->hash }, NULL,
			  &tls) < 0);
	assert_non_null(strstr(tls.what, "TLS"));
	http_server_stop(w->server);
	w->server = NULL;
	assert_int_equal(fetch(w, (struct sw_fetch){ .source = url, .sha256 = w->hash }, NULL,
			       &refused), -ECONNREFUSED);
	assert_non_null(strstr(refused.hint, "port"));
	assert_int_equal(fetch(w, (struct sw_fetch){ .source = "http://no-such-host.invalid/x",
						     .sha256 = w->hash }, NULL, &unknown),
			 -EHOSTUNREACH);
	assert_non_null(strstr(unknown.hint, "DNS"));
	assert_nothing_left(w);
}

struct watch {
	unsigned int progress, logs, polls, cancel_after;
	uint64_t last;
	bool fell;
};

static void on_event(const struct sw_event *ev, void *userdata)
{
	struct watch *x = userdata;

	x->logs += ev->type == SW_EVENT_LOG;
	if (ev->type != SW_EVENT_PROGRESS)
		return;
	x->progress++;
	x->fell = x->fell || ev->done < x->last;
	x->last = ev->done;
}

static bool is_cancelled(void *userdata)
{
	struct watch *x = userdata;

	return x->cancel_after && ++x->polls > x->cancel_after;
}

/* Whoever says so is not asked again, but by curl while it closes; nor is the server. */
static void assert_cancelled_at_once(const struct world *w, const struct watch *x)
{
	assert_in_range(x->polls, x->cancel_after + 1, x->cancel_after + 3);
	assert_int_equal(http_server_requests(w->server), 1);
}

static void test_progress_is_sparse_rises_and_ends_at_the_whole(void **state)
{
	struct world *w = *state;
	struct watch x = {};
	struct sw_sink sink = { .fn = on_event, .userdata = &x };
	int64_t start = sw_now_ms();

	serve(w, (struct http_route){ .fault = HTTP_RESET, .percent = 50, .times = 1,
				      .etag = "\"v1\"" });
	assert_int_equal(fetch(w, (struct sw_fetch){ .sha256 = w->hash, .retries = 1 }, &sink,
			       NULL), 0);
	assert_in_range(x.progress, 2, 10 + (sw_now_ms() - start) / 200);
	assert_int_equal(x.last, LEN);
	assert_false(x.fell);
	assert_int_equal(x.logs, 1);
}

static void test_cancelling_ends_a_stalled_transfer_at_once(void **state)
{
	struct world *w = *state;
	struct watch x = { .cancel_after = 12 };
	struct sw_sink sink = { .cancelled = is_cancelled, .userdata = &x };
	struct sw_error e = {};

	serve(w, (struct http_route){ .fault = HTTP_STALL, .times = 9 });
	assert_int_equal(fetch(w, (struct sw_fetch){ .sha256 = w->hash, .retries = 9 }, &sink, &e),
			 -ECANCELED);
	assert_int_equal(e.exit, SW_EXIT_CANCELLED);
	assert_cancelled_at_once(w, &x);
	assert_nothing_left(w);
}

static void test_cancelling_ends_the_wait_between_tries(void **state)
{
	struct world *w = *state;
	struct watch x = { .cancel_after = 30 };
	struct sw_sink sink = { .cancelled = is_cancelled, .userdata = &x };
	struct sw_error e = {};

	serve(w, (struct http_route){ .fault = HTTP_STATUS, .status = 503, .times = 9 });
	assert_int_equal(fetch(w, (struct sw_fetch){ .sha256 = w->hash, .retries = 9,
						     .backoff_ms = 20000 }, &sink, &e), -ECANCELED);
	assert_cancelled_at_once(w, &x);
	assert_nothing_left(w);
}

/* Gives up at the first pause, and knows how long it would have been. */
struct patience {
	unsigned int pause_s;
};

static void hear_pause(const struct sw_event *ev, void *userdata)
{
	struct patience *p = userdata;
	const char *at = ev->type == SW_EVENT_LOG ? strstr(ev->text, "next try in ") : NULL;

	if (at)
		p->pause_s = (unsigned int)strtoul(at + 12, NULL, 10);
}

static bool has_paused(void *userdata)
{
	const struct patience *p = userdata;

	return p->pause_s != 0;
}

static unsigned int pause_after(struct world *w, int status, unsigned int retry_after)
{
	struct patience p = {};
	struct sw_sink sink = { .fn = hear_pause, .userdata = &p, .cancelled = has_paused };

	serve(w, (struct http_route){ .fault = HTTP_STATUS, .status = status, .times = 9,
				      .retry_after = retry_after });
	assert_int_equal(fetch(w, (struct sw_fetch){ .sha256 = w->hash, .retries = 9 }, &sink,
			       NULL), -ECANCELED);
	assert_int_equal(http_server_requests(w->server), 1);
	return p.pause_s;
}

static void test_a_busy_server_says_when_to_come_back(void **state)
{
	assert_in_range(pause_after(*state, 503, 40), 40, 60);
}

static void test_no_server_delays_an_install_for_long(void **state)
{
	assert_in_range(pause_after(*state, 429, 9000), 120, 180);
}

static void test_the_wait_between_tries_grows(void **state)
{
	struct world *w = *state;
	struct timespec a, b;
	int64_t ms;

	serve(w, (struct http_route){ .fault = HTTP_STATUS, .status = 503, .times = 3 });
	clock_gettime(CLOCK_MONOTONIC, &a);
	assert_int_equal(fetch(w, (struct sw_fetch){ .sha256 = w->hash, .retries = 3,
						     .backoff_ms = 100 }, NULL, NULL), 0);
	clock_gettime(CLOCK_MONOTONIC, &b);
	ms = (b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000;
	assert_true(ms >= 350);		/* at least half of 100 + 200 + 400 */
}

static void test_local_files_are_copied_by_path_and_by_url(void **state)
{
	struct world *w = *state;
	_cleanup_free_ char *src = sw_fmt("%s/src", w->dir), *url = sw_fmt("file://%s", src);

	assert_int_equal(sw_file_write(src, w->data, LEN, 0600), 0);
	assert_int_equal(fetch(w, (struct sw_fetch){ .source = src }, NULL, NULL), 0);
	assert_content(w, w->data);
	assert_int_equal(unlink(w->out), 0);
	assert_int_equal(fetch(w, (struct sw_fetch){ .source = url, .sha256 = w->hash }, NULL,
			       NULL), 0);
	assert_content(w, w->data);
}

static void test_local_files_are_checked_like_remote_ones(void **state)
{
	struct world *w = *state;
	_cleanup_free_ char *src = sw_fmt("%s/src", w->dir), *none = sw_fmt("%s/none", w->dir);
	struct sw_error hash = {}, large = {}, missing = {}, dir = {};

	assert_int_equal(sw_file_write(src, w->data, LEN, 0600), 0);
	assert_int_equal(fetch(w, (struct sw_fetch){ .source = src, .sha256 = w->other_hash }, NULL,
			       &hash), -EBADMSG);
	assert_int_equal(hash.exit, SW_EXIT_VERIFY);
	assert_int_equal(fetch(w, (struct sw_fetch){ .source = src, .max = 10 }, NULL, &large),
			 -EFBIG);
	assert_int_equal(fetch(w, (struct sw_fetch){ .source = none }, NULL, &missing), -ENOENT);
	assert_int_equal(missing.exit, SW_EXIT_MISSING);
	assert_string_equal(missing.where, none);
	assert_int_equal(fetch(w, (struct sw_fetch){ .source = w->dir }, NULL, &dir), -EISDIR);
	assert_int_equal(files_in(w->dir), 1);
}

static void test_a_file_on_the_medium_is_copied(void **state)
{
	struct world *w = *state;
	_cleanup_free_ char *dir = sw_fmt("%s/medium", w->dir), *src = sw_fmt("%s/vmlinuz", dir);
	struct sw_machine m = { .kind = SW_MACHINE_STANDIN, .dir = w->dir, .run_dir = w->dir };
	struct sw_fetch f = { .source = "medium:/vmlinuz", .out = w->out };
	struct sw_error e = {};
	char hex[65];

	m.medium = (char *)"medium";
	assert_int_equal(sw_mkdir_all(dir, 0700), 0);
	assert_int_equal(sw_file_write(src, w->data, LEN, 0600), 0);
	assert_int_equal(sw_fetch_run(&m, &f, NULL, hex, &e), 0);
	assert_string_equal(hex, w->hash);
	f.source = "medium:/none";
	assert_int_equal(sw_fetch_run(&m, &f, NULL, hex, &e), -ENOENT);
	assert_int_equal(e.exit, SW_EXIT_MISSING);
}

static void test_messages_never_repeat_what_a_url_may_hide(void **state SW_UNUSED)
{
	_cleanup_free_ char *a = sw_http_show("https://user:secret@host:8080/p/x?token=secret");
	_cleanup_free_ char *b = sw_http_show("http://host?k=secret");
	struct sw_error e = {};
	_cleanup_free_ char *text = NULL;

	assert_string_equal(a, "https://host:8080/p/x?...");
	assert_string_equal(b, "http://host?...");
	assert_true(sw_source_check("http://user:secret@host/x", &e) < 0);
	text = sw_error_text(&e);
	assert_null(strstr(text, "secret"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(test_a_file_arrives_whole_and_leaves_no_temporary_file),
		T(test_an_empty_file_is_a_file),
		T(test_a_reset_is_resumed_where_it_broke),
		T(test_without_an_etag_a_broken_transfer_starts_anew),
		T(test_a_weak_etag_is_never_resumed_on),
		T(test_a_server_that_ignores_ranges_still_yields_the_file),
		T(test_a_file_that_changes_in_between_is_fetched_anew),
		T(test_a_wrong_range_is_refused_and_fetched_anew),
		T(test_a_reset_without_retries_is_one_clear_error),
		T(test_two_server_errors_are_outlasted),
		T(test_a_missing_file_is_not_asked_for_twice),
		T(test_a_stalled_transfer_is_dropped_and_resumed),
		T(test_less_than_announced_is_an_error_and_resumed),
		T(test_a_redirect_loop_ends),
		T(test_a_redirect_to_a_local_file_is_refused),
		cmocka_unit_test(test_redirects_never_give_up_tls),
		T(test_a_wrong_hash_leaves_nothing_and_shows_both),
		T(test_an_old_file_survives_a_failed_fetch),
		T(test_no_hash_means_no_download),
		T(test_a_disk_without_room_is_named_before_a_byte_is_written),
		T(test_a_write_that_hits_a_limit_leaves_nothing),
		T(test_the_ceiling_holds_for_announced_sizes),
		T(test_silence_and_noise_are_told_apart),
		T(test_a_closed_port_an_unknown_name_and_no_tls_are_told_apart),
		T(test_progress_is_sparse_rises_and_ends_at_the_whole),
		T(test_cancelling_ends_a_stalled_transfer_at_once),
		T(test_cancelling_ends_the_wait_between_tries),
		T(test_a_busy_server_says_when_to_come_back),
		T(test_no_server_delays_an_install_for_long),
		T(test_the_wait_between_tries_grows),
		T(test_local_files_are_copied_by_path_and_by_url),
		T(test_local_files_are_checked_like_remote_ones),
		T(test_a_file_on_the_medium_is_copied),
		cmocka_unit_test(test_messages_never_repeat_what_a_url_may_hide),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
