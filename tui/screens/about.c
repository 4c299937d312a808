/* SPDX-License-Identifier: Apache-2.0 */
/* Which version this is, under what licence, and what it was built with. */
#include <string.h>

#include "base/catalogue.h"
#include "tui/screens/pager-view.h"
#include "tui/screens/screens.h"
#include "tui/session/state.h"

/* "ncursesw 6.4, blkid 2.38, ...," by the Makefile. */
#ifndef SW_LIBRARIES
#define SW_LIBRARIES ""
#endif
#ifdef __clang__
#define COMPILER __VERSION__
#else
#define COMPILER "gcc " __VERSION__
#endif

static void about_open(struct sw_view *v, struct sw_state *s)
{
	struct sw_pager_view *pv = v->data;
	_cleanup_buf_ struct sw_buf b = { 0 };
	size_t n = strlen(SW_LIBRARIES);

	sw_buf_addf(&b, _("slipway %s, installer and rescue console for bare-metal nodes.\n\n"
			   "Licence: Apache-2.0. It comes without any warranty.\n"), SW_VERSION);
	if (s->run_dir)
		sw_buf_addf(&b, _("\nLogs and work files: %s\n"), s->run_dir);
	sw_buf_addf(&b, _("\nBuilt with %s and these libraries, which keep the licences of their "
			   "own:\n"), COMPILER);
	sw_buf_addf(&b, "  %.*s\n", (int)(n ? n - 1 : 0), SW_LIBRARIES);
	sw_pager_set(&pv->pager, sw_buf_steal(&b));
}

static bool about_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch)
{
	return sw_pager_view_request(v, s, req, ch, SW_REQ_LEFT);
}

static const struct sw_hint hints[] = { { SW_REQ_BACK, NULL }, { SW_REQ_NONE, NULL } };

const struct sw_view_ops sw_screen_about = {
	.title = N_("About slipway"),
	.hints = hints,
	.size = sizeof(struct sw_pager_view),
	.open = about_open,
	.draw = sw_pager_view_draw,
	.request = about_request,
	.close = sw_pager_view_close,
	.widget = sw_pager_view_widget,
	.mode = sw_pager_view_mode,
};
