# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
#
# The kernel modules of servers (modules.list) with everything they depend on, and firmware.

# Loaded by /init itself, before /usr is there; the order is that of their dependencies.
modules_early="loop squashfs efivarfs"

# modules_select STAGE KERNEL: names (kernel/...) of the wanted modules and their dependencies.
modules_select() {
	local tree=$1/lib/modules/$2
	(cd "$tree" && find kernel -name '*.ko' | sort) | awk '
		FNR == NR {
			if ($0 ~ /^[[:space:]]*(#|$)/)
				next
			if ($1 == "-")
				deny[$2] = 1
			else
				allow[$1] = 1
			next
		}
		{
			want = 0
			path = $0
			base = path
			sub(/.*\//, "", base)
			sub(/\.ko$/, "", base)
			while (sub(/\/[^\/]*$/, "", path)) {
				if (path in deny)
					break
				if (path in allow) {
					want = 1
					break
				}
			}
			if (base in allow)
				want = 1
			if (base in deny)
				want = 0
			if (want)
				print
		}' "$here/modules.list" - >"$work/modules.wanted"
	awk '
		FNR == NR { want[$1] = 1; next }
		{
			sub(/:/, "", $1)
			if (!($1 in want))
				next
			for (i = 1; i <= NF; i++)
				print $i
		}' "$work/modules.wanted" "$tree/modules.dep" | sort -u
}

# modules_build STAGE ROOT KERNEL FIRMWARE
modules_build() {
	local stage=$1 root=$2 kernel=$3 firmware=$4 from dest name depmod=$work/depmod
	from=$stage/lib/modules/$kernel dest=$root/usr/lib/modules/$kernel
	say "kernel modules"
	ln -s "$stage/bin/kmod" "$depmod"
	"$depmod" -b "$stage" "$kernel"
	modules_select "$stage" "$kernel" >"$work/modules.selected"
	mkdir -p "$dest" "$root/usr/lib/firmware" "$root/early"
	(cd "$from" && cpio -pdm --quiet "$dest" <"$work/modules.selected")
	cp "$from"/modules.{order,builtin,builtin.modinfo} "$dest/"
	"$depmod" -b "$root" "$kernel"
	[ -z "$firmware" ] || cp -r "$firmware/." "$root/usr/lib/firmware/"
	for name in $modules_early; do
		name=$(grep "/$name.ko\$" "$work/modules.selected") || die "no module $name"
		cp "$dest/$name" "$root/early/"
	done
}

# modules_firmware_report STAGE ROOT KERNEL OUTPUT: which drivers ask for which files.
modules_firmware_report() {
	local stage=$1 root=$2 kernel=$3 output=$4 modinfo=$work/modinfo name file
	ln -sf "$stage/bin/kmod" "$modinfo"
	while read -r name; do
		"$modinfo" -F firmware "$root/usr/lib/modules/$kernel/$name" | sort -u |
			while read -r file; do
				[ -e "$root/usr/lib/firmware/$file" ] ||
					printf '%s\t%s\n' "$(basename "$name" .ko)" "$file"
			done
	done <"$work/modules.selected" >"$work/firmware.wanted"
	{
		cat "$here/firmware-head.md"
		echo "| driver | files it may ask for |"
		echo "|---|---|"
		awk -F '\t' '
			{ list[$1] = list[$1] (list[$1] ? ", " : "") "`" $2 "`" }
			END { for (d in list) print "| " d " | " list[d] " |" }
		' "$work/firmware.wanted" | sort
	} >"$output"
}
