/* SPDX-License-Identifier: Apache-2.0 */
/* Files of a node, from node data that anybody may have written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/file.h"
#include "boot/nodefiles.h"

static void test_only_sound_files_are_written(void **state SW_UNUSED)
{
	static const char text[] = "{\"files\": ["
		"{\"path\": \"/etc/../../out\", \"mode\": \"0644\", \"data\": \"eA==\"},"
		"{\"path\": \"/bin/sh\", \"mode\": \"0755\", \"data\": \"eA==\"},"
		"{\"path\": \"/etc/hostname\", \"mode\": \"0644\", \"data\": \"eA==\"},"
		"{\"path\": \"/etc/setuid\", \"mode\": \"4755\", \"data\": \"eA==\"},"
		"{\"path\": \"/etc/damaged\", \"mode\": \"0644\", \"data\": \"e!\"},"
		"{\"path\": \"/etc/nothing\", \"mode\": \"0644\"}, {},"
		"{\"path\": \"/etc/empty\", \"mode\": \"0600\", \"data\": \"\"},"
		"{\"path\": \"/etc/d/good\", \"mode\": \"0640\", \"data\": \"aGVsbG8K\"}]}";
	_cleanup_json_ json_object *list = json_object_new_array(), *data = NULL;
	_cleanup_free_ char *dir = NULL, *good = NULL;
	_cleanup_buf_ struct sw_buf b = { .max = 100 };
	struct stat st;

	assert_int_equal(sw_json_parse(text, strlen(text), "test", &data, NULL), 0);
	assert_int_equal(sw_scratch_new("nodefiles", &dir), 0);
	assert_int_equal(sw_node_files_write(data, dir, list, NULL), 0);
	assert_string_equal(json_object_to_json_string_ext(list, JSON_C_TO_STRING_PLAIN |
							   JSON_C_TO_STRING_NOSLASHESCAPE),
			    "[\"files/etc/empty\",\"files/etc/d/good\"]");
	good = sw_fmt("%s/files/etc/d/good", dir);
	assert_int_equal(sw_file_read(good, &b), 0);
	assert_string_equal(sw_buf_text(&b), "hello\n");
	assert_int_equal(stat(good, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	(void)sw_remove_tree(dir);
}

static void test_what_is_added_is_written_as_it_was(void **state SW_UNUSED)
{
	_cleanup_json_ json_object *data = json_object_new_object();
	_cleanup_json_ json_object *list = json_object_new_array();
	_cleanup_buf_ struct sw_buf b = { .max = SW_NODE_FILE_MAX };
	_cleanup_free_ char *dir = NULL, *path = NULL;
	static uint8_t bytes[SW_NODE_FILE_MAX];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7 + i / 256);
	assert_int_equal(sw_node_file_add(data, "/srv/all", NULL, bytes, sizeof(bytes)), 0);
	assert_int_equal(sw_scratch_new("nodefiles", &dir), 0);
	assert_int_equal(sw_node_files_write(data, dir, list, NULL), 0);
	path = sw_fmt("%s/files/srv/all", dir);
	assert_int_equal(sw_file_read(path, &b), 0);
	assert_int_equal(b.len, sizeof(bytes));
	assert_memory_equal(b.data, bytes, sizeof(bytes));
	(void)sw_remove_tree(dir);
}

static void test_one_that_is_put_replaces_the_one_of_its_path(void **state SW_UNUSED)
{
	_cleanup_json_ json_object *data = json_object_new_object();
	struct sw_node_file_read f = {};
	json_object *list;

	assert_int_equal(sw_node_file_put(data, "/etc/a", "0600", "one", 3), 0);
	assert_int_equal(sw_node_file_put(data, "/etc/b", "444", "two", 3), 0);
	assert_int_equal(sw_node_file_put(data, "/etc/a", "640", "", 0), 0);
	list = sw_json_array(data, "files");
	assert_int_equal(json_object_array_length(list), 2);
	assert_int_equal(sw_node_file_read(json_object_array_get_idx(list, 0), &f), 0);
	assert_string_equal(f.path, "/etc/a");
	assert_string_equal(f.mode, "0640");
	assert_int_equal(f.bytes.len, 0);
	sw_buf_clear(&f.bytes);
}

static void test_which_paths_cannot_be_together(void **state SW_UNUSED)
{
	assert_true(sw_node_files_clash("/etc/a", "/etc/a"));
	assert_true(sw_node_files_clash("/etc/a/b", "/etc/a"));
	assert_true(sw_node_files_clash("/etc/a", "/etc/a/b/c"));
	assert_false(sw_node_files_clash("/etc/ab", "/etc/a"));
	assert_false(sw_node_files_clash("/etc/a/b", "/etc/a/c"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_sound_files_are_written),
		cmocka_unit_test(test_what_is_added_is_written_as_it_was),
		cmocka_unit_test(test_one_that_is_put_replaces_the_one_of_its_path),
		cmocka_unit_test(test_which_paths_cannot_be_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
