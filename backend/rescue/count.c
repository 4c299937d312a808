/* SPDX-License-Identifier: Apache-2.0 */
#include "rescue/count.h"

#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/json.h"
#include "tpm/facts.h"
#include "tpm/identity.h"
#include "tpm/pcrs.h"

#define KEY "tpm_count"

/* ---- looking ---- */

static uint64_t highest(const struct sw_node *n, uint64_t most)
{
	for (size_t i = 0; i < n->n_slots; i++)
		if (n->slots[i].filled && n->slots[i].m.sequence > most)
			most = n->slots[i].m.sequence;
	return most;
}

/* Two slots with one image: doctor filled the one that was damaged from the other. */
static bool is_copy(const struct sw_node *n, size_t slot)
{
	const struct sw_slot_manifest *m = &n->slots[slot].m;

	for (size_t i = 0; i < slot; i++)
		if (n->slots[i].filled && n->slots[i].m.sequence == m->sequence &&
		    strcmp(n->slots[i].m.sha256, m->sha256) == 0)
			return true;
	return false;
}

/* A slot that may have held a newer image than those that can be read. */
static bool damaged(const struct sw_node *n)
{
	for (size_t i = 0; i < n->n_slots; i++)
		if (n->slots[i].filled ? is_copy(n, i) : !n->slots[i].blank)
			return true;
	return false;
}

/* An install, so that one on the same disk after it is another. */
static int owner_of(json_object *data, uint8_t owner[static SW_SHA256_LEN])
{
	_cleanup_free_ char *text = sw_fmt("slipway: images of %s %" PRIi64,
					   sw_json_str(data, "seed", ""),
					   sw_json_int(data, "installed", 0));

	if (!text)
		return -ENOMEM;
	sw_sha256_raw(text, strlen(text), owner);
	return 0;
}

static const char *known_ek(json_object *data)
{
	return sw_json_str(sw_json_get(data, KEY), "ek", NULL);
}

bool sw_count_is_kept(json_object *data)
{
	return data && known_ek(data);
}

/* With its storage hierarchy the counter is away, and comes back with it: nothing was cleared. */
static bool storage_is_off(const struct sw_count *c)
{
	struct sw_tpm_facts t;

	return sw_tpm_read_facts(c->tcti, &t, NULL) == 0 && !t.storage_on;
}

static void judge_lost(struct sw_count *c, const char *known)
{
	_cleanup_ek_ struct sw_ek ek = {};
	struct sw_error e = {};

	if (storage_is_off(c))
		(void)snprintf(c->why, sizeof(c->why), "its storage hierarchy is turned off");
	else if (sw_tpm_ek(c->tcti, false, &ek, &e) == 0)
		c->state = strcmp(ek.id, known) == 0 ? SW_COUNT_CLEARED : SW_COUNT_REPLACED;
	else
		(void)snprintf(c->why, sizeof(c->why), "%s", sw_error_reason(&e));
}

/* One without a sha256 bank leaves it empty. */
static void read_firmware(struct sw_count *c, json_object *known)
{
	struct sw_tpm_pcrs pcrs;
	const struct sw_tpm_bank *bank;

	if (known)
		(void)snprintf(c->known_firmware, sizeof(c->known_firmware), "%.64s",
			       sw_json_str(known, "pcr0", ""));
	if (sw_tpm_read_pcrs(c->tcti, &pcrs, NULL) < 0)
		return;
	bank = sw_tpm_sha256_bank(&pcrs);
	if (bank && bank->has[0])
		(void)sw_hex(bank->value[0], SW_SHA256_LEN, c->firmware);
}

bool sw_count_other_firmware(const struct sw_count *c)
{
	return c->state < SW_COUNT_CLEARED && c->firmware[0] && c->known_firmware[0] &&
	       strcmp(c->firmware, c->known_firmware) != 0;
}

/* With a TPM that answers. */
static void judge(struct sw_count *c, const struct sw_counter *n, const char *known, bool unsure)
{
	bool ours = n->there && memcmp(n->owner, c->owner, sizeof(c->owner)) == 0;

	c->state = SW_COUNT_NEW;
	if (ours) {
		c->count = n->count;
		c->state = c->highest >= n->count ? SW_COUNT_GOOD
			   : unsure		   ? SW_COUNT_UNSURE
						   : SW_COUNT_OLDER;
	} else if (known) {
		c->state = SW_COUNT_GONE;
		judge_lost(c, known);
	}
}

/* One that the facts had no answer from may never give one: it is not waited for. */
static bool answered(const struct sw_switch *s, struct sw_error *err)
{
	if (!s->f->tpm_present)
		sw_fail(err, SW_EXIT_MISSING, -ETIMEDOUT, "the TPM does not answer");
	return s->f->tpm_present;
}

int sw_count_look(const struct sw_switch *s, struct sw_count *ret_count)
{
	const char *known = s->node.data ? known_ek(s->node.data) : NULL;
	struct sw_count c = { .highest = highest(&s->node, 0) };
	bool unsure = damaged(&s->node);
	struct sw_counter n = {};
	struct sw_error e = {};
	int r = s->node.data ? owner_of(s->node.data, c.owner) : 0;

	if (r < 0)
		return r;
	for (size_t i = 0; i < s->n_copies; i++) {
		c.highest = highest(&s->copies[i], c.highest);
		unsure = unsure || damaged(&s->copies[i]);
	}
	if (!s->node.data || !s->node.disk) {
		(void)snprintf(c.why, sizeof(c.why), "the node has no node data");
	} else if (sw_machine_tcti(s->m, &c.tcti, &e) == 0 && answered(s, &e) &&
		   sw_counter_read(c.tcti, &n, &e) == 0) {
		judge(&c, &n, known, unsure);
		read_firmware(&c, sw_json_get(s->node.data, KEY));
	} else {
		c.tcti = NULL;
		c.state = known ? SW_COUNT_GONE : SW_COUNT_NONE;
		(void)snprintf(c.why, sizeof(c.why), "%s", sw_error_reason(&e));
	}
	*ret_count = c;
	return 0;
}

/* ---- words ---- */

const char *sw_count_name(enum sw_count_state state)
{
	static const char *const names[] = { "none", "new", "good", "unsure", "older", "cleared",
					     "replaced", "gone" };

	return names[state];
}

void sw_count_text(const struct sw_count *c, char text[static 300])
{
	static const char *const words[] = {
		[SW_COUNT_NONE] = "no TPM counts the images",
		[SW_COUNT_NEW] = "the TPM counts the images from the next promote on",
		[SW_COUNT_GOOD] = "no image was put back behind its back",
		[SW_COUNT_UNSURE] = "a slot that was damaged may have held what "
				    "the TPM counted last",
		[SW_COUNT_OLDER] = "an older state of the disk was put back",
		[SW_COUNT_CLEARED] = "the TPM was cleared: it no longer knows what it counted",
		[SW_COUNT_REPLACED] = "this is another TPM than the one that counted: the board or "
				      "the TPM was replaced, or the disk was moved",
		[SW_COUNT_GONE] = "the TPM that counted cannot be asked",
	};

	if (c->state >= SW_COUNT_GOOD && c->state <= SW_COUNT_OLDER)
		(void)snprintf(text, 300, "the TPM counted to %" PRIu64 ", the newest image on the "
			       "disk is %" PRIu64 ": %s", c->count, c->highest, words[c->state]);
	else
		(void)snprintf(text, 300, "%s%s%.150s", words[c->state], c->why[0] ? ": " : "",
			       c->why);
}

json_object *sw_count_to_json(const struct sw_count *c)
{
	bool firmware = sw_count_other_firmware(c);
	json_object *o = json_object_new_object();
	char text[300];

	sw_count_text(c, text);
	if (firmware && c->state < SW_COUNT_OLDER)
		(void)snprintf(text, sizeof(text), "the same TPM, but the firmware is another one "
			       "than at the last promote");
	sw_json_add_str(o, "state", sw_count_name(c->state));
	sw_json_add_bool(o, "other_firmware", firmware);
	sw_json_add_str(o, "text", text);
	return o;
}

int sw_count_check(const struct sw_count *c, struct sw_error *err)
{
	char text[300];

	if (c->state < SW_COUNT_OLDER)
		return 0;
	sw_count_text(c, text);
	sw_fail(err, SW_EXIT_REFUSED, -EKEYREVOKED, "the TPM does not confirm the node's images");
	sw_error_why(err, "%s", text);
	sw_error_hint(err, "%s--count-anew takes the disk as it is", c->state == SW_COUNT_GONE
			? "turn the TPM on in the firmware setup; if it is gone for good, "
			: c->state == SW_COUNT_OLDER
			? "find out who put it back; if that was you, "
			: "if that was meant, ");
	return -EKEYREVOKED;
}

/* ---- counting ---- */

/* Whose TPM it is, when that is not known or another one, and the firmware of now. */
static int remember(json_object *data, const struct sw_count *c, bool *ret_changed,
		    struct sw_error *err)
{
	bool whose = !known_ek(data) || c->state == SW_COUNT_REPLACED;
	_cleanup_ek_ struct sw_ek ek = {};
	json_object *o;
	int r = whose ? sw_tpm_ek(c->tcti, false, &ek, err) : 0;

	if (r < 0 || (!whose && strcmp(c->firmware, c->known_firmware) == 0))
		return r;
	o = json_object_new_object();
	sw_json_add_str(o, "ek", whose ? ek.id : known_ek(data));
	if (c->firmware[0])
		sw_json_add_str(o, "pcr0", c->firmware);
	sw_json_add(data, KEY, o);
	*ret_changed = true;
	return 0;
}

static int forget(json_object *data, bool anew, bool *ret_changed)
{
	*ret_changed = anew && data && known_ek(data);
	if (*ret_changed)
		json_object_object_del(data, KEY);
	return 0;
}

int sw_count_keep(struct sw_switch *s, const struct sw_count *c, uint64_t sequence, bool anew,
		  bool *ret_changed, struct sw_error *err)
{
	json_object *data = s->node.data;
	bool fresh = c->state != SW_COUNT_GOOD && c->state != SW_COUNT_UNSURE;
	int r = fresh ? -ENOENT : 0;

	*ret_changed = false;
	if (!c->tcti)
		return forget(data, anew, ret_changed);
	if (!fresh)
		r = sw_counter_raise(c->tcti, sequence, err);
	if (r == -ENOENT)
		r = sw_counter_begin(c->tcti, c->owner, sequence, err);
	/* After it counts: cut off in between, it is known by the TPM's own note. */
	return r == 0 ? remember(data, c, ret_changed, err) : r;
}
