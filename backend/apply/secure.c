/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tools are told and how their answers are read. Formats: NVM Express
 * base specification 1.4, figure "Identify Controller" (OACS bytes 256-257,
 * SANICAP 328-331) and log page 81h; `hdparm -I` of hdparm 9.65.
 */
#include "apply/secure.h"

#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/proc.h"

#define ASK_S 60
#define NVME_S (2 * 3600)
#define ATA_S (48 * 3600)	/* the command blocks until the drive is done */
#define POLL_S 2
/* Known to everybody on purpose; see sw_secure_command(). */
#define ATA_PASSWORD "slipway"

static const char *const names[] = {
	[SW_SECURE_NONE] = "none",
	[SW_SECURE_NVME_CRYPTO] = "NVMe sanitize (crypto erase)",
	[SW_SECURE_NVME_BLOCK] = "NVMe sanitize (block erase)",
	[SW_SECURE_NVME_FORMAT] = "NVMe format with user data erase",
	[SW_SECURE_ATA_ENHANCED] = "ATA enhanced security erase",
	[SW_SECURE_ATA] = "ATA security erase",
};

const char *sw_secure_name(enum sw_secure_kind kind)
{
	return names[kind];
}

bool sw_secure_command(const char *node, enum sw_secure_kind kind, unsigned int n,
		       const char *ret_argv[static SW_SECURE_ARGV])
{
	const char *const nvme_sanitize[] = {
		"nvme", "sanitize", node,
		kind == SW_SECURE_NVME_CRYPTO ? "--sanact=4" : "--sanact=2", NULL };
	const char *const nvme_format[] = { "nvme", "format", node, "--ses=1", "--force", NULL };
	const char *const ata_lock[] = { "hdparm", "--user-master", "u", "--security-set-pass",
					 ATA_PASSWORD, node, NULL };
	const char *const ata_erase[] = { "hdparm", "--user-master", "u",
					  kind == SW_SECURE_ATA_ENHANCED
						  ? "--security-erase-enhanced"
						  : "--security-erase",
					  ATA_PASSWORD, node, NULL };
	bool ata = kind == SW_SECURE_ATA || kind == SW_SECURE_ATA_ENHANCED;
	const char *const *from = ata ? (n == 0 ? ata_lock : ata_erase)
				      : kind == SW_SECURE_NVME_FORMAT ? nvme_format : nvme_sanitize;

	if (kind == SW_SECURE_NONE || n > (ata ? 1U : 0U))
		return false;
	for (size_t i = 0; i < SW_SECURE_ARGV; i++)
		if (!(ret_argv[i] = from[i]))
			break;
	return true;
}

int sw_secure_parse_nvme(const void *data, size_t len, enum sw_secure_kind *ret_kind)
{
	const uint8_t *d = data;

	if (len < 332)
		return -EBADMSG;
	if (d[328] & 2)
		*ret_kind = SW_SECURE_NVME_BLOCK;
	else if (d[328] & 1)
		*ret_kind = SW_SECURE_NVME_CRYPTO;
	else
		*ret_kind = d[256] & 2 ? SW_SECURE_NVME_FORMAT : SW_SECURE_NONE;
	return 0;
}

int sw_secure_parse_sanitize(const void *data, size_t len, enum sw_sanitize_state *ret_state,
			     unsigned int *ret_done)
{
	static const enum sw_sanitize_state states[] = {
		SW_SANITIZE_NEVER, SW_SANITIZE_DONE, SW_SANITIZE_RUNNING, SW_SANITIZE_FAILED,
		SW_SANITIZE_DONE,	/* with what was not allocated left alone */
	};
	const uint8_t *d = data;
	unsigned int state;

	if (len < 4)
		return -EBADMSG;
	state = d[2] & 7;
	if (state >= ARRAY_SIZE(states))
		return -EBADMSG;
	*ret_state = states[state];
	*ret_done = (unsigned int)(d[0] | d[1] << 8);
	return 0;
}

/* A line of the Security section: "not" before the word turns it round. */
static void ata_line(const char *line, struct sw_ata_security *s)
{
	bool not = strncmp(line, "not", 3) == 0 && strchr("\t ", line[3]);
	const char *word = not ? line + 3 : line, *unit = strstr(line, "min for");
	unsigned int minutes;

	word += strspn(word, " \t");
	if (strncmp(word, "supported: enhanced erase", 25) == 0)
		s->enhanced = !not;
	else if (strcmp(word, "supported") == 0)
		s->supported = !not;
	else if (strcmp(word, "enabled") == 0)
		s->enabled = !not;
	else if (strcmp(word, "locked") == 0)
		s->locked = !not;
	else if (strcmp(word, "frozen") == 0)
		s->frozen = !not;
	else if (unit && sscanf(line, "%umin for", &minutes) == 1)
		s->minutes = minutes;
}

int sw_secure_parse_ata(const char *text, struct sw_ata_security *ret_security)
{
	const char *p = strstr(text, "\nSecurity:");
	struct sw_ata_security s = {};

	if (!p)
		return -EBADMSG;
	for (p = strchr(p + 1, '\n'); p && (p[1] == '\t' || p[1] == ' '); p = strchr(p + 1, '\n')) {
		char line[96];
		size_t n;

		(void)snprintf(line, sizeof(line), "%s", p + 1 + strspn(p + 1, " \t"));
		n = strcspn(line, "\r\n");
		while (n > 0 && strchr(" \t", line[n - 1]))
			n--;
		line[n] = '\0';
		ata_line(line, &s);
	}
	*ret_security = s;
	return 0;
}

/* ---- asking the disk ---- */

static int no_erase(struct sw_error *err, const struct sw_disk *d, const char *why)
{
	sw_fail(err, SW_EXIT_MISSING, -EOPNOTSUPP, "the disk cannot be erased by its own command");
	sw_error_where(err, "%s", d->node);
	sw_error_why(err, "%s", why);
	sw_error_hint(err, "nothing was written; --method discard or --method zero works on every "
			   "disk");
	return -EOPNOTSUPP;
}

/* What one controller is told counts for all of its namespaces. */
static bool has_sibling(const struct sw_facts *f, const struct sw_disk *d)
{
	unsigned int a, b, x, y;

	if (sscanf(d->name, "nvme%un%u", &a, &x) != 2)
		return false;
	for (size_t i = 0; i < f->n_disks; i++)
		if (sscanf(f->disks[i].name, "nvme%un%u", &b, &y) == 2 && a == b && x != y)
			return true;
	return false;
}

static int detect_nvme(const struct sw_facts *f, const struct sw_disk *d,
		       enum sw_secure_kind *ret_kind, struct sw_error *err)
{
	const char *argv[] = { "nvme", "id-ctrl", d->node, "--raw-binary", NULL };
	_cleanup_buf_ struct sw_buf b = {};

	if (!sw_proc_exists("nvme"))
		return no_erase(err, d, "nvme (package nvme-cli) is not installed");
	if (has_sibling(f, d))
		return no_erase(err, d, "its controller has other namespaces, which would be "
					"erased too");
	if (sw_proc_run(argv, NULL, ASK_S, &b) != 0 ||
	    sw_secure_parse_nvme(b.data, b.len, ret_kind) < 0)
		return no_erase(err, d, "the controller does not say what it can do");
	return *ret_kind ? 0 : no_erase(err, d, "it knows neither sanitize nor format");
}

static int detect_ata(const struct sw_disk *d, enum sw_secure_kind *ret_kind, struct sw_error *err)
{
	const char *argv[] = { "hdparm", "-I", d->node, NULL };
	_cleanup_buf_ struct sw_buf b = {};
	_cleanup_free_ char *text = NULL;
	struct sw_ata_security s = {};

	if (!sw_proc_exists("hdparm"))
		return no_erase(err, d, "hdparm is not installed");
	if (sw_proc_run(argv, NULL, ASK_S, &b) != 0 || !(text = strdup(sw_buf_text(&b))) ||
	    sw_secure_parse_ata(text, &s) < 0 || !s.supported)
		return no_erase(err, d, "it has no ATA security feature");
	if (s.frozen)
		return no_erase(err, d, "the firmware has frozen its security feature until the "
					"next power cycle");
	if (s.locked || s.enabled)
		return no_erase(err, d, "it is protected by a password already");
	*ret_kind = s.enhanced ? SW_SECURE_ATA_ENHANCED : SW_SECURE_ATA;
	return 0;
}

int sw_secure_detect(struct sw_machine *m, const struct sw_facts *f, const struct sw_disk *d,
		     enum sw_secure_kind *ret_kind, struct sw_error *err)
{
	*ret_kind = SW_SECURE_NONE;
	if (m->kind != SW_MACHINE_REAL)
		return no_erase(err, d, "only real disks have such a command");
	if (d->transport && strcmp(d->transport, "nvme") == 0)
		return detect_nvme(f, d, ret_kind, err);
	if (d->transport && strcmp(d->transport, "sata") == 0)
		return detect_ata(d, ret_kind, err);
	return no_erase(err, d, "it is neither an NVMe nor a SATA disk");
}

/* ---- doing it ---- */

static int wait_sanitize(const char *node, const struct sw_sink *sink, struct sw_error *err)
{
	const char *argv[] = { "nvme", "sanitize-log", node, "--raw-binary", NULL };

	for (;;) {
		struct sw_event ev = { .type = SW_EVENT_PROGRESS, .size = 65536 };
		_cleanup_buf_ struct sw_buf b = {};
		enum sw_sanitize_state state;
		unsigned int done;

		if (sw_proc_run(argv, NULL, ASK_S, &b) != 0 ||
		    sw_secure_parse_sanitize(b.data, b.len, &state, &done) < 0)
			return sw_fail(err, SW_EXIT_DIRTY, -EIO,
				       "the disk does not say how far its sanitize is");
		if (state == SW_SANITIZE_DONE)
			return 0;
		if (state != SW_SANITIZE_RUNNING)
			return sw_fail(err, SW_EXIT_DIRTY, -EIO, "the disk's sanitize has failed");
		ev.done = done;
		sw_event_emit(sink, &ev);
		(void)sleep(POLL_S);
	}
}

int sw_secure_run(const char *node, enum sw_secure_kind kind, const struct sw_sink *sink,
		  struct sw_error *err)
{
	bool ata = kind == SW_SECURE_ATA || kind == SW_SECURE_ATA_ENHANCED;
	const char *argv[SW_SECURE_ARGV];
	int r = 0;

	for (unsigned int n = 0; r == 0 && sw_secure_command(node, kind, n, argv); n++)
		r = sw_proc_check(argv, NULL, ata ? ATA_S : NVME_S, err);
	if (r < 0 && ata)
		sw_error_hint(err, "the drive may be locked now; its password is \"" ATA_PASSWORD
				   "\": hdparm --security-disable " ATA_PASSWORD " %s", node);
	if (r == 0 && (kind == SW_SECURE_NVME_BLOCK || kind == SW_SECURE_NVME_CRYPTO))
		r = wait_sanitize(node, sink, err);
	return r;
}
