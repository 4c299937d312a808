/* SPDX-License-Identifier: Apache-2.0 */
/* Finding journals on the disks of a machine, and describing what undo can do. */
#include <limits.h>
#include <string.h>

#include "apply/run.h"
#include "base/buf.h"
#include "base/size.h"

static int info_from_head(struct sw_journal_head *h, const struct sw_disk *d,
			  struct sw_journal_info *info)
{
	struct sw_error ignored = {};
	struct sw_plan *p = NULL;

	if (sw_plan_from_json(h->plan, &p, &ignored) < 0)
		return -EBADMSG;
	*info = (struct sw_journal_info){ .state = h->state,
					  .step = h->step ? h->step
							  : sw_plan_step_number(p, SW_STEP_JOURNAL),
					  .steps = (unsigned int)p->n_steps,
					  .undoing = h->undoing,
					  .disk_name = strdup(d->name),
					  .plan = p,
					  .time = h->time };
	info->vars = h->vars ? json_object_get(h->vars) : NULL;
	if (info->step <= p->n_steps)
		info->step_title = strdup(p->steps[info->step - 1].title);
	return info->disk_name ? 0 : -ENOMEM;
}

static int scan_disk(struct sw_machine *m, const struct sw_disk *d, struct sw_journal_info *info)
{
	_cleanup_io_ struct sw_io *io = NULL;
	struct sw_journal_head h = {};
	struct sw_error ignored = {};
	struct sw_journal j;
	int r = sw_machine_open_disk(m, d, false, false, &io, &ignored);

	if (r == 0)
		r = sw_journal_open(io, &j, &h);
	if (r == 0)
		r = info_from_head(&h, d, info);
	sw_journal_head_clear(&h);
	return r;
}

int sw_journal_scan(struct sw_machine *m, const struct sw_facts *f,
		    struct sw_journal_info **ret_infos, size_t *ret_n, struct sw_error *err)
{
	struct sw_journal_info *infos = calloc(f->n_disks + 1, sizeof(*infos));
	size_t n = 0;

	if (!infos)
		return sw_fail_oom(err);
	for (size_t i = 0; i < f->n_disks; i++)
		if (!f->disks[i].medium && scan_disk(m, &f->disks[i], &infos[n]) == 0)
			n++;
	*ret_infos = infos;
	*ret_n = n;
	return 0;
}

void sw_journal_infos_free(struct sw_journal_info *infos, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(infos[i].disk_name);
		free(infos[i].step_title);
		sw_plan_free(infos[i].plan);
		if (infos[i].vars)
			json_object_put(infos[i].vars);
	}
	free(infos);
}

static bool overlaps(uint64_t a, uint64_t a_len, uint64_t b, uint64_t b_len)
{
	return a < b + b_len && b < a + a_len;
}

/* What of an old partition the steps so far may have overwritten, in bytes. */
static uint64_t touched(const struct sw_journal_info *info, const struct sw_part *o)
{
	const struct sw_plan *p = info->plan;
	uint64_t sum = 0;

	for (size_t i = 0; i < p->n_steps; i++) {
		const struct sw_step *s = &p->steps[i];
		uint64_t from, to;

		if (s->len == 0 || (s->kind != SW_STEP_JOURNAL && i + 1 > info->step) ||
		    !overlaps(s->off, s->len, o->start, o->size))
			continue;
		from = s->off > o->start ? s->off : o->start;
		to = s->off + s->len < o->start + o->size ? s->off + s->len : o->start + o->size;
		sum += to - from;
	}
	return sum;
}

static int add_part(struct sw_buf *b, const struct sw_journal_info *info, const struct sw_part *o)
{
	uint64_t lost = touched(info, o);
	char size[16], gone[16];

	return sw_buf_addf(b, "  partition %u %s %s %s: %s%s%s\n", o->number,
			   sw_size_format(o->size, size, sizeof(size)),
			   o->label ? o->label : "", o->fs_type ? o->fs_type : "",
			   lost ? "NOT whole, up to " : "comes back whole",
			   lost ? sw_size_format(lost, gone, sizeof(gone)) : "",
			   lost ? " of it may be overwritten" : "");
}

char *sw_undo_text(const struct sw_journal_info *info)
{
	_cleanup_buf_ struct sw_buf b = {};
	const struct sw_plan *p = info->plan;
	int r = sw_buf_addf(&b, "Undo on %s (serial %s) brings back:\n"
				"  the old partition table, both copies, and the disk's first and "
				"last MiB\n",
			    info->disk_name, p->disk_serial ? p->disk_serial : "none");

	if (r == 0 && p->entries.n_writes > 0 && info->vars)
		r = sw_buf_adds(&b, "  the old boot order and boot entries\n");
	if (r == 0 && p->n_old_parts == 0)
		r = sw_buf_adds(&b, "  (the disk had no partitions)\n");
	for (size_t i = 0; i < p->n_old_parts && r == 0; i++)
		r = add_part(&b, info, &p->old_parts[i]);
	return r < 0 ? NULL : sw_buf_steal(&b);
}
