/* SPDX-License-Identifier: Apache-2.0 */
/* What is said of a memory test before anybody starts one. */
#include <string.h>

#include "show/show.h"

static const char what_it_is[] =
	"memtest86+ has the machine for itself: slipway ends, and nothing is written to a disk. "
	"It is shown on the screen and on the serial line of this console. One pass takes minutes, "
	"on a large machine hours; it repeats until somebody ends it, and two passes without an "
	"error say more than one. Red lines are errors, with the address.\n\n";

/* The firmware's own, or one that somebody has added; not that which is ours for one start. */
static bool is_memory_test(const struct sw_bootvar *e)
{
	const char *label = e->label ? e->label : "";

	return strcasestr(label, "mem") && strcasestr(label, "test") &&
	       strncmp(label, "Slipway ", 8) != 0;
}

static size_t add_firmwares(const struct sw_facts *f, struct sw_buf *out)
{
	size_t n = 0;

	for (size_t i = 0; i < f->boot.n_entries; i++) {
		const struct sw_bootvar *e = &f->boot.entries[i];

		if (!is_memory_test(e))
			continue;
		if (!n++)
			(void)sw_buf_adds(out, "The firmware can start a memory test:\n\n");
		(void)sw_buf_addf(out, "  Boot%04X %s\n", e->number, e->label);
	}
	if (n)
		(void)sw_buf_adds(out, "\nChoose it under \"Restart the machine\": it is started "
				       "once, and the order of the boot entries stays. When it "
				       "ends, the machine starts as before.\n\n");
	return n;
}

static void add_ours(struct sw_buf *out)
{
	(void)sw_buf_adds(out, "Enter restarts this machine into the memory test of slipway's "
			       "medium, once, and asks first.\n\n");
	(void)sw_buf_adds(out, what_it_is);
	(void)sw_buf_adds(out, "Esc ends it: the machine restarts as its boot order says, as "
			       "before. To come back here, start it from the stick or CD again. "
			       "The test's boot entry goes when slipway starts the next time.\n\n"
			       "If the machine comes back without a test, its firmware did not "
			       "take the wish: restart from the medium and press m, then t, while "
			       "it says \"Slipway is loading\".\n\n");
}

static void add_why_not(const struct sw_facts *f, const struct sw_error *off, struct sw_buf *out)
{
	(void)sw_buf_addf(out, "A memory test cannot be started from here: %s.\n", off->what);
	if (off->why[0])
		(void)sw_buf_addf(out, "Why: %s.\n", off->why);
	if (off->hint[0])
		(void)sw_buf_addf(out, "What to do: %s.\n", off->hint);
	if (f->secure_boot)
		(void)sw_buf_adds(out, "What is sealed to PCR 7 stays closed while Secure Boot is "
				       "off, and opens again when it is on.\n");
	(void)sw_buf_addf(out, "\n%s", what_it_is);
	(void)sw_buf_adds(out, "For a machine started over the network put memtest86+ onto a FAT "
			       "stick, as EFI/BOOT/BOOTX64.EFI. It is /boot/memtest86+x64.efi of "
			       "Debian's package memtest86+, and /boot/memtest.efi of the ISO."
			       "\n\n");
}

int sw_show_memory_test(const struct sw_facts *f, const struct sw_error *off, struct sw_buf *out)
{
	size_t n = add_firmwares(f, out);

	if (!off->what[0])
		add_ours(out);
	else if (!n)
		add_why_not(f, off, out);
	return sw_buf_adds(out, "Errors that the memory itself has corrected are counted under "
				"\"Hardware\".\n");
}
