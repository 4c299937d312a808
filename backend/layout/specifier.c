/* SPDX-License-Identifier: Apache-2.0 */
#include "layout/specifier.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "base/file.h"

#define OS_RELEASE_MAX ((size_t)64 << 10)

static const struct specifier {
	char c;
	size_t offset;		/* of its text in struct sw_layout_machine */
	const char *os_release;	/* its key in os-release(5): then a missing one is empty */
} specifiers[] = {
	{ 'a', offsetof(struct sw_layout_machine, architecture), NULL },
	{ 'A', offsetof(struct sw_layout_machine, image_version), "IMAGE_VERSION" },
	{ 'b', offsetof(struct sw_layout_machine, boot_id), NULL },
	{ 'B', offsetof(struct sw_layout_machine, build_id), "BUILD_ID" },
	{ 'H', offsetof(struct sw_layout_machine, hostname), NULL },
	{ 'l', offsetof(struct sw_layout_machine, short_hostname), NULL },
	{ 'm', offsetof(struct sw_layout_machine, machine_id), NULL },
	{ 'M', offsetof(struct sw_layout_machine, image_id), "IMAGE_ID" },
	{ 'o', offsetof(struct sw_layout_machine, os_id), "ID" },
	{ 'T', offsetof(struct sw_layout_machine, tmp), NULL },
	{ 'v', offsetof(struct sw_layout_machine, kernel), NULL },
	{ 'V', offsetof(struct sw_layout_machine, var_tmp), NULL },
	{ 'w', offsetof(struct sw_layout_machine, version_id), "VERSION_ID" },
	{ 'W', offsetof(struct sw_layout_machine, variant_id), "VARIANT_ID" },
};

static char **field(struct sw_layout_machine *m, const struct specifier *s)
{
	return (char **)((char *)m + s->offset);
}

void sw_layout_machine_clear(struct sw_layout_machine *m)
{
	for (size_t i = 0; i < ARRAY_SIZE(specifiers); i++)
		free(*field(m, &specifiers[i]));
	*m = (struct sw_layout_machine){};
}

static int expand_one(char c, const struct sw_layout_machine *m, struct sw_buf *b)
{
	for (size_t i = 0; i < ARRAY_SIZE(specifiers); i++) {
		const char *text;

		if (specifiers[i].c != c)
			continue;
		text = m ? *(char *const *)((const char *)m + specifiers[i].offset) : NULL;
		if (!text && (!m || !specifiers[i].os_release))
			return -ENODATA;
		return sw_buf_adds(b, text ? text : "");
	}
	return -EINVAL;
}

int sw_specifier_expand(const char *text, const struct sw_layout_machine *m, char **ret_text,
			char *ret_which)
{
	_cleanup_buf_ struct sw_buf b = { .max = 4096 };
	int r = sw_buf_reserve(&b, 1);

	for (const char *p = text; r >= 0 && *p; p++) {
		if (*p != '%') {
			r = sw_buf_add(&b, p, 1);
			continue;
		}
		*ret_which = *++p;
		r = *p == '%' ? sw_buf_adds(&b, "%") : expand_one(*p, m, &b);
		if (!*p)
			return -EINVAL;
	}
	if (r < 0)
		return r;
	*ret_text = sw_buf_steal(&b);
	return *ret_text ? 0 : -ENOMEM;
}

/* ---- the facts of this machine ---- */

/* KEY=value, or KEY="value": os-release(5). NULL when it is not there. */
static char *os_release_value(const char *text, const char *key)
{
	size_t n = strlen(key);

	for (const char *l = text; l; l = strchr(l, '\n') ? strchr(l, '\n') + 1 : NULL) {
		const char *v = l + n + 1;
		size_t len;

		if (strncmp(l, key, n) != 0 || l[n] != '=')
			continue;
		if (*v == '"' || *v == '\'') {
			const char *end = strchr(v + 1, *v);

			return end ? strndup(v + 1, (size_t)(end - v - 1)) : NULL;
		}
		len = strcspn(v, " \t\r\n");
		return strndup(v, len);
	}
	return NULL;
}

static char *first_env(const char *fallback)
{
	static const char *const names[] = { "TMPDIR", "TEMP", "TMP" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *v = getenv(names[i]);
		struct stat st;

		if (v && v[0] == '/' && stat(v, &st) == 0 && S_ISDIR(st.st_mode))
			return strdup(v);
	}
	return strdup(fallback);
}

/* Ids are shown as 32 hex digits. */
static char *read_id(const char *path)
{
	char *line = NULL, *to;

	if (sw_file_read_line(path, &line) < 0)
		return NULL;
	to = line;
	for (const char *p = line; *p; p++)
		if (*p != '-')
			*to++ = *p;
	*to = '\0';
	return line;
}

void sw_layout_machine_read(struct sw_layout_machine *m)
{
	_cleanup_buf_ struct sw_buf os = { .max = OS_RELEASE_MAX };
	struct utsname u;

	*m = (struct sw_layout_machine){};
	if (sw_file_read("/etc/os-release", &os) < 0)
		(void)sw_file_read("/usr/lib/os-release", &os);
	for (size_t i = 0; i < ARRAY_SIZE(specifiers); i++)
		if (specifiers[i].os_release)
			*field(m, &specifiers[i]) =
				os_release_value(sw_buf_text(&os), specifiers[i].os_release);
	m->machine_id = read_id("/etc/machine-id");
	m->boot_id = read_id("/proc/sys/kernel/random/boot_id");
	m->tmp = first_env("/tmp");
	m->var_tmp = first_env("/var/tmp");
	m->architecture = strdup(sw_layout_architecture());
	if (uname(&u) < 0)
		return;
	m->kernel = strdup(u.release);
	m->hostname = strdup(u.nodename);
	u.nodename[strcspn(u.nodename, ".")] = '\0';
	m->short_hostname = strdup(u.nodename);
}
