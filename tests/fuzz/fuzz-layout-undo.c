/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Undo data of `layout apply`, beside an image or on a disk that anybody may have
 * written to. The input is the document (its checksums, which no fuzzer would
 * guess, are made to fit) and, as it is, the whole of it. What opens is carried
 * out on a disk in memory: no write may leave it.
 */
#include <endian.h>
#include <string.h>

#include "base/hash.h"
#include "layout/undo.h"
#include "tests/lib/crash.h"

#define DISK (2U << 20)
#define ZONE (4U << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Header and first state block as layout/undo.h describes them. */
static void wrap(uint8_t *zone, const uint8_t *doc, size_t len)
{
	const uint32_t version = htole32(1), doc_len = htole32((uint32_t)len);
	const uint32_t count = htole32(1), running = htole32(1);
	uint8_t *state = zone + 4096;

	memcpy(zone, "SLIPWAY-LAYOUT", 14);
	memcpy(zone + 16, &version, 4);
	memcpy(zone + 20, &doc_len, 4);
	(void)sw_sha256_seal(doc, len, (char *)zone + 24);
	(void)sw_sha256_seal(zone, 88, (char *)zone + 88);
	memcpy(state, "SWLSTATE", 8);
	memcpy(state + 8, &count, 4);
	memcpy(state + 12, &running, 4);
	memcpy(state + 24, zone + 24, 64);
	(void)sw_sha256_seal(state, 88, (char *)state + 88);
	memcpy(zone + 3UL * 4096, doc, len);
}

/* True when it could be opened. */
static bool undo(uint8_t *zone)
{
	static uint8_t disk[DISK];
	struct sw_layout_undo_head h = {};
	struct mem_io on, from;
	struct sw_layout_undo u = { .io = &from.io };
	struct sw_error err = {};

	memset(disk, 0, sizeof(disk));
	mem_io_init(&on, disk, sizeof(disk), 512);
	mem_io_init(&from, zone, ZONE, 512);
	if (sw_layout_undo_open(&u, &h) < 0)
		return false;
	(void)sw_layout_undo_nothing(h.doc);
	(void)sw_layout_undo_is_new(&on.io, &h);
	if (sw_layout_undo_run(&u, &on.io, &h, NULL, &err) < 0 && (!err.what[0] || !err.why[0]))
		abort();
	sw_layout_undo_head_clear(&h);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t zone[ZONE];

	if (size > 1 << 19)
		return 0;
	memset(zone, 0, 1 << 20);
	wrap(zone, data, size);
	(void)undo(zone);
	memset(zone, 0, 1 << 20);
	memcpy(zone, data, size);
	(void)undo(zone);
	return 0;
}
