/* SPDX-License-Identifier: Apache-2.0 */
/* The status in words, from its JSON. */
#include "rescue/status.h"

#include <stdarg.h>
#include <string.h>

#include "apply/apply.h"
#include "base/json.h"
#include "base/size.h"
#include "base/text.h"
#include "payload/trust.h"

/* After a failed addition nothing more is added, and the failure is the result. */
struct out {
	struct sw_buf *b;
	int r;
};

SW_PRINTF(2, 3) static void say(struct out *o, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;

	if (o->r < 0)
		return;
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	o->r = text ? sw_buf_adds(o->b, text) : -ENOMEM;
}

static void add_time(struct out *o, int64_t t)
{
	char text[SW_TIME_TEXT];

	if (t > 0)
		say(o, ", %s", sw_time_text(t, text));
}

static const char *show_disk(const char *name)
{
	return strcmp(name, SW_NO_DISK) == 0 ? "no disk" : name;
}

static void add_disks(struct out *o, json_object *list, const char *what, bool even_here)
{
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		json_object *d = json_object_array_get_idx(list, i);
		const char *holds = sw_json_str(d, "holds", "");
		bool here = sw_json_bool(d, "here", false);

		if (even_here || !here)
			say(o, "  %s%s%s; on it: %s\n", what, sw_json_str(d, "text", ""),
			       here ? "" : ", which is not here", *holds ? holds : "-");
	}
}

/* The disks that are away, or, of an undo that did not have all, those that it has yet to do. */
static void add_missing(struct out *o, json_object *j)
{
	json_object *owed = sw_json_array(j, "owed");

	if (json_object_array_length(owed))
		add_disks(o, owed, "still to be undone: ", true);
	else if (strcmp(sw_json_str(j, "state", ""), "undone") != 0)
		add_disks(o, sw_json_array(j, "absent"), "", false);
}

static void add_journal(struct out *o, json_object *j)
{
	const char *disk = show_disk(sw_json_str(j, "disk", "?"));
	const char *state = sw_json_str(j, "state", "");

	if (strcmp(state, "interrupted") == 0) {
		say(o, "%s: an install stopped at step %llu of %llu: %s", disk,
		       (unsigned long long)sw_json_u64(j, "step", 0),
		       (unsigned long long)sw_json_u64(j, "steps", 0), sw_json_str(j, "title", ""));
		add_time(o, sw_json_int(j, "time", 0));
		say(o, "\n");
		add_missing(o, j);
		say(o, "  -> `slipway resume` goes on, `slipway undo` takes it back\n");
		return;
	}
	if (strcmp(state, "alone") == 0)
		say(o, "%s: part of an install on several disks", disk);
	else
		say(o, "%s: the last install is %s", disk, state);
	add_time(o, sw_json_int(j, "time", 0));
	say(o, "\n");
	add_missing(o, j);
	if (sw_json_get(j, "alone"))
		say(o, "  -> %s\n", sw_json_str(j, "alone", ""));
	else if (strcmp(state, "partly undone") == 0)
		say(o, "  -> with that disk here, `slipway undo` again takes it back too\n");
}

static void add_wipe(struct out *o, json_object *w)
{
	say(o, "%s: a wipe stopped (%s, %llu %% done)", sw_json_str(w, "disk", "?"),
	       sw_json_str(w, "method", ""), (unsigned long long)sw_json_u64(w, "percent", 0));
	add_time(o, sw_json_int(w, "time", 0));
	say(o, "\n  -> `slipway wipe %s` goes on where it stopped\n",
	       sw_json_str(w, "node", "DISK"));
}

static void add_slot(struct out *o, json_object *s)
{
	say(o, "  %-14s ", sw_json_str(s, "partition", ""));
	if (!sw_json_bool(s, "filled", false)) {
		if (sw_json_bool(s, "damaged", false))
			say(o, "DAMAGED: %s\n", sw_json_str(s, "why", ""));
		else
			say(o, "empty\n");
		return;
	}
	say(o, "%s, sequence %llu, %s, %s", sw_json_str(s, "build_id", "-"),
	       (unsigned long long)sw_json_u64(s, "sequence", 0), sw_json_str(s, "reason", "-"),
	       sw_json_bool(s, "hash_ok", false) ? "hash right" : "HASH WRONG");
	add_time(o, sw_json_int(s, "time", 0));
	say(o, "\n");
}

static void add_host_key(struct out *o, json_object *node)
{
	const char *key = sw_json_str(node, "ssh_host_key", NULL);
	char fingerprint[SW_SSH_FINGERPRINT];

	if (key && sw_trust_fingerprint(key, fingerprint) == 0)
		say(o, "  SSH host key   %s\n", fingerprint);
}

static void add_installed(struct out *o, json_object *d)
{
	json_object *slots = sw_json_array(d, "slots"), *node = sw_json_get(d, "node");

	if (strcmp(sw_json_str(d, "disk", ""), SW_NO_DISK) == 0) {
		say(o, "no disk: node %s, mode %s; its data are in the firmware, and no image is "
		       "kept\n", sw_json_str(node, "hostname", "-"),
		       sw_json_str(node, "mode", "-"));
		return;
	}
	say(o, "%s (serial %s): node %s\n", sw_json_str(d, "disk", ""),
	       sw_json_str(d, "serial", "-"), sw_json_str(node, "hostname", "-"));
	add_host_key(o, node);
	if (sw_json_get(d, "error"))
		say(o, "  cannot be read: %s\n", sw_json_str(d, "error", ""));
	for (size_t i = 0; slots && i < json_object_array_length(slots); i++)
		add_slot(o, json_object_array_get_idx(slots, i));
}

/* Without a time it has not been tried since this start. */
static void add_admission(struct out *o, json_object *a)
{
	const char *overlay = sw_json_str(a, "overlay", NULL), *kind = sw_json_str(a, "kind", "?");

	if (!sw_json_get(a, "time")) {
		say(o, "Admission       %s by %s: not tried since this start", kind,
		    sw_json_str(a, "url", "?"));
		if (sw_json_get(a, "kept_overlay")) {
			say(o, "; admitted before, and what it was given is kept for this image");
			add_time(o, sw_json_int(a, "kept_time", 0));
			say(o, ", overlay %.16s", sw_json_str(a, "kept_overlay", ""));
		}
		say(o, "\n");
		return;
	}
	say(o, "Admission       %s by %s, %s",
	    sw_json_bool(a, "admitted", false) ? "admitted" : "NOT admitted",
	    sw_json_str(a, "url", "?"), kind);
	add_time(o, sw_json_int(a, "time", 0));
	if (sw_json_str(a, "protocol", NULL))
		say(o, ", %s exchange%s", sw_json_str(a, "protocol", ""),
		    sw_json_bool(a, "fell_back", false) ? " (the server has no other)" : "");
	if (overlay)
		say(o, ", overlay %.16s", overlay);
	if (sw_json_str(a, "error", NULL))
		say(o, ": %s", sw_json_str(a, "error", ""));
	say(o, "\n");
}

static void add_tpm(struct out *o, json_object *tpm)
{
	if (tpm)
		say(o, "TPM             %s\n", sw_json_str(tpm, "text", ""));
}

static void add_failure(struct out *o, json_object *f)
{
	if (!f)
		return;
	say(o, "last failure    %s", sw_json_str(f, "code", ""));
	if (sw_json_int(f, "step", 0))
		say(o, " at step %d of %d", (int)sw_json_int(f, "step", 0),
		    (int)sw_json_int(f, "steps", 0));
	add_time(o, sw_json_int(f, "time", 0));
	say(o, ": %s\n", sw_json_str(f, "text", ""));
}

static void add_machine(struct out *o, json_object *m)
{
	json_object *disks = sw_json_array(m, "disks");
	char size[16];

	if (!m)
		return;
	say(o, "Firmware        %s%s; ",
	    strcmp(sw_json_str(m, "firmware", ""), "bios") == 0 ? "BIOS" : "UEFI",
	    sw_json_bool(m, "secure_boot", false) ? ", Secure Boot on" : "");
	say(o, "%s%s%s", sw_json_bool(m, "tpm", false) ? "TPM " : "no TPM",
	    sw_json_bool(m, "tpm", false) ? sw_json_str(m, "tpm_version", "") : "",
	    sw_json_bool(m, "tpm_locked", false) ? ", LOCKED" : "");
	if (sw_json_get(m, "tpm_attests"))
		say(o, ", %s, %s", sw_json_bool(m, "tpm_attests", false) ? "can attest"
									 : "CANNOT attest",
		    sw_json_bool(m, "tpm_seals", false) ? "can seal" : "CANNOT seal");
	say(o, "\nDisks           %s", json_object_array_length(disks) ? "" : "none");
	for (size_t i = 0; i < json_object_array_length(disks); i++) {
		json_object *d = json_object_array_get_idx(disks, i);
		const char *health = sw_json_str(d, "health", "unknown");

		say(o, "%s%s %s", i ? ", " : "", sw_json_str(d, "disk", "?"),
		    sw_size_format(sw_json_u64(d, "size", 0), size, sizeof(size)));
		if (sw_json_bool(d, "medium", false))
			say(o, " (slipway)");
		else if (strcmp(health, "unknown") != 0)
			say(o, " (%s)", health);
	}
	say(o, "\n");
}

/* What is wrong or will be, with what to do; it is last, where a terminal still shows it. */
static void add_soon(struct out *o, json_object *soon)
{
	if (!soon)
		return;
	if (json_object_array_length(soon) == 0) {
		say(o, "\nNothing is wrong, and no problem is in sight.\n");
		return;
	}
	say(o, "\nMost likely to go wrong next:\n");
	for (size_t i = 0; i < json_object_array_length(soon); i++) {
		json_object *p = json_object_array_get_idx(soon, i);
		const char *severity = sw_json_str(p, "severity", "");
		const char *advice = sw_json_str(p, "advice", "");

		say(o, "%zu. %s%s%s (%s)\n", i + 1, strcmp(severity, "ahead") == 0 ? "" : severity,
		    strcmp(severity, "ahead") == 0 ? "" : ": ", sw_json_str(p, "what", ""),
		    sw_json_str(p, "evidence", ""));
		if (*advice)
			say(o, "   -> %s\n", advice);
	}
}

static void add_all(struct out *o, json_object *status)
{
	json_object *journals = sw_json_array(status, "journals");
	json_object *disks = sw_json_array(status, "installed");
	json_object *wipes = sw_json_array(status, "wipes");
	json_object *entries = sw_json_array(status, "entries");
	json_object *lines = sw_json_array(sw_json_get(status, "here"), "text");
	json_object *admissions = sw_json_array(status, "admissions");

	for (size_t i = 0; i < json_object_array_length(journals); i++)
		add_journal(o, json_object_array_get_idx(journals, i));
	for (size_t i = 0; i < json_object_array_length(wipes); i++)
		add_wipe(o, json_object_array_get_idx(wipes, i));
	for (size_t i = 0; i < json_object_array_length(disks); i++)
		add_installed(o, json_object_array_get_idx(disks, i));
	for (size_t i = 0; i < json_object_array_length(entries); i++) {
		json_object *e = json_object_array_get_idx(entries, i);

		say(o, "Boot%04X        %s\n", (unsigned int)sw_json_u64(e, "number", 0),
		       sw_json_str(e, "label", ""));
	}
	if (json_object_array_length(journals) + json_object_array_length(disks) +
		    json_object_array_length(wipes) == 0)
		say(o, "nothing is installed by slipway on this machine\n");
	for (size_t i = 0; admissions && i < json_object_array_length(admissions); i++)
		add_admission(o, json_object_array_get_idx(admissions, i));
	add_tpm(o, sw_json_get(status, "tpm"));
	add_failure(o, sw_json_get(status, "last_failure"));
	add_machine(o, sw_json_get(status, "machine"));
	for (size_t i = 0; lines && i < json_object_array_length(lines); i++)
		say(o, "%s%s\n", i ? "  " : "\n",
		       json_object_get_string(json_object_array_get_idx(lines, i)));
	add_soon(o, sw_json_array(status, "soon"));
}

int sw_status_text(json_object *status, struct sw_buf *b)
{
	struct out o = { .b = b };

	add_all(&o, status);
	return o.r;
}
