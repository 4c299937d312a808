# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
#
# The Debian packages that the medium is made of: fetched with apt into a cache, unpacked, never
# installed, so that a build changes nothing on the machine it runs on.

# kmod, busybox and the rest run on the medium; kmod's depmod also runs here.
packages_names="udev systemd systemd-boot-efi dosfstools mtools e2fsprogs util-linux
	util-linux-extra busybox-static kmod ca-certificates ncurses-base ncurses-term shim-signed
	grub-efi-amd64-signed libc-bin libc6 smartmontools nvme-cli hdparm age
	openssh-client dhcpcd-base memtest86+ mdadm lvm2 dmsetup"

# The package behind linux-image-amd64, whose own name changes with every ABI.
packages_kernel() {
	apt-cache depends linux-image-amd64 2>/dev/null |
		sed -n 's/^ *Depends: \(linux-image-[0-9][^ ]*\)$/\1/p' | head -n 1
}

# packages_fetch CACHE LIST: downloads what is not in CACHE; LIST gets one file name a line.
packages_fetch() {
	local cache=$1 list=$2 kernel uris name quoted
	kernel=$(packages_kernel)
	[ -n "$kernel" ] || die "apt does not know linux-image-amd64; run apt-get update first"
	mkdir -p "$cache"
	# shellcheck disable=SC2086
	uris=$(apt-get download --print-uris $kernel $packages_names) ||
		die "apt-get cannot name the packages; run apt-get update first"
	while read -r quoted name _; do
		[ -n "$quoted" ] && printf '%s\n' "$name"
	done <<<"$uris" | sort -u >"$list"
	while read -r name; do
		[ -s "$cache/$name" ] && continue
		say "fetch ${name%%_*}"
		# apt's sandbox user cannot write here; that is a notice, not an error.
		(cd "$cache" && apt-get download -qq "${name%%_*}" 2>&1 |
			grep -v 'unsandboxed' >&2 || true)
		[ -s "$cache/$name" ] || die "$name could not be downloaded"
	done <"$list"
}

# packages_unpack CACHE LIST STAGE
packages_unpack() {
	local cache=$1 list=$2 stage=$3 name
	mkdir -p "$stage"
	while read -r name; do
		dpkg-deb -x "$cache/$name" "$stage"
	done <"$list"
}
