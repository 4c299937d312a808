/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manifest of a slot: KEY=value lines, so that it can be read on any machine
 * with any tool. Unknown keys are passed over; a line break cannot get into a
 * value, since it would forge the next key.
 */
#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/hash.h"
#include "boot/slot.h"

#define FORMAT "1"

static int add_line(struct sw_buf *b, const char *key, const char *value)
{
	int r = sw_buf_addf(b, "%s=", key);

	for (const char *p = value ? value : ""; r == 0 && *p; p++)
		r = sw_buf_add(b, (unsigned char)*p < 0x20 || *p == 0x7f ? " " : p, 1);
	return r < 0 ? r : sw_buf_adds(b, "\n");
}

char *sw_slot_manifest_text(const struct sw_slot_manifest *m)
{
	_cleanup_buf_ struct sw_buf b = {};

	if (sw_buf_addf(&b, "SLIPWAY_SLOT=" FORMAT "\nSEQUENCE=%" PRIu64 "\n", m->sequence) < 0 ||
	    add_line(&b, "BUILD_ID", m->build_id) < 0 || add_line(&b, "SHA256", m->sha256) < 0 ||
	    add_line(&b, "SOURCE", m->source) < 0 || add_line(&b, "REASON", m->reason) < 0 ||
	    sw_buf_addf(&b, "TIME=%" PRId64 "\n", m->time) < 0 ||
	    (m->version && *m->version && add_line(&b, "VERSION", m->version) < 0) ||
	    (m->overlay[0] && add_line(&b, "OVERLAY_SHA256", m->overlay) < 0))
		return NULL;
	return sw_buf_steal(&b);
}

static int number(const char *text, uint64_t max, uint64_t *ret_value)
{
	uint64_t v;
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	v = strtoull(text, &end, 10);
	if (errno != 0 || *end || v > max)
		return -EINVAL;
	*ret_value = v;
	return 0;
}

static int replace(char **slot, const char *value)
{
	char *s = strdup(value);

	if (!s)
		return -ENOMEM;
	free(*slot);
	*slot = s;
	return 0;
}

static int hash(char out[static 65], const char *value)
{
	if (!sw_sha256_is_hex(value))
		return -EINVAL;
	memcpy(out, value, 65);
	return 0;
}

static int take(struct sw_slot_manifest *m, const char *key, const char *value, bool *have_format)
{
	uint64_t v;
	int r = 0;

	if (strcmp(key, "SLIPWAY_SLOT") == 0) {
		*have_format = true;
		return strcmp(value, FORMAT) == 0 ? 0 : -EINVAL;
	}
	if (strcmp(key, "SEQUENCE") == 0)
		return number(value, UINT64_MAX, &m->sequence);
	if (strcmp(key, "BUILD_ID") == 0)
		return replace(&m->build_id, value);
	if (strcmp(key, "SOURCE") == 0)
		return replace(&m->source, value);
	if (strcmp(key, "REASON") == 0)
		return replace(&m->reason, value);
	if (strcmp(key, "TIME") == 0) {
		r = number(value, INT64_MAX, &v);
		if (r == 0)
			m->time = (int64_t)v;
		return r;
	}
	if (strcmp(key, "VERSION") == 0)
		return replace(&m->version, value);
	if (strcmp(key, "SHA256") == 0)
		return hash(m->sha256, value);
	return strcmp(key, "OVERLAY_SHA256") == 0 ? hash(m->overlay, value) : 0;
}

int sw_slot_manifest_parse(const char *text, size_t len, struct sw_slot_manifest *ret_manifest)
{
	_cleanup_(sw_slot_manifest_clear) struct sw_slot_manifest m = {};
	_cleanup_free_ char *copy = strndup(text, len);
	char *save = NULL;
	bool have_format = false;

	if (!copy)
		return -ENOMEM;
	if (strlen(copy) != len)
		return -EINVAL;
	for (char *l = strtok_r(copy, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		char *eq = strchr(l, '=');
		int r;

		if (!eq)
			return -EINVAL;
		*eq = '\0';
		r = take(&m, l, eq + 1, &have_format);
		if (r < 0)
			return r;
	}
	if (!have_format || !m.sha256[0])
		return -EINVAL;
	*ret_manifest = m;
	m = (struct sw_slot_manifest){};
	return 0;
}

void sw_slot_manifest_clear(struct sw_slot_manifest *m)
{
	free(m->build_id);
	free(m->version);
	free(m->source);
	free(m->reason);
	*m = (struct sw_slot_manifest){};
}
