/* SPDX-License-Identifier: Apache-2.0 */
/* Each secret that the node is given has a name of its own and comes from one place. */
#include <string.h>

#include "answers/validate-private.h"

#define ONE_PLACE "give one of file, credential and sealed"

static void report(struct sw_check *c, size_t i, const char *word, const char *what,
		   const char *why, const char *hint)
{
	sw_broken_item(c, SW_HOME_SECRET, i, word, what, why, hint);
}

static void check_places(struct sw_check *c, size_t i, const struct sw_site_secret *s)
{
	const bool more = s->file && (s->credential || s->sealed);

	if (more || (s->credential && s->sealed))
		report(c, i, s->sealed ? "sealed" : "credential", "does not go with another place",
		       "a secret comes from one place", ONE_PLACE);
	else if (!s->file && !s->credential && !s->sealed)
		report(c, i, "file", "is missing", "nothing says where the secret is", ONE_PLACE);
}

static void check_name(struct sw_check *c, size_t i, const struct sw_site_secret *s)
{
	if (!s->name)
		report(c, i, "name", "is missing", "a secret is asked for by its name",
		       "give it a name such as registry.password");
	for (size_t k = 0; s->name && k < i; k++)
		if (c->a->site_secrets[k].name && !strcmp(c->a->site_secrets[k].name, s->name))
			report(c, i, "name", "stands twice", "a node has one secret of a name",
			       "take one of both out, or give it another name");
}

void sw_check_secrets(struct sw_check *c)
{
	/* What is asked may be any of them. */
	if (sw_answers_has_open(c->a, "secrets"))
		return;
	for (size_t i = 0; i < c->a->n_site_secrets; i++) {
		const struct sw_site_secret *s = &c->a->site_secrets[i];

		if (c->a->n_site_secrets == 1 && !s->name && !s->file && !s->credential &&
		    !s->sealed)
			return;
		check_name(c, i, s);
		check_places(c, i, s);
	}
}
