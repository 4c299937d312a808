/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/facts.h"

#include <string.h>

#include "base/strv.h"

struct sw_facts *sw_facts_new(void)
{
	struct sw_facts *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->boot.current = -1;
	f->boot.next = -1;
	f->firmware = SW_FIRMWARE_BIOS;
	return f;
}

static void link_clear(struct sw_link *l)
{
	free(l->name);
	free(l->mac);
	free(l->driver);
	sw_strv_free(l->addresses);
}

const struct sw_disk *sw_facts_disk(const struct sw_facts *f, const char *name)
{
	for (size_t i = 0; i < f->n_disks; i++)
		if (strcmp(f->disks[i].name, name) == 0)
			return &f->disks[i];
	return NULL;
}

struct sw_facts *sw_facts_free(struct sw_facts *f)
{
	if (!f)
		return NULL;
	for (size_t i = 0; i < f->n_disks; i++)
		sw_disk_clear(&f->disks[i]);
	for (size_t i = 0; i < f->n_links; i++)
		link_clear(&f->links[i]);
	sw_bootvars_clear(&f->boot);
	free(f->disks);
	free(f->links);
	free(f->machine_name);
	free(f->vendor);
	free(f->product);
	free(f->serial);
	free(f->uuid);
	free(f->tpm_version);
	free(f->tpm_vendor);
	free(f->boot_id);
	free(f->no_kexec);
	sw_strv_free(f->notes);
	free(f);
	return NULL;
}
