/* SPDX-License-Identifier: Apache-2.0 */
/* An image whose kernel is told no console, or not the serial line at which somebody works. */
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "boot/pe.h"
#include "boot/slot.h"
#include "boot/uki.h"
#include "rescue/private.h"

/* The word of a command line that begins so, up to the next blank; "": there is none. */
static void word_of(const char *line, const char *begins, char text[static 48])
{
	size_t n = strlen(begins);

	*text = '\0';
	for (const char *p = line; *p; p += strcspn(p, " \n")) {
		p += strspn(p, " \n");
		if (strncmp(p, begins, n) == 0) {
			(void)snprintf(text, 48, "%.*s", (int)strcspn(p, " ,\n"), p);
			return;
		}
	}
}

/* The serial line that this very system was given: where the person is who asks. */
static void own_serial(const struct sw_examine *x, char text[static 48])
{
	_cleanup_free_ char *path = sw_fmt("%s/cmdline", x->m->proc_root), *line = NULL;

	*text = '\0';
	if (path && sw_file_read_line(path, &line) == 0)
		word_of(line, "console=ttyS", text);
}

static int finding(struct sw_examine *x, const struct sw_node *n, const struct sw_node_slot *s,
		   const char *prefix, const char *serial)
{
	struct sw_finding *fi;
	char id[32];

	(void)snprintf(id, sizeof(id), "console-%c", s->letter);
	fi = sw_finding_add(x, prefix, id, *serial ? SW_FINDING_WARNING : SW_FINDING_INFO,
			    SW_SURE_LIKELY);
	if (!fi)
		return -ENOMEM;
	(void)snprintf(fi->what, sizeof(fi->what), "the image of slot %c says nothing %s",
		       s->letter - 'a' + 'A', *serial ? "on the serial line" : "on a serial line");
	(void)snprintf(fi->evidence, sizeof(fi->evidence),
		       "%.40s on %.40s: no console= in the kernel command line%s%s", s->part->label,
		       n->disk->name, *serial ? "; this system has " : "", serial);
	(void)snprintf(fi->effect, sizeof(fi->effect),
		       "it may start and look dead to who watches the serial line");
	(void)snprintf(fi->advice, sizeof(fi->advice),
		       "promote an image with console=ttyS0,115200 in its command line, or look at "
		       "the screen");
	return 0;
}

/* Only as much is read as tells it: sections of text stand before kernel and initrd. */
static int inspect(struct sw_io *io, const struct sw_part *p, const char *file,
		   struct sw_uki_info *info, struct sw_error *err)
{
	uint64_t head = SW_PE_HEAD, end = 0;
	int r = sw_slot_image_head(io, p->start, p->size, head, file, err);

	if (r == 0)
		r = sw_uki_inspect(file, info, err);
	for (size_t i = 0; r == 0 && i < info->n_sections; i++)
		if (strcmp(info->sections[i].name, ".cmdline") == 0)
			end = info->sections[i].offset + info->sections[i].size;
	if (r < 0 || end <= head)
		return r;
	sw_uki_info_clear(info);
	r = sw_slot_image_head(io, p->start, p->size, end, file, err);
	return r < 0 ? r : sw_uki_inspect(file, info, err);
}

static int examine_one(struct sw_examine *x, const struct sw_node *n,
		       const struct sw_node_slot *s, const char *prefix, struct sw_io *io,
		       const char *file)
{
	struct sw_uki_info info = {};
	char console[48] = "", serial[48];
	struct sw_error e = {};
	int r = inspect(io, s->part, file, &info, &e);

	if (r == 0 && info.cmdline)
		word_of(info.cmdline, "console=", console);
	own_serial(x, serial);
	if (r == 0 && info.is_uki && !*console)
		r = finding(x, n, s, prefix, serial);
	if (r == 0 && info.is_uki)
		r = sw_examine_image_planned(x, n, s, prefix, io, info.cmdline);
	sw_uki_info_clear(&info);
	(void)unlink(file);
	return r == -ENOMEM ? r : 0;	/* what is no image, others say */
}

int sw_examine_consoles(struct sw_examine *x, const struct sw_node *n, const char *prefix)
{
	_cleanup_(sw_scratch_clear) char *dir = NULL;
	_cleanup_free_ char *file = NULL;
	_cleanup_io_ struct sw_io *io = NULL;
	int r = sw_scratch_new("slipway-doctor", &dir);

	file = r == 0 ? sw_fmt("%s/image", dir) : NULL;
	if (r == 0)
		r = file ? sw_machine_open_disk(x->m, n->disk, false, false, &io, x->err) : -ENOMEM;
	for (size_t i = 0; r == 0 && i < n->n_slots; i++)
		if (n->slots[i].good)
			r = examine_one(x, n, &n->slots[i], prefix, io, file);
	return r;
}
