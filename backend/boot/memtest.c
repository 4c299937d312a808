/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/memtest.h"

#include <string.h>

#include "base/file.h"
#include "boot/bootpath.h"
#include "boot/utf16.h"
#include "machine/eltorito.h"

#define ON_MEDIUM "boot/memtest.efi"	/* the same file, where the kernel can read it */
#define MARK "memtest"			/* below run_dir, which a restart empties: the boot id */
#define ESP "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"

#define BY_HAND "or restart from the medium and press m, then t, while it says " \
	"\"Slipway is loading\""

bool sw_memtest_is_entry(const struct sw_loadopt *o)
{
	struct sw_devpath_node n;
	bool found = false;
	size_t at = 0;

	if (strcmp(o->label, SW_MEMTEST_LABEL) != 0)
		return false;
	while (!found && sw_devpath_next(o->path, o->path_len, &at, &n) > 0) {
		_cleanup_free_ char *path = NULL;

		if (n.type != SW_DP_MEDIA || n.subtype != SW_DP_MEDIA_FILE)
			continue;
		path = sw_utf16_to_utf8(n.data, n.len);
		found = path && strcasecmp(path, SW_MEMTEST_PATH) == 0;
	}
	return found;
}

static bool is_ours(const struct sw_varset_entry *e)
{
	_cleanup_loadopt_ struct sw_loadopt o = {};

	return sw_loadopt_parse(e->data, e->len, &o) == 0 && sw_memtest_is_entry(&o);
}

int sw_memtest_find(const struct sw_varset *set)
{
	for (size_t i = 0; i < set->n_entries; i++)
		if (is_ours(&set->entries[i]))
			return set->entries[i].number;
	return -1;
}

size_t sw_memtest_remove(struct sw_varset *set)
{
	size_t n = 0;

	for (int number; (number = sw_memtest_find(set)) >= 0; n++)
		sw_varset_remove(set, (uint16_t)number);
	return n;
}

/* ---- whether it can be started ---- */

int sw_memtest_check(struct sw_machine *m, const struct sw_facts *f, struct sw_error *err)
{
	_cleanup_free_ char *path = NULL;
	int r;

	if (!f->boot.supported) {
		sw_fail(err, SW_EXIT_MISSING, -EOPNOTSUPP, "there are no UEFI boot variables");
		sw_error_why(err, "so the firmware cannot be told to start a memory test");
		sw_error_hint(err, "start the machine by UEFI: the setting is in the firmware's "
				   "setup");
		return -EOPNOTSUPP;
	}
	if (f->secure_boot) {
		sw_fail(err, SW_EXIT_REFUSED, -EPERM, "Secure Boot is on, and the memory test is "
			"not signed");
		sw_error_why(err, "this firmware would refuse to start it");
		sw_error_hint(err, "switch Secure Boot off in the firmware's setup, for as long as "
				   "the test takes");
		return -EPERM;
	}
	if (!m->medium) {
		sw_fail(err, SW_EXIT_MISSING, -ENOENT, "this system was not started from slipway's "
			"medium");
		sw_error_why(err, "the memory test is a file of that");
		sw_error_hint(err, "start the machine from slipway's stick or CD, and ask there");
		return -ENOENT;
	}
	r = sw_machine_medium_file(m, ON_MEDIUM, &path, err);
	if (r == -ENOENT && err && strcmp(err->where, ON_MEDIUM) == 0) {
		*err = (struct sw_error){};
		sw_fail(err, SW_EXIT_MISSING, -ENOENT, "this medium has no memory test");
		sw_error_where(err, "%s", ON_MEDIUM);
		sw_error_hint(err, "write a newer slipway.iso onto it");
	}
	return r;
}

/* ---- where the firmware finds it ---- */

static bool is_esp(const struct sw_part *p)
{
	struct sw_guid esp;

	return sw_guid_parse(ESP, &esp) == 0 && sw_guid_equal(&p->type, &esp);
}

/*
 * The same image on a CD shows its table to us, but not to firmware: that looks for it at the
 * second sector, which is elsewhere where sectors are longer.
 */
static bool is_stick(const struct sw_disk *d)
{
	return d->medium && d->sector != SW_CD_SECTOR;
}

static const struct sw_part *find_esp(const struct sw_facts *f, const struct sw_disk **ret_disk)
{
	for (size_t i = 0; i < f->n_disks; i++)
		for (size_t k = 0; is_stick(&f->disks[i]) && k < f->disks[i].table.n_parts; k++)
			if (is_esp(&f->disks[i].table.parts[k])) {
				*ret_disk = &f->disks[i];
				return &f->disks[i].table.parts[k];
			}
	return NULL;
}

/* A stick: its partition has a UUID, which is enough whatever port the stick is in. */
static int path_of_stick(const struct sw_disk *d, const struct sw_part *p, struct sw_buf *path)
{
	uint32_t sector = d->sector ? d->sector : 512;
	struct sw_devpath_hd hd = { .number = p->number, .guid = p->uuid,
				    .start = p->start / sector, .size = p->size / sector };

	return sw_devpath_add_hd(path, &hd);
}

/* The nodes down to the drive itself; -ENOENT when that is no drive. */
static int add_drive(const struct sw_loadopt *o, struct sw_buf *path)
{
	struct sw_devpath_node n;
	bool drive = false;
	size_t at = 0;
	int r = 0;

	if (sw_bootpath_is_network(o->path, o->path_len) ||
	    sw_devpath_has(o->path, o->path_len, SW_DP_MEDIA, SW_DP_MEDIA_HD))
		return -ENOENT;
	while (r == 0 && sw_devpath_next(o->path, o->path_len, &at, &n) > 0 &&
	       n.type < SW_DP_MEDIA) {
		drive = n.type == SW_DP_MESSAGING;
		r = sw_devpath_add(path, n.type, n.subtype, n.data, n.len);
	}
	return r == 0 && !drive ? -ENOENT : r;
}

/* A CD has no UUID: its drive is named as by the entry that started us, then the image on it. */
static int path_of_cd(struct sw_machine *m, const struct sw_facts *f, const struct sw_varset *set,
		      struct sw_buf *path)
{
	const struct sw_varset_entry *e = f->boot.current < 0
		? NULL : sw_varset_find(set, (uint16_t)f->boot.current);
	_cleanup_loadopt_ struct sw_loadopt o = {};
	const struct sw_disk *d = NULL;
	_cleanup_io_ struct sw_io *io = NULL;
	struct sw_eltorito image = {};
	uint8_t node[20] = {};
	int r;

	for (size_t i = 0; i < f->n_disks && !d; i++)
		d = f->disks[i].medium ? &f->disks[i] : NULL;
	if (!d || !e || sw_loadopt_parse(e->data, e->len, &o) < 0)
		return -ENOENT;
	r = sw_machine_open_disk(m, d, false, false, &io, NULL);
	if (r == 0)
		r = sw_eltorito_read(io, &image);
	if (r == 0)
		r = add_drive(&o, path);
	if (r < 0)
		return r;
	sw_put_le32(node, image.entry);
	sw_put_le64(node + 4, image.start);
	sw_put_le64(node + 12, image.size);
	return sw_devpath_add(path, SW_DP_MEDIA, SW_DP_MEDIA_CDROM, node, sizeof(node));
}

static int find_path(struct sw_machine *m, const struct sw_facts *f, const struct sw_varset *set,
		     struct sw_buf *path, struct sw_error *err)
{
	const struct sw_disk *d = NULL;
	const struct sw_part *p = find_esp(f, &d);
	int r = p ? path_of_stick(d, p, path) : path_of_cd(m, f, set, path);

	if (r == 0)
		r = sw_devpath_add_file(path, SW_MEMTEST_PATH);
	if (r == 0)
		r = sw_devpath_add_end(path);
	if (r == -ENOMEM)
		return sw_fail_oom(err);
	if (r < 0) {
		sw_fail(err, SW_EXIT_MISSING, r, "it is not known how the firmware finds the "
			"medium");
		sw_error_why(err, "it is no stick with a partition of its own, and the firmware "
				  "does not name the drive that it was started from");
		sw_error_hint(err, "%s", "use a stick; " BY_HAND);
	}
	return r;
}

/* ---- the entry ---- */

/* The test speaks on the serial line that this system was given, with its own word for it. */
static int add_words(const struct sw_machine *m, struct sw_buf *words)
{
	_cleanup_free_ char *path = sw_fmt("%s/cmdline", m->proc_root), *line = NULL;
	static const char serial[] = "console=ttyS";
	char *word, *rest;

	if (!path)
		return -ENOMEM;
	if (sw_file_read_line(path, &line) < 0)
		return 0;
	rest = line;
	while ((word = strsep(&rest, " ")))
		if (strncmp(word, serial, sizeof(serial) - 1) == 0)
			return sw_utf16_add(words, word);
	return 0;
}

static int put_entry(struct sw_machine *m, struct sw_varset *set, uint16_t number,
		     const struct sw_buf *path)
{
	_cleanup_buf_ struct sw_buf words = {}, b = {};
	int r = add_words(m, &words);

	if (r == 0)
		r = sw_loadopt_build(SW_LOADOPT_ACTIVE | SW_LOADOPT_APP, SW_MEMTEST_LABEL,
				     path->data, path->len, words.data, words.len, &b);
	return r < 0 ? r : sw_varset_put(set, number, b.data, b.len);
}

int sw_memtest_set(struct sw_machine *m, const struct sw_facts *f, struct sw_varset *set,
		   struct sw_error *err)
{
	_cleanup_buf_ struct sw_buf path = {};
	int r = sw_memtest_check(m, f, err), n = sw_memtest_find(set);

	if (r == 0)
		r = find_path(m, f, set, &path, err);
	if (r < 0)
		return r;
	if (n < 0)
		n = sw_varset_free_number(set);
	if (n < 0)
		return sw_fail_errno(err, SW_EXIT_REFUSED, n, "no boot entry number is free");
	r = put_entry(m, set, (uint16_t)n, &path);
	if (r == 0 && set->n_order)
		r = sw_varset_append(set, (uint16_t)n);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot make the entry");
	set->next = n;
	return 0;
}

/* ---- afterwards ---- */

void sw_memtest_mark(const struct sw_machine *m, const char *boot_id)
{
	_cleanup_free_ char *path = sw_fmt("%s/" MARK, m->run_dir);

	if (path && boot_id && sw_mkdir_all(m->run_dir, 0700) == 0)
		(void)sw_file_write(path, boot_id, strlen(boot_id), 0600);
}

bool sw_memtest_is_pending(const struct sw_machine *m, const char *boot_id,
			   const struct sw_varset *set)
{
	_cleanup_free_ char *path = sw_fmt("%s/" MARK, m->run_dir), *line = NULL;
	const struct sw_varset_entry *e = set->next < 0
		? NULL : sw_varset_find(set, (uint16_t)set->next);

	return e && is_ours(e) && path && boot_id && sw_file_read_line(path, &line) == 0 &&
	       strcmp(line, boot_id) == 0;
}

static int read_set(struct sw_varstore *vars, struct sw_varset *ret_set, struct sw_error *err)
{
	_cleanup_json_ json_object *raw = NULL;
	int r = sw_entries_snapshot(vars, &raw, err);

	if (r < 0)
		return r;
	r = sw_varset_load(raw, ret_set);
	if (r < 0)
		sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot decode the boot variables");
	return r;
}

int sw_memtest_clear(struct sw_machine *m, size_t *ret_removed, struct sw_error *err)
{
	_cleanup_(sw_entry_plan_clear) struct sw_entry_plan p = {};
	_cleanup_varset_ struct sw_varset set = { .next = -1 };
	_cleanup_facts_ struct sw_facts *f = NULL;
	struct sw_varstore *vars = NULL;
	struct sw_error none = {};
	int r;

	*ret_removed = 0;
	if (sw_machine_vars(m, &vars, &none) < 0)
		return 0;
	r = read_set(vars, &set, err);
	if (r < 0 || sw_memtest_find(&set) < 0)
		return r;
	r = sw_machine_identity(m, &f, err);
	if (r < 0 || sw_memtest_is_pending(m, f->boot_id, &set))
		return r;
	*ret_removed = sw_memtest_remove(&set);
	r = sw_varset_plan(&set, &p);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot plan the boot entries");
	return sw_entry_plan_apply(vars, &p, NULL, err);
}
