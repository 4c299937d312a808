/* SPDX-License-Identifier: Apache-2.0 */
#include "base/le.h"

uint16_t sw_le16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

uint32_t sw_le32(const uint8_t *p)
{
	return (uint32_t)sw_le16(p) | (uint32_t)sw_le16(p + 2) << 16;
}

uint64_t sw_le64(const uint8_t *p)
{
	return (uint64_t)sw_le32(p) | (uint64_t)sw_le32(p + 4) << 32;
}

uint64_t sw_be64(const uint8_t *p)
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < 8; i++)
		n = n << 8 | p[i];
	return n;
}

void sw_put_le16(uint8_t *p, uint16_t v)
{
	p[0] = v & 0xff;
	p[1] = v >> 8;
}

void sw_put_le32(uint8_t *p, uint32_t v)
{
	sw_put_le16(p, v & 0xffff);
	sw_put_le16(p + 2, v >> 16);
}

void sw_put_le64(uint8_t *p, uint64_t v)
{
	sw_put_le32(p, v & 0xffffffff);
	sw_put_le32(p + 4, v >> 32);
}
