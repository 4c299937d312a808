/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking the disks for their health, through smartctl (package smartmontools)
 * where it is there. Several disks are asked side by side and none for long, so
 * one that hangs does not hold up the facts: what is not known in time stays
 * unknown.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/proc.h"
#include "disk/health.h"
#include "machine/private.h"

#define THREADS_MAX 8U
#define DISK_SECONDS 5U		/* for one disk */
#define ALL_SECONDS 10		/* after which no further disk is asked */

/* ---- stand-in ---- */

static int recorded(const struct sw_machine *m, const char *file, struct sw_disk *d)
{
	_cleanup_free_ char *path = sw_fmt("%s/%s", m->dir, file);
	_cleanup_buf_ struct sw_buf text = { .max = SW_HEALTH_JSON_MAX };

	if (!path)
		return -ENOMEM;
	int r = sw_file_read(path, &text);

	return r < 0 ? r : sw_health_parse(sw_buf_text(&text), text.len, &d->health,
					   &d->health_text);
}

static int health_standin(const struct sw_machine *m, struct sw_facts *f)
{
	int r = 0;

	for (size_t i = 0; i < m->standin->n_disks && r == 0; i++) {
		const struct sw_standin_item *item = &m->standin->disks[i];

		for (size_t k = 0; item->health && k < f->n_disks && r == 0; k++) {
			if (strcmp(f->disks[k].name, item->name) != 0)
				continue;
			r = recorded(m, item->health, &f->disks[k]);
			if (r < 0 && r != -ENOMEM)
				r = sw_facts_note(f, "health of %s: %s: %s", item->name,
						  item->health, r == -EINVAL ?
						  "this is not what smartctl --json prints" :
						  strerror(-r));
		}
	}
	return r;
}

/* ---- real ---- */

/* Virtual disks (loop, mapped, RAID, virtio, network) have no health to tell. */
static bool can_tell(const struct sw_disk *d)
{
	static const char *const with[] = { "nvme", "sata", "ata", "sas", "scsi", "usb" };
	static const char *const without[] = { "loop", "dm-", "md", "zram", "ram", "nbd", "sr" };

	for (size_t i = 0; i < ARRAY_SIZE(without); i++)
		if (strncmp(d->name, without[i], strlen(without[i])) == 0)
			return false;
	for (size_t i = 0; d->size > 0 && d->node && d->transport && i < ARRAY_SIZE(with); i++)
		if (strcmp(d->transport, with[i]) == 0)
			return true;
	return false;
}

/* A sleeping disk is not woken up for this. smartctl's exit status is bits of verdicts. */
static int ask(struct sw_disk *d)
{
	const char *argv[] = { "smartctl", "--json=c", "-H", "-A", "-i", "-n", "standby", d->node,
			       NULL };
	_cleanup_buf_ struct sw_buf text = {};
	int r = sw_proc_run(argv, NULL, DISK_SECONDS, &text);

	if (r >= 0)
		r = sw_health_parse(sw_buf_text(&text), text.len, &d->health, &d->health_text);
	/* No answer, or none that can be understood: the health stays unknown. */
	return r == -ENOMEM ? r : 0;
}

struct work {
	struct sw_facts *f;
	struct timespec start;
	atomic_size_t next;
	atomic_int result;	/* the first failure */
};

static bool too_late(const struct work *w)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec - w->start.tv_sec >= ALL_SECONDS;
}

static void *worker(void *arg)
{
	struct work *w = arg;

	for (;;) {
		size_t i = atomic_fetch_add(&w->next, 1);
		int r, none = 0;

		if (i >= w->f->n_disks || atomic_load(&w->result) < 0 || too_late(w))
			return NULL;
		r = can_tell(&w->f->disks[i]) ? ask(&w->f->disks[i]) : 0;
		if (r < 0)
			(void)atomic_compare_exchange_strong(&w->result, &none, r);
	}
}

static int health_real(struct sw_facts *f)
{
	struct work w = { .f = f };
	pthread_t threads[THREADS_MAX];
	size_t started = 0, askable = 0;

	for (size_t i = 0; i < f->n_disks; i++)
		askable += can_tell(&f->disks[i]);
	if (askable == 0 || !sw_proc_exists("smartctl"))
		return 0;
	clock_gettime(CLOCK_MONOTONIC, &w.start);
	while (started < THREADS_MAX && started + 1 < askable &&
	       pthread_create(&threads[started], NULL, worker, &w) == 0)
		started++;
	/* This thread works as well, alone when no other could be started. */
	(void)worker(&w);
	for (size_t i = 0; i < started; i++)
		(void)pthread_join(threads[i], NULL);
	return atomic_load(&w.result);
}

int sw_disks_health(const struct sw_machine *m, struct sw_facts *f)
{
	if (m->kind == SW_MACHINE_STANDIN)
		return health_standin(m, f);
	return m->kind == SW_MACHINE_REAL ? health_real(f) : 0;
}
