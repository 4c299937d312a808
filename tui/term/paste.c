/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/term/paste.h"

#define LOST_MS 2000		/* the end mark of a paste that was torn never comes */
#define BURST_MS 300		/* an unmarked paste goes on after so long a pause at most */
#define BURST_KEYS 3u		/* so many characters right behind an Enter nobody types */

static bool is_text(uint32_t key)
{
	return key >= ' ' && key < SW_KEY_UP && key != 0x7f;
}

bool sw_paste_wants_more(const struct sw_paste *p, const uint32_t *keys, size_t n, int64_t now_ms)
{
	if (!n || keys[n - 1] != '\r' || p->marked)
		return false;
	if (n > 1)
		return is_text(keys[n - 2]);
	return p->text_ms && now_ms - p->text_ms < SW_PASTE_HOLD_MS;
}

/* An Enter with several characters behind it that came together with it. */
static bool is_burst(const uint32_t *keys, size_t n)
{
	size_t text = 0;
	bool enter = false;

	for (size_t i = 0; i < n; i++) {
		text = is_text(keys[i]) ? text + 1 : 0;
		enter |= keys[i] == '\r';
		if (enter && text >= BURST_KEYS)
			return true;
		if (keys[i] == '\r')
			text = 0;
	}
	return false;
}

static bool take(struct sw_paste *p, uint32_t key, bool burst)
{
	if (key == SW_KEY_PASTE || key == SW_KEY_PASTE_END) {
		p->marked = key == SW_KEY_PASTE;
		return false;
	}
	if (p->marked)
		return is_text(key);
	return !burst || key != '\r';
}

size_t sw_paste_filter(struct sw_paste *p, uint32_t *keys, size_t n, int64_t now_ms)
{
	bool burst = is_burst(keys, n) || now_ms < p->until_ms;
	size_t kept = 0;

	if (p->marked && now_ms - p->text_ms > LOST_MS)
		p->marked = false;
	if (burst)
		p->until_ms = now_ms + BURST_MS;
	for (size_t i = 0; i < n; i++) {
		if (is_text(keys[i]) || keys[i] == SW_KEY_PASTE)
			p->text_ms = now_ms;
		if (take(p, keys[i], burst))
			keys[kept++] = keys[i];
	}
	return kept;
}
