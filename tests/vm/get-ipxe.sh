#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Debian 13's iPXE, for the test that starts through it: Debian 12's reads no script. The package is
# fetched by apt's own means, which keeps to this hash. It may have gone from the archive when a
# newer one took its place; then the test is skipped, and says so.
#
#   get-ipxe.sh FILE
set -u
out=$1
package=ipxe_1.21.1%2bgit20250501.dad20602%2bdfsg-1_all.deb
hash=eeaca79dbde0fb86c102bf1d362c6f6a67ed0ddab38b3dd12e1b332339f5dd99

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
for base in http://deb.debian.org/debian \
	http://snapshot.debian.org/archive/debian/20250901T000000Z; do
	/usr/lib/apt/apt-helper download-file "$base/pool/main/i/ipxe/$package" "$work/ipxe.deb" \
		"SHA256:$hash" >"$work/log" 2>&1 && break
done
if dpkg-deb -x "$work/ipxe.deb" "$work/tree" 2>>"$work/log"; then
	cp "$work/tree/usr/lib/ipxe/ipxe-amd64.efi" "$out.new" && mv "$out.new" "$out"
else
	echo "get-ipxe.sh: Debian's archive did not give $package" >&2
	tail -n 3 "$work/log" >&2
	exit 1
fi
