/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/session/work.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "apply/apply.h"
#include "base/file.h"
#include "base/json.h"

#define MAX_LINE (1u << 16)

static char *note_path(const struct sw_machine *m)
{
	return sw_fmt("%s/apply.json", m->run_dir);
}

static char *pause_path(const struct sw_machine *m)
{
	return sw_fmt("%s/" SW_APPLY_PAUSED, m->run_dir);
}

static char *log_path(const struct sw_machine *m)
{
	return sw_fmt("%s/events.jsonl", m->run_dir);
}

/* For a session after this one: who works, where its events begin, and what it does. */
static void write_note(const struct sw_machine *m, pid_t pid, off_t offset, enum sw_work work)
{
	_cleanup_free_ char *path = note_path(m), *text = NULL;

	text = sw_fmt("{\"pid\": %ld, \"offset\": %lld, \"work\": %d}\n", (long)pid,
		      (long long)offset, (int)work);
	if (path && text)
		(void)sw_file_write(path, text, strlen(text), 0600);
}

static int start_wipe(struct sw_worker *w, struct sw_machine *m, const struct sw_state *s,
		      struct sw_error *err)
{
	const struct sw_wipe_options o = { .method = s->wipe.method };
	const struct sw_disk *d = sw_state_wipe_disk(s);

	if (d)
		return sw_wipe_spawn_disk(m, s->facts, d, &o, &w->pid, &w->fd, err);
	sw_fail(err, SW_EXIT_REFUSED, -ESTALE, "the disk is gone, or another by now");
	sw_error_hint(err, "Nothing was written; choose the disk again");
	return -ESTALE;
}

/* An undo is one without what was away when it was asked for. */
static int start_journal(struct sw_worker *w, struct sw_machine *m, const struct sw_state *s,
			 struct sw_error *err)
{
	return s->work == SW_WORK_RESUME
		       ? sw_apply_resume_spawn(m, s->journal, &w->pid, &w->fd, err)
		       : sw_undo_spawn(m, s->journal, s->without, &w->pid, &w->fd, err);
}

int sw_worker_start(struct sw_worker *w, struct sw_machine *m, const struct sw_state *s,
		    struct sw_error *err)
{
	_cleanup_free_ char *log = log_path(m), *paused = pause_path(m);
	struct stat st = { 0 };
	int r;

	if (!w->pid && paused)
		(void)unlink(paused);	/* of one that was stopped meanwhile */
	if (w->pid)
		return sw_fail(err, SW_EXIT_REFUSED, -EBUSY, "something is already running");
	if (log)
		(void)stat(log, &st);
	if (s->work == SW_WORK_WIPE)
		r = start_wipe(w, m, s, err);
	else if (s->work == SW_WORK_INSTALL)
		r = sw_apply_spawn(m, s->plan, &w->pid, &w->fd, err);
	else
		r = start_journal(w, m, s, err);
	if (r < 0) {
		w->pid = 0;
		return r;
	}
	w->adopted = false;
	(void)fcntl(w->fd, F_SETFL, O_NONBLOCK);
	write_note(m, w->pid, st.st_size, s->work);
	return 0;
}

/* Process numbers are used again; the name tells whether it is still that child. */
static bool is_apply(pid_t pid)
{
	_cleanup_free_ char *path = sw_fmt("/proc/%ld/comm", (long)pid);
	_cleanup_free_ char *comm = NULL;

	return path && sw_file_read_line(path, &comm) == 0 && strcmp(comm, "slipway-apply") == 0;
}

bool sw_worker_adopt(struct sw_worker *w, const struct sw_machine *m, enum sw_work *ret_work)
{
	_cleanup_free_ char *path = note_path(m), *log = log_path(m);
	_cleanup_json_ json_object *o = NULL;
	struct sw_error ignored = { 0 };
	int64_t work;
	pid_t pid;
	int fd;

	if (!path || !log || sw_json_load(path, &o, &ignored) < 0)
		return false;
	pid = (pid_t)sw_json_int(o, "pid", 0);
	if (pid <= 1 || !is_apply(pid))
		return false;
	fd = open(log, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || lseek(fd, (off_t)sw_json_int(o, "offset", 0), SEEK_SET) < 0) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	w->pid = pid;
	w->fd = fd;
	w->adopted = true;
	work = sw_json_int(o, "work", SW_WORK_INSTALL);
	*ret_work = work > SW_WORK_INSTALL && work <= SW_WORK_WIPE ? (enum sw_work)work
								   : SW_WORK_INSTALL;
	return true;
}

static enum sw_worker_news take_line(const char *line, size_t len, struct sw_state *s)
{
	_cleanup_json_ json_object *o = NULL;
	struct sw_error ignored = { 0 };
	struct sw_event ev;

	if (sw_json_parse(line, len, "event", &o, &ignored) < 0 || sw_event_from_json(o, &ev) < 0)
		return SW_WORKER_NOTHING;
	return sw_state_event(s, &ev) ? SW_WORKER_NOW : SW_WORKER_LATER;
}

static enum sw_worker_news take_lines(struct sw_buf *in, struct sw_state *s)
{
	enum sw_worker_news news = SW_WORKER_NOTHING, n;
	size_t at = 0;
	uint8_t *end;

	while (at < in->len && (end = memchr(in->data + at, '\n', in->len - at))) {
		n = take_line((const char *)in->data + at, (size_t)(end - in->data) - at, s);
		if (n > news)
			news = n;
		at = (size_t)(end - in->data) + 1;
	}
	if (at) {
		memmove(in->data, in->data + at, in->len - at);
		in->len -= at;
		in->data[in->len] = '\0';
	}
	if (in->len > MAX_LINE)
		sw_buf_clear(in);
	return news;
}

static int status_of(struct sw_worker *w, const struct sw_state *s)
{
	int status = 0;
	pid_t r;

	if (!w->adopted) {
		while ((r = waitpid(w->pid, &status, 0)) < 0 && errno == EINTR)
			;
		if (r == w->pid)
			return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	}
	if (!s->run.finished)
		return -1;
	return s->run.result < 0 ? SW_EXIT_FAILED : 0;
}

enum sw_worker_news sw_worker_read(struct sw_worker *w, struct sw_state *s)
{
	/* Looked at before reading: what it wrote before its end must not be missed. */
	bool gone = w->adopted && !is_apply(w->pid);
	enum sw_worker_news news;
	char data[16384];
	int status;
	ssize_t n;

	while ((n = read(w->fd, data, sizeof(data))) > 0)
		if (sw_buf_add(&w->in, data, (size_t)n) < 0)
			break;
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		n = 0;
	news = take_lines(&w->in, s);
	if (n < 0 || (w->adopted && !gone))
		return news;
	status = status_of(w, s);
	sw_worker_clear(w);
	sw_state_ended(s, status);
	return SW_WORKER_NOW;
}

void sw_worker_cancel(struct sw_worker *w)
{
	if (w->pid > 1)
		(void)kill(w->pid, SIGTERM);
}

void sw_worker_pause(struct sw_worker *w, const struct sw_machine *m, const struct sw_state *s)
{
	_cleanup_free_ char *path = pause_path(m);

	if (w->pid <= 1)
		return;
	if (path && s->paused)
		(void)sw_file_write(path, s->paused_by, strlen(s->paused_by), 0600);
	else if (path)
		(void)unlink(path);
	(void)kill(w->pid, s->paused ? SIGUSR1 : SIGUSR2);
}

void sw_worker_adopt_pause(const struct sw_machine *m, struct sw_state *s)
{
	_cleanup_free_ char *path = pause_path(m), *by = NULL;

	s->paused = path && access(path, F_OK) == 0;
	if (s->paused && sw_file_read_line(path, &by) == 0)
		(void)snprintf(s->paused_by, sizeof(s->paused_by), "%s", by);
}

void sw_worker_clear(struct sw_worker *w)
{
	if (w->pid)
		close(w->fd);
	sw_buf_clear(&w->in);
	*w = (struct sw_worker){ .fd = -EBADF };
}
