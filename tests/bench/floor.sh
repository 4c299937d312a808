#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# usage: floor.sh BUILD OUT
#
# The least that a medium of our kind can be: Debian's kernel and a busybox that prints one line,
# in OUT/slipway-vmlinuz and OUT/slipway-initrd, and OUT/slipway.iso by the functions and with the
# GRUB configuration of installer-iso. What BUILD (`make iso`) has fetched is used again.
set -euo pipefail
export LC_ALL=C TZ=UTC
umask 022

build=$(cd "$1" && pwd)
out=$(cd "$2" && pwd)
here=$(cd "$(dirname "$0")/../../installer-iso" && pwd)
# shellcheck source=/dev/null
. "$here/lib/packages.sh"
# shellcheck source=/dev/null
. "$here/lib/image.sh"

say() { :; }
work=$(mktemp -d "$out/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
export SOURCE_DATE_EPOCH=1700000000
for package in shim-signed grub-efi-amd64-signed busybox-static; do
	(cd "$build/iso-cache" && ls -t "${package}"_*.deb | head -n 1)
done >"$work/packages.txt"
packages_unpack "$build/iso-cache" "$work/packages.txt" "$work/stage"

mkdir -p "$work/root/dev"
install -m 755 "$work/stage/bin/busybox" "$work/root/busybox"
cat >"$work/root/init" <<'END'
#!/busybox sh
/busybox mount -t devtmpfs devtmpfs /dev
echo FLOOR-UP >/dev/ttyS0
while :; do /busybox sleep 60; done
END
chmod 755 "$work/root/init"
image_cpio "$work/root" | zstd -q -19 -c >"$out/slipway-initrd"
cp "$build/slipway-vmlinuz" "$out/slipway-vmlinuz"
image_iso "$work/stage" "$out" "$work" "$work/packages.txt"
