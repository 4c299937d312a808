# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
#
# The root file system of the medium: slipway, what slipway runs, udev, networkd, busybox, and the
# libraries of all of them. Programs come from the unpacked packages; libraries come from there
# when the package brings a private one and from this system otherwise, because slipway itself is
# linked against this system's.

rootfs_programs="bin/kmod bin/udevadm lib/udev/ata_id lib/udev/cdrom_id lib/udev/scsi_id
	lib/systemd/systemd-networkd bin/networkctl sbin/mkfs.fat usr/bin/mtools sbin/mke2fs
	sbin/e2fsck sbin/e2undo sbin/fsck.fat sbin/debugfs sbin/mkswap usr/sbin/smartctl
	usr/sbin/nvme sbin/hdparm usr/bin/age usr/bin/ssh-keygen bin/journalctl
	usr/sbin/dhcpcd sbin/mdadm sbin/lvm sbin/dmsetup"

# name target: the names under which the programs above are called.
rootfs_links="usr/sbin/modprobe /usr/bin/kmod
	usr/sbin/insmod /usr/bin/kmod
	usr/sbin/depmod /usr/bin/kmod
	usr/bin/lsmod /usr/bin/kmod
	usr/sbin/modinfo /usr/bin/kmod
	usr/lib/systemd/systemd-udevd /usr/bin/udevadm
	usr/sbin/mkfs.vfat mkfs.fat
	usr/sbin/mkfs.ext4 mke2fs
	usr/sbin/fsck.ext4 e2fsck"
rootfs_mtools="mattrib mcopy mdel mdeltree mdir minfo mlabel mmd mmove mrd mren mshowfat mtype"

# Rules that name or initialise devices; nothing about sound, cameras or seats. Those of mdadm and
# lvm2, which put arrays and volumes together as disks come, stay out: the medium only looks, and
# when it is told to (backend/stack). Device mapper's own only name, and tell who waits for them.
rootfs_rules="50-firmware 50-udev-default 55-dm 60-block 60-cdrom_id 60-input-id
	60-persistent-input 60-persistent-storage 60-persistent-storage-dm 60-serial 60-tpm-udev
	64-btrfs 75-net-description 80-drivers 80-net-setup-link 73-special-net-names 95-dm-notify
	99-systemd"

rootfs_terminals="ansi dumb linux screen screen-256color tmux tmux-256color vt100 vt102 vt220
	xterm xterm-256color xterm-color"

rootfs_skeleton() {
	local root=$1 dir
	mkdir -p "$root"/{dev,etc,proc,sys,run,root,mnt,tmp,var/lib,var/log}
	mkdir -p "$root"/usr/{bin,sbin,lib/x86_64-linux-gnu,lib64,lib/systemd,share}
	for dir in bin sbin lib lib64; do
		ln -s "usr/$dir" "$root/$dir"
	done
	ln -s ../run "$root/var/run"
	chmod 1777 "$root/tmp"
}

# rootfs_library ROOT FILE: FILE goes under the same name, with /lib folded into /usr/lib.
rootfs_library() {
	local root=$1 file=$2 dest=$2
	case $dest in
	*/stage/*) dest=/${dest#*/stage/} ;;
	esac
	case $dest in
	/lib/* | /lib64/*) dest=/usr$dest ;;
	esac
	[ -e "$root$dest" ] && return 0
	install -D -m 755 "$(readlink -f "$file")" "$root$dest"
}

# rootfs_libraries STAGE ROOT FILE...: everything that the loader would load for FILE.
rootfs_libraries() {
	local stage=$1 root=$2 file lib private
	shift 2
	private=$stage/usr/lib/x86_64-linux-gnu/systemd:$stage/lib/x86_64-linux-gnu/systemd
	for file; do
		LD_LIBRARY_PATH=$private ldd "$file" >"$work/ldd" 2>&1 ||
			grep -q 'not a dynamic' "$work/ldd" || die "ldd $file: $(cat "$work/ldd")"
		if grep -q 'not found' "$work/ldd"; then
			die "$file: $(grep 'not found' "$work/ldd")"
		fi
		sed -n 's/.* => \(\/[^ ]*\) .*/\1/p; s/^[[:space:]]*\(\/[^ ]*\) (.*/\1/p' \
			"$work/ldd" | sort -u | while read -r lib; do
			rootfs_library "$root" "$lib"
		done
	done
}

rootfs_add_programs() {
	local stage=$1 root=$2 slipway=$3 path name target
	install -m 755 "$slipway" "$root/usr/bin/slipway"
	strip "$root/usr/bin/slipway"
	rootfs_libraries "$stage" "$root" "$slipway"
	for path in $rootfs_programs; do
		install -D -m 755 "$stage/$path" "$root/usr/${path#usr/}"
		rootfs_libraries "$stage" "$root" "$stage/$path"
	done
	echo "$rootfs_links" | while read -r name target; do
		ln -sf "$target" "$root/$name"
	done
	for name in $rootfs_mtools; do
		ln -s mtools "$root/usr/bin/$name"
	done
}

# What programs open by name at run time and ldd therefore cannot know.
rootfs_add_plugins() {
	local stage=$1 root=$2 slipway=$3 lib=/usr/lib/x86_64-linux-gnu file opened gconv
	file=$lib/libtss2-tcti-device.so.0
	[ -e "$file" ] || die "$file is missing; run .ci/packages build"
	rootfs_library "$root" "$file"
	rootfs_libraries "$stage" "$root" "$file"
	# slipway says in its notes which libraries it opens at their first use.
	readelf -p .note.dlopen "$slipway" >"$work/notes" || die "readelf $slipway"
	opened=$(sed -n 's/.*"soname":\["\([^"]*\)"\].*/\1/p' "$work/notes")
	[ -n "$opened" ] || die "$slipway does not say which libraries it opens"
	for file in $opened; do
		file=$lib/$file
		[ -e "$file" ] || die "$file is missing; run .ci/packages build"
		rootfs_library "$root" "$file"
		rootfs_libraries "$stage" "$root" "$file"
	done
	# argon2 computes in threads, and glibc loads this when one of them ends, or aborts.
	file=$lib/libgcc_s.so.1
	[ -e "$file" ] || die "$file is missing; install libgcc-s1"
	rootfs_library "$root" "$file"
	# mtools and mkfs.fat convert names from code page 850.
	gconv=$root$lib/gconv
	mkdir -p "$gconv"
	for file in IBM850 UTF-16 UTF-32 UNICODE; do
		install -m 755 "$stage$lib/gconv/$file.so" "$gconv/"
	done
	sed -n '/^[[:space:]]*#/d; /^$/d; /\(IBM850\|CP850\|UTF-16\|UTF-32\|UNICODE\/\)/p' \
		"$stage$lib/gconv/gconv-modules" \
		"$stage$lib"/gconv/gconv-modules.d/*.conf >"$gconv/gconv-modules"
	mkdir -p "$root/usr/lib/locale"
	cp -r "$stage/usr/lib/locale/C.utf8" "$root/usr/lib/locale/"
}

rootfs_add_busybox() {
	local stage=$1 root=$2 applet
	install -m 755 "$stage/bin/busybox" "$root/usr/bin/busybox"
	# /init runs before /usr is there.
	install -D -m 755 "$stage/bin/busybox" "$root/early/busybox"
	"$stage/bin/busybox" --list-full | while read -r applet; do
		case $applet in
		usr/* | bin/* | sbin/*) ;;
		*) continue ;;
		esac
		applet=${applet#usr/}
		[ -e "$root/usr/$applet" ] || [ -L "$root/usr/$applet" ] ||
			ln -s /usr/bin/busybox "$root/usr/$applet"
	done
}

rootfs_add_data() {
	local stage=$1 root=$2 name dir
	mkdir -p "$root/usr/lib/udev/rules.d" "$root/usr/lib/systemd/network"
	for name in $rootfs_rules; do
		[ -e "$stage/lib/udev/rules.d/$name.rules" ] || continue
		install -m 644 "$stage/lib/udev/rules.d/$name.rules" "$root/usr/lib/udev/rules.d/"
	done
	install -m 644 "$stage/lib/systemd/network/99-default.link" \
		"$root/usr/lib/systemd/network/"
	# Without its max_bonds=0 the kernel makes a bond0 by itself, of another kind than the
	# answers ask for, and networkd leaves what is there as it is.
	install -D -m 644 "$stage/lib/modprobe.d/systemd.conf" \
		"$root/usr/lib/modprobe.d/systemd.conf"
	for name in $rootfs_terminals; do
		for dir in lib/terminfo usr/share/terminfo; do
			[ -e "$stage/$dir/${name:0:1}/$name" ] || continue
			install -D -m 644 "$stage/$dir/${name:0:1}/$name" \
				"$root/usr/share/terminfo/${name:0:1}/$name"
			break
		done
	done
	ln -s ../usr/share/terminfo "$root/etc/terminfo"
	install -D -m 644 "$stage/usr/lib/systemd/boot/efi/linuxx64.efi.stub" \
		"$root/usr/lib/systemd/boot/efi/linuxx64.efi.stub"
	install -m 644 "$stage/etc/mke2fs.conf" "$root/etc/mke2fs.conf"
	mkdir -p "$root/etc/ssl/certs"
	find "$stage/usr/share/ca-certificates/mozilla" -name '*.crt' | sort |
		while read -r name; do
			cat "$name"
			echo
		done >"$root/etc/ssl/certs/ca-certificates.crt"
	ln -s certs/ca-certificates.crt "$root/etc/ssl/cert.pem"
}

# libarchive brings libxml2 (for xar archives, which slipway never opens), that brings ICU, and ICU
# a table of 31 MB: a fifth of the image, and a second of the boot loader's time. Its only symbol,
# empty, stands in; ICU itself ships such "stub data" and answers that it has no converters.
rootfs_stub_icu() {
	local root=$1 lib name
	for lib in "$root"/usr/lib/x86_64-linux-gnu/libicudata.so.*; do
		[ -e "$lib" ] || continue
		name=$(basename "$lib")
		echo "const long icudt${name##*.so.}_dat[4] = {0};" |
			gcc -xc -shared -fPIC -nostdlib -O2 -s -Wl,--build-id=none \
				-Wl,-soname,"$name" -o "$lib" -
	done
}

# rootfs_build STAGE ROOT SLIPWAY
rootfs_build() {
	local stage=$1 root=$2 slipway=$3
	say "root file system"
	rootfs_skeleton "$root"
	rootfs_add_programs "$stage" "$root" "$slipway"
	rootfs_add_plugins "$stage" "$root" "$slipway"
	rootfs_stub_icu "$root"
	rootfs_add_busybox "$stage" "$root"
	rootfs_add_data "$stage" "$root"
	cp -r "$here/rootfs/." "$root/"
	chmod 755 "$root/init" "$root"/usr/lib/slipway/*
	if [ -d "$here/../layouts" ]; then
		mkdir -p "$root/usr/share/slipway"
		cp -r "$here/../layouts" "$root/usr/share/slipway/"
	fi
	# The loader cache saves a search through every directory for every library.
	/sbin/ldconfig -r "$root" -X 2>/dev/null || true
	rm -rf "$root/var/cache"
}
