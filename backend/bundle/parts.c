/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Facts, partition tables, firmware variables and measurements, in the forms that other commands
 * take: `slipway plan --facts facts.json`, `slipway tpm replay --log tpm/eventlog.bin`.
 */
#include <string.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/json.h"
#include "boot/varstore.h"
#include "bundle/private.h"
#include "disk/gpt.h"
#include "tpm/pcrs.h"

#define HAS_NAMES "it names this machine, in a form that cannot be changed"

/* ---- facts ---- */

static bool is_harmless(struct sw_gathering *g, const char *hex)
{
	_cleanup_free_ uint8_t *bytes = NULL;
	size_t len;

	return sw_hex_decode(hex, &bytes, &len) == 0 && !sw_redact_finds(&g->redact, bytes, len);
}

/* Boot entries carry command lines: those with a secret in them stay here. */
static int add_variables(struct sw_gathering *g, json_object *facts)
{
	json_object *kept;
	int r = 0;

	if (!g->visit.raw)
		return 0;
	if (g->out->anonymous)	/* device paths have MAC addresses as bytes */
		return sw_bundle_add_absent(g, SW_FACTS_VARIABLES, HAS_NAMES);
	kept = json_object_new_object();
	json_object_object_foreach(g->visit.raw, name, value) {
		if (is_harmless(g, json_object_get_string(value)))
			sw_json_add(kept, name, json_object_get(value));
		else if (r == 0)
			r = sw_bundle_add_absent(g, name, "there is something in this boot "
							  "variable that must not leave the "
							  "machine");
	}
	sw_json_add(facts, SW_FACTS_VARIABLES, kept);
	return r;
}

static int facts(struct sw_gathering *g)
{
	json_object *o = sw_facts_to_json(g->visit.f);
	int r = o ? add_variables(g, o) : -ENOMEM;

	if (r < 0) {
		json_object_put(o);
		return r;
	}
	return sw_bundle_add_json(g, "facts.json", o);
}

/* ---- partition tables ---- */

#define HEAD_SECTORS 2U		/* protective MBR and header */

static int table_end(struct sw_gathering *g, struct sw_io *io, const char *disk, bool last)
{
	size_t len = (last ? 1 : HEAD_SECTORS) * io->sector + SW_GPT_ENTRIES_LEN;
	_cleanup_free_ uint8_t *bytes = malloc(len);
	_cleanup_free_ char *name = sw_fmt("tables/%s-%s.bin", disk, last ? "last" : "first");
	uint64_t end = io->size - io->size % io->sector;
	int r;

	if (!bytes || !name)
		return -ENOMEM;
	if (end < len)
		return 0;
	r = sw_io_read(io, last ? end - len : 0, bytes, len);
	if (r < 0)
		return sw_bundle_add_absent(g, name, strerror(-r));
	return sw_bundle_add_bytes(g, name, bytes, len);
}

/* Only where a GPT is or was: elsewhere these bytes can be anybody's data, or a LUKS header. */
static int table_of(struct sw_gathering *g, const struct sw_disk *d)
{
	_cleanup_io_ struct sw_io *io = NULL;
	struct sw_error err = {};
	int r;

	if (d->table.type != SW_TABLE_GPT && d->table.type != SW_TABLE_DAMAGED_GPT)
		return 0;
	if (d->signatures && d->signatures[0])
		return 0;
	r = sw_machine_open_disk(g->m, d, false, false, &io, &err);
	if (r < 0)
		return sw_bundle_add_absent(g, d->name, err.what);
	r = table_end(g, io, d->name, false);
	return r < 0 ? r : table_end(g, io, d->name, true);
}

static int tables(struct sw_gathering *g)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < g->visit.f->n_disks; i++)
		r = table_of(g, &g->visit.f->disks[i]);
	return r;
}

/* ---- firmware variables ---- */

struct listing {
	struct sw_gathering *g;
	json_object *list;
};

/* What these hold is no secret on any machine; of others only the size is taken along. */
static bool is_public(const struct sw_guid *guid, const char *name)
{
	static const char *const names[] = { "SecureBoot", "SetupMode", "AuditMode", "DeployedMode",
					     "Timeout", "BootCurrent", "BootNext", "BootOrder",
					     "OsIndications", "OsIndicationsSupported", NULL };

	for (size_t i = 0; sw_guid_equal(guid, &sw_guid_global) && names[i]; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static int list_variable(const struct sw_guid *guid, const char *name, void *userdata)
{
	struct listing *l = userdata;
	json_object *o = json_object_new_object();
	_cleanup_free_ uint8_t *data = NULL;
	char text[SW_GUID_TEXT];
	uint32_t attrs = 0;
	size_t len = 0;
	int r = sw_var_get(l->g->visit.vars, guid, name, &data, &len, &attrs);

	sw_json_add_str(o, "name", name);
	sw_json_add_str(o, "guid", sw_guid_format(guid, text));
	if (r < 0)
		sw_json_add_str(o, "error", strerror(-r));
	sw_json_add_u64(o, "attributes", attrs);
	sw_json_add_u64(o, "bytes", len);
	if (r == 0 && is_public(guid, name)) {
		_cleanup_free_ char *hex = sw_hex_encode(data, len);

		sw_json_add_str(o, "hex", hex);
	}
	return json_object_array_add(l->list, o) < 0 ? -ENOMEM : 0;
}

static int variables(struct sw_gathering *g)
{
	struct listing l = { g, json_object_new_array() };
	_cleanup_json_ json_object *list = l.list;
	json_object *o;
	uint64_t total, free_bytes;
	int r;

	if (!g->visit.vars)
		return sw_bundle_add_absent(g, "variables.json", "there are no UEFI variables");
	r = sw_var_list(g->visit.vars, list_variable, &l);
	if (r < 0)
		return sw_bundle_add_absent(g, "variables.json", strerror(-r));
	o = json_object_new_object();
	if (sw_var_space(g->visit.vars, &total, &free_bytes) == 0) {
		sw_json_add_u64(o, "store_bytes", total);
		sw_json_add_u64(o, "store_free", free_bytes);
	}
	sw_json_add(o, "variables", json_object_get(list));
	return sw_bundle_add_json(g, "variables.json", o);
}

/* ---- what the firmware measured ---- */

#define EVENT_LOG "tpm/eventlog.bin"

static int event_log(struct sw_gathering *g)
{
	_cleanup_free_ char *path = sw_machine_tpm_log(g->m);
	_cleanup_buf_ struct sw_buf b = { .max = SW_EVENTLOG_MAX };
	int r;

	if (!path || g->m->kind != SW_MACHINE_REAL)
		return sw_bundle_add_absent(g, EVENT_LOG, "this machine keeps none");
	if (g->out->anonymous)
		return sw_bundle_add_absent(g, EVENT_LOG, HAS_NAMES);
	r = sw_file_read(path, &b);
	if (r < 0)
		return sw_bundle_add_absent(g, EVENT_LOG, strerror(-r));
	return sw_bundle_add_bytes(g, EVENT_LOG, b.data, b.len);
}

static json_object *pcrs_json(const struct sw_tpm_pcrs *p)
{
	json_object *o = json_object_new_object();

	for (size_t i = 0; i < p->n_banks; i++) {
		json_object *bank = json_object_new_object();

		for (unsigned int k = 0; k < SW_PCRS; k++) {
			char hex[2 * SW_DIGEST_MAX + 1], key[4];

			(void)snprintf(key, sizeof(key), "%u", k);
			if (p->bank[i].has[k])
				sw_json_add_str(bank, key, sw_hex(p->bank[i].value[k],
								  p->bank[i].size, hex));
		}
		sw_json_add(o, sw_tpm_alg_name(p->bank[i].alg), bank);
	}
	return o;
}

static int pcrs(struct sw_gathering *g)
{
	struct sw_tpm_pcrs now = {};
	struct sw_error err = {};
	const char *tcti;
	int r = sw_machine_tcti(g->m, &tcti, &err);

	if (r == 0)
		r = sw_tpm_read_pcrs(tcti, &now, &err);
	if (r < 0)
		return sw_bundle_add_absent(g, "tpm/pcrs.json",
					    err.what[0] ? err.what : "there is no TPM");
	return sw_bundle_add_json(g, "tpm/pcrs.json", pcrs_json(&now));
}

int sw_bundle_gather_parts(struct sw_gathering *g)
{
	static const struct {
		const char *what;
		int (*gather)(struct sw_gathering *g);
	} parts[] = {
		{ "Facts", facts }, { "Partition tables", tables },
		{ "Firmware variables", variables }, { "The firmware's measurements", event_log },
		{ "PCRs of the TPM", pcrs },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(parts) / sizeof(parts[0]); i++) {
		r = sw_bundle_begin(g, parts[i].what);
		if (r == 0)
			r = parts[i].gather(g);
	}
	return r;
}
