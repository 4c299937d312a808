/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a session and its viewers say to each other on a unix stream socket:
 * messages of one type byte, a length (u32, little endian) and a body. Both
 * sides may be of different versions for a moment after an update, so a reader
 * checks everything and drops the peer on the first oddity.
 *
 *   viewer -> session
 *     H hello   u16 version, u16 rows, u16 columns, u8 flags, terminal type, 0, name, 0
 *     K keys    u32 each
 *     S size    u16 rows, u16 columns
 *     A ack     u32 frame or text number
 *     L line    text: an answer in plain mode, UTF-8
 *   session -> viewer
 *     F frame   u32 number, u16 rows, columns, cursor row, cursor column, u8 flags,
 *               then runs: u16 cells, u8 attributes (0x80: blanks), characters as UTF-8
 *     T text    u32 number, u8 flags, then what to print in plain mode
 *     B bye     text: the session has ended on purpose
 *     X shell   u8 flags, stand-in's directory, 0: run the rescue shell on this terminal, then show
 *               the session again
 */
#pragma once

#include "base/buf.h"
#include "tui/session/frame.h"

#define SW_WIRE_VERSION 1
#define SW_WIRE_MAX (1u << 20)		/* longest body */
#define SW_WIRE_MAX_KEYS 256u
#define SW_WIRE_MAX_LINE 4096u

enum sw_wire_type {
	SW_WIRE_HELLO = 'H',
	SW_WIRE_KEYS = 'K',
	SW_WIRE_SIZE = 'S',
	SW_WIRE_ACK = 'A',
	SW_WIRE_LINE = 'L',
	SW_WIRE_FRAME = 'F',
	SW_WIRE_TEXT = 'T',
	SW_WIRE_BYE = 'B',
	SW_WIRE_SHELL = 'X',
};

#define SW_HELLO_UTF8 0x01u
#define SW_HELLO_SERIAL 0x02u
#define SW_HELLO_OBSERVER 0x04u	/* sees what the pen sees, has no size and no keys of its own */
#define SW_HELLO_PLAIN 0x08u	/* gets texts and sends lines; has no size and no keys */

#define SW_TEXT_SECRET 0x01u	/* the answer is not to be shown */

#define SW_SHELL_STATE_FLAG 0x01u	/* one in the node's state */
#define SW_SHELL_WRITE_FLAG 0x02u	/* not read-only */
#define SW_SHELL_DAMAGED_FLAG 0x04u	/* also when its file system is damaged */

#define SW_FRAME_BELL 0x01u
#define SW_FRAME_REDRAW 0x02u	/* draw everything anew */
#define SW_FRAME_UTF8 0x04u	/* the frame's own: see struct sw_frame */

/* Which shell. */
struct sw_wire_shell {
	unsigned int flags;
	char machine[512];	/* the stand-in's directory, or "" */
};

struct sw_hello {
	unsigned int rows, cols, flags;
	char term[32], name[64];
};

/* Messages to be sent, added to b. -ENOMEM, -E2BIG. */
int sw_wire_hello(struct sw_buf *b, const struct sw_hello *h);
int sw_wire_keys(struct sw_buf *b, const uint32_t *keys, size_t n);
int sw_wire_size(struct sw_buf *b, unsigned int rows, unsigned int cols);
int sw_wire_ack(struct sw_buf *b, uint32_t number);
int sw_wire_frame(struct sw_buf *b, const struct sw_frame *f, uint32_t number, unsigned int flags);
int sw_wire_line(struct sw_buf *b, const char *text);
int sw_wire_text(struct sw_buf *b, const struct sw_buf *text, uint32_t number,
		 unsigned int flags);
int sw_wire_bye(struct sw_buf *b, const char *text);
int sw_wire_shell(struct sw_buf *b, const struct sw_wire_shell *what);

struct sw_message {
	enum sw_wire_type type;
	const uint8_t *body;	/* within the buffer it was taken from */
	size_t len;
	size_t total;		/* header and body */
};

/* The first message in data: 1, 0 when it is not complete yet, -EBADMSG when it is none. */
int sw_wire_next(const uint8_t *data, size_t len, struct sw_message *ret_message);

/* Each reads the body of its type; -EBADMSG. */
int sw_wire_read_hello(const struct sw_message *m, struct sw_hello *ret_hello);
int sw_wire_read_keys(const struct sw_message *m, uint32_t *keys, size_t *ret_n);
int sw_wire_read_size(const struct sw_message *m, unsigned int *ret_rows, unsigned int *ret_cols);
int sw_wire_read_ack(const struct sw_message *m, uint32_t *ret_number);
int sw_wire_read_frame(const struct sw_message *m, struct sw_frame **ret_frame,
		       uint32_t *ret_number, unsigned int *ret_flags);

int sw_wire_read_shell(const struct sw_message *m, struct sw_wire_shell *ret_what);

/* Malloc'd; what is not UTF-8 or a control character is '?'. */
int sw_wire_read_line(const struct sw_message *m, char **ret_text);
/* Borrowed from the message, without a NUL at its end. */
int sw_wire_read_text(const struct sw_message *m, const uint8_t **ret_text, size_t *ret_len,
		      uint32_t *ret_number, unsigned int *ret_flags);

/* Takes n bytes off the front. */
void sw_wire_consume(struct sw_buf *b, size_t n);
