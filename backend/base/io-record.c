/* SPDX-License-Identifier: Apache-2.0 */
/* The recording disk: everything written is kept in order, for crash enumeration. */
#include <string.h>

#include "base/io.h"

struct io_record {
	struct sw_io io;
	uint8_t *data;
	struct sw_io_log *log;
	size_t writes, fail_at;
	int fail_errno;
};

static int rec_read(struct sw_io *io, uint64_t off, void *data, size_t len)
{
	memcpy(data, ((struct io_record *)io)->data + off, len);
	return 0;
}

static int append(struct sw_io_log *log, struct sw_io_op op)
{
	struct sw_io_op *p = reallocarray(log->ops, log->n + 1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	log->ops = p;
	log->ops[log->n++] = op;
	return 0;
}

static int rec_write(struct sw_io *io, uint64_t off, const void *data, size_t len)
{
	struct io_record *f = (struct io_record *)io;
	struct sw_io_op op = { .kind = SW_IO_WRITE, .off = off, .len = len };

	if (f->writes++ == f->fail_at)
		return -f->fail_errno;
	memcpy(f->data + off, data, len);
	if (!f->log)
		return 0;
	op.data = malloc(len ? len : 1);
	if (!op.data)
		return -ENOMEM;
	memcpy(op.data, data, len);
	return append(f->log, op);
}

static int rec_flush(struct sw_io *io)
{
	struct io_record *f = (struct io_record *)io;

	return f->log ? append(f->log, (struct sw_io_op){ .kind = SW_IO_FLUSH }) : 0;
}

static void rec_close(struct sw_io *io)
{
	free(((struct io_record *)io)->data);
}

static const struct sw_io_ops rec_ops = {
	.read = rec_read,
	.write = rec_write,
	.flush = rec_flush,
	.close = rec_close,
};

int sw_io_new_recorder(uint64_t size, uint32_t sector, const uint8_t *initial,
		       struct sw_io_log *log, size_t fail_at, int fail_errno,
		       struct sw_io **ret_io)
{
	struct io_record *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->data = calloc(1, size);
	if (!f->data) {
		free(f);
		return -ENOMEM;
	}
	if (initial)
		memcpy(f->data, initial, size);
	f->io = (struct sw_io){ .ops = &rec_ops, .size = size, .sector = sector };
	(void)snprintf(f->io.path, sizeof(f->io.path), "recorder");
	f->log = log;
	f->fail_at = fail_at;
	f->fail_errno = fail_errno;
	*ret_io = &f->io;
	return 0;
}

const uint8_t *sw_io_recorder_data(struct sw_io *io)
{
	return io->ops == &rec_ops ? ((struct io_record *)io)->data : NULL;
}

void sw_io_log_clear(struct sw_io_log *log)
{
	for (size_t i = 0; i < log->n; i++)
		free(log->ops[i].data);
	free(log->ops);
	log->ops = NULL;
	log->n = 0;
}
