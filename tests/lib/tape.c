/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/tape.h"

#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define TEAR 512u

/* ---- recording ---- */

static struct tape_op *add(struct tape *t)
{
	struct tape_op *ops = reallocarray(t->ops, t->n + 1, sizeof(*ops));

	assert_non_null(ops);
	t->ops = ops;
	memset(&ops[t->n], 0, sizeof(*ops));
	return &ops[t->n++];
}

static uint8_t *copy(const void *data, size_t len)
{
	uint8_t *p = malloc(len ? len : 1);

	assert_non_null(p);
	memcpy(p, data, len);
	return p;
}

/* Negative when this one is to fail. */
static int count(struct tape *t)
{
	size_t n = t->count++;

	return n == t->fail_at || (t->pulled && n > t->fail_at) ? -t->fail_errno : 0;
}

struct tape_io {
	struct sw_io io;
	struct sw_io *below;
	struct tape *tape;
	unsigned int disk;
};

static void note(struct tape_io *f, int kind, uint64_t off, const void *data, size_t len)
{
	struct tape_op *op;

	if (f->tape->silent)
		return;
	op = add(f->tape);
	op->kind = kind;
	op->disk = f->disk;
	op->off = off;
	op->len = len;
	op->data = data ? copy(data, len) : NULL;
}

static int tape_read(struct sw_io *io, uint64_t off, void *data, size_t len)
{
	struct tape_io *f = (struct tape_io *)io;

	if (f->tape->pulled && f->tape->count > f->tape->fail_at)
		return -f->tape->fail_errno;
	return sw_io_read(f->below, off, data, len);
}

static int tape_write(struct sw_io *io, uint64_t off, const void *data, size_t len)
{
	struct tape_io *f = (struct tape_io *)io;
	int r = count(f->tape);

	if (r < 0)
		return f->tape->lies ? 0 : r;
	note(f, TAPE_WRITE, off, data, len);
	return sw_io_write(f->below, off, data, len);
}

static int tape_zero(struct sw_io *io, uint64_t off, uint64_t len)
{
	struct tape_io *f = (struct tape_io *)io;
	int r = count(f->tape);

	if (r < 0)
		return f->tape->lies ? 0 : r;
	note(f, TAPE_WRITE, off, NULL, len);
	return sw_io_zero(f->below, off, len);
}

static int tape_discard(struct sw_io *io, uint64_t off, uint64_t len)
{
	struct tape_io *f = (struct tape_io *)io;
	int r = count(f->tape);

	if (r < 0)
		return f->tape->lies ? 0 : r;
	note(f, TAPE_WRITE, off, NULL, len);
	return sw_io_discard(f->below, off, len);
}

static int tape_flush(struct sw_io *io)
{
	struct tape_io *f = (struct tape_io *)io;
	int r = count(f->tape);

	if (r < 0)
		return r;
	note(f, TAPE_FLUSH, 0, NULL, 0);
	return sw_io_flush(f->below);
}

static int tape_drop(struct sw_io *io)
{
	return sw_io_drop(((struct tape_io *)io)->below);
}

static int tape_fd(struct sw_io *io)
{
	return sw_io_fd(((struct tape_io *)io)->below);
}

static void tape_close(struct sw_io *io)
{
	sw_io_close(((struct tape_io *)io)->below);
}

static const struct sw_io_ops tape_ops = {
	.read = tape_read, .write = tape_write, .zero = tape_zero, .discard = tape_discard,
	.flush = tape_flush, .drop = tape_drop, .fd = tape_fd, .close = tape_close,
};

static unsigned int disk_number(struct tape *t, const char *node)
{
	for (unsigned int i = 0; i < t->n_disks; i++)
		if (strcmp(t->node[i], node) == 0)
			return i;
	assert_true(t->n_disks < TAPE_DISKS);
	t->node[t->n_disks] = strdup(node);
	return t->n_disks++;
}

static void wrap(struct sw_machine *m, const struct sw_disk *d, struct sw_io **io)
{
	struct tape_io *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->io = **io;
	f->io.ops = &tape_ops;
	f->below = *io;
	f->tape = m->wrap_userdata;
	f->disk = disk_number(f->tape, d->node);
	*io = &f->io;
}

/* ---- variables ---- */

struct tape_vars {
	struct sw_varstore store;
	struct sw_varstore *below;
	struct tape *tape;
};

static void note_var(struct tape_vars *v, const struct sw_guid *guid, const char *name,
		     const void *data, size_t len, uint32_t attrs)
{
	struct tape_op *op;

	if (v->tape->silent)
		return;
	op = add(v->tape);
	op->kind = TAPE_VAR;
	op->name = strdup(name);
	op->guid = *guid;
	op->len = len;
	op->attrs = attrs;
	op->data = data && len ? copy(data, len) : NULL;
}

static int vars_get(struct sw_varstore *s, const struct sw_guid *guid, const char *name,
		    uint8_t **ret_data, size_t *ret_len, uint32_t *ret_attrs)
{
	struct sw_varstore *b = ((struct tape_vars *)s)->below;

	return b->ops->get(b, guid, name, ret_data, ret_len, ret_attrs);
}

static int vars_set(struct sw_varstore *s, const struct sw_guid *guid, const char *name,
		    const void *data, size_t len, uint32_t attrs)
{
	struct tape_vars *v = (struct tape_vars *)s;
	int r = count(v->tape);

	if (r < 0)
		return r;
	r = v->below->ops->set(v->below, guid, name, data, len, attrs);
	if (r == 0)
		note_var(v, guid, name, data, len, attrs);
	return r;
}

static int vars_del(struct sw_varstore *s, const struct sw_guid *guid, const char *name)
{
	struct tape_vars *v = (struct tape_vars *)s;
	int r = count(v->tape);

	if (r < 0)
		return r;
	r = v->below->ops->del(v->below, guid, name);
	if (r == 0)
		note_var(v, guid, name, NULL, 0, 0);
	return r;
}

static int vars_list(struct sw_varstore *s,
		     int (*fn)(const struct sw_guid *guid, const char *name, void *userdata),
		     void *userdata)
{
	struct sw_varstore *b = ((struct tape_vars *)s)->below;

	return b->ops->list(b, fn, userdata);
}

static int vars_space(struct sw_varstore *s, uint64_t *ret_total, uint64_t *ret_free)
{
	struct sw_varstore *b = ((struct tape_vars *)s)->below;

	return b->ops->space(b, ret_total, ret_free);
}

static void vars_close(struct sw_varstore *s)
{
	struct tape_vars *v = (struct tape_vars *)s;

	v->below->ops->close(v->below);
	free(v);
}

static const struct sw_varstore_ops vars_ops = {
	.get = vars_get, .set = vars_set, .del = vars_del, .list = vars_list, .space = vars_space,
	.close = vars_close,
};

void tape_attach(struct tape *t, struct sw_machine *m)
{
	struct sw_varstore *below = NULL;
	struct sw_error err = {};
	struct tape_vars *v;

	m->wrap_disk = wrap;
	m->wrap_userdata = t;
	if (sw_machine_vars(m, &below, &err) < 0)
		return;
	v = calloc(1, sizeof(*v));
	assert_non_null(v);
	v->store = (struct sw_varstore){ .ops = &vars_ops, .writable = below->writable };
	v->below = below;
	v->tape = t;
	m->vars = &v->store;
}

void tape_clear(struct tape *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free(t->ops[i].data);
		free(t->ops[i].before);
		free(t->ops[i].name);
	}
	free(t->ops);
	for (unsigned int i = 0; i < t->n_disks; i++)
		free(t->node[i]);
	*t = (struct tape){ .fail_at = SIZE_MAX };
}

/* ---- playing ---- */

uint64_t tape_seed(void)
{
	const char *given = getenv("SLIPWAY_SEED");
	struct timespec ts;
	uint64_t seed;

	clock_gettime(CLOCK_REALTIME, &ts);
	seed = given ? strtoull(given, NULL, 0)
		     : (uint64_t)ts.tv_sec * 1000003u ^ (uint64_t)ts.tv_nsec;
	print_message("# SLIPWAY_SEED=%" PRIu64 "\n", seed);
	return seed ? seed : 1;
}

static uint64_t next_random(struct tape_play *p)
{
	p->seed ^= p->seed << 13;
	p->seed ^= p->seed >> 7;
	p->seed ^= p->seed << 17;
	return p->seed >> 11;
}

/* The disk of the copied machine that stands for the tape's; both have the same file name. */
static void open_disks(struct tape_play *p)
{
	for (unsigned int i = 0; i < p->tape->n_disks; i++) {
		const char *name = strrchr(p->tape->node[i], '/');
		char path[512];

		(void)snprintf(path, sizeof(path), "%s%s", p->m->dir, name);
		assert_int_equal(sw_io_open(path, true, false, 512, &p->disk[i], NULL), 0);
	}
}

static void put(struct sw_io *io, uint64_t off, const uint8_t *data, size_t len)
{
	if (data)
		assert_int_equal(sw_io_write(io, off, data, len), 0);
	else
		assert_int_equal(sw_io_zero(io, off, len), 0);
}

static void put_var(struct tape_play *p, const struct tape_op *op)
{
	struct sw_varstore *vars = NULL;

	assert_int_equal(sw_machine_vars(p->m, &vars, NULL), 0);
	if (op->data)
		assert_int_equal(vars->ops->set(vars, &op->guid, op->name, op->data, op->len,
						op->attrs), 0);
	else
		assert_int_equal(vars->ops->del(vars, &op->guid, op->name), 0);
}

static void look(struct tape_play *p, bool ordered)
{
	p->ordered = ordered;
	p->prefixes += ordered;
	p->subsets += !ordered;
	p->judge(p, p->userdata);
}

static bool in_flight(const struct tape_op *op)
{
	return op->kind == TAPE_WRITE && op->before;
}

/* Back to what the disks hold for certain. */
static void take_back(struct tape_play *p)
{
	for (size_t i = p->at; i > 0; i--) {
		struct tape_op *op = &p->tape->ops[i - 1];

		if (in_flight(op))
			put(p->disk[op->disk], op->off, op->before, op->len);
	}
}

static void scatter(struct tape_play *p, unsigned int keep)
{
	for (size_t i = 0; i < p->at; i++) {
		struct tape_op *op = &p->tape->ops[i];

		for (size_t a = 0; in_flight(op) && a < op->len; a += TEAR) {
			size_t n = op->len - a < TEAR ? op->len - a : TEAR;

			if ((next_random(p) & 0xff) < keep)
				put(p->disk[op->disk], op->off + a, op->data ? op->data + a : NULL,
				    n);
		}
	}
}

/* A subset of what is in flight; afterwards all of it is there again. */
static void subset(struct tape_play *p)
{
	static const unsigned int keep[] = { 128, 250, 6, 200, 60, 254 };
	bool any = false;

	for (size_t i = 0; i < p->at && !any; i++)
		any = in_flight(&p->tape->ops[i]);
	if (!any)
		return;
	take_back(p);
	scatter(p, keep[next_random(p) % ARRAY_SIZE(keep)]);
	look(p, false);
	take_back(p);
	for (size_t i = 0; i < p->at; i++) {
		struct tape_op *op = &p->tape->ops[i];

		if (in_flight(op))
			put(p->disk[op->disk], op->off, op->data, op->len);
	}
}

static void play_write(struct tape_play *p, struct tape_op *op, unsigned int *n)
{
	struct sw_io *io = p->disk[op->disk];

	op->before = malloc(op->len ? op->len : 1);
	assert_non_null(op->before);
	assert_int_equal(sw_io_read(io, op->off, op->before, op->len), 0);
	/* A long run of sectors tells no more than some of them, unless all are asked for. */
	for (size_t a = 0, len; a < op->len; a += len) {
		size_t sectors = op->len > 65536 && p->every > 1 ? 64 : 1;

		len = op->len - a < sectors * TEAR ? op->len - a : sectors * TEAR;
		put(io, op->off + a, op->data ? op->data + a : NULL, len);
		if (++*n % p->every == 0)
			look(p, true);
	}
}

/* Whatever is in flight as this flush begins, in as many ways as are asked for. */
static void cut_epoch(struct tape_play *p, const struct tape_op *flush)
{
	bool any = false;

	for (size_t i = 0; i < p->at && !any; i++)
		any = p->tape->ops[i].disk == flush->disk && in_flight(&p->tape->ops[i]);
	p->epochs += any;
	for (unsigned int i = 0; any && i < p->per_epoch; i++)
		subset(p);
}

static void play_flush(struct tape_play *p, const struct tape_op *flush)
{
	cut_epoch(p, flush);
	for (size_t i = 0; i < p->at; i++) {
		struct tape_op *op = &p->tape->ops[i];

		if (op->disk == flush->disk && in_flight(op)) {
			free(op->before);
			op->before = NULL;
		}
	}
}

void tape_play(struct tape_play *p)
{
	size_t n = p->tape->n;
	unsigned int sectors = 0, drawn = 0;

	open_disks(p);
	look(p, true);
	for (p->at = 0; p->at < n;) {
		struct tape_op *op = &p->tape->ops[p->at++];

		if (op->kind == TAPE_WRITE)
			play_write(p, op, &sectors);
		else if (op->kind == TAPE_VAR)
			put_var(p, op);
		/* Evenly over the tape, just before a flush makes things certain. */
		for (; drawn < p->at * p->random / n; drawn++)
			subset(p);
		if (op->kind == TAPE_FLUSH)
			play_flush(p, op);
		if (op->kind != TAPE_WRITE)
			look(p, true);
	}
	for (unsigned int i = 0; i < p->tape->n_disks; i++) {
		p->disk[i] = sw_io_close(p->disk[i]);
	}
}
