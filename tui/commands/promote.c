/* SPDX-License-Identifier: Apache-2.0 */
/* `slipway promote`: a new last-known-good image into the slot that is not in use. */
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "boot/promote.h"
#include "boot/uki.h"
#include "payload/payload.h"
#include "tui/commands/boot-writes.h"
#include "tui/commands/list.h"

enum { OPT_UKI = 300, OPT_KERNEL, OPT_INITRD, OPT_CMDLINE, OPT_SHA256, OPT_INITRD_SHA256,
       OPT_REASON, OPT_TRUST };

#define RETRIES 5

struct job {
	const struct sw_cli *cli;
	struct sw_boot_target b;
	struct sw_switch s;
	struct sw_promote p;
	struct sw_slot_manifest m;
	char *dir, *uki, *image;
};

static void job_clear(struct job *j)
{
	if (j->dir)
		(void)sw_remove_tree(j->dir);
	free(j->dir);
	free(j->uki);
	free(j->image);
	sw_slot_manifest_clear(&j->m);
	sw_promote_clear(&j->p);
	sw_switch_clear(&j->s);
	sw_boot_target_clear(&j->b);
}

static int check_options(const struct sw_args *a, struct sw_error *err)
{
	bool uki = sw_arg(a, OPT_UKI), kernel = sw_arg(a, OPT_KERNEL);
	const char *trust = sw_arg(a, OPT_TRUST);

	if (uki == kernel || (kernel && (!sw_arg(a, OPT_INITRD) || !sw_arg(a, OPT_CMDLINE)))) {
		sw_fail(err, SW_EXIT_USAGE, -EINVAL, "promote: which image?");
		sw_error_hint(err, "--uki FILE, or --kernel FILE --initrd FILE --cmdline TEXT");
		return -EINVAL;
	}
	if (trust && strcmp(trust, "none") == 0)
		return 0;
	sw_fail(err, trust ? SW_EXIT_USAGE : SW_EXIT_REFUSED, -EPERM,
		"promote: who vouches for the image?");
	sw_error_why(err, "signatures are not checked in this version: whoever can change the file "
			  "decides what the node runs from now on, without the network, too");
	sw_error_hint(err, "--trust none accepts that; --sha256 ties it to one image");
	return -EPERM;
}

static int fetch(struct job *j, const char *source, const char *sha256, const char *name,
		 char **ret_path, struct sw_error *err)
{
	_cleanup_free_ char *out = sw_fmt("%s/%s", j->dir, name);
	struct sw_fetch f = { .source = source, .sha256 = sha256, .out = out, .retries = RETRIES };
	char got[SW_SHA256_TEXT];
	int r;

	if (!out)
		return sw_fail_oom(err);
	r = sw_fetch_run(j->b.t.m, &f, NULL, got, err);
	if (r == 0)
		*ret_path = TAKE_PTR(out);
	return r;
}

/* As an install does it: where the node is admitted stands on the command line that we make. */
static char *node_cmdline(const struct job *j)
{
	const char *own = sw_arg(&j->cli->args, OPT_CMDLINE), *url = NULL;
	json_object *list = sw_json_array(j->s.node.data, "admission");

	for (size_t i = 0; list && !url && i < json_object_array_length(list); i++) {
		json_object *o = json_object_array_get_idx(list, i);

		if (strcmp(sw_json_str(o, "kind", ""), "attest") == 0)
			url = sw_json_str(o, "url", NULL);
	}
	if (!url || strstr(own, "ember.attest_url="))
		return strdup(own);
	return sw_fmt("%s%sember.attest_url=%s", own, *own ? " " : "", url);
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
	r = fetch(j, sw_arg(a, OPT_KERNEL), sw_arg(a, OPT_SHA256), "kernel", &kernel, err);
	if (r == 0)
		r = fetch(j, sw_arg(a, OPT_INITRD), sw_arg(a, OPT_INITRD_SHA256), "initrd", &initrd,
			  err);
	parts.kernel = kernel;
	parts.initrd = initrd;
	if (r == 0)
		r = sw_uki_assemble(&parts, out, err);
	if (r == 0)
		j->uki = TAKE_PTR(out);
	return r;
}

/* What this firmware would refuse must not become the image that everything rests on. */
static int inspect(const struct job *j, struct sw_error *err)
{
	struct sw_uki_info info = {};
	int r = sw_uki_inspect(j->uki, &info, err);

	if (r == 0 && !info.is_uki) {
		r = sw_fail(err, SW_EXIT_INVALID, -EINVAL, "this is not a unified kernel image");
		sw_error_hint(err, "give --kernel, --initrd and --cmdline instead");
	} else if (r == 0 && j->b.t.f->secure_boot && !info.is_signed) {
		r = sw_fail(err, SW_EXIT_REFUSED, -EPERM, "the image is not signed");
		sw_error_why(err, "Secure Boot is on: the firmware would refuse it");
		sw_error_hint(err, "sign the UKI, or turn Secure Boot off in the firmware's setup");
	}
	sw_uki_info_clear(&info);
	return r;
}

static int get_image(struct job *j, struct sw_error *err)
{
	const struct sw_args *a = &j->cli->args;
	const char *uki = sw_arg(a, OPT_UKI), *reason = sw_arg(a, OPT_REASON);
	int r = sw_scratch_new("slipway-promote", &j->dir);

	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot make a scratch directory");
	r = uki ? fetch(j, uki, sw_arg(a, OPT_SHA256), "uki", &j->uki, err) : assemble(j, err);
	if (r == 0)
		r = inspect(j, err);
	if (r < 0)
		return r;
	r = sw_sha256_file(j->uki, j->m.sha256);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot read the boot image");
	j->m.sequence = j->p.sequence;
	j->m.time = j->b.t.f->time;
	j->m.build_id = strndup(j->m.sha256, 16);
	j->m.source = strdup(uki ? uki : sw_arg(a, OPT_KERNEL));
	j->m.reason = strdup(reason ? reason : "promote");
	return j->m.build_id && j->m.source && j->m.reason ? 0 : sw_fail_oom(err);
}

static int build(struct job *j, struct sw_error *err)
{
	const struct sw_part *part = j->s.node.slots[j->p.target].part;
	uint32_t volume_id;

	j->image = sw_fmt("%s/slot.img", j->dir);
	if (!j->image)
		return sw_fail_oom(err);
	memcpy(&volume_id, part->uuid.b, sizeof(volume_id));
	return sw_slot_build(j->uki, &j->m, part->size, j->s.node.disk->sector, volume_id,
			     "SLIPWAY", j->image, err);
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

static json_object *to_json(const struct job *j, const char *result, bool writes)
{
	const struct sw_promote *p = &j->p;
	json_object *o = json_object_new_object(), *w = json_object_new_array();
	char letter[2] = { j->s.node.slots[p->target].letter };

	sw_json_add_str(o, "result", result);
	sw_json_add_str(o, "sha256", j->m.sha256);
	if (!writes) {
		json_object_put(w);
		return o;
	}
	sw_json_add_str(o, "slot", letter);
	sw_json_add_u64(o, "sequence", p->sequence);
	for (size_t i = 0; i < p->before.n_writes; i++)
		json_object_array_add(w, sw_entry_write_to_json(&p->before.writes[i]));
	for (size_t i = 0; i < p->after.n_writes; i++)
		json_object_array_add(w, sw_entry_write_to_json(&p->after.writes[i]));
	sw_json_add(o, "writes", w);
	return o;
}

static void print_plan(const struct job *j)
{
	const struct sw_promote *p = &j->p;
	const struct sw_node_slot *t = &j->s.node.slots[p->target];

	printf("Image    %s, sha256 %s\n", j->m.source, j->m.sha256);
	printf("Trust    none: nobody has signed for this image\n");
	for (size_t i = 0; i < p->before.n_writes; i++)
		printf("First    %s: %s\n", p->before.writes[i].name, p->before.writes[i].text);
	printf("Slot     %c on %s, sequence %llu; it %s\n", t->letter - 'a' + 'A',
	       j->s.node.disk->name, (unsigned long long)p->sequence,
	       t->good ? "holds an older image" : "holds nothing good");
	for (size_t i = 0; i < p->after.n_writes; i++)
		printf("Then     %s: %s\n", p->after.writes[i].name, p->after.writes[i].text);
	for (size_t i = 0; i < p->n_notes; i++)
		printf("Note     %s\n", p->notes[i]);
	if (j->s.wish.mode == SW_NODE_HANDS_OFF)
		printf("Note     mode hands-off: the boot order stays as it is\n");
	fflush(stdout);
}

static int finish(struct job *j, struct sw_error *err)
{
	int r = 0;

	/* The image that was put back lies behind a newer one now. */
	if (sw_json_get(j->s.node.data, "rolled_back")) {
		json_object_object_del(j->s.node.data, "rolled_back");
		r = sw_node_write_data(j->b.t.m, &j->s.node, err);
	}
	if (r == 0 && j->p.state_changed)
		r = sw_mode_state_write(j->b.store, &j->p.state, err);
	return r;
}

static int write_it(struct job *j, struct sw_error *err)
{
	const struct sw_part *part = j->s.node.slots[j->p.target].part;
	_cleanup_io_ struct sw_io *io = NULL;
	int r = sw_machine_open_disk(j->b.t.m, j->s.node.disk, true, true, &io, err);

	if (r == 0)
		r = sw_promote_write(io, j->b.store, &j->p, part->start, part->size, j->image,
				     j->m.sha256, NULL, err);
	io = sw_io_close(io);	/* the lock, which the node data wants next */
	return r < 0 ? r : finish(j, err);
}

static int promote(struct job *j, struct sw_error *err)
{
	bool dry = sw_arg(&j->cli->args, 'D') != NULL;
	int best = sw_node_best_slot(&j->s.node), r;
	_cleanup_json_ json_object *o = NULL;
	bool same = best >= 0 &&
		    strcasecmp(j->s.node.slots[best].m.sha256, j->m.sha256) == 0;

	o = to_json(j, same ? "unchanged" : dry ? "planned" : "promoted", !same);
	if (same) {
		if (!j->cli->json)
			printf("Nothing to do: slot %c holds this image.\n",
			       j->s.node.slots[best].letter - 'a' + 'A');
		else
			sw_print_json(o);
		return 0;
	}
	r = check_rolled_back(j, err);
	if (r == 0)
		r = build(j, err);
	if (r < 0)
		return r;
	if (!j->cli->json)
		print_plan(j);
	r = dry ? 0 : write_it(j, err);
	if (r < 0)
		return r;
	if (j->cli->json)
		sw_print_json(o);
	else if (!dry)
		printf("Written, read back and verified.\n");
	return 0;
}

static int run(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_(job_clear) struct job j = { .cli = cli };
	int r = check_options(&cli->args, err);

	if (r == 0)
		r = sw_boot_target_open(cli, &j.b, err);
	if (r == 0 && !j.b.store)
		r = sw_fail(err, SW_EXIT_REFUSED, -EROFS, "captured facts do not hold the slots");
	if (r == 0)
		r = sw_switch_open(j.b.t.m, j.b.t.f, j.b.store, j.b.t.vars,
				   sw_arg(&cli->args, 'd'), &j.s, err);
	if (r == 0)
		r = sw_promote_plan(&j.s, &j.p, err);
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
	{ OPT_TRUST, "trust", "none", "accept an image that nobody signed" },
	{ 'D', "dry-run", NULL, "show what would be written and stop" },
	{ 'f', "force", NULL, "also an image that was rolled back" },
	{ 'd', "disk", "NAME", "the node's disk, when several have one" },
	{ 0, NULL, NULL, NULL },
};

const struct sw_command sw_command_promote = {
	.name = "promote",
	.summary = "Make an image the last known good one, in the slot that is not in use",
	.operands = "",
	.opts = opts,
	.details = "Refused when it is unknown how the running system was started. Nothing is\n"
		   "written when the first good slot holds this image already.",
	.run = run,
};
