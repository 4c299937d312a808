/* SPDX-License-Identifier: Apache-2.0 */
#include "base/catalogue.h"

#include <libintl.h>
#include <locale.h>
#include <stdbool.h>
#include <stddef.h>

#define DOMAIN "slipway"

#ifndef SW_LOCALE_DIR
#define SW_LOCALE_DIR "/usr/share/locale"
#endif

static bool bound;
static const char *(*replaced)(const char *text);

void sw_catalogue_open(const char *dir)
{
	setlocale(LC_MESSAGES, "");
	bindtextdomain(DOMAIN, dir ? dir : SW_LOCALE_DIR);
	bind_textdomain_codeset(DOMAIN, "UTF-8");
	/* The empty text is a catalogue's header. */
	bound = *dgettext(DOMAIN, "") != '\0';
	if (!bound)
		setlocale(LC_MESSAGES, "C");
}

const char *sw_tr(const char *text)
{
	/* The empty text means the header there. */
	if (!text || !*text)
		return text;
	if (replaced)
		return replaced(text);
	return bound ? dgettext(DOMAIN, text) : text;
}

const char *sw_tr_n(const char *one, const char *many, unsigned long n)
{
	if (replaced)
		return replaced(n == 1 ? one : many);
	return bound ? dngettext(DOMAIN, one, many, n) : n == 1 ? one : many;
}

void sw_catalogue_replace(const char *(*lookup)(const char *text))
{
	replaced = lookup;
}
