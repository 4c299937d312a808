/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Device paths as people know them from firmware menus and efibootmgr. A node
 * that we do not know, or whose length is not what its type says, is shown as
 * Path(type,subtype,hex), so nothing is hidden and nothing is read past its end.
 */
#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>

#include "boot/devpath.h"
#include "boot/utf16.h"

typedef int (*node_text_fn)(struct sw_buf *b, const uint8_t *d, size_t len);

static int add_hex(struct sw_buf *b, const uint8_t *d, size_t len)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < len; i++)
		r = sw_buf_addf(b, "%02x", d[i]);
	return r;
}

static int add_guid(struct sw_buf *b, const uint8_t *d)
{
	char text[SW_GUID_TEXT];
	struct sw_guid g;

	memcpy(g.b, d, sizeof(g.b));
	return sw_buf_adds(b, sw_guid_format(&g, text));
}

/* Bytes that claim to be text: anything but printable ASCII is escaped. */
static int add_ascii(struct sw_buf *b, const uint8_t *d, size_t len)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < len && d[i]; i++)
		r = d[i] > 0x20 && d[i] < 0x7f ? sw_buf_add(b, d + i, 1)
					       : sw_buf_addf(b, "%%%02X", d[i]);
	return r;
}

static int text_pci(struct sw_buf *b, const uint8_t *d, size_t len SW_UNUSED)
{
	return sw_buf_addf(b, "Pci(0x%x,0x%x)", d[1], d[0]);
}

static int vendor(struct sw_buf *b, const char *word, const uint8_t *d, size_t len)
{
	int r = sw_buf_addf(b, "%s(", word);

	if (r == 0)
		r = add_guid(b, d);
	if (r == 0 && len > 16)
		r = sw_buf_adds(b, ",");
	if (r == 0)
		r = add_hex(b, d + 16, len - 16);
	return r < 0 ? r : sw_buf_adds(b, ")");
}

static int text_venhw(struct sw_buf *b, const uint8_t *d, size_t len)
{
	return vendor(b, "VenHw", d, len);
}

static int text_venmsg(struct sw_buf *b, const uint8_t *d, size_t len)
{
	return vendor(b, "VenMsg", d, len);
}

static int text_venmedia(struct sw_buf *b, const uint8_t *d, size_t len)
{
	return vendor(b, "VenMedia", d, len);
}

/* A compressed EISA id: three letters of five bits and a 16-bit number. */
static int text_acpi(struct sw_buf *b, const uint8_t *d, size_t len SW_UNUSED)
{
	uint32_t hid = sw_le32(d), uid = sw_le32(d + 4);
	unsigned int v = hid & 0xffff;

	if (hid == 0x0a0341d0)
		return sw_buf_addf(b, "PciRoot(0x%x)", uid);
	if (hid == 0x0a0841d0)
		return sw_buf_addf(b, "PcieRoot(0x%x)", uid);
	if (v != 0x41d0)
		return sw_buf_addf(b, "Acpi(0x%08x,0x%x)", hid, uid);
	return sw_buf_addf(b, "Acpi(PNP%04X,0x%x)", hid >> 16, uid);
}

static int text_scsi(struct sw_buf *b, const uint8_t *d, size_t len SW_UNUSED)
{
	return sw_buf_addf(b, "Scsi(0x%x,0x%x)", sw_le16(d), sw_le16(d + 2));
}

static int text_usb(struct sw_buf *b, const uint8_t *d, size_t len SW_UNUSED)
{
	return sw_buf_addf(b, "USB(0x%x,0x%x)", d[0], d[1]);
}

static int text_mac(struct sw_buf *b, const uint8_t *d, size_t len SW_UNUSED)
{
	int r = sw_buf_adds(b, "MAC(");

	/* Ethernet addresses are six bytes; for other links the whole field counts. */
	if (r == 0)
		r = add_hex(b, d, d[32] <= 1 ? 6 : 32);
	return r < 0 ? r : sw_buf_addf(b, ",%u)", d[32]);
}

static int text_ipv4(struct sw_buf *b, const uint8_t *d, size_t len)
{
	char local[INET_ADDRSTRLEN], remote[INET_ADDRSTRLEN];
	char gw[INET_ADDRSTRLEN] = "0.0.0.0", mask[INET_ADDRSTRLEN] = "0.0.0.0";

	(void)inet_ntop(AF_INET, d, local, sizeof(local));
	(void)inet_ntop(AF_INET, d + 4, remote, sizeof(remote));
	if (len >= 23) {	/* older firmware has no gateway and mask */
		(void)inet_ntop(AF_INET, d + 15, gw, sizeof(gw));
		(void)inet_ntop(AF_INET, d + 19, mask, sizeof(mask));
	}
	return sw_buf_addf(b, "IPv4(%s,0x%x,%s,%s,%s,%s)", remote, sw_le16(d + 12),
			   d[14] ? "Static" : "DHCP", local, gw, mask);
}

static int text_ipv6(struct sw_buf *b, const uint8_t *d, size_t len SW_UNUSED)
{
	static const char *const origin[] = { "Static", "StatelessAutoConfigure",
					      "StatefulAutoConfigure" };
	char local[INET6_ADDRSTRLEN], remote[INET6_ADDRSTRLEN], gw[INET6_ADDRSTRLEN];

	(void)inet_ntop(AF_INET6, d, local, sizeof(local));
	(void)inet_ntop(AF_INET6, d + 16, remote, sizeof(remote));
	(void)inet_ntop(AF_INET6, d + 40, gw, sizeof(gw));
	return sw_buf_addf(b, "IPv6(%s,0x%x,%s,%s,%u,%s)", remote, sw_le16(d + 36),
			   d[38] < 3 ? origin[d[38]] : "?", local, d[39], gw);
}

static int text_sata(struct sw_buf *b, const uint8_t *d, size_t len SW_UNUSED)
{
	return sw_buf_addf(b, "Sata(0x%x,0x%x,0x%x)", sw_le16(d), sw_le16(d + 2), sw_le16(d + 4));
}

static int text_vlan(struct sw_buf *b, const uint8_t *d, size_t len SW_UNUSED)
{
	return sw_buf_addf(b, "Vlan(%u)", sw_le16(d));
}

static int text_nvme(struct sw_buf *b, const uint8_t *d, size_t len SW_UNUSED)
{
	int r = sw_buf_addf(b, "NVMe(0x%x,", sw_le32(d));

	for (int i = 11; r == 0 && i >= 4; i--)
		r = sw_buf_addf(b, "%02X%s", d[i], i > 4 ? "-" : ")");
	return r;
}

static int text_uri(struct sw_buf *b, const uint8_t *d, size_t len)
{
	int r = sw_buf_adds(b, "Uri(");

	if (r == 0)
		r = add_ascii(b, d, len);
	return r < 0 ? r : sw_buf_adds(b, ")");
}

/* One flag byte, then addresses of 16 bytes each; IPv4 ones use the first four. */
static int text_dns(struct sw_buf *b, const uint8_t *d, size_t len)
{
	char text[INET6_ADDRSTRLEN];
	int r = sw_buf_adds(b, "Dns(");

	for (size_t at = 1; r == 0 && at + 16 <= len; at += 16) {
		(void)inet_ntop(d[0] ? AF_INET6 : AF_INET, d + at, text, sizeof(text));
		r = sw_buf_addf(b, "%s%s", at > 1 ? "," : "", text);
	}
	return r < 0 ? r : sw_buf_adds(b, ")");
}

static int text_hd(struct sw_buf *b, const uint8_t *d, size_t len SW_UNUSED)
{
	int r = sw_buf_addf(b, "HD(%u,", sw_le32(d));

	if (r == 0 && d[37] == 2)
		r = sw_buf_adds(b, "GPT,");
	if (r == 0 && d[37] == 2)
		r = add_guid(b, d + 20);
	else if (r == 0)
		r = sw_buf_addf(b, "MBR,0x%08x", sw_le32(d + 20));
	return r < 0 ? r : sw_buf_addf(b, ",0x%llx,0x%llx)", (unsigned long long)sw_le64(d + 4),
				       (unsigned long long)sw_le64(d + 12));
}

static int text_cdrom(struct sw_buf *b, const uint8_t *d, size_t len SW_UNUSED)
{
	return sw_buf_addf(b, "CDROM(%u,0x%llx,0x%llx)", sw_le32(d),
			   (unsigned long long)sw_le64(d + 4), (unsigned long long)sw_le64(d + 12));
}

static int text_file(struct sw_buf *b, const uint8_t *d, size_t len)
{
	_cleanup_free_ char *path = sw_utf16_to_utf8(d, len);

	return path ? sw_buf_addf(b, "File(%s)", path) : -ENOMEM;
}

static int guid_only(struct sw_buf *b, const char *word, const uint8_t *d)
{
	int r = sw_buf_addf(b, "%s(", word);

	if (r == 0)
		r = add_guid(b, d);
	return r < 0 ? r : sw_buf_adds(b, ")");
}

static int text_fv_file(struct sw_buf *b, const uint8_t *d, size_t len SW_UNUSED)
{
	return guid_only(b, "FvFile", d);
}

static int text_fv(struct sw_buf *b, const uint8_t *d, size_t len SW_UNUSED)
{
	return guid_only(b, "Fv", d);
}

static int text_bbs(struct sw_buf *b, const uint8_t *d, size_t len)
{
	int r = sw_buf_addf(b, "BBS(0x%x,", sw_le16(d));

	if (r == 0)
		r = add_ascii(b, d + 4, len - 4);
	return r < 0 ? r : sw_buf_adds(b, ")");
}

static const struct node_kind {
	uint8_t type, subtype;
	uint16_t min, max;	/* length without the header */
	node_text_fn text;
} kinds[] = {
	{ SW_DP_HARDWARE, 1, 2, 2, text_pci },
	{ SW_DP_HARDWARE, 4, 16, 0xffff, text_venhw },
	{ SW_DP_ACPI, 1, 8, 8, text_acpi },
	{ SW_DP_MESSAGING, 2, 4, 4, text_scsi },
	{ SW_DP_MESSAGING, 5, 2, 2, text_usb },
	{ SW_DP_MESSAGING, 0x0a, 16, 0xffff, text_venmsg },
	{ SW_DP_MESSAGING, SW_DP_MSG_MAC, 33, 33, text_mac },
	{ SW_DP_MESSAGING, 0x0c, 15, 23, text_ipv4 },
	{ SW_DP_MESSAGING, 0x0d, 56, 56, text_ipv6 },
	{ SW_DP_MESSAGING, 0x12, 6, 6, text_sata },
	{ SW_DP_MESSAGING, 0x14, 2, 2, text_vlan },
	{ SW_DP_MESSAGING, 0x17, 12, 12, text_nvme },
	{ SW_DP_MESSAGING, SW_DP_MSG_URI, 0, 0xffff, text_uri },
	{ SW_DP_MESSAGING, 0x1f, 1, 0xffff, text_dns },
	{ SW_DP_MEDIA, SW_DP_MEDIA_HD, 38, 38, text_hd },
	{ SW_DP_MEDIA, 2, 20, 20, text_cdrom },
	{ SW_DP_MEDIA, 3, 16, 0xffff, text_venmedia },
	{ SW_DP_MEDIA, SW_DP_MEDIA_FILE, 2, 0xffff, text_file },
	{ SW_DP_MEDIA, SW_DP_MEDIA_FV_FILE, 16, 16, text_fv_file },
	{ SW_DP_MEDIA, 7, 16, 16, text_fv },
	{ SW_DP_BBS, 1, 4, 0xffff, text_bbs },
};

static int node_text(struct sw_buf *b, const struct sw_devpath_node *n)
{
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (n->type == kinds[i].type && n->subtype == kinds[i].subtype &&
		    n->len >= kinds[i].min && n->len <= kinds[i].max)
			return kinds[i].text(b, n->data, n->len);
	r = sw_buf_addf(b, "Path(%u,%u", n->type, n->subtype);
	if (r == 0 && n->len > 0)
		r = sw_buf_adds(b, ",");
	if (r == 0)
		r = add_hex(b, n->data, n->len);
	return r < 0 ? r : sw_buf_adds(b, ")");
}

int sw_devpath_text(const uint8_t *p, size_t len, char **ret_text)
{
	_cleanup_buf_ struct sw_buf b = {};
	struct sw_devpath_node n;
	const char *between = "";
	size_t at = 0;
	char *s;
	int r;

	while ((r = sw_devpath_next(p, len, &at, &n)) > 0) {
		if (n.type == SW_DP_END) {	/* another instance follows */
			between = ",";
			continue;
		}
		r = sw_buf_adds(&b, between);
		if (r == 0)
			r = node_text(&b, &n);
		if (r < 0)
			return r;
		between = "/";
	}
	if (r < 0)
		return r;
	s = b.data ? sw_buf_steal(&b) : strdup("");
	if (!s)
		return -ENOMEM;
	*ret_text = s;
	return 0;
}
