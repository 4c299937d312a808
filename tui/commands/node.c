/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `slipway node config DIR` gives a running node what was kept for it, as files;
 * `slipway node set KEY=VALUE` changes it. Only the node data is written, never
 * a slot. Values that others must not see come from files (KEY=@FILE), so that
 * no list of processes shows them.
 */
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "boot/node.h"
#include "boot/nodedata.h"
#include "boot/nodefiles.h"
#include "net/trust.h"
#include "payload/trust.h"
#include "plan/network.h"
#include "boot/secrets.h"
#include "tui/commands/common.h"
#include "tui/commands/list.h"

#define KEY_MAX 64
#define VALUE_MAX (256u << 10)
#define ATTEST "attest_url"
#define ATTEST_CA "attest_ca"
#define ATTEST_PIN "attest_pin"
#define ATTEST_PROTOCOL "attest_protocol"

struct view {
	struct sw_target t;
	struct sw_node node;
};

static void view_clear(struct view *v)
{
	sw_node_clear(&v->node);
	sw_target_clear(&v->t);
}

/* On a disk, else in the firmware. */
static int find_node(const struct sw_cli *cli, struct view *v, struct sw_error *err)
{
	const char *disk = sw_arg(&cli->args, 'd');
	struct sw_error e = {};
	int r = sw_node_find(v->t.m, v->t.f, disk, &v->node, &e);

	if (r == -ENOENT && !disk && sw_node_read_variable(v->t.m, &v->node) == 0)
		return 0;
	if (r < 0 && err)
		*err = e;
	return r;
}

static int open_node(const struct sw_cli *cli, struct view *v, struct sw_error *err)
{
	int r = sw_target_open(cli, &v->t, err);

	if (r == 0)
		r = find_node(cli, v, err);
	if (r < 0 || v->node.data)
		return r;
	sw_fail(err, SW_EXIT_MISSING, -ENOENT, "the node has no node data");
	sw_error_where(err, "%s", v->node.disk->name);
	sw_error_hint(err, "an install writes it; both copies are missing or damaged here");
	return -ENOENT;
}

/* ---- node config ---- */

static int put_file(const char *dir, const char *name, const char *text, const char *end,
		    json_object *list, struct sw_error *err)
{
	_cleanup_free_ char *path = sw_fmt("%s/%s", dir, name), *all = sw_fmt("%s%s", text, end);
	int r;

	if (!path || !all)
		return sw_fail_oom(err);
	r = sw_file_write(path, all, strlen(all), 0600);
	if (r < 0) {
		sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot write the configuration");
		sw_error_where(err, "%s", path);
		return r;
	}
	json_object_array_add(list, json_object_new_string(name));
	return 0;
}

static int put_values(const char *dir, json_object *data, json_object *list, struct sw_error *err)
{
	_cleanup_free_ char *sub = sw_fmt("%s/config", dir);
	json_object *config = sw_json_get(data, "config");
	int r = sub ? 0 : -ENOMEM;

	if (!config || !json_object_is_type(config, json_type_object))
		return 0;
	if (r == 0)
		r = sw_mkdir_all(sub, 0700);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot make %s/config", dir);
	json_object_object_foreach(config, key, value) {
		_cleanup_free_ char *name = sw_fmt("config/%s", key);

		if (r < 0 || strchr(key, '/') || key[0] == '.')
			continue;	/* never out of DIR, whatever the node data says */
		r = name ? put_file(dir, name, json_object_get_string(value), "", list, err)
			 : sw_fail_oom(err);
	}
	return r;
}

/* Sealed: only the node's TPM opens them, `slipway secret open` or systemd-creds. */
static int put_secrets(const char *dir, json_object *data, json_object *list, struct sw_error *err)
{
	_cleanup_free_ char *sub = sw_fmt("%s/credentials", dir);
	json_object *all = sw_secrets_of(data);
	int r = !sub ? -ENOMEM : all ? sw_mkdir_all(sub, 0700) : 0;

	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot make %s/credentials", dir);
	if (!all)
		return 0;
	json_object_object_foreach(all, name, entry) {
		_cleanup_free_ char *file = sw_fmt("credentials/%s.cred", name);
		const char *text = sw_json_str(entry, "credential", NULL);

		if (r < 0 || !text || !sw_credential_is_name(name))
			continue;
		r = file ? put_file(dir, file, text, "\n", list, err) : sw_fail_oom(err);
	}
	return r;
}

/*
 * The overlay belongs to one image: only the system that was started from the
 * slot which names it gets it. *ret_slot is left alone when that is not known.
 */
static int running_slot(struct view *v, size_t *ret_slot, bool *ret_found, struct sw_error *err)
{
	_cleanup_varset_ struct sw_varset set = { .next = -1 };
	struct sw_varstore *store = NULL;
	char why[200];
	int r;

	*ret_found = false;
	if (!v->t.vars)		/* BIOS, or no variables: nothing says what was started */
		return 0;
	r = sw_machine_vars(v->t.m, &store, err);
	if (r < 0)
		return r;
	if (sw_varset_load(v->t.vars, &set) < 0)
		return sw_fail(err, SW_EXIT_FAILED, -EINVAL, "cannot decode the boot variables");
	*ret_found = sw_node_road(store, &set, &v->node, v->t.f->boot.current, ret_slot, why) ==
		     SW_ROAD_SLOT;
	return 0;
}

static int put_overlay(struct view *v, const char *dir, json_object *list, struct sw_error *err)
{
	_cleanup_free_ char *path = sw_fmt("%s/overlay", dir);
	_cleanup_kept_ struct sw_kept o = {};
	bool found = false;
	size_t slot = 0;
	int r = path ? running_slot(v, &slot, &found, err) : sw_fail_oom(err);

	if (r < 0)
		return r;
	(void)unlink(path);	/* of an earlier start: not this image's */
	if (!found || !v->node.slots[slot].m.overlay[0])
		return 0;
	r = sw_node_overlay(v->t.m, &v->node, slot, &o, err);
	if (r == 0)
		r = sw_file_write(path, o.data, o.len, 0600);
	if (r < 0) {
		sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot give out the overlay");
		sw_error_where(err, "%s", path);
		return r;
	}
	json_object_array_add(list, json_object_new_string("overlay"));
	return 0;
}

/* What the attestation server is known by. */
static int put_trust(const char *dir, json_object *attest, json_object *list, struct sw_error *err)
{
	const char *ca = sw_json_str(attest, "ca", NULL), *pin = sw_json_str(attest, "pin", NULL);
	_cleanup_free_ char *pem = ca ? sw_pem_lines(ca) : NULL;
	int r = 0;

	if (ca && !pem)
		return sw_fail_oom(err);
	if (pem)
		r = put_file(dir, ATTEST_CA, pem, "", list, err);
	return r == 0 && pin ? put_file(dir, ATTEST_PIN, pin, "\n", list, err) : r;
}

static int put_words(const char *dir, const char *name, json_object *words, json_object *list,
		     struct sw_error *err)
{
	_cleanup_buf_ struct sw_buf b = {};
	size_t n = words ? json_object_array_length(words) : 0;
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = sw_buf_addf(&b, "%s\n",
				json_object_get_string(json_object_array_get_idx(words, i)));
	if (r < 0)
		return sw_fail_oom(err);
	return n ? put_file(dir, name, sw_buf_text(&b), "", list, err) : 0;
}

/* networkd is not root, and has to read what is copied to /run/systemd/network. */
static int put_links(const char *dir, json_object *files, json_object *list, struct sw_error *err)
{
	_cleanup_free_ char *sub = sw_fmt("%s/network", dir);
	int r = sub ? sw_mkdir_all(sub, 0755) : -ENOMEM;

	json_object_object_foreach(files, name, text) {
		_cleanup_free_ char *shown = sw_fmt("network/%s", name);
		_cleanup_free_ char *path = sw_fmt("%s/%s", dir, shown ? shown : "");

		if (r == 0)
			r = shown && path ? sw_file_write(path, json_object_get_string(text),
							  strlen(json_object_get_string(text)),
							  0644) : -ENOMEM;
		if (r == 0)
			json_object_array_add(list, json_object_new_string(shown));
	}
	return r < 0 ? sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot write %s/network", dir) : 0;
}

static int put_network(const char *dir, json_object *data, json_object *list, struct sw_error *err)
{
	json_object *network = sw_json_get(data, "network_config");
	const char *proxy = sw_json_str(network, "proxy", NULL);
	int r = 0;

	if (!network || !sw_plan_network_is_sound(network))
		return 0;
	if (sw_json_get(network, "files"))
		r = put_links(dir, sw_json_get(network, "files"), list, err);
	if (r == 0 && proxy)
		r = put_file(dir, "proxy", proxy, "\n", list, err);
	if (r == 0)
		r = put_words(dir, "no_proxy", sw_json_array(network, "no_proxy"), list, err);
	return r < 0 ? r : put_words(dir, "ntp", sw_json_array(network, "ntp"), list, err);
}

/*
 * Who the node is for ssh, and who may log in. The host key's private half is among the
 * credentials.
 */
static int put_ssh(const char *dir, json_object *data, json_object *list, struct sw_error *err)
{
	_cleanup_free_ char *sub = sw_fmt("%s/ssh", dir);
	json_object *keys = sw_json_array(data, "ssh_authorized_keys");
	const char *host = sw_json_str(data, "ssh_host_key", NULL);
	int r = !sub ? -ENOMEM : keys || host ? sw_mkdir_all(sub, 0700) : 0;

	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot make %s/ssh", dir);
	if (keys)
		r = put_words(dir, "ssh/authorized_keys", keys, list, err);
	if (r == 0 && host)
		r = put_file(dir, "ssh/" SW_SECRET_HOST_KEY ".pub", host, "\n", list, err);
	return r;
}

static int write_config(const char *dir, json_object *data, json_object *list,
			struct sw_error *err)
{
	const char *host = sw_json_str(data, "hostname", NULL);
	const char *machine = sw_json_str(data, "machine_id", NULL);
	const char *url = sw_json_str(sw_nodedata_admission(data, "attest"), "url", NULL);
	const char *all = json_object_to_json_string_ext(data, JSON_C_TO_STRING_PRETTY |
							       JSON_C_TO_STRING_NOSLASHESCAPE);
	int r = sw_mkdir_all(dir, 0700);

	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "cannot make %s", dir);
	r = put_file(dir, "node.json", all, "\n", list, err);
	if (r == 0 && host)
		r = put_file(dir, "hostname", host, "\n", list, err);
	if (r == 0 && machine)
		r = put_file(dir, "machine-id", machine, "\n", list, err);
	if (r == 0)
		r = put_ssh(dir, data, list, err);
	if (r == 0 && url)
		r = put_file(dir, ATTEST, url, "\n", list, err);
	if (r == 0)
		r = put_trust(dir, sw_nodedata_admission(data, "attest"), list, err);
	if (r == 0)
		r = put_network(dir, data, list, err);
	if (r == 0)
		r = sw_node_files_write(data, dir, list, err);
	if (r == 0)
		r = put_values(dir, data, list, err);
	return r < 0 ? r : put_secrets(dir, data, list, err);
}

static int run_config(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_json_ json_object *o = json_object_new_object();
	json_object *list = json_object_new_array();
	_cleanup_(view_clear) struct view v = {};
	const char *dir = cli->args.rest[0];
	int r;

	sw_json_add_str(o, "directory", dir);
	sw_json_add(o, "files", list);
	r = open_node(cli, &v, err);
	if (r == 0)
		r = write_config(dir, v.node.data, list, err);
	if (r == 0)
		r = put_overlay(&v, dir, list, err);
	if (r < 0)
		return r;
	if (cli->json) {
		sw_print_json(o);
		return 0;
	}
	for (size_t i = 0; i < json_object_array_length(list); i++)
		printf("%s/%s\n", dir,
		       json_object_get_string(json_object_array_get_idx(list, i)));
	return 0;
}

/* ---- node set ---- */

static bool is_key(const char *key, size_t len)
{
	if (len == 0 || len > KEY_MAX || key[0] < 'a' || key[0] > 'z')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789_-.", key[i]))
			return false;
	return true;
}

/* What others own: an install, the switch, rollback. */
static bool is_reserved(const char *key)
{
	static const char *const words[] = { "slipway_node", "mode", "strategy", "network",
		"admission", "rolled_back", "answers_sha256", "seed", "slots",
		"installed", "config", "ipxe", "secrets", "network_config",
		"machine_id", "ssh_authorized_keys", "ssh_host_key", "files" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(key, words[i]) == 0)
			return true;
	return false;
}

static int read_value(const char *text, char **ret_value, struct sw_error *err)
{
	_cleanup_buf_ struct sw_buf b = { .max = VALUE_MAX };
	char *s;
	int r;

	if (*text != '@') {
		*ret_value = strdup(text);
		return *ret_value ? 0 : sw_fail_oom(err);
	}
	r = sw_file_read(text + 1, &b);
	if (r == 0 && strlen(sw_buf_text(&b)) != b.len)
		r = -EILSEQ;	/* JSON keeps text; a NUL would cut it short */
	for (size_t at = 0, n; r == 0 && at < b.len; at += n) {
		uint32_t c;

		n = sw_utf8_decode((const char *)b.data + at, b.len - at, &c);
		if (n == 0)
			r = -EILSEQ;
	}
	if (r < 0) {
		sw_fail_errno(err, SW_EXIT_USAGE, r, "the value cannot be taken");
		sw_error_where(err, "%s", text + 1);
		sw_error_hint(err, "a text file of at most 256 KiB; encode other content");
		return r;
	}
	s = b.data ? sw_buf_steal(&b) : strdup("");
	if (!s)
		return sw_fail_oom(err);
	*ret_value = s;
	return 0;
}

static int check_url(const char *url, struct sw_error *err)
{
	if (strncmp(url, "https://", 8) == 0 && url[8] && !strpbrk(url, " \t\"'\\") &&
	    sw_text_is_clean(url))
		return 0;
	sw_fail(err, SW_EXIT_USAGE, -EINVAL, ATTEST " is not an https:// address");
	sw_error_hint(err, "the node sends its evidence there: " ATTEST
			   "=https://attest.example/v1");
	return -EINVAL;
}

static int set_attestation(json_object *data, const char *url, struct sw_error *err)
{
	json_object *o = sw_nodedata_admission(data, "attest");
	json_object *list = sw_json_array(data, "admission");
	int r = check_url(url, err);

	if (r < 0)
		return r;
	if (!list) {
		list = json_object_new_array();
		sw_json_add(data, "admission", list);
	}
	if (!o) {
		o = json_object_new_object();
		sw_json_add_str(o, "kind", "attest");
		json_object_array_add(list, o);
	}
	sw_json_add_str(o, "url", url);
	return 0;
}

/* What the server is known by, and the exchange; checked as in answers, empty takes it away. */
static int set_server(json_object *data, const char *key, const char *value, struct sw_error *err)
{
	const char *name = key + strlen("attest_");
	_cleanup_free_ char *of_answers = sw_fmt("admission.%s", name);
	const struct sw_field *f = of_answers ? sw_field_find(of_answers) : NULL;
	_cleanup_answers_ struct sw_answers *a = sw_answers_new();
	json_object *o = sw_nodedata_admission(data, "attest");
	int r;

	if (!a || !f)
		return sw_fail_oom(err);
	if (!o) {
		sw_fail(err, SW_EXIT_USAGE, -ENOENT, "the node has no attestation server");
		sw_error_hint(err, "set " ATTEST " first");
		return -ENOENT;
	}
	if (!*value) {
		json_object_object_del(o, name);
		return 0;
	}
	r = sw_field_set(f, a, value, err);
	if (r == 0)
		sw_json_add_str(o, name,
				strcmp(key, ATTEST_CA) == 0 ? a->admission[0].ca
				: strcmp(key, ATTEST_PIN) == 0
					? a->admission[0].pin
					: sw_attest_protocol_name(a->admission[0].protocol));
	return r;
}

/* "none", or public keys, one a line; empty takes all trust away. */
static int set_trust(json_object *data, const char *value, struct sw_error *err)
{
	_cleanup_trust_ struct sw_trust t = { .none = strcmp(value, "none") == 0, .threshold = 1 };
	int r = 0;

	if (!t.none && *value)
		r = sw_trust_parse_keys(value, strlen(value), "trust", &t.keys, err);
	if (r == 0)
		r = sw_trust_check(&t, err);
	if (r < 0) {
		sw_error_hint(err, "trust=@FILE with SSH public keys one a line, or trust=none");
		return r;
	}
	json_object_object_del(data, "trust");
	if (*value)
		sw_json_add(data, "trust", sw_trust_to_json(&t));
	return 0;
}

static int set_threshold(json_object *data, const char *value, struct sw_error *err)
{
	_cleanup_trust_ struct sw_trust t = {};
	char *end = NULL;
	unsigned long n = strtoul(value, &end, 10);
	int r = sw_trust_from_json(sw_json_get(data, "trust"), &t);

	if (r < 0)
		return sw_fail_oom(err);
	if (end == value || *end || n == 0 || n > SW_TRUST_KEYS_MAX || !sw_trust_asks(&t)) {
		sw_fail(err, SW_EXIT_USAGE, -EINVAL, "this is no number of keys");
		sw_error_hint(err, "set trust=@FILE first, then from 1 to the number of its keys");
		return -EINVAL;
	}
	t.threshold = (unsigned int)n;
	r = sw_trust_check(&t, err);
	if (r == 0)
		sw_json_add(data, "trust", sw_trust_to_json(&t));
	return r;
}

static bool is_hostname(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && n <= 64 && s[0] != '-' && s[n - 1] != '-' && s[0] != '.' &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.") == n;
}

static void set_config(json_object *data, const char *key, const char *value)
{
	json_object *config = sw_json_get(data, "config");

	if (!config || !json_object_is_type(config, json_type_object)) {
		config = json_object_new_object();
		sw_json_add(data, "config", config);
	}
	if (*value)
		sw_json_add_str(config, key, value);
	else
		json_object_object_del(config, key);
}

/* Whatever else is set may be a secret, and what needs a slot needs a disk. */
static int refuse_on_variable(const char *key, struct sw_error *err)
{
	if (strcmp(key, "hostname") == 0 || strcmp(key, ATTEST) == 0 ||
	    strcmp(key, ATTEST_PIN) == 0 || strcmp(key, ATTEST_PROTOCOL) == 0)
		return 0;
	sw_fail(err, SW_EXIT_REFUSED, -EPERM, "%s cannot be kept for a node without a disk", key);
	sw_error_why(err, "its node data are an EFI variable, which everybody on the node can "
			  "read, so that no secret may be in it, and which has little room");
	sw_error_hint(err, "hostname, " ATTEST ", " ATTEST_PIN " and " ATTEST_PROTOCOL " can be "
			   "set; what else the node needs has to come over the network");
	return -EPERM;
}

static int set_one(json_object *data, const char *word, bool on_disk, struct sw_error *err)
{
	_cleanup_free_ char *key = NULL, *value = NULL;
	const char *equals = strchr(word, '=');
	int r;

	if (!equals || !is_key(word, (size_t)(equals - word))) {
		sw_fail(err, SW_EXIT_USAGE, -EINVAL, "\"%.*s\" is not KEY=VALUE",
			(int)strcspn(word, "="), word);
		sw_error_hint(err, "a key has a-z, 0-9, _, - and ., and begins with a letter");
		return -EINVAL;
	}
	key = strndup(word, (size_t)(equals - word));
	if (!key)
		return sw_fail_oom(err);
	if (is_reserved(key)) {
		sw_fail(err, SW_EXIT_REFUSED, -EPERM, "%s is not set by hand", key);
		sw_error_hint(err, "the mode is `slipway mode`'s, the rest an install's");
		return -EPERM;
	}
	r = on_disk ? 0 : refuse_on_variable(key, err);
	if (r == 0)
		r = read_value(equals + 1, &value, err);
	if (r < 0)
		return r;
	if (strcmp(key, ATTEST) == 0)
		return set_attestation(data, value, err);
	if (strcmp(key, ATTEST_CA) == 0 || strcmp(key, ATTEST_PIN) == 0 ||
	    strcmp(key, ATTEST_PROTOCOL) == 0)
		return set_server(data, key, value, err);
	if (strcmp(key, "trust") == 0)
		return set_trust(data, value, err);
	if (strcmp(key, "trust_threshold") == 0)
		return set_threshold(data, value, err);
	if (strcmp(key, "hostname") != 0) {
		set_config(data, key, value);
		return 0;
	}
	if (!is_hostname(value)) {
		sw_fail(err, SW_EXIT_USAGE, -EINVAL, "\"%.64s\" is not a host name", value);
		sw_error_hint(err, "letters, digits, - and ., at most 64; it cannot be removed");
		return -EINVAL;
	}
	sw_json_add_str(data, key, value);
	return 0;
}

static int run_set(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_(view_clear) struct view v = {};
	_cleanup_json_ json_object *old = NULL;
	int r = open_node(cli, &v, err);
	bool same;

	if (r < 0)
		return r;
	if (json_object_deep_copy(v.node.data, &old, NULL) < 0)
		return sw_fail_oom(err);
	for (int i = 0; r == 0 && i < cli->args.n_rest; i++)
		r = set_one(v.node.data, cli->args.rest[i], v.node.disk, err);
	same = r == 0 && json_object_equal(old, v.node.data);
	if (r == 0 && !same)
		r = sw_node_write_data(v.t.m, &v.node, err);
	if (r < 0)
		return r;
	if (cli->json) {
		_cleanup_json_ json_object *o = json_object_new_object();

		sw_json_add_bool(o, "written", !same);
		sw_print_json(o);
	} else {
		printf("%s\n", same ? "Nothing to write." : "Written and read back.");
	}
	return 0;
}

static const struct sw_opt opts[] = {
	{ 'd', "disk", "NAME", "the node's disk, when several have one" },
	{ 0, NULL, NULL, NULL },
};

const struct sw_command sw_command_node_config = {
	.name = "node config",
	.summary = "Write what is kept for this node as files into a directory",
	.operands = "DIR",
	.min_rest = 1,
	.max_rest = 1,
	.opts = opts,
	.details = "node.json, hostname, machine-id, attest_url, attest_ca and attest_pin,\n"
		   "ssh/authorized_keys and the host key's .pub beside it, one file below\n"
		   "config/ for each key that `slipway node set` made, credentials/NAME.cred for\n"
		   "each sealed secret (systemd-creds decrypts them), and the overlay\n"
		   "when the running image was started from the slot that it was promoted with.\n"
		   "Files 0600, directories 0700.",
	.run = run_config,
};

const struct sw_command sw_command_node_set = {
	.name = "node set",
	.summary = "Change what is kept for this node; no slot is written",
	.operands = "KEY=VALUE...",
	.min_rest = 1,
	.max_rest = -1,
	.opts = opts,
	.details = "hostname, attest_url, attest_ca and attest_pin (what its server is known by),\n"
		   "attest_protocol (strict, plain or auto),\n"
		   "trust (SSH public keys one a line, or none),\n"
		   "trust_threshold (how many of them must sign), or any other key for config/.\n"
		   "KEY=@FILE takes the value from a text file, which keeps it out of the list\n"
		   "of processes; KEY= removes.",
	.run = run_set,
};
