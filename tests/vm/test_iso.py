# SPDX-License-Identifier: Apache-2.0
"""The medium by itself: it boots, with Secure Boot too, it has what slipway needs, it heals."""

import json
import os
import re
import struct
import subprocess
import time

import disk
import harness

# What the console shows first; GRUB's own line must not be taken for it.
LOADING = "Slipway is loading"
DRIVERS = ("mpt3sas megaraid_sas smartpqi aacraid hpsa nvme ahci uas usb_storage virtio_scsi "
           "bnxt_en mlx5_core ice i40e ixgbe tg3 r8169 bonding 8021q")


def check(condition, text):
    if not condition:
        raise harness.Failure(text)


def in_grub(vm, key):
    """GRUB hears a key for one second, which a busy machine misses, and what was typed before."""
    vm.expect_raw("Welcome to GRUB", timeout=60)
    vm.press_until(key, LOADING)
    vm.send(key)


def shell(vm):
    """Chooses the rescue shell while GRUB loads, and waits for its prompt."""
    in_grub(vm, "s")
    vm.expect_raw("Rescue shell on ttyS0", timeout=60)
    vm.expect_raw("~ # ", timeout=20)
    vm.send("\x15")        # without what was typed too much


def settle(vm):
    """Until udev has looked at every device that was there at start."""
    vm.run("n=0; until [ -e /run/slipway/settled ] || [ $n -ge 200 ]; do sleep 1; n=$((n+1)); "
           "done; [ -e /run/slipway/settled ]", timeout=300)


def machine_with_disks(directory, **options):
    machine = harness.Machine(directory, **options)
    for serial, bus in (("NODE07SYS", "nvme"), ("DATA01", "virtio"), ("DATA02", "sata")):
        machine.disks.append(disk.Disk(os.path.join(directory, serial), serial, 1 << 30, bus))
    return machine


def shown_on(vm, console, *texts):
    """Until the screen of a console of Linux shows them all; what it shows."""
    for text in texts:
        seen = "grep -qF '%s' /dev/%s" % (text, console)
        vm.run("n=0; until %s || [ $n -ge 150 ]; do sleep 1; n=$((n+1)); done; %s" % (seen, seen),
               timeout=240)
    return vm.run("fold -w 80 /dev/%s | cut -c 1-79" % console)


def colour_is_for_screens_alone(vm, line):
    """A serial line gets none, whatever it calls itself; the screen of the machine does."""
    at = os.path.getsize(line)      # firmware and loader speak there too
    vm.run("for c in 'ttyS1 --type xterm' 'tty3 --type linux'; do "
           "setsid slipway attach --terminal /dev/$c </dev/null >/dev/null 2>&1 & done")
    shown_on(vm, "vcs3", "Power the machine off")       # the last that is drawn
    said = vm.run("hexdump -v -s 4 -e '2/1 \"%02x \" \"\\n\"' /dev/vcsa3 | "
                  "cut -d ' ' -f 2 | sort -u")
    # Character by character the low digit of an attribute is the colour, 7 where there is none.
    attributes = set(re.findall(r"^([0-9a-f]{2})$", said, re.M))
    check("07" in attributes and any(a[1] in "3b" for a in attributes),
          "the screen's attributes are %r" % said)

    def shown():
        with open(line, "rb") as file:
            file.seek(at)
            return file.read()
    end = time.monotonic() + 60 * harness.PATIENCE
    while b"Power the machine off" not in shown():
        check(time.monotonic() < end, "the second line shows %r" % shown())
        time.sleep(0.2)
    colour = re.search(rb"\x1b\[(?:\d*;)*(?:[349][0-9]|10[0-7])[;m]", shown())
    check(not colour, "colour on a serial line: %r" % shown())
    vm.run("for p in $(pidof slipway); do tr '\\0' ' ' </proc/$p/cmdline | grep -q 'attach' && "
           "kill $p; done; true")


def test_iso_rescue_shell_sees_the_machine(directory):
    """Drivers, links, network, name servers, variables, TPM and tools, from a CD."""
    iso = harness.build_file("slipway.iso")
    machine = machine_with_disks(directory, tpm=True)
    before = [d.hash() for d in machine.disks]
    second = os.path.join(directory, "second-line")
    with harness.Vm(machine, iso=iso,
                    devices=("-chardev", "file,id=second,path=" + second,
                             "-device", "isa-serial,chardev=second,index=1")) as vm:
        shell(vm)
        settle(vm)
        colour_is_for_screens_alone(vm, second)
        links = vm.run("ls /dev/disk/by-id")
        for d in machine.disks:
            check(d.serial in links, "%s has no link:\n%s" % (d.serial, links))
        uuid = subprocess.run(["blkid", "-p", "-s", "UUID", "-o", "value", iso], check=True,
                              capture_output=True, text=True).stdout.strip()
        check("slipway.medium=" + uuid in vm.run("cat /proc/cmdline"), "no slipway.medium=")
        vm.run("mount -o ro /dev/disk/by-uuid/%s /mnt && ls /mnt/boot/vmlinuz" % uuid)
        # A name server may come with a router's advert, before the address.
        vm.run("n=0; until ip addr | grep -q 10.0.2.15 && grep -q nameserver /etc/resolv.conf || "
               "[ $n -ge 150 ]; do sleep 1; n=$((n+1)); done; ip addr | grep 10.0.2.15 && "
               "grep nameserver /etc/resolv.conf", timeout=240)
        # What the kernel says in the meantime is written over no screen.
        said = vm.run("printf '<2>%s-%s\\n' kernel cry >/dev/kmsg; sleep 1; echo quiet")
        check("kernel-cry" not in said and "quiet" in said, said)
        check("kernel-cry" in vm.run("dmesg | grep kernel-"), "nor is it in the log")
        check("efivarfs rw" in vm.run("grep efivarfs /proc/mounts | cut -d' ' -f3,4"), "efivarfs")
        vm.run("ls /sys/firmware/efi/efivars/BootOrder-*")
        vm.run("ls -l /dev/tpmrm0")
        # It was opened when nothing that is sealed to PCR 7 could be read any more.
        said = vm.run("slipway --json tpm pcrs --bank sha256 7", timeout=60)
        pcr = json.loads(said[said.index("{"):])
        check(not pcr["sha256"]["7"]["explained"], "PCR 7 is as the firmware left it: %r" % pcr)
        check("done" in vm.run("cat /run/slipway/shell-opened"), "not noted")
        vm.run("truncate -s 64M /tmp/p && mkfs.vfat -F 32 /tmp/p && "
               "mmd -i /tmp/p ::/EFI && mcopy -i /tmp/p /etc/hosts ::/EFI/HOSTS && "
               "mdir -i /tmp/p ::/EFI && rm /tmp/p", timeout=60)
        vm.run("truncate -s 32M /tmp/p && mkfs.ext4 -q /tmp/p && rm /tmp/p", timeout=60)
        vm.run("ssh-keygen -q -t ed25519 -N '' -f /tmp/k && ssh-keygen -l -f /tmp/k.pub && "
               "echo x >/tmp/x && ssh-keygen -q -Y sign -n slipway-image -f /tmp/k /tmp/x && "
               "ssh-keygen -Y check-novalidate -n slipway-image -s /tmp/x.sig </tmp/x && "
               "rm /tmp/[kx]*", timeout=60)
        vm.run("ls /usr/lib/systemd/boot/efi/linuxx64.efi.stub /etc/ssl/cert.pem")
        libraries = vm.run("LD_TRACE_LOADED_OBJECTS=1 slipway")
        check("not found" not in libraries, libraries)
        out = vm.run("for m in %s; do /sbin/modprobe -n $m || echo no $m; done" % DRIVERS)
        check("\nno " not in "\n" + out, out)
    for d, old in zip(machine.disks, before):
        check(d.hash() == old, "%s was written to by a medium that was told nothing" % d.serial)


def test_iso_boots_with_secure_boot(directory):
    """shim, Debian's GRUB, a signed kernel and signed modules, with Microsoft's keys."""
    iso = harness.build_file("slipway.iso")
    machine = machine_with_disks(directory, secure_boot=True)
    with harness.Vm(machine, iso=iso) as vm:
        shell(vm)
        check("1" in vm.run("tail -c 1 /sys/firmware/efi/efivars/SecureBoot-* | "
                            "hexdump -e '1/1 \"%d\\n\"'"), "Secure Boot is off")
        check("[integrity]" in vm.run("mount -t securityfs none /sys/kernel/security; "
                                      "cat /sys/kernel/security/lockdown"), "no lockdown")
        settle(vm)
        links = vm.run("ls /dev/disk/by-id")
        check("NODE07SYS" in links, "signed modules were not loaded:\n" + links)
        wipe_by_its_own_command(vm, machine.disks)


def wipe_by_its_own_command(vm, disks):
    """NVMe format, a lockdown notwithstanding; a disk of another kind has no such command."""
    for d in disks:
        with open(d.path, "r+b") as file:
            file.seek(300 << 20)
            file.write(b"secret" * 1000)
    vm.run("echo 3 >/proc/sys/vm/drop_caches; dd if=/dev/nvme0n1 bs=1M skip=300 count=1 "
           "2>/dev/null | grep -q secretsecret", timeout=60)
    before = [d.hash() for d in disks[1:]]
    report = vm.run("slipway wipe --match serial=NODE07SYS --method secure --confirm 7SYS",
                    timeout=200)
    check("commanded" in report, "no report:\n" + report)
    with open(disks[0].path, "rb") as file:
        check(not any(any(block) for block in iter(lambda: file.read(1 << 20), b"")),
              "the NVMe disk is not empty:\n" + report)
    refused = vm.run("slipway wipe --match serial=DATA01 --method secure --confirm TA01; "
                     "echo code=$?", timeout=60)
    check("code=5" in refused and "cannot be erased by its own command" in refused, refused)
    check([d.hash() for d in disks[1:]] == before, "another disk was written to")


def test_iso_boots_as_a_usb_stick(directory):
    iso = harness.build_file("slipway.iso")
    machine = harness.Machine(directory)
    with harness.Vm(machine, iso=iso, iso_bus="usb") as vm:
        shell(vm)
        settle(vm)
        # The stick is an ISO as a whole and in its first partition; the session has one of them
        # mounted, and the kernel then refuses the other.
        vm.run("mount -o ro -t iso9660 /dev/sda /mnt || mount -o ro -t iso9660 /dev/sda1 /mnt; "
               "ls /mnt/boot/initrd", timeout=60)
        vm.run("ls /dev/disk/by-id | grep usb | grep STICK01")
        one_session_on_all_consoles(vm)


def one_session_on_all_consoles(vm):
    """Serial line, monitor and a third one by attach: typed on one, seen on all."""
    vm.send("exit\r")
    vm.expect_screen("Install a node on this machine", timeout=120)
    vm.expect_screen("from sda", timeout=120)
    # The shell that waits at the monitor too, and then the console there.
    vm.press("e", "x", "i", "t", "ret")
    for _ in range(20):
        vm.press("j")
        if vm.appears("The pen is with tty1", timeout=3):
            break
    vm.press("home")
    vm.expect_screen("> Install a node on this machine", timeout=30)
    vm.press("down", "down")
    vm.expect_screen("> Switch between network and disk", timeout=30)
    # The serial line takes the pen and opens a shell, from which the others can be read.
    vm.send("\x0b")
    vm.expect_gone("The pen is with tty1", timeout=30)
    vm.send("/Rescue", "ENTER", "ENTER")
    vm.expect_screen("Open a shell on this console?", timeout=30)
    vm.send("DOWN", "ENTER")
    vm.expect_raw("goes back to slipway", timeout=60)
    vm.expect_raw("~ # ", "/ # ", timeout=30)
    vm.run("(setsid slipway attach --terminal /dev/tty3 --type linux </dev/null >/dev/null 2>&1 &)")
    # The kernel's own words go to its log alone.
    vm.run("echo '<3>noise of a driver' >/dev/kmsg; dmesg | grep 'noise of a driver'")
    for console in ("vcs1", "vcs3"):
        shown = shown_on(vm, console, "> Rescue shell", "A shell is open on ttyS0",
                         "The pen is with ttyS0")
        check("noise" not in shown, "the kernel writes on %s:\n%s" % (console, shown))
    width, height, pixels = vm.picture()
    lit = sum(1 for i in range(0, len(pixels), 3) if any(pixels[i:i + 3]))
    check(width >= 640 and 0.005 < lit / (width * height) < 0.25,
          "%d of %dx%d pixels are lit: not a page of text on black" % (lit, width, height))
    vm.send("exit\r")
    vm.expect_screen("> Rescue shell", timeout=30)
    check("noise" not in vm.screen, "the kernel writes on the serial line")


def test_iso_menu_and_reboot(directory):
    """A key while GRUB starts shows the menu; Ctrl-Alt-Del restarts the machine."""
    iso = harness.build_file("slipway.iso")
    with harness.Vm(harness.Machine(directory), iso=iso) as vm:
        in_grub(vm, "m")
        vm.expect_screen("second serial port", timeout=30)
        vm.expect_screen("Rescue shell", timeout=30)
        vm.send("s")
        vm.expect_raw("Rescue shell on ttyS0", timeout=60)
        vm.expect_screen("~ #", timeout=20)
        resets = vm.resets
        vm.ctrl_alt_del()
        vm.wait_reset(resets + 1, timeout=30)


def test_iso_menu_starts_the_memory_test(directory):
    """memtest86+ by two keys, on the serial line; Esc restarts, and the medium starts as before."""
    with harness.Vm(harness.Machine(directory), iso=harness.build_file("slipway.iso"),
                    iso_bus="usb", cpus=1) as vm:
        in_grub(vm, "m")
        vm.expect("Memory test", timeout=30)
        vm.send("t")
        vm.expect_screen("Memtest86+", timeout=60)
        vm.expect_screen("Status: Testing", timeout=60)
        vm.expect_screen("Errors: 0", timeout=60)
        vm.send("\x1b")
        vm.wait_reset()
        vm.expect_raw(LOADING, timeout=60)


test_iso_menu_starts_the_memory_test.long = True


def test_iso_program_that_dies_is_started_again(directory):
    """The session and the console come back by themselves."""
    iso = harness.build_file("slipway.iso")
    with harness.Vm(harness.Machine(directory), iso=iso) as vm:
        shell(vm)
        alive = "n=0; until pidof slipway || [ $n -ge 20 ]; do sleep 1; n=$((n+1)); done"
        first = vm.run(alive).strip().split("\n")[-1]
        vm.run("kill -9 $(pidof slipway); sleep 2")
        second = vm.run(alive).strip().split("\n")[-1]
        fresh = second.split()
        check(fresh and all(p.isdigit() for p in fresh) and not set(fresh) & set(first.split()),
              "%r, then %r" % (first, second))


test_iso_program_that_dies_is_started_again.long = True


def shell_at_the_monitor(vm):
    """Where a shell was asked for, Alt-F2 has one of its own beside the console, behind Enter."""
    vm.qmp("send-key", keys=[{"type": "qcode", "data": key} for key in ("alt", "f2")])
    seen = "n=0; until grep -q '%s' /dev/vcs2 || [ $n -ge 150 ]; do sleep 1; n=$((n+1)); done; " \
           "grep -q '%s' /dev/vcs2"
    vm.run(seen % (("press Enter",) * 2), timeout=90)
    vm.press("ret")
    vm.run(seen % (("Rescue shell on tty2",) * 2), timeout=90)
    vm.run(seen % (("~ #",) * 2), timeout=90)
    vm.press("t", "t", "y", "ret")
    vm.run(seen % (("/dev/tty2 ",) * 2), timeout=90)
    vm.picture()


# "Serial Port Console Redirection Table", revision 2, from offset 36: a 16550 at port 0x2f8 with
# interrupt 3 and 57,600 baud, no PCI device.
SPCR = struct.pack("<B3xBBBBQBBIBBBBBxHHBBBIBI", 0, 1, 8, 0, 1, 0x2f8, 1, 3, 0, 6, 0, 1, 0, 3,
                   0xffff, 0xffff, 0, 0, 0, 0, 0, 0)


def test_iso_second_serial_port_and_both_consoles(directory):
    """slipway.console= adds a port that the kernel does not use, and ACPI's SPCR table another."""
    spcr = os.path.join(directory, "spcr")      # the kernel puts the header before it
    with open(spcr, "wb") as file:
        file.write(SPCR)
    append = "console=tty0 console=ttyS0,115200 slipway.console=ttyS3,57600 slipway.shell=console"
    with harness.Vm(harness.Machine(directory), kernel=harness.build_file("slipway-vmlinuz"),
                    initrd=harness.build_file("slipway-initrd"), append=append,
                    devices=("-acpitable", "sig=SPCR,rev=2,data=" + spcr,
                             "-chardev", "null,id=bmc",
                             "-device", "isa-serial,chardev=bmc,index=1")) as vm:
        vm.expect_raw("Rescue shell on ttyS0", timeout=60)
        vm.expect_raw("~ # ", timeout=20)
        table = vm.run("cat /etc/inittab")
        for line in ("ttyS0::respawn:/usr/lib/slipway/keep console ttyS0 vt220",
                     "ttyS1::respawn:/usr/lib/slipway/keep console ttyS1 vt220",
                     "ttyS3::respawn:/usr/lib/slipway/keep console ttyS3 vt220",
                     "tty1::respawn:/usr/lib/slipway/keep console tty1 linux"):
            check(line in table, "%r is not in\n%s" % (line, table))
        check("57600" in vm.run("stty -F /dev/ttyS1"), "the speed that SPCR names")
        shell_at_the_monitor(vm)


# The install tests start from a stick and over the menu too; these are for the whole run.
test_iso_boots_as_a_usb_stick.long = True
test_iso_second_serial_port_and_both_consoles.long = True
