#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Builds the medium: OUT/slipway.iso (CD and USB stick, UEFI, Secure Boot) and OUT/slipway-vmlinuz
# with OUT/slipway-initrd (network boot), from Debian packages and one slipway binary.
#
# Nothing here needs root, a mount or a loop device. Everything that ends up in an image has its
# time set to SOURCE_DATE_EPOCH and its owner to 0:0, and every list is sorted bytewise, so that
# two builds from the same packages and the same binary are one hash (check-reproducible.sh).
set -euo pipefail
export LC_ALL=C TZ=UTC
umask 022

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=/dev/null
. "$here/lib/packages.sh"
. "$here/lib/rootfs.sh"
. "$here/lib/modules.sh"
. "$here/lib/image.sh"

usage() {
	cat <<'END'
usage: build.sh --slipway BINARY --out DIR [--firmware DIR]
  --slipway   the program that the medium runs; its libraries are taken from this system
  --out       where slipway.iso, slipway-vmlinuz and slipway-initrd go (cache and scratch too)
  --firmware  content for /lib/firmware, for drivers whose firmware Debian main does not have
END
}

die() {
	echo "build.sh: $*" >&2
	exit 1
}

say() {
	printf '  ISO     %s\n' "$*"
}

# The default is the date of the last commit: the same tree gives the same image on any day.
default_epoch() {
	git -C "$here" log -1 --format=%ct 2>/dev/null || stat -c %Y "$here/build.sh"
}

slipway='' out='' firmware=''
while [ $# -gt 0 ]; do
	case $1 in
	--slipway) slipway=${2:?}; shift 2 ;;
	--out) out=${2:?}; shift 2 ;;
	--firmware) firmware=${2:?}; shift 2 ;;
	--help) usage; exit 0 ;;
	*) usage >&2; exit 2 ;;
	esac
done
[ -n "$slipway" ] && [ -n "$out" ] || { usage >&2; exit 2; }
[ -x "$slipway" ] || die "$slipway: not an executable file; build it first (make)"
[ -z "$firmware" ] || [ -d "$firmware" ] || die "$firmware: not a directory"
for tool in flock apt-get dpkg-deb gcc mksquashfs cpio zstd xorriso mkfs.vfat mmd mcopy; do
	command -v "$tool" >/dev/null || die "$tool is missing; run .ci/packages iso"
done

export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(default_epoch)}
mkdir -p "$out"
out=$(cd "$out" && pwd)
# A second build would put its initrd and kernel between the first one's and that one's image.
exec 8>"$out/.iso.lock"
flock -n 8 || { say "another build into $out is running; waiting for it"; flock 8; }
cache=$out/iso-cache
work=$(mktemp -d "$out/iso-work.XXXXXX")
trap 'rm -rf "$work"' EXIT
stage=$work/stage root=$work/root

packages_fetch "$cache" "$work/packages.txt"
packages_unpack "$cache" "$work/packages.txt" "$stage"
kernel=$(ls "$stage/lib/modules")
say "kernel $kernel"

rootfs_build "$stage" "$root" "$slipway"
modules_build "$stage" "$root" "$kernel" "$firmware"
modules_firmware_report "$stage" "$root" "$kernel" "$out/FIRMWARE.md"

image_initrd "$root" "$out/slipway-initrd"
install -m 644 "$stage/boot/vmlinuz-$kernel" "$out/slipway-vmlinuz"
image_iso "$stage" "$out" "$work" "$work/packages.txt"
say "$(cd "$out" && du -m slipway.iso | cut -f1) MB: $out/slipway.iso"
