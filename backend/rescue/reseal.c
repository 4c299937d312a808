/* SPDX-License-Identifier: Apache-2.0 */
#include "rescue/reseal.h"

#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "boot/uki.h"
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
	if (!found->fs_type || strcmp(found->fs_type, "crypto_LUKS") != 0) {
		sw_fail(err, SW_EXIT_REFUSED, -EMEDIUMTYPE, "\"%s\" is not encrypted", label);
		sw_error_where(err, "%s, partition %u", on->name, found->number);
		return -EMEDIUMTYPE;
	}
	*ret_disk = on;
	*ret_part = found;
	return 0;
}

/* ---- which PCR 7 ---- */

int sw_pcr7_failed(int r, const char *image, struct sw_error *err)
{
	sw_fail(err, r == -EOPNOTSUPP ? SW_EXIT_MISSING : SW_EXIT_VERIFY, r,
		"the PCR 7 of this image cannot be told");
	sw_error_where(err, "%s", image);
	if (r == -ENOKEY) {
		sw_error_why(err, "Secure Boot is on, and no certificate in its db is above the "
				  "image's signer: the firmware starts it only if it knows its "
				  "hash");
		sw_error_hint(err, "sign it with a key that this machine's db trusts");
	} else if (r == -EOPNOTSUPP) {
		sw_error_why(err, "this firmware measures the entries of db in a way of its own");
	} else {
		sw_error_why(err, "the log says nothing of PCR 7 in the sha256 bank");
	}
	return r;
}

/* The whole slot that starts first as long as nobody changes that. */
static const struct sw_node_slot *first_slot(const struct sw_node *n)
{
	const struct sw_node_slot *best = NULL;

	for (size_t i = 0; i < n->n_slots; i++) {
		const struct sw_node_slot *s = &n->slots[i];

		if (s->good && !s->held && (!best || s->m.sequence > best->m.sequence))
			best = s;
	}
	return best;
}

static void scratch_clear(char **dir)
{
	if (*dir)
		(void)sw_remove_tree(*dir);
	free(*dir);
}

static int from_slot(const struct sw_switch *s, struct sw_buf *table, char *ret_letter,
		     struct sw_error *err)
{
	const struct sw_node_slot *slot = s->have_node ? first_slot(&s->node) : NULL;
	_cleanup_(scratch_clear) char *dir = NULL;
	_cleanup_free_ char *file = NULL;
	_cleanup_io_ struct sw_io *io = NULL;
	int r;

	if (!slot) {
		sw_fail(err, SW_EXIT_MISSING, -ENOENT, "no slot holds a whole image whose PCR 7 "
						       "could be told");
		sw_error_hint(err, "--image FILE names the image that the node will start");
		return -ENOENT;
	}
	*ret_letter = slot->letter;
	r = sw_scratch_new("slipway-reseal", &dir);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot make a scratch directory");
	file = sw_fmt("%s/image", dir);
	if (!file)
		return sw_fail_oom(err);
	r = sw_machine_open_disk(s->m, s->node.disk, false, false, &io, err);
	if (r == 0)
		r = sw_slot_image(io, slot->part->start, slot->part->size, file, err);
	return r < 0 ? r : sw_uki_signatures(file, table, err);
}

int sw_reseal_foretell(const struct sw_switch *s, const char *image, const char *log,
		       struct sw_pcr7 *ret_pcr7, char *ret_letter, struct sw_error *err)
{
	_cleanup_eventlog_ struct sw_eventlog *l = NULL;
	_cleanup_buf_ struct sw_buf table = {};
	int r = sw_eventlog_read(log, &l, err);
	char slot[] = "slot ?";

	*ret_letter = 0;
	if (r == 0 && image)
		r = sw_uki_signatures(image, &table, err);
	else if (r == 0)
		r = from_slot(s, &table, ret_letter, err);
	if (r < 0)
		return r;
	slot[5] = (char)(*ret_letter - 'a' + 'A');
	r = sw_eventlog_pcr7(l, table.data, table.len, ret_pcr7);
	return r < 0 ? sw_pcr7_failed(r, image ? image : slot, err) : 0;
}

/* ---- the seal ---- */

struct job {
	const struct sw_reseal *w;
	const char *tcti;
	char *dir, *file;
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

	for (size_t i = 0; r == 0 && i < now->n_banks; i++)
		if (now->bank[i].has[7] && now->bank[i].size == 32)
			memcpy(value, now->bank[i].value[7], 32);
	return r;
}

static int prepare(struct job *j, struct sw_resealed *done, struct sw_error *err)
{
	const struct sw_pcr7 *p = j->w->pcr7;
	int r = sw_scratch_new("slipway-reseal", &j->dir);

	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot make a scratch directory");
	j->file = sw_fmt("%s/luks-header", j->dir);
	if (!j->file)
		return sw_fail_oom(err);
	r = sw_machine_tcti(j->w->m, &j->tcti, err);
	if (r == 0)
		r = open_part(j, err);
	if (r == 0)
		r = sw_tpm_seal_tried(j->tcti, SW_TPM_PCRS_DEFAULT, p, &j->sealed, &j->secret,
				      err);
	if (r < 0)
		return r;
	if (j->sealed.later)
		memcpy(done->pcr7, p->node, sizeof(done->pcr7));
	else
		r = value_now(j, done->pcr7, err);
	/* What is sealed to another value than was asked for would open for nobody. */
	if (r == 0 && p && memcmp(done->pcr7, p->node, sizeof(p->node)) != 0)
		r = other_value(err);
	return r;
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
