#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# usage: install.sh DISK KERNEL INITRD
#
# DISK is a block device or an image that is made here.
#
# What an administrator's script does to get the same content as slipway onto a disk, each tool
# writing straight to its place: table, FAT with a UKI, ext4; made durable, dropped from the page
# cache, and what the node boots is read back and compared by hash, as slipway does. The sizes are
# those of the layout "node" on 8 GiB.
set -eu
image=$1 kernel=$2 initrd=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

[ -b "$image" ] || truncate -s 8G "$image"
sha256sum "$kernel" "$initrd" >/dev/null

echo "console=ttyS0" >"$work/cmdline"
objcopy --add-section .cmdline="$work/cmdline" --change-section-vma .cmdline=0x30000 \
	--add-section .linux="$kernel" --change-section-vma .linux=0x2000000 \
	--add-section .initrd="$initrd" --change-section-vma .initrd=0x4000000 \
	/usr/lib/systemd/boot/efi/linuxx64.efi.stub "$work/uki.efi"

sfdisk -q --no-reread "$image" <<END
label: gpt
start=1MiB, size=512MiB, type=uefi, name=slipway-a
size=512MiB, type=uefi, name=slipway-b
size=16MiB, type=linux, name=slipway-node
size=7144MiB, type=linux, name=state
END
mkfs.vfat -I -F 32 -n SLIPWAY-A --offset 2048 "$image" 524288 >/dev/null
mmd -i "$image@@1M" ::/EFI ::/EFI/BOOT
mcopy -i "$image@@1M" "$work/uki.efi" ::/EFI/BOOT/BOOTX64.EFI
mkfs.ext4 -q -F -E lazy_itable_init=1,offset=$((1041 << 20)) "$image" 7144m

# Durable, then forgotten: what is read next comes from the medium.
dd if=/dev/null of="$image" conv=notrunc,fsync status=none
dd if="$image" iflag=nocache count=0 status=none
[ ! -b "$image" ] || blockdev --flushbufs "$image"

want=$(sha256sum <"$work/uki.efi")
got=$(mcopy -i "$image@@1M" ::/EFI/BOOT/BOOTX64.EFI - | sha256sum)
[ "$want" = "$got" ]
