/* SPDX-License-Identifier: Apache-2.0 */
/* What the console tells of the network: routes, name servers, and whether a server answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/json.h"
#include "net/reach.h"
#include "net/routes.h"
#include "tests/lib/http-server.h"

static void assert_list(json_object *list, const char *expected)
{
	assert_string_equal(json_object_to_json_string_ext(list, JSON_C_TO_STRING_PLAIN |
							   JSON_C_TO_STRING_NOSLASHESCAPE),
			    expected);
}

static void test_ipv4_routes_are_read_as_the_kernel_prints_them(void **state SW_UNUSED)
{
	_cleanup_json_ json_object *list = json_object_new_array();

	sw_routes_parse4(
		"Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\n"
		"eth0\t00000000\t010200C0\t0003\t0\t0\t1024\t00000000\t0\t0\t0\n"
		"eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
		"eth1\t000200C0\t00000000\t0000\t0\t0\t0\t00FFFFFF\t0\t0\t0\n", list);
	assert_list(list, "[{\"to\":\"default\",\"via\":\"192.0.2.1\",\"link\":\"eth0\","
			  "\"metric\":1024},"
			  "{\"to\":\"192.0.2.0/24\",\"link\":\"eth0\",\"metric\":0}]");
}

#define ZERO "00000000000000000000000000000000"

static void test_ipv6_routes_leave_out_what_is_the_kernels_own(void **state SW_UNUSED)
{
	_cleanup_json_ json_object *list = json_object_new_array();

	sw_routes_parse6(
		"20010db8000700000000000000000000 40 " ZERO " 00 " ZERO
		" 00000100 00000001 00000000 00000001     eth0\n"
		ZERO " 00 " ZERO " 00 fe800000000000000000000000000001"
		" 00000400 00000003 00000000 00450003     eth0\n"
		/* its own address, multicast, the loopback, and what is rejected */
		"20010db8000700000000000000000007 80 " ZERO " 00 " ZERO
		" 00000000 00000002 00000000 80200001     eth0\n"
		"ff000000000000000000000000000000 08 " ZERO " 00 " ZERO
		" 00000100 00000001 00000000 00000001     eth0\n"
		"00000000000000000000000000000001 80 " ZERO " 00 " ZERO
		" 00000000 00000002 00000000 80200001       lo\n"
		ZERO " 00 " ZERO " 00 " ZERO " ffffffff 00000001 00000000 00200200       lo\n",
		list);
	assert_list(list, "[{\"to\":\"2001:db8:7::/64\",\"link\":\"eth0\",\"metric\":256},"
			  "{\"to\":\"default\",\"via\":\"fe80::1\",\"link\":\"eth0\","
			  "\"metric\":1024}]");
}

static void test_resolv_conf_gives_servers_and_domains(void **state SW_UNUSED)
{
	_cleanup_json_ json_object *dns = json_object_new_array();
	_cleanup_json_ json_object *search = json_object_new_array();

	sw_resolv_parse("# by networkd\nnameserver 192.0.2.1\n nameserver\t2001:db8::53\n"
			"search a.example b.example\ndomain c.example\noptions edns0\nnameserver\n",
			dns, search);
	assert_list(dns, "[\"192.0.2.1\",\"2001:db8::53\"]");
	assert_list(search, "[\"a.example\",\"b.example\",\"c.example\"]");
}

static void test_foreign_words_cannot_colour_the_screen(void **state SW_UNUSED)
{
	_cleanup_json_ json_object *dns = json_object_new_array();
	_cleanup_json_ json_object *search = json_object_new_array();

	sw_resolv_parse("nameserver \033[2J\xff\n", dns, search);
	assert_list(dns, "[\"?[2J?\"]");
}

/* A stand-in shows its own network and not that of the machine it stands on. */
static void test_a_stand_in_has_the_network_of_its_directory(void **state SW_UNUSED)
{
	const struct sw_standin_config c = { .no_tpm = true };
	_cleanup_json_ json_object *out = json_object_new_object(), *more = NULL;
	_cleanup_free_ char *net = NULL, *path = NULL;
	struct sw_machine *m = NULL;
	struct sw_error err = { 0 };
	char *dir;

	assert_int_equal(sw_scratch_new("slipway-net", &dir), 0);
	assert_int_equal(sw_standin_create(dir, &c, &err), 0);
	assert_int_equal(sw_machine_open_standin(dir, &m, &err), 0);
	sw_routes_look(m, out);
	assert_list(out, "{\"routes\":[],\"dns\":[],\"search\":[]}");
	net = sw_fmt("%s/net", dir);
	path = sw_fmt("%s/resolv.conf", net);
	assert_int_equal(sw_mkdir_all(net, 0755), 0);
	assert_int_equal(sw_file_write(path, "nameserver 192.0.2.9\n", 21, 0644), 0);
	more = json_object_new_object();
	sw_routes_look(m, more);
	assert_list(sw_json_array(more, "dns"), "[\"192.0.2.9\"]");
	sw_machine_free(m);
	assert_int_equal(sw_remove_tree(dir), 0);
	free(dir);
}

/* ---- a server ---- */

static int reach(const struct http_route *route, struct sw_reach *ret_reach, struct sw_error *err)
{
	struct http_server *server = http_server_start(route, 1);
	_cleanup_free_ char *url = server ? http_server_url(server, route->path) : NULL;
	int r;

	assert_non_null(url);
	r = sw_reach_try(url, ret_reach, err);
	http_server_stop(server);
	return r;
}

static void test_a_server_that_answers_works_whatever_it_has(void **state SW_UNUSED)
{
	static uint8_t data[300000];
	struct http_route route = { .path = "/file", .data = data, .len = sizeof(data) };
	struct sw_error err = { 0 };
	struct sw_reach r;

	assert_int_equal(reach(&route, &r, &err), 0);
	assert_int_equal(r.status, 200);
	assert_int_equal(r.size, sizeof(data));
	route.len = 0;
	assert_int_equal(reach(&route, &r, &err), 0);
	assert_int_equal(r.status, 200);
	/* It answered; that it breaks off later is not what was asked. */
	route = (struct http_route){ .path = "/file", .data = data, .len = sizeof(data),
				     .fault = HTTP_SHORT, .times = 1 };
	assert_int_equal(reach(&route, &r, &err), 0);
	assert_int_equal(err.what[0], 0);
}

static void test_a_server_that_fails_is_told_in_words(void **state SW_UNUSED)
{
	static const uint8_t data[10];
	struct http_route route = { .path = "/file", .data = data, .len = sizeof(data),
				    .fault = HTTP_STATUS, .times = 1, .status = 404 };
	struct sw_error err = { 0 }, refused = { 0 }, other = { 0 };
	struct sw_reach r;

	assert_true(reach(&route, &r, &err) < 0);
	assert_int_equal(r.status, 404);
	assert_int_equal(err.exit, SW_EXIT_NETWORK);
	assert_true(err.what[0] && err.hint[0]);
	assert_true(sw_reach_try("http://127.0.0.1:1/", &r, &refused) < 0);
	assert_int_equal(refused.exit, SW_EXIT_NETWORK);
	assert_true(refused.what[0] && refused.hint[0]);
	assert_true(sw_reach_try("ftp://127.0.0.1/", &r, &other) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ipv4_routes_are_read_as_the_kernel_prints_them),
		cmocka_unit_test(test_ipv6_routes_leave_out_what_is_the_kernels_own),
		cmocka_unit_test(test_resolv_conf_gives_servers_and_domains),
		cmocka_unit_test(test_foreign_words_cannot_colour_the_screen),
		cmocka_unit_test(test_a_stand_in_has_the_network_of_its_directory),
		cmocka_unit_test(test_a_server_that_answers_works_whatever_it_has),
		cmocka_unit_test(test_a_server_that_fails_is_told_in_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
