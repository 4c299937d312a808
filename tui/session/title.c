/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/session/title.h"

#include <string.h>

#include "base/catalogue.h"
#include "base/cleanup.h"
#include "tui/session/text.h"

#define PRODUCT "slipway"
#define GAP 2u
/* With so many columns the facts are told in whole words. */
#define WIDE 110u
#define NAME_COLS 20u
#define LABEL_COLS 16u

const char *sw_title_firmware(const struct sw_facts *f, bool brief)
{
	if (f->firmware == SW_FIRMWARE_BIOS)
		return _("BIOS");
	if (f->setup_mode && !f->secure_boot)
		return brief ? _("UEFI SB setup") : _("UEFI, Secure Boot in setup mode");
	if (f->secure_boot)
		return brief ? _("UEFI SB on") : _("UEFI, Secure Boot on");
	return brief ? _("UEFI SB off") : _("UEFI, Secure Boot off");
}

const char *sw_title_address(const struct sw_link *l)
{
	for (char **a = l->addresses; a && *a; a++)
		if (strncasecmp(*a, "fe80:", 5) != 0 && strncmp(*a, "169.254.", 8) != 0)
			return *a;
	return NULL;
}

const char *sw_title_network(const struct sw_facts *f)
{
	bool carrier = false, any = false;

	for (size_t i = 0; i < f->n_links; i++) {
		const struct sw_link *l = &f->links[i];

		if (strcmp(l->name, "lo") == 0)
			continue;
		any = true;
		carrier |= l->carrier;
		if (sw_title_address(l))
			return _("net up");
	}
	return carrier ? _("no address") : any ? _("no carrier") : _("no net card");
}

void sw_title_origin(const struct sw_facts *f, struct sw_buf *b)
{
	for (size_t i = 0; i < f->n_disks; i++)
		if (f->disks[i].medium) {
			(void)sw_buf_adds(b, f->disks[i].name);
			return;
		}
	for (size_t i = 0; i < f->boot.n_entries; i++) {
		const struct sw_bootvar *e = &f->boot.entries[i];

		if ((int)e->number != f->boot.current)
			continue;
		if (e->owner && strcmp(e->owner, "network") == 0)
			(void)sw_buf_adds(b, _("network"));
		else
			sw_text_elide(e->label ? e->label : "", LABEL_COLS, b);
	}
}

/* The first link that has an address, for those who have room to read it. */
static void add_address(const struct sw_facts *f, struct sw_buf *b)
{
	for (size_t i = 0; i < f->n_links; i++) {
		const char *address = sw_title_address(&f->links[i]);

		if (address && strcmp(f->links[i].name, "lo") != 0) {
			(void)sw_buf_addf(b, " (%s %s)", f->links[i].name, address);
			return;
		}
	}
}

/* The facts, what matters most first; as many as fit into width columns. */
static void add_facts(const struct sw_facts *f, bool wide, unsigned int width, struct sw_buf *b)
{
	_cleanup_buf_ struct sw_buf name = { 0 }, net = { 0 }, from = { 0 }, origin = { 0 };
	const char *part[4];

	sw_text_elide(f->machine_name ? f->machine_name : "", NAME_COLS, &name);
	(void)sw_buf_adds(&net, sw_title_network(f));
	if (wide)
		add_address(f, &net);
	sw_title_origin(f, &origin);
	if (origin.len)
		(void)sw_buf_addf(&from, _("from %s"), sw_buf_text(&origin));
	part[0] = sw_buf_text(&name);
	part[1] = sw_title_firmware(f, !wide);
	part[2] = sw_buf_text(&net);
	part[3] = sw_buf_text(&from);
	for (size_t i = 0; i < ARRAY_SIZE(part); i++) {
		unsigned int used = sw_text_columns(sw_buf_text(b)) + (b->len ? GAP : 0);

		if (!*part[i])
			continue;
		if (used + sw_text_columns(part[i]) > width)
			return;
		(void)sw_buf_addf(b, "%s%s", b->len ? "  " : "", part[i]);
	}
}

void sw_title_draw(struct sw_frame *fr, const char *title, const struct sw_facts *f)
{
	_cleanup_buf_ struct sw_buf left = { 0 }, right = { 0 };
	bool wide = fr->cols >= WIDE, named = strncmp(title, PRODUCT, strlen(PRODUCT)) == 0;
	unsigned int taken = sw_text_columns(title) + GAP + 1;

	if (f && taken < fr->cols)
		add_facts(f, wide, fr->cols - taken, &right);
	taken += sw_text_columns(sw_buf_text(&right));
	if (!named && taken + strlen(PRODUCT " - ") <= fr->cols)
		(void)sw_buf_adds(&left, PRODUCT " - ");
	(void)sw_buf_adds(&left, title);
	sw_frame_put(fr, 0, 0, fr->cols, SW_ATTR_BOLD | SW_ATTR_ACCENT,
		     sw_buf_text(&left));
	if (right.len)
		sw_frame_put(fr, 0, fr->cols - 1 - sw_text_columns(sw_buf_text(&right)), fr->cols,
			     0, sw_buf_text(&right));
}
