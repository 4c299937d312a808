/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An undo copy from a stick or a server, and the mark of a wipe. The input is
 * the document of a zone (behind the checksums, which no fuzzer would guess),
 * and, as it is, a whole zone and a first sector.
 */
#include <string.h>

#include "apply/journal-zone.h"
#include "disk/wipemark.h"
#include "tests/lib/crash.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void open_zone(struct sw_io *io)
{
	struct sw_journal_info *info = NULL;
	struct sw_journal_head h = {};
	struct sw_journal j;

	if (sw_journal_open_at(io, 0, 0, &j, &h) < 0)
		return;
	for (size_t i = 0; i < 2; i++)
		if (j.left_out[i].from > j.left_out[i].to ||
		    j.left_out[i].to > SW_JOURNAL_SAVED)
			abort();
	if (sw_journal_info_from_copy(&h, &info) == 0) {
		free(sw_undo_text(info, 0));
		sw_journal_infos_free(info, 1);
	}
	sw_journal_head_clear(&h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *doc = strndup((const char *)data, size);
	static uint8_t zone[SW_JOURNAL_LEN], area[SW_JOURNAL_SAVED];
	struct sw_journal_zone z = { .doc = doc, .area = { area, area }, .disk_size = 1 << 20 };
	struct sw_wipe_mark mark;
	struct mem_io m;

	mem_io_init(&m, zone, sizeof(zone), 512);
	if (doc && strlen(doc) < 1 << 20 && sw_journal_write_zone(&m.io, 0, &z) == 0)
		open_zone(&m.io);
	memset(zone, 0, 8192);
	memcpy(zone, data, size < sizeof(zone) ? size : sizeof(zone));
	open_zone(&m.io);
	(void)sw_wipe_mark_read(&m.io, &mark);
	return 0;
}
