/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/old-node.h"

#include <string.h>

#include "base/file.h"
#include "boot/bootlist.h"
#include "boot/nodedata.h"
#include "boot/secrets.h"
#include "machine/shell.h"

static const char *const names[] = {
	[SW_OLD_OPENS] = "opens",	  [SW_OLD_CLOSED] = "closed", [SW_OLD_UNSURE] = "unsure",
	[SW_OLD_OTHER_TPM] = "other-tpm", [SW_OLD_NO_TPM] = "no-tpm", [SW_OLD_DAMAGED] = "damaged",
};

const char *sw_old_secret_name(enum sw_old_secret s)
{
	return names[s];
}

int sw_old_secret_parse(const char *name, enum sw_old_secret *ret_state)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(names[i], name) == 0) {
			*ret_state = (enum sw_old_secret)i;
			return 0;
		}
	}
	return -EINVAL;
}

/* PCRs besides 7 are those of the system that runs, which here is an installer. */
enum sw_old_secret sw_old_secret_judge(const char *tcti, const struct sw_credential *c,
				       const struct sw_pcr7 *pcr7)
{
	const bool others = c->sealed.pcrs & ~SW_TPM_PCRS_DEFAULT;
	enum sw_seal_fit fit;

	if (c->recovery)
		return SW_OLD_DAMAGED;
	if (!tcti || sw_tpm_judge_seal(tcti, &c->sealed, pcr7, &fit, NULL) < 0)
		return SW_OLD_NO_TPM;
	if (fit == SW_SEAL_OTHER_TPM)
		return SW_OLD_OTHER_TPM;
	if (fit == SW_SEAL_FITS)
		return SW_OLD_OPENS;
	return others ? SW_OLD_UNSURE : SW_OLD_CLOSED;
}

struct look {
	struct sw_machine *m;
	const char *tcti;	/* NULL: no TPM that answers */
	struct sw_pcr7 pcr7;
	bool foretold;		/* pcr7 counts */
	bool unsure;		/* PCR 7 depends on the image, which is not here yet */
};

/* A real medium was started through a loader of its own, so that its PCR 7 is not the node's. */
static void foretell(struct look *l)
{
	_cleanup_eventlog_ struct sw_eventlog *log = NULL;
	_cleanup_free_ char *path = sw_machine_tpm_log(l->m);

	/* Behind a shell PCR 7 is spoilt until the machine is restarted. */
	l->unsure = sw_shell_may_seal(l->m, NULL) < 0;
	if (l->m->kind != SW_MACHINE_REAL || !path)
		return;
	l->foretold = sw_eventlog_read(path, &log, NULL) == 0 &&
		      sw_eventlog_pcr7(log, NULL, 0, &l->pcr7) == 0;
	l->unsure = !l->foretold;
}

static enum sw_old_secret state_of(const struct look *l, json_object *data, const char *name,
				   bool *ret_signed)
{
	const char *text = sw_secrets_text(data, name);
	_cleanup_buf_ struct sw_buf bytes = {};
	struct sw_credential c = {};
	enum sw_old_secret s;

	*ret_signed = false;
	if (!text || sw_credential_from_text(text, &bytes, NULL) < 0 ||
	    sw_credential_parse(bytes.data, bytes.len, &c, NULL) < 0)
		return SW_OLD_DAMAGED;
	*ret_signed = c.sealed.signer.pcrs;
	s = sw_old_secret_judge(l->tcti, &c, l->foretold ? &l->pcr7 : NULL);
	return s == SW_OLD_CLOSED && l->unsure ? SW_OLD_UNSURE : s;
}

static json_object *secrets_of(const struct look *l, json_object *data)
{
	json_object *list = json_object_new_array(), *all = sw_secrets_of(data);

	if (!all)
		return list;
	json_object_object_foreach(all, name, entry) {
		json_object *o = json_object_new_object();
		bool is_signed;

		sw_json_add_str(o, "name", name);
		sw_json_add_str(o, "state",
				sw_old_secret_name(state_of(l, data, name, &is_signed)));
		sw_json_add_bool(o, "signed", is_signed);
		sw_json_add_bool(o, "recovery", sw_json_str(entry, "recovery", NULL));
		json_object_array_add(list, o);
	}
	return list;
}

static json_object *admissions_of(json_object *data)
{
	json_object *list = json_object_new_array(), *old = sw_json_array(data, "admission");

	for (size_t i = 0; old && i < json_object_array_length(old); i++) {
		const char *kind = sw_json_str(json_object_array_get_idx(old, i), "kind", NULL);

		if (kind)
			json_object_array_add(list, json_object_new_string(kind));
	}
	return list;
}

static json_object *node_on(const struct look *l, const struct sw_disk *d,
			    const struct sw_part *p)
{
	_cleanup_json_ json_object *data = NULL;
	_cleanup_io_ struct sw_io *io = NULL;
	uint64_t sequence;
	json_object *o;

	if (sw_machine_open_disk(l->m, d, false, false, &io, NULL) < 0 ||
	    sw_nodedata_read(io, p->start, p->size, &data, &sequence, NULL) < 0)
		return NULL;
	o = json_object_new_object();
	sw_json_add_str(o, "disk", d->node);
	sw_json_add_u64(o, "sequence", sequence);
	sw_json_add_str(o, "machine_id", sw_json_str(data, "machine_id", NULL));
	sw_json_add_str(o, "ssh_host_key", sw_json_str(data, "ssh_host_key", NULL));
	sw_json_add(o, "admission", admissions_of(data));
	sw_json_add(o, "secrets", secrets_of(l, data));
	return o;
}

int sw_old_nodes(struct sw_machine *m, const struct sw_facts *f, json_object **ret_nodes,
		 struct sw_error *err)
{
	_cleanup_json_ json_object *list = NULL;
	struct look l = { .m = m };
	bool asked = false;

	*ret_nodes = NULL;
	for (size_t i = 0; m->kind != SW_MACHINE_CAPTURED && i < f->n_disks; i++) {
		const struct sw_part *p = sw_disk_node_data(&f->disks[i]);
		json_object *o;

		if (!p || f->disks[i].medium)
			continue;
		if (!asked && f->tpm_present && sw_machine_tcti(m, &l.tcti, NULL) == 0)
			foretell(&l);
		asked = true;
		o = node_on(&l, &f->disks[i], p);
		if (!o)
			continue;
		if (!list)
			list = json_object_new_array();
		if (!list)
			return sw_fail_oom(err);
		json_object_array_add(list, o);
	}
	*ret_nodes = TAKE_PTR(list);
	return 0;
}
