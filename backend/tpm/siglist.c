/* SPDX-License-Identifier: Apache-2.0 */
#include "tpm/siglist.h"

#include <errno.h>
#include <string.h>

#include "base/le.h"

#define LIST_HEAD 28U		/* GUID of the type; sizes of list, header and entry */
#define CERT_HEAD 8U		/* length with this head, revision, type */
#define CERT_PKCS7 0x0002U	/* WIN_CERT_TYPE_PKCS_SIGNED_DATA */

static bool is_x509(const uint8_t *type)
{
	/* EFI_CERT_X509_GUID: a5c059a1-94e4-4aa7-87b5-ab155c2bf072 */
	static const uint8_t x509[16] = { 0xa1, 0x59, 0xc0, 0xa5, 0xe4, 0x94, 0xa7, 0x4a,
					  0x87, 0xb5, 0xab, 0x15, 0x5c, 0x2b, 0xf0, 0x72 };

	return memcmp(type, x509, sizeof(x509)) == 0;
}

int sw_siglist_each(const uint8_t *data, size_t len,
		    int (*fn)(const struct sw_signature *s, void *userdata), void *userdata)
{
	for (size_t at = 0; at < len;) {
		uint32_t size, head, each;

		if (len - at < LIST_HEAD)
			return -EBADMSG;
		size = sw_le32(data + at + 16);
		head = sw_le32(data + at + 20);
		each = sw_le32(data + at + 24);
		if (size > len - at || size < LIST_HEAD || head > size - LIST_HEAD ||
		    each <= SW_SIGNATURE_OWNER || (size - LIST_HEAD - head) % each != 0)
			return -EBADMSG;
		for (size_t i = LIST_HEAD + head; i < size; i += each) {
			struct sw_signature s = { .data = data + at + i, .len = each,
						  .x509 = is_x509(data + at) };
			int r = fn(&s, userdata);

			if (r != 0)
				return r;
		}
		at += size;
	}
	return 0;
}

bool sw_wincert_next(const uint8_t *table, size_t len, size_t *at, struct sw_wincert *ret_cert)
{
	const uint8_t *p = table + *at;
	size_t left = *at < len ? len - *at : 0;
	uint32_t size;

	if (left < CERT_HEAD)
		return false;
	size = sw_le32(p);
	if (size < CERT_HEAD || size > left)
		return false;
	*ret_cert = (struct sw_wincert){ .data = p + CERT_HEAD, .len = size - CERT_HEAD,
					 .pkcs7 = (p[6] | p[7] << 8) == CERT_PKCS7 };
	/* The next one begins on a multiple of 8. */
	*at += size + (8 - size % 8) % 8;
	return true;
}
