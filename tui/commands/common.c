/* SPDX-License-Identifier: Apache-2.0 */
/* Machine, facts, plan and questions: what several commands share. */
#include "tui/commands/common.h"

#include <string.h>

#include "apply/handover.h"
#include "base/file.h"
#include "base/json.h"
#include "boot/entries.h"
#include "boot/memtest.h"
#include "boot/old-node.h"
#include "layout/layout.h"

int sw_cli_machine(const struct sw_cli *cli, struct sw_machine **ret_machine, struct sw_error *err)
{
	if (cli->machine_dir)
		return sw_machine_open_standin(cli->machine_dir, ret_machine, err);
	if (cli->facts)
		return sw_machine_open_captured(cli->facts, ret_machine, err);
	return sw_machine_open_real(ret_machine, err);
}

int sw_cli_needs_disks(const struct sw_cli *cli, const char *command, struct sw_error *err)
{
	if (!cli->facts)
		return 0;
	sw_fail(err, SW_EXIT_REFUSED, -EROFS, "%s reads the disks themselves", command);
	sw_error_where(err, "%s", cli->facts);
	sw_error_why(err, "captured facts tell about disks, but do not hold their content");
	sw_error_hint(err, "run this on the machine that the facts are from; with facts alone, "
			   "`slipway --facts FILE disks` and `plan` work");
	return -EROFS;
}

/* A file edited by hand would otherwise give a plan that no machine accepts. */
static int captured_vars(const struct sw_cli *cli, struct sw_target *t, struct sw_error *err)
{
	json_object *v = sw_json_get(t->m->captured, SW_FACTS_VARIABLES);
	char digest[65];
	int r;

	if (!v || !t->f->boot.supported)
		return 0;
	r = sw_entries_digest(v, digest);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_INVALID, r, "the boot variables cannot be read");
	if (strcmp(digest, t->f->boot.digest) != 0) {
		sw_fail(err, SW_EXIT_INVALID, -EBADMSG,
			"the boot variables in the facts do not belong to them");
		sw_error_where(err, "%s", cli->facts);
		sw_error_hint(err, "capture the facts again with `slipway facts --json`");
		return -EBADMSG;
	}
	t->vars = json_object_get(v);
	return 0;
}

static int read_old(struct sw_target *t, struct sw_error *err)
{
	if (t->m->kind != SW_MACHINE_CAPTURED)
		return sw_old_nodes(t->m, t->f, &t->old, err);
	t->old = json_object_get(sw_json_array(t->m->captured, SW_FACTS_NODES));
	return 0;
}

static int read_vars(const struct sw_cli *cli, struct sw_target *t, struct sw_error *err)
{
	if (t->m->kind == SW_MACHINE_CAPTURED)
		return captured_vars(cli, t, err);
	return sw_entries_of_machine(t->m, t->f, &t->vars, err);
}

int sw_target_open(const struct sw_cli *cli, struct sw_target *ret_target, struct sw_error *err)
{
	_cleanup_target_ struct sw_target t = {};
	int r;

	r = sw_cli_machine(cli, &t.m, err);
	if (r < 0)
		return r;
	r = sw_machine_facts(t.m, &t.f, err);
	if (r < 0)
		return r;
	r = read_vars(cli, &t, err);
	if (r == 0)
		r = read_old(&t, err);
	if (r < 0)
		return r;
	*ret_target = t;
	t = (struct sw_target){};
	return 0;
}

void sw_target_clear(struct sw_target *t)
{
	sw_facts_free(t->f);
	sw_machine_free(t->m);
	json_object_put(t->vars);
	json_object_put(t->old);
	*t = (struct sw_target){};
}

int sw_cli_layout(const struct sw_answers *a, const char *file, struct sw_layout **ret_layout,
		  struct sw_error *err)
{
	int r = sw_answers_validate(a, file, err);

	if (r < 0)
		return r;
	r = sw_layout_find(sw_answers_layout(a), ret_layout, err);
	if (r < 0 && err && !err->where[0])
		sw_answers_at(a, "disk.layout", file, err);
	return r;
}

int sw_target_plan(const struct sw_target *t, const struct sw_answers *a, const char *file,
		   struct sw_plan **ret_plan, struct sw_error *err)
{
	_cleanup_layout_ struct sw_layout *l = NULL;
	int r = sw_cli_layout(a, file, &l, err);

	return r < 0 ? r : sw_plan_build(t->f, t->vars, t->old, a, l, ret_plan, err);
}

json_object *sw_target_to_json(const struct sw_target *t)
{
	json_object *o = sw_facts_to_json(t->f);

	if (o && t->vars)
		sw_json_add(o, SW_FACTS_VARIABLES, json_object_get(t->vars));
	if (o && t->old)
		sw_json_add(o, SW_FACTS_NODES, json_object_get(t->old));
	return o;
}

char *sw_cli_place(const char *text)
{
	_cleanup_free_ char *here = NULL;
	char *whole = NULL;

	if (text[0] == '/' || strstr(text, ":/") || strcmp(text, "stick") == 0)
		return strdup(text);
	here = getcwd(NULL, 0);
	return here && asprintf(&whole, "%s/%s", here, text) >= 0 ? whole : NULL;
}

void sw_print_json(json_object *o)
{
	printf("%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY |
							 JSON_C_TO_STRING_NOSLASHESCAPE));
}

bool sw_is_interactive(void)
{
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

/* A line from the terminal, without the blanks behind it; malloc'd. */
static int ask(const char *question, char **ret_line, struct sw_error *err)
{
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	ssize_t n;

	if (!sw_is_interactive()) {
		sw_fail(err, SW_EXIT_REFUSED, -EPERM, "nobody is there to confirm");
		sw_error_why(err, "stdin or stdout is not a terminal");
		sw_error_hint(err, "give --yes when this is meant to run by itself");
		return -EPERM;
	}
	printf("%s", question);
	fflush(stdout);
	n = getline(&line, &size, stdin);
	while (n > 0 && strchr("\r\n \t", line[n - 1]))
		line[--n] = '\0';
	*ret_line = n >= 0 ? TAKE_PTR(line) : strdup("");
	return *ret_line ? 0 : sw_fail_oom(err);
}

static int not_confirmed(struct sw_error *err)
{
	sw_fail(err, SW_EXIT_CANCELLED, -ECANCELED, "not confirmed, nothing was changed");
	return -ECANCELED;
}

int sw_confirm(const struct sw_cli *cli, const char *question, const char *expected,
	       struct sw_error *err)
{
	_cleanup_free_ char *line = NULL;
	int r = cli->yes ? 0 : ask(question, &line, err);

	if (r < 0 || cli->yes)
		return r;
	return strcmp(line, expected) == 0 ? 0 : not_confirmed(err);
}

int sw_confirm_disk(const struct sw_cli *cli, const char *question, const char *confirm,
		    const char *serial, struct sw_error *err)
{
	_cleanup_free_ char *line = NULL;
	int r = cli->yes ? 0 : ask(question, &line, err);

	if (r < 0 || cli->yes)
		return r;
	return sw_disk_confirmed(line, confirm, serial) ? 0 : not_confirmed(err);
}

int sw_confirm_plan(const struct sw_cli *cli, const struct sw_plan *p, struct sw_error *err)
{
	size_t n = 0, asked = 0;
	int r = 0;

	if (p->n_disks == 0)
		return sw_confirm(cli, "\nType yes to write the boot variables: ", "yes", err);
	for (size_t k = 0; k < p->n_disks; k++)
		n += p->disks[k].confirm != NULL;
	for (size_t k = 0; k < p->n_disks && r == 0; k++) {
		const struct sw_plan_disk *d = &p->disks[k];
		_cleanup_free_ char *which = NULL, *question = NULL;

		if (!d->confirm)
			continue;
		which = n > 1 ? sw_fmt("Disk %zu (%s, serial %s) loses what is on it.\n", k + 1,
				       d->node, d->serial ? d->serial : "none") : strdup("");
		question = which ? sw_fmt("\n%sType %s to %s: ", which, d->confirm,
					  ++asked < n ? "agree" : "start") : NULL;
		if (!question)
			return sw_fail_oom(err);
		r = sw_confirm_disk(cli, question, d->confirm, d->serial, err);
	}
	return r;
}

static bool on_medium(struct sw_machine *m, const char *name)
{
	_cleanup_free_ char *path = NULL;
	struct sw_error ignored = {};

	return sw_machine_medium_file(m, name, &path, &ignored) == 0;
}

struct sw_answers *sw_answers_for_person(struct sw_machine *m)
{
	struct sw_answers *a;

	if (!m->medium || !(a = sw_answers_new()))
		return NULL;
	if (!a->uki && on_medium(m, "payload/node.efi")) {
		a->uki = strdup("medium:/payload/node.efi");
	} else if (!a->kernel && on_medium(m, "payload/vmlinuz") &&
		   on_medium(m, "payload/initrd")) {
		a->kernel = strdup("medium:/payload/vmlinuz");
		a->initrd = strdup("medium:/payload/initrd");
	}
	return a;
}

/* The firmware starts the node in any case. */
static bool hand_over(struct sw_machine *m, const struct sw_plan *p)
{
	_cleanup_free_ char *text = NULL;
	struct sw_error err = {};

	if (sw_handover_load(m, p, &err) == 0)
		return true;
	text = sw_error_text(&err);
	(void)fprintf(stderr, "slipway: the machine restarts instead: %s\n", text ? text : "");
	return false;
}

int sw_finish_run(const struct sw_cli *cli, struct sw_machine *m, const struct sw_plan *p,
		  bool no_finish, struct sw_error *err)
{
	static const char *const said[] = {
		[SW_POWER_REBOOT] = "Rebooting.", [SW_POWER_OFF] = "Powering off.",
		[SW_POWER_KEXEC] = "Starting the node.",
	};
	enum sw_finish finish = p->answers->finish;
	enum sw_power what = finish == SW_FINISH_POWEROFF ? SW_POWER_OFF : SW_POWER_REBOOT;

	if (no_finish || finish == SW_FINISH_STAY)
		return 0;
	if (finish == SW_FINISH_KEXEC && hand_over(m, p))
		what = SW_POWER_KEXEC;
	if (!cli->json)
		printf("%s\n", said[what]);
	fflush(stdout);
	return sw_machine_power(m, what, err);
}

bool sw_forget_memory_test(struct sw_machine *m)
{
	struct sw_error e = {};
	size_t n = 0;

	if (sw_memtest_clear(m, &n, &e) < 0)
		fprintf(stderr, "slipway: the boot entry of a memory test stays: %s\n", e.what);
	else if (n)
		fprintf(stderr, "slipway: the boot entry of a memory test is taken away\n");
	return n > 0;
}
