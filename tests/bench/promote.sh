#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# usage: promote.sh DEVICE OFFSET UKI
#
# What a careful script does to put another image into a slot that is there: copy, make durable,
# drop the page cache, read back, compare by hash. It keeps no last known good image and writes no
# manifest and no boot entry.
set -eu
device=$1 start=$2 uki=$3
export MTOOLS_SKIP_CHECK=1

want=$(sha256sum <"$uki")
mcopy -o -i "$device@@$start" "$uki" ::/EFI/BOOT/BOOTX64.EFI
dd if=/dev/null of="$device" conv=notrunc,fsync status=none
dd if="$device" iflag=nocache count=0 status=none
[ ! -b "$device" ] || blockdev --flushbufs "$device"
got=$(mcopy -i "$device@@$start" ::/EFI/BOOT/BOOTX64.EFI - | sha256sum)
[ "$want" = "$got" ]
