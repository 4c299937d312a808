/* SPDX-License-Identifier: Apache-2.0 */
/* A measured-boot log as firmware may leave it: read, put into words and replayed. */
#include "boot/measured.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_eventlog_ struct sw_eventlog *l = NULL;
	struct sw_pcrs pcrs;

	if (sw_eventlog_parse(data, size, "fuzz", &l, NULL) < 0)
		return 0;
	if (l->n_events == 0 || l->n_banks == 0 || l->n_banks > SW_EVENTLOG_BANKS)
		abort();
	for (size_t i = 0; i < l->n_events; i++) {
		const struct sw_log_event *e = &l->events[i];
		_cleanup_free_ char *words = sw_event_describe(e);

		if (!words || e->data < l->bytes || e->data + e->len > l->bytes + size)
			abort();
	}
	for (size_t b = 0; b < l->n_banks; b++)
		(void)sw_eventlog_replay(l, b, &pcrs, NULL);
	return 0;
}
