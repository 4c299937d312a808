/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs on a real machine (a VM with OVMF), as root: the conformance suite of the
 * variable store against efivarfs, and our codec over every boot entry that the
 * firmware has. Prints TAP; ends with 1 when something failed.
 */
#include <string.h>

#include "boot/entries.h"
#include "boot/loadopt.h"
#include "tests/lib/varstore-conformance.h"

struct codec {
	struct sw_varstore *s;
	unsigned int seen, failed, nodes;
};

/* Every node taken apart and added again, one by one; then the whole option. */
static int rebuild(struct codec *c, const uint8_t *data, size_t len, struct sw_buf *out)
{
	_cleanup_loadopt_ struct sw_loadopt o = {};
	_cleanup_buf_ struct sw_buf path = {};
	_cleanup_free_ char *text = NULL;
	struct sw_devpath_node n;
	size_t at = 0;
	int r = sw_loadopt_parse(data, len, &o);

	if (r < 0)
		return r;
	while ((r = sw_devpath_next(o.path, o.path_len, &at, &n)) == 1) {
		c->nodes++;
		r = sw_devpath_add(&path, n.type, n.subtype, n.data, n.len);
		if (r < 0)
			return r;
	}
	if (r == 0)
		r = sw_devpath_add_end(&path);
	if (r == 0)
		r = sw_devpath_text(o.path, o.path_len, &text);
	if (r == 0)
		printf("# \"%s\" %s\n", o.label, text);
	return r < 0 ? r : sw_loadopt_build(o.attrs, o.label, path.data, path.len, o.optional,
					    o.optional_len, out);
}

static int one_entry(const struct sw_guid *guid, const char *name, void *userdata)
{
	_cleanup_buf_ struct sw_buf again = {};
	_cleanup_free_ uint8_t *data = NULL;
	struct codec *c = userdata;
	uint32_t attrs = 0;
	size_t len = 0;
	int r;

	if (memcmp(guid, &sw_guid_global, sizeof(*guid)) != 0 || sw_entry_number(name) < 0)
		return 0;
	r = sw_var_get(c->s, guid, name, &data, &len, &attrs);
	if (r == 0)
		r = rebuild(c, data, len, &again);
	c->seen++;
	if (r == 0 && again.len == len && memcmp(again.data, data, len) == 0)
		return 0;
	printf("# %s is not reproduced (%d): %zu bytes, now %zu\n", name, r, len, again.len);
	c->failed++;
	return 0;
}

int main(void)
{
	_cleanup_varstore_ struct sw_varstore *s = NULL;
	struct sw_error err = {};
	struct codec c = {};
	int failed, r = sw_varstore_open_efivar(&s, &err);

	if (r < 0) {
		printf("Bail out! %s\n", err.what);
		return 1;
	}
	c.s = s;
	failed = varstore_conformance(s);
	r = sw_var_list(s, one_entry, &c);
	printf("%s - codec: %u entries, %u nodes, %u not reproduced\n",
	       r == 0 && c.seen && !c.failed ? "ok" : "not ok", c.seen, c.nodes, c.failed);
	return failed || r < 0 || !c.seen || c.failed;
}
