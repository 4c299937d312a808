/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/json.h"
#include "tpm/eventlog.h"
#include "tpm/facts.h"

static json_object *flags(const char *const *names, const bool *values, size_t n)
{
	json_object *o = json_object_new_object();

	for (size_t i = 0; i < n; i++)
		sw_json_add_bool(o, names[i], values[i]);
	return o;
}

static json_object *banks(const struct sw_tpm_facts *f)
{
	json_object *list = json_object_new_array();
	char number[16];

	for (size_t i = 0; i < f->n_banks; i++) {
		const char *name = sw_tpm_alg_name(f->bank[i]);

		(void)snprintf(number, sizeof(number), "0x%04x", f->bank[i]);
		json_object_array_add(list, json_object_new_string(name ? name : number));
	}
	return list;
}

static json_object *lockout(const struct sw_tpm_facts *f)
{
	json_object *o = json_object_new_object();

	sw_json_add_bool(o, "locked", f->locked);
	sw_json_add_u64(o, "failures", f->failures);
	sw_json_add_u64(o, "max", f->failures_max);
	sw_json_add_u64(o, "interval_s", f->interval_s);
	sw_json_add_u64(o, "recovery_s", f->recovery_s);
	sw_json_add_u64(o, "wait_s", f->wait_s);
	return o;
}

static json_object *findings(const struct sw_tpm_facts *f)
{
	json_object *list = json_object_new_array();

	for (size_t i = 0; i < f->n_findings; i++) {
		const struct sw_tpm_finding *n = &f->finding[i];
		json_object *o = json_object_new_object();

		sw_json_add_str(o, "what", n->what);
		sw_json_add_str(o, "hint", n->hint);
		sw_json_add_bool(o, "stops_attestation", n->stops & SW_TPM_USE_ATTEST);
		sw_json_add_bool(o, "stops_sealing", n->stops & SW_TPM_USE_SEAL);
		json_object_array_add(list, o);
	}
	return list;
}

json_object *sw_tpm_facts_to_json(const struct sw_tpm_facts *f)
{
	static const char *const hierarchies[] = { "platform", "storage", "endorsement" };
	static const char *const passwords[] = { "owner", "endorsement", "lockout" };
	static const char *const certs[] = { "rsa2048", "p256" };
	json_object *o = json_object_new_object();
	char text[32];

	sw_json_add_str(o, "vendor", f->vendor);
	sw_json_add_str(o, "model", f->model);
	(void)snprintf(text, sizeof(text), "%u.%u.%u.%u", (unsigned int)(f->firmware >> 48),
		       (unsigned int)(f->firmware >> 32 & 0xffff),
		       (unsigned int)(f->firmware >> 16 & 0xffff),
		       (unsigned int)(f->firmware & 0xffff));
	sw_json_add_str(o, "firmware", text);
	(void)snprintf(text, sizeof(text), "%u.%02u", f->revision / 100, f->revision % 100);
	sw_json_add_str(o, "revision", text);
	sw_json_add(o, "banks", banks(f));
	sw_json_add(o, "hierarchies",
		    flags(hierarchies, (bool[]){ f->platform_on, f->storage_on, f->endorsement_on },
			  3));
	sw_json_add(o, "passwords",
		    flags(passwords,
			  (bool[]){ f->owner_auth, f->endorsement_auth, f->lockout_auth }, 3));
	sw_json_add(o, "lockout", lockout(f));
	sw_json_add(o, "certificates", flags(certs, (bool[]){ f->rsa_cert, f->ecc_cert }, 2));
	sw_json_add(o, "findings", findings(f));
	sw_json_add_bool(o, "attests", f->attests);
	sw_json_add_bool(o, "seals", f->seals);
	return o;
}
