/* SPDX-License-Identifier: Apache-2.0 */
/* Little-endian fields, as most formats of firmware and disks have them; of any alignment. */
#pragma once

#include <stdint.h>

uint16_t sw_le16(const uint8_t *p);
uint32_t sw_le32(const uint8_t *p);
uint64_t sw_le64(const uint8_t *p);
uint64_t sw_be64(const uint8_t *p);	/* the other way round, as LUKS2 and xfs have it */
void sw_put_le16(uint8_t *p, uint16_t v);
void sw_put_le32(uint8_t *p, uint32_t v);
void sw_put_le64(uint8_t *p, uint64_t v);
