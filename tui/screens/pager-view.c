/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/screens/pager-view.h"

#include <string.h>

#include "base/json.h"

void sw_pager_view_draw(struct sw_view *v, const struct sw_state *s SW_UNUSED, struct sw_frame *f,
			const struct sw_area *a)
{
	struct sw_pager_view *pv = v->data;

	sw_pager_draw(&pv->pager, f, a);
}

bool sw_pager_view_request(struct sw_view *v, struct sw_state *s, enum sw_request req, uint32_t ch,
			   enum sw_request away)
{
	struct sw_pager_view *pv = v->data;

	if (sw_pager_request(&pv->pager, s, req, ch))
		return true;
	if (req != SW_REQ_ACCEPT && req != away)
		return false;
	sw_view_pop(s);
	return true;
}

void sw_pager_view_close(struct sw_view *v)
{
	struct sw_pager_view *pv = v->data;

	sw_pager_clear(&pv->pager);
}

enum sw_key_mode sw_pager_view_mode(const struct sw_view *v)
{
	const struct sw_pager_view *pv = v->data;

	return sw_pager_mode(&pv->pager);
}

struct sw_widget sw_pager_view_widget(const struct sw_view *v)
{
	struct sw_pager_view *pv = v->data;

	return (struct sw_widget){ .kind = SW_WIDGET_PAGER, .pager = &pv->pager };
}

void sw_pager_view_checks(json_object *list, int width, struct sw_buf *b)
{
	size_t n = list ? json_object_array_length(list) : 0;

	for (unsigned int rest = 0; rest < 2; rest++)
		for (size_t i = 0; i < n; i++) {
			json_object *c = json_object_array_get_idx(list, i);
			const char *verdict = sw_json_str(c, "verdict", "");
			const char *fix = sw_json_str(c, "fix", NULL);

			if ((strcmp(verdict, "failed") == 0) == (rest == 1))
				continue;
			sw_buf_addf(b, "\n%-*s%s\n%*s%s\n", width,
				    sw_json_str(c, "name", "?"), verdict, width, "",
				    sw_json_str(c, "what", ""));
			if (fix)
				sw_buf_addf(b, "%*s-> %s\n", width, "", fix);
		}
}
