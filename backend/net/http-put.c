/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One upload by PUT. Redirects are not followed: what is sent goes to the server
 * that was named, or nowhere.
 */
#include <string.h>

#include "net/http-error.h"

#define STALL_S 20L
#define STALL_BYTES_PER_S 1024L
#define TOLD_PARTS 50U		/* of an upload: as often it is said how far it is */

struct upload {
	const uint8_t *data;
	size_t len, at;
	uint64_t told;
	const struct sw_sink *sink;
};

static size_t on_read(char *buf, size_t size, size_t n, void *userdata)
{
	struct upload *u = userdata;
	size_t room = size * n, left = u->len - u->at;

	if (sw_event_poll(u->sink) < 0)
		return CURL_READFUNC_ABORT;
	room = room < left ? room : left;
	memcpy(buf, u->data + u->at, room);
	u->at += room;
	return room;
}

/* Also while a server is silent, about once a second. */
static int on_progress(void *userdata, curl_off_t down SW_UNUSED, curl_off_t downed SW_UNUSED,
		       curl_off_t up SW_UNUSED, curl_off_t sent)
{
	struct upload *u = userdata;
	struct sw_event ev = { .type = SW_EVENT_PROGRESS, .done = (uint64_t)sent, .size = u->len };

	if (ev.done > u->told && (ev.done - u->told >= u->len / TOLD_PARTS || ev.done >= u->len)) {
		u->told = ev.done;
		sw_event_emit(u->sink, &ev);
	}
	return sw_event_poll(u->sink) < 0;
}

/* What a server says about an upload is of no use; only its status counts. */
static size_t on_reply(char *data SW_UNUSED, size_t size, size_t n, void *userdata SW_UNUSED)
{
	return size * n;
}

static void set_up(CURL *c, const char *url, struct upload *u, char *detail)
{
	sw_curl_prepare(c);
	(void)curl_easy_setopt(c, CURLOPT_URL, url);
	(void)curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, STALL_BYTES_PER_S);
	(void)curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, STALL_S);
	(void)curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
	(void)curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE, (curl_off_t)u->len);
	(void)curl_easy_setopt(c, CURLOPT_READFUNCTION, on_read);
	(void)curl_easy_setopt(c, CURLOPT_READDATA, u);
	(void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_reply);
	(void)curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
	(void)curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
	(void)curl_easy_setopt(c, CURLOPT_XFERINFODATA, u);
	(void)curl_easy_setopt(c, CURLOPT_ERRORBUFFER, detail);
}

int sw_http_put(const char *url, const void *data, size_t len, const struct sw_sink *sink,
		struct sw_error *err)
{
	struct upload u = { .data = data, .len = len, .sink = sink };
	struct sw_http_get get = { .url = url };
	struct sw_http_reply reply = {};
	char detail[CURL_ERROR_SIZE] = "";
	int r = sw_curl_open(err);
	CURL *c = r < 0 ? NULL : curl_easy_init();
	CURLcode code;
	long status = 0;

	if (r < 0)
		return r;
	if (!c)
		return sw_fail_oom(err);
	set_up(c, url, &u, detail);
	code = curl_easy_perform(c);
	(void)curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	if (code == CURLE_ABORTED_BY_CALLBACK)
		r = sw_fail(err, SW_EXIT_CANCELLED, -ECANCELED, "cancelled");
	else if (code != CURLE_OK)
		r = sw_http_explain_curl(code, url, detail, &get, &reply, err);
	else if (status >= 300 && status < 400)
		r = sw_http_fail(err, -EREMOTE, url, "the server sends the upload elsewhere",
				 "a redirect is not followed with data", "give the final URL");
	else if (status < 200 || status >= 300)
		r = sw_http_explain_status(status, url, &reply, err);
	curl_easy_cleanup(c);
	return r;
}
