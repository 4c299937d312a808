/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http-error.h"

#include <string.h>

#include "base/file.h"

struct saying {
	CURLcode code;
	int r;
	bool retry;
	const char *what, *hint;
};

static const struct saying sayings[] = {
	{ CURLE_COULDNT_RESOLVE_HOST, -EHOSTUNREACH, true, "the server's name is not known",
	  "check the name, the DNS server and the cable: slipway facts shows the links" },
	{ CURLE_COULDNT_RESOLVE_PROXY, -EHOSTUNREACH, true, "the proxy's name is not known",
	  "check the proxy (network.proxy, else https_proxy) and the DNS server" },
	{ CURLE_COULDNT_CONNECT, -ECONNREFUSED, true, "the server cannot be reached",
	  "is the service running, on this port, and does a firewall let this machine in?" },
	{ CURLE_OPERATION_TIMEDOUT, -ETIMEDOUT, true, "the server stopped answering",
	  "check the network and the load of the server, then try again" },
	{ CURLE_RECV_ERROR, -ECONNRESET, true, "the connection broke while receiving",
	  "try again; if it breaks at the same place, look at the server's log and any proxy" },
	{ CURLE_SEND_ERROR, -ECONNRESET, true, "the connection broke while sending",
	  "try again; look at the server's log and any proxy" },
	{ CURLE_PARTIAL_FILE, -ECONNRESET, true, "the file arrived only in part",
	  "try again; if it stays so, the file on the server is cut short" },
	{ CURLE_GOT_NOTHING, -ECONNRESET, true, "the server closed the connection without a word",
	  "is this the right port, and does it speak the protocol of the URL?" },
	{ CURLE_SSL_CONNECT_ERROR, -EPROTO, false, "no TLS connection could be made",
	  "does the server speak https on this port, with TLS 1.2 or newer?" },
	{ CURLE_PEER_FAILED_VERIFICATION, -EKEYREJECTED, false,
	  "the server's certificate is not trusted",
	  "check this machine's clock first, then the server's name and who signed its "
	  "certificate" },
	{ CURLE_SSL_CACERT_BADFILE, -ENOENT, false, "the file with trusted CAs cannot be read",
	  "install the package ca-certificates, or name another file" },
	{ CURLE_SSL_CERTPROBLEM, -EKEYREJECTED, false, "there is a problem with a certificate",
	  "check the certificate files" },
	{ CURLE_URL_MALFORMAT, -EINVAL, false, "the URL cannot be used",
	  "write it like http://boot.example:8080/vmlinuz" },
	/* Only http and https URLs come this far: it is what the server said. */
	{ CURLE_UNSUPPORTED_PROTOCOL, -EPROTO, false, "the server's answer is not HTTP",
	  "is this the right port?" },
	{ CURLE_WEIRD_SERVER_REPLY, -EPROTO, true, "the server's answer is not HTTP",
	  "is this the right port?" },
	{ CURLE_HTTP2, -EPROTO, true, "the HTTP/2 connection broke", "try again" },
	{ CURLE_HTTP2_STREAM, -EPROTO, true, "the HTTP/2 connection broke", "try again" },
};

int sw_http_fail(struct sw_error *err, int r, const char *url, const char *what, const char *why,
		 const char *hint)
{
	_cleanup_free_ char *shown = sw_http_show(url);

	(void)sw_fail(err, SW_EXIT_NETWORK, r, "%s", what);
	sw_error_where(err, "%s", shown ? shown : "");
	sw_error_why(err, "%s", why);
	sw_error_hint(err, "%s", hint);
	return r;
}

unsigned int sw_http_retry_after(CURL *c)
{
	curl_off_t after = 0;

	(void)curl_easy_getinfo(c, CURLINFO_RETRY_AFTER, &after);
	return after > 0 && after < 86400 ? (unsigned int)after : 0;
}

int sw_http_explain_curl(CURLcode code, const char *url, const char *detail,
			 const struct sw_http_get *get, struct sw_http_reply *reply,
			 struct sw_error *err)
{
	const char *why = detail[0] ? detail : curl_easy_strerror(code);

	reply->retry = false;
	if (code == CURLE_ABORTED_BY_CALLBACK && sw_event_poll(get->sink) < 0)
		return sw_fail(err, SW_EXIT_CANCELLED, -ECANCELED, "cancelled");
	if (code == CURLE_OUT_OF_MEMORY)
		return sw_fail_oom(err);
	for (size_t i = 0; i < ARRAY_SIZE(sayings); i++) {
		if (sayings[i].code != code)
			continue;
		reply->retry = sayings[i].retry;
		return sw_http_fail(err, sayings[i].r, url, sayings[i].what, why, sayings[i].hint);
	}
	reply->retry = true;
	return sw_http_fail(err, -EIO, url, "the download failed", why,
			    "try again; slipway's log has the details");
}

int sw_http_explain_proxy(long status, const char *url, struct sw_http_reply *reply,
			  struct sw_error *err)
{
	char why[64];

	(void)snprintf(why, sizeof(why), "it answered with HTTP status %ld", status);
	reply->retry = status >= 500 || status == 429;
	if (status == 407)
		return sw_http_fail(err, -EACCES, url, "the proxy wants a user and a password", why,
				    "network.proxy-login names a file with them");
	return sw_http_fail(err, -ECONNREFUSED, url, "the proxy does not pass the connection on",
			    why, "let it connect to this server, or put the server into "
			    "network.no-proxy");
}

int sw_http_explain_status(long status, const char *url, struct sw_http_reply *reply,
			   struct sw_error *err)
{
	char why[64];

	(void)snprintf(why, sizeof(why), "it answered with HTTP status %ld", status);
	reply->retry = status >= 500 || status == 408 || status == 429;
	if (status == 404 || status == 410)
		return sw_http_fail(err, -ENOENT, url, "the server has no such file", why,
				    "check the path of the URL; upper and lower case differ");
	if (status == 407)
		return sw_http_explain_proxy(status, url, reply, err);
	if (status == 401 || status == 403)
		return sw_http_fail(err, -EACCES, url, "the server does not give this file away",
				    why, "let this machine read it without a password");
	if (status == 429 || status == 503)
		return sw_http_fail(err, -EAGAIN, url, "the server is too busy", why,
				    "try again later");
	if (status >= 500)
		return sw_http_fail(err, -EIO, url, "the server failed", why,
				    "look at the server's log, then try again");
	return sw_http_fail(err, -EPROTO, url, "the server refused", why,
			    "check the URL in another client");
}
