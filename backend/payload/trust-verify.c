/* SPDX-License-Identifier: Apache-2.0 */
/* Verifying signatures with ssh-keygen: which key made one, and whether it fits the file. */
#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/proc.h"
#include "base/strv.h"
#include "payload/trust.h"

#define TIMEOUT_S 300
#define BEGIN "-----BEGIN SSH SIGNATURE-----"
#define NAME_LEN 80
#define END "-----END SSH SIGNATURE-----"

/* Where a word stands in bytes that may hold NULs. */
static const char *find(const char *text, size_t len, const char *word)
{
	return memmem(text, len, word, strlen(word));
}

int sw_trust_split(const char *text, size_t len, char ***ret_signatures)
{
	_cleanup_strv_ char **list = NULL;
	const char *end = text + len;

	for (size_t n = 0;; n++) {
		const char *first = find(text, (size_t)(end - text), BEGIN), *last;
		_cleanup_free_ char *block = NULL;

		last = first ? find(first, (size_t)(end - first), END) : NULL;
		if (!last)
			break;
		if (n == SW_TRUST_SIGNATURES_MAX)
			return -E2BIG;
		text = last + strlen(END);
		if (memchr(first, '\0', (size_t)(text - first)))
			continue;
		block = sw_fmt("%.*s\n", (int)(text - first), first);
		if (!block || sw_strv_add(&list, block) < 0)
			return -ENOMEM;
	}
	if (!list)
		return -ENOENT;
	*ret_signatures = TAKE_PTR(list);
	return 0;
}

struct check {
	const struct sw_trust *t;
	const char *name_space, *file;
	char *dir, *allowed, *signature;
	bool good[SW_TRUST_KEYS_MAX];
	struct sw_buf bad;	/* what was wrong with those that do not count */
};

static void check_clear(struct check *c)
{
	if (c->dir)
		(void)sw_remove_tree(c->dir);
	free(c->dir);
	free(c->allowed);
	free(c->signature);
	sw_buf_clear(&c->bad);
}

/* One line a key: "key0 ssh-ed25519 AAAA…", so that a principal is an index. */
static int write_allowed(struct check *c)
{
	_cleanup_buf_ struct sw_buf b = {};
	int r = 0;

	for (size_t i = 0; r == 0 && c->t->keys[i]; i++)
		r = sw_buf_addf(&b, "key%zu namespaces=\"%s\" %s\n", i, c->name_space,
				c->t->keys[i]);
	return r < 0 ? r : sw_file_write(c->allowed, b.data, b.len, 0600);
}

static int missing_tool(int r, struct sw_error *err)
{
	sw_fail(err, SW_EXIT_MISSING, r, "signatures cannot be verified");
	sw_error_why(err, "the program ssh-keygen is not there");
	sw_error_hint(err, "install OpenSSH's client (Debian: openssh-client)");
	return r;
}

/* The key that made the signature; -EKEYREJECTED: none of ours. */
static int who_signed(const struct check *c, size_t *ret_key, struct sw_error *err)
{
	const char *argv[] = { "ssh-keygen", "-Y", "find-principals", "-s", c->signature, "-f",
			       c->allowed, NULL };
	_cleanup_buf_ struct sw_buf out = {};
	int r = sw_proc_run(argv, NULL, TIMEOUT_S, &out);
	const char *text = sw_buf_text(&out);
	char *end = NULL;
	unsigned long n;

	if (r == -ENOENT)
		return missing_tool(r, err);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "ssh-keygen cannot be run");
	if (strstr(text, "No user exists")) {
		sw_fail(err, SW_EXIT_MISSING, -ENOENT, "signatures cannot be verified");
		sw_error_why(err, "ssh-keygen wants to know whose process it is");
		sw_error_hint(err, "give the system an /etc/passwd with a line for root");
		return -ENOENT;
	}
	if (r != 0 || strncmp(text, "key", 3) != 0)
		return -EKEYREJECTED;
	n = strtoul(text + 3, &end, 10);
	if (end == text + 3 || n >= sw_strv_len(c->t->keys))
		return -EKEYREJECTED;
	*ret_key = n;
	return 0;
}

static int fits(const struct check *c, size_t key, bool *ret_fits)
{
	_cleanup_close_ int fd = open(c->file, O_RDONLY | O_CLOEXEC);
	char principal[32];
	const char *argv[] = { "ssh-keygen", "-Y", "verify", "-f", c->allowed, "-I", principal,
			       "-n", c->name_space, "-s", c->signature, NULL };
	struct sw_proc p = { .argv = argv, .timeout_s = TIMEOUT_S, .stdin_fd = fd };
	int r;

	if (fd < 0)
		return -errno;
	(void)snprintf(principal, sizeof(principal), "key%zu", key);
	r = sw_proc_run_with(&p, NULL);
	*ret_fits = r == 0;
	return r < 0 ? r : 0;
}

static int check_one(struct check *c, const char *signature, size_t number, struct sw_error *err)
{
	bool ok = false;
	size_t key = 0;
	int r = sw_file_write(c->signature, signature, strlen(signature), 0600);

	if (r == 0)
		r = who_signed(c, &key, err);
	if (r == -EKEYREJECTED)
		return sw_buf_addf(&c->bad, "%ssignature %zu is by none of the trusted keys",
				   c->bad.len ? "; " : "", number);
	if (r == 0)
		r = fits(c, key, &ok);
	if (r < 0)
		return r;
	if (ok) {
		c->good[key] = true;
		return 0;
	}
	return sw_buf_addf(&c->bad, "%ssignature %zu is not for this content",
			   c->bad.len ? "; " : "", number);
}

static int check_file(struct check *c, const char *path, size_t *number, struct sw_error *err)
{
	_cleanup_buf_ struct sw_buf b = { .max = SW_TRUST_SIGNATURE_MAX };
	_cleanup_strv_ char **list = NULL;
	int r = sw_file_read(path, &b);

	if (r == 0)
		r = sw_trust_split(sw_buf_text(&b), b.len, &list);
	if (r < 0) {
		sw_fail(err, SW_EXIT_VERIFY, r, "this is not a file of signatures");
		sw_error_where(err, "%s", path);
		sw_error_why(err, "%s", r == -ENOENT ? "it holds no SSH signature" : strerror(-r));
		sw_error_hint(err, "ssh-keygen -Y sign -n %s -f KEY FILE makes FILE.sig",
			      c->name_space);
		return r;
	}
	for (size_t i = 0; r == 0 && list[i]; i++)
		r = check_one(c, list[i], ++*number, err);
	return r;
}

/* The comment of a key, or the end of the key itself. */
static const char *key_name(const char *key, char shown[static NAME_LEN])
{
	size_t type = strcspn(key, " "), len = strcspn(key + type + 1, " ");
	const char *blob = key + type + 1, *comment = blob[len] ? blob + len + 1 : "";

	if (*comment)
		(void)snprintf(shown, NAME_LEN, "%.60s", comment);
	else
		(void)snprintf(shown, NAME_LEN, "%.*s ...%.12s", (int)type, key,
			       len > 12 ? blob + len - 12 : blob);
	return shown;
}

static int verdict(const struct check *c, char **ret_who, struct sw_error *err)
{
	unsigned int wanted = c->t->threshold ? c->t->threshold : 1, n = 0;
	_cleanup_buf_ struct sw_buf who = {};
	char name[NAME_LEN];

	for (size_t i = 0; c->t->keys[i]; i++)
		if (c->good[i] && sw_buf_addf(&who, "%s%s", n++ ? ", " : "",
					      key_name(c->t->keys[i], name)) < 0)
			return sw_fail_oom(err);
	if (n >= wanted) {
		if (ret_who)
			*ret_who = sw_buf_steal(&who);
		return ret_who && !*ret_who ? sw_fail_oom(err) : 0;
	}
	sw_fail(err, SW_EXIT_VERIFY, -EKEYREJECTED, "%s",
		wanted == 1 ? "no trusted key has signed this" : "not enough trusted keys have "
								 "signed this");
	sw_error_where(err, "%s", c->file);
	sw_error_why(err, "%u of %u: %s%s%s", n, wanted, sw_buf_text(&who),
		     n && c->bad.len ? "; " : "",
		     c->bad.len ? sw_buf_text(&c->bad) : n ? "" : "there is no signature");
	sw_error_hint(err, "ssh-keygen -Y sign -n %s -f KEY FILE makes FILE.sig", c->name_space);
	return -EKEYREJECTED;
}

int sw_trust_verify(const struct sw_trust *t, const char *name_space, const char *file,
		    char *const *signatures, char **ret_who, struct sw_error *err)
{
	_cleanup_(check_clear) struct check c = { .t = t, .name_space = name_space, .file = file };
	size_t number = 0;
	int r = sw_trust_check(t, err);

	if (r < 0)
		return r;
	if (!sw_trust_asks(t))
		return sw_fail(err, SW_EXIT_INTERNAL, -EINVAL, "there is no key to verify with");
	r = sw_scratch_new("slipway-trust", &c.dir);
	if (r == 0) {
		c.allowed = sw_fmt("%s/allowed", c.dir);
		c.signature = sw_fmt("%s/signature", c.dir);
		r = c.allowed && c.signature ? write_allowed(&c) : -ENOMEM;
	}
	for (size_t i = 0; r == 0 && signatures && signatures[i]; i++)
		r = check_file(&c, signatures[i], &number, err);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "the signatures cannot be checked");
	return verdict(&c, ret_who, err);
}
