/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/session/progress.h"

#include <string.h>
#include <time.h>

#include "base/catalogue.h"
#include "base/size.h"

#define BAR_WIDTH 30u
#define MIN_LOG_ROWS 5u

static bool grow(struct sw_progress *run, unsigned int n)
{
	struct sw_progress_step *steps;

	if (n <= run->n_steps)
		return true;
	if (n > 1000)
		return false;
	steps = reallocarray(run->steps, n, sizeof(*steps));
	if (!steps)
		return false;
	memset(steps + run->n_steps, 0, (n - run->n_steps) * sizeof(*steps));
	run->steps = steps;
	run->n_steps = n;
	return true;
}

int sw_progress_begin(struct sw_progress *run, const struct sw_plan *plan)
{
	sw_progress_clear(run);
	run->log = calloc(SW_PROGRESS_LOG_LINES, sizeof(*run->log));
	if (!run->log)
		return -ENOMEM;
	if (!plan)
		return 0;
	if (!grow(run, (unsigned int)plan->n_steps))
		return -ENOMEM;
	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct sw_step *st = &plan->steps[i];

		snprintf(run->steps[i].title, sizeof(run->steps[i].title), "%s",
			 st->title ? st->title : "");
		run->steps[i].weight = st->weight ? st->weight : 1;
	}
	return 0;
}

void sw_progress_clear(struct sw_progress *run)
{
	if (run->log)
		for (size_t i = 0; i < SW_PROGRESS_LOG_LINES; i++)
			free(run->log[i]);
	free(run->log);
	free(run->steps);
	*run = (struct sw_progress){ 0 };
}

void sw_progress_log(struct sw_progress *run, int64_t time_ms, const char *text)
{
	time_t t = (time_t)(time_ms / 1000);
	char clock[16], line[320];
	struct tm tm;
	size_t at;

	if (!run->log)
		return;
	if (!gmtime_r(&t, &tm) || !strftime(clock, sizeof(clock), "%H:%M:%S", &tm))
		clock[0] = '\0';
	snprintf(line, sizeof(line), "%s %s", clock, text);
	at = (run->log_first + run->log_n) % SW_PROGRESS_LOG_LINES;
	free(run->log[at]);
	run->log[at] = strdup(line);
	run->log_total++;
	if (run->log_n < SW_PROGRESS_LOG_LINES)
		run->log_n++;
	else
		run->log_first = (run->log_first + 1) % SW_PROGRESS_LOG_LINES;
}

const char *sw_progress_log_line(const struct sw_progress *run, size_t i)
{
	const char *line;

	if (i >= run->log_n)
		return "";
	line = run->log[(run->log_first + i) % SW_PROGRESS_LOG_LINES];
	return line ? line : "";
}

char *sw_progress_log_text(const struct sw_progress *run)
{
	_cleanup_buf_ struct sw_buf b = { 0 };

	for (size_t i = 0; i < run->log_n; i++)
		if (sw_buf_addf(&b, "%s\n", sw_progress_log_line(run, i)) < 0)
			return NULL;
	if (!b.len && sw_buf_adds(&b, "") < 0)
		return NULL;
	return b.data ? sw_buf_steal(&b) : strdup("");
}

static void step_started(struct sw_progress *run, const struct sw_event *ev)
{
	struct sw_progress_step *st;

	if (ev->step == 0 || !grow(run, ev->step > ev->steps ? ev->step : ev->steps))
		return;
	st = &run->steps[ev->step - 1];
	if (ev->text[0])
		snprintf(st->title, sizeof(st->title), "%.*s", (int)sizeof(st->title) - 1,
			 ev->text);
	if (!st->weight)
		st->weight = ev->weight ? ev->weight : 1;
	st->state = SW_PROGRESS_STARTED;
	/* After a resume the steps before this one were done by an earlier run. */
	for (unsigned int i = 0; i + 1 < ev->step; i++)
		if (run->steps[i].state == SW_PROGRESS_WAITING)
			run->steps[i].state = SW_PROGRESS_OK;
	run->current = ev->step;
	run->done = run->size = 0;
	run->step_ms = ev->now_ms;
}

static void step_finished(struct sw_progress *run, const struct sw_event *ev)
{
	if (ev->step == 0 || ev->step > run->n_steps)
		return;
	run->steps[ev->step - 1].state = ev->result < 0 ? SW_PROGRESS_BAD : SW_PROGRESS_OK;
	if (ev->step == run->current)
		run->done = run->size = 0;
}

void sw_progress_event(struct sw_progress *run, const struct sw_event *ev)
{
	if (!run->start_ms)
		run->start_ms = ev->now_ms;
	run->last_ms = ev->now_ms;
	switch (ev->type) {
	case SW_EVENT_PLAN:
		grow(run, ev->steps);
		break;
	case SW_EVENT_START:
		step_started(run, ev);
		sw_progress_log(run, ev->time_ms, ev->text);
		break;
	case SW_EVENT_PROGRESS:
		run->done = ev->done;
		run->size = ev->size;
		break;
	case SW_EVENT_LOG:
		sw_progress_log(run, ev->time_ms, ev->text);
		break;
	case SW_EVENT_FINISH:
		step_finished(run, ev);
		break;
	case SW_EVENT_DONE:
		run->finished = true;
		run->result = ev->result;
		(void)snprintf(run->code, sizeof(run->code), "%s", ev->code);
		run->error = ev->error;
		(void)snprintf(run->node_id, sizeof(run->node_id), "%s", ev->node_id);
		(void)snprintf(run->ssh_host_key, sizeof(run->ssh_host_key), "%s",
			       ev->ssh_host_key);
		break;
	case SW_EVENT_WAIT:
	case SW_EVENT_ANSWERED:
		break;		/* of a session itself, before there is anything to watch */
	}
}

unsigned int sw_progress_permille(const struct sw_progress *run)
{
	uint64_t all = 0, done = 0;

	for (unsigned int i = 0; i < run->n_steps; i++) {
		uint64_t w = run->steps[i].weight ? run->steps[i].weight : 1;

		all += w;
		if (run->steps[i].state == SW_PROGRESS_OK)
			done += w * 1000;
		else if (i + 1 == run->current && run->size)
			done += (uint64_t)((double)w * 1000 *
					   ((double)run->done / (double)run->size));
	}
	if (run->finished && run->result == 0)
		return 1000;
	return all && done < all * 1000 ? (unsigned int)(done / all) : all ? 1000 : 0;
}

static void draw_steps(const struct sw_progress *run, struct sw_frame *f, unsigned int row,
		       unsigned int rows)
{
	static const char *const mark[] = {
		[SW_PROGRESS_WAITING] = " ", [SW_PROGRESS_STARTED] = ">",
		[SW_PROGRESS_OK] = "+", [SW_PROGRESS_BAD] = "!",
	};
	unsigned int first = 0;

	/* With more steps than rows, the running one stays in sight with its neighbours. */
	if (run->n_steps > rows && run->current > rows / 2) {
		first = run->current - rows / 2;
		if (first > run->n_steps - rows)
			first = run->n_steps - rows;
	}
	for (unsigned int i = 0; i < rows && first + i < run->n_steps; i++) {
		const struct sw_progress_step *st = &run->steps[first + i];

		sw_frame_put(f, row + i, 0, 1, 0, mark[st->state]);
		sw_frame_put(f, row + i, 2, f->cols - 2, 0, st->title);
		if (first + i + 1 == run->current)
			sw_frame_cursor(f, row + i, 0);
	}
}

static void draw_bar(const struct sw_progress *run, struct sw_frame *f, unsigned int row)
{
	unsigned int permille = sw_progress_permille(run), full = permille * BAR_WIDTH / 1000;
	int64_t total = run->last_ms - run->start_ms, in_step = run->last_ms - run->step_ms;
	char bar[BAR_WIDTH + 1], done[16], size[16], rate[16];
	unsigned int col;

	memset(bar, '-', BAR_WIDTH);
	memset(bar, '#', full);
	bar[BAR_WIDTH] = '\0';
	col = sw_frame_putf(f, row, 0, "[%s] %3u%%", bar, permille / 10);
	if (run->size && !run->finished) {
		col += sw_frame_putf(f, row, col, "  %s of %s",
				     sw_size_format(run->done, done, sizeof(done)),
				     sw_size_format(run->size, size, sizeof(size)));
		if (in_step >= 1000)
			col += sw_frame_putf(f, row, col, "  %s/s",
					     sw_size_format(run->done / (uint64_t)(in_step / 1000),
							    rate, sizeof(rate)));
	}
	if (total >= 3000 && permille >= 20 && permille < 1000 && !run->finished) {
		int64_t left = total / permille * (1000 - (int64_t)permille) / 1000;

		sw_frame_putf(f, row, col, "  %lld:%02lld left", (long long)(left / 60),
			      (long long)(left % 60));
	}
}

static void draw_log(const struct sw_progress *run, struct sw_frame *f, unsigned int row,
		     unsigned int rows)
{
	size_t first = run->log_n > rows ? run->log_n - rows : 0;

	for (unsigned int i = 0; i < rows && first + i < run->log_n; i++)
		sw_frame_put(f, row + i, 0, f->cols, 0, sw_progress_log_line(run, first + i));
}

/* Steps that have begun, then tens of the whole: what is new stands at the end. */
static void draw_lines(const struct sw_progress *run, struct sw_frame *f, unsigned int row)
{
	for (unsigned int i = 0; i < run->current && i < run->n_steps; i++)
		row += sw_frame_putf(f, row, 0, run->steps[i].state == SW_PROGRESS_BAD
						 ? N_("Step %u of %u: %s - failed")
						 : N_("Step %u of %u: %s"),
				     i + 1, run->n_steps, run->steps[i].title) ? 1 : 0;
	if (run->current)
		sw_frame_putf(f, row, 0, "%u %% of the whole",
			      sw_progress_permille(run) / 100 * 10);
}

void sw_progress_draw(const struct sw_progress *run, struct sw_frame *f, const struct sw_area *a)
{
	unsigned int steps = run->n_steps, rows = a->rows;

	if (rows < 3)
		return;
	if (f->lines) {
		draw_lines(run, f, a->row);
		return;
	}
	/* The log owns whole lines below the steps, so that the terminal can scroll it. */
	if (steps + 3 + MIN_LOG_ROWS > rows)
		steps = rows > 3 + MIN_LOG_ROWS ? rows - 3 - MIN_LOG_ROWS : 1;
	draw_steps(run, f, a->row, steps);
	draw_bar(run, f, a->row + steps + 1);
	if (rows > steps + 3)
		draw_log(run, f, a->row + steps + 3, rows - steps - 3);
}
