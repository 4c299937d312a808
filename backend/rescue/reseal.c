/* SPDX-License-Identifier: Apache-2.0 */
#include "rescue/reseal.h"

#include <string.h>

#include "base/file.h"
#include "boot/secrets.h"
#include "disk/luks.h"
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

int sw_reseal_find(const struct sw_facts *f, const char *disk, const char *label,
		   const struct sw_disk **ret_disk, const struct sw_part **ret_part,
		   struct sw_error *err)
{
	const struct sw_part *found = NULL;
	const struct sw_disk *on = NULL;

	for (size_t i = 0; i < f->n_disks; i++) {
		const struct sw_disk *d = &f->disks[i];

		for (size_t k = 0; is_disk(d, disk) && k < d->table.n_parts; k++) {
			const struct sw_part *p = &d->table.parts[k];

			if (!p->label || strcmp(p->label, label) != 0)
				continue;
			if (found) {
				sw_fail(err, SW_EXIT_REFUSED, -ENOTUNIQ,
					"several partitions are called \"%s\"", label);
				sw_error_where(err, "%s and %s", on->name, d->name);
				sw_error_hint(err, "--disk NAME says which");
				return -ENOTUNIQ;
			}
			found = p;
			on = d;
		}
	}
	if (!found)
		return not_found(disk, label, err);
	if (!sw_part_holds(found, SW_FS_LUKS)) {
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
	struct sw_io *disk, *part;
	struct sw_sealed sealed;
	struct sw_secret *secret;
	struct sw_luks_slots slots;
};

static void job_clear(struct job *j)
{
	sw_secret_free(j->secret);
	sw_io_close(j->part);
	sw_io_close(j->disk);
	if (j->dir)
		(void)sw_remove_tree(j->dir);
	free(j->dir);
	free(j->file);
	free(j->log);
	json_object_put(j->signatures);
}

static int open_part(struct job *j, struct sw_error *err)
{
	const struct sw_part *p = j->w->part;
	int r = sw_machine_open_disk(j->w->m, j->w->disk, true, true, &j->disk, err);

	if (r < 0)
		return r;
	r = p->size > SW_LUKS_HEADER ? sw_io_window(j->disk, p->start, p->size, &j->part) : -ERANGE;
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_REFUSED, r, "the partition holds no such header");
	(void)snprintf(j->part->path, sizeof(j->part->path), "%.200s, partition %u",
		       j->w->disk->name, p->number);
	return sw_luks_read_header(j->part, j->file, err);
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

	(void)sw_luks_seals(j->part, &seals, &n);
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
		r = open_part(j, err);
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
		   int (*use)(struct sw_io *part, const char *file, void *arg), void *arg,
		   struct sw_error *err)
{
	_cleanup_(job_clear) struct job j = { .w = w };
	struct sw_resealed done = {};
	int r = prepare(&j, &done, err);

	if (r == 0)
		r = sw_luks_reseal(j.file, w->key, j.secret, &j.sealed, &j.slots, err);
	if (r == 0)
		r = sw_luks_drop_seals(j.file, &j.slots, j.sealed.later ? &j.sealed : NULL,
				       &done.removed, &done.kept, err);
	return r == 0 ? use(j.part, j.file, arg) : r;
}

int sw_reseal_run(const struct sw_reseal *w, struct sw_resealed *ret_done, struct sw_error *err)
{
	_cleanup_(job_clear) struct job j = { .w = w };
	struct sw_resealed done = {};
	int r = prepare(&j, &done, err);

	if (r == 0)
		r = sw_luks_reseal(j.file, w->key, j.secret, &j.sealed, &j.slots, err);
	if (r == 0)
		r = sw_luks_write_header(j.part, j.file, err);
	if (r == 0)
		r = sw_luks_drop_seals(j.file, &j.slots, j.sealed.later ? &j.sealed : NULL,
				       &done.removed, &done.kept, err);
	if (r == 0 && (done.removed || done.kept))
		r = sw_luks_write_header(j.part, j.file, err);
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
