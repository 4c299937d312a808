/* SPDX-License-Identifier: Apache-2.0 */
/* Whole answer files: both folders of examples, the way back to YAML, the digest, the texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <dirent.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "answers/answers.h"
#include "answers/hide.h"
#include "base/yaml.h"
#include "base/file.h"
#include "base/hash.h"

#define EXAMPLES "tests/answers"
#define MINIMAL                                                       \
	"slipway: 1\nnode: {hostname: n}\ndisk: {match: {serial: S}}\n" \
	"payload: {kernel: /k, initrd: /i}\n"

/* Parses and validates, as `slipway check` does. */
/* Of a P-256 key that nobody has; base64 of its DER. */
#define CERTIFICATE \
	"MIIBeDCCAR2gAwIBAgIUD/50h+lyBwIAmMIF2ZxZBjEwXxUwCgYIKoZIzj0EAwIwETEPMA0GA1UE" \
	"AwwGZXNjcm93MB4XDTI2MTEyNjIwMjM0OVoXDTM2MTEyMzIwMjM0OVowETEPMA0GA1UEAwwGZXNj" \
	"cm93MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE6fOCPJJHj6q1k4ZzHbWAKnYomHK9WGvNHxbe" \
	"6eJkuLI9zu65YmzcEi5S72Voxr34vBRz1eK9/Z0154gYLN1exKNTMFEwHQYDVR0OBBYEFEqo+Axe" \
	"Y/NgnRsQM0WxjMGr1vuiMB8GA1UdIwQYMBaAFEqo+AxeY/NgnRsQM0WxjMGr1vuiMA8GA1UdEwEB" \
	"/wQFMAMBAf8wCgYIKoZIzj0EAwIDSQAwRgIhAJY1ok+YOzXPVAdVN3HIB3o2jawfXjlAIxjHf4u5" \
	"oIAjAiEA6VG2MW68OfaQQ9r337+NW3n3cIbvnBMRgC4fWNWT2fU="

static int judge(const char *text, size_t len, const char *file, struct sw_answers **ret_answers,
		 struct sw_error *err)
{
	_cleanup_answers_ struct sw_answers *a = NULL;
	int r = sw_answers_parse(text, len, file, &a, err);

	if (r == 0)
		r = sw_answers_validate(a, file, err);
	if (r == 0)
		*ret_answers = TAKE_PTR(a);
	return r;
}

static struct sw_answers *must_parse(const char *text)
{
	struct sw_answers *a = NULL;
	struct sw_error e = {};

	if (sw_answers_parse(text, strlen(text), "x", &a, &e) < 0)
		fail_msg("%s: %s: %s", e.where, e.what, e.why);
	return a;
}

static void assert_equal(const struct sw_answers *a, const struct sw_answers *b)
{
	for (size_t i = 0; i < sw_n_fields; i++) {
		_cleanup_free_ char *x = sw_field_get(&sw_fields[i], a);
		_cleanup_free_ char *y = sw_field_get(&sw_fields[i], b);

		assert_string_equal(x, y);
	}
}

static void assert_round_trips(const struct sw_answers *a)
{
	_cleanup_free_ char *yaml = sw_answers_to_yaml(a);
	_cleanup_answers_ struct sw_answers *b = NULL;
	char one[65], two[65];

	assert_non_null(yaml);
	b = must_parse(yaml);
	assert_equal(a, b);
	assert_int_equal(sw_answers_digest(a, one), 0);
	assert_int_equal(sw_answers_digest(b, two), 0);
	assert_string_equal(one, two);
}

typedef void (*visit_fn)(const char *path, const struct sw_buf *content);

static unsigned int walk(const char *dir, visit_fn visit)
{
	_cleanup_closedir_ DIR *d = opendir(dir);
	unsigned int n = 0;

	if (!d)
		fail_msg("%s is missing: run the tests from the top of the source tree", dir);
	for (struct dirent *e = readdir(d); e; e = readdir(d)) {
		_cleanup_free_ char *path = sw_fmt("%s/%s", dir, e->d_name);
		_cleanup_buf_ struct sw_buf b = {};

		if (e->d_name[0] == '.')
			continue;
		assert_int_equal(sw_file_read(path, &b), 0);
		visit(path, &b);
		n++;
	}
	return n;
}

static void visit_accepted(const char *path, const struct sw_buf *b)
{
	_cleanup_answers_ struct sw_answers *a = NULL;
	struct sw_error e = {};

	if (judge(sw_buf_text(b), b->len, path, &a, &e) < 0)
		fail_msg("%s was refused: %s: %s", e.where, e.what, e.why);
	assert_round_trips(a);
}

/* What the files have for passwords. */
static bool shows_secret(const char *text)
{
	return strstr(text, "hunter2");
}

/* So many characters; a byte that is no UTF-8 is one. */
static size_t characters(const char *text, size_t len)
{
	size_t n = 0;

	for (size_t at = 0, k; at < len; n++) {
		uint32_t c;

		k = sw_utf8_decode(text + at, len - at, &c);
		at += k ? k : 1;
	}
	return n;
}

/* Beside an error any line of the file may be shown, and its columns count. */
static void assert_hides_secrets(const char *path, const char *text)
{
	const char *at = text;

	for (unsigned int line = 1; *at; line++) {
		const size_t n = strcspn(at, "\r\n");
		_cleanup_free_ char *shown = sw_hide_in_line(text, line);

		if (!shown || shows_secret(shown) ||
		    characters(shown, strlen(shown)) != characters(at, n))
			fail_msg("%s:%u: shown as \"%s\"", path, line, shown);
		at += strcspn(at, "\n");
		at += *at == '\n';
	}
}

static void visit_refused(const char *path, const struct sw_buf *b)
{
	static const char mark[] = "# expect: ";
	_cleanup_answers_ struct sw_answers *a = NULL;
	_cleanup_free_ char *got = NULL, *want = NULL;
	struct sw_error e = {};
	const char *text = sw_buf_text(b);

	assert_memory_equal(text, mark, sizeof(mark) - 1);
	want = strndup(text + sizeof(mark) - 1, strcspn(text, "\n") - sizeof(mark) + 1);
	if (judge(text, b->len, path, &a, &e) == 0)
		fail_msg("%s was accepted", path);
	assert_int_equal(e.exit, SW_EXIT_INVALID);
	assert_memory_equal(e.where, path, strlen(path));
	got = sw_fmt("%s %s", e.where + strlen(path) + 1, e.what);
	if (strcmp(got, want) != 0)
		fail_msg("%s: expected \"%s\", got \"%s\"", path, want, got);
	/* Nothing that was meant as a secret may come back in a message. */
	assert_false(shows_secret(e.what) || shows_secret(e.why) || shows_secret(e.hint));
	assert_hides_secrets(path, text);
}

static void test_every_file_in_accept_is_accepted_and_round_trips(void **state SW_UNUSED)
{
	assert_true(walk(EXAMPLES "/accept", visit_accepted) >= 60);
}

static void test_every_file_in_refuse_gets_its_one_message_and_place(void **state SW_UNUSED)
{
	assert_true(walk(EXAMPLES "/refuse", visit_refused) >= 120);
}

static void test_the_issues_file_means_what_it_says(void **state SW_UNUSED)
{
	_cleanup_answers_ struct sw_answers *a = NULL;
	struct sw_error e = {};

	assert_int_equal(sw_answers_read(EXAMPLES "/accept/issue-as-it-stands.yaml", &a, &e), 0);
	assert_int_equal(a->version, 1);
	assert_string_equal(a->hostname, "node-07");
	assert_string_equal(a->disk.match[0].serial, "NODE07SYS");
	assert_null(a->disk.match[0].model);
	assert_string_equal(a->layout, "node");
	assert_int_equal(a->disk.wipe, SW_WIPE_ANY);
	assert_string_equal(a->kernel, "http://10.0.2.2:8080/vmlinuz");
	assert_true(sw_sha256_is_hex(a->kernel_sha256));
	assert_string_equal(a->cmdline, "console=ttyS0,115200 panic=10");
	assert_int_equal(a->boot_mode, SW_MODE_LOCAL);
	assert_int_equal(a->admission[0].kind, SW_ADMISSION_ATTEST);
	assert_int_equal(a->finish, SW_FINISH_REBOOT);
	assert_null(a->seed);
}

static void test_all_errors_of_a_file_are_collected(void **state SW_UNUSED)
{
	static const char text[] = "slipway: 1\nnode: {hostnme: n}\ndisk: {wipe: al}\nfinish:\n";
	struct sw_answers *a = NULL;
	struct sw_error e[8];
	size_t n;

	assert_int_equal(sw_answers_parse_all(text, strlen(text), "x", e, 8, &n, &a), -EINVAL);
	assert_null(a);
	assert_int_equal(n, 3);
	assert_string_equal(e[0].where, "x:2:8");
	assert_string_equal(e[1].where, "x:3:14");
	assert_string_equal(e[2].where, "x:4:8");
	/* A smaller array keeps the first ones. */
	assert_int_equal(sw_answers_parse_all(text, strlen(text), "x", e, 2, &n, &a), -EINVAL);
	assert_int_equal(n, 2);
	assert_string_equal(e[1].where, "x:3:14");
}

static size_t mistakes(const char *text, struct sw_error e[static 8])
{
	_cleanup_close_ int fd = memfd_create("x", MFD_CLOEXEC);
	_cleanup_free_ char *path = sw_fmt("/proc/self/fd/%d", fd);
	struct sw_answers *a = NULL;
	size_t n;

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(sw_answers_read_all(path, e, 8, &n, &a), -EINVAL);
	assert_null(a);
	return n;
}

static void test_a_rule_about_several_keys_waits_for_no_other_mistake(void **state SW_UNUSED)
{
	struct sw_error e[8];

	assert_int_equal(mistakes("slipway: 1\nnode: {hostname: n}\ndisk: {match: {serial: S}}\n"
				  "payload: {kernel: /a}\nfinish: restart\non-error: {pause: 5}\n",
				  e), 3);
	assert_non_null(strstr(e[0].where, ":5:9"));
	assert_string_equal(e[1].what, "payload.initrd is missing");
	assert_string_equal(e[2].what, "on-error.pause is given, but nothing would use it");
	/* What may come of the mistake is not held against the file: each of these has one. */
	assert_int_equal(mistakes("slipway: 1\nnode: {hostname: n}\ndisk: {wipe: al}\n", e), 1);
	assert_int_equal(mistakes("slipway: 1\nnodes: {hostname: n}\n", e), 1);
	assert_int_equal(mistakes("slipway: 1\nnode: {hostname: n}\ndisk: {match: {serial: S}}\n"
				  "payload: {uki: 'https://a/b'}\ntrust: {keys: x}\n", e), 1);
	assert_int_equal(mistakes("slipway: 1\nnode: {hostname: n}\ndisk: {match: {serial: S}}\n"
				  "boot: {mode: netwrk}\nfinish: kexec\n", e), 1);
}

/* What an operator who wrote this should do: one line of a file, and the hint to it. */
static void test_the_hint_says_what_was_meant(void **state SW_UNUSED)
{
	static const char *const pairs[][2] = {
		{ "boot: local", "did you mean {mode: local}?" },
		{ "admission: attest", "did you mean {kind: attest}?" },
		{ "disk: {match: ask}", "give ask to one of its keys" },
		{ "node: hostname:node-07", "a blank belongs behind a colon" },
		{ "report: udp://log.example", "write them below it, indented" },
		{ "disk: {wipe: [ours]}", "take one, without the brackets" },
		{ "disk: {wait: soon}", "write a number from 0 to 600" },
		{ "report: {syslog: [udp://[::1], udp://a]}", "quotes around a part" },
		{ "report: {webhooks: {token: abcdef}}", "put the file onto the medium" },
		{ "hooks: {before: before.sh}", "put the file onto the medium" },
		{ "report: {webhooks: {events: suceeded}}", "did you mean \"succeeded\"?" },
		{ "report: {webhooks: {body: '${evnet}}'}}", "did you mean ${event}?" },
		{ "report: {webhooks: {body: '${what}'}}", "the words are event, hostname" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		_cleanup_free_ char *text = sw_fmt("slipway: 1\n%s\n", pairs[i][0]);
		struct sw_answers *a = NULL;
		struct sw_error e = {};

		assert_int_equal(sw_answers_parse(text, strlen(text), "x", &a, &e), -EINVAL);
		if (!strstr(e.hint, pairs[i][1]))
			fail_msg("%s: %s", pairs[i][0], e.hint);
		assert_null(strstr(e.why, "}}"));
	}
}

static void test_all_missing_answers_are_listed(void **state SW_UNUSED)
{
	_cleanup_answers_ struct sw_answers *a = sw_answers_new();
	struct sw_error e[8];
	size_t n;

	assert_int_equal(sw_answers_validate_all(a, NULL, e, 8, &n), -EINVAL);
	assert_int_equal(n, 3);		/* host name, payload, disk */
	assert_non_null(strstr(e[0].what, "node.hostname is missing"));
	assert_string_equal(e[0].where, "");
}

static void test_without_a_payload_only_kernel_and_initrd_are_wanted(void **state SW_UNUSED)
{
	_cleanup_answers_ struct sw_answers *a = must_parse("slipway: 1\nnode: {hostname: n}\n"
							    "disk: {match: {serial: S1}}\n");
	const struct sw_field *kernel = sw_field_find("payload.kernel");
	const struct sw_field *initrd = sw_field_find("payload.initrd");
	const struct sw_field *uki = sw_field_find("payload.uki");
	struct sw_error e[8];
	size_t n;

	assert_true(kernel->required(a) && initrd->required(a));
	assert_true(uki->applies(a) && !uki->required);
	assert_int_equal(sw_answers_validate_all(a, "x", e, 8, &n), -EINVAL);
	assert_int_equal(n, 1);
	assert_non_null(strstr(e[0].hint, "kernel and initrd"));
	assert_non_null(strstr(e[0].hint, "uki"));

	assert_int_equal(sw_field_set(uki, a, "medium:/node.efi", NULL), 0);
	assert_false(kernel->required(a) || initrd->required(a));
	assert_int_equal(sw_answers_validate_all(a, "x", e, 8, &n), 0);
}

static void test_a_file_that_cannot_be_read_is_one_error(void **state SW_UNUSED)
{
	struct sw_answers *a = NULL;
	struct sw_error e[3];
	size_t n = 0;

	assert_int_equal(sw_answers_read_all("/nowhere/x.yaml", e, 3, &n, &a), -ENOENT);
	assert_int_equal(n, 1);
	assert_int_equal(e[0].exit, SW_EXIT_MISSING);
	assert_string_equal(e[0].where, "/nowhere/x.yaml");
	assert_null(a);
}

static void test_a_value_typed_over_loses_its_place_in_the_file(void **state SW_UNUSED)
{
	_cleanup_answers_ struct sw_answers *a =
		must_parse(MINIMAL "boot: {network: {uri: http://a/b}}\n");
	struct sw_error e = {}, f = {};

	assert_int_equal(sw_answers_validate(a, "x", &e), -EINVAL);
	assert_string_equal(e.where, "x:5:23");
	assert_int_equal(sw_field_set(sw_field_find("boot.network.uri"), a, "http://c/d", NULL), 0);
	assert_int_equal(sw_answers_validate(a, "x", &f), -EINVAL);
	assert_string_equal(f.where, "x");
}

static void test_a_missing_file_is_missing_and_not_invalid(void **state SW_UNUSED)
{
	struct sw_answers *a = NULL;
	struct sw_error e = {};

	assert_int_equal(sw_answers_read(EXAMPLES "/none.yaml", &a, &e), -ENOENT);
	assert_int_equal(e.exit, SW_EXIT_MISSING);
	assert_non_null(strstr(e.where, "none.yaml"));
}

/* A fixed sequence: a failure can be repeated. */
static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* Text with everything that YAML could trip over. */
static void random_text(uint32_t *seed, char *text, size_t size)
{
	static const char *const bits[] = { "a", "Z", "0", " ", ":", ": ", "#", " #", "\"", "'",
					    "\\", "*", "&", "!", "{", "}", "[", "]", ",", "-", "- ",
					    "?", "|", ">", "%", "@", "`", "~", "\xc3\xa9",
					    "\xe2\x82\xac", "\xf0\x9f\x90\xa7", "null", "yes", "<<",
					    "=", "\\n" };
	size_t n = 1 + next_random(seed) % 12, len = 0;

	while (n-- > 0 && len + 8 < size)
		len += (size_t)snprintf(text + len, size - len, "%s",
					bits[next_random(seed) % ARRAY_SIZE(bits)]);
}

#define PUBLIC_KEY \
	"-----BEGIN PUBLIC KEY----- " \
	"MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAjVRbbvmNSA/jD5bO2ksx " \
	"3nhN0s8n+zvL4Vq4ariqXcHz2GCPdqW3ULoDQFzcO1LM3WwEq/+3IlgFDmOjJpNs " \
	"0L61Uhmu6PiBh71rmEAkmbVlFCEGCeZzlQd6sQc5WmRP+l4C/eT/8p6ZrVzGfYy5 " \
	"wlRn2ibZZZLDxEFaB+7vMSbwt6XZIuLjwyhZtCE+YEHlS2/lD31+fQsDsKR2pn+6 " \
	"f3Y5D6wgcn5XOzJENfy2rhCjGzFo8HASvyB2ExCkH5d9fVzbsvLJB7+3mO7u75G+ " \
	"v5GzsOlhW/RogDKjWexuaj9K1ys1LTxOFzMzuMpiWDC1fsnEjFp9PYlTYKxBBE44 " \
	"IQIDAQAB " \
	"-----END PUBLIC KEY----- "

static void fill_field(const struct sw_field *f, struct sw_answers *a, uint32_t *seed)
{
	char text[128];
	unsigned int n = 0;

	switch (f->type) {
	case SW_FIELD_CHOICE:
		while (f->choices[n])
			n++;
		assert_int_equal(sw_field_set(f, a, f->choices[next_random(seed) % n], NULL), 0);
		break;
	case SW_FIELD_TEXT:
		random_text(seed, text, sizeof(text));
		/* Fields with a rule of their own refuse most of it, and then stay as they were. */
		(void)sw_field_set(f, a, text, NULL);
		break;
	case SW_FIELD_DISKS:
		break;
	case SW_FIELD_CERTIFICATE:
		assert_int_equal(sw_field_set(f, a, f->check ? PUBLIC_KEY : CERTIFICATE, NULL),
				 0);
		break;
	default:
		assert_int_equal(sw_field_set(f, a, f->example, NULL), 0);
	}
}

static void fill_match(struct sw_answers *a, const char *group, uint32_t *seed)
{
	for (size_t i = 0; i < sw_n_fields; i++) {
		_cleanup_free_ char *key = NULL;

		if (sw_fields[i].home != SW_HOME_MATCH || next_random(seed) % 3)
			continue;
		key = sw_fmt("%s%s", group, strrchr(sw_fields[i].key, '.'));
		assert_int_equal(sw_answers_set(a, key, sw_fields[i].example, NULL), 0);
	}
}

/* Also alternatives that ask for nothing: what is written must be what is there. */
static void add_alternatives(struct sw_answers *a, struct sw_disk_choice *c, const char *disk,
			     uint32_t *seed)
{
	while (next_random(seed) % 2 && sw_disk_choice_add_match(c) == 0) {
		_cleanup_free_ char *group = sw_fmt("%s.match[%zu]", disk, c->n_match);

		fill_match(a, group, seed);
	}
}

static void add_more(struct sw_answers *a, uint32_t *seed)
{
	while (next_random(seed) % 2 && sw_answers_add_more(a) == 0) {
		_cleanup_free_ char *disk = sw_fmt("disk.more[%zu]", a->n_more);
		_cleanup_free_ char *match = sw_fmt("%s.match", disk);
		_cleanup_free_ char *wipe = sw_fmt("%s.wipe", disk);

		fill_match(a, match, seed);
		add_alternatives(a, &a->more[a->n_more - 1], disk, seed);
		assert_int_equal(sw_answers_set(a, wipe, "ours", NULL), 0);
	}
}

static void assert_copies(const struct sw_answers *a)
{
	_cleanup_answers_ struct sw_answers *b = NULL;
	char one[65], two[65];

	assert_int_equal(sw_answers_copy(a, &b, NULL), 0);
	assert_int_equal(a->disk.n_match, b->disk.n_match);
	assert_int_equal(a->n_more, b->n_more);
	for (size_t i = 0; i < a->n_more; i++)
		assert_int_equal(a->more[i].n_match, b->more[i].n_match);
	assert_int_equal(sw_answers_digest(a, one), 0);
	assert_int_equal(sw_answers_digest(b, two), 0);
	assert_string_equal(one, two);
}

static void test_whatever_is_accepted_survives_the_way_through_yaml(void **state SW_UNUSED)
{
	uint32_t seed = 7;

	for (unsigned int round = 0; round < 3000; round++) {
		_cleanup_answers_ struct sw_answers *a = sw_answers_new();

		for (size_t i = 0; i < sw_n_fields; i++)
			if (next_random(&seed) % 2)
				fill_field(&sw_fields[i], a, &seed);
		add_alternatives(a, &a->disk, "disk", &seed);
		add_more(a, &seed);
		assert_round_trips(a);
		assert_copies(a);
	}
}

static void test_every_value_has_a_key_of_its_own(void **state SW_UNUSED)
{
	static const char *const bad[] = {
		"disk.match[0].serial", "disk.match[3].serial", "disk.match[01].serial",
		"disk.match[17].serial", "disk.match[].serial", "disk.match[1]serial",
		"disk.match[1].", "disk.match[1]", "disk.more[2].wipe", "disk.more[1].layout",
		"disk.more.wipe", "disk.more[1].more[1].wipe", "disk.more[64].wipe",
		"disk.match[9999999999999999999].serial", "disk.layout[1]", "",
	};
	_cleanup_answers_ struct sw_answers *a = sw_answers_new();
	struct sw_error e = {};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (sw_answers_set(a, bad[i], "A", &e) == 0 || e.exit != SW_EXIT_INVALID)
			fail_msg("accepted: %s", bad[i]);
	assert_int_equal(a->n_more, 0);
	assert_int_equal(a->disk.n_match, 1);
	assert_int_equal(sw_answers_set(a, "disk.match[1].serial", "A", NULL), 0);
	assert_int_equal(sw_answers_set(a, "disk.match[2].size", "64G", NULL), 0);
	assert_int_equal(sw_answers_set(a, "disk.more[1].match.wwn", "V", NULL), 0);
	assert_int_equal(sw_answers_set(a, "disk.more[1].match[2].wwn", "W", NULL), 0);
	assert_int_equal(sw_answers_set(a, "disk.more[1].wipe", "any", NULL), 0);
	assert_string_equal(a->disk.match[0].serial, "A");
	assert_string_equal(a->disk.match[1].size, "64G");
	assert_string_equal(a->more[0].match[0].wwn, "V");
	assert_string_equal(a->more[0].match[1].wwn, "W");
	assert_int_equal(a->more[0].wipe, SW_WIPE_ANY);
}

static void test_lists_are_written_as_lists_and_read_as_text(void **state SW_UNUSED)
{
	const struct sw_field *f = sw_field_find("disk.preserve");
	_cleanup_answers_ struct sw_answers *a = sw_answers_new();
	_cleanup_free_ char *text = NULL, *yaml = NULL;
	struct sw_error e = {};

	assert_int_equal(sw_field_set(f, a, " state ,my data", NULL), 0);
	assert_string_equal(a->preserve[0], "state");
	assert_string_equal(a->preserve[1], "my data");
	text = sw_field_get(f, a);
	assert_string_equal(text, "state, my data");
	yaml = sw_answers_to_yaml(a);
	assert_non_null(strstr(yaml, "  preserve: [state, \"my data\"]\n"));
	assert_int_equal(sw_field_set(f, a, "state,,x", &e), -EINVAL);
	assert_string_equal(e.why, "an item of the list is empty");
	assert_int_equal(sw_field_set(f, a, "a,a", NULL), -EINVAL);
	assert_string_equal(a->preserve[1], "my data");
	assert_int_equal(sw_field_set(f, a, "", NULL), 0);
	assert_null(a->preserve);
}

static void test_one_disk_is_written_as_it_always_was(void **state SW_UNUSED)
{
	_cleanup_answers_ struct sw_answers *a =
		must_parse("slipway: 1\nnode: {hostname: n}\ndisk: {match: [{serial: A}], "
			   "wipe: any}\npayload: {kernel: /k, initrd: /i}\nfinish: stay\n");
	_cleanup_free_ char *yaml = sw_answers_to_yaml(a);
	char digest[65];

	assert_string_equal(yaml,
			    "# See slipway-answers(5), or \"slipway explain KEY\".\n"
			    "slipway: 1\nnode:\n  hostname: \"n\"\ndisk:\n  match:\n"
			    "    serial: A\n  layout: node\n"
			    "  wipe: any  # blank | ours | any\n"
			    "payload:\n  kernel: \"/k\"\n  initrd: \"/i\"\n"
			    "boot:\n  mode: local  # local | network | hands-off\n"
			    "admission:\n"
			    "  kind: none  # none | attest | homeworld | rke2 | k3s | kubeadm\n"
			    "finish: stay  # reboot | poweroff | stay | kexec\n");
	assert_int_equal(sw_answers_digest(a, digest), 0);
	assert_memory_equal(digest, "8ccf1b232e60a72e184bde4e26a6c281", 32);
}

static void test_the_digest_depends_on_every_field_of_the_node(void **state SW_UNUSED)
{
	static const char *const other[] = { "2", "other", ">=7G", "ours", "hands-off", "attest",
					     "make", "derive",
					     "order", "pxe", "52:54:00:12:34:56",
					     "stay", "https://other.example/x", "rename", "ignore",
					     "server",
					     "/etc/other", "0600",
					     "use", "always", "drop", "strict", "sata",
					     "http://other.example:1",
					     "udp://log.example", "failed", "60", "4093",
					     "192.0.2.9", "192.0.2.9/24", "balance-rr",
					     CERTIFICATE, PUBLIC_KEY, "escrow", "/other/file",
					     "00000000-0000-4000-8000-000000000001", "yes",
		"0000000000000000000000000000000000000000000000000000000000000000", "none",
		("sha256:"
		 "0000000000000000000000000000000000000000000000000000000000000000"),
		("ssh-ed25519 "
		 "AAAAC3NzaC1lZDI1NTE5AAAAIBlAYunT+OL353ffrga6NFifox3kUbvD5EbGavJ/EDZP") };
	_cleanup_answers_ struct sw_answers *a = must_parse(MINIMAL);
	char before[65], after[65];

	assert_int_equal(sw_answers_digest(a, before), 0);
	for (size_t i = 1; i < sw_n_fields; i++) {
		size_t k = 0;

		if (sw_fields[i].type == SW_FIELD_DISKS)
			continue;
		while (k < ARRAY_SIZE(other) && sw_field_set(&sw_fields[i], a, other[k], NULL) < 0)
			k++;
		assert_true(k < ARRAY_SIZE(other));
		assert_int_equal(sw_answers_digest(a, after), 0);
		assert_int_equal(strcmp(before, after) == 0, sw_fields[i].passing);
		memcpy(before, after, sizeof(before));
	}
}

#define ADDED "panic=10 watchdog.open_timeout=300"

static void test_the_nodes_command_line_names_the_server_only_when_asked(void **state SW_UNUSED)
{
	_cleanup_answers_ struct sw_answers *a = must_parse(
		MINIMAL "admission: {kind: attest, url: https://attest.example/v1}\n");
	_cleanup_free_ char *alone = sw_answers_node_cmdline(a), *both = NULL, *none = NULL;
	_cleanup_free_ char *consoles = NULL;

	assert_string_equal(alone, ADDED " ember.attest_url=https://attest.example/v1");
	assert_int_equal(sw_field_set(sw_field_find("payload.cmdline"), a, "quiet", NULL), 0);
	both = sw_answers_node_cmdline(a);
	assert_string_equal(both, "quiet " ADDED " ember.attest_url=https://attest.example/v1");
	assert_int_equal(sw_field_set(sw_field_find("admission.kind"), a, "none", NULL), 0);
	none = sw_answers_node_cmdline(a);
	assert_string_equal(none, "quiet " ADDED);
	assert_int_equal(sw_field_set(sw_field_find("console"), a, "tty0, ttyS0:115200n8", NULL),
			 0);
	consoles = sw_answers_node_cmdline(a);
	assert_string_equal(consoles, "quiet console=tty0 console=ttyS0,115200n8 " ADDED);
}

static void test_explain_knows_keys_groups_and_slips(void **state SW_UNUSED)
{
	_cleanup_free_ char *one = sw_answers_explain("disk.wipe");
	_cleanup_free_ char *group = sw_answers_explain("disk");
	_cleanup_free_ char *all = sw_answers_explain(NULL), *slip = sw_answers_suggest("disk.wip");

	assert_non_null(strstr(one, "blank, ours, any"));
	assert_non_null(strstr(one, "default:  blank"));
	assert_non_null(strstr(group, "disk.match.serial"));
	assert_null(strstr(group, "payload."));
	for (size_t i = 0; i < sw_n_fields; i++)
		assert_non_null(strstr(all, sw_fields[i].key));
	for (const char *p = all; *p; p += strcspn(p, "\n") + 1)
		assert_true(strcspn(p, "\n") <= 79);
	assert_null(sw_answers_explain("nonsense"));
	assert_null(sw_answers_explain("dis"));
	assert_string_equal(slip, "disk.wipe");
}

static void test_the_manual_has_every_key_and_the_sections(void **state SW_UNUSED)
{
	static const char *const sections[] = { ".Sh NAME", ".Sh DESCRIPTION", ".Sh EXAMPLE",
						".Sh KEYS", ".Sh FILES", ".Sh SEE ALSO" };
	_cleanup_free_ char *text = sw_answers_manual();

	for (size_t i = 0; i < ARRAY_SIZE(sections); i++)
		assert_non_null(strstr(text, sections[i]));
	for (size_t i = 0; i < sw_n_fields; i++) {
		const char *key = sw_fields[i].key, *dash = strchr(key, '-');
		/* A bare dash would be set as a hyphen, which nobody can paste. */
		_cleanup_free_ char *item = sw_fmt(".It Cm \"%.*s%s%s\"\n",
						   (int)strcspn(key, "-"), key, dash ? "\\-" : "",
						   dash ? dash + 1 : "");

		assert_non_null(strstr(text, item));
	}
	/* A line that starts with a dot is a request: no prose may. */
	for (const char *p = text; *p; p += strcspn(p, "\n") + 1)
		assert_true(*p != '\'' &&
			    (*p != '.' || (p[1] >= 'A' && p[1] <= 'Z') || p[1] == '\\'));
	/* A quote in an argument of a request would end it there. */
	for (const char *p = text; *p; p += strcspn(p, "\n") + 1) {
		size_t quotes = 0;

		for (const char *q = p; *q != '\n'; q++)
			quotes += *q == '"';
		assert_true(*p != '.' || p[1] == '\\' || quotes == 0 || quotes == 2);
	}
}

static void test_what_was_asked_counts_as_the_same_answers(void **state SW_UNUSED)
{
	_cleanup_answers_ struct sw_answers *wanted = sw_answers_new(), *done = NULL, *other = NULL;

	assert_int_equal(sw_answers_set(wanted, "node.hostname", "node-07", NULL), 0);
	assert_int_equal(sw_answers_leave_open(wanted, "disk.match.serial", NULL), 0);
	assert_round_trips(wanted);
	assert_int_equal(sw_answers_copy(wanted, &done, NULL), 0);
	assert_int_equal(sw_answers_copy(wanted, &other, NULL), 0);
	/* An answer closes the question; what was installed has none. */
	assert_int_equal(sw_answers_set(done, "disk.match.serial", "NODE07SYS", NULL), 0);
	assert_null(done->open);
	assert_true(sw_answers_same(done, wanted));
	assert_false(sw_answers_same(wanted, done));
	assert_int_equal(sw_answers_set(other, "disk.match.serial", "NODE07SYS", NULL), 0);
	assert_int_equal(sw_answers_set(other, "node.hostname", "node-08", NULL), 0);
	assert_false(sw_answers_same(other, wanted));
	/* What changes nothing of the node makes no other answers. */
	assert_int_equal(sw_answers_set(done, "report.log", "/var/log/slipway", NULL), 0);
	assert_int_equal(sw_answers_set(done, "report.webhooks.url", "https://x.example/y", NULL),
			 0);
	assert_int_equal(sw_answers_set(done, "hooks.after", "/after", NULL), 0);
	assert_int_equal(sw_answers_set(done, "finish", "stay", NULL), 0);
	assert_true(sw_answers_same(done, wanted));
	assert_int_equal(sw_answers_set(done, "payload.cmdline", "quiet", NULL), 0);
	assert_false(sw_answers_same(done, wanted));
}

static void test_the_manuals_example_is_a_valid_answer_file(void **state SW_UNUSED)
{
	_cleanup_free_ char *text = sw_answers_manual(), *yaml = NULL;
	_cleanup_answers_ struct sw_answers *a = NULL;
	struct sw_error e = {};
	char *start = strstr(text, ".Bd -literal -offset indent\n"), *to;

	assert_non_null(start);
	start = strchr(start, '\n') + 1;
	yaml = strndup(start, (size_t)(strstr(start, ".Ed\n") - start));
	to = yaml;
	for (const char *p = yaml; *p; p++)
		if (*p != '\\')
			*to++ = *p;
	*to = '\0';
	if (judge(yaml, strlen(yaml), "example", &a, &e) < 0)
		fail_msg("%s: %s", e.where, e.what);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_file_in_accept_is_accepted_and_round_trips),
		cmocka_unit_test(test_every_file_in_refuse_gets_its_one_message_and_place),
		cmocka_unit_test(test_the_issues_file_means_what_it_says),
		cmocka_unit_test(test_all_errors_of_a_file_are_collected),
		cmocka_unit_test(test_all_missing_answers_are_listed),
		cmocka_unit_test(test_without_a_payload_only_kernel_and_initrd_are_wanted),
		cmocka_unit_test(test_a_file_that_cannot_be_read_is_one_error),
		cmocka_unit_test(test_a_value_typed_over_loses_its_place_in_the_file),
		cmocka_unit_test(test_a_missing_file_is_missing_and_not_invalid),
		cmocka_unit_test(test_whatever_is_accepted_survives_the_way_through_yaml),
		cmocka_unit_test(test_every_value_has_a_key_of_its_own),
		cmocka_unit_test(test_lists_are_written_as_lists_and_read_as_text),
		cmocka_unit_test(test_one_disk_is_written_as_it_always_was),
		cmocka_unit_test(test_the_digest_depends_on_every_field_of_the_node),
		cmocka_unit_test(test_the_nodes_command_line_names_the_server_only_when_asked),
		cmocka_unit_test(test_explain_knows_keys_groups_and_slips),
		cmocka_unit_test(test_a_rule_about_several_keys_waits_for_no_other_mistake),
		cmocka_unit_test(test_the_hint_says_what_was_meant),
		cmocka_unit_test(test_the_manual_has_every_key_and_the_sections),
		cmocka_unit_test(test_what_was_asked_counts_as_the_same_answers),
		cmocka_unit_test(test_the_manuals_example_is_a_valid_answer_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
