/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/backoff.h"
#include "base/file.h"
#include "net/http.h"
#include "payload/sink-file.h"

#define DEFAULT_MAX ((uint64_t)2 << 30)
#define BACKOFF_MS 1000
#define BACKOFF_MAX_MS 30000
#define ASKED_MAX_S 120U	/* of a server's Retry-After; a stalled install helps nobody */
#define BLOCK 65536

static uint64_t ceiling(const struct sw_fetch *f)
{
	return f->max ? f->max : DEFAULT_MAX;
}

/* ---- over a network ---- */

static int on_begin(void *userdata, uint64_t offset, uint64_t size, struct sw_error *err)
{
	struct sw_sink_file *s = userdata;
	int r = 0;

	if (offset != s->got)
		r = sw_sink_file_restart(s, err);
	return r < 0 ? r : sw_sink_file_expect(s, size, err);
}

static int on_data(void *userdata, const void *data, size_t len, struct sw_error *err)
{
	return sw_sink_file_add(userdata, data, len, err);
}

/* What is known between two tries. */
struct tries {
	char etag[SW_HTTP_ETAG];	/* of the bytes that are there already, or "" */
	bool again;			/* another try can help */
	unsigned int asked_ms;		/* not before, says the server; 0: it says nothing */
};

static int try_once(const struct sw_fetch *f, struct sw_sink_file *s, struct tries *t,
		    struct sw_error *err)
{
	struct sw_http_get get = {
		.url = f->source, .ca_file = f->ca_file, .max = ceiling(f), .sink = s->sink,
		.stall_s = f->stall_s, .begin = on_begin, .data = on_data, .userdata = s,
	};
	struct sw_http_reply reply;
	unsigned int asked;
	int r;

	if (s->got > 0 && t->etag[0]) {
		get.from = s->got;
		get.etag = t->etag;
	}
	r = sw_http_get(&get, &reply, err);
	t->again = reply.retry;
	asked = reply.retry_after_s < ASKED_MAX_S ? reply.retry_after_s : ASKED_MAX_S;
	t->asked_ms = asked * 1000;
	/* Only an answer with content says anything about the bytes we hold. */
	if (reply.status == 200 || reply.status == 206)
		(void)snprintf(t->etag, sizeof(t->etag), "%s", reply.etag);
	if (reply.restart)
		t->etag[0] = '\0';
	return r;
}

static int fetch_remote(const struct sw_fetch *f, struct sw_sink_file *s, struct sw_error *err)
{
	struct sw_backoff b = { .first_ms = f->backoff_ms ? f->backoff_ms : BACKOFF_MS,
				.max_ms = BACKOFF_MAX_MS, .tries = f->retries };
	struct tries t = {};

	sw_backoff_seed(&b, 0);
	for (;;) {
		struct sw_error e = {};
		unsigned int wait;
		int r = try_once(f, s, &t, &e);

		if (r == 0)
			return 0;
		if (!t.again || !f->retries || !sw_backoff_next(&b, 0, t.asked_ms, &wait)) {
			if (t.again && f->retries)
				sw_event_log(s->sink, "%s: given up after %u tries", s->shown,
					     f->retries + 1);
			if (err && err->r == 0)
				*err = e;
			return r;
		}
		sw_event_log(s->sink, "%s: %s (%s); next try in %u.%u s", s->shown, e.what, e.why,
			     wait / 1000, wait % 1000 / 100);
		if (sw_event_pause(s->sink, wait) < 0)
			return sw_fail(err, SW_EXIT_CANCELLED, -ECANCELED, "cancelled");
	}
}

/* ---- from this machine ---- */

static int fail_source(const struct sw_fetch *f, int r, const char *what, struct sw_error *err)
{
	(void)sw_fail_errno(err, r == -ENOENT ? SW_EXIT_MISSING : SW_EXIT_FAILED, r, "%s", what);
	sw_error_where(err, "%s", f->source);
	return r;
}

int sw_source_local_path(struct sw_machine *m, const char *source, char **ret_path,
			 struct sw_error *err)
{
	if (strncmp(source, "medium:", 7) == 0) {
		const char *name = source + 7;

		if (m)
			return sw_machine_medium_file(m, name + strspn(name, "/"), ret_path, err);
		return sw_fail(err, SW_EXIT_MISSING, -ENOENT, "%s: there is no medium", source);
	}
	*ret_path = strdup(strncmp(source, "file://", 7) == 0 ? source + 7 : source);
	return *ret_path ? 0 : sw_fail_oom(err);
}

static int copy_all(int fd, const struct sw_fetch *f, struct sw_sink_file *s, struct sw_error *err)
{
	_cleanup_free_ uint8_t *block = malloc(BLOCK);

	if (!block)
		return sw_fail_oom(err);
	for (;;) {
		ssize_t n = read(fd, block, BLOCK);
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_source(f, -errno, "the file cannot be read", err);
		if (n == 0)
			return 0;
		/* It may have grown since it was measured. */
		if ((uint64_t)n > ceiling(f) - s->got)
			return fail_source(f, -EFBIG, "the file is too large", err);
		r = sw_sink_file_add(s, block, (size_t)n, err);
		if (r < 0)
			return r;
	}
}

static int fetch_local(struct sw_machine *m, const struct sw_fetch *f, struct sw_sink_file *s,
		       struct sw_error *err)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_close_ int fd = -EBADF;
	struct stat st;
	int r = sw_source_local_path(m, f->source, &path, err);

	if (r < 0)
		return r;
	/* O_NONBLOCK: a pipe in place of the file must not hang the install. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0)
		return fail_source(f, -errno, "the file cannot be opened", err);
	if (!S_ISREG(st.st_mode))
		return fail_source(f, S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL,
				   "this is not a regular file", err);
	if ((uint64_t)st.st_size > ceiling(f))
		return fail_source(f, -EFBIG, "the file is too large", err);
	r = sw_sink_file_expect(s, (uint64_t)st.st_size, err);
	return r < 0 ? r : copy_all(fd, f, s, err);
}

static int refuse_unhashed(const struct sw_fetch *f, const char *shown, struct sw_error *err)
{
	if (f->vouched || (f->sha256 && sw_sha256_is_hex(f->sha256)))
		return 0;
	(void)sw_fail(err, SW_EXIT_REFUSED, -EPERM, "no SHA-256 is known for this file");
	sw_error_where(err, "%s", shown);
	sw_error_why(err, "what comes over a network is only used when its hash is known");
	sw_error_hint(err, "sha256sum FILE on the server prints it");
	return -EPERM;
}

int sw_fetch_run(struct sw_machine *m, const struct sw_fetch *f, const struct sw_sink *sink,
		 char ret_sha256[static 65], struct sw_error *err)
{
	_cleanup_sink_file_ struct sw_sink_file s = { .fd = -EBADF };
	bool remote = sw_source_is_remote(f->source);
	int r = sw_source_check(f->source, err);

	if (r == 0)
		r = sw_sink_file_open(&s, f, sink, err);
	if (r == 0 && remote)
		r = refuse_unhashed(f, s.shown, err);
	if (r == 0)
		r = remote ? fetch_remote(f, &s, err) : fetch_local(m, f, &s, err);
	return r < 0 ? r : sw_sink_file_commit(&s, ret_sha256, err);
}
