/* SPDX-License-Identifier: Apache-2.0 */
#include "disk/health.h"

#include <string.h>

#include "base/file.h"
#include "base/json.h"

#define TEXT_ENOUGH 200U

struct verdict {
	enum sw_health health;
	struct sw_buf words;
	int r;
};

/* number: put before the text unless 0. What is past one line of words adds nothing to it. */
static void say(struct verdict *v, enum sw_health h, uint64_t number, const char *text)
{
	if (h > v->health)
		v->health = h;
	if (v->r < 0 || v->words.len > TEXT_ENOUGH)
		return;
	if (v->words.len)
		v->r = sw_buf_adds(&v->words, ", ");
	if (v->r == 0 && number)
		v->r = sw_buf_addf(&v->words, "%llu ", (unsigned long long)number);
	if (v->r == 0)
		v->r = sw_buf_adds(&v->words, text);
}

static json_object *object(json_object *o, const char *key)
{
	json_object *v = json_object_is_type(o, json_type_object) ? sw_json_get(o, key) : NULL;

	return json_object_is_type(v, json_type_object) ? v : NULL;
}

static bool has_number(json_object *o, const char *key)
{
	return json_object_is_type(sw_json_get(o, key), json_type_int);
}

/*
 * smartctl calls the test of an NVMe disk failed for every bit of the critical warning, but some
 * say only that it is hot: the bits decide.
 */
static void judge_warning(uint64_t critical, struct verdict *v)
{
	static const struct {
		enum sw_health health;
		const char *text;
	} bits[] = {
		{ SW_HEALTH_FAILING, "hardly any spare blocks are left" },
		{ SW_HEALTH_WORN, "it is too hot or too cold" },
		{ SW_HEALTH_FAILING, "its reliability is degraded" },
		{ SW_HEALTH_FAILING, "it has made itself read-only" },
		{ SW_HEALTH_FAILING, "the backup of its volatile memory has failed" },
		{ SW_HEALTH_WORN, "its persistent memory has become read-only or unreliable" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bits); i++)
		if (critical & (1ULL << i))
			say(v, bits[i].health, 0, bits[i].text);
	if (critical >> ARRAY_SIZE(bits))
		say(v, SW_HEALTH_WORN, 0, "it gives a warning that slipway does not know");
}

static void judge_nvme(json_object *log, struct verdict *v)
{
	uint64_t critical = sw_json_u64(log, "critical_warning", 0);
	uint64_t spare = sw_json_u64(log, "available_spare", UINT64_MAX);
	uint64_t used = sw_json_u64(log, "percentage_used", 0);
	uint64_t errors = sw_json_u64(log, "media_errors", 0);

	judge_warning(critical, v);
	if (!(critical & 1) && spare < sw_json_u64(log, "available_spare_threshold", 0))
		say(v, SW_HEALTH_FAILING, 0, "fewer spare blocks are left than it needs");
	if (used >= 100)
		say(v, SW_HEALTH_WORN, used, "percent of its rated life are used");
	if (errors)
		say(v, SW_HEALTH_WORN, errors, "media errors");
}

/* Raw counts past 32 bits are several numbers in one, which only their vendor can take apart. */
static void judge_ata(json_object *attributes, struct verdict *v)
{
	static const struct {
		uint64_t id;
		const char *text;
	} counts[] = {
		{ 5, "sectors were replaced" },
		{ 197, "sectors wait to be replaced" },
		{ 198, "sectors cannot be read" },
	};
	json_object *table = sw_json_array(attributes, "table");

	for (size_t i = 0; table && i < json_object_array_length(table); i++) {
		json_object *a = json_object_array_get_idx(table, i), *raw = object(a, "raw");
		uint64_t value = raw ? sw_json_u64(raw, "value", 0) : 0;

		for (size_t k = 0; value && value <= UINT32_MAX && k < ARRAY_SIZE(counts); k++)
			if (sw_json_u64(a, "id", 0) == counts[k].id)
				say(v, SW_HEALTH_WORN, value, counts[k].text);
	}
}

static void judge(json_object *o, struct verdict *v)
{
	json_object *status = object(o, "smart_status");
	json_object *nvme = object(o, "nvme_smart_health_information_log");
	json_object *ata = object(o, "ata_smart_attributes");
	json_object *passed = status ? sw_json_get(status, "passed") : NULL;

	if (nvme && has_number(nvme, "critical_warning")) {
		v->health = SW_HEALTH_GOOD;
	} else if (json_object_is_type(passed, json_type_boolean)) {
		if (json_object_get_boolean(passed))
			v->health = SW_HEALTH_GOOD;
		else
			say(v, SW_HEALTH_FAILING, 0, "its own check expects it to fail soon");
	}
	if (nvme)
		judge_nvme(nvme, v);
	if (ata)
		judge_ata(ata, v);
}

int sw_health_parse(const char *text, size_t len, enum sw_health *ret_health, char **ret_text)
{
	_cleanup_json_ json_object *o = NULL;
	struct verdict v = { .health = SW_HEALTH_UNKNOWN };
	int r;

	if (len > SW_HEALTH_JSON_MAX)
		return -EFBIG;
	r = sw_json_parse(text, len, "smartctl", &o, NULL);
	if (r < 0)
		return r == -ENOMEM ? r : -EINVAL;
	if (!json_object_is_type(o, json_type_object))
		return -EINVAL;
	judge(o, &v);
	if (v.r < 0) {
		sw_buf_clear(&v.words);
		return v.r;
	}
	*ret_health = v.health;
	*ret_text = v.words.len ? sw_buf_steal(&v.words) : NULL;
	return 0;
}

const char *sw_health_name(enum sw_health h)
{
	static const char *const names[] = {
		[SW_HEALTH_GOOD] = "good",
		[SW_HEALTH_WORN] = "worn",
		[SW_HEALTH_FAILING] = "failing",
	};

	return (size_t)h < ARRAY_SIZE(names) ? names[h] : NULL;
}

char *sw_health_words(const struct sw_disk *d)
{
	const char *word = d->health == SW_HEALTH_FAILING ? "FAILING" :
			   d->health == SW_HEALTH_WORN ? "worn" : NULL;

	if (!word)
		return strdup("");
	return sw_fmt("%s%s%s", word, d->health_text ? ": " : "",
		      d->health_text ? d->health_text : "");
}
