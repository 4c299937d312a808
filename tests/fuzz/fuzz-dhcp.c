/* SPDX-License-Identifier: Apache-2.0 */
/* What a DHCP server offers, as dhcpcd hands it to its script: an offer has an address, and a
 * server that it can be passed over by; what is shown of it has no control characters. */
#include <ctype.h>
#include <string.h>

#include "net/offers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_json_ json_object *list = json_object_new_array(), *o = json_object_new_object();
	json_object *offers = json_object_new_array(), *offer;
	_cleanup_buf_ struct sw_buf b = {};
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	offer = sw_offer_read(text);
	free(text);
	sw_json_add(o, "offers", offers);
	json_object_array_add(list, json_object_get(o));
	if (!offer)
		return 0;
	if (!sw_json_get(offer, "address") || strlen(sw_json_str(offer, "server", "")) < 7)
		abort();
	json_object_array_add(offers, offer);
	if (sw_offers_text(list, &b) < 0)
		abort();
	for (size_t i = 0; i < b.len; i++)
		if (b.data[i] != '\n' && iscntrl(b.data[i]))
			abort();
	return 0;
}
