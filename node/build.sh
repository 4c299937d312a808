#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Makes slipway-node.cpio: the program and everything that it runs, below /slipway-node, to be put
# behind any initrd. Nothing of the initrd's own is used or touched: the program names its own
# loader and libraries, so it does not matter which libc the initrd has, or whether it has one.
#
# Every file has the time SOURCE_DATE_EPOCH, owner 0:0, and the list is sorted, so that two builds
# from the same program and the same packages are one file.
set -eu
export LC_ALL=C TZ=UTC
umask 022

usage() {
	echo "usage: build.sh --program BINARY --user LIBRARY --out FILE.cpio" >&2
	exit 2
}

program= user= out=
while [ $# -gt 0 ]; do
	[ $# -ge 2 ] || usage
	case $1 in
	--program) program=$2 ;;
	--user) user=$2 ;;
	--out) out=$2 ;;
	*) usage ;;
	esac
	shift 2
done
[ -n "$program" ] && [ -n "$user" ] && [ -n "$out" ] || usage
PATH=$PATH:/usr/sbin:/sbin
for tool in patchelf strip cpio ldd ldconfig readelf; do
	command -v $tool >/dev/null || {
		echo "node/build.sh: $tool is missing: .ci/packages test" >&2
		exit 1
	}
done
out=$(realpath -m "$out")
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 1)}
private=slipway-node
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/tree
mkdir -p "$tree/$private/gconv"
cp "$program" "$tree/$private/slipway"
cp "$user" "$tree/$private/libuser.so"

# Tools that the program runs. mtools goes by the name that it is called by.
for tool in mkfs.vfat mtools ssh-keygen; do
	cp "$(realpath "$(command -v $tool)")" "$tree/$private/$tool"
	chmod 755 "$tree/$private/$tool"
	patchelf --set-interpreter /$private/ld.so --force-rpath --set-rpath /$private \
		"$tree/$private/$tool"
done
patchelf --add-needed libuser.so "$tree/$private/ssh-keygen"
for name in mcopy mmd; do
	ln -s mtools "$tree/$private/$name"
done

# The conversion that mtools needs for names on a FAT, with a list that names it alone.
modules=$(dirname "$(find /usr/lib -name IBM850.so | head -n 1)")
cp "$modules/IBM850.so" "$tree/$private/gconv/"
{
	echo 'module IBM850// INTERNAL IBM850 1'
	echo 'module INTERNAL IBM850// IBM850 1'
	echo 'alias CP850// IBM850//'
	echo 'alias 850// IBM850//'
} >"$tree/$private/gconv/gconv-modules"

# Libraries that the program opens at their first use: it says which in its notes.
opened=$(readelf -p .note.dlopen "$program" | sed -n 's/.*"soname":\["\([^"]*\)"\].*/\1/p')
[ -n "$opened" ] || {
	echo "node/build.sh: the program does not say which libraries it opens" >&2
	exit 1
}
for name in $opened; do
	ldconfig -p | awk -v name="$name" '$1 == name { print $1, "=>", $NF; exit }'
done >"$work/opened"
[ "$(wc -l <"$work/opened")" = "$(echo "$opened" | wc -l)" ] || {
	echo "node/build.sh: ldconfig does not know all of:" $opened >&2
	exit 1
}

# All libraries by their names, and the loader as ld.so.
{
	cat "$work/opened"
	for file in "$program" mkfs.vfat mtools ssh-keygen $(awk '{ print $3 }' "$work/opened"); do
		ldd "$(command -v "$file")"
	done
} |
	awk '$2 == "=>" && $1 !~ /\// && $3 ~ /^\// { print $1, $3 }
		$1 ~ /^\/.*ld-linux/ { print "ld.so", $1 }' |
	sort -u >"$work/libraries"
while read -r name path; do
	cp -L "$path" "$tree/$private/$name"
	chmod 755 "$tree/$private/$name"
done <"$work/libraries"
[ -e "$tree/$private/ld.so" ] || {
	echo "node/build.sh: ldd named no loader" >&2
	exit 1
}
for ca in /etc/ssl/certs/ca-certificates.crt; do
	[ ! -e "$ca" ] || cp -L "$ca" "$tree/$private/ca-certificates.crt"
done
find "$tree" -type f -name '*.so*' -exec strip --strip-unneeded {} +
strip "$tree/$private/slipway"

find "$tree" -exec touch -h -d "@$epoch" {} +
# Numbers of inodes come from the order of the list, not from the file system.
(cd "$tree" && find . -mindepth 1 -printf '%P\0' | sort -z |
	cpio --null --quiet --reproducible -o -H newc --owner=+0:+0) >"$out.new"
mv "$out.new" "$out"
echo "$out: $(($(stat -c %s "$out") / 1024)) KiB"
