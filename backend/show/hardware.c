/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <string.h>

#include "base/file.h"
#include "base/size.h"
#include "base/text.h"
#include "disk/health.h"
#include "show/show.h"

#define CARDS_MAX 64U
#define PROC_MAX ((size_t)4 << 20)

static void line(struct sw_buf *b, const char *label, const char *text)
{
	if (text && *text)
		(void)sw_buf_addf(b, "%-11s %s\n", label, text);
}

/* ---- from /proc and /sys ---- */

static char *sys_line(const struct sw_machine *m, const char *name)
{
	_cleanup_free_ char *path = sw_fmt("%s/%s", m->sys_root, name);
	char *text = NULL;

	return path && sw_file_read_line(path, &text) == 0 ? sw_text_clean(text) : NULL;
}

static void add_processor(const struct sw_machine *m, struct sw_buf *b)
{
	_cleanup_buf_ struct sw_buf text = { .max = PROC_MAX };
	_cleanup_free_ char *path = sw_fmt("%s/cpuinfo", m->proc_root), *name = NULL;
	unsigned int n = 0;

	if (!path || sw_file_read(path, &text) < 0)
		return;
	for (const char *p = sw_buf_text(&text); p && *p; p = strchr(p, '\n'), p = p ? p + 1 : p) {
		n += strncmp(p, "processor", 9) == 0;
		if (!name && strncmp(p, "model name", 10) == 0) {
			p += strcspn(p, ":");
			name = strndup(p + 1, *p ? strcspn(p + 1, "\n") : 0);
		}
	}
	if (n)
		(void)sw_buf_addf(b, "%-11s %u threads%s%s\n", "Processor", n, name ? ", " : "",
				  name ? sw_text_clean(name) : "");
}

/* Corrected and uncorrected errors, where the memory controller has a driver. */
static void add_memory(const struct sw_machine *m, const struct sw_facts *f, struct sw_buf *b)
{
	char size[16];
	bool any = false;

	(void)sw_buf_addf(b, "%-11s %s\n", "Memory",
			  sw_size_format(f->memory, size, sizeof(size)));
	for (unsigned int i = 0; i < 16; i++) {
		char name[64];
		_cleanup_free_ char *ce = NULL, *ue = NULL;

		(void)snprintf(name, sizeof(name), "devices/system/edac/mc/mc%u/ce_count", i);
		ce = sys_line(m, name);
		(void)snprintf(name, sizeof(name), "devices/system/edac/mc/mc%u/ue_count", i);
		ue = sys_line(m, name);
		if (!ce || !ue)
			continue;
		any = true;
		(void)sw_buf_addf(b, "%-11s controller %u: %s errors corrected, %s not\n", "", i,
				  ce, ue);
	}
	if (!any)
		line(b, "", "its errors are counted by no driver here");
}

static const char *card_kind(const char *class)
{
	static const struct {
		const char *class, *name;
	} kinds[] = {
		{ "0x01", "storage" }, { "0x02", "network" }, { "0x03", "display" },
		{ "0x04", "multimedia" }, { "0x06", "bridge" }, { "0x07", "serial" },
		{ "0x08", "system" }, { "0x0c", "bus" }, { "0x12", "accelerator" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strncmp(class, kinds[i].class, 4) == 0)
			return kinds[i].name;
	return "other";
}

/* A card that no driver has taken is one that this medium cannot use. */
static void add_card(const struct sw_machine *m, const char *slot, struct sw_buf *b)
{
	_cleanup_free_ char *dir = sw_fmt("bus/pci/devices/%s", slot), *link = NULL;
	_cleanup_free_ char *name = NULL, *class = NULL, *vendor = NULL, *device = NULL;
	char driver[256] = "";
	ssize_t n;

	name = dir ? sw_fmt("%s/class", dir) : NULL;
	class = name ? sys_line(m, name) : NULL;
	if (!class || strncmp(class, "0x06", 4) == 0)
		return;
	free(name);
	name = sw_fmt("%s/vendor", dir);
	vendor = name ? sys_line(m, name) : NULL;
	free(name);
	name = sw_fmt("%s/device", dir);
	device = name ? sys_line(m, name) : NULL;
	link = sw_fmt("%s/%s/driver", m->sys_root, dir);
	n = link ? readlink(link, driver, sizeof(driver) - 1) : -1;
	driver[n > 0 ? n : 0] = '\0';
	(void)sw_buf_addf(b, "  %-13.13s %-11s %.6s:%.6s  %s\n", slot, card_kind(class),
			  vendor ? vendor : "?", device ? device : "?",
			  n > 0 && strrchr(driver, '/') ? strrchr(driver, '/') + 1 : "no driver");
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_cards(const struct sw_machine *m, struct sw_buf *b)
{
	_cleanup_free_ char *path = sw_fmt("%s/bus/pci/devices", m->sys_root);
	_cleanup_closedir_ DIR *d = path ? opendir(path) : NULL;
	char *slots[CARDS_MAX];
	size_t n = 0;

	for (struct dirent *e = d ? readdir(d) : NULL; e && n < CARDS_MAX; e = readdir(d))
		if (e->d_name[0] != '.' && (slots[n] = strdup(e->d_name)))
			n++;
	if (n) {
		qsort(slots, n, sizeof(*slots), by_name);
		(void)sw_buf_adds(b, "\nCards (PCI), without bridges\n");
	}
	for (size_t i = 0; i < n; i++) {
		add_card(m, slots[i], b);
		free(slots[i]);
	}
}

/* ---- from the facts ---- */

static void add_disk(const struct sw_disk *d, struct sw_buf *b)
{
	_cleanup_free_ char *health = sw_health_words(d);
	char size[16];

	(void)sw_buf_addf(b, "  %-9s %6s  %s%s%s%s%s\n", d->name,
			  sw_size_format(d->size, size, sizeof(size)), d->model ? d->model : "?",
			  d->serial ? ", serial " : "", d->serial ? d->serial : "",
			  health && *health ? ", " : "", health ? health : "");
}

int sw_show_hardware(struct sw_machine *m, const struct sw_facts *f, struct sw_buf *out)
{
	_cleanup_free_ char *bios = sys_line(m, "class/dmi/id/bios_version"),
			    *date = sys_line(m, "class/dmi/id/bios_date");
	int r = sw_buf_addf(out, "%-11s %s %s\n", "Machine", f->vendor ? f->vendor : "",
			    f->product ? f->product : "unknown");

	line(out, "Serial", f->serial);
	line(out, "UUID", f->uuid);
	(void)sw_buf_addf(out, "%-11s %s%s%s%s%s\n", "Firmware",
			  f->firmware == SW_FIRMWARE_UEFI ? "UEFI" : "BIOS", bios ? ", " : "",
			  bios ? bios : "", date ? " of " : "", date ? date : "");
	add_processor(m, out);
	add_memory(m, f, out);
	(void)sw_buf_adds(out, "\nNetwork cards\n");
	for (size_t i = 0; i < f->n_links; i++)
		if (strcmp(f->links[i].name, "lo") != 0)
			(void)sw_buf_addf(out, "  %-9s %s  %s, %s\n", f->links[i].name,
					  f->links[i].mac ? f->links[i].mac : "-",
					  f->links[i].driver ? f->links[i].driver : "no driver",
					  f->links[i].carrier ? "carrier" : "no carrier");
	(void)sw_buf_adds(out, "\nDisks\n");
	for (size_t i = 0; i < f->n_disks; i++)
		add_disk(&f->disks[i], out);
	add_cards(m, out);
	return r;
}
