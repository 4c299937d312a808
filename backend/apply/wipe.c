/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of a wipe, in the order that makes a power cut harmless. */
#include <string.h>

#include "apply/wipe-private.h"
#include "base/clock.h"
#include "disk/select.h"

#define CHUNK (1UL << 20)
#define DISCARD_CHUNK (1ULL << 30)
#define STRIDE_MAX (256ULL << 20)	/* at most this much is done again after a power cut */

static const uint8_t zeros[CHUNK];

void sw_wipe_tell(struct sw_wipe_run *run, uint64_t done, uint64_t size, uint64_t *told)
{
	uint64_t every = size / 1000 > CHUNK ? size / 1000 : CHUNK;
	struct sw_event ev = { .type = SW_EVENT_PROGRESS, .step = run->step, .done = done,
			       .size = size };

	if (done < *told + every && done < size)
		return;
	*told = done;
	sw_event_emit(run->sink, &ev);
}

static int failed(struct sw_wipe_run *run, struct sw_error *err, int r, const char *what,
		  uint64_t at)
{
	if (r == -ECANCELED) {
		sw_fail(err, SW_EXIT_CANCELLED, r, "stopped at byte %llu of %llu",
			(unsigned long long)at, (unsigned long long)run->io->size);
		return r;
	}
	sw_fail_errno(err, SW_EXIT_FAILED, r, "%s at byte %llu", what, (unsigned long long)at);
	sw_error_where(err, "%s", run->io->path);
	return r;
}

static int write_zeros(struct sw_wipe_run *run, uint64_t off, uint64_t len, uint64_t *ret_at)
{
	for (*ret_at = off; *ret_at < off + len;) {
		uint64_t left = off + len - *ret_at;
		size_t n = left < CHUNK ? (size_t)left : CHUNK;
		int r = sw_io_write(run->io, *ret_at, zeros, n);

		if (r < 0)
			return r;
		*ret_at += n;
	}
	return 0;
}

/* ---- the steps ---- */

/* A write that failed may still have reached the disk; only reading tells. */
static bool mark_is_absent(struct sw_wipe_run *run)
{
	struct sw_wipe_mark found;

	return !run->p->resumed && sw_io_drop(run->io) == 0 &&
	       sw_wipe_mark_read(run->io, &found) == -ENOENT;
}

static int step_mark(struct sw_wipe_run *run, struct sw_error *err)
{
	int r = sw_wipe_mark_write(run->io, &run->mark);

	run->changed = r == 0 || !mark_is_absent(run);
	if (r < 0)
		return failed(run, err, r, "the mark cannot be written", 0);
	run->first = SW_WIPE_COMMANDED;
	return 0;
}

/* Tables after what they lead to: without the mark's list they are how it is found again. */
static int erase_regions(struct sw_wipe_run *run, bool tables, struct sw_error *err)
{
	uint64_t at = 0;
	int r;

	for (size_t i = 0; i < run->p->regions.n; i++) {
		const struct sw_region *g = &run->p->regions.v[i];
		uint64_t skip = g->off == 0 ? run->io->sector : 0;

		if (g->table != tables || g->len <= skip)
			continue;
		r = write_zeros(run, g->off + skip, g->len - skip, &at);
		if (r < 0)
			return failed(run, err, r, "a signature cannot be overwritten", at);
		run->regions[i] = SW_WIPE_COMMANDED;
	}
	r = sw_io_flush(run->io);
	return r < 0 ? failed(run, err, r, "the disk's cache cannot be written", at) : 0;
}

static int step_signatures(struct sw_wipe_run *run, struct sw_error *err)
{
	int r = erase_regions(run, false, err);

	return r == 0 ? erase_regions(run, true, err) : r;
}

/* What is durable is noted in the mark, so that the next run goes on from there. */
static int note_progress(struct sw_wipe_run *run, uint64_t done, struct sw_error *err)
{
	int r = sw_io_flush(run->io);

	run->mark.done = done;
	if (r == 0)
		r = sw_wipe_mark_write(run->io, &run->mark);
	return r < 0 ? failed(run, err, r, "the mark cannot be continued", done) : 0;
}

static int zero_content(struct sw_wipe_run *run, struct sw_error *err)
{
	uint64_t size = run->io->size, at = run->mark.done, told = 0, noted, stride = size / 64;
	int r = 0;

	stride = stride > STRIDE_MAX ? STRIDE_MAX : stride < CHUNK ? CHUNK : stride;
	if (at < run->io->sector)
		at = run->io->sector;
	noted = at;
	while (at < size && r == 0) {
		/* To the next whole MiB: large aligned writes are the fast ones. */
		uint64_t end = (at / CHUNK + 1) * CHUNK;

		r = sw_event_poll(run->sink);
		if (r == 0)
			r = write_zeros(run, at, (end < size ? end : size) - at, &at);
		if (r < 0)
			return failed(run, err, r, "zeros cannot be written", at);
		sw_wipe_tell(run, at, size, &told);
		if (at - noted >= stride || at == size) {
			r = note_progress(run, at, err);
			noted = at;
		}
	}
	return r;
}

/* The first and last MiB are left out: what was written there must stay readable. */
static int discard_content(struct sw_wipe_run *run, struct sw_error *err)
{
	uint64_t end = run->io->size - CHUNK, at = run->mark.done, told = 0;
	int r = 0;

	if (at < CHUNK)
		at = CHUNK;
	end -= end % CHUNK;
	while (at < end && r == 0) {
		uint64_t n = end - at < DISCARD_CHUNK ? end - at : DISCARD_CHUNK;

		r = sw_event_poll(run->sink);
		if (r == 0)
			r = sw_io_discard(run->io, at, n);
		if (r == -EOPNOTSUPP && run->p->fall_back && run->mark.done == 0) {
			sw_event_log(run->sink, "the disk refuses to discard; writing zeros");
			run->mark.method = SW_WIPE_METHOD_ZERO;
			run->fell_back = true;
			return zero_content(run, err);
		}
		if (r < 0)
			return failed(run, err, r, "the disk cannot discard", at);
		at += n;
		sw_wipe_tell(run, at, end, &told);
		r = note_progress(run, at, err);
	}
	return r == 0 ? note_progress(run, run->io->size, err) : r;
}

static int step_content(struct sw_wipe_run *run, struct sw_error *err)
{
	int r;

	if (run->mark.method == SW_WIPE_METHOD_SECURE) {
		sw_event_log(run->sink, "this cannot be stopped until the disk is done");
		r = sw_secure_run(run->p->node, run->p->secure, run->sink, err);
	} else {
		r = run->mark.method == SW_WIPE_METHOD_ZERO ? zero_content(run, err)
							    : discard_content(run, err);
	}
	if (r == 0)
		run->content = SW_WIPE_COMMANDED;
	return r;
}

/* ---- reading back ---- */

int sw_wipe_read_zeros(struct sw_wipe_run *run, uint64_t off, uint64_t end, bool tell,
		       uint64_t *ret_at)
{
	_cleanup_free_ uint8_t *buf = malloc(CHUNK);
	uint64_t told = 0;

	if (!buf)
		return -ENOMEM;
	for (uint64_t at = off; at < end;) {
		size_t n = end - at < CHUNK ? (size_t)(end - at) : CHUNK;
		int r = sw_event_poll(run->sink);

		*ret_at = at;
		if (r == 0)
			r = sw_io_read(run->io, at, buf, n);
		if (r < 0)
			return r;
		if (memcmp(buf, zeros, n) != 0) {
			for (size_t i = 0; i < n && buf[i] == 0; i++)
				(*ret_at)++;
			return 1;
		}
		at += n;
		if (tell)
			sw_wipe_tell(run, at, end, &told);
	}
	return 0;
}

static int differs(struct sw_wipe_run *run, struct sw_error *err, uint64_t at)
{
	run->differs = at;
	sw_fail(err, SW_EXIT_VERIFY, -EBADMSG, "the disk does not read back as erased at byte %llu",
		(unsigned long long)at);
	sw_error_where(err, "%s", run->io->path);
	sw_error_hint(err, "the disk loses writes: do not give it away; destroy it");
	return -EBADMSG;
}

static int verify_regions(struct sw_wipe_run *run, struct sw_error *err)
{
	for (size_t i = 0; i < run->p->regions.n; i++) {
		const struct sw_region *g = &run->p->regions.v[i];
		uint64_t skip = g->off == 0 ? run->io->sector : 0, at = 0;
		int r = sw_wipe_read_zeros(run, g->off + skip, g->off + g->len, false, &at);

		if (r < 0)
			return failed(run, err, r, "cannot read back", at);
		run->regions[i] = r == 0 ? SW_WIPE_VERIFIED : SW_WIPE_DIFFERS;
		if (r > 0)
			return differs(run, err, at);
	}
	return 0;
}

/* Only zeros that were written must read as zeros; after other methods it is a bonus. */
static int verify_content(struct sw_wipe_run *run, struct sw_error *err)
{
	uint64_t at = 0;
	int r = sw_wipe_read_zeros(run, run->io->sector, run->io->size, true, &at);

	if (r < 0)
		return failed(run, err, r, "cannot read back", at);
	if (r == 0) {
		run->content = SW_WIPE_VERIFIED;
		return 0;
	}
	if (run->mark.method == SW_WIPE_METHOD_ZERO) {
		run->content = SW_WIPE_DIFFERS;
		return differs(run, err, at);
	}
	run->differs = at;
	sw_event_log(run->sink, "the disk accepted the command, but does not read as zeros from "
				"byte %llu on", (unsigned long long)at);
	return 0;
}

static int step_verify(struct sw_wipe_run *run, struct sw_error *err)
{
	int r = sw_io_drop(run->io);

	if (r < 0)
		return failed(run, err, r, "the page cache cannot be dropped", 0);
	r = verify_regions(run, err);
	if (r == 0 && run->p->verify == SW_WIPE_VERIFY_ALL &&
	    run->mark.method != SW_WIPE_METHOD_SIGNATURES)
		r = verify_content(run, err);
	return r;
}

static int step_clear(struct sw_wipe_run *run, struct sw_error *err)
{
	uint64_t at = 0;
	int r = write_zeros(run, 0, run->io->sector, &at);

	if (r == 0)
		r = sw_io_flush(run->io);
	if (r == 0)
		r = sw_io_drop(run->io);
	if (r < 0)
		return failed(run, err, r, "the mark cannot be removed", 0);
	r = sw_wipe_read_zeros(run, 0, run->io->sector, false, &at);
	if (r < 0)
		return failed(run, err, r, "cannot read back", at);
	run->first = r == 0 ? SW_WIPE_VERIFIED : SW_WIPE_DIFFERS;
	return r == 0 ? 0 : differs(run, err, at);
}

/* ---- the run ---- */

struct step {
	const char *id, *title;
	unsigned int weight;
	int (*fn)(struct sw_wipe_run *run, struct sw_error *err);
};

static const struct step mark = { "mark", "Make the old table unreadable", 1, step_mark },
	signatures = { "signatures", "Erase tables and signatures", 2, step_signatures },
	zero = { "content", "Write zeros", 60, step_content },
	discard = { "content", "Tell the disk to discard everything", 10, step_content },
	secure = { "content", "The disk erases itself", 60, step_content },
	verify = { "verify", "Read back", 30, step_verify },
	clear = { "clear", "Remove the mark", 1, step_clear };

/* A disk that forgets may bring old blocks back, so what must be gone is overwritten after it. */
static const struct step *const of_zero[] = { &mark, &signatures, &zero, &verify, &clear, NULL };
static const struct step *const of_discard[] = { &mark, &discard, &signatures, &verify, &clear,
						 NULL };
static const struct step *const of_secure[] = { &mark, &secure, &signatures, &verify, &clear,
						NULL };
static const struct step *const of_signatures[] = { &mark, &signatures, &verify, &clear, NULL };

static const struct step *const *steps_of(enum sw_wipe_method method)
{
	switch (method) {
	case SW_WIPE_METHOD_ZERO:
		return of_zero;
	case SW_WIPE_METHOD_SECURE:
		return of_secure;
	case SW_WIPE_METHOD_SIGNATURES:
		return of_signatures;
	default:
		return of_discard;
	}
}

static int run_step(struct sw_wipe_run *run, const struct step *s, unsigned int n,
		    struct sw_error *err)
{
	struct sw_event ev = { .type = SW_EVENT_START, .step = run->step, .steps = n,
			       .weight = s->weight };
	int r = sw_event_poll(run->sink);

	if (r < 0)
		return failed(run, err, r, s->title, 0);
	(void)snprintf(ev.id, sizeof(ev.id), "%s", s->id);
	(void)snprintf(ev.text, sizeof(ev.text), "%s", s->title);
	sw_event_emit(run->sink, &ev);
	r = s->fn(run, err);
	ev.type = SW_EVENT_FINISH;
	ev.result = r;
	sw_event_emit(run->sink, &ev);
	return r;
}

static void mark_dirty(struct sw_wipe_run *run, struct sw_error *err)
{
	if (!run->changed || err->exit == SW_EXIT_VERIFY)
		return;
	err->exit = SW_EXIT_DIRTY;
	if (run->first == SW_WIPE_NOT_DONE)
		sw_error_hint(err, "whether anything was written is not known; look at `slipway "
				   "disks`, and run the same `slipway wipe` again");
	sw_error_hint(err, "what is on the disk is lost, and the disk says so; the same `slipway "
			   "wipe` again goes on");
}

static int run_steps(struct sw_wipe_run *run, struct sw_error *err)
{
	const struct step *const *steps = steps_of(run->mark.method);
	struct sw_event ev = { .type = SW_EVENT_PLAN };
	int r = 0;

	while (steps[ev.steps])
		ev.steps++;
	(void)snprintf(ev.text, sizeof(ev.text), "Wiping");
	sw_event_emit(run->sink, &ev);
	for (unsigned int i = 0; i < ev.steps && r == 0; i++) {
		run->step = i + 1;
		r = run_step(run, steps[i], ev.steps, err);
	}
	if (r < 0)
		mark_dirty(run, err);
	return r;
}

static bool same_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

/* The disk that was looked at and confirmed, with the table that was shown. */
static const struct sw_disk *find(const struct sw_wipe_plan *p, const struct sw_facts *f)
{
	for (size_t i = 0; i < f->n_disks; i++) {
		const struct sw_disk *d = &f->disks[i];

		if (same_text(d->name, p->name) && same_text(d->serial, p->serial) &&
		    same_text(d->wwn, p->wwn) && d->size == p->size && d->sector == p->sector &&
		    d->diskseq == p->diskseq && same_text(d->table.digest, p->digest) &&
		    !sw_disk_excluded(d, 0))
			return d;
	}
	return NULL;
}

static int changed_since(const struct sw_wipe_plan *p, struct sw_error *err)
{
	sw_fail(err, SW_EXIT_REFUSED, -ESTALE, "the disk is not as it was when it was confirmed");
	sw_error_where(err, "%s", p->node);
	sw_error_why(err, "another disk, another table, or it is in use now");
	sw_error_hint(err, "nothing was written; look at `slipway disks` and start again");
	return -ESTALE;
}

/* Asked before the disk was looked into, so that find() can decide afterwards. */
static bool is_named(const struct sw_disk *d, void *arg)
{
	const struct sw_wipe_plan *p = arg;

	return same_text(d->name, p->name) && same_text(d->serial, p->serial);
}

static int look(struct sw_wipe_run *run, struct sw_facts **ret_facts, struct sw_error *err)
{
	return sw_machine_facts_only(run->m, is_named, (void *)run->p, ret_facts, err);
}

/* Locks first and looks afterwards, so that nothing can change between look and write. */
static int open_disk(struct sw_wipe_run *run, struct sw_facts **ret_facts,
		     const struct sw_disk **ret_disk, struct sw_error *err)
{
	_cleanup_facts_ struct sw_facts *before = NULL;
	const struct sw_disk *d;
	int r = look(run, &before, err);

	if (r < 0)
		return r;
	d = find(run->p, before);
	if (!d)
		return changed_since(run->p, err);
	r = sw_machine_open_disk(run->m, d, true, true, &run->io, err);
	if (r == 0)
		r = look(run, ret_facts, err);
	if (r < 0)
		return r;
	*ret_disk = find(run->p, *ret_facts);
	return *ret_disk ? 0 : changed_since(run->p, err);
}

static int execute(struct sw_wipe_run *run, struct sw_error *err)
{
	_cleanup_facts_ struct sw_facts *f = NULL;
	const struct sw_disk *d = NULL;
	int r = open_disk(run, &f, &d, err);

	if (r == 0)
		r = run_steps(run, err);
	/* The lock goes first: udev waits for it, and settling waits for udev. */
	run->io = sw_io_close(run->io);
	if (d && run->changed)
		(void)sw_machine_settle(run->m, d);
	return r;
}

static void report(struct sw_wipe_run *run, int r, json_object **ret_report, struct sw_error *err)
{
	_cleanup_json_ json_object *o = sw_wipe_report(run, r, err);
	int saved = run->p->report ? sw_wipe_report_save(run->p->report, o) : 0;

	if (saved < 0)
		sw_event_log(run->sink, "warning: the report cannot be saved to %s: %s",
			     run->p->report, strerror(-saved));
	if (ret_report)
		*ret_report = TAKE_PTR(o);
}

int sw_wipe_run(struct sw_machine *m, const struct sw_wipe_plan *p, const struct sw_sink *sink,
		json_object **ret_report, struct sw_error *err)
{
	struct sw_wipe_run run = { .m = m, .p = p, .sink = sink, .mark = p->mark,
				   .started = sw_wall_s() };
	struct sw_event done = { .type = SW_EVENT_DONE };
	struct sw_error mine = {};
	int r;

	run.regions = calloc(p->regions.n + 1, sizeof(*run.regions));
	r = run.regions ? execute(&run, &mine) : sw_fail_oom(&mine);
	if (run.regions)
		report(&run, r, ret_report, &mine);
	free(run.regions);
	done.step = done.steps = run.step;
	done.result = r;
	done.error = mine;
	(void)snprintf(done.text, sizeof(done.text), "%s", r < 0 ? "The wipe failed" : "Wiped");
	sw_event_emit(sink, &done);
	if (err && r < 0)
		*err = mine;
	return r;
}
