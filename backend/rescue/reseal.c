/* SPDX-License-Identifier: Apache-2.0 */
#include "rescue/reseal.h"

#include <string.h>

#include "base/file.h"
#include "boot/secrets.h"
#include "disk/luks.h"
#include "disk/mdraid.h"
#include "tpm/pcrs.h"
#include "tpm/seal.h"

/* ---- which partition ---- */

static bool is_disk(const struct sw_disk *d, const char *name)
{
	return !name || strcmp(d->name, name) == 0;
}

static int not_found(const char *disk, const char *label, struct sw_error *err)
{
	sw_fail(err, SW_EXIT_MISSING, -ENOENT, "there is no partition \"%s\"%s%s", label,
		disk ? " on " : "", disk ? disk : "");
	sw_error_hint(err, "`slipway disks` shows what is there; a partition can be named");
	return -ENOENT;
}

int sw_reseal_enter(struct sw_io *disk, const struct sw_part *p, struct sw_io **ret_io)
{
	uint64_t start = p->start, size = p->size;
	int r = sw_part_holds(p, SW_FS_RAID) ? sw_md_enter(disk, &start, &size) : 0;

	return r < 0 ? r : sw_io_window(disk, start, size, ret_io);
}

int sw_reseal_seals(struct sw_machine *m, const struct sw_disk *d, const struct sw_part *p,
		    struct sw_luks_seal **ret_seals, size_t *ret_n)
{
	_cleanup_io_ struct sw_io *disk = NULL, *io = NULL;
	int r = sw_machine_open_disk(m, d, false, false, &disk, NULL);

	if (r == 0)
		r = sw_reseal_enter(disk, p, &io);
	return r < 0 ? r : sw_luks_seals(io, ret_seals, ret_n);
}

static bool is_encrypted(struct sw_machine *m, const struct sw_disk *d, const struct sw_part *p)
{
	struct sw_luks_seal *seals = NULL;
	size_t n = 0;
	bool is = sw_part_holds(p, SW_FS_LUKS) ||
		  (sw_part_holds(p, SW_FS_RAID) && sw_reseal_seals(m, d, p, &seals, &n) == 0);

	sw_luks_seals_free(seals, n);
	return is;
}

static int several(const char *label, const char *one, const char *other, struct sw_error *err)
{
	sw_fail(err, SW_EXIT_REFUSED, -ENOTUNIQ, "several partitions are called \"%s\"", label);
	sw_error_where(err, "%s and %s", one, other);
	sw_error_hint(err, "--disk NAME says which");
	return -ENOTUNIQ;
}

int sw_reseal_find(struct sw_machine *m, const struct sw_facts *f, const char *disk,
		   const char *label, const struct sw_disk **ret_disk,
		   const struct sw_part **ret_part, struct sw_error *err)
{
	const struct sw_part *found = NULL;
	const struct sw_disk *on = NULL;

	for (size_t i = 0; i < f->n_disks; i++) {
		const struct sw_disk *d = &f->disks[i];

		for (size_t k = 0; is_disk(d, disk) && k < d->table.n_parts; k++) {
			const struct sw_part *p = &d->table.parts[k];

			if (!p->label || strcmp(p->label, label) != 0)
				continue;
			if (found && sw_mirror_same(m, on, found, d, p))
				continue;
			if (found)
				return several(label, on->name, d->name, err);
			found = p;
			on = d;
		}
	}
	if (!found)
		return not_found(disk, label, err);
	if (!is_encrypted(m, on, found)) {
		sw_fail(err, SW_EXIT_REFUSED, -EMEDIUMTYPE, "\"%s\" is not encrypted", label);
		sw_error_where(err, "%s, partition %u", on->name, found->number);
		return -EMEDIUMTYPE;
	}
	*ret_disk = on;
	*ret_part = found;
	return 0;
}

/* ---- the seal ---- */

struct job {
	const struct sw_reseal *w;
	const char *tcti;
	char *dir, *file, *log;
	json_object *signatures;
	struct sw_io *disks[SW_MIRROR_MAX], *parts[SW_MIRROR_MAX];	/* of w->places */
	struct sw_sealed sealed;
	struct sw_secret *secret;
	struct sw_luks_slots slots;
};

static void job_clear(struct job *j)
{
	sw_secret_free(j->secret);
	for (size_t i = 0; i < SW_MIRROR_MAX; i++) {
		sw_io_close(j->parts[i]);
		sw_io_close(j->disks[i]);
	}
	if (j->dir)
		(void)sw_remove_tree(j->dir);
	free(j->dir);
	free(j->file);
	free(j->log);
	json_object_put(j->signatures);
}

static int open_part(struct job *j, size_t i, struct sw_error *err)
{
	const struct sw_mirror *at = &j->w->places;
	int r = sw_machine_open_disk(j->w->m, at->v[i].disk, true, true, &j->disks[i], err);

	if (r < 0)
		return r;
	r = at->size > SW_LUKS_HEADER
		    ? sw_io_window(j->disks[i], at->v[i].start, at->size, &j->parts[i]) : -ERANGE;
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_REFUSED, r, "the partition holds no such header");
	(void)snprintf(j->parts[i]->path, sizeof(j->parts[i]->path), "%.100s, %s of %.40s",
		       at->v[i].disk->name, at->n > 1 ? "the member" : "the partition",
		       j->w->part->label ? j->w->part->label : "?");
	return 0;
}

static int open_parts(struct job *j, struct sw_error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < j->w->places.n; i++)
		r = open_part(j, i, err);
	return r == 0 ? sw_luks_read_header(j->parts[0], j->file, err) : r;
}

static int other_value(struct sw_error *err)
{
	sw_fail(err, SW_EXIT_REFUSED, -ESTALE, "the TPM's PCR 7 is not what the event log says");
	sw_error_why(err, "something was measured that the log does not have, so the node's PCR 7 "
			  "cannot be told from it");
	sw_error_hint(err, "restart and try again, or seal on the node itself");
	return -ESTALE;
}

static int value_now(struct job *j, uint8_t value[static 32], struct sw_error *err)
{
	_cleanup_free_ struct sw_tpm_pcrs *now = calloc(1, sizeof(*now));
	int r = now ? sw_tpm_read_pcrs(j->tcti, now, err) : sw_fail_oom(err);
	const struct sw_tpm_bank *bank;

	bank = r == 0 ? sw_tpm_sha256_bank(now) : NULL;
	if (bank && bank->has[7])
		memcpy(value, bank->value[7], 32);
	return r;
}

/* Who signs for it so far stays its signer. */
static int keep_signer(struct job *j, struct sw_pcr_key *key, struct sw_seal_signer *by,
		       struct sw_error *err)
{
	struct sw_luks_seal *seals = NULL;
	size_t n = 0;

	(void)sw_luks_seals(j->parts[0], &seals, &n);
	for (size_t i = 0; i < n && !by->key; i++) {
		if (!seals[i].sealed.signer.pcrs)
			continue;
		*key = seals[i].sealed.signer;
		by->key = key;
	}
	sw_luks_seals_free(seals, n);
	if (!by->key)
		return 0;
	if (sw_secrets_signatures(j->w->m, NULL, &j->signatures, err) < 0)
		return -ENOMEM;
	by->signatures = j->signatures;
	return 0;
}

static int prepare(struct job *j, struct sw_resealed *done, struct sw_error *err)
{
	const struct sw_pcr7 *p = j->w->pcr7;
	struct sw_seal_signer by = {};
	struct sw_pcr_key key;
	int r = sw_scratch_new("slipway-reseal", &j->dir);

	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot make a scratch directory");
	j->file = sw_fmt("%s/luks-header", j->dir);
	j->log = sw_machine_tpm_log(j->w->m);
	if (!j->file)
		return sw_fail_oom(err);
	by.log = j->log;
	r = sw_machine_tcti(j->w->m, &j->tcti, err);
	if (r == 0)
		r = open_parts(j, err);
	if (r == 0)
		r = keep_signer(j, &key, &by, err);
	if (r == 0)
		r = sw_tpm_seal_tried(j->tcti, SW_TPM_PCRS_DEFAULT, p, &by, &j->sealed, &j->secret,
				      err);
	if (r < 0)
		return r;
	if (j->sealed.later && p)
		memcpy(done->pcr7, p->node, sizeof(done->pcr7));
	else
		r = value_now(j, done->pcr7, err);
	/* What is sealed to another value than was asked for would open for nobody. */
	if (r == 0 && p && memcmp(done->pcr7, p->node, sizeof(p->node)) != 0)
		r = other_value(err);
	return r;
}

int sw_reseal_make(const struct sw_reseal *w,
		   int (*use)(struct sw_io *const *at, size_t n, const char *file, void *arg),
		   void *arg, struct sw_error *err)
{
	_cleanup_(job_clear) struct job j = { .w = w };
	struct sw_resealed done = {};
	int r = prepare(&j, &done, err);

	if (r == 0)
		r = sw_luks_reseal(j.file, w->key, j.secret, &j.sealed, &j.slots, err);
	if (r == 0)
		r = sw_luks_drop_seals(j.file, &j.slots, j.sealed.later ? &j.sealed : NULL,
				       &done.removed, &done.kept, err);
	return r == 0 ? use(j.parts, w->places.n, j.file, arg) : r;
}

int sw_reseal_run(const struct sw_reseal *w, struct sw_resealed *ret_done, struct sw_error *err)
{
	_cleanup_(job_clear) struct job j = { .w = w };
	struct sw_resealed done = {};
	int r = prepare(&j, &done, err);

	if (r == 0)
		r = sw_luks_reseal(j.file, w->key, j.secret, &j.sealed, &j.slots, err);
	if (r == 0)
		r = sw_luks_write_headers(j.parts, w->places.n, j.file, err);
	if (r == 0)
		r = sw_luks_drop_seals(j.file, &j.slots, j.sealed.later ? &j.sealed : NULL,
				       &done.removed, &done.kept, err);
	if (r == 0 && (done.removed || done.kept))
		r = sw_luks_write_headers(j.parts, w->places.n, j.file, err);
	if (r < 0) {
		if (err->exit == SW_EXIT_DIRTY)
			sw_error_hint(err, "the key that was given still opens it; look at the "
					   "disk, then seal it again");
		return r;
	}
	done.measured = j.sealed.measured;
	done.later = j.sealed.later;
	*ret_done = done;
	return 0;
}
