/* SPDX-License-Identifier: Apache-2.0 */
/* `slipway state reseal`: the TPM opens an encrypted state again after PCR 7 has changed. */
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <termios.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/hex.h"
#include "base/json.h"
#include "disk/luks.h"
#include "disk/recovery.h"
#include "machine/shell.h"
#include "rescue/reseal.h"
#include "tpm/seal.h"
#include "tui/commands/common.h"
#include "tui/commands/list.h"
#include "tui/commands/tpm-log.h"

enum { OPT_KEY_FILE = 300, OPT_KEY_FD, OPT_IMAGE, OPT_PRESENT };

/* ---- the operator's key ---- */

/*
 * One line into locked memory, not shown: nor is what is typed before the question has come.
 * The terminal is as it was when this returns.
 */
static int read_hidden(int tty, const char *question, struct sw_secret **ret_line,
		       struct sw_error *err)
{
	_cleanup_secret_ struct sw_secret *line = NULL;
	struct termios was, quiet;
	size_t n = 0;
	int r = sw_secret_new(512, &line, err);

	if (r < 0 || tcgetattr(tty, &was) < 0)
		return r < 0 ? r : sw_fail_errno(err, SW_EXIT_FAILED, -errno, "no terminal");
	quiet = was;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
	(void)tcsetattr(tty, TCSAFLUSH, &quiet);
	(void)sw_fd_write_all(tty, question, strlen(question));
	while (n < line->len && read(tty, line->data + n, 1) == 1 && line->data[n] != '\n')
		n++;
	(void)tcsetattr(tty, TCSAFLUSH, &was);
	(void)sw_fd_write_all(tty, "\n", 1);
	if (n == 0 || n == line->len)
		return sw_fail(err, SW_EXIT_CANCELLED, -ECANCELED, "no key was typed; nothing was "
								   "changed");
	line->len = n;
	*ret_line = TAKE_PTR(line);
	return 0;
}

static int ask_for_key(const char *label, struct sw_secret **ret_line, struct sw_error *err)
{
	_cleanup_free_ char *question = sw_fmt("Recovery key of %s (it is not shown): ", label);
	_cleanup_close_ int tty = -EBADF;

	if (!question)
		return sw_fail_oom(err);
	if (sw_is_interactive())
		tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
	if (tty < 0) {
		sw_fail(err, SW_EXIT_USAGE, -ENOKEY, "state reseal: where is the recovery key?");
		sw_error_hint(err, "type it at a terminal, or give --key-file FILE or --key-fd N");
		return -ENOKEY;
	}
	return read_hidden(tty, question, ret_line, err);
}

static int read_fd(const char *text, struct sw_secret **ret_key, struct sw_error *err)
{
	char *end;
	long fd = strtol(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || fd > 65535)
		return sw_fail(err, SW_EXIT_USAGE, -EINVAL,
			       "state reseal: --key-fd takes the number of a file descriptor");
	return sw_secret_read_fd((int)fd, "what --key-fd names", SW_LUKS_KEY_FILE_MAX, ret_key,
				 err);
}

static int get_key(const struct sw_cli *cli, const char *label, struct sw_secret **ret_key,
		   struct sw_error *err)
{
	const char *file = sw_arg(&cli->args, OPT_KEY_FILE), *fd = sw_arg(&cli->args, OPT_KEY_FD);
	_cleanup_secret_ struct sw_secret *given = NULL;
	int r;

	/* What libraries keep of the keys in memory of theirs goes into no core dump either. */
	(void)prctl(PR_SET_DUMPABLE, 0);
	if (file)
		r = sw_secret_read(file, SW_LUKS_KEY_FILE_MAX, &given, err);
	else if (fd)
		r = read_fd(fd, &given, err);
	else
		r = ask_for_key(label, &given, err);
	return r < 0 ? r : sw_recovery_passphrase(given, ret_key, err);
}

/* ---- what it is sealed to ---- */

struct aim {
	struct sw_pcr7 pcr7;
	bool later;		/* pcr7 counts; else PCR 7 as it is */
	char letter;		/* the slot whose image it is for, 0: none */
	const char *image;
};

/*
 * A system that was started from a slot has the PCR 7 that the node will have. A stand-in's
 * firmware keeps no log.
 */
static bool wants_present(const struct sw_cli *cli, const struct sw_switch *s)
{
	if (sw_arg(&cli->args, OPT_PRESENT) || s->m->kind != SW_MACHINE_REAL)
		return true;
	return !sw_arg(&cli->args, OPT_IMAGE) && s->have_node && s->road == SW_ROAD_SLOT;
}

static int find_aim(const struct sw_cli *cli, const struct sw_target *t, struct aim *a,
		    struct sw_error *err)
{
	_cleanup_switch_ struct sw_switch s = { .m = t->m, .f = t->f };
	_cleanup_free_ char *log = sw_machine_tpm_log(t->m);
	struct sw_varstore *vars = NULL;
	int r = t->vars ? sw_machine_vars(t->m, &vars, err) : 0;

	if (r == 0 && vars)
		r = sw_switch_open(t->m, t->f, vars, t->vars, sw_arg(&cli->args, 'd'), &s, err);
	if (r < 0)
		return r;
	if (wants_present(cli, &s))
		return sw_shell_may_seal(t->m, err);
	if (!log)
		return sw_fail_oom(err);
	a->later = true;
	a->image = sw_arg(&cli->args, OPT_IMAGE);
	r = sw_reseal_foretell(&s, a->image, log, &a->pcr7, &a->letter, err);
	if (r < 0)
		sw_error_hint(err, "--present seals to PCR 7 as it is under this system: only "
				   "right on the node itself");
	/* That of a restart does not have what a shell's opening added. */
	else if (sw_shell_may_seal(t->m, NULL) < 0)
		sw_tpm_forfeited(a->pcr7.now);
	return r;
}

/* ---- what was done ---- */

static void print_json(const struct aim *a, const struct sw_reseal *w, const struct sw_resealed *d)
{
	_cleanup_json_ json_object *o = json_object_new_object();
	char hex[SW_HEX_TEXT], slot[2] = { a->letter, '\0' };

	sw_json_add_str(o, "disk", w->disk->name);
	sw_json_add_u64(o, "partition", w->part->number);
	sw_json_add_str(o, "label", w->part->label);
	sw_json_add_str(o, "pcr7", sw_hex(d->pcr7, sizeof(d->pcr7), hex));
	if (a->letter)
		sw_json_add_str(o, "slot", slot);
	if (a->image)
		sw_json_add_str(o, "image", a->image);
	sw_json_add_bool(o, "measured", d->measured);
	sw_json_add_bool(o, "tried", !d->later);
	sw_json_add_u64(o, "removed", d->removed);
	sw_json_add_u64(o, "kept", d->kept);
	sw_print_json(o);
}

static void print_text(const struct aim *a, const struct sw_reseal *w, const struct sw_resealed *d)
{
	char hex[SW_HEX_TEXT];

	printf("%s on %s, partition %u, is sealed to PCR 7 %s", w->part->label, w->disk->name,
	       w->part->number, d->later ? "as it will be under " : "as it is");
	if (d->later && a->letter)
		printf("slot %c", a->letter - 'a' + 'A');
	else if (d->later)
		printf("%s", a->image);
	printf(":\n  %s\n", sw_hex(d->pcr7, sizeof(d->pcr7), hex));
	if (d->later)
		printf("Only the node can try it. Older seals that stay until this command has "
		       "run there: %u\n", d->kept);
	else
		printf("The TPM opens it: tried. Older seals removed: %u\n", d->removed);
	if (!d->measured)
		printf("warning: " SW_TPM_NOT_MEASURED "\n");
}

static int run(struct sw_cli *cli, struct sw_error *err)
{
	const char *label = cli->args.n_rest ? cli->args.rest[0] : "state";
	_cleanup_secret_ struct sw_secret *key = NULL;
	_cleanup_target_ struct sw_target t = {};
	struct sw_reseal w = {};
	struct sw_resealed done;
	struct aim a = {};
	int r = sw_cli_needs_disks(cli, "state reseal", err);

	if (r == 0)
		r = sw_target_open(cli, &t, err);
	if (r == 0)
		r = sw_reseal_find(t.f, sw_arg(&cli->args, 'd'), label, &w.disk, &w.part, err);
	if (r == 0)
		r = find_aim(cli, &t, &a, err);
	if (r == 0)
		r = get_key(cli, label, &key, err);
	if (r < 0)
		return r;
	w.m = t.m;
	w.key = key;
	w.pcr7 = a.later ? &a.pcr7 : NULL;
	r = sw_reseal_run(&w, &done, err);
	if (r == 0)
		(cli->json ? print_json : print_text)(&a, &w, &done);
	return r;
}

static const struct sw_opt opts[] = {
	{ OPT_KEY_FILE, "key-file", "FILE", "the recovery key, or the key file (default: typed)" },
	{ OPT_KEY_FD, "key-fd", "N", "the same from this file descriptor" },
	{ OPT_IMAGE, "image", "FILE", "seal for this image, not for that of the slot" },
	{ OPT_PRESENT, "present", NULL, "seal to PCR 7 as it is under this system" },
	{ 'd', "disk", "NAME", "the disk, when several have such a partition" },
	{ 0, NULL, NULL, NULL },
};

const struct sw_command sw_command_state_reseal = {
	.name = "state reseal",
	.summary = "Have the TPM open the encrypted state again, by its recovery key",
	.operands = "[LABEL]",
	.max_rest = 1,
	.opts = opts,
	.details = "After a change of Secure Boot's keys, the firmware or the image's signer.\n"
		   "On the node: seals to PCR 7 as it is, tries that, and removes older seals.\n"
		   "Elsewhere, as on the medium: seals to the PCR 7 that the firmware will give\n"
		   "the slot that starts first (`tpm foretell`); only the node can try that, so\n"
		   "older seals stay until the command has run there. The key stays as it is.",
	.run = run,
};
