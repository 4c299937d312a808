/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcryptsetup, opened at the first LUKS header that is made (base/library.h).
 * Calls look as they do when it is linked. Private to disk/.
 */
#pragma once

#include <libcryptsetup.h>

#include "base/error.h"
#include "base/library.h"

#define SW_CRYPTSETUP_LIST(X)                                                                 \
	X(crypt_init) X(crypt_free) X(crypt_set_log_callback) X(crypt_set_data_offset)        \
	X(crypt_format) X(crypt_set_pbkdf_type) X(crypt_keyslot_add_by_volume_key)            \
	X(crypt_token_json_set) X(crypt_load) X(crypt_activate_by_passphrase)                 \
	X(crypt_volume_key_get) X(crypt_get_volume_key_size) X(crypt_get_data_offset)         \
	X(crypt_get_metadata_size) X(crypt_token_status) X(crypt_token_json_get)              \
	X(crypt_token_is_assigned) X(crypt_keyslot_destroy) X(crypt_get_cipher)               \
	X(crypt_get_cipher_mode) X(crypt_get_sector_size) X(crypt_status)                     \
	X(crypt_deactivate_by_name)

struct sw_cryptsetup {
	SW_CRYPTSETUP_LIST(SW_LIBRARY_POINTER)
};

extern struct sw_cryptsetup sw_cryptsetup;

/* Before any of the calls below. */
int sw_cryptsetup_open(struct sw_error *err);

#define crypt_init (*sw_cryptsetup.crypt_init_)
#define crypt_free (*sw_cryptsetup.crypt_free_)
#define crypt_set_log_callback (*sw_cryptsetup.crypt_set_log_callback_)
#define crypt_set_data_offset (*sw_cryptsetup.crypt_set_data_offset_)
#define crypt_format (*sw_cryptsetup.crypt_format_)
#define crypt_set_pbkdf_type (*sw_cryptsetup.crypt_set_pbkdf_type_)
#define crypt_keyslot_add_by_volume_key (*sw_cryptsetup.crypt_keyslot_add_by_volume_key_)
#define crypt_token_json_set (*sw_cryptsetup.crypt_token_json_set_)
#define crypt_load (*sw_cryptsetup.crypt_load_)
#define crypt_activate_by_passphrase (*sw_cryptsetup.crypt_activate_by_passphrase_)
#define crypt_volume_key_get (*sw_cryptsetup.crypt_volume_key_get_)
#define crypt_get_volume_key_size (*sw_cryptsetup.crypt_get_volume_key_size_)
#define crypt_get_data_offset (*sw_cryptsetup.crypt_get_data_offset_)
#define crypt_get_metadata_size (*sw_cryptsetup.crypt_get_metadata_size_)
#define crypt_token_status (*sw_cryptsetup.crypt_token_status_)
#define crypt_token_json_get (*sw_cryptsetup.crypt_token_json_get_)
#define crypt_token_is_assigned (*sw_cryptsetup.crypt_token_is_assigned_)
#define crypt_keyslot_destroy (*sw_cryptsetup.crypt_keyslot_destroy_)
#define crypt_get_cipher (*sw_cryptsetup.crypt_get_cipher_)
#define crypt_get_cipher_mode (*sw_cryptsetup.crypt_get_cipher_mode_)
#define crypt_get_sector_size (*sw_cryptsetup.crypt_get_sector_size_)
#define crypt_status (*sw_cryptsetup.crypt_status_)
#define crypt_deactivate_by_name (*sw_cryptsetup.crypt_deactivate_by_name_)
