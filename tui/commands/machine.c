/* SPDX-License-Identifier: Apache-2.0 */
/* `slipway machine create`: a stand-in machine in a directory, for trying things out. */
#include "machine/machine.h"

#include <string.h>

#include "base/size.h"
#include "tui/commands/list.h"

#define MAX_DISKS 32
#define MIN_DISK ((uint64_t)64 << 20)

enum { OPT_DISK = 'd', OPT_MEDIUM = 'm', OPT_NO_TPM = 300, OPT_FIRMWARE };

static const char *const transports[] = { "nvme", "sata", "usb", "virtio", "sas", NULL };

struct spec {
	struct sw_standin_disk disks[MAX_DISKS];
	char *texts[MAX_DISKS];		/* own the strings that the disks borrow */
	size_t n;
};

static void spec_clear(struct spec *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->texts[i]);
}

static int bad_disk(const char *arg, struct sw_error *err, const char *why)
{
	sw_fail(err, SW_EXIT_USAGE, -EINVAL, "--disk %s", arg);
	sw_error_why(err, "%s", why);
	sw_error_hint(err, "for example --disk serial=NODE07SYS,size=64G,transport=nvme");
	return -EINVAL;
}

static bool known(const char *const *list, const char *word)
{
	for (; *list; list++)
		if (strcmp(*list, word) == 0)
			return true;
	return false;
}

static const char *set_key(struct sw_standin_disk *d, const char *key, const char *value)
{
	uint64_t sector;

	if (strcmp(key, "serial") == 0)
		d->serial = value;
	else if (strcmp(key, "model") == 0)
		d->model = value;
	else if (strcmp(key, "transport") == 0) {
		if (!known(transports, value))
			return "transport is one of nvme, sata, usb, virtio, sas";
		d->transport = value;
	} else if (strcmp(key, "size") == 0) {
		if (sw_size_parse(value, &d->size) < 0 || d->size < MIN_DISK)
			return "size is a number with a unit, at least 64M";
	} else if (strcmp(key, "sector") == 0) {
		if (sw_size_parse(value, &sector) < 0 || (sector != 512 && sector != 4096))
			return "sector is 512 or 4096";
		d->sector = (uint32_t)sector;
	} else
		return "the keys are serial, size, model, transport and sector";
	return NULL;
}

static int add_disk(struct spec *s, const char *arg, struct sw_error *err)
{
	struct sw_standin_disk *d = &s->disks[s->n];
	char *save = NULL;

	if (s->n == MAX_DISKS)
		return bad_disk(arg, err, "too many disks");
	s->texts[s->n] = strdup(arg);
	if (!s->texts[s->n])
		return sw_fail_oom(err);
	s->n++;
	*d = (struct sw_standin_disk){
		.transport = "sata",
		.sector = 512,
		.model = "Stand-in disk",
	};
	for (char *w = strtok_r(s->texts[s->n - 1], ",", &save); w;
	     w = strtok_r(NULL, ",", &save)) {
		char *value = strchr(w, '=');
		const char *why;

		if (!value)
			return bad_disk(arg, err, "every part is key=value");
		*value++ = '\0';
		why = set_key(d, w, value);
		if (why)
			return bad_disk(arg, err, why);
	}
	if (!d->serial || !*d->serial || d->size == 0)
		return bad_disk(arg, err, "serial and size are needed");
	return 0;
}

static bool has_serial(const struct spec *s, const char *serial)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->disks[i].serial, serial) == 0)
			return true;
	return false;
}

static int run(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_(spec_clear) struct spec s = {};
	const char *firmware = sw_arg(&cli->args, OPT_FIRMWARE), *arg;
	struct sw_standin_config c = {
		.medium_serial = sw_arg(&cli->args, OPT_MEDIUM),
		.no_tpm = sw_arg(&cli->args, OPT_NO_TPM) != NULL,
		.bios = firmware && strcmp(firmware, "bios") == 0,
	};
	size_t pos = 0;
	int r;

	if (firmware && strcmp(firmware, "bios") != 0 && strcmp(firmware, "uefi") != 0)
		return sw_fail(err, SW_EXIT_USAGE, -EINVAL, "--firmware is uefi or bios");
	while ((arg = sw_arg_next(&cli->args, OPT_DISK, &pos))) {
		r = add_disk(&s, arg, err);
		if (r < 0)
			return r;
	}
	if (c.medium_serial && !has_serial(&s, c.medium_serial)) {
		sw_fail(err, SW_EXIT_USAGE, -EINVAL, "--medium %s: no disk has this serial",
			c.medium_serial);
		return -EINVAL;
	}
	c.disks = s.disks;
	c.n_disks = s.n;
	r = sw_standin_create(cli->args.rest[0], &c, err);
	if (r == 0 && !cli->json)
		printf("%s: a stand-in machine with %zu disks; use it with "
		       "slipway --machine %s\n", cli->args.rest[0], s.n, cli->args.rest[0]);
	return r;
}

static const struct sw_opt opts[] = {
	{ OPT_DISK, "disk", "KEY=VALUE,...", "a disk: serial, size, model, transport, sector" },
	{ OPT_MEDIUM, "medium", "SERIAL", "the disk that slipway was started from" },
	{ OPT_NO_TPM, "no-tpm", NULL, "without a TPM" },
	{ OPT_FIRMWARE, "firmware", "KIND", "uefi (default) or bios" },
	{ 0, NULL, NULL, NULL },
};

const struct sw_command sw_command_machine_create = {
	.name = "machine create",
	.summary = "Make a stand-in machine: sparse disks, boot variables, TPM state; no root",
	.operands = "DIR",
	.min_rest = 1,
	.max_rest = 1,
	.opts = opts,
	.details = "--disk may be given several times; transport is nvme, sata, usb, virtio\n"
		   "or sas, sector 512 or 4096.",
	.run = run,
};
