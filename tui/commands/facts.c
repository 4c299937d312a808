/* SPDX-License-Identifier: Apache-2.0 */
/* `slipway facts`: what this machine is. */
#include "base/size.h"
#include "disk/disk.h"
#include "disk/health.h"
#include "tui/commands/common.h"
#include "tui/commands/list.h"

static const char *or_dash(const char *s)
{
	return s && s[0] ? s : "-";
}

static void print_machine(const struct sw_facts *f)
{
	char size[16];

	printf("machine   %s: %s %s, serial %s\n", or_dash(f->machine_name), or_dash(f->vendor),
	       or_dash(f->product), or_dash(f->serial));
	printf("memory    %s\n", sw_size_format(f->memory, size, sizeof(size)));
	if (f->firmware == SW_FIRMWARE_UEFI)
		printf("firmware  UEFI, Secure Boot %s%s, boot variables %s\n",
		       f->secure_boot ? "on" : "off", f->setup_mode ? " (setup mode)" : "",
		       !f->boot.supported ? "not accessible" :
		       f->boot.writable ? "writable" : "read-only");
	else
		printf("firmware  BIOS\n");
	if (f->tpm_present)
		printf("tpm       %s, %s\n", or_dash(f->tpm_version), or_dash(f->tpm_vendor));
	else
		printf("tpm       none\n");
}

static void print_disks(const struct sw_facts *f)
{
	char size[16];

	for (size_t i = 0; i < f->n_disks; i++) {
		const struct sw_disk *d = &f->disks[i];
		_cleanup_free_ char *on_it = sw_disk_describe(d), *health = sw_health_words(d);

		printf("disk      %s: %s, %s, serial %s, %s\n", d->name,
		       sw_size_format(d->size, size, sizeof(size)), or_dash(d->model),
		       or_dash(d->serial), or_dash(d->transport));
		if (d->medium)
			printf("          slipway was started from it\n");
		if (on_it && on_it[0])
			printf("          %s\n", on_it);
		if (health && health[0])
			printf("          health: %s\n", health);
		for (size_t k = 0; d->uses && d->uses[k]; k++)
			printf("          %s\n", d->uses[k]);
	}
}

static void print_links(const struct sw_facts *f)
{
	for (size_t i = 0; i < f->n_links; i++) {
		const struct sw_link *l = &f->links[i];

		printf("link      %s: %s, %s, %s", l->name, or_dash(l->mac), or_dash(l->driver),
		       l->carrier ? "carrier" : "no carrier");
		for (size_t k = 0; l->addresses && l->addresses[k]; k++)
			printf("%s%s", k ? " " : ", ", l->addresses[k]);
		printf("\n");
	}
}

static int run(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_target_ struct sw_target t = {};
	int r = sw_target_open(cli, &t, err);

	if (r < 0)
		return r;
	if (cli->json) {
		_cleanup_json_ json_object *o = sw_target_to_json(&t);

		sw_print_json(o);
		return 0;
	}
	print_machine(t.f);
	print_disks(t.f);
	print_links(t.f);
	for (size_t i = 0; i < t.f->boot.n_entries; i++)
		printf("boot      Boot%04X %s%s\n", t.f->boot.entries[i].number,
		       or_dash(t.f->boot.entries[i].label),
		       t.f->boot.entries[i].number == t.f->boot.current ? " (current)" : "");
	return 0;
}

const struct sw_command sw_command_facts = {
	.name = "facts",
	.summary = "Show what this machine is: disks, firmware, boot entries, TPM, links",
	.operands = "",
	.details = "Reads only. `slipway facts --json > node.json` on one machine and\n"
		   "`slipway plan --facts node.json --answers FILE` on another give the plan\n"
		   "that the first would make.",
	.run = run,
};
