/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/hooks.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/proc.h"
#include "base/text.h"
#include "payload/payload.h"

#define LINES_MAX 100U		/* of one hook in the log */

static const char *const names[] = { "before", "after", "on-error" };

struct hooks {
	struct sw_machine *m;
	const struct sw_plan *p;
	const char *moment;
	const struct sw_sink *sink;
	unsigned int timeout_s;
	char *dir;		/* scratch, with the files */
	char *env[8];		/* "NAME=value", NULL-terminated */
};

static int put(struct hooks *h, size_t i, const char *variable, const char *name, const char *text)
{
	_cleanup_free_ char *path = sw_fmt("%s/%s", h->dir, name);
	int r = path && text ? sw_file_write(path, text, strlen(text), 0600) : -ENOMEM;

	h->env[i] = r == 0 ? sw_fmt("%s=%s", variable, path) : NULL;
	return r < 0 ? r : h->env[i] ? 0 : -ENOMEM;
}

static int put_json(struct hooks *h, size_t i, const char *variable, const char *name,
		    json_object *o)
{
	int r = put(h, i, variable, name,
		    o ? json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY) : NULL);

	json_object_put(o);
	return r;
}

/* Answers name where secrets are and never hold one. */
static int write_files(struct hooks *h, const struct sw_error *error, struct sw_error *err)
{
	_cleanup_free_ char *yaml = sw_answers_to_yaml(h->p->answers);
	_cleanup_facts_ struct sw_facts *f = NULL;
	int r = sw_machine_facts(h->m, &f, err);

	if (r < 0)
		return r;
	h->env[0] = sw_fmt("SLIPWAY_HOOK=%s", h->moment);
	r = h->env[0] ? sw_scratch_new("slipway-hook", &h->dir) : -ENOMEM;
	if (r == 0)
		r = put_json(h, 1, "SLIPWAY_FACTS", "facts.json", sw_facts_to_json(f));
	if (r == 0)
		r = put(h, 2, "SLIPWAY_ANSWERS", "answers.yaml", yaml);
	if (r == 0 && error)
		r = put_json(h, 3, "SLIPWAY_ERROR", "error.json", sw_error_to_json(error));
	return r < 0 ? sw_fail_errno(err, SW_EXIT_FAILED, r, "no files for the hooks") : 0;
}

static void clear(struct hooks *h)
{
	if (h->dir)
		(void)sw_remove_tree(h->dir);
	free(h->dir);
	for (size_t i = 0; i < ARRAY_SIZE(h->env); i++)
		free(h->env[i]);
}

/* Whoever can change it can do all that root can. */
static int check_owner(const char *path, struct sw_error *err)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return sw_fail_errno(err, SW_EXIT_MISSING, -errno, "the hook is not there");
	if (!S_ISREG(st.st_mode))
		return sw_fail(err, SW_EXIT_REFUSED, -EINVAL, "the hook is no regular file");
	if ((st.st_uid == 0 || st.st_uid == geteuid()) && !(st.st_mode & (S_IWGRP | S_IWOTH)))
		return 0;
	sw_fail(err, SW_EXIT_REFUSED, -EPERM, "the hook is not root's alone");
	sw_error_why(err, "others may write to it, or own it");
	sw_error_hint(err, "chown root and chmod go-w make it so");
	return -EPERM;
}

static void log_output(struct hooks *h, const char *name, struct sw_buf *out)
{
	char *save = NULL;
	unsigned int n = 0;

	if (!out->data)
		return;
	for (char *line = strtok_r((char *)out->data, "\r\n", &save); line;
	     line = strtok_r(NULL, "\r\n", &save))
		if (n++ < LINES_MAX)
			sw_event_log(h->sink, "%.40s: %.180s", name, sw_text_clean(line));
	if (n > LINES_MAX)
		sw_event_log(h->sink, "%.40s: %u more lines", name, n - LINES_MAX);
}

static int judge(struct hooks *h, const char *source, int status, struct sw_error *err)
{
	if (status == 0)
		return 0;
	if (status == -ETIMEDOUT)
		sw_fail(err, SW_EXIT_FAILED, status, "the hook took longer than %u s and was ended",
			h->timeout_s);
	else if (status < 0)
		sw_fail_errno(err, SW_EXIT_FAILED, status, "the hook was not run to its end");
	else
		sw_fail(err, SW_EXIT_FAILED, -ECHILD, "the hook has failed with status %d", status);
	sw_error_where(err, "hooks.%s, %.200s", h->moment, source);
	sw_error_hint(err, "what it printed is in the log");
	return err ? err->r : -ECHILD;
}

/* One without the right to be executed, as on some media, is a script for sh. */
static int run_one(struct hooks *h, const char *source, struct sw_error *err)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_buf_ struct sw_buf out = {};
	const char *name = strrchr(source, '/');
	int r = sw_source_local_path(h->m, source, &path, err);
	const char *argv[] = { "sh", path, NULL };

	if (r == 0)
		r = check_owner(path, err);
	if (r < 0) {
		sw_error_where(err, "hooks.%s, %.200s", h->moment, source);
		return r;
	}
	sw_event_log(h->sink, "hook %s: %s", h->moment, source);
	r = sw_proc_run(access(path, X_OK) == 0 ? argv + 1 : argv, (const char *const *)h->env,
			h->timeout_s, &out);
	log_output(h, name ? name + 1 : source, &out);
	return judge(h, source, r, err);
}

int sw_hooks_run(struct sw_machine *m, const struct sw_plan *p, enum sw_hook_when when,
		 const struct sw_error *error, const struct sw_sink *sink, struct sw_error *err)
{
	const struct sw_answers *a = p->answers;
	char *const *list = when == SW_HOOK_BEFORE ? a->hooks_before
			    : when == SW_HOOK_AFTER ? a->hooks_after : a->hooks_on_error;
	struct hooks h = { .m = m, .p = p, .moment = names[when], .sink = sink };
	int r;

	if (!list)
		return 0;
	h.timeout_s = a->hooks_timeout ? (unsigned int)strtoul(a->hooks_timeout, NULL, 10)
				       : SW_HOOK_TIMEOUT;
	r = write_files(&h, error, err);
	for (size_t i = 0; list[i] && (r == 0 || when == SW_HOOK_ON_ERROR) && h.dir; i++) {
		int q = run_one(&h, list[i], err);

		r = r < 0 ? r : q;
	}
	clear(&h);
	return r;
}
