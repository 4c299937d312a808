#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Builds the medium twice, in two directories of different names, and compares the three files.
#   check-reproducible.sh SLIPWAY DIR
# DIR/iso-cache, when it is there, is shared so that packages are fetched once.
set -euo pipefail

[ $# -eq 2 ] || { echo "usage: check-reproducible.sh SLIPWAY DIR" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
slipway=$1 dir=$2
mkdir -p "$dir/iso-cache"
dir=$(cd "$dir" && pwd)
scratch=$(mktemp -d "$dir/repro.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

for out in "$scratch/a" "$scratch/another-name/b"; do
	mkdir -p "$out"
	ln -s "$dir/iso-cache" "$out/iso-cache"
	"$here/build.sh" --slipway "$slipway" --out "$out" >/dev/null 2>"$scratch/log" || {
		cat "$scratch/log" >&2
		exit 1
	}
	# A build that only agrees with itself within one second would pass by luck.
	sleep 2
done

result=0
for file in slipway.iso slipway-vmlinuz slipway-initrd FIRMWARE.md; do
	if cmp -s "$scratch/a/$file" "$scratch/another-name/b/$file"; then
		echo "ok $file $(sha256sum <"$scratch/a/$file" | cut -c1-64)"
	else
		echo "not ok $file differs between two builds"
		result=1
	fi
done
exit $result
