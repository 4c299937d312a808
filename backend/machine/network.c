/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The medium's network: files for systemd-networkd, which is started anew to read them, for
 * networkctl asks it over D-Bus, and the medium has none.
 */
#include <dirent.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "base/proc.h"
#include "base/text.h"
#include "machine/machine.h"

#define OURS "10-slipway-"
#define PID "networkd.pid"
#define END_WAIT_MS 10000	/* for networkd to end */

/* The process that the medium started; 0: not yet, it will read what is there then. */
static pid_t networkd(const struct sw_machine *m)
{
	_cleanup_free_ char *path = sw_fmt("%s/" PID, m->run_dir), *line = NULL;

	if (!path || sw_file_read_line(path, &line) < 0)
		return 0;
	return (pid_t)strtol(line, NULL, 10);
}

bool sw_machine_sets_network(const struct sw_machine *m)
{
	_cleanup_free_ char *path = sw_fmt("%s/" PID, m->run_dir);

	return m->kind == SW_MACHINE_STANDIN ||
	       (m->kind == SW_MACHINE_REAL && path && access(path, F_OK) == 0);
}

static int for_each(const struct sw_machine *m,
		    int (*fn)(const char *path, const char *name, void *arg), void *arg)
{
	_cleanup_free_ char *dir = sw_fmt("%s/network", m->networkd);
	_cleanup_closedir_ DIR *d = dir ? opendir(dir) : NULL;
	int r = dir ? 0 : -ENOMEM;

	for (struct dirent *e = d ? readdir(d) : NULL; e && r == 0; e = readdir(d)) {
		_cleanup_free_ char *path = sw_fmt("%s/%s", dir, e->d_name);

		if (strncmp(e->d_name, OURS, strlen(OURS)) == 0)
			r = path ? fn(path, e->d_name, arg) : -ENOMEM;
	}
	return r;
}

static int read_one(const char *path, const char *name, void *files)
{
	_cleanup_buf_ struct sw_buf b = {};
	int r = sw_file_read(path, &b);

	if (r == 0)
		sw_json_add_str(files, name, sw_buf_text(&b));
	return r;
}

int sw_machine_network_get(struct sw_machine *m, json_object **ret_files, struct sw_error *err)
{
	_cleanup_json_ json_object *files = json_object_new_object();
	int r = for_each(m, read_one, files);

	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_FAILED, r, "the network's files cannot be read");
	*ret_files = json_object_get(files);
	return 0;
}

/* A link that networkd made stays when its file goes. */
static void remove_made(const char *text)
{
	const char *name = strstr(text, "\nName=");
	_cleanup_free_ char *link = name ? strndup(name + 6, strcspn(name + 6, "\n")) : NULL;
	const char *const argv[] = { "ip", "link", "delete", "dev", link, NULL };

	if (link)
		(void)sw_proc_run(argv, NULL, 10, NULL);
}

/*
 * networkd leaves a card the MTU that its last file gave it. What the cards had before slipway's
 * first file is kept, for the files that do not name any, and for the way back.
 */
static int keep_mtu(const struct sw_machine *m, const char *dir, const char *link)
{
	_cleanup_free_ char *from = sw_fmt("%s/class/net/%s/mtu", m->sys_root, link);
	_cleanup_free_ char *to = sw_fmt("%s/%s", dir, link), *mtu = NULL;
	int r = from && to ? sw_file_read_line(from, &mtu) : -ENOMEM;

	/* It may have gone meanwhile. */
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	return sw_file_write(to, mtu, strlen(mtu), 0600);
}

static int keep_mtus(const struct sw_machine *m, const char *dir)
{
	_cleanup_free_ char *all = sw_fmt("%s/class/net", m->sys_root);
	_cleanup_closedir_ DIR *d = all ? opendir(all) : NULL;
	int r = all ? sw_mkdir_all(dir, 0700) : -ENOMEM;

	for (struct dirent *e = d ? readdir(d) : NULL; e && r == 0; e = readdir(d))
		if (e->d_name[0] != '.')
			r = keep_mtu(m, dir, e->d_name);
	return r;
}

static void mtu_back(const struct sw_machine *m, const char *dir, const char *link)
{
	_cleanup_free_ char *is = sw_fmt("%s/class/net/%s/mtu", m->sys_root, link);
	_cleanup_free_ char *was = sw_fmt("%s/%s", dir, link), *now = NULL, *mtu = NULL;

	if (is && was && sw_file_read_line(is, &now) == 0 && sw_file_read_line(was, &mtu) == 0 &&
	    strcmp(now, mtu) != 0) {
		const char *const argv[] = { "ip", "link", "set", "dev", link, "mtu", mtu, NULL };

		(void)sw_proc_run(argv, NULL, 10, NULL);
	}
}

/* At the first call there is nothing of ours yet. */
static int mtus_back(const struct sw_machine *m)
{
	_cleanup_free_ char *dir = sw_fmt("%s/mtu", m->run_dir);
	_cleanup_closedir_ DIR *d = dir ? opendir(dir) : NULL;

	if (!d)
		return dir ? keep_mtus(m, dir) : -ENOMEM;
	for (struct dirent *e = readdir(d); e; e = readdir(d))
		if (e->d_name[0] != '.')
			mtu_back(m, dir, e->d_name);
	return 0;
}

struct removing {
	const struct sw_machine *m;
	json_object *files;	/* what comes in their place */
};

static int remove_one(const char *path, const char *name, void *arg)
{
	const struct removing *k = arg;
	const char *now = sw_json_str(k->files, name, NULL);
	_cleanup_buf_ struct sw_buf b = {};

	if (sw_file_read(path, &b) == 0 && now && strcmp(now, sw_buf_text(&b)) == 0)
		return 0;
	if (sw_ends_with(name, ".netdev") && k->m->kind == SW_MACHINE_REAL && b.len)
		remove_made(sw_buf_text(&b));
	return unlink(path) < 0 ? -errno : 0;
}

static int write_all(const struct sw_machine *m, json_object *files)
{
	_cleanup_free_ char *dir = sw_fmt("%s/network", m->networkd);
	int r = dir ? sw_mkdir_all(dir, 0755) : -ENOMEM;

	json_object_object_foreach(files, name, text) {
		_cleanup_free_ char *path = sw_fmt("%s/%s", dir, name);
		const char *content = json_object_get_string(text);

		/* networkd is not root. */
		if (r == 0)
			r = path ? sw_file_write(path, content, strlen(content), 0644) : -ENOMEM;
	}
	return r;
}

/* Until its end nothing it does counts; what it said of links is not true of the next one. */
static int restart(const struct sw_machine *m)
{
	_cleanup_free_ char *links = sw_fmt("%s/netif/links", m->networkd);
	pid_t pid = networkd(m);
	_cleanup_closedir_ DIR *d = NULL;

	if (pid <= 1 || kill(pid, SIGTERM) < 0)
		return links ? 0 : -ENOMEM;
	for (unsigned int ms = 0; kill(pid, 0) == 0 && ms < END_WAIT_MS; ms += 50)
		(void)sw_event_pause(NULL, 50);
	d = links ? opendir(links) : NULL;
	for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d))
		if (e->d_name[0] != '.')
			(void)unlinkat(dirfd(d), e->d_name, 0);
	return 0;
}

int sw_machine_network_put(struct sw_machine *m, json_object *files, struct sw_error *err)
{
	struct removing k = { .m = m, .files = files };
	int r;

	if (!sw_machine_sets_network(m))
		return sw_fail(err, SW_EXIT_REFUSED, -EOPNOTSUPP,
			       "the network of this system is not slipway's to set");
	r = for_each(m, remove_one, &k);
	if (r == 0 && m->kind == SW_MACHINE_REAL)
		r = mtus_back(m);
	if (r == 0)
		r = write_all(m, files);
	if (r == 0)
		r = restart(m);
	return r < 0 ? sw_fail_errno(err, SW_EXIT_FAILED, r, "the network cannot be set") : 0;
}
