/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small HTTP server that misbehaves on demand: a forked child on
 * 127.0.0.1 that answers one connection after the other and dies with the
 * test.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum http_fault {
	HTTP_OK,
	HTTP_RESET,		/* a TCP reset after `percent` of the content, `times` times */
	HTTP_STATUS,		/* `status` instead of content, `times` times */
	HTTP_NO_RANGE,		/* ignores Range: always the whole file */
	HTTP_STALL,		/* sends half and then nothing, `times` times */
	HTTP_SHORT,		/* announces more than it sends, `times` times */
	HTTP_REDIRECT,		/* 302 to `location` (may be its own path: a loop) */
	HTTP_HUGE,		/* announces `announce` bytes */
	HTTP_CHANGED,		/* resets at `percent` once; then is `other`, with another ETag */
	HTTP_WRONG_RANGE,	/* resets at `percent` once; then a 206 that starts elsewhere */
	HTTP_SILENT,		/* closes the connection without an answer, `times` times */
	HTTP_GARBAGE,		/* answers with something that is not HTTP */
};

struct http_route {
	const char *path;
	const uint8_t *data;
	size_t len;
	const char *etag;	/* with quotes, NULL: none */
	enum http_fault fault;
	unsigned int percent, times;
	int status;
	unsigned int retry_after;	/* seconds, told with `status`; 0: nothing is said */
	const char *location;
	uint64_t announce;
	const uint8_t *other;	/* len bytes too */
};

struct http_server;

/* The routes (and what they point to) must outlive the server. NULL on failure. */
struct http_server *http_server_start(const struct http_route *routes, size_t n);
void http_server_stop(struct http_server *s);

unsigned int http_server_port(const struct http_server *s);
pid_t http_server_pid(const struct http_server *s);
/* "http://127.0.0.1:PORT/path"; malloc'd. */
char *http_server_url(const struct http_server *s, const char *path);
unsigned int http_server_requests(const struct http_server *s);
/* How many requests asked for a range, and where the last one began. */
unsigned int http_server_ranges(const struct http_server *s);
uint64_t http_server_last_range(const struct http_server *s);
/* True when the last request named itself like this in User-Agent. */
bool http_server_agent_is(const struct http_server *s, const char *agent);
