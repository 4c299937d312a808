/* SPDX-License-Identifier: Apache-2.0 */
#include "net/reach.h"

#include "base/clock.h"

#define STALL_S 10

struct answer {
	struct sw_reach *reach;
	int64_t start_ms;
	bool came;
};

static int on_begin(void *userdata, uint64_t offset SW_UNUSED, uint64_t size,
		    struct sw_error *err SW_UNUSED)
{
	struct answer *a = userdata;

	a->came = true;
	a->reach->size = size;
	a->reach->ms = sw_now_ms() - a->start_ms;
	return 0;
}

/* It is there; what it is, nobody asked. */
static int on_data(void *userdata SW_UNUSED, const void *data SW_UNUSED, size_t len SW_UNUSED,
		   struct sw_error *err)
{
	return sw_fail(err, SW_EXIT_CANCELLED, -ECANCELED, "enough was seen");
}

int sw_reach_try(const char *url, struct sw_reach *ret_reach,
		 struct sw_error *err)
{
	struct answer a = { .reach = ret_reach, .start_ms = sw_now_ms() };
	struct sw_http_get get = { .url = url, .max = UINT64_MAX,
				   .stall_s = STALL_S, .begin = on_begin, .data = on_data,
				   .userdata = &a };
	struct sw_http_reply reply = { 0 };
	struct sw_error failed = { 0 };
	int r;

	*ret_reach = (struct sw_reach){ 0 };
	r = sw_http_get(&get, &reply, &failed);
	ret_reach->status = reply.status;
	if (r == 0 || a.came)
		return 0;
	*err = failed;
	return r;
}
