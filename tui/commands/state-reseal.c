/* SPDX-License-Identifier: Apache-2.0 */
/* `slipway state reseal`: the TPM opens an encrypted state again after PCR 7 has changed. */
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/hex.h"
#include "base/json.h"
#include "disk/luks.h"
#include "disk/recovery.h"
#include "rescue/reseal.h"
#include "tpm/seal.h"
#include "tui/commands/common.h"
#include "tui/commands/list.h"
#include "tui/commands/sealing.h"
#include "tui/commands/tpm-log.h"

enum { OPT_KEY_FILE = 300, OPT_KEY_FD, OPT_IMAGE, OPT_PRESENT };

/* ---- what was done ---- */

static void print_json(const struct sw_aim *a, const struct sw_reseal *w,
		       const struct sw_resealed *d)
{
	_cleanup_json_ json_object *o = json_object_new_object();
	char hex[SW_HEX_TEXT], slot[2] = { a->letter, '\0' };

	sw_json_add_str(o, "disk", w->disk->name);
	sw_json_add_u64(o, "partition", w->part->number);
	sw_json_add_str(o, "label", w->part->label);
	if (w->places.n > 1) {
		json_object *list = json_object_new_array();

		for (size_t i = 0; i < w->places.n; i++)
			json_object_array_add(list,
					      json_object_new_string(w->places.v[i].disk->name));
		sw_json_add(o, "mirror", list);
	}
	sw_json_add_str(o, "pcr7", sw_hex(d->pcr7, sizeof(d->pcr7), hex));
	if (a->letter)
		sw_json_add_str(o, "slot", slot);
	if (a->image)
		sw_json_add_str(o, "image", a->image);
	sw_json_add_bool(o, "measured", d->measured);
	sw_json_add_bool(o, "tried", !d->later);
	sw_json_add_u64(o, "removed", d->removed);
	sw_json_add_u64(o, "kept", d->kept);
	sw_print_json(o);
}

static void print_text(const struct sw_aim *a, const struct sw_reseal *w,
		       const struct sw_resealed *d)
{
	char hex[SW_HEX_TEXT];

	if (w->places.n > 1) {
		printf("%s on the mirror of", w->part->label);
		for (size_t i = 0; i < w->places.n; i++)
			printf("%s %s", i ? " and" : "", w->places.v[i].disk->name);
	} else {
		printf("%s on %s, partition %u,", w->part->label, w->disk->name, w->part->number);
	}
	printf(" is sealed to PCR 7 %s", d->later ? "as it will be under " : "as it is");
	if (d->later && a->letter)
		printf("slot %c", a->letter - 'a' + 'A');
	else if (d->later)
		printf("%s", a->image);
	printf(":\n  %s\n", sw_hex(d->pcr7, sizeof(d->pcr7), hex));
	if (d->later)
		printf("Only the node can try it. Older seals that stay until this command has "
		       "run there: %u\n", d->kept);
	else
		printf("The TPM opens it: tried. Older seals removed: %u\n", d->removed);
	if (!d->measured)
		printf("warning: " SW_TPM_NOT_MEASURED "\n");
}

static int run(struct sw_cli *cli, struct sw_error *err)
{
	const char *label = cli->args.n_rest ? cli->args.rest[0] : "state";
	_cleanup_secret_ struct sw_secret *key = NULL;
	_cleanup_target_ struct sw_target t = {};
	struct sw_reseal w = {};
	struct sw_resealed done;
	struct sw_aim a = {};
	int r = sw_cli_needs_disks(cli, "state reseal", err);

	if (r == 0)
		r = sw_target_open(cli, &t, err);
	if (r == 0)
		r = sw_reseal_find(t.m, t.f, sw_arg(&cli->args, 'd'), label, &w.disk, &w.part, err);
	if (r == 0)
		r = sw_mirror_find(t.m, t.f, w.disk, w.part, &w.places, err);
	if (r == 0)
		r = sw_aim_find(&t, sw_arg(&cli->args, 'd'), sw_arg(&cli->args, OPT_IMAGE),
				sw_arg(&cli->args, OPT_PRESENT), &a, err);
	if (r == 0)
		r = sw_operator_key(sw_arg(&cli->args, OPT_KEY_FILE),
				    sw_arg(&cli->args, OPT_KEY_FD), label, &key, err);
	if (r < 0)
		return r;
	w.m = t.m;
	w.key = key;
	w.pcr7 = a.later ? &a.pcr7 : NULL;
	r = sw_reseal_run(&w, &done, err);
	if (r == 0)
		(cli->json ? print_json : print_text)(&a, &w, &done);
	return r;
}

static const struct sw_opt opts[] = {
	{ OPT_KEY_FILE, "key-file", "FILE", "the recovery key, or the key file (default: typed)" },
	{ OPT_KEY_FD, "key-fd", "N", "the same from this file descriptor" },
	{ OPT_IMAGE, "image", "FILE", "seal for this image, not for that of the slot" },
	{ OPT_PRESENT, "present", NULL, "seal to PCR 7 as it is under this system" },
	{ 'd', "disk", "NAME", "the disk, when several have such a partition" },
	{ 0, NULL, NULL, NULL },
};

const struct sw_command sw_command_state_reseal = {
	.name = "state reseal",
	.summary = "Have the TPM open the encrypted state again, by its recovery key",
	.operands = "[LABEL]",
	.max_rest = 1,
	.opts = opts,
	.details = "After a change of Secure Boot's keys, the firmware or the image's signer.\n"
		   "On the node: seals to PCR 7 as it is, tries that, and removes older seals.\n"
		   "Elsewhere, as on the medium: seals to the PCR 7 that the firmware will give\n"
		   "the slot that starts first (`tpm predict`); only the node can try that, so\n"
		   "older seals stay until the command has run there. The key stays as it is.",
	.run = run,
};
