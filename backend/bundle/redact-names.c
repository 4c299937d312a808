/* SPDX-License-Identifier: Apache-2.0 */
/* What tells this machine from another, out of its facts. */
#include <string.h>

#include "bundle/redact.h"

#define SHORTEST 4	/* characters: less would take half of every log along */

static int add(struct sw_redact *r, const char *kind, const char *text)
{
	struct sw_redact_name *bigger;
	unsigned int n = 1;

	if (!text || strlen(text) < SHORTEST)
		return 0;
	for (size_t i = 0; i < r->n_names; i++) {
		if (strcasecmp(r->names[i].text, text) == 0)
			return 0;
		if (strncmp(r->names[i].instead, kind, strlen(kind)) == 0)
			n++;
	}
	bigger = reallocarray(r->names, r->n_names + 1, sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	r->names = bigger;
	bigger += r->n_names;
	bigger->text = strdup(text);
	if (!bigger->text)
		return -ENOMEM;
	(void)snprintf(bigger->instead, sizeof(bigger->instead), "%s-%u", kind, n);
	r->n_names++;
	return 0;
}

static int add_disk(struct sw_redact *r, const struct sw_disk *d)
{
	int ret = add(r, "serial", d->serial);

	return ret < 0 ? ret : add(r, "wwn", d->wwn);
}

static int add_link(struct sw_redact *r, const struct sw_link *l)
{
	int ret = add(r, "mac", l->mac);

	for (size_t i = 0; ret == 0 && l->addresses && l->addresses[i]; i++) {
		_cleanup_free_ char *bare = strndup(l->addresses[i],
						    strcspn(l->addresses[i], "/"));

		ret = bare ? add(r, "address", bare) : -ENOMEM;
	}
	return ret;
}

/* As boot entries and firmware logs have it: without colons. */
static int add_bare_mac(struct sw_redact *r, const struct sw_link *l)
{
	char bare[32] = "";
	size_t n = 0;

	for (const char *p = l->mac; p && *p && n + 1 < sizeof(bare); p++)
		if (*p != ':')
			bare[n++] = *p;
	return add(r, "mac", bare);
}

/* The longest first, so that none is found inside of another. */
static int by_length(const void *a, const void *b)
{
	size_t la = strlen(((const struct sw_redact_name *)a)->text);
	size_t lb = strlen(((const struct sw_redact_name *)b)->text);

	return la == lb ? 0 : la > lb ? -1 : 1;
}

int sw_redact_new(const struct sw_facts *f, struct sw_redact *ret)
{
	int r;

	*ret = (struct sw_redact){};
	if (!f)
		return 0;
	r = add(ret, "host", f->machine_name);
	if (r == 0)
		r = add(ret, "serial", f->serial);
	if (r == 0)
		r = add(ret, "uuid", f->uuid);
	for (size_t i = 0; r == 0 && i < f->n_disks; i++)
		r = add_disk(ret, &f->disks[i]);
	for (size_t i = 0; r == 0 && i < f->n_links; i++) {
		r = add_link(ret, &f->links[i]);
		if (r == 0)
			r = add_bare_mac(ret, &f->links[i]);
	}
	if (r < 0)
		sw_redact_clear(ret);
	else if (ret->n_names)
		qsort(ret->names, ret->n_names, sizeof(*ret->names), by_length);
	return r;
}

void sw_redact_clear(struct sw_redact *r)
{
	for (size_t i = 0; i < r->n_names; i++)
		free(r->names[i].text);
	free(r->names);
	*r = (struct sw_redact){};
}
