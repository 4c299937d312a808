/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The grammar of a source. It stands apart from the fetching so that whoever
 * only checks what was typed does not link a network library.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "net/http.h"
#include "payload/payload.h"

#define SOURCE_MAX 2000

static int bad(struct sw_error *err, const char *why, const char *hint)
{
	int r = sw_fail(err, SW_EXIT_INVALID, -EINVAL, "not a usable source");

	sw_error_why(err, "%s", why);
	sw_error_hint(err, "%s", hint);
	return r;
}

bool sw_source_is_remote(const char *source)
{
	return strncasecmp(source, "http://", 7) == 0 || strncasecmp(source, "https://", 8) == 0;
}

/* Digits of a port, 1 to 65535; an empty port is refused too. */
static bool port_is_valid(const char *s, size_t len)
{
	unsigned int port = 0;

	if (len == 0 || len > 5)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!isdigit((unsigned char)s[i]))
			return false;
		port = port * 10 + (unsigned int)(s[i] - '0');
	}
	return port >= 1 && port <= 65535;
}

static bool host_is_valid(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)s[i]) && !strchr("-._", s[i]))
			return false;
	return len > 0 && s[0] != '-' && s[0] != '.';
}

static bool ipv6_is_valid(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isxdigit((unsigned char)s[i]) && !strchr(":.", s[i]))
			return false;
	return len >= 2;
}

/* host, host:port, [v6] or [v6]:port */
static int check_authority(const char *s, size_t len, struct sw_error *err)
{
	const char *end = s + len, *port;
	bool ok;

	if (memchr(s, '@', len))
		return bad(err, "it holds a user name or password",
			   "take the part before '@' out; credentials do not belong into a URL");
	if (len > 0 && s[0] == '[') {
		const char *close = memchr(s, ']', len);

		if (!close || !ipv6_is_valid(s + 1, (size_t)(close - s) - 1))
			return bad(err, "the IPv6 address in [ ] is not valid",
				   "write it like http://[2001:db8::7]:8080/vmlinuz");
		port = close + 1;
		ok = port == end || *port == ':';
	} else {
		port = memchr(s, ':', len);
		port = port ? port : end;
		ok = host_is_valid(s, (size_t)(port - s));
	}
	if (!ok)
		return bad(err, "it has no valid host name",
			   "write it like http://boot.example/vmlinuz");
	if (port < end && !port_is_valid(port + 1, (size_t)(end - port) - 1))
		return bad(err, "the port is not a number from 1 to 65535",
			   "write it like http://boot.example:8080/vmlinuz");
	return 0;
}

char *sw_source_show(const char *source)
{
	/* In a path '?' and '#' are letters like others. */
	return sw_source_is_remote(source) ? sw_http_show(source) : strdup(source);
}

static int check_remote(const char *source, struct sw_error *err)
{
	const char *host = strstr(source, "://") + 3;

	if (strchr(host, '#'))
		return bad(err, "it holds a '#', which no server ever sees",
			   "take it out, or write it as %23 when it is part of a file name");
	return check_authority(host, strcspn(host, "/?"), err);
}

/* No part of the path may be "..": a medium is only what is on it. */
static bool climbs(const char *path)
{
	for (const char *p = strstr(path, ".."); p; p = strstr(p + 2, ".."))
		if ((p == path || p[-1] == '/') && (p[2] == '/' || p[2] == '\0'))
			return true;
	return false;
}

static int check_path(const char *path, struct sw_error *err)
{
	if (path[0] != '/' || path[1] == '\0')
		return bad(err, "it names no file by its whole path",
			   "use file:///dir/file, /dir/file or medium:/dir/file");
	if (path[strlen(path) - 1] == '/')
		return bad(err, "it names a directory", "add the name of the file");
	return 0;
}

int sw_source_check(const char *source, struct sw_error *err)
{
	size_t len = strlen(source);

	if (len == 0 || len > SOURCE_MAX)
		return bad(err, len ? "it is longer than 2000 characters" : "it is empty",
			   "use http(s)://HOST/FILE, /FILE, file:///FILE or medium:/FILE");
	for (size_t i = 0; i < len; i++)
		if (source[i] <= 0x20 || source[i] >= 0x7f || strchr("\"'<>\\^`{}|", source[i]))
			return bad(err, "it holds a blank, a quote or another character "
				   "that a source cannot have",
				   "write such a character in a URL as %XX (a blank is %20)");
	if (sw_source_is_remote(source))
		return check_remote(source, err);
	if (strncmp(source, "medium:", 7) == 0)
		return climbs(source + 7) ? bad(err, "it climbs out of the medium with ..",
						"name a file on the medium: medium:/dir/file")
					  : check_path(source + 7, err);
	if (strncmp(source, "file://", 7) == 0)
		return check_path(source + 7, err);
	if (source[0] == '/')
		return check_path(source, err);
	return bad(err, strstr(source, "://") ? "it has a scheme that slipway cannot fetch"
					      : "it is neither a URL nor a whole path",
		   "use http(s)://HOST/FILE, /FILE, file:///FILE or medium:/FILE");
}

int sw_source_check_local(const char *source, struct sw_error *err)
{
	if (source[0] == '/' || strncmp(source, "file://", 7) == 0 ||
	    strncmp(source, "medium:", 7) == 0)
		return sw_source_check(source, err);
	return bad(err, sw_source_is_remote(source) ? "it is not fetched over a network"
						    : "it is not the place of a file",
		   "put the file onto the medium and write medium:/NAME, or give its whole path");
}
