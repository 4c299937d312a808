/* SPDX-License-Identifier: Apache-2.0 */
#include "payload/sink-file.h"

#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/size.h"

#define TELL_EVERY_MS 200

static void tell(struct sw_sink_file *s, bool now)
{
	struct sw_event ev = { .type = SW_EVENT_PROGRESS, .step = s->f->step, .id = "fetch",
			       .done = s->got, .size = s->size };
	int64_t t = sw_now_ms();

	if (!now && t - s->told_ms < TELL_EVERY_MS)
		return;
	s->told_ms = t;
	(void)snprintf(ev.text, sizeof(ev.text), "%s", s->shown);
	sw_event_emit(s->sink, &ev);
}

/* Bytes left where the file goes, UINT64_MAX when that cannot be told. */
static uint64_t room_left(struct sw_sink_file *s)
{
	struct statvfs v;

	if (fstatvfs(s->fd, &v) < 0)
		return UINT64_MAX;
	return (uint64_t)v.f_bavail * v.f_frsize;
}

static int fail_room(struct sw_sink_file *s, int r, struct sw_error *err)
{
	char need[16], room[16];
	uint64_t whole = s->size > s->got ? s->size : s->got;

	(void)sw_fail(err, SW_EXIT_FAILED, r, "no room for %s", s->shown);
	sw_error_where(err, "%s", s->f->out);
	sw_error_why(err, "%s%s are needed there, %s are left", s->size ? "" : "more than ",
		     sw_size_format(whole, need, sizeof(need)),
		     sw_size_format(room_left(s), room, sizeof(room)));
	sw_error_hint(err, "give the machine more memory (files are kept in RAM before the "
		      "install), or use a smaller payload");
	return r;
}

static int fail_out(struct sw_sink_file *s, int r, struct sw_error *err)
{
	if (r == -ENOSPC || r == -EDQUOT || r == -EFBIG)
		return fail_room(s, r, err);
	(void)sw_fail_errno(err, SW_EXIT_FAILED, r, "the file cannot be written");
	sw_error_where(err, "%s", s->f->out);
	return r;
}

int sw_sink_file_open(struct sw_sink_file *s, const struct sw_fetch *f, const struct sw_sink *sink,
		      struct sw_error *err)
{
	*s = (struct sw_sink_file){ .f = f, .sink = sink, .fd = -EBADF };
	s->shown = sw_source_show(f->source);
	s->hash = sw_hash_new();
	/* XXXXXX only counts at the end, so two fetches of one file do not meet. */
	s->tmp = sw_fmt("%s.XXXXXX", f->out);
	if (!s->shown || !s->hash || !s->tmp)
		return sw_fail_oom(err);
	s->fd = mkostemp(s->tmp, O_CLOEXEC);
	if (s->fd < 0) {
		int r = -errno;

		free(TAKE_PTR(s->tmp));
		return fail_out(s, r, err);
	}
	return 0;
}

void sw_sink_file_close(struct sw_sink_file *s)
{
	if (s->fd >= 0)
		close(TAKE_FD(s->fd));
	if (s->tmp)
		(void)unlink(s->tmp);
	free(TAKE_PTR(s->tmp));
	free(TAKE_PTR(s->shown));
	sw_hash_free(TAKE_PTR(s->hash));
}

int sw_sink_file_restart(struct sw_sink_file *s, struct sw_error *err)
{
	if (s->got == 0)
		return 0;
	sw_hash_free(s->hash);
	s->hash = sw_hash_new();
	if (!s->hash)
		return sw_fail_oom(err);
	if (ftruncate(s->fd, 0) < 0 || lseek(s->fd, 0, SEEK_SET) < 0)
		return fail_out(s, -errno, err);
	s->got = 0;
	return 0;
}

int sw_sink_file_expect(struct sw_sink_file *s, uint64_t size, struct sw_error *err)
{
	s->size = size;
	if (size > s->got && size - s->got > room_left(s))
		return fail_room(s, -ENOSPC, err);
	tell(s, true);
	return 0;
}

int sw_sink_file_add(struct sw_sink_file *s, const void *data, size_t len, struct sw_error *err)
{
	int r = sw_event_poll(s->sink);

	if (r < 0)
		return sw_fail(err, SW_EXIT_CANCELLED, r, "cancelled");
	r = sw_fd_write_all(s->fd, data, len);
	if (r < 0)
		return fail_out(s, r, err);
	r = sw_hash_update(s->hash, data, len);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_INTERNAL, r, "SHA-256 failed");
	s->got += len;
	tell(s, false);
	return 0;
}

static int fail_mismatch(const struct sw_sink_file *s, const char *got, struct sw_error *err)
{
	(void)sw_fail(err, SW_EXIT_VERIFY, -EBADMSG, "the file is not the expected one");
	sw_error_where(err, "%s", s->shown);
	sw_error_why(err, "its SHA-256 is %.12s..., expected is %.12s...", got, s->f->sha256);
	sw_error_hint(err, "nothing was kept; if the file was changed on purpose, put its new "
		      "SHA-256 into the answers");
	return -EBADMSG;
}

int sw_sink_file_commit(struct sw_sink_file *s, char ret_sha256[static 65], struct sw_error *err)
{
	char hex[SW_SHA256_TEXT];
	int r = sw_hash_final(s->hash, hex);

	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_INTERNAL, r, "SHA-256 failed");
	if (s->f->sha256 && *s->f->sha256 && strcasecmp(hex, s->f->sha256) != 0)
		return fail_mismatch(s, hex, err);
	if (fchmod(s->fd, 0644) < 0 || fsync(s->fd) < 0 || rename(s->tmp, s->f->out) < 0)
		return fail_out(s, -errno, err);
	free(TAKE_PTR(s->tmp));
	s->size = s->got;
	tell(s, true);
	memcpy(ret_sha256, hex, sizeof(hex));
	return 0;
}
