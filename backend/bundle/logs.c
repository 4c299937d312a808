/* SPDX-License-Identifier: Apache-2.0 */
/* Logs of the running system: the kernel's, systemd's, and how the last admission went. */
#include <string.h>

#include "admission/admitted.h"
#include "base/file.h"
#include "base/proc.h"
#include "bundle/private.h"
#include "machine/kernel-log.h"

#define JOURNAL_S 60
#define CMDLINE_MAX 16384

static int kernel_log(struct sw_gathering *g)
{
	_cleanup_free_ char *text = NULL;
	int r = sw_kernel_log(&text);

	if (r < 0)
		return r == -ENOMEM ? r : sw_bundle_add_absent(g, "kernel.log", strerror(-r));
	return sw_bundle_add_text(g, "kernel.log", text);
}

/* sw_proc_run() keeps 64 KiB: of the newest lines, which is what one looks for. */
static int journal(struct sw_gathering *g)
{
	const char *argv[] = { "journalctl", "--boot", "--no-pager", "--quiet",
			       "--output=short-iso", "--lines=400", NULL };
	_cleanup_buf_ struct sw_buf b = {};
	int r;

	if (!sw_proc_exists("journalctl"))
		return sw_bundle_add_absent(g, "journal.log", "this system has no journalctl");
	r = sw_proc_run(argv, NULL, JOURNAL_S, &b);
	if (r != 0)
		return sw_bundle_add_absent(g, "journal.log",
					    r < 0 ? strerror(-r) : sw_buf_text(&b));
	return sw_bundle_add_text(g, "journal.log", sw_buf_text(&b));
}

static int command_line(struct sw_gathering *g)
{
	_cleanup_buf_ struct sw_buf b = { .max = CMDLINE_MAX };
	_cleanup_free_ char *path = sw_fmt("%s/cmdline", g->m->proc_root);
	int r = path ? sw_file_read(path, &b) : -ENOMEM;

	if (r < 0)
		return r == -ENOMEM ? r : sw_bundle_add_absent(g, "cmdline.txt", strerror(-r));
	return sw_bundle_add_text(g, "cmdline.txt", sw_buf_text(&b));
}

static int admission(struct sw_gathering *g)
{
	json_object *o = sw_admitted_look(g->m);

	if (!o)
		return sw_bundle_add_absent(g, "admission.json",
					    "this start has seen no admission");
	return sw_bundle_add_json(g, "admission.json", o);
}

/* The logs of the machine that this runs on say nothing of a stand-in. */
static int log_of(struct sw_gathering *g, const char *name, int (*gather)(struct sw_gathering *g))
{
	if (g->m->kind != SW_MACHINE_REAL)
		return sw_bundle_add_absent(g, name, "this machine is made of files");
	return gather(g);
}

int sw_bundle_gather_logs(struct sw_gathering *g)
{
	int r = sw_bundle_begin(g, "Admission");

	if (r == 0)
		r = admission(g);
	if (r == 0)
		r = sw_bundle_begin(g, "Kernel command line");
	if (r == 0)
		r = command_line(g);
	if (r == 0)
		r = sw_bundle_begin(g, "The kernel's log");
	if (r == 0)
		r = log_of(g, "kernel.log", kernel_log);
	if (r == 0)
		r = sw_bundle_begin(g, "The journal");
	return r < 0 ? r : log_of(g, "journal.log", journal);
}
