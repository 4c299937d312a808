/* SPDX-License-Identifier: Apache-2.0 */
/* `slipway bundle`: all that somebody far away needs to see, as one file or as a block of text. */
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/size.h"
#include "base/strv.h"
#include "base/text.h"
#include "tui/commands/bundle-qr.h"
#include "tui/commands/list.h"

enum { OPT_ANONYMOUS = 300, OPT_BLOCK, OPT_FILE, OPT_QR, OPT_CELLS, OPT_INVERT };

#define LOG_MAX ((size_t)16 << 20)

/* ---- what is in it ---- */

static void print_removed(json_object *removed)
{
	const char *before = "  removed: ";

	json_object_object_foreach(removed, kind, times) {
		printf("%s%s", before, kind);
		if (json_object_get_int(times) > 1)
			printf(" (%d times)", json_object_get_int(times));
		before = ", ";
	}
}

static void print_manifest(json_object *manifest)
{
	json_object *files = sw_json_array(manifest, "files");
	json_object *absent = sw_json_array(manifest, "absent");
	char size[16];

	for (size_t i = 0; i < json_object_array_length(files); i++) {
		json_object *o = json_object_array_get_idx(files, i);

		printf("%-28s %9s", sw_json_str(o, "name", ""),
		       sw_size_format(sw_json_u64(o, "bytes", 0), size, sizeof(size)));
		print_removed(sw_json_get(o, "removed"));
		printf("\n");
	}
	for (size_t i = 0; i < json_object_array_length(absent); i++) {
		json_object *o = json_object_array_get_idx(absent, i);

		printf("%-28s not there: %s\n", sw_json_str(o, "name", ""),
		       sw_json_str(o, "why", ""));
	}
}

/* ---- storing it ---- */

struct job {
	const struct sw_cli *cli;
	struct sw_machine *m;
	struct sw_bundle bundle;
	char **recipients, **files;
	json_object *result;
	struct sw_printer printer;
	struct sw_sink sink;
};

static void print_event(const struct sw_event *ev, void *printer)
{
	sw_print_event(printer, ev);
}

/* What is being done goes to a terminal alone. ^C stops it between two steps, or an upload. */
static void follow(struct job *j)
{
	j->printer.out = stderr;
	j->sink = (struct sw_sink){ .fn = j->cli->json || !isatty(STDERR_FILENO) ? NULL
										 : print_event,
				    .userdata = &j->printer, .cancelled = sw_stop_is_wanted };
	sw_stop_catch();
}

static void job_clear(struct job *j)
{
	sw_bundle_clear(&j->bundle);
	sw_strv_free(j->recipients);
	sw_strv_free(j->files);
	json_object_put(j->result);
	sw_machine_free(j->m);
}

static void tell(const struct job *j, json_object *done)
{
	char size[16];

	sw_json_add_all(j->result, done);
	if (j->cli->json)
		return;
	printf("\nWritten to %s, %s; as named by itself %s\nIts code, for the telephone: %s\n",
	       sw_json_str(done, "output", ""),
	       sw_size_format(sw_json_u64(done, "bytes", 0), size, sizeof(size)),
	       sw_json_str(done, "file", ""), sw_json_str(done, "code", ""));
	if (!j->recipients)
		printf("It is not encrypted: whoever gets it can read it. --recipient age1… "
		       "encrypts it.\n");
}

static int write_out(struct job *j, const char *output, struct sw_error *err)
{
	_cleanup_free_ char *where = sw_cli_place(output);
	_cleanup_json_ json_object *done = NULL;
	int r = where ? sw_bundle_write(j->m, &j->bundle, j->recipients, where, &j->sink,
					  &done, err)
		      : sw_fail_oom(err);

	if (r == 0)
		tell(j, done);
	return r;
}

static int print_block(struct job *j, struct sw_error *err)
{
	_cleanup_buf_ struct sw_buf block = {};
	int r = sw_bundle_block(j->bundle.report, &block, err);

	if (r == 0)
		printf("%s", sw_buf_text(&block));
	return r;
}

/* What does not go together is said before anything is looked at. */
static int check(const struct sw_args *a, enum sw_qr_cells *ret_cells, struct sw_error *err)
{
	const char *cells = sw_arg(a, OPT_CELLS);

	if (sw_arg(a, 'r') && !sw_arg(a, 'o')) {
		sw_fail(err, SW_EXIT_USAGE, -EINVAL, "--recipient without --output");
		sw_error_hint(err, "without --output only the list is shown");
		return -EINVAL;
	}
	if (!!sw_arg(a, OPT_QR) + !!sw_arg(a, OPT_BLOCK) + !!sw_arg(a, 'o') > 1)
		return sw_fail(err, SW_EXIT_USAGE, -EINVAL,
			       "--qr, --block and --output exclude each other");
	if ((cells || sw_arg(a, OPT_INVERT)) && !sw_arg(a, OPT_QR))
		return sw_fail(err, SW_EXIT_USAGE, -EINVAL, "--cells and --invert go with --qr");
	return sw_bundle_qr_cells(cells, ret_cells, err);
}

static int gather(struct job *j, struct sw_error *err)
{
	const struct sw_args *a = &j->cli->args;
	struct sw_bundle_options o = { .disk = sw_arg(a, 'd'),
				       .anonymous = sw_arg(a, OPT_ANONYMOUS), .sink = &j->sink };
	int r = 0;

	if (sw_arg_list(a, 'r', &j->recipients) < 0 || sw_arg_list(a, OPT_FILE, &j->files) < 0)
		r = sw_fail_oom(err);
	if (r == 0)
		r = sw_cli_needs_disks(j->cli, "bundle", err);
	if (r == 0)
		r = sw_cli_machine(j->cli, &j->m, err);
	o.files = j->files;
	follow(j);
	return r < 0 ? r : sw_bundle_gather(j->m, &o, &j->bundle, err);
}

static int run(struct sw_cli *cli, struct sw_error *err)
{
	const char *output = sw_arg(&cli->args, 'o');
	_cleanup_(job_clear) struct job j = { .cli = cli };
	enum sw_qr_cells cells;
	int r = check(&cli->args, &cells, err);

	if (r == 0)
		r = gather(&j, err);
	if (r < 0)
		return r;
	if (sw_arg(&cli->args, OPT_BLOCK))
		return print_block(&j, err);
	if (sw_arg(&cli->args, OPT_QR))
		return sw_bundle_qr_show(cli, j.bundle.report, cells,
					 sw_arg(&cli->args, OPT_INVERT), err);
	j.result = sw_bundle_manifest(&j.bundle);
	if (!cli->json)
		print_manifest(j.result);
	if (output)
		r = write_out(&j, output, err);
	else if (!cli->json)
		printf("\nNothing was written; --output PLACE writes it.\n");
	if (r == 0 && cli->json)
		sw_print_json(j.result);
	return r;
}

static const struct sw_opt opts[] = {
	{ 'o', "output", "PLACE", "a directory, a file, \"stick\", or an http(s) URL for PUT" },
	{ 'r', "recipient", "KEY", "encrypt to this age or SSH public key; several times" },
	{ OPT_ANONYMOUS, "anonymous", NULL, "without serials, addresses and the machine's name" },
	{ OPT_FILE, "file", "FILE", "take this file along; several times" },
	{ OPT_BLOCK, "block", NULL, "print the findings as a block for a console's log" },
	{ OPT_QR, "qr", NULL, "show the findings as QR codes for a telephone" },
	{ OPT_CELLS, "cells", "half|full", "with --qr: half blocks (UTF-8), or blanks only" },
	{ OPT_INVERT, "invert", NULL, "with --qr: for dark on light without colours" },
	{ 'd', "disk", "NAME", "the node's disk, when several have one" },
	{ 0, NULL, NULL, NULL },
};

const struct sw_command sw_command_bundle = {
	.name = "bundle",
	.summary = "Collect what somebody else needs to find out what is wrong",
	.operands = "",
	.opts = opts,
	.details = "Facts, findings, status, partition tables, firmware variables, measurements\n"
		   "and logs, without passwords, tokens and keys. Without --output it is only\n"
		   "listed, with what was taken out. Nothing on the machine is changed.\n"
		   "Where nothing else leaves the machine, --block and --qr show what was found,\n"
		   "the worst first; `slipway bundle read` takes both.",
	.run = run,
};

/* ---- bundle read ---- */

static void print_report(json_object *o)
{
	json_object *list = sw_json_array(o, "findings");
	size_t n = list ? json_object_array_length(list) : 0;

	const char *node = sw_json_str(o, "node_id", NULL);
	uint64_t left_out = sw_json_u64(o, "left_out", 0);

	printf("%s, %s, serial %s, %s\n", sw_json_str(o, "machine", "-"),
	       sw_json_str(o, "product", "-"), sw_json_str(o, "serial", "-"),
	       sw_json_str(o, "time", "-"));
	if (node)
		printf("Node id %s\n", node);
	for (size_t i = 0; i < n; i++) {
		json_object *f = json_object_array_get_idx(list, i);
		const char *evidence = sw_json_str(f, "evidence", NULL);

		printf("%-8s %s: %s\n", sw_json_str(f, "severity", ""), sw_json_str(f, "id", ""),
		       sw_json_str(f, "what", ""));
		if (evidence)
			printf("%-8s %s\n", "", evidence);
	}
	if (left_out)
		printf("%llu lesser findings were left out.\n", (unsigned long long)left_out);
	else if (!n)
		printf("Nothing was found.\n");
}

static int read_log(const char *path, struct sw_buf *log, struct sw_error *err)
{
	int r = strcmp(path, "-") == 0 ? sw_fd_read(STDIN_FILENO, log) : sw_file_read(path, log);

	if (r == 0)
		return 0;
	sw_fail_errno(err, SW_EXIT_USAGE, r, "the log cannot be read");
	sw_error_where(err, "%s", path);
	return r;
}

static int run_read(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_buf_ struct sw_buf log = { .max = LOG_MAX }, text = {};
	_cleanup_json_ json_object *o = NULL;
	const char *path = cli->args.rest[0];
	int r = read_log(path, &log, err);

	if (r == 0)
		r = sw_bundle_read((const char *)log.data, log.len, &text, err);
	if (r == 0)
		r = sw_json_parse(sw_buf_text(&text), text.len, path, &o, err);
	if (r < 0)
		return r;
	if (cli->json)
		sw_print_json(o);
	else
		print_report(o);
	return 0;
}

const struct sw_command sw_command_bundle_read = {
	.name = "bundle read",
	.summary = "Show the report of `bundle --block` or of the codes of `bundle --qr`",
	.operands = "FILE",
	.min_rest = 1,
	.max_rest = 1,
	.details = "FILE is the log of a serial console, or - for standard input; what else was\n"
		   "printed between the lines of the block does not matter. Or it has the text of\n"
		   "each QR code as a telephone reads it, each in a line, in any order.",
	.run = run_read,
};
