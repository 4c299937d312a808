/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The field table as a JSON Schema, for editors that check and complete YAML
 * while it is typed. It says less than sw_answers_validate(): what depends on
 * other answers is in the descriptions only.
 * Source: https://json-schema.org/draft/2020-12
 */
#include <string.h>

#include "answers/answers.h"
#include "answers/values.h"
#include "base/json.h"

#define DRAFT "https://json-schema.org/draft/2020-12/schema"

/* Editors take an unquoted 0123 for a number and an unquoted no for a boolean; slipway does not. */
static json_object *any_scalar(void)
{
	json_object *types = json_object_new_array();

	json_object_array_add(types, json_object_new_string("string"));
	json_object_array_add(types, json_object_new_string("number"));
	json_object_array_add(types, json_object_new_string("boolean"));
	return types;
}

static json_object *choices_of(const struct sw_field *f, bool or_nothing)
{
	json_object *list = json_object_new_array();

	for (size_t i = 0; f->choices[i]; i++) {
		const char *word = f->choices[i];

		json_object_array_add(list, json_object_new_string(word));
		if (strcmp(word, "yes") == 0 || strcmp(word, "no") == 0)
			json_object_array_add(list, json_object_new_boolean(*word == 'y'));
		else if (strspn(word, "0123456789") == strlen(word))
			json_object_array_add(list,
					      json_object_new_int64(strtol(word, NULL, 10)));
	}
	/* An empty value is as good as none. */
	if (or_nothing)
		json_object_array_add(list, json_object_new_string(""));
	return list;
}

/* A letter, a digit, or a word that stands for some. */
#define HOST_PART "[0-9A-Za-z]|\\$\\{[a-z]+\\}"

static const char *pattern_of(const struct sw_field *f)
{
	switch (f->type) {
	case SW_FIELD_SHA256:
		return "^([0-9A-Fa-f]{64})?$";
	case SW_FIELD_UUID:
		return "^([0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})?$";
	case SW_FIELD_HOSTNAME:
		return "^((" HOST_PART ")(([.-]|" HOST_PART ")*(" HOST_PART "))?)?$";
	case SW_FIELD_INT:
		return "^[0-9]{0,9}$";
	default:
		return NULL;
	}
}

/* One value of the field, without its words. In a group's place it is never empty. */
static json_object *value_of(const struct sw_field *f, bool or_nothing)
{
	json_object *o = json_object_new_object();
	const char *pattern = pattern_of(f);

	if (f->type == SW_FIELD_CHOICE) {
		sw_json_add(o, "enum", choices_of(f, or_nothing));
		return o;
	}
	sw_json_add(o, "type", any_scalar());
	if (pattern)
		sw_json_add_str(o, "pattern", pattern);
	/* Bytes in the table, never more characters here. A certificate has line breaks. */
	if (f->type != SW_FIELD_CERTIFICATE)
		sw_json_add_u64(o, "maxLength", f->max ? f->max : SW_FIELD_MAX);
	return o;
}

static json_object *array_of(json_object *items, uint64_t least, uint64_t most)
{
	json_object *o = json_object_new_object();

	sw_json_add_str(o, "type", "array");
	sw_json_add(o, "items", items);
	if (least)
		sw_json_add_u64(o, "minItems", least);
	sw_json_add_u64(o, "maxItems", most);
	return o;
}

static json_object *either(json_object *a, json_object *b)
{
	json_object *o = json_object_new_object(), *list = json_object_new_array();

	json_object_array_add(list, a);
	json_object_array_add(list, b);
	sw_json_add(o, "anyOf", list);
	return o;
}

static json_object *disks(void);

/* What has a pattern or choices of its own would not take the word that leaves it open. */
static json_object *or_asked(const struct sw_field *f, json_object *value)
{
	json_object *word = json_object_new_string(SW_ANSWER_ASK), *o;

	if (f->type == SW_FIELD_CHOICE) {
		json_object_array_add(sw_json_get(value, "enum"), word);
		return value;
	}
	if (!pattern_of(f)) {
		json_object_put(word);
		return value;
	}
	o = json_object_new_object();
	sw_json_add(o, "const", word);
	return either(value, o);
}

static json_object *schema_of(const struct sw_field *f, bool may_ask)
{
	json_object *o = f->type == SW_FIELD_DISKS ? array_of(disks(), 0, SW_MORE_MAX) :
			 f->type == SW_FIELD_LIST ?
			 either(value_of(f, true), array_of(value_of(f, true), 0, SW_LIST_MAX)) :
			 value_of(f, true);
	json_object *examples = json_object_new_array();

	if (may_ask && sw_field_can_be_asked(f))
		o = or_asked(f, o);
	sw_json_add_str(o, "title", f->label);
	sw_json_add_str(o, "description", f->help);
	if (f->dflt)
		sw_json_add_str(o, "default", f->dflt);
	if (f->secret)
		sw_json_add_bool(o, "writeOnly", true);
	json_object_array_add(examples, json_object_new_string(f->example));
	sw_json_add(o, "examples", examples);
	return o;
}

static json_object *new_group(const char *name)
{
	json_object *o = json_object_new_object();
	const char *help = sw_field_group_help(name);

	sw_json_add_str(o, "type", "object");
	if (help)
		sw_json_add_str(o, "description", help);
	sw_json_add_bool(o, "additionalProperties", false);
	sw_json_add(o, "properties", json_object_new_object());
	return o;
}

static void require(json_object *group, const char *word)
{
	json_object *list = sw_json_array(group, "required");

	if (!list) {
		list = json_object_new_array();
		sw_json_add(group, "required", list);
	}
	if (!sw_json_array_has(list, word))
		json_object_array_add(list, json_object_new_string(word));
}

/* Without a default, and whatever the other answers are. */
static bool always_required(const struct sw_field *f)
{
	struct sw_answers empty = {};

	return f->required && f->required(&empty) && !f->applies && !f->dflt;
}

/* Takes the next group's name off a key; false when what is left is its last word. */
static bool take_group(const char **key, char name[static 64])
{
	const char *dot = strchr(*key, '.');

	if (!dot)
		return false;
	(void)snprintf(name, 64, "%.*s", (int)(dot - *key), *key);
	*key = dot + 1;
	return true;
}

/* The schema of the value below one key of a group; borrowed, made when it is new. */
static json_object *below(json_object *group, const char *path, const char *word)
{
	json_object *all = sw_json_get(group, "properties"), *o = sw_json_get(all, word);

	if (!o) {
		o = new_group(path);
		sw_json_add(all, word, o);
	}
	return o;
}

/* from: how many characters of the key lie outside of root. */
static void add_field(json_object *root, const struct sw_field *f, size_t from)
{
	char path[128], name[64];
	json_object *group = root;
	const char *word = f->key + from;

	while (take_group(&word, name)) {
		(void)snprintf(path, sizeof(path), "%.*s", (int)(word - 1 - f->key), f->key);
		if (always_required(f))
			require(group, name);
		group = below(group, path, name);
	}
	if (always_required(f))
		require(group, word);
	sw_json_add(sw_json_get(group, "properties"), word, schema_of(f, from == 0));
}

/* In place of the one group a list of such groups may stand. */
static void allow_list(json_object *parent, const char *word, uint64_t most)
{
	json_object *all = sw_json_get(parent, "properties"), *one = sw_json_get(all, word);

	sw_json_add(all, word, either(json_object_get(one),
				      array_of(json_object_get(one), 1, most)));
}

static void allow_items(json_object *root, const struct sw_list_group *g)
{
	const char *word = g->key;
	char name[64];

	while (take_group(&word, name))
		root = sw_json_get(sw_json_get(root, "properties"), name);
	allow_list(root, word, g->max);
}

/* One further disk: of the keys below disk, those that every disk has of its own. */
static json_object *disks(void)
{
	json_object *o = new_group("disk.more");

	for (size_t i = 0; i < sw_n_fields; i++)
		if (sw_field_of_disk(&sw_fields[i]))
			add_field(o, &sw_fields[i], strlen("disk."));
	allow_list(o, "match", SW_ALTERNATIVES_MAX);
	return o;
}

/* What may stand for a whole group is one value of one field in it. */
static void allow_short(json_object *root, const struct sw_field *f)
{
	const char *word = f->stands_for;
	char name[64];
	json_object *all = sw_json_get(root, "properties");

	while (take_group(&word, name))
		all = sw_json_get(sw_json_get(all, name), "properties");
	/* Which disk it is can be asked, not whether there is one. */
	sw_json_add(all, word, either(strcmp(word, "disk") == 0 ? value_of(f, false)
								: or_asked(f, value_of(f, false)),
				      json_object_get(sw_json_get(all, word))));
}

/* The one version there is, as a number or in quotes. */
static json_object *versions(void)
{
	json_object *list = json_object_new_array();
	char text[16];

	(void)snprintf(text, sizeof(text), "%d", SW_ANSWERS_VERSION);
	json_object_array_add(list, json_object_new_int(SW_ANSWERS_VERSION));
	json_object_array_add(list, json_object_new_string(text));
	return list;
}

char *sw_answers_schema(void)
{
	json_object *root = json_object_new_object(), *o = new_group("");
	json_object *all = sw_json_get(o, "properties");
	char *text;

	sw_json_add_str(root, "$schema", DRAFT);
	sw_json_add_str(root, "title", "slipway answers");
	sw_json_add_all(root, o);
	json_object_put(o);
	for (size_t i = 0; i < sw_n_fields; i++)
		add_field(root, &sw_fields[i], 0);
	sw_json_add(sw_json_get(all, "slipway"), "enum", versions());
	require(root, "slipway");
	allow_list(sw_json_get(all, "disk"), "match", SW_ALTERNATIVES_MAX);
	for (size_t i = 0; i < SW_N_LIST_GROUPS; i++)
		allow_items(root, &sw_list_groups[i]);
	/* The innermost first: a group that is within an alternative is not found any more. */
	for (size_t i = sw_n_fields; i-- > 0;)
		if (sw_fields[i].stands_for)
			allow_short(root, &sw_fields[i]);
	text = strdup(json_object_to_json_string_ext(root, JSON_C_TO_STRING_PRETTY |
							   JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(root);
	return text;
}
