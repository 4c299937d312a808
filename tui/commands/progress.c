/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events as lines. The child that installs is in its own session: a lost
 * terminal kills this process at most, never the install. ^C is passed on as a
 * request to stop, and what comes back is still waited for, since "stopped" and
 * "stopped after a change" differ.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/size.h"
#include "tui/commands/common.h"

#define QUIET_MS 10000
#define PERCENT_STEP 10

static volatile sig_atomic_t child;

static void on_stop(int sig SW_UNUSED)
{
	if (child > 0)
		(void)kill((pid_t)child, SIGTERM);
}

static void catch_signals(void)
{
	struct sigaction stop = { .sa_handler = on_stop };	/* no SA_RESTART: reads return */
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGHUP, &ignore, NULL);
}

static void print_percent(struct sw_printer *p, const struct sw_event *ev)
{
	unsigned int percent = ev->size ? (unsigned int)(ev->done * 100.0 / ev->size) : 0;
	int64_t ms;
	char done[16], size[16], rate[16];

	if (p->first_ms == 0) {
		p->first_ms = ev->now_ms;
		p->first_done = ev->done;
	}
	ms = ev->now_ms - p->first_ms;
	if (percent < p->percent + PERCENT_STEP && ev->now_ms < p->last_ms + QUIET_MS)
		return;
	p->percent = percent - percent % PERCENT_STEP;
	p->last_ms = ev->now_ms;
	fprintf(p->out, "       %3u %%  %s of %s", percent,
		sw_size_format(ev->done, done, sizeof(done)),
		sw_size_format(ev->size, size, sizeof(size)));
	/* Over less than a second it would be the speed of the cache. */
	if (ms >= 1000) {
		uint64_t second = (ev->done - p->first_done) / (uint64_t)ms * 1000;

		fprintf(p->out, ", %s/s", sw_size_format(second, rate, sizeof(rate)));
	}
	fprintf(p->out, "\n");
}

void sw_print_event(struct sw_printer *p, const struct sw_event *ev)
{
	switch (ev->type) {
	case SW_EVENT_START:
		p->percent = 0;
		p->first_ms = 0;
		p->last_ms = ev->now_ms;
		fprintf(p->out, "%3u/%u  %s\n", ev->step, ev->steps, ev->text);
		break;
	case SW_EVENT_PROGRESS:
		print_percent(p, ev);
		break;
	case SW_EVENT_LOG:
		p->last_ms = ev->now_ms;
		fprintf(p->out, "       %s\n", ev->text);
		break;
	case SW_EVENT_DONE:
		if (ev->result == 0 && ev->node_id[0])
			fprintf(p->out, "Node id %s (its TPM's endorsement key)\n", ev->node_id);
		if (ev->result == 0 && ev->ssh_host_key[0])
			fprintf(p->out, "SSH host key %s (Ed25519)\n", ev->ssh_host_key);
		if (ev->result == 0)
			fprintf(p->out, "Done.\n");
		else if (ev->code[0])
			fprintf(p->out, "Failed, code %s.\n", ev->code);
		break;
	case SW_EVENT_PLAN:
	case SW_EVENT_FINISH:
	case SW_EVENT_WAIT:
	case SW_EVENT_ANSWERED:
		break;
	}
}

/* o: as it came, which may say more than an event has room for. */
static void print_event(struct sw_printer *p, json_object *o, const struct sw_event *ev)
{
	if (ev->type == SW_EVENT_DONE && ev->result < 0)
		p->error = ev->error;
	if (p->json)
		printf("%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_NOSLASHESCAPE));
	else
		sw_print_event(p, ev);
	fflush(p->out);
}

static void print_line(struct sw_printer *p, const char *line)
{
	_cleanup_json_ json_object *o = NULL;
	struct sw_event ev;

	if (sw_json_parse(line, strlen(line), "events", &o, NULL) < 0)
		return;
	if (sw_event_from_json(o, &ev) == 0)
		print_event(p, o, &ev);
}

static void read_events(int fd, struct sw_printer *p)
{
	_cleanup_fclose_ FILE *f = fdopen(fd, "r");
	_cleanup_free_ char *line = NULL;
	size_t size = 0;

	if (!f) {
		close(fd);
		return;
	}
	for (;;) {
		if (getline(&line, &size, f) > 0) {
			print_line(p, line);
			continue;
		}
		if (!ferror(f) || errno != EINTR)
			return;
		clearerr(f);
	}
}

/* The events say why; the status only counts when they could not. */
static int child_failed(const struct sw_printer *p, int status, struct sw_error *err)
{
	if (p->error.r != 0) {
		*err = p->error;
		return p->error.r;
	}
	if (WIFSIGNALED(status)) {
		sw_fail(err, SW_EXIT_DIRTY, -EINTR, "the installing process was ended by signal %d",
			WTERMSIG(status));
	} else {
		sw_fail(err, (enum sw_exit)WEXITSTATUS(status), -EIO,
			"the installing process ended with status %d", WEXITSTATUS(status));
	}
	sw_error_hint(err, "`slipway status` says how far it came; `slipway resume` goes on, "
			   "`slipway undo` takes it back");
	return err->r;
}

int sw_follow(const struct sw_cli *cli, pid_t pid, int fd, struct sw_error *err)
{
	struct sw_printer p = { .out = stdout, .json = cli->json };
	int status = 0;

	child = pid;
	catch_signals();
	read_events(fd, &p);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return sw_fail_errno(err, SW_EXIT_INTERNAL, -errno,
					     "the installing process is lost");
	child = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return child_failed(&p, status, err);
}
