#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Makes a copy of the medium with more files at its root: slipway.yaml, which slipway then installs
# by itself, and whatever that names as medium:/FILE. The boot images, the volume UUID that
# slipway.medium= names and the partition table stay as they are, so the copy boots as the
# original does, with Secure Boot too.
set -euo pipefail

if [ $# -lt 3 ]; then
	echo "usage: add-answers.sh ISO OUT SLIPWAY.YAML [FILE]..." >&2
	exit 2
fi
iso=$1 out=$2
shift 2
for file in "$iso" "$@"; do
	[ -f "$file" ] || { echo "add-answers.sh: $file: no such file" >&2; exit 2; }
done
[ ! "$iso" -ef "$out" ] || { echo "add-answers.sh: OUT must not be ISO itself" >&2; exit 2; }

uuid=$(blkid -p -s UUID -o value "$iso")
case $uuid in
????-??-??-??-??-??-??) ;;
*) echo "add-answers.sh: $iso: not an ISO image of slipway" >&2; exit 2 ;;
esac

# The first file is the answer file whatever it is called here.
args=(-map "$1" /slipway.yaml)
shift
for file; do
	args+=(-map "$file" "/$(basename "$file")")
done
rm -f "$out"
stamp=${uuid//-/}
# "stdio:" because xorriso takes every other path below /dev for a drive, /dev/shm too.
xorriso -report_about WARNING -indev "stdio:$iso" -outdev "stdio:$out" \
	-boot_image any replay -volume_date uuid "$stamp" -joliet on "${args[@]}" \
	-chown_r 0 / -- -chgrp_r 0 / -- -commit
[ "$(blkid -p -s UUID -o value "$out")" = "$uuid" ] || {
	echo "add-answers.sh: $out has lost its UUID; do not use it" >&2
	exit 1
}
