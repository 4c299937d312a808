/* SPDX-License-Identifier: Apache-2.0 */
/* Each file that the node is given has a path of its own and comes from one place. */
#include <string.h>

#include "answers/validate-private.h"
#include "boot/nodefiles.h"
#include "payload/payload.h"

static void report(struct sw_check *c, size_t i, const char *word, const char *what,
		   const char *why, const char *hint)
{
	sw_broken_item(c, SW_HOME_FILE, i, word, what, why, hint);
}

static void check_path(struct sw_check *c, size_t i, const struct sw_node_file *f)
{
	if (!f->path)
		report(c, i, "path", "is missing", "nothing says where the file goes",
		       "give the path that it has on the node");
	for (size_t k = 0; f->path && k < i; k++) {
		const char *other = c->a->node_files[k].path;

		if (other && sw_node_files_clash(other, f->path))
			report(c, i, "path", "is in the way of another one",
			       strcmp(other, f->path) == 0
				       ? "two files have this path"
				       : "one of both would have to be a directory",
			       "take one of both out, or give it another path");
	}
}

static void check_content(struct sw_check *c, size_t i, const struct sw_node_file *f)
{
	if (f->text && f->source)
		report(c, i, "source", "does not go with a text", "a file comes from one place",
		       "give one of text and source");
	else if (!f->text && !f->source)
		report(c, i, "text", "is missing", "nothing says what is in the file",
		       "give one of text and source");
	if (f->sha256 && !f->source)
		report(c, i, "sha256", "is given, but nothing belongs to it",
		       "there is no source", "take it out");
	else if (f->source && !f->sha256 && sw_source_is_remote(f->source))
		report(c, i, "sha256", "is missing",
		       "what comes over a network is checked against its SHA-256 before use",
		       "sha256sum FILE on the server prints it");
}

void sw_check_files(struct sw_check *c)
{
	/* What is asked may be any of them. */
	if (sw_answers_has_open(c->a, "node.files"))
		return;
	for (size_t i = 0; i < c->a->n_node_files; i++) {
		const struct sw_node_file *f = &c->a->node_files[i];

		if (c->a->n_node_files == 1 && !f->path && !f->text && !f->source && !f->sha256 &&
		    !f->mode)
			return;
		check_path(c, i, f);
		check_content(c, i, f);
	}
}
