/* SPDX-License-Identifier: Apache-2.0 */
/* `slipway tpm facts`: what the TPM is and whether it can be used; `slipway tpm ek`: its key. */
#include <string.h>

#include "base/json.h"
#include "tpm/facts.h"
#include "tpm/identity.h"
#include "tui/commands/common.h"
#include "tui/commands/list.h"

/* ---- facts ---- */

static void print_list(const char *label, json_object *list)
{
	printf("%-14s", label);
	for (size_t i = 0; i < json_object_array_length(list); i++)
		printf("%s%s", i ? ", " : "",
		       json_object_get_string(json_object_array_get_idx(list, i)));
	printf("%s\n", json_object_array_length(list) ? "" : "none");
}

/* "storage on, endorsement off" from an object of flags. */
static void print_flags(const char *label, json_object *o, const char *on, const char *off)
{
	const char *comma = "";

	printf("%-14s", label);
	json_object_object_foreach(o, key, value) {
		printf("%s%s %s", comma, key, json_object_get_boolean(value) ? on : off);
		comma = ", ";
	}
	printf("\n");
}

static void print_facts(const struct sw_tpm_facts *f, json_object *o)
{
	printf("%-14s%s%s%s\n", "Maker", f->vendor, *f->model ? ", " : "", f->model);
	printf("%-14s%s\n", "Firmware", sw_json_str(o, "firmware", ""));
	printf("%-14sTPM 2.0, revision %s, day %u of %u\n", "Specification",
	       sw_json_str(o, "revision", ""), f->day, f->year);
	print_list("PCR banks", sw_json_array(o, "banks"));
	print_flags("Hierarchies", sw_json_get(o, "hierarchies"), "on", "off");
	print_flags("Passwords", sw_json_get(o, "passwords"), "set", "none");
	printf("%-14s%u of %u wrong attempts; one is forgotten every %u s\n", "Lockout",
	       f->failures, f->failures_max, f->interval_s);
	print_flags("Certificates", sw_json_get(o, "certificates"), "stored", "none");
	for (size_t i = 0; i < f->n_findings; i++) {
		printf("%s %s\n", f->finding[i].stops ? "!" : "-", f->finding[i].what);
		if (f->finding[i].hint)
			printf("  %s\n", f->finding[i].hint);
	}
	printf("%-14s%s\n", "Attestation", f->attests ? "can be used" : "cannot be used");
	printf("%-14s%s\n", "Sealing", f->seals ? "can be used" : "cannot be used");
}

static int run_facts(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_machine_ struct sw_machine *m = NULL;
	_cleanup_json_ json_object *o = NULL;
	struct sw_tpm_facts f;
	const char *tcti;
	int r = sw_cli_machine(cli, &m, err);

	if (r == 0)
		r = sw_machine_tcti(m, &tcti, err);
	if (r == 0)
		r = sw_tpm_read_facts(tcti, &f, err);
	if (r < 0)
		return r;
	o = sw_tpm_facts_to_json(&f);
	if (cli->json)
		sw_print_json(o);
	else
		print_facts(&f, o);
	return 0;
}

const struct sw_command sw_command_tpm_facts = {
	.name = "tpm facts",
	.summary = "Show what the TPM is, whether it can be used, and what to do where it cannot",
	.operands = "",
	.details = "Attestation needs the endorsement hierarchy, sealing the storage\n"
		   "hierarchy, and both need the sha256 PCRs.",
	.run = run_facts,
};

/* ---- ek ---- */

static void print_ek(const struct sw_ek *ek)
{
	printf("Node id       %s\n", ek->id);
	printf("Key           %s\n", ek->ecc ? "P-256" : "RSA 2048");
	printf("Certificate   %s\n",
	       !ek->cert       ? "the TPM stores none"
	       : ek->cert_fits ? "stored, and about this key"
			       : "stored, but about another key");
	printf("%s", ek->pem);
}

static json_object *ek_json(const struct sw_ek *ek)
{
	json_object *o = json_object_new_object();

	sw_json_add_str(o, "node_id", ek->id);
	sw_json_add_str(o, "key", ek->ecc ? "p256" : "rsa2048");
	sw_json_add_str(o, "spki_sha256", ek->spki);
	sw_json_add_str(o, "public", ek->pem);
	sw_json_add_str(o, "certificate", ek->cert);
	if (ek->cert)
		sw_json_add_bool(o, "certificate_fits", ek->cert_fits);
	sw_json_add_str(o, "chain", ek->chain);
	return o;
}

static int run_ek(struct sw_cli *cli, struct sw_error *err)
{
	_cleanup_machine_ struct sw_machine *m = NULL;
	_cleanup_ek_ struct sw_ek ek = {};
	const char *tcti;
	int r = sw_cli_machine(cli, &m, err);

	if (r == 0)
		r = sw_machine_tcti(m, &tcti, err);
	if (r == 0)
		r = sw_tpm_ek(tcti, sw_arg(&cli->args, 'e') != NULL, &ek, err);
	if (r < 0)
		return r;
	if (cli->json) {
		_cleanup_json_ json_object *o = ek_json(&ek);

		sw_print_json(o);
	} else {
		print_ek(&ek);
	}
	return 0;
}

static const struct sw_opt ek_opts[] = {
	{ 'e', "ecc", NULL, "the P-256 key, not the RSA key" },
	{ 0, NULL, NULL, NULL },
};

const struct sw_command sw_command_tpm_ek = {
	.name = "tpm ek",
	.summary = "Show the node's id and the TPM's endorsement key",
	.operands = "",
	.opts = ek_opts,
	.details = "The id is the SHA-256 of the key's PEM text: what an attestation server knows\n"
		   "the node by. It stays the same until the TPM is replaced.",
	.run = run_ek,
};
