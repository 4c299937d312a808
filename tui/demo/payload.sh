# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
#
# demo_payload MEDIUM CACHE: puts vmlinuz and initrd into MEDIUM. A kernel is taken from this
# machine, else from Debian's package; the initrd is busybox with an /init that says hello.

demo_kernel() {
	for kernel in /boot/vmlinuz-* /boot/vmlinuz; do
		if [ -r "$kernel" ]; then
			cp "$kernel" "$1"
			return
		fi
	done
	[ -s "$2/vmlinuz" ] || demo_fetch_kernel "$2"
	cp "$2/vmlinuz" "$1"
}

# The package's real name changes with every ABI; the meta package names it.
demo_fetch_kernel() {
	mkdir -p "$1"
	package=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null |
		sed -n 's/^ *Depends: \(linux-image-[0-9][^ ]*\)$/\1/p' | head -n 1)
	[ -n "$package" ] || {
		echo "demo: no kernel in /boot, and apt knows none; run apt-get update first" >&2
		return 1
	}
	echo "demo: fetching $package"
	(cd "$1" && apt-get download -qq "$package" 2>&1 | grep -v unsandboxed >&2 || true)
	set -- "$1" "$1/${package}"_*.deb
	dpkg-deb --fsys-tarfile "$2" | tar -xO --wildcards './boot/vmlinuz-*' >"$1/vmlinuz.part"
	mv "$1/vmlinuz.part" "$1/vmlinuz"
	rm -f "$2"
}

demo_initrd() {
	tree=$(mktemp -d)
	mkdir -p "$tree/bin" "$tree/proc" "$tree/sys" "$tree/dev"
	cp "$(command -v busybox)" "$tree/bin/busybox"
	cat >"$tree/init" <<'END'
#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
echo "This is the node of slipway's demo."
/bin/busybox cat /proc/cmdline
exec /bin/busybox sh
END
	chmod 755 "$tree/init"
	(cd "$tree" && find . | LC_ALL=C sort | busybox cpio -o -H newc 2>/dev/null) |
		gzip -n9 >"$1"
	rm -rf "$tree"
}

demo_payload() {
	mkdir -p "$1"
	demo_kernel "$1/vmlinuz" "$2"
	demo_initrd "$1/initrd"
}
