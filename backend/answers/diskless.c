/* SPDX-License-Identifier: Apache-2.0 */
/* disk: none among the answers: what does not go with it, and the way there and back. */
#include <string.h>

#include "answers/answers.h"
#include "answers/values.h"
#include "base/strv.h"

/* What needs a disk, by the beginning of its keys. A default says nothing. */
static const struct { const char *key, *why; } needs_disk[] = {
	{ "payload.", "an image is kept in a slot, and a slot is on a disk" },
	{ "console", "the image that the network has names its own consoles" },
	{ "trust.", "it says what a slot may hold, and slots are on a disk" },
	{ "rescue.", "a rescue image lies in a partition" },
	{ "node.secrets", "a node without a disk has no secrets" },
	{ "secrets", "a node without a disk has no secrets" },
	{ "node.files.", "a node without a disk has no room for files" },
	{ "node.ssh.", "a node without a disk has no room for keys" },
	{ "boot.network.ipxe", "iPXE and its script lie in a partition" },
	{ "boot.network.sha256", "iPXE and its script lie in a partition" },
	{ "disk.match", "no disk is chosen" },
	{ "disk.more", "no disk is chosen" },
	{ "disk.layout", "there is nothing to divide" },
	{ "disk.wipe", "nothing is overwritten" },
	{ "disk.preserve", "nothing is overwritten" },
	{ "disk.recovery", "nothing is encrypted" },
	{ "disk.escrow", "nothing is encrypted" },
	{ "disk.pcr-key", "nothing is encrypted" },
	{ "disk.keyfile", "nothing is encrypted" },
	{ "disk.conflicts", "no partition gets a name" },
	{ "disk.failing", "no disk is chosen" },
	{ "disk.wait", "no disk is waited for" },
};

const char *sw_answers_layout(const struct sw_answers *a)
{
	return a->layout ? a->layout : sw_field_find("disk.layout")->dflt;
}

bool sw_answers_diskless(const struct sw_answers *a)
{
	return a->disk_use == SW_DISK_NONE;
}

const char *sw_answers_why_disk(const char *key, const struct sw_field *f, const char *text)
{
	if (f->dflt && strcmp(text, f->dflt) == 0)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(needs_disk); i++)
		if (strncmp(key, needs_disk[i].key, strlen(needs_disk[i].key)) == 0)
			return needs_disk[i].why;
	return NULL;
}

/* As pairs of key and text. */
static int note(const char *key, const struct sw_field *f, const char *text, void *arg)
{
	char ***list = arg;
	bool by_ipxe = strcmp(key, "boot.network.via") == 0 && strcmp(text, "ipxe") == 0;
	int r;

	if (!by_ipxe && !sw_answers_why_disk(key, f, text))
		return 0;
	r = sw_strv_add(list, key);
	return r < 0 ? r : sw_strv_add(list, text);
}

int sw_answers_drop_disk(struct sw_answers *a, char ***ret_dropped, struct sw_error *err)
{
	_cleanup_strv_ char **dropped = NULL;
	int r = sw_answers_each(a, note, &dropped);

	if (r < 0)
		return sw_fail_oom(err);
	sw_answers_cut_more(a, 0);
	sw_items_cut(sw_list_group_of(SW_HOME_SECRET), a, 1);
	sw_items_cut(sw_list_group_of(SW_HOME_FILE), a, 1);
	sw_disk_choice_clear_match(&a->disk);
	for (char **d = dropped; d && d[0] && r == 0; d += 2) {
		const struct sw_field *f = sw_field_find(d[0]);

		/* Those of one disk, of which there is none any more, are no fields. */
		if (f && strncmp(d[0], "disk.m", strlen("disk.m")) != 0)
			r = sw_field_set(f, a, f->dflt ? f->dflt : "", err);
	}
	if (r < 0)
		return r;
	a->disk_use = SW_DISK_NONE;
	a->boot_mode = SW_MODE_NETWORK;
	*ret_dropped = TAKE_PTR(dropped);
	return 0;
}

int sw_answers_take_disk(struct sw_answers *a, char *const *dropped, struct sw_error *err)
{
	int r = 0;

	if (!sw_answers_diskless(a))
		return 0;
	a->disk_use = 0;
	for (char *const *d = dropped; d && d[0] && r == 0; d += 2)
		r = sw_answers_set(a, d[0], d[1], err);
	return r;
}
