/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Collecting facts, for the real machine and a stand-in alike: the kind says
 * which disks and links there are, the looking inside is the same code. Nothing
 * here fails for a broken part: a disk that cannot be read, a TPM that does not
 * answer and boot variables that are not there become a use or a note, because
 * a machine with a fault is exactly what slipway is called for.
 */
#include <stdarg.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "boot/entries.h"
#include "machine/private.h"
#include "base/strv.h"
#include "base/text.h"
#include "tpm/tpm.h"

#define TPM_SECONDS 4
#define TPM_SECONDS_STAND_IN 15	/* a program like others, which a busy machine lets wait */

struct sw_disk *sw_facts_add_disk(struct sw_facts *f)
{
	struct sw_disk *disks;

	/* Grown by doubling: some machines have hundreds. */
	if ((f->n_disks & (f->n_disks + 1)) == 0 || !f->disks) {
		disks = reallocarray(f->disks, 2 * f->n_disks + 2, sizeof(*disks));
		if (!disks)
			return NULL;
		f->disks = disks;
	}
	f->disks[f->n_disks] = (struct sw_disk){ .sector = 512 };
	return &f->disks[f->n_disks++];
}

__attribute__((format(printf, 2, 0)))
static int add_line(char ***list, const char *fmt, va_list ap)
{
	_cleanup_free_ char *s = NULL;

	if (vasprintf(&s, fmt, ap) < 0) {
		s = NULL;
		return -ENOMEM;
	}
	return sw_strv_add(list, sw_text_clean(s));
}

int sw_facts_note(struct sw_facts *f, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = add_line(&f->notes, fmt, ap);
	va_end(ap);
	return r;
}

int sw_disk_add_use(struct sw_disk *d, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = add_line(&d->uses, fmt, ap);
	va_end(ap);
	return r;
}

/* ---- disks ---- */

static int by_name(const void *a, const void *b)
{
	return strverscmp(((const struct sw_disk *)a)->name, ((const struct sw_disk *)b)->name);
}

/* A CD drive is only of interest when slipway came from it. */
static void drop_drives(struct sw_facts *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n_disks; i++) {
		struct sw_disk *d = &f->disks[i];

		if (strncmp(d->name, "sr", 2) == 0 && !d->medium)
			sw_disk_clear(d);
		else
			f->disks[n++] = *d;
	}
	f->n_disks = n;
}

static int collect_disks(struct sw_machine *m, struct sw_facts *f,
			 bool (*want)(const struct sw_disk *d, void *arg), void *arg)
{
	int r = sw_machine_ops_of(m)->disks(m, f);

	if (r == 0 && f->n_disks > 1)
		qsort(f->disks, f->n_disks, sizeof(*f->disks), by_name);
	/* Before anybody is asked whether the kernel has claimed it: this says why. */
	if (r == 0 && m->kind == SW_MACHINE_REAL)
		r = sw_disks_trace_system(m, f);
	if (r == 0)
		r = sw_disks_inspect(m, f->disks, f->n_disks, want, arg);
	if (r == 0 && m->kind == SW_MACHINE_REAL)
		r = sw_disks_trace_medium(m, f);
	if (r == 0 && m->kind == SW_MACHINE_REAL) {
		drop_drives(f);
		sw_disks_drop_images(f);
	}
	return r == 0 ? sw_disks_mark_paths(f) : r;
}

/* ---- firmware and TPM ---- */

static bool flag_variable(struct sw_varstore *s, const char *name)
{
	_cleanup_free_ uint8_t *data = NULL;
	uint32_t attrs;
	size_t len = 0;

	return sw_var_get(s, &sw_guid_global, name, &data, &len, &attrs) == 0 && len == 1 &&
	       data[0] == 1;
}

static int collect_firmware(struct sw_machine *m, struct sw_facts *f)
{
	struct sw_error err = {};
	struct sw_varstore *vars;
	int r;

	if (f->firmware != SW_FIRMWARE_UEFI)
		return 0;
	r = sw_machine_vars(m, &vars, &err);
	if (r == 0)
		r = sw_entries_read(vars, &f->boot, &err);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return sw_facts_note(f, "boot variables: %s: %s", err.what, err.why);
	f->secure_boot = flag_variable(vars, "SecureBoot");
	f->setup_mode = flag_variable(vars, "SetupMode");
	return 0;
}

static bool lacks_log(const struct sw_machine *m)
{
	_cleanup_free_ char *path = sw_machine_tpm_log(m);

	return m->kind == SW_MACHINE_REAL && (!path || access(path, F_OK) < 0);
}

static int collect_tpm(struct sw_machine *m, struct sw_facts *f)
{
	_cleanup_tpm_info_ struct sw_tpm_info info = {};
	struct sw_error err = {};
	const char *tcti;
	unsigned int patience = m->kind == SW_MACHINE_REAL ? TPM_SECONDS : TPM_SECONDS_STAND_IN;
	int r = sw_machine_tcti(m, &tcti, &err);

	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = sw_tpm_query(tcti, patience, &info, &err);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return sw_facts_note(f, "TPM: %s: %s", err.what, err.why);
	f->tpm_present = true;
	f->tpm_log_missing = lacks_log(m);
	f->tpm_version = TAKE_PTR(info.version);
	f->tpm_vendor = TAKE_PTR(info.vendor);
	return 0;
}

/* ---- cleaning ---- */

static void clean(char *s)
{
	if (s)
		sw_text_clean(s);
}

static void clean_list(char **list)
{
	for (size_t i = 0; list && list[i]; i++)
		clean(list[i]);
}

/* What probes and firmware hand over as they found it. Our own readers clean as they read. */
static void clean_found(struct sw_facts *f)
{
	for (size_t i = 0; i < f->n_disks; i++) {
		struct sw_table *t = &f->disks[i].table;

		clean(f->disks[i].name);
		clean(f->disks[i].model);
		clean_list(f->disks[i].signatures);
		clean(t->group);
		clean(t->damage);
		for (size_t k = 0; k < t->n_parts; k++) {
			clean(t->parts[k].label);
			clean(t->parts[k].fs_type);
			clean(t->parts[k].fs_label);
			clean(t->parts[k].fs_uuid);
			clean(t->parts[k].group);
		}
	}
	for (size_t i = 0; i < f->boot.n_entries; i++) {
		clean(f->boot.entries[i].label);
		clean(f->boot.entries[i].path);
	}
}

/* What an install plans with, and a look at some disks has no need of. */
static int collect_rest(struct sw_machine *m, struct sw_facts *f)
{
	int r = sw_disks_health(m, f);

	if (r == 0)
		r = collect_tpm(m, f);
	return r == 0 ? sw_machine_ops_of(m)->links(m, f) : r;
}

int sw_facts_collect(struct sw_machine *m, bool (*want)(const struct sw_disk *d, void *arg),
		     void *arg, struct sw_facts **ret_facts, struct sw_error *err)
{
	_cleanup_facts_ struct sw_facts *f = sw_facts_new();
	int r;

	if (!f)
		return sw_fail_oom(err);
	f->time = sw_wall_s();
	r = sw_machine_ops_of(m)->identity(m, f);
	if (r == 0)
		r = collect_disks(m, f, want, arg);
	if (r == 0)
		r = collect_firmware(m, f);
	if (r == 0 && !want)
		r = collect_rest(m, f);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_INTERNAL, r, want
				     ? "cannot look at the disks again"
				     : "cannot collect the facts");
	clean_found(f);
	*ret_facts = TAKE_PTR(f);
	return 0;
}
