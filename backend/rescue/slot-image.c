/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A slot filled from an image that somebody names, a URL or a file on a stick: for a node whose
 * slots are all damaged, so that there is none to copy from. Fetched, vouched for and built into
 * a whole slot before the first write; from there on it is a copy like any other.
 */
#include <string.h>
#include <sys/stat.h>

#include "answers/proxy.h"
#include "apply/store.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "boot/nodedata.h"
#include "boot/promote.h"
#include "boot/uki.h"
#include "net/trust.h"
#include "payload/payload.h"
#include "payload/trust.h"
#include "rescue/count.h"
#include "rescue/private.h"

#define RETRIES 5
#define STICK "stick:"

struct job {
	const struct sw_rescue_ask *q;
	const struct sw_rescue_image *image;
	struct sw_switch s;
	const struct sw_node *node;	/* of s: the copy whose slot it is */
	const struct sw_node_slot *slot;
	struct sw_trust trust;
	struct sw_slot_manifest m;
	char *dir, *uki;
	char *from, *ca;	/* what is fetched, and whom its server is believed, in dir */
};

static void job_clear(struct job *j)
{
	if (j->dir)
		(void)sw_remove_tree(j->dir);
	free(j->dir);
	free(j->uki);
	free(j->from);
	free(j->ca);
	sw_slot_manifest_clear(&j->m);
	sw_trust_clear(&j->trust);
	sw_switch_clear(&j->s);
}

/* ---- which slot ---- */

/* "slot-a" or "sdb/slot-a": the letter, and the disk's name or NULL. */
static char letter_of(const char *id, char disk[static 40])
{
	const char *slash = strchr(id, '/'), *name = slash ? slash + 1 : id;

	(void)snprintf(disk, 40, "%.*s", slash ? (int)(slash - id) : 0, id);
	return strncmp(name, "slot-", 5) == 0 && name[5] && !name[6] ? name[5] : '\0';
}

static const struct sw_node *node_on(const struct sw_switch *s, const char *disk)
{
	for (size_t i = 0; *disk && i < s->n_copies; i++)
		if (strcmp(s->copies[i].disk->name, disk) == 0)
			return &s->copies[i];
	return &s->node;
}

static int open_node(const struct sw_rescue_ask *q, struct sw_switch *s, struct sw_error *err)
{
	*s = (struct sw_switch){ .m = q->m, .f = q->f };
	return q->vars && q->raw
		       ? sw_switch_open(q->m, q->f, q->vars, q->raw, q->disk, s, err)
		       : sw_node_find(q->m, q->f, q->disk, &s->node, err);
}

static int find_slot(struct job *j, const char *id, struct sw_error *err)
{
	char disk[40], letter = letter_of(id, disk);
	int r = open_node(j->q, &j->s, err);

	if (r < 0)
		return r;
	j->node = node_on(&j->s, disk);
	for (size_t i = 0; i < j->node->n_slots; i++)
		if (j->node->slots[i].letter == letter && !j->node->slots[i].good)
			j->slot = &j->node->slots[i];
	if (j->slot)
		return 0;
	return sw_fail(err, SW_EXIT_REFUSED, -ENOENT, "slot %c is not damaged any more",
		       letter - 'a' + 'A');
}

/* ---- the image ---- */

/* The node's own keys; without node data nobody knows them. */
static int find_trust(struct job *j, struct sw_error *err)
{
	j->trust.none = j->image->trust_none;
	if (j->trust.none)
		return 0;
	if (sw_trust_from_json(sw_json_get(j->s.node.data, "trust"), &j->trust) < 0)
		return sw_fail_oom(err);
	if (sw_trust_asks(&j->trust) || j->trust.none)
		return 0;
	sw_fail(err, SW_EXIT_REFUSED, -EPERM, "who vouches for the image?");
	sw_error_why(err, "the node %s", j->s.node.data ? "has no trusted keys"
							: "data are lost, and with them its keys");
	sw_error_hint(err, "--trust none accepts anything this once, and --sha256 ties that to one "
			   "image; nothing was changed");
	return -EPERM;
}

static bool on_stick(const char *source)
{
	return strncmp(source, STICK "/", strlen(STICK "/")) == 0;
}

int sw_rescue_image_check(const char *source, struct sw_error *err)
{
	int r;

	if (!on_stick(source))
		return sw_source_check(source, err);
	/* The rest of it is a path, with the same letters. */
	r = sw_source_check(source + strlen(STICK), err);
	if (r == 0 && strstr(source, "/../"))
		r = sw_fail(err, SW_EXIT_INVALID, -EINVAL, "not a usable source");
	return r;
}

/* Through mtools, as everything on that stick: the image, and the signature if it lies there. */
static int take_from_stick(struct job *j, struct sw_error *err)
{
	_cleanup_free_ char *image = NULL, *name = sw_fmt("::%s", j->image->source + strlen(STICK));
	_cleanup_free_ char *sig = sw_fmt("%s.sig", name ? name : ""), *dir = NULL;
	const char *argv[] = { "mcopy", "-n", "-i", NULL, name, NULL, NULL };
	struct sw_error no_signature = {};
	int r;

	dir = sw_fmt("%s/stick", j->dir);
	j->from = sw_fmt("%s/stick/image.efi", j->dir);
	if (!name || !sig || !dir || !j->from)
		return sw_fail_oom(err);
	r = mkdir(dir, 0700) < 0 ? sw_fail_errno(err, SW_EXIT_FAILED, -errno, "no scratch file")
				 : sw_store_find_stick(j->q->m, "image", &image, err);
	if (r < 0)
		return r;
	argv[3] = image;
	argv[5] = j->from;
	r = sw_store_mcopy(argv, err);
	if (r < 0) {
		sw_error_where(err, "%s", j->m.source);
		return r;
	}
	free(dir);
	dir = sw_fmt("%s.sig", j->from);
	if (!dir)
		return sw_fail_oom(err);
	argv[4] = sig;
	argv[5] = dir;
	(void)sw_store_mcopy(argv, &no_signature);	/* whether one is needed is seen later */
	return 0;
}

/* libcurl takes the CAs of a transfer as a file. */
static int keep_ca(struct job *j, struct sw_error *err)
{
	_cleanup_free_ char *pem = NULL;
	int r;

	if (!j->image->ca || !*j->image->ca)
		return 0;
	pem = sw_pem_lines(j->image->ca);
	j->ca = sw_fmt("%s/ca.pem", j->dir);
	if (!pem || !j->ca)
		return sw_fail_oom(err);
	r = sw_file_write(j->ca, pem, strlen(pem), 0600);
	return r < 0 ? sw_fail_errno(err, SW_EXIT_FAILED, r, "the server's CA cannot be kept") : 0;
}

static int find_source(struct job *j, struct sw_error *err)
{
	if (on_stick(j->image->source))
		return take_from_stick(j, err);
	j->from = strdup(j->image->source);
	return j->from ? keep_ca(j, err) : sw_fail_oom(err);
}

static int fetch(struct job *j, struct sw_error *err)
{
	const bool asks = sw_trust_asks(&j->trust);
	const struct sw_fetch f = { .source = j->from, .sha256 = j->image->sha256,
				    .out = j->uki, .retries = RETRIES, .vouched = asks,
				    .ca_file = j->ca };
	int r;

	sw_event_log(j->q->sink, "fetching %.200s", j->m.source);
	r = sw_fetch_run(j->q->m, &f, j->q->sink, j->m.sha256, err);
	j->trust.ca_file = j->ca;
	j->trust.sink = j->q->sink;
	if (r == 0 && asks)
		r = sw_trust_vouch(j->q->m, &j->trust, SW_TRUST_IMAGES, f.source, j->uki,
				   j->image->signatures, j->dir, NULL, err);
	/* Not our copy of it, but where it lies. */
	if (r < 0 && err && strncmp(err->where, j->dir, strlen(j->dir)) == 0)
		(void)snprintf(err->where, sizeof(err->where), "%.200s%s", j->m.source,
			       sw_ends_with(err->where, ".sig") ? ".sig" : "");
	return r;
}

/* What this firmware would refuse, and what an old hole would come back with, is not taken. */
static int inspect(struct job *j, struct sw_error *err)
{
	struct sw_uki_info info = {};
	int r = sw_uki_inspect(j->uki, &info, err);

	if (r == 0)
		r = sw_uki_check(&info, j->q->f->secure_boot, j->m.source, err);
	if (r == 0)
		j->m.version = sw_uki_osrel(&info, "IMAGE_VERSION");
	sw_uki_info_clear(&info);
	if (r == 0)
		r = sw_promote_check_age(j->node, j->m.version, err);
	if (r == -EPERM)
		sw_error_hint(err, "fill the slot from the good one, or take a newer image");
	return r;
}

/* ---- the slot ---- */

/* What is said of this image where the node has it already; NULL: nowhere. */
static const struct sw_slot_manifest *known(const struct sw_switch *s, const char *sha256)
{
	const struct sw_slot_manifest *found = NULL;

	for (size_t i = 0; i <= s->n_copies; i++) {
		const struct sw_node *n = i ? &s->copies[i - 1] : &s->node;

		for (size_t k = 0; k < n->n_slots; k++)
			if (n->slots[k].filled && !strcasecmp(n->slots[k].m.sha256, sha256))
				found = &n->slots[k].m;
	}
	return found;
}

/* An image that the node knows keeps its number and time; another gets one that no TPM has seen. */
static int number(struct job *j, struct sw_error *err)
{
	const struct sw_slot_manifest *same = known(&j->s, j->m.sha256);
	uint64_t most = sw_promote_highest(&j->s);
	struct sw_count c = {};

	if (same) {
		j->m.sequence = same->sequence;
		j->m.time = same->time;
		memcpy(j->m.overlay, same->overlay, sizeof(j->m.overlay));
		return 0;
	}
	if (!j->q->disk && sw_count_look(&j->s, &c) < 0)
		return sw_fail_oom(err);
	j->m.sequence = (c.count > most ? c.count : most) + 1;
	return 0;
}

static int build(struct job *j, const char *out, struct sw_error *err)
{
	const struct sw_part *p = j->slot->part;
	uint32_t volume_id;

	memcpy(&volume_id, p->uuid.b, sizeof(volume_id));
	j->m.time = j->m.time ? j->m.time : j->q->f->time;
	j->m.build_id = strndup(j->m.sha256, 16);
	j->m.reason = strdup("repair");
	if (!j->m.build_id || !j->m.reason)
		return sw_fail_oom(err);
	return sw_slot_build(j->uki, &j->m, p->size, j->node->disk->sector, volume_id, "SLIPWAY",
			     out, err);
}

/* Nothing of the machine is written until the slot is whole in a file. */
static int prepare(const struct sw_rescue_ask *q, struct sw_repair *rep, struct sw_error *err)
{
	_cleanup_(job_clear) struct job j = { .q = q, .image = rep->image };
	_cleanup_free_ char *out = NULL;
	int r = find_slot(&j, rep->subject, err);

	if (r == 0)
		r = find_trust(&j, err);
	if (r == 0)
		r = sw_node_use_proxy(sw_json_get(j.s.node.data, "network_config"), err);
	if (r == 0 && sw_scratch_new("slipway-image", &j.dir) < 0)
		r = sw_fail_errno(err, SW_EXIT_FAILED, -EIO, "cannot make a scratch directory");
	if (r < 0)
		return r;
	j.uki = sw_fmt("%s/uki", j.dir);
	j.m.source = sw_source_show(rep->image->source);
	out = sw_fmt("%s/slot.img", j.dir);
	r = j.uki && j.m.source && out ? find_source(&j, err) : sw_fail_oom(err);
	if (r == 0)
		r = fetch(&j, err);
	if (r == 0)
		r = inspect(&j, err);
	if (r == 0)
		r = number(&j, err);
	if (r == 0)
		r = build(&j, out, err);
	if (r < 0)
		return r;
	rep->copy.file = TAKE_PTR(out);
	rep->copy.dir = TAKE_PTR(j.dir);
	return unlink(j.uki) < 0 ? sw_fail_errno(err, SW_EXIT_FAILED, -errno,
						 "cannot clear the scratch directory") : 0;
}

bool sw_rescue_takes_image(const struct sw_finding *fi)
{
	char disk[40];

	return fi->severity > SW_FINDING_INFO && letter_of(fi->id, disk);
}

int sw_rescue_offer_image(const struct sw_rescue_ask *q, const struct sw_rescue_image *image,
			  struct sw_finding *fi, struct sw_error *err)
{
	_cleanup_(job_clear) struct job j = { .q = q, .image = image };
	_cleanup_free_ char *shown = sw_source_show(image->source);
	struct sw_repair *rep;
	int r = find_slot(&j, fi->id, err);

	if (r == 0)
		r = sw_rescue_image_check(image->source, err);
	if (r < 0)
		return r;
	sw_repair_free(fi->repair);
	rep = shown ? sw_finding_repair(fi, j.node->disk) : NULL;
	if (!rep)
		return sw_fail_oom(err);
	rep->image = image;
	rep->prepare = prepare;
	rep->copy = (struct sw_rescue_copy){ .from_disk = rep->disk, .to = j.slot->part->start,
					     .len = j.slot->part->size };
	(void)snprintf(rep->copy.to_name, sizeof(rep->copy.to_name), "%.30s", j.slot->part->label);
	(void)snprintf(rep->copy.from_name, sizeof(rep->copy.from_name), "%.60s", shown);
	(void)snprintf(rep->subject, sizeof(rep->subject), "%.60s", fi->id);
	(void)snprintf(rep->text, sizeof(rep->text), "fetch %.80s%s, fill slot %c and read it back",
		       shown, image->sha256 ? ", see that it is the one of that hash"
			      : image->trust_none
				      ? "" : ", see that it is signed by a key of the node",
		       j.slot->letter - 'a' + 'A');
	if (image->trust_none && !image->sha256)
		rep->loses = "any certainty where the image is from: nobody vouches for it";
	return 0;
}
