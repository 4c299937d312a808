# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
#
# From directories to images: the initrd, the EFI system partition with shim and GRUB, the ISO.

# The medium's ISO 9660 UUID is its volume date, as blkid prints it; slipway.medium= names it.
image_uuid() {
	date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%d-%H-%M-%S-00
}

# image_cpio DIR: a newc archive of DIR on standard output, sorted, dated, owned by 0:0.
image_cpio() {
	(cd "$1" && find . -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} + &&
		find . -mindepth 1 | sort |
		cpio -o -H newc -R 0:0 --reproducible --quiet)
}

# image_initrd ROOT OUTPUT: /usr, kernel modules included, is one squashfs *file* in the initrd and
# is mounted by /init. Measured against unpacking it: half the time to the first screen, and less
# memory, because the kernel only copies it and only blocks that are used are ever decompressed.
# So the initrd is two archives, as the kernel allows: a plain one around the squashfs, which is
# compressed already, then the few files outside /usr.
image_initrd() {
	local root=$1 output=$2
	say "initrd"
	mkdir -p "$work/first"
	mksquashfs "$root/usr" "$work/first/usr.squashfs" -quiet -no-progress -noappend \
		-comp zstd -Xcompression-level 19 -b 128K -all-root -no-xattrs \
		-processors 2 >/dev/null
	rm -rf "${root:?}/usr"
	mkdir "$root/usr"
	image_cpio "$work/first" >"$output"
	image_cpio "$root" | zstd -q -19 -T1 -c >>"$output"
}

# image_esp STAGE OUTPUT: the FAT image that firmware starts from. grub.cfg lies in it and in the
# ISO: the signed GRUB reads /boot/grub of the device it came from, which is this partition on a
# stick and the whole ISO on a CD. Without one it would take a grub.cfg of any other medium.
image_esp() {
	local stage=$1 output=$2 signed=$1/usr/lib/grub/x86_64-efi-signed
	sed "s/@UUID@/$(image_uuid)/g" "$here/grub.cfg.in" >"$work/grub.cfg"
	rm -f "$output"
	truncate -s 5M "$output"
	mkfs.vfat --invariant -F 12 -n SLIPWAYEFI "$output" >/dev/null
	export MTOOLS_SKIP_CHECK=1
	mmd -i "$output" ::/EFI ::/EFI/BOOT ::/boot ::/boot/grub
	mcopy -i "$output" "$stage/usr/lib/shim/shimx64.efi.signed" ::/EFI/BOOT/BOOTX64.EFI
	mcopy -i "$output" "$signed/gcdx64.efi.signed" ::/EFI/BOOT/grubx64.efi
	mcopy -i "$output" "$work/grub.cfg" ::/boot/grub/grub.cfg
	# A program of its own beside slipway (GPL-2), which the firmware can start by itself.
	mcopy -i "$output" "$stage/boot/memtest86+x64.efi" ::/EFI/BOOT/memtest.efi
}

# image_iso STAGE OUT WORK PACKAGES
image_iso() {
	local stage=$1 out=$2 work=$3 packages=$4 tree=$3/iso stamp
	say "slipway.iso"
	mkdir -p "$tree/boot"
	cp "$out/slipway-vmlinuz" "$tree/boot/vmlinuz"
	cp "$out/slipway-initrd" "$tree/boot/initrd"
	cp "$packages" "$tree/packages.txt"
	image_esp "$stage" "$work/esp.img"
	install -D -m 644 "$work/grub.cfg" "$tree/boot/grub/grub.cfg"
	install -D -m 644 "$stage/boot/memtest86+x64.efi" "$tree/boot/memtest.efi"
	install -D -m 644 "$stage/usr/share/doc/memtest86+/copyright" "$tree/boot/memtest.txt"
	find "$tree" -exec touch -d "@$SOURCE_DATE_EPOCH" {} +
	stamp=$(image_uuid | tr -d -)
	rm -f "$out/slipway.iso"
	# The EFI image is a GPT partition behind the ISO and the El Torito image at once; the ISO
	# is a partition too, so that a stick shows a file system that can be mounted.
	xorriso -report_about WARNING -as mkisofs -r -J -V SLIPWAY_MEDIUM \
		--modification-date="$stamp" --set_all_file_dates "$stamp" \
		-partition_offset 16 --gpt_disk_guid modification-date \
		-append_partition 2 C12A7328-F81F-11D2-BA4B-00A0C93EC93B "$work/esp.img" \
		-appended_part_as_gpt -e --interval:appended_partition_2:all:: -no-emul-boot \
		-o "$out/slipway.iso" "$tree"
}
