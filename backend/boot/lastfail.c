/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/lastfail.h"

#include <ctype.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "boot/modes.h"

void sw_failure_code(const char *step, const struct sw_error *err,
		     char ret_code[static SW_FAILURE_CODE])
{
	const char *name = strerrorname_np(-err->r);
	size_t n = (size_t)snprintf(ret_code, SW_FAILURE_CODE, "%.20s", step);

	for (char *p = ret_code; *p; p++)
		*p = *p == '-' ? '_' : (char)toupper((unsigned char)*p);
	(void)snprintf(ret_code + n, SW_FAILURE_CODE - n, "-%d-%s", (int)err->exit,
		       name && err->r ? name : "UNKNOWN");
}

json_object *sw_lastfail_to_json(const struct sw_lastfail *f)
{
	json_object *o = json_object_new_object();

	sw_json_add_str(o, "code", f->code);
	json_object_object_add(o, "time", json_object_new_int64(f->time));
	sw_json_add_u64(o, "step", f->step);
	sw_json_add_u64(o, "steps", f->steps);
	sw_json_add_str(o, "host", f->host);
	sw_json_add_str(o, "text", f->text);
	return o;
}

/* The bytes of the variable; malloc'd. */
static char *compact(const struct sw_lastfail *f)
{
	_cleanup_json_ json_object *o = sw_lastfail_to_json(f);
	const char *text;

	json_object_object_add(o, "slipway_failure", json_object_new_int(1));
	text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
						 JSON_C_TO_STRING_NOSLASHESCAPE);
	return text ? strdup(text) : NULL;
}

static void cut_text(char *text)
{
	size_t n = strlen(text);

	n = n > 16 ? n - 16 : 0;
	while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
		n--;
	text[n] = '\0';
}

int sw_lastfail_write(struct sw_varstore *vars, const struct sw_lastfail *f)
{
	struct sw_lastfail shorter = *f;

	for (;;) {
		_cleanup_free_ char *text = compact(&shorter);

		if (!text)
			return -ENOMEM;
		if (strlen(text) <= SW_LASTFAIL_MAX)
			return sw_var_set(vars, &sw_guid_slipway, SW_FAILURE_VARIABLE, text,
					  strlen(text), SW_VAR_NV_BS_RT);
		if (!shorter.text[0])
			return -E2BIG;
		cut_text(shorter.text);
	}
}

static void take(json_object *o, const char *key, char *to, size_t size)
{
	(void)snprintf(to, size, "%s", sw_json_str(o, key, ""));
	(void)sw_text_clean(to);
}

int sw_lastfail_parse(const void *data, size_t len, struct sw_lastfail *ret_f)
{
	_cleanup_json_ json_object *o = NULL;
	struct sw_lastfail f = {};

	if (len > SW_LASTFAIL_MAX ||
	    sw_json_parse(data, len, SW_FAILURE_VARIABLE, &o, NULL) < 0 ||
	    sw_json_int(o, "slipway_failure", 0) != 1)
		return -EBADMSG;
	take(o, "code", f.code, sizeof(f.code));
	take(o, "host", f.host, sizeof(f.host));
	take(o, "text", f.text, sizeof(f.text));
	f.time = sw_json_int(o, "time", 0);
	f.step = (unsigned int)sw_json_int(o, "step", 0);
	f.steps = (unsigned int)sw_json_int(o, "steps", 0);
	*ret_f = f;
	return 0;
}

int sw_lastfail_read(struct sw_varstore *vars, struct sw_lastfail *ret_f)
{
	_cleanup_free_ uint8_t *d = NULL;
	uint32_t attrs;
	size_t n;
	int r = sw_var_get(vars, &sw_guid_slipway, SW_FAILURE_VARIABLE, &d, &n, &attrs);

	return r < 0 ? r : sw_lastfail_parse(d, n, ret_f);
}

int sw_lastfail_clear(struct sw_varstore *vars)
{
	int r = sw_var_del(vars, &sw_guid_slipway, SW_FAILURE_VARIABLE);

	return r == -ENOENT ? 0 : r;
}

char *sw_lastfail_text(const struct sw_lastfail *f)
{
	char when[SW_TIME_TEXT];
	_cleanup_free_ char *at = f->step ? sw_fmt(" at step %u of %u", f->step, f->steps)
					  : strdup("");

	return at ? sw_fmt("%s%s%s%s, %s: %s", f->code, at, f->host[0] ? ", " : "", f->host,
			   sw_time_text(f->time, when), f->text) : NULL;
}
