/* SPDX-License-Identifier: Apache-2.0 */
/* The files that others read: systemd-networkd's, and lines for fstab(5). */
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "config/private.h"
#include "plan/network.h"

#define WORDS_MAX 16U
#define BLANKS " \t\r"

/* ---- systemd-networkd ---- */

/* Sections, settings, comments; what it means is networkd's to judge. */
static const char *wrong_line(const char *line, size_t len, bool *in_section)
{
	while (len && strchr(" \t\r", line[len - 1]))
		len--;
	if (!len || *line == '#' || *line == ';')
		return NULL;
	if (*line == '[') {
		*in_section = true;
		return line[len - 1] == ']' ? NULL : "a section does not end in ]";
	}
	if (!*in_section)
		return "it does not begin with a [Section]";
	return memchr(line, '=', len) && *line != '=' ? NULL : "a line is no KEY=VALUE";
}

static const char *wrong_unit(const char *text)
{
	bool in_section = false;
	const char *why = NULL;

	if (!sw_text_lines_are_clean(text))
		return "there are control characters in it";
	while (*text && !why) {
		size_t n = strcspn(text, "\n");

		why = wrong_line(text, n, &in_section);
		text += n + (text[n] == '\n');
	}
	return why ? why : in_section ? NULL : "there is no [Section] in it";
}

int sw_config_take_network(struct sw_importing *im, const struct sw_config_file *f,
			   struct sw_config_item *it)
{
	const char *name = strrchr(f->name, '/') + 1, *text = (const char *)f->data->data, *why;
	_cleanup_json_ json_object *trial = json_object_new_object();
	json_object *files, *all;

	if (!sw_ends_with(name, ".network") && !sw_ends_with(name, ".netdev") &&
	    !sw_ends_with(name, ".link"))
		return sw_config_refuse(it, "a name here ends in .network, .netdev or .link");
	files = json_object_new_object();
	sw_json_add_str(files, name, text);
	sw_json_add(trial, "files", files);
	if (!sw_plan_network_is_sound(trial))
		return sw_config_refuse(it, "its name has other characters than letters, digits, "
					    "- _ and .");
	why = wrong_unit(text);
	if (why)
		return sw_config_refuse(it, "%s", why);
	all = sw_config_object(im, "network_config");
	files = sw_json_get(all, "files");
	if (!files) {
		files = json_object_new_object();
		sw_json_add(all, "files", files);
	}
	return sw_config_put(it, files, name, text);
}

/* ---- lists of words ---- */

/* NULL without a list. */
static char *words_of(json_object *list)
{
	_cleanup_buf_ struct sw_buf b = {};

	for (size_t i = 0; list && i < json_object_array_length(list); i++)
		(void)sw_buf_addf(&b, "%s%s", i ? " " : "",
				  json_object_get_string(json_object_array_get_idx(list, i)));
	return list ? sw_buf_steal(&b) : NULL;
}

int sw_config_take_words(struct sw_importing *im, const struct sw_config_file *f,
			 struct sw_config_item *it)
{
	_cleanup_json_ json_object *list = json_object_new_array();
	_cleanup_free_ char *text = strdup((const char *)f->data->data);
	json_object *all = sw_config_object(im, "network_config");
	char *save = NULL;
	_cleanup_free_ char *was = words_of(sw_json_array(all, f->name)), *then = NULL;

	if (!text || !all)
		return -ENOMEM;
	for (char *w = strtok_r(text, " \t\r\n", &save); w; w = strtok_r(NULL, " \t\r\n", &save)) {
		if (!sw_text_is_clean(w) || strpbrk(w, "\"'\\;|&$`"))
			return sw_config_refuse(it, "a word has characters that no name has");
		json_object_array_add(list, json_object_new_string(w));
	}
	if (json_object_array_length(list) == 0 || json_object_array_length(list) > WORDS_MAX)
		return sw_config_refuse(it, "there are 1 to %u words in it", WORDS_MAX);
	then = words_of(list);
	if (!then)
		return -ENOMEM;
	sw_config_decide(it, was, then);
	sw_json_add(all, f->name, json_object_get(list));
	return 0;
}

/* ---- fstab ---- */

/* Where the node's own system is: a mount there would hide it. */
static bool hides_system(const char *dir)
{
	static const char *const own[] = { "/", "/usr", "/etc", "/bin", "/sbin", "/lib", "/lib64",
					   "/dev", "/proc", "/sys", "/run", "/init" };

	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (strcmp(dir, own[i]) == 0)
			return true;
	return strncmp(dir, "/dev/", 5) == 0 || strncmp(dir, "/proc/", 6) == 0 ||
	       strncmp(dir, "/sys/", 5) == 0;
}

/* A name that the kernel gives may be another disk's after the next start. */
static bool is_lasting(const char *what)
{
	return strncmp(what, "/dev/", 5) != 0 || strncmp(what, "/dev/disk/", 10) == 0 ||
	       strncmp(what, "/dev/mapper/", 12) == 0;
}

/* *line is cut into words. */
static int wrong_mount(char *line, unsigned int number, struct sw_config_item *it, bool *ret_wrong)
{
	char *save = NULL, *word[7];
	unsigned int n = 0;

	*ret_wrong = true;
	for (char *w = strtok_r(line, BLANKS, &save); w && n < 7; w = strtok_r(NULL, BLANKS, &save))
		word[n++] = w;
	if (n < 3 || n > 6)
		return sw_config_refuse(it, "line %u has %u words, not 3 to 6", number, n);
	if (!is_lasting(word[0]))
		return sw_config_refuse(it, "line %u: %.40s may be another disk next time; name it "
					    "by UUID= or LABEL=", number, word[0]);
	if (strcmp(word[1], "none") != 0 && (word[1][0] != '/' || strstr(word[1], "..")))
		return sw_config_refuse(it, "line %u: %.40s is no directory from / on", number,
					word[1]);
	if (hides_system(word[1]))
		return sw_config_refuse(it, "line %u: a mount on %.40s would hide the node's own "
					    "system", number, word[1]);
	*ret_wrong = false;
	return 0;
}

int sw_config_take_fstab(struct sw_importing *im, const struct sw_config_file *f,
			 struct sw_config_item *it)
{
	_cleanup_free_ char *text = strdup((const char *)f->data->data);
	char *save = NULL;
	unsigned int number = 0, mounts = 0;
	bool wrong = false;
	int r = text ? 0 : -ENOMEM;

	if (r == 0 && !sw_text_lines_are_clean(text))
		return sw_config_refuse(it, "there are control characters in it");
	for (char *l = text ? strtok_r(text, "\n", &save) : NULL; l && r == 0 && !wrong;
	     l = strtok_r(NULL, "\n", &save)) {
		number++;
		l += strspn(l, " \t\r");
		if (*l && *l != '#') {
			mounts++;
			r = wrong_mount(l, number, it, &wrong);
		}
	}
	if (r < 0 || wrong)
		return r;
	if (!mounts)
		return sw_config_refuse(it, "there is no mount in it");
	r = sw_config_put(it, sw_config_object(im, SW_CONFIG_KEYS_OF), "fstab",
			  (const char *)f->data->data);
	(void)snprintf(it->why, sizeof(it->why), "%u mount%s, added to the image's own at each "
		       "start", mounts, mounts == 1 ? "" : "s");
	return r;
}
