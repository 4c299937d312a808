/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/session/part.h"
#include "tui/session/server.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/catalogue.h"
#include "base/file.h"

#define MIN_ROWS 24u
#define MIN_COLS 80u
#define QUIET_MS 60000		/* after this long a serial line may show anything */
#define HURRY_MS 1500
#define INPUT_MAX (1u << 16)

static struct sw_conn *conn_free(struct sw_conn *c)
{
	if (!c)
		return NULL;
	close(c->fd);
	sw_buf_clear(&c->in);
	sw_buf_clear(&c->out);
	sw_buf_clear(&c->reply);
	sw_page_clear(&c->seen);
	sw_frame_free(c->shown);
	free(c);
	return NULL;
}

static int bind_path(int fd, const char *path, struct sw_error *err)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	mode_t mask;
	int r;

	if (strlen(path) >= sizeof(a.sun_path))
		return sw_fail(err, SW_EXIT_FAILED, -ENAMETOOLONG,
			       "the path of the session's socket is too long: %s", path);
	memcpy(a.sun_path, path, strlen(path) + 1);
	/* Left by a session that was killed. */
	(void)unlink(path);
	mask = umask(0177);
	r = bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ? -errno : 0;
	umask(mask);
	if (r == 0 && listen(fd, 8) < 0)
		r = -errno;
	return r < 0 ? sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot listen on %s", path) : 0;
}

int sw_server_open(struct sw_server *srv, const char *path, struct sw_error *err)
{
	struct stat st;
	int r;

	*srv = (struct sw_server){ .fd = -EBADF };
	srv->path = strdup(path);
	if (!srv->path)
		return sw_fail_oom(err);
	srv->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (srv->fd < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, -errno, "cannot make a socket");
	r = bind_path(srv->fd, path, err);
	if (r == 0 && lstat(path, &st) < 0)
		r = sw_fail_errno(err, SW_EXIT_FAILED, -errno, "the socket is gone again");
	if (r < 0) {
		free(TAKE_PTR(srv->path));
		return r;
	}
	srv->dev = st.st_dev;
	srv->ino = st.st_ino;
	return 0;
}

bool sw_server_is_reachable(const struct sw_server *srv)
{
	struct stat st;

	return srv->path && lstat(srv->path, &st) == 0 && st.st_dev == srv->dev &&
	       st.st_ino == srv->ino;
}

static void flush(struct sw_conn *c)
{
	ssize_t n;

	while (c->out.len) {
		n = send(c->fd, c->out.data, c->out.len, MSG_NOSIGNAL);
		if (n <= 0)
			return;
		sw_wire_consume(&c->out, (size_t)n);
	}
}

void sw_server_close(struct sw_server *srv, const char *bye)
{
	/*
	 * First, so that no viewer that is told to leave finds this socket again, which a process
	 * forked from here may keep open. The path may be another session's by now.
	 */
	if (sw_server_is_reachable(srv))
		(void)unlink(srv->path);
	if (srv->fd >= 0)
		close(srv->fd);
	for (size_t i = 0; i < srv->n; i++) {
		if (bye && sw_wire_bye(&srv->conns[i]->out, bye) == 0)
			flush(srv->conns[i]);
		conn_free(srv->conns[i]);
	}
	free(srv->path);
	*srv = (struct sw_server){ .fd = -EBADF };
}

size_t sw_server_poll(const struct sw_server *srv, struct pollfd *fds)
{
	fds[0] = (struct pollfd){ .fd = srv->fd, .events = POLLIN };
	for (size_t i = 0; i < srv->n; i++)
		fds[i + 1] = (struct pollfd){
			.fd = srv->conns[i]->fd,
			.events = (short)(POLLIN | (srv->conns[i]->out.len ? POLLOUT : 0)),
		};
	return srv->n + 1;
}

static void accept_one(struct sw_server *srv)
{
	int fd = accept4(srv->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct sw_conn *c;

	if (fd < 0)
		return;
	c = srv->n < SW_MAX_VIEWERS ? calloc(1, sizeof(*c)) : NULL;
	if (!c) {
		close(fd);
		return;
	}
	c->fd = fd;
	srv->conns[srv->n++] = c;
}

static void drop(struct sw_server *srv, size_t i)
{
	if (srv->pen == srv->conns[i])
		srv->pen = NULL;
	conn_free(srv->conns[i]);
	memmove(&srv->conns[i], &srv->conns[i + 1],
		(srv->n - i - 1) * sizeof(srv->conns[0]));
	srv->n--;
}

static void take_pen(struct sw_server *srv, struct sw_conn *c, struct sw_state *s)
{
	if (srv->pen && srv->pen != c)
		sw_state_notice(s, "The pen is now with %s.",
				c->hello.name[0] ? c->hello.name : _("another console"));
	srv->pen = c;
}

/* What the state has to know about the console that a request comes from. */
static void set_pen(struct sw_state *s, const struct sw_conn *c)
{
	s->pen_serial = c->hello.flags & SW_HELLO_SERIAL;
	s->pen_utf8 = c->hello.flags & SW_HELLO_UTF8;
	(void)snprintf(s->pen_name, sizeof(s->pen_name), "%s", c->hello.name);
}

/* A key that means nothing shows at least a whole screen, on a line that was long silent. */
static void nothing(struct sw_conn *c, int64_t silent_ms)
{
	if ((c->hello.flags & SW_HELLO_SERIAL) && silent_ms > QUIET_MS)
		c->flags |= SW_FRAME_REDRAW;
}

/* A held key on a slow line; it stays one between two pages that it turns. */
static bool in_hurry(struct sw_conn *c, int64_t now_ms)
{
	if (c->keys++ || c->sent != c->acked) {
		c->hurried = true;
		c->hurry_ms = now_ms;
	}
	c->hurried = c->hurried && now_ms - c->hurry_ms < HURRY_MS;
	return c->hurried;
}

static void handle_key(struct sw_server *srv, struct sw_conn *c, struct sw_state *s, uint32_t key,
		       int64_t silent_ms)
{
	if (sw_key_request(key, SW_MODE_TEXT) == SW_REQ_PEN) {
		take_pen(srv, c, s);
		return;
	}
	if (sw_key_request(key, SW_MODE_TEXT) == SW_REQ_REDRAW) {
		c->flags |= SW_FRAME_REDRAW;
		return;
	}
	if (!srv->pen)
		srv->pen = c;
	if (srv->pen != c) {
		c->flags |= SW_FRAME_BELL;
		return;
	}
	set_pen(s, c);
	s->hurry = in_hurry(c, s->now_ms);
	if (!sw_view_key(s, key))
		nothing(c, silent_ms);
}

static int handle_keys(struct sw_server *srv, struct sw_conn *c, const struct sw_message *m,
		       struct sw_state *s)
{
	uint32_t keys[SW_WIRE_MAX_KEYS];
	int64_t silent_ms = s->now_ms - c->key_ms;
	size_t n = 0;

	if (sw_wire_read_keys(m, keys, &n) < 0)
		return -EBADMSG;
	c->key_ms = s->now_ms;
	for (size_t i = 0; i < n; i++)
		handle_key(srv, c, s, keys[i], silent_ms);
	return 0;
}

/* What a plain terminal can do about itself; false: an answer for the session. */
static bool own_line(struct sw_server *srv, struct sw_conn *c, struct sw_state *s,
		     const char *text)
{
	const char *word = *text == ':' ? text + 1 : text;
	bool mine = !srv->pen || srv->pen == c;

	if (strcmp(word, SW_PLAIN_REDRAW) == 0 && (mine || word != text)) {
		sw_page_clear(&c->seen);
		return true;
	}
	if (strcmp(word, SW_PLAIN_PEN) == 0 && (!mine || word != text)) {
		take_pen(srv, c, s);
		return true;
	}
	if (mine)
		return false;
	(void)sw_buf_addf(&c->reply, _("The pen is with %s; type %s to take it.\n"),
			  srv->pen->hello.name[0] ? srv->pen->hello.name : _("another console"),
			  SW_PLAIN_PEN);
	return true;
}

static int handle_line(struct sw_server *srv, struct sw_conn *c, const struct sw_message *m,
		       struct sw_state *s)
{
	_cleanup_free_ char *text = NULL;
	int r = sw_wire_read_line(m, &text);

	if (r < 0)
		return r;
	c->answered = true;
	if (own_line(srv, c, s, text))
		return 0;
	srv->pen = c;
	set_pen(s, c);
	s->hurry = false;
	if (!sw_plain_line(s, text))
		sw_plain_help(s, &c->reply);
	return 0;
}

static int handle_message(struct sw_server *srv, struct sw_conn *c, const struct sw_message *m,
			  struct sw_state *s)
{
	if (!c->greeted) {
		if (sw_wire_read_hello(m, &c->hello) < 0)
			return -EBADMSG;
		c->greeted = true;
		if (c->hello.flags & SW_HELLO_PLAIN)
			(void)sw_buf_adds(&c->reply, _(sw_plain_greeting));
		c->key_ms = s->now_ms;
		return 0;
	}
	switch (m->type) {
	case SW_WIRE_KEYS:
		return c->hello.flags & SW_HELLO_OBSERVER ? 0 : handle_keys(srv, c, m, s);
	case SW_WIRE_LINE:
		return c->hello.flags & SW_HELLO_PLAIN ? handle_line(srv, c, m, s) : -EBADMSG;
	case SW_WIRE_SIZE:
		return sw_wire_read_size(m, &c->hello.rows, &c->hello.cols);
	case SW_WIRE_ACK:
		return sw_wire_read_ack(m, &c->acked);
	default:
		return -EBADMSG;
	}
}

/* Reads one viewer; false: it is gone, or talks nonsense. */
static bool receive(struct sw_server *srv, struct sw_conn *c, struct sw_state *s)
{
	struct sw_message m;
	char data[4096];
	bool more;
	ssize_t n;
	int r;

	while ((n = recv(c->fd, data, sizeof(data), 0)) > 0)
		if (c->in.len > INPUT_MAX || sw_buf_add(&c->in, data, (size_t)n) < 0)
			return false;
	/* Asked now: what a message makes the session do leaves its own errno. */
	more = n < 0 && (errno == EAGAIN || errno == EINTR);
	while ((r = sw_wire_next(c->in.data, c->in.len, &m)) > 0) {
		if (handle_message(srv, c, &m, s) < 0)
			return false;
		sw_wire_consume(&c->in, m.total);
	}
	return r == 0 && more;
}

bool sw_server_handle(struct sw_server *srv, const struct pollfd *fds, size_t n,
		      struct sw_state *s)
{
	bool changed = false;

	/* From the back, since a viewer that leaves moves those behind it. */
	for (size_t i = n; i-- > 1;) {
		struct sw_conn *c = srv->conns[i - 1];

		if (fds[i].revents & POLLOUT)
			flush(c);
		if (!(fds[i].revents & (POLLIN | POLLHUP | POLLERR)))
			continue;
		changed = true;
		if (!receive(srv, c, s))
			drop(srv, i - 1);
	}
	if (n && fds[0].revents & POLLIN) {
		accept_one(srv);
		changed = true;
	}
	return changed;
}

/* One size for all: the pen's, or while nobody has it what every viewer can show. */
static void size_of(const struct sw_server *srv, unsigned int *ret_rows, unsigned int *ret_cols)
{
	unsigned int rows = 0, cols = 0;

	for (size_t i = 0; i < srv->n; i++) {
		const struct sw_conn *c = srv->conns[i];

		if (!c->greeted || (c->hello.flags & (SW_HELLO_OBSERVER | SW_HELLO_PLAIN)) ||
		    (srv->pen && srv->pen != c))
			continue;
		rows = !rows || c->hello.rows < rows ? c->hello.rows : rows;
		cols = !cols || c->hello.cols < cols ? c->hello.cols : cols;
	}
	*ret_rows = rows < MIN_ROWS ? MIN_ROWS : rows;
	*ret_cols = cols < MIN_COLS ? MIN_COLS : cols;
}

static bool ready(const struct sw_conn *c)
{
	return c->greeted && c->out.len == 0 && c->sent == c->acked;
}

static void send_frame(struct sw_server *srv, struct sw_conn *c, const struct sw_frame *f)
{
	_cleanup_frame_ struct sw_frame *part = NULL;
	struct sw_frame *copy;

	c->keys = 0;
	if (!c->flags && c->shown && sw_frame_equal(c->shown, f))
		return;
	/* The rest follows when this is shown, if no key has made something else of it. */
	if (c->hurried && c->shown && !(c->flags & SW_FRAME_REDRAW))
		part = sw_frame_part(c->shown, f, SW_PART_BYTES);
	if (part)
		f = part;
	copy = sw_frame_new(f->rows, f->cols);
	if (!copy || sw_wire_frame(&c->out, f, srv->number + 1, c->flags) < 0) {
		sw_frame_free(copy);
		return;
	}
	memcpy(copy->cells, f->cells, (size_t)f->rows * f->cols * sizeof(*f->cells));
	sw_frame_cursor(copy, f->cur_row, f->cur_col);
	copy->utf8 = f->utf8;
	sw_frame_free(c->shown);
	c->shown = copy;
	c->sent = ++srv->number;
	c->flags = 0;
	flush(c);
}

/*
 * What a mirror shows: the part of the frame around the cursor that fits its
 * own screen, and in place of hints to keys that do nothing there, how to take
 * the pen.
 */
static struct sw_frame *mirror_of(const struct sw_server *srv, const struct sw_conn *c,
				  const struct sw_frame *f)
{
	unsigned int rows = c->hello.rows < f->rows ? c->hello.rows : f->rows;
	unsigned int cols = c->hello.cols < f->cols ? c->hello.cols : f->cols, top = 0;
	struct sw_frame *m = sw_frame_new(rows, cols);
	char text[160];

	if (!m)
		return NULL;
	if (m->rows > 1 && f->cur_row >= m->rows - 1)
		top = f->cur_row - (m->rows - 2);
	for (unsigned int row = 0; row + 1 < m->rows; row++)
		memcpy(m->cells + (size_t)row * m->cols,
		       f->cells + (size_t)(row + top) * f->cols, m->cols * sizeof(*m->cells));
	sw_frame_cursor(m, f->cur_row - top, f->cur_col);
	snprintf(text, sizeof(text), _("The pen is with %s; F9 or ^K takes it.  ^L redraw"),
		 srv->pen->hello.name[0] ? srv->pen->hello.name : _("another console"));
	sw_frame_put(m, m->rows - 1, 0, m->cols > 1 ? m->cols - 1 : 1, 0, text);
	return m;
}

static bool is_mirror(const struct sw_server *srv, const struct sw_conn *c)
{
	return srv->pen && c != srv->pen && !(c->hello.flags & SW_HELLO_OBSERVER);
}

/* What the others see of a screen that is for the pen's console alone. */
static struct sw_frame *veil_of(const struct sw_frame *f)
{
	struct sw_frame *v = sw_frame_new(f->rows, f->cols);

	if (v)
		sw_frame_put(v, 0, 0, v->cols, 0,
			     _("A recovery key is shown at the console with the pen. F9 or ^K "
			     "takes it."));
	return v;
}

/* A page without the pen has no question, and where the pen shows a secret no body either. */
static void guard_page(const struct sw_server *srv, const struct sw_conn *c,
		       const struct sw_state *s, struct sw_page *page)
{
	if (s->top && s->top->ops->for_pen && srv->pen != c) {
		sw_buf_clear(&page->body);
		(void)sw_buf_adds(&page->body, _("A recovery key is shown at the console with the "
					       "pen.\n"));
	}
	if (srv->pen && srv->pen != c)
		sw_buf_clear(&page->question);
}

static void send_text(struct sw_server *srv, struct sw_conn *c, struct sw_state *s)
{
	_cleanup_page_ struct sw_page page = { 0 };
	_cleanup_buf_ struct sw_buf text = { 0 };
	bool secret;

	if (sw_plain_page(s, &page) < 0)
		return;
	guard_page(srv, c, s, &page);
	secret = page.secret;
	if (c->reply.len)
		(void)sw_buf_add(&text, c->reply.data, c->reply.len);
	sw_buf_clear(&c->reply);
	if (sw_plain_news(&c->seen, &page, c->answered, &text) < 0)
		return;
	c->answered = false;
	if (!text.len ||
	    sw_wire_text(&c->out, &text, srv->number + 1, secret ? SW_TEXT_SECRET : 0) < 0)
		return;
	c->sent = ++srv->number;
	flush(c);
}

bool sw_server_shell(struct sw_server *srv, struct sw_state *s, const struct sw_wire_shell *what)
{
	struct sw_conn *c = srv->pen;

	if (!c || sw_wire_shell(&c->out, what) < 0)
		return false;
	/* What it shows afterwards is not what it showed before. */
	sw_frame_free(TAKE_PTR(c->shown));
	c->flags |= SW_FRAME_REDRAW;
	sw_page_clear(&c->seen);
	flush(c);
	sw_state_notice(s, "A shell is open on %s; its \"exit\" comes back here.",
			c->hello.name[0] ? c->hello.name : _("the console with the pen"));
	return true;
}

void sw_server_show(struct sw_server *srv, struct sw_state *s)
{
	_cleanup_frame_ struct sw_frame *f = NULL;
	unsigned int rows, cols;
	struct sw_conn *c;

	if (s->bell && srv->pen)
		srv->pen->flags |= SW_FRAME_BELL;
	s->bell = false;
	size_of(srv, &rows, &cols);
	f = sw_frame_new(rows, cols);
	if (!f)
		return;
	s->pen_serial = srv->pen && (srv->pen->hello.flags & SW_HELLO_SERIAL);
	s->pen_utf8 = srv->pen && (srv->pen->hello.flags & SW_HELLO_UTF8);
	sw_view_draw(s, f);
	for (size_t i = 0; i < srv->n; i++) {
		bool veiled = s->top && s->top->ops->for_pen && srv->conns[i] != srv->pen;
		_cleanup_frame_ struct sw_frame *mirror = NULL;

		c = srv->conns[i];
		if (!ready(c))
			continue;
		if (c->hello.flags & SW_HELLO_PLAIN) {
			send_text(srv, c, s);
			continue;
		}
		if (veiled)
			mirror = veil_of(f);
		else if (is_mirror(srv, c))
			mirror = mirror_of(srv, c, f);
		if (mirror || !veiled)
			send_frame(srv, c, mirror ? mirror : f);
	}
}
