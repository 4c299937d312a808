/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/commands/bundle-qr.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/json.h"
#include "base/text.h"
#include "tui/session/qr-cells.h"
#include "tui/term/tty.h"

#define ROWS 24U		/* of what does not know its size */
#define COLS 80U
#define LINES_BESIDE 2U		/* above and below a code */
#define WANTED 8U		/* codes: more than this nobody reads one by one */

/*
 * Where there are no colours reverse video alone makes the ground light, where there are some it
 * is white whatever the terminal's own are.
 */
#define LIGHT "\033[0;7;37;40m"
#define DARK "\033[0;37;40m"
#define PLAIN "\033[0m"

int sw_bundle_qr_cells(const char *word, enum sw_qr_cells *ret, struct sw_error *err)
{
	*ret = !word ? SW_QR_CELLS_AUTO
		     : strcmp(word, "half") == 0 ? SW_QR_CELLS_HALF : SW_QR_CELLS_FULL;
	if (!word || *ret == SW_QR_CELLS_HALF || strcmp(word, "full") == 0)
		return 0;
	return sw_fail(err, SW_EXIT_USAGE, -EINVAL, "--cells is half or full, not \"%s\"", word);
}

struct screen {
	unsigned int rows, cols;
	bool half, terminal;
};

static struct screen look(enum sw_qr_cells cells)
{
	struct screen s = { .terminal = isatty(STDOUT_FILENO) };
	struct winsize w = {};
	bool sized = s.terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_row > 0;

	s.rows = sized ? w.ws_row : ROWS;
	s.cols = sized && w.ws_col > 0 ? w.ws_col : COLS;
	/* What is no terminal is read by one that understands UTF-8, or by a program. */
	s.half = cells == SW_QR_CELLS_AUTO
			 ? !s.terminal || (sw_tty_kind(STDOUT_FILENO) != SW_TTY_SERIAL &&
					   sw_tty_is_utf8(STDOUT_FILENO))
			 : cells == SW_QR_CELLS_HALF;
	return s;
}

/* Without a terminal only the width counts: nothing scrolls away from a file. */
static int fit(const struct screen *s, struct sw_qr_shape *ret, struct sw_error *err)
{
	const char *term = getenv("TERM");
	unsigned int rows = s->terminal || s->half ? s->rows - LINES_BESIDE : SW_FRAME_MAX_ROWS;

	if (s->terminal && (!term || strcmp(term, "dumb") == 0)) {
		sw_fail(err, SW_EXIT_MISSING, -ENOTTY, "this terminal cannot show a QR code");
		sw_error_why(err, "TERM is %s", term ? term : "not set");
		sw_error_hint(err, "--block prints the same report as text");
		return -ENOTTY;
	}
	*ret = sw_qr_fit(s->rows > LINES_BESIDE ? rows : 0, s->cols, s->half);
	if (ret->version)
		return 0;
	sw_fail(err, SW_EXIT_MISSING, -EMSGSIZE, "a QR code does not fit on this terminal");
	sw_error_why(err, s->half ? "it has %u rows and %u columns"
				  : "it has %u rows and %u columns, and no half blocks, which make "
				    "a code half as high",
		     s->rows, s->cols);
	sw_error_hint(err, s->half ? "--block prints the same report as text"
				   : "--block prints the same report as text; --cells half, when "
				     "the terminal shows UTF-8");
	return -EMSGSIZE;
}

/* ---- printing ---- */

static void print_row(const struct sw_cell *c, unsigned int cols)
{
	char utf8[4];

	for (unsigned int i = 0; i < cols; i++) {
		if (i == 0 || c[i].attr != c[i - 1].attr)
			printf("%s", c[i].attr & SW_ATTR_REVERSE ? LIGHT : DARK);
		(void)fwrite(utf8, 1, sw_utf8_encode(c[i].ch, utf8), stdout);
	}
	printf(PLAIN "\n");
}

static int print_code(const char *line, const struct sw_qr_shape *shape, bool inverted,
		      struct sw_error *err)
{
	_cleanup_frame_ struct sw_frame *f = sw_frame_new(shape->rows, shape->cols);
	_cleanup_qr_ struct sw_qr qr = {};
	int r = f ? sw_qr_make(line, shape->version, &qr, err) : sw_fail_oom(err);

	if (r < 0)
		return r;
	sw_qr_draw(f, 0, 0, &qr, shape, inverted);
	for (unsigned int row = 0; row < f->rows; row++)
		print_row(f->cells + (size_t)row * f->cols, f->cols);
	return 0;
}

/* The next to show; p->n when it is enough. */
static size_t ask(const struct sw_bundle_parts *p, size_t i, bool *inverted)
{
	_cleanup_free_ char *line = NULL;
	size_t size = 0;

	printf("Enter %s, b back, i light and dark changed, q end: ",
	       i + 1 < p->n ? "next" : "end");
	fflush(stdout);
	if (getline(&line, &size, stdin) < 0)
		return p->n;
	if (line[0] == 'q')
		return p->n;
	if (line[0] == 'b')
		return i > 0 ? i - 1 : 0;
	if (line[0] == 'i') {
		*inverted = !*inverted;
		return i;
	}
	return i + 1;
}

static int print_all(const struct sw_bundle_parts *p, const struct sw_qr_shape *shape,
		     bool inverted, struct sw_error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < p->n;) {
		printf("Report %s, code %zu of %zu", p->code, i + 1, p->n);
		if (p->left_out)
			printf(", %zu lesser findings left out", p->left_out);
		printf("\n");
		r = print_code(p->line[i], shape, inverted, err);
		i = r == 0 && sw_is_interactive() ? ask(p, i, &inverted) : i + 1;
	}
	return r;
}

static void print_json(const struct sw_bundle_parts *p)
{
	_cleanup_json_ json_object *o = json_object_new_object();

	sw_json_add_str(o, "code", p->code);
	sw_json_add(o, "parts", sw_json_strv(p->line));
	sw_json_add_u64(o, "left_out", p->left_out);
	sw_print_json(o);
}

int sw_bundle_qr_show(const struct sw_cli *cli, json_object *report, enum sw_qr_cells cells,
		      bool inverted, struct sw_error *err)
{
	const struct screen any = { .rows = ROWS, .cols = COLS, .half = true };
	struct screen s = cli->json ? any : look(cells);
	_cleanup_parts_ struct sw_bundle_parts p = {};
	struct sw_qr_shape shape;
	int r = fit(&s, &shape, err);

	if (r == 0)
		r = sw_bundle_split(report, sw_qr_room(shape.version), WANTED, &p, err);
	if (r < 0)
		return r;
	if (!cli->json)
		return print_all(&p, &shape, inverted, err);
	print_json(&p);
	return 0;
}
