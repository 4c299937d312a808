/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/measured.h"

#include <endian.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "boot/devpath.h"
#include "boot/loadopt.h"
#include "boot/utf16.h"

#define TEXT_MAX 160U		/* characters of a boot loader's text that are shown */
#define GPT_ENTRY_MIN 128U

static char *by_length(const struct sw_log_event *e)
{
	return e->len ? sw_fmt("%zu bytes", e->len) : strdup("");
}

/* Text of one line, cut at TEXT_MAX; takes the string. */
static char *one_line(char *text)
{
	if (!text)
		return NULL;
	if (strlen(text) > TEXT_MAX)
		(void)snprintf(text + TEXT_MAX - 3, 4, "...");
	return sw_text_clean(text);
}

static bool looks_like_utf16(const uint8_t *p, size_t len)
{
	return len >= 4 && len % 2 == 0 && p[0] >= 0x20 && p[1] == 0 && p[3] == 0;
}

static bool looks_like_text(const uint8_t *p, size_t len)
{
	size_t n = strnlen((const char *)p, len);

	for (size_t i = 0; i < n; i++)
		if ((p[i] < 0x20 && p[i] != '\n' && p[i] != '\t') || p[i] == 0x7f)
			return false;
	return n > 0 && len - n <= 1;
}

static char *describe_text(const struct sw_log_event *e)
{
	if (looks_like_utf16(e->data, e->len))
		return one_line(sw_utf16_to_utf8(e->data, e->len));
	if (looks_like_text(e->data, e->len))
		return one_line(strndup((const char *)e->data, e->len));
	return by_length(e);
}

/* 0: the firmware hands over; all ones or any other value: it failed before. */
static char *describe_separator(const struct sw_log_event *e)
{
	static const uint8_t zero[4], ones[4] = { 0xff, 0xff, 0xff, 0xff };

	if (e->len == 4 && memcmp(e->data, zero, 4) == 0)
		return strdup("end of the firmware's part");
	if (e->len == 4 && memcmp(e->data, ones, 4) == 0)
		return strdup("end of the firmware's part");
	return e->len == 4 ? strdup("the firmware met an error") : by_length(e);
}

/* The value of a variable where a few words say it all. */
static char *variable_value(const char *name, const uint8_t *data, size_t len)
{
	_cleanup_loadopt_ struct sw_loadopt o = {};
	bool option = strncmp(name, "Boot", 4) == 0 && strlen(name) == 8;

	if (len == 1)
		return sw_fmt("%s = %u", name, data[0]);
	if (option && sw_loadopt_parse(data, len, &o) == 0)
		return sw_fmt("%s \"%s\"", name, o.label);
	return len ? sw_fmt("%s, %zu bytes", name, len) : sw_fmt("%s, not set", name);
}

static char *describe_variable(const struct sw_log_event *e)
{
	_cleanup_free_ char *name = NULL;
	struct sw_log_variable v;

	if (!sw_log_variable(e, &v))
		return by_length(e);
	name = sw_utf16_to_utf8(v.name, v.name_len);
	if (!name)
		return NULL;
	return one_line(variable_value(name, v.value, v.len));
}

/* UEFI_IMAGE_LOAD_EVENT: address, size, link address, bytes of the device path, path. */
static char *describe_image(const struct sw_log_event *e)
{
	_cleanup_free_ char *path = NULL;
	uint64_t len;
	int r;

	if (e->len < 32)
		return by_length(e);
	len = sw_le64(e->data + 24);
	if (len > e->len - 32)
		return by_length(e);
	r = len ? sw_devpath_text(e->data + 32, (size_t)len, &path) : -EINVAL;
	if (r == -ENOMEM)
		return NULL;
	return r < 0 ? by_length(e) : one_line(TAKE_PTR(path));
}

/* UEFI_GPT_DATA: the header's 92 bytes, the number of partitions, their entries. */
static char *describe_gpt(const struct sw_log_event *e)
{
	uint64_t n;

	if (e->len < 100 || memcmp(e->data, "EFI PART", 8) != 0)
		return by_length(e);
	n = sw_le64(e->data + 92);
	if (n > (e->len - 100) / GPT_ENTRY_MIN)
		return by_length(e);
	return sw_fmt("partition table, %llu partitions", (unsigned long long)n);
}

/* Tag and length, then what the tagger wrote: systemd-stub puts UTF-16 text there. */
static char *describe_tag(const struct sw_log_event *e)
{
	struct sw_log_event inner = *e;
	_cleanup_free_ char *text = NULL;
	uint32_t tag;

	if (e->len < 8)
		return by_length(e);
	memcpy(&tag, e->data, sizeof(tag));
	inner.data += 8;
	inner.len -= 8;
	text = describe_text(&inner);
	return text ? one_line(sw_fmt("tag %08x: %s", le32toh(tag), text)) : NULL;
}

/* It extends nothing, but says something: 16 characters of name, and then the value. */
static char *describe_note(const struct sw_log_event *e)
{
	char name[17] = {};

	if (e->len < 16)
		return by_length(e);
	memcpy(name, e->data, 16);
	if (strcmp(name, "StartupLocality") == 0 && e->len == 17)
		return sw_fmt("the TPM was started at locality %u", e->data[16]);
	return one_line(strdup(name));
}

char *sw_event_describe(const struct sw_log_event *e)
{
	switch (e->type) {
	case SW_EV_NO_ACTION:
		return describe_note(e);
	case SW_EV_SEPARATOR:
		return describe_separator(e);
	case SW_EV_EVENT_TAG:
		return describe_tag(e);
	case SW_EV_EFI_VARIABLE_DRIVER_CONFIG:
	case SW_EV_EFI_VARIABLE_BOOT:
	case SW_EV_EFI_VARIABLE_BOOT2:
	case SW_EV_EFI_VARIABLE_AUTHORITY:
		return describe_variable(e);
	case SW_EV_EFI_BOOT_SERVICES_APPLICATION:
	case SW_EV_EFI_BOOT_SERVICES_DRIVER:
	case SW_EV_EFI_RUNTIME_SERVICES_DRIVER:
		return describe_image(e);
	case SW_EV_EFI_GPT_EVENT:
		return describe_gpt(e);
	default:
		return describe_text(e);
	}
}
