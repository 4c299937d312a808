/* SPDX-License-Identifier: Apache-2.0 */
/* `slipway promote`: a new last-known-good image into the slot that is not in use. */
#include <string.h>


#include "answers/proxy.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/secret.h"
#include "boot/nodedata.h"
#include "base/strv.h"
#include "boot/promote.h"
#include "boot/uki.h"
#include "payload/payload.h"
#include "payload/trust.h"
#include "rescue/count.h"
#include "tui/commands/boot-writes.h"
#include "tui/commands/list.h"

enum { OPT_UKI = 300, OPT_KERNEL, OPT_INITRD, OPT_CMDLINE, OPT_SHA256, OPT_INITRD_SHA256,
       OPT_REASON, OPT_TRUST, OPT_SIGNATURE, OPT_INITRD_SIGNATURE, OPT_OVERLAY,
       OPT_OLDER, OPT_ANEW };

#define RETRIES 5

struct job {
	const struct sw_cli *cli;
	struct sw_boot_target b;
	struct sw_switch s;
	struct sw_promote p;
	struct sw_slot_manifest m;
	struct sw_trust trust;	/* of the node, or none by --trust */
	char *who;		/* who signed, NULL: nobody had to */
	char *version;
	struct sw_buf overlay;
	char *dir, *uki;
	struct sw_count count;
	bool counts;		/* the TPM is asked */
	char uncounted[600];	/* why it did not count, or "" */
	json_object *disks;	/* what became of each copy */
	char **places;		/* options that name a file, as whole paths */
};

static void job_clear(struct job *j)
{
	if (j->dir)
		(void)sw_remove_tree(j->dir);
	sw_trust_clear(&j->trust);
	free(j->who);
	free(j->version);
	if (j->overlay.data)
		explicit_bzero(j->overlay.data, j->overlay.cap);
	sw_buf_clear(&j->overlay);
	free(j->dir);
	free(j->uki);
	sw_strv_free(j->places);
	if (j->disks)
		json_object_put(j->disks);
	sw_slot_manifest_clear(&j->m);
	sw_promote_clear(&j->p);
	sw_switch_clear(&j->s);
	sw_boot_target_clear(&j->b);
}

static int check_options(const struct sw_args *a, struct sw_error *err)
{
	bool uki = sw_arg(a, OPT_UKI), kernel = sw_arg(a, OPT_KERNEL);
	const char *trust = sw_arg(a, OPT_TRUST);

	if (trust && strcmp(trust, "none") != 0)
		return sw_fail(err, SW_EXIT_USAGE, -EINVAL, "promote: --trust takes none");
	if (uki == kernel || (kernel && (!sw_arg(a, OPT_INITRD) || !sw_arg(a, OPT_CMDLINE)))) {
		sw_fail(err, SW_EXIT_USAGE, -EINVAL, "promote: which image?");
		sw_error_hint(err, "--uki FILE, or --kernel FILE --initrd FILE --cmdline TEXT");
		return -EINVAL;
	}
	return 0;
}

/* By default the node's own keys; --trust none is for this once. */
static int find_trust(struct job *j, struct sw_error *err)
{
	const struct sw_args *a = &j->cli->args;
	bool signed_by = sw_arg(a, OPT_SIGNATURE) || sw_arg(a, OPT_INITRD_SIGNATURE);

	if (sw_arg(a, OPT_TRUST)) {
		j->trust.none = true;
		return 0;
	}
	if (sw_trust_from_json(sw_json_get(j->s.node.data, "trust"), &j->trust) < 0)
		return sw_fail_oom(err);
	if (sw_trust_asks(&j->trust) || (j->trust.none && !signed_by))
		return 0;
	sw_fail(err, SW_EXIT_REFUSED, -EPERM, "promote: who vouches for the image?");
	sw_error_why(err, "the node has no trusted keys: whoever can change the file decides what "
			  "it runs from now on, without the network, too");
	sw_error_hint(err, "`slipway node set trust=@FILE` gives it keys; --trust none accepts "
			   "anything this once, and --sha256 ties that to one image");
	return -EPERM;
}

/* Refuses what is not signed well enough. */
static int vouch(struct job *j, const char *source, const char *file, int option,
		 struct sw_error *err)
{
	_cleanup_strv_ char **sources = NULL;

	if (!sw_trust_asks(&j->trust))
		return 0;
	if (sw_arg_list(&j->cli->args, option, &sources) < 0)
		return sw_fail_oom(err);
	free(j->who);
	j->who = NULL;
	return sw_trust_vouch(j->b.t.m, &j->trust, SW_TRUST_IMAGES, source, file, sources, j->dir,
			      &j->who, err);
}

static int fetch(struct job *j, const char *source, const char *sha256, const char *name,
		 int signature, char **ret_path, struct sw_error *err)
{
	_cleanup_free_ char *out = sw_fmt("%s/%s", j->dir, name);
	struct sw_fetch f = { .source = source, .sha256 = sha256, .out = out, .retries = RETRIES,
			      .vouched = sw_trust_asks(&j->trust) };
	char got[SW_SHA256_TEXT];
	int r;

	if (!out)
		return sw_fail_oom(err);
	r = sw_fetch_run(j->b.t.m, &f, NULL, got, err);
	if (r == 0)
		r = vouch(j, source, out, signature, err);
	if (r == 0)
		*ret_path = TAKE_PTR(out);
	return r;
}

/* As an install does it: where the node is admitted stands on the command line that we make. */
static char *node_cmdline(const struct job *j)
{
	json_object *o = sw_nodedata_admission(j->s.node.data, "attest");
	const char *url = sw_json_str(o, "url", NULL);

	return sw_uki_cmdline(sw_arg(&j->cli->args, OPT_CMDLINE), url);
}

static int assemble(struct job *j, struct sw_error *err)
{
	const struct sw_args *a = &j->cli->args;
	_cleanup_free_ char *kernel = NULL, *initrd = NULL, *cmdline = node_cmdline(j);
	_cleanup_free_ char *out = sw_fmt("%s/uki", j->dir);
	_cleanup_free_ char *osrel =
		sw_fmt("ID=slipway-node\nNAME=\"Slipway node\"\nPRETTY_NAME=\"%s\"\n",
		       sw_json_str(j->s.node.data, "hostname", "node"));
	struct sw_uki_parts parts = { .stub = j->b.t.m->stub, .cmdline = cmdline, .osrel = osrel };
	int r;

	if (!cmdline || !out || !osrel)
		return sw_fail_oom(err);
	r = fetch(j, sw_arg(a, OPT_KERNEL), sw_arg(a, OPT_SHA256), "kernel", OPT_SIGNATURE, &kernel,
		      err);
	if (r == 0)
		r = fetch(j, sw_arg(a, OPT_INITRD), sw_arg(a, OPT_INITRD_SHA256), "initrd",
			  OPT_INITRD_SIGNATURE, &initrd, err);
	parts.kernel = kernel;
	parts.initrd = initrd;
	if (r == 0)
		r = sw_uki_assemble(&parts, out, err);
	if (r == 0)
		j->uki = TAKE_PTR(out);
	return r;
}

/* What this firmware would refuse must not become the image that everything rests on. */
static int inspect(struct job *j, struct sw_error *err)
{
	const char *source = sw_arg(&j->cli->args, sw_arg(&j->cli->args, OPT_UKI) ? OPT_UKI
										 : OPT_KERNEL);
	struct sw_uki_info info = {};
	int r = sw_uki_inspect(j->uki, &info, err);

	if (r == 0)
		r = sw_uki_check(&info, j->b.t.f->secure_boot, source, err);
	if (r == 0)
		j->version = sw_uki_osrel(&info, "IMAGE_VERSION");
	sw_uki_info_clear(&info);
	return r;
}

static int read_overlay(struct job *j, struct sw_error *err)
{
	const char *file = sw_arg(&j->cli->args, OPT_OVERLAY);
	uint64_t max = sw_kept_max(&j->p.zone);
	int r;

	if (!file)
		return 0;
	sw_secret_guard();
	j->overlay.max = (size_t)max + 1;	/* one more tells "too large" from "just fits" */
	r = sw_file_read(file, &j->overlay);
	if (r == -E2BIG || (r == 0 && j->overlay.len > max)) {
		sw_fail(err, SW_EXIT_REFUSED, -EFBIG, "the overlay does not fit on the node");
		sw_error_where(err, "%s", file);
		sw_error_why(err, "beside the node data there is room for %llu bytes a slot",
			     (unsigned long long)max);
		sw_error_hint(err, "keep less, or install with a larger partition slipway-node");
		return -EFBIG;
	}
	if (r == 0 && j->overlay.len == 0)
		r = -ENODATA;
	if (r < 0) {
		sw_fail_errno(err, SW_EXIT_MISSING, r, "the overlay cannot be read");
		sw_error_where(err, "%s", file);
		return r;
	}
	return sw_sha256(j->overlay.data, j->overlay.len, j->m.overlay);
}

static int get_image(struct job *j, struct sw_error *err)
{
	const struct sw_args *a = &j->cli->args;
	const char *uki = sw_arg(a, OPT_UKI), *reason = sw_arg(a, OPT_REASON);
	int r = sw_scratch_new("slipway-promote", &j->dir);

	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot make a scratch directory");
	r = uki ? fetch(j, uki, sw_arg(a, OPT_SHA256), "uki", OPT_SIGNATURE, &j->uki, err)
		: assemble(j, err);
	if (r == 0)
		r = inspect(j, err);
	if (r < 0)
		return r;
	r = sw_sha256_file(j->uki, j->m.sha256);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot read the boot image");
	if (j->version)
		j->m.version = strdup(j->version);
	j->m.time = j->b.t.f->time;
	j->m.build_id = strndup(j->m.sha256, 16);
	j->m.source = sw_source_show(uki ? uki : sw_arg(a, OPT_KERNEL));
	j->m.reason = strdup(reason ? reason : "promote");
	return j->m.build_id && j->m.source && j->m.reason ? read_overlay(j, err)
							    : sw_fail_oom(err);
}

static int check_rolled_back(const struct job *j, struct sw_error *err)
{
	const char *held = sw_json_str(j->s.node.data, "rolled_back", NULL);

	if (!held || strcasecmp(held, j->m.sha256) != 0 || sw_arg(&j->cli->args, 'f'))
		return 0;
	sw_fail(err, SW_EXIT_REFUSED, -EPERM, "promote is refused: this image was rolled back");
	sw_error_hint(err, "give --force when it is to be used all the same");
	return -EPERM;
}

static json_object *writes_json(const struct sw_promote *p)
{
	json_object *w = json_object_new_array();

	for (size_t i = 0; i < p->before.n_writes; i++)
		json_object_array_add(w, sw_entry_write_to_json(&p->before.writes[i]));
	for (size_t i = 0; i < p->after.n_writes; i++)
		json_object_array_add(w, sw_entry_write_to_json(&p->after.writes[i]));
	return w;
}

/* slot: where the image is or comes to; writes: NULL when it is there already. */
static void note_disk(struct job *j, size_t slot, const char *result, json_object *writes)
{
	json_object *o = json_object_new_object();
	char letter[2] = { j->s.node.slots[slot].letter };

	sw_json_add_str(o, "disk", j->s.node.disk->name);
	sw_json_add_str(o, "slot", letter);
	sw_json_add_str(o, "result", result);
	if (writes) {
		sw_json_add_u64(o, "sequence", j->p.sequence);
		sw_json_add(o, "writes", writes);
	}
	json_object_array_add(j->disks, o);
}

/* Slot, sequence and writes of the first disk that is written stand on top, too. */
static void print_json(const struct job *j, const char *result)
{
	static const char *const keys[] = { "slot", "sequence", "writes" };
	_cleanup_json_ json_object *o = json_object_new_object();
	json_object *first = NULL;

	for (size_t i = json_object_array_length(j->disks); i-- > 0;)
		if (sw_json_get(json_object_array_get_idx(j->disks, i), "writes"))
			first = json_object_array_get_idx(j->disks, i);
	sw_json_add_str(o, "result", first ? result : "unchanged");
	sw_json_add_str(o, "sha256", j->m.sha256);
	sw_json_add_str(o, "trust", sw_trust_asks(&j->trust) ? "signed" : "none");
	sw_json_add_str(o, "signed_by", j->who);
	sw_json_add_str(o, "version", j->version);
	if (j->m.overlay[0])
		sw_json_add_str(o, "overlay_sha256", j->m.overlay);
	for (size_t i = 0; first && i < ARRAY_SIZE(keys); i++)
		sw_json_add(o, keys[i], json_object_get(sw_json_get(first, keys[i])));
	sw_json_add(o, "disks", json_object_get(j->disks));
	if (j->s.unkept[0])
		sw_json_add_str(o, "unkept", j->s.unkept);
	if (j->counts)
		sw_json_add_str(o, "tpm_count", sw_count_name(j->count.state));
	if (j->uncounted[0])
		sw_json_add_str(o, "uncounted", j->uncounted);
	sw_print_json(o);
}

static void print_head(const struct job *j)
{
	printf("Image    %s, sha256 %s\n", j->m.source, j->m.sha256);
	if (j->who)
		printf("Trust    signed by %s\n", j->who);
	else
		printf("Trust    none: nobody has signed for this image, so whoever can change it "
		       "at its source decides what the node runs\n");
	if (j->m.overlay[0])
		printf("Overlay  %zu bytes, kept readable on the disk for this image alone\n",
		       j->overlay.len);
	if (j->s.wish.mode == SW_NODE_HANDS_OFF)
		printf("Note     mode hands-off: the boot order stays as it is\n");
}

static void print_plan(const struct job *j)
{
	const struct sw_promote *p = &j->p;
	const struct sw_node_slot *t = &j->s.node.slots[p->target];

	for (size_t i = 0; i < p->before.n_writes; i++)
		printf("First    %s: %s\n", p->before.writes[i].name, p->before.writes[i].text);
	printf("Slot     %c on %s, sequence %llu; it %s\n", t->letter - 'a' + 'A',
	       j->s.node.disk->name, (unsigned long long)p->sequence,
	       t->good ? "holds an older image" : "holds nothing good");
	for (size_t i = 0; i < p->after.n_writes; i++)
		printf("Then     %s: %s\n", p->after.writes[i].name, p->after.writes[i].text);
	for (size_t i = 0; i < p->n_notes; i++)
		printf("Note     %s\n", p->notes[i]);
	fflush(stdout);
}

/* ---- the TPM's count ---- */

/* One disk of several by name: what the others hold is not known, so nothing is held against it. */
static int look_at_count(struct job *j, struct sw_error *err)
{
	j->counts = !sw_arg(&j->cli->args, 'd');
	if (!j->counts)
		return 0;
	if (sw_count_look(&j->s, &j->count) < 0)
		return sw_fail_oom(err);
	return sw_arg(&j->cli->args, OPT_ANEW) ? 0 : sw_count_check(&j->count, err);
}

/* It never gets a number that the TPM has seen, even when the slot that had it is lost. */
static uint64_t first_sequence(const struct job *j)
{
	uint64_t sequence = sw_promote_sequence(&j->s, &j->m);

	return sequence == 0 && j->counts && j->count.state == SW_COUNT_UNSURE
		       ? j->count.count + 1 : sequence;
}

/* What the TPM says to it does not undo a promote. */
static bool keep_count(struct job *j, uint64_t sequence)
{
	struct sw_error e = {};
	bool changed = false;

	if (j->counts && sw_count_keep(&j->s, &j->count, sequence,
				       sw_arg(&j->cli->args, OPT_ANEW), &changed, &e) < 0)
		(void)snprintf(j->uncounted, sizeof(j->uncounted), "%.200s: %.300s", e.what,
			       e.why);
	return changed;
}

/* The image that was put back lies behind a newer one now. */
static int finish(struct job *j, struct sw_error *err)
{
	bool changed = keep_count(j, j->p.sequence);

	if (!sw_json_get(j->s.node.data, "rolled_back") && !changed)
		return 0;
	json_object_object_del(j->s.node.data, "rolled_back");
	return sw_node_write_data(j->b.t.m, &j->s.node, err);
}

static int write_copy(struct job *j, bool dry, struct sw_error *err)
{
	const struct sw_promote_image image = { .uki = j->uki, .m = &j->m, .dir = j->dir,
						.overlay = j->overlay.data,
						.overlay_len = j->overlay.len };
	int r = 0;

	if (!dry)
		r = sw_promote_copy(&j->s, j->b.store, &j->p, &image, NULL, err);
	if (r == 0 && !dry && j->p.state_changed)
		r = sw_switch_keep_state(&j->s, &j->p.state, err);
	return r < 0 ? r : sw_promote_take(&j->s, &j->p, &j->m, err);
}

/* The copy that j->s is at. ret_written: it did not hold the image. */
static int promote_copy(struct job *j, uint64_t sequence, bool *ret_written, struct sw_error *err)
{
	bool dry = sw_arg(&j->cli->args, 'D') != NULL;
	int best = sw_node_best_slot(&j->s.node), r;

	if (best >= 0 && sw_slot_holds(&j->s.node.slots[best], &j->m)) {
		note_disk(j, (size_t)best, "unchanged", NULL);
		if (!j->cli->json && j->s.n_copies)
			printf("Slot     %c on %s holds it already\n",
			       j->s.node.slots[best].letter - 'a' + 'A', j->s.node.disk->name);
		return 0;
	}
	sw_promote_clear(&j->p);
	r = sw_promote_plan(&j->s, sequence, &j->p, err);
	if (r < 0)
		return r;
	if (!j->cli->json)
		print_plan(j);
	note_disk(j, j->p.target, dry ? "planned" : "promoted", writes_json(&j->p));
	*ret_written = true;
	return write_copy(j, dry, err);
}

/* A copy that failed is behind the others now; the next promote of this image goes on there. */
static void explain_half(const struct job *j, bool written, struct sw_error *err)
{
	if (!err || !written || j->s.n_copies == 0)
		return;
	err->exit = SW_EXIT_DIRTY;
	(void)snprintf(err->hint, sizeof(err->hint),
		       "the copy on %s is not done; each disk still starts the node: give the same "
		       "command again", j->s.node.disk->name);
}

/* One disk after the other: each of them starts the node alone at any time. */
static int promote_all(struct job *j, bool *ret_written, struct sw_error *err)
{
	uint64_t sequence = first_sequence(j);
	bool written = false;
	int r = promote_copy(j, sequence, &written, err);

	if (written)
		sequence = j->p.sequence;
	for (size_t i = 0; i < j->s.n_copies && r == 0; i++) {
		bool mine = false;

		r = sw_switch_turn(&j->s, i, err);
		if (r == 0)
			r = promote_copy(j, sequence, &mine, err);
		if (r < 0)
			explain_half(j, written, err);
		else
			r = sw_switch_turn(&j->s, i, err);
		written = written || mine;
		if (mine)
			sequence = j->p.sequence;
	}
	*ret_written = written;
	return r;
}

static int promote(struct job *j, struct sw_error *err)
{
	bool dry = sw_arg(&j->cli->args, 'D') != NULL, written = false;
	int best = sw_node_best_slot(&j->s.node), r = 0;
	bool same = best >= 0 && sw_slot_holds(&j->s.node.slots[best], &j->m);

	if (!same)
		r = check_rolled_back(j, err);
	if (r == 0 && !same && !sw_arg(&j->cli->args, OPT_OLDER))
		r = sw_promote_check_age(&j->s.node, j->version, err);
	if (r < 0)
		return r;
	j->disks = json_object_new_array();
	if (!j->cli->json && (!same || j->s.n_copies))
		print_head(j);
	r = promote_all(j, &written, err);
	if (r == 0 && written && !dry)
		r = finish(j, err);
	if (r < 0)
		return r;
	if (j->cli->json)
		print_json(j, dry ? "planned" : "promoted");
	else if (!written && j->s.n_copies)
		printf("Nothing to do: every disk holds this image.\n");
	else if (!written)
		printf("Nothing to do: slot %c holds this image.\n",
		       j->s.node.slots[best].letter - 'a' + 'A');
	else if (!dry)
		printf("Written, read back and verified.\n");
	if (j->s.unkept[0] && !j->cli->json)
		printf("Note     %s\n", j->s.unkept);
	if (j->uncounted[0] && !j->cli->json)
		printf("Note     not counted by the TPM: %s\n", j->uncounted);
	return 0;
}

/* A file may be named from where one is; what is kept as its source is the whole path. */
static int whole_paths(struct sw_args *a, struct job *j)
{
	static const int ids[] = { OPT_UKI, OPT_KERNEL, OPT_INITRD, OPT_SIGNATURE,
				   OPT_INITRD_SIGNATURE };
	int r = 0;

	for (size_t i = 0; r == 0 && i < a->n_opts; i++)
		for (size_t k = 0; r == 0 && k < ARRAY_SIZE(ids); k++) {
			_cleanup_free_ char *place = NULL;

			if (a->opts[i].id != ids[k] || !*a->opts[i].value)
				continue;
			place = sw_cli_place(a->opts[i].value);
			r = place ? sw_strv_add(&j->places, place) : -ENOMEM;
			if (r == 0)
				a->opts[i].value = j->places[sw_strv_len(j->places) - 1];
		}
	return r;
}

static int run(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_(job_clear) struct job j = { .cli = cli };
	int r = check_options(&cli->args, err);

	if (r == 0 && whole_paths(&cli->args, &j) < 0)
		r = sw_fail_oom(err);
	if (r == 0)
		r = sw_boot_target_open(cli, &j.b, err);
	if (r == 0 && !j.b.store)
		r = sw_fail(err, SW_EXIT_REFUSED, -EROFS, "captured facts do not hold the slots");
	if (r == 0)
		r = sw_switch_open(j.b.t.m, j.b.t.f, j.b.store, j.b.t.vars,
				   sw_arg(&cli->args, 'd'), &j.s, err);
	if (r == 0 && sw_arg(&cli->args, OPT_OVERLAY))
		r = sw_promote_look_at_overlays(&j.s, err);
	if (r == 0)
		r = sw_promote_plan(&j.s, 0, &j.p, err);
	if (r == 0)
		r = look_at_count(&j, err);
	if (r == 0)
		r = find_trust(&j, err);
	if (r == 0)
		r = sw_node_use_proxy(sw_json_get(j.s.node.data, "network_config"), err);
	if (r == 0)
		r = get_image(&j, err);
	return r < 0 ? r : promote(&j, err);
}

static const struct sw_opt opts[] = {
	{ OPT_UKI, "uki", "SOURCE", "a unified kernel image: path, URL or medium:/path" },
	{ OPT_KERNEL, "kernel", "SOURCE", "or a kernel" },
	{ OPT_INITRD, "initrd", "SOURCE", "with its initrd" },
	{ OPT_CMDLINE, "cmdline", "TEXT", "and its command line" },
	{ OPT_SHA256, "sha256", "HEX", "of the UKI or the kernel; remote sources need it" },
	{ OPT_INITRD_SHA256, "initrd-sha256", "HEX", "of the initrd" },
	{ OPT_REASON, "reason", "TEXT", "for the manifest (default: promote)" },
	{ OPT_SIGNATURE, "signature", "SOURCE", "of the UKI or the kernel, once for each signer "
	  "(default: .sig beside it)" },
	{ OPT_INITRD_SIGNATURE, "initrd-signature", "SOURCE", "of the initrd" },
	{ OPT_TRUST, "trust", "none", "this once accept an image that nobody signed" },
	{ OPT_OVERLAY, "overlay", "FILE", "keep this for starts without the network" },
	{ OPT_OLDER, "allow-older", NULL, "also an image of a lower version" },
	{ OPT_ANEW, "count-anew", NULL, "also when the TPM does not confirm what is on the disk" },
	{ 'D', "dry-run", NULL, "show what would be written and stop" },
	{ 'f', "force", NULL, "also an image that was rolled back" },
	{ 'd', "disk", "NAME", "only this disk's slots (default: every disk of the node)" },
	{ 0, NULL, NULL, NULL },
};

const struct sw_command sw_command_promote = {
	.name = "promote",
	.summary = "Make an image the last known good one, in the slot that is not in use",
	.operands = "",
	.opts = opts,
	.details = "Only an image that the node's trusted keys have signed is taken (ssh-keygen\n"
		   "-Y sign -n slipway-image). The overlay is what a start without the network\n"
		   "cannot fetch: `slipway node config` gives it out when this very image runs\n"
		   "from its slot.\n"
		   "A node on several disks gets it on each, one after the other; a promote that\n"
		   "was cut short goes on when it is given again.\n"
		   "A TPM counts along: refused when an older state of the disk was put back, or\n"
		   "when the TPM that counted was cleared, replaced or is gone.\n"
		   "Refused when it is unknown how the running system was started. Nothing is\n"
		   "written when the first good slot holds this image already.",
	.run = run,
};
