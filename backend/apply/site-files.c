/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that the answers give to the node: those with a source are fetched into the work directory
 * before the first write, and all go into the node data.
 */
#include <string.h>
#include <sys/stat.h>

#include "apply/run.h"
#include "base/file.h"
#include "base/hash.h"
#include "boot/nodefiles.h"
#include "payload/payload.h"

static char *place(const struct sw_run *run, size_t i)
{
	return sw_fmt("%s/file-%zu", run->work, i);
}

static int fetch(struct sw_run *run, size_t i, const char *out, struct sw_error *err)
{
	const struct sw_node_file *n = &run->p->answers->node_files[i];
	struct sw_fetch f = { .source = n->source, .sha256 = n->sha256, .out = out,
			      .max = SW_NODE_FILE_MAX };

	return sw_run_get(run, &f, n->path, n->path, err);
}

static int too_much(struct sw_error *err)
{
	sw_fail(err, SW_EXIT_INVALID, -E2BIG, "the files of the node are too large");
	sw_error_why(err, "with their texts they take more than %u KiB, which the node data have "
			  "room for", SW_NODE_FILES_ALL / 1024);
	sw_error_hint(err, "nothing was written; put large files into the image or the overlay");
	return -E2BIG;
}

int sw_run_fetch_files(struct sw_run *run, struct sw_error *err)
{
	const struct sw_answers *a = run->p->answers;
	uint64_t all = 0;
	int r = 0;

	for (size_t i = 0; i < a->n_node_files && r == 0; i++) {
		_cleanup_free_ char *path = place(run, i);
		struct stat st = {};

		if (a->node_files[i].text)
			all += strlen(a->node_files[i].text);
		if (!a->node_files[i].source)
			continue;
		r = fetch(run, i, path, err);
		if (r == 0 && stat(path, &st) < 0)
			r = sw_fail_errno(err, SW_EXIT_FAILED, -EIO,
					  "cannot look at a fetched file");
		all += (uint64_t)st.st_size;
	}
	return r == 0 && all > SW_NODE_FILES_ALL ? too_much(err) : r;
}

static int add(const struct sw_run *run, size_t i, json_object *data)
{
	const struct sw_node_file *n = &run->p->answers->node_files[i];
	_cleanup_buf_ struct sw_buf b = { .max = SW_NODE_FILE_MAX };
	_cleanup_free_ char *path = place(run, i);
	int r;

	if (!n->source)
		return sw_node_file_add(data, n->path, n->mode, n->text, strlen(n->text));
	r = path ? sw_file_read(path, &b) : -ENOMEM;
	return r < 0 ? r : sw_node_file_add(data, n->path, n->mode, b.data, b.len);
}

int sw_run_files_to_json(const struct sw_run *run, json_object *node_data, struct sw_error *err)
{
	const struct sw_answers *a = run->p->answers;
	int r = 0;

	for (size_t i = 0; sw_answers_have_files(a, false) && i < a->n_node_files && r == 0; i++)
		r = add(run, i, node_data);
	return r < 0 ? sw_fail_errno(err, SW_EXIT_FAILED, r, "a file of the node cannot be read")
		     : 0;
}
