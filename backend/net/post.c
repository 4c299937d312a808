/* SPDX-License-Identifier: Apache-2.0 */
#include "net/post.h"

#include <netdb.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/text.h"
#include "net/http-error.h"
#include "net/tls.h"

#define TIMEOUT_S 30U

struct exchange {
	const struct sw_http_post *post;
	struct sw_buf *body;
	struct sw_http_answer *answer;
	CURL *curl;
	curl_mime *form;
	struct curl_slist *headers;
	bool too_large;
	bool connected;		/* TLS has begun */
	char detail[CURL_ERROR_SIZE];
	char pin[SW_PIN_OPTION];
};

static size_t on_body(char *data, size_t size, size_t n, void *userdata)
{
	struct exchange *x = userdata;
	size_t len = size * n;

	if (len > x->post->max || x->body->len > x->post->max - len) {
		x->too_large = true;
		return 0;
	}
	return sw_buf_add(x->body, data, len) < 0 ? 0 : len;
}

/* The value of a header of this name, lower case with its colon; false: another one. */
static bool value_of(const char *line, size_t len, const char *name, char value[static 64])
{
	size_t n = strlen(name);

	if (len <= n || len - n >= 64 || strncasecmp(line, name, n) != 0)
		return false;
	while (n < len && (line[n] == ' ' || line[n] == '\t'))
		n++;
	memcpy(value, line + n, len - n);
	value[len - n] = '\0';
	value[strcspn(value, "\r\n")] = '\0';
	return true;
}

static size_t on_header(char *line, size_t size, size_t n, void *userdata)
{
	struct exchange *x = userdata;
	char value[64];
	time_t t;

	if (value_of(line, size * n, "date:", value)) {
		t = curl_getdate(value, NULL);
		if (t > 0)
			x->answer->date = t;
	} else if (value_of(line, size * n, "server:", value)) {
		memcpy(x->answer->server, sw_text_mask(value), sizeof(value));
	}
	return size * n;
}

/* Who is about to be connected to is known here, also when nobody answers there. */
static curl_socket_t on_socket(void *userdata, curlsocktype purpose SW_UNUSED,
			       struct curl_sockaddr *to)
{
	struct exchange *x = userdata;
	char port[8];

	if (getnameinfo(&to->addr, to->addrlen, x->answer->peer, sizeof(x->answer->peer), port,
			sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) == 0)
		x->answer->peer_port = (unsigned int)strtoul(port, NULL, 10);
	return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

/* libcurl counts the time to connect up to the end of TLS, so that does not tell them apart. */
static CURLcode on_tls(CURL *curl SW_UNUSED, void *context, void *userdata)
{
	struct exchange *x = userdata;

	x->connected = true;
	return sw_tls_prepare(context, x->post->any_time) < 0 ? CURLE_ABORTED_BY_CALLBACK
							       : CURLE_OK;
}

static int on_progress(void *userdata, curl_off_t dt SW_UNUSED, curl_off_t dn SW_UNUSED,
		       curl_off_t ut SW_UNUSED, curl_off_t un SW_UNUSED)
{
	const struct exchange *x = userdata;

	return sw_event_poll(x->post->sink) < 0;
}

/* A key that was given is enough by itself: then neither name, chain nor clock can deceive. */
static int set_trust(struct exchange *x, struct sw_error *err)
{
	const struct sw_http_trust *t = &x->post->trust;
	CURL *c = x->curl;
	struct curl_blob ca = { .data = (void *)(uintptr_t)t->ca, .flags = CURL_BLOB_COPY };
	bool chain = (t->ca || !t->pin) && !x->post->anybody;

	(void)curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, chain ? 1L : 0L);
	(void)curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, chain ? 2L : 0L);
	if (t->pin && !sw_http_pin_option(t->pin, x->pin))
		return sw_http_fail(err, -EINVAL, x->post->url, "the pinned key cannot be used",
				    "it is not 64 hexadecimal digits",
				    "give the SHA-256 of the server's public key");
	if (t->pin)
		(void)curl_easy_setopt(c, CURLOPT_PINNEDPUBLICKEY, x->pin);
	if (t->ca) {
		ca.len = strlen(t->ca);
		(void)curl_easy_setopt(c, CURLOPT_CAINFO_BLOB, &ca);
		(void)curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
	}
	return 0;
}

static int set_form(struct exchange *x, struct sw_error *err)
{
	bool good = true;

	if (!x->post->parts)
		return 0;
	x->form = curl_mime_init(x->curl);
	for (size_t i = 0; good && x->form && i < x->post->n_parts; i++) {
		const struct sw_http_part *p = &x->post->parts[i];
		curl_mimepart *part = curl_mime_addpart(x->form);

		good = part && curl_mime_name(part, p->name) == CURLE_OK &&
		       curl_mime_filename(part, p->name) == CURLE_OK &&
		       curl_mime_type(part, "application/octet-stream") == CURLE_OK &&
		       curl_mime_data(part, p->data, p->len) == CURLE_OK;
	}
	if (!x->form || !good)
		return sw_fail_oom(err);
	(void)curl_easy_setopt(x->curl, CURLOPT_MIMEPOST, x->form);
	return 0;
}

static int add_header(struct exchange *x, const char *line)
{
	struct curl_slist *longer = curl_slist_append(x->headers, line);

	if (!longer)
		return -ENOMEM;
	x->headers = longer;
	return 0;
}

/* The one copy of the token is in memory of its own until libcurl has made its own. */
static int add_bearer(struct exchange *x, struct sw_error *err)
{
	const char *word = x->post->bearer_as ? x->post->bearer_as : "Authorization: Bearer ";
	const size_t len = strlen(word);
	const struct sw_secret *token = x->post->bearer;
	_cleanup_secret_ struct sw_secret *line = NULL;
	int r = token ? sw_secret_new(len + token->len, &line, err) : 0;

	if (r < 0 || !token)
		return r;
	memcpy(line->data, word, len);
	memcpy(line->data + len, token->data, token->len);
	return add_header(x, (const char *)line->data) < 0 ? sw_fail_oom(err) : 0;
}

static int set_json(struct exchange *x, struct sw_error *err)
{
	if (!x->post->json)
		return 0;
	/* Without waiting for a 100 Continue that simple servers never send. */
	if (add_header(x, "Content-Type: application/json") < 0 || add_header(x, "Expect:") < 0)
		return sw_fail_oom(err);
	(void)curl_easy_setopt(x->curl, CURLOPT_POSTFIELDSIZE, (long)strlen(x->post->json));
	(void)curl_easy_setopt(x->curl, CURLOPT_POSTFIELDS, x->post->json);
	return 0;
}

static void free_headers(struct exchange *x)
{
	for (struct curl_slist *l = x->post->bearer ? x->headers : NULL; l; l = l->next)
		explicit_bzero(l->data, strlen(l->data));
	if (x->headers)
		curl_slist_free_all(x->headers);
}

static void set_options(struct exchange *x)
{
	CURL *c = x->curl;

	(void)curl_easy_setopt(c, CURLOPT_URL, x->post->url);
	(void)curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https");
	/* HTTP/2 lets a client send a request again by itself. */
	(void)curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	(void)curl_easy_setopt(c, CURLOPT_TIMEOUT,
			       (long)(x->post->timeout_s ? x->post->timeout_s : TIMEOUT_S));
	(void)curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	(void)curl_easy_setopt(c, CURLOPT_HEADERDATA, x);
	(void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	(void)curl_easy_setopt(c, CURLOPT_WRITEDATA, x);
	(void)curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
	(void)curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
	(void)curl_easy_setopt(c, CURLOPT_XFERINFODATA, x);
	(void)curl_easy_setopt(c, CURLOPT_ERRORBUFFER, x->detail);
	(void)curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, on_socket);
	(void)curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, x);
	(void)curl_easy_setopt(c, CURLOPT_SSL_CTX_FUNCTION, on_tls);
	(void)curl_easy_setopt(c, CURLOPT_SSL_CTX_DATA, x);
}

static void take_facts(struct exchange *x)
{
	struct sw_http_answer *a = x->answer;

	(void)curl_easy_getinfo(x->curl, CURLINFO_RESPONSE_CODE, &a->status);
	(void)curl_easy_getinfo(x->curl, CURLINFO_SSL_VERIFYRESULT, &a->verify);
	a->retry_after_s = sw_http_retry_after(x->curl);
	(void)curl_easy_getinfo(x->curl, CURLINFO_HTTP_CONNECTCODE, &a->proxy_status);
}

static enum sw_http_stuck where_stuck(struct exchange *x, CURLcode code)
{
	const long proxy = x->answer->proxy_status;
	double secured = 0;

	(void)curl_easy_getinfo(x->curl, CURLINFO_APPCONNECT_TIME, &secured);
	switch (code) {
	case CURLE_OK:
		return SW_STUCK_NOT;
	case CURLE_COULDNT_RESOLVE_PROXY:
		return SW_STUCK_PROXY_NAME;
	case CURLE_COULDNT_RESOLVE_HOST:
		return SW_STUCK_NAME;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
		return SW_STUCK_TRUST;
	default:
		break;
	}
	if (proxy && proxy / 100 != 2)
		return SW_STUCK_PROXY;
	if (!x->connected)
		return SW_STUCK_CONNECT;
	return secured <= 0 ? SW_STUCK_TLS : SW_STUCK_ANSWER;
}

static int not_trusted(struct exchange *x, const char *why, const char *hint, struct sw_error *err)
{
	return sw_http_fail(err, -EKEYREJECTED, x->post->url,
			    "the server's certificate is not trusted", why, hint);
}

/* X509_V_ERR_* that are about time and about who signed (x509_vfy.h). */
static int explain_trust(struct exchange *x, CURLcode code, struct sw_error *err)
{
	const long v = x->answer->verify;

	if (code == CURLE_SSL_PINNEDPUBKEYNOTMATCH)
		return sw_http_fail(err, -EKEYREJECTED, x->post->url, "this is another server",
				    "its key is not the pinned one",
				    "if the server got a new key, change the pin; if not, somebody "
				    "answers in its place");
	if (v == 9 || v == 10)
		return not_trusted(x, v == 9 ? "it is not valid yet by this machine's clock"
					     : "it is not valid any more by this machine's clock",
				   "see whether this machine's clock is right; if it is, the "
				   "server needs a new certificate", err);
	if (v < 18 || v > 21)
		return 0;
	if (x->post->trust.ca)
		return not_trusted(x, "it does not come from the CA that was given",
				   "give the CA that signed the server's certificate", err);
	return not_trusted(x, "it comes from a CA that is not known here",
			   "give the server's CA or the pin of its key", err);
}

static int explain(struct exchange *x, CURLcode code, struct sw_error *err)
{
	const struct sw_http_get like = { .url = x->post->url, .sink = x->post->sink };
	struct sw_http_reply reply = {};
	int r = 0;

	if (x->too_large)
		return sw_http_fail(err, -EFBIG, x->post->url, "the server's answer is too long",
				    "more than is taken here", "is this the right server?");
	if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_PINNEDPUBKEYNOTMATCH)
		r = explain_trust(x, code, err);
	if (r == 0 && x->answer->stuck == SW_STUCK_PROXY)
		r = sw_http_explain_proxy(x->answer->proxy_status, x->post->url, &reply, err);
	if (r == 0)
		r = sw_http_explain_curl(code, x->post->url, x->detail, &like, &reply, err);
	x->answer->retry = reply.retry;
	return r;
}

static int perform(struct exchange *x, struct sw_error *err)
{
	CURLcode code;
	int r;

	sw_curl_prepare(x->curl);
	r = set_trust(x, err);
	if (r == 0)
		r = set_form(x, err);
	if (r == 0)
		r = set_json(x, err);
	if (r == 0)
		r = add_bearer(x, err);
	if (r < 0)
		return r;
	set_options(x);
	if (x->headers)
		(void)curl_easy_setopt(x->curl, CURLOPT_HTTPHEADER, x->headers);
	code = curl_easy_perform(x->curl);
	take_facts(x);
	x->answer->stuck = where_stuck(x, code);
	x->answer->sent = x->answer->stuck == SW_STUCK_NOT ||
			  x->answer->stuck == SW_STUCK_ANSWER;
	if (code != CURLE_OK)
		return explain(x, code, err);
	if (x->answer->status >= 300 && x->answer->status < 400)
		return sw_http_fail(err, -EREMOTE, x->post->url, "the server sends us elsewhere",
				    "a redirect is not followed with what identifies this machine",
				    "give the final URL");
	return 0;
}

int sw_http_post(const struct sw_http_post *post, struct sw_buf *ret_body,
		 struct sw_http_answer *ret_answer, struct sw_error *err)
{
	struct exchange x = { .post = post, .body = ret_body, .answer = ret_answer };
	int r = sw_curl_open(err);

	memset(ret_answer, 0, sizeof(*ret_answer));
	if (r < 0)
		return r;
	if (strncasecmp(post->url, "https://", 8) != 0)
		return sw_http_fail(err, -EPROTONOSUPPORT, post->url, "the URL is not https",
				    "what is sent must reach the right server and nobody else",
				    "use an https URL");
	if (post->anybody && (post->bearer || post->json || post->parts))
		return sw_http_fail(err, -EINVAL, post->url, "nobody is believed here",
				    "and something would be told", "report this as a bug");
	x.curl = curl_easy_init();
	if (!x.curl)
		return sw_fail_oom(err);
	r = perform(&x, err);
	if (x.form)
		curl_mime_free(x.form);
	curl_easy_cleanup(x.curl);
	free_headers(&x);
	return r;
}
