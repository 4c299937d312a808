/* SPDX-License-Identifier: Apache-2.0 */
#include "layout/encrypted.h"

#include "base/crypto.h"
#include "layout/content.h"

int sw_layout_check_keys(const struct sw_layout_part *p, const struct sw_layout_keys *keys,
			 struct sw_error *err)
{
	if ((p->encrypt & SW_ENCRYPT_KEY_FILE) && !(keys && keys->key_file)) {
		sw_fail(err, SW_EXIT_USAGE, -ENOKEY, "Encrypt=%s needs a key file",
			sw_encrypt_name(p->encrypt));
		sw_error_where(err, "%s", p->file);
		sw_error_hint(err, "give --key-file FILE");
		return -ENOKEY;
	}
	if ((p->encrypt & SW_ENCRYPT_TPM2) && !(keys && keys->tcti)) {
		sw_fail(err, SW_EXIT_MISSING, -ENODEV, "Encrypt=%s needs a TPM, and there is none",
			sw_encrypt_name(p->encrypt));
		sw_error_where(err, "%s", p->file);
		sw_error_hint(err, "turn the TPM on in the firmware setup, or use "
				   "Encrypt=key-file");
		return -ENODEV;
	}
	return 0;
}

int sw_encrypt_make(unsigned int encrypt, const struct sw_guid *part_uuid,
		    const struct sw_layout_keys *keys, const struct sw_secret *recovery,
		    const char *file, struct sw_encrypt_note *ret_note, struct sw_secret **ret_key,
		    struct sw_error *err)
{
	_cleanup_secret_ struct sw_secret *secret = NULL;
	struct sw_sealed sealed = { .measured = true };
	struct sw_luks_spec spec = { .sector = SW_LUKS_SECTOR, .recovery = recovery,
				     .sealed = &sealed, .cost = keys->cost };
	const struct sw_seal_signer by = { .key = keys->signer, .log = keys->log };
	int r = 0;

	if (sw_luks_uuid(part_uuid, &spec.uuid) < 0)
		return sw_fail(err, SW_EXIT_INTERNAL, -EIO, "cannot derive the UUIDs");
	if (encrypt & SW_ENCRYPT_KEY_FILE)
		spec.key_file = keys->key_file;
	if (encrypt & SW_ENCRYPT_TPM2)
		r = sw_tpm_seal_tried(keys->tcti, keys->pcrs ? keys->pcrs : SW_TPM_PCRS_DEFAULT,
				      keys->pcr7, &by, &sealed, &secret, err);
	if (r < 0)
		return r;
	spec.tpm_secret = secret;
	*ret_note = (struct sw_encrypt_note){ sealed.measured, sealed.later };
	return sw_luks_make(&spec, file, ret_key, err);
}

int sw_encrypt_fill(struct sw_io *io, const struct sw_secret *key, const char *header,
		    const struct sw_placement *inner, int64_t when, const char *work,
		    unsigned int step, const struct sw_sink *sink, struct sw_error *err)
{
	_cleanup_io_ struct sw_io *window = NULL, *data = NULL;
	int r = sw_crypto_open(err);

	if (r < 0)
		return r;
	r = io->size > SW_LUKS_HEADER ? 0 : -ENOSPC;
	if (r == 0)
		r = sw_io_window(io, SW_LUKS_HEADER, io->size - SW_LUKS_HEADER, &window);
	if (r == 0)
		r = sw_luks_data(window, key, SW_LUKS_SECTOR, &data);
	if (r < 0)
		return sw_fail_errno(err, SW_EXIT_INTERNAL, r, "cannot encrypt the partition");
	r = sw_layout_fill(data, inner, when, work, step, sink, err);
	return r < 0 ? r : sw_luks_write_header(io, header, err);
}
