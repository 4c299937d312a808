/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http.h"

#include <string.h>
#include <strings.h>

#include "net/http-error.h"
#include "base/file.h"

#define STALL_S 20
#define STALL_BYTES_PER_S 1024L

/* One request of the chain of redirects. */
struct transfer {
	const struct sw_http_get *get;
	struct sw_http_reply *reply;
	struct sw_error *err;
	const char *url;
	CURL *curl;
	uint64_t range_start, range_total;	/* of Content-Range */
	bool has_range, begun;
	uint64_t at;				/* offset of the next byte */
	int failed;				/* -errno of a callback: the reason for stopping */
};

static bool is_https(const char *url)
{
	return strncasecmp(url, "https://", 8) == 0;
}

bool sw_http_may_redirect(const char *from, const char *to)
{
	return is_https(to) || (strncasecmp(to, "http://", 7) == 0 && !is_https(from));
}

char *sw_http_show(const char *url)
{
	const char *host = strstr(url, "://");
	size_t authority;
	const char *at;

	if (!host)
		return sw_fmt("%.*s", (int)strcspn(url, "?#"), url);
	host += 3;
	authority = strcspn(host, "/?#");
	at = memrchr(host, '@', authority);
	at = at ? at + 1 : host;
	return sw_fmt("%.*s%.*s%s", (int)(host - url), url, (int)strcspn(at, "?#"), at,
		      strchr(at, '?') ? "?..." : "");
}

static bool header_value(const char *line, size_t len, const char *name, char *value, size_t size)
{
	size_t n = strlen(name), v = 0;

	if (len <= n || strncasecmp(line, name, n) != 0 || line[n] != ':')
		return false;
	for (n++; n < len && (line[n] == ' ' || line[n] == '\t'); n++)
		;
	while (n < len && line[n] != '\r' && line[n] != '\n' && v + 1 < size)
		value[v++] = line[n++];
	value[v] = '\0';
	/* A value that does not fit is no value: half an ETag would be another one. */
	return n >= len || line[n] == '\r' || line[n] == '\n';
}

static size_t on_header(char *line, size_t size, size_t n, void *userdata)
{
	struct transfer *t = userdata;
	size_t len = size * n;
	char value[SW_HTTP_ETAG];
	unsigned long long start, end, total;

	if (len >= 5 && memcmp(line, "HTTP/", 5) == 0) {
		/* A new block of headers: what an interim answer said does not count. */
		t->reply->etag[0] = '\0';
		t->has_range = false;
	} else if (header_value(line, len, "ETag", value, sizeof(value))) {
		/* Weak ones (W/"...") do not promise the same bytes. */
		if (value[0] == '"')
			(void)snprintf(t->reply->etag, sizeof(t->reply->etag), "%s", value);
	} else if (header_value(line, len, "Content-Range", value, sizeof(value)) &&
		   sscanf(value, "bytes %llu-%llu/%llu", &start, &end, &total) == 3) {
		t->has_range = true;
		t->range_start = start;
		t->range_total = total;
	}
	return len;
}

static int fail_too_large(struct transfer *t)
{
	char why[96];

	(void)snprintf(why, sizeof(why), "at most %llu bytes are taken here",
		       (unsigned long long)t->get->max);
	return sw_http_fail(t->err, -EFBIG, t->url, "the file is too large", why,
			    "is this the right file?");
}

/* Decides from status and headers where the content belongs, before its first byte. */
static int begin(struct transfer *t)
{
	curl_off_t length = -1;
	uint64_t size = 0, offset = 0;

	t->begun = true;
	(void)curl_easy_getinfo(t->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	if (t->reply->status == 206) {
		if (!t->has_range || t->range_start != t->get->from) {
			t->reply->retry = t->reply->restart = true;
			return sw_http_fail(t->err, -EPROTO, t->url,
					    "the server sent another part than asked for",
					    "its Content-Range does not fit", "try again");
		}
		offset = t->range_start;
		size = t->range_total;
	} else if (length > 0) {
		size = (uint64_t)length;
	}
	if (size > t->get->max)
		return fail_too_large(t);
	t->at = offset;
	return t->get->begin(t->get->userdata, offset, size, t->err);
}

static size_t on_data(char *data, size_t size, size_t n, void *userdata)
{
	struct transfer *t = userdata;
	size_t len = size * n;
	int r = 0;

	(void)curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &t->reply->status);
	/* The text of an error page or a redirect is not the file. */
	if (t->reply->status != 200 && t->reply->status != 206)
		return len;
	if (!t->begun)
		r = begin(t);
	if (r == 0 && len > t->get->max - t->at)
		r = fail_too_large(t);
	if (r == 0)
		r = t->get->data(t->get->userdata, data, len, t->err);
	if (r < 0) {
		t->failed = r;
		return 0;
	}
	t->at += len;
	return len;
}

static int on_progress(void *userdata, curl_off_t dt SW_UNUSED, curl_off_t dn SW_UNUSED,
		       curl_off_t ut SW_UNUSED, curl_off_t un SW_UNUSED)
{
	const struct transfer *t = userdata;

	return sw_event_poll(t->get->sink) < 0;
}

static void set_options(struct transfer *t, char *detail)
{
	const struct sw_http_get *get = t->get;
	CURL *c = t->curl;

	sw_curl_prepare(c);
	(void)curl_easy_setopt(c, CURLOPT_URL, t->url);
	(void)curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, STALL_BYTES_PER_S);
	(void)curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME,
			       (long)(get->stall_s ? get->stall_s : STALL_S));
	if (get->ca_file) {
		(void)curl_easy_setopt(c, CURLOPT_CAINFO, get->ca_file);
		(void)curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
	}
	(void)curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	(void)curl_easy_setopt(c, CURLOPT_HEADERDATA, t);
	(void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_data);
	(void)curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
	(void)curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
	(void)curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
	(void)curl_easy_setopt(c, CURLOPT_XFERINFODATA, t);
	(void)curl_easy_setopt(c, CURLOPT_ERRORBUFFER, detail);
}

/* If-Range makes the server send everything when the file is another one by now. */
static int add_range(struct transfer *t, struct curl_slist **headers)
{
	_cleanup_free_ char *if_range = NULL;
	char range[32];

	if (t->get->from == 0 || !t->get->etag || !*t->get->etag)
		return 0;
	if_range = sw_fmt("If-Range: %s", t->get->etag);
	*headers = if_range ? curl_slist_append(NULL, if_range) : NULL;
	if (!*headers)
		return sw_fail_oom(t->err);
	(void)snprintf(range, sizeof(range), "%llu-", (unsigned long long)t->get->from);
	(void)curl_easy_setopt(t->curl, CURLOPT_RANGE, range);
	(void)curl_easy_setopt(t->curl, CURLOPT_HTTPHEADER, *headers);
	return 0;
}

static int judge(struct transfer *t, CURLcode code, const char *detail)
{
	long status = 0, proxy = 0;

	(void)curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(t->curl, CURLINFO_HTTP_CONNECTCODE, &proxy);
	t->reply->status = status;
	t->reply->retry_after_s = sw_http_retry_after(t->curl);
	if (t->failed < 0)
		return t->failed;
	if (code != CURLE_OK && proxy && proxy / 100 != 2)
		return sw_http_explain_proxy(proxy, t->url, t->reply, t->err);
	if (code != CURLE_OK)
		return sw_http_explain_curl(code, t->url, detail, t->get, t->reply, t->err);
	if (status == 416) {
		t->reply->retry = t->reply->restart = true;
		return sw_http_fail(t->err, -EPROTO, t->url, "the server has less than before",
				    "it refused to continue (HTTP status 416)", "try again");
	}
	if (status >= 300 && status < 400)
		return 0;
	if (status != 200 && status != 206)
		return sw_http_explain_status(status, t->url, t->reply, t->err);
	return t->begun ? 0 : begin(t);
}

/* Where a redirect leads; NULL in ret_next when this was the answer itself. */
static int next_hop(struct transfer *t, char **ret_next)
{
	const char *next = NULL;

	*ret_next = NULL;
	if (t->reply->status < 300 || t->reply->status >= 400)
		return 0;
	(void)curl_easy_getinfo(t->curl, CURLINFO_REDIRECT_URL, &next);
	if (!next)
		return sw_http_fail(t->err, -EPROTO, t->url, "the server redirects to nowhere",
				    "its answer has no usable Location",
				    "give the final URL of the file");
	if (!sw_http_may_redirect(t->url, next))
		return sw_http_fail(t->err, -EPROTO, t->url, "the server redirects away from https",
				    "following it would give up the protection of TLS",
				    "give the final URL of the file");
	*ret_next = strdup(next);
	return *ret_next ? 0 : sw_fail_oom(t->err);
}

static void drop_curl(CURL **c)
{
	if (*c)
		curl_easy_cleanup(*c);
}

static void drop_list(struct curl_slist **l)
{
	curl_slist_free_all(*l);
}

static int get_one(const struct sw_http_get *get, const char *url, struct sw_http_reply *reply,
		   char **ret_next, struct sw_error *err)
{
	char detail[CURL_ERROR_SIZE] = "";
	_cleanup_(drop_list) struct curl_slist *headers = NULL;
	_cleanup_(drop_curl) CURL *c = curl_easy_init();
	struct transfer t = { .get = get, .reply = reply, .err = err, .url = url, .curl = c };
	int r;

	if (!c)
		return sw_fail_oom(err);
	set_options(&t, detail);
	r = add_range(&t, &headers);
	if (r == 0)
		r = judge(&t, curl_easy_perform(c), detail);
	return r < 0 ? r : next_hop(&t, ret_next);
}

int sw_http_get(const struct sw_http_get *get, struct sw_http_reply *ret_reply,
		struct sw_error *err)
{
	_cleanup_free_ char *url = strdup(get->url);
	int opened = sw_curl_open(err);

	memset(ret_reply, 0, sizeof(*ret_reply));
	if (opened < 0)
		return opened;
	if (!url)
		return sw_fail_oom(err);
	if (!sw_http_may_redirect("http://", url))
		return sw_http_fail(err, -EPROTONOSUPPORT, url, "the URL is neither http nor https",
				    "slipway fetches nothing else", "use an http or https URL");
	for (unsigned int hop = 0; hop <= SW_HTTP_REDIRECTS; hop++) {
		_cleanup_free_ char *next = NULL;
		int r = get_one(get, url, ret_reply, &next, err);

		if (r < 0 || !next)
			return r;
		free(url);
		url = TAKE_PTR(next);
	}
	return sw_http_fail(err, -ELOOP, get->url, "the server redirects in circles",
			    "more than 5 redirects", "give the final URL of the file");
}
