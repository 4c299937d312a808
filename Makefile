# SPDX-License-Identifier: Apache-2.0
# slipway: `make demo` and `make test` do all their own set-up.
#
#   make            build build/release/slipway
#   make demo       a stand-in machine and the console on it
#   make test       check + check-vm, with one summary line
#   make check      unit, command, screen and fuzz-corpus tests: no root, no network
#   make check-vm   real machines in QEMU
#   make iso        build/slipway.iso, build/slipway-vmlinuz, build/slipway-initrd
#   make node       build/slipway-node.cpio, for the initrd of a node
#   make fuzz T=…   libFuzzer on one target (make fuzz-list)
#   make pot        the catalogue of what people read, for translators
#   make bench      figures for docs/benchmarks.md
#   make fleet      ten thousand machines and one server, by a counted clock
#   make lint       house rules, man pages, shell scripts
#
# V=release|debug|asan, CC=gcc|clang, WERROR=1 in CI.

V ?= release
# A make that was started by another shares its jobs.
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc 2>/dev/null || echo 2)
endif
CC = gcc
B := build/$(V)
# Opened at the first use, not linked (backend/base/library.h).
LAZY_PKGS := libcrypto libcurl tss2-esys tss2-mu tss2-rc tss2-tctildr libcryptsetup \
	libqrencode
LINK_PKGS := ncursesw blkid fdisk efivar yaml-0.1 json-c nettle liburing
PKGS := $(LINK_PKGS) $(LAZY_PKGS)
# Linked from its archive: of its formats only tar is used, and the shared one brings libxml2 and
# the 30 MB of libicu along, into the node's cpio as well.
ARCHIVE := -l:libarchive.a -l:libacl.so.1 -l:libz.so.1 -l:liblzma.so.5 -l:libzstd.so.1 \
	-l:libbz2.so.1.0 -l:liblz4.so.1

VERSION := 0.1.0
CFLAGS.release := -O2 -g -D_FORTIFY_SOURCE=2
CFLAGS.gcc := $(CFLAGS.release)
CFLAGS.clang := $(CFLAGS.release)
CFLAGS.debug := -O0 -g
CFLAGS.asan := -O1 -g -fsanitize=address,undefined -fno-omit-frame-pointer
CFLAGS.cov := -O0 -g --coverage
# The build date is the floor for a machine's clock; reproducible through the commit's own date.
BUILD_TIME := $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct 2>/dev/null || date +%s))

CPPFLAGS += -D_GNU_SOURCE -DSW_VERSION='"$(VERSION)"' -Ibackend -I. \
	$(shell pkg-config --cflags $(PKGS) 2>/dev/null)
CFLAGS += -std=gnu17 -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
	-Wformat=2 -fstack-protector-strong -fPIE $(CFLAGS.$(V)) \
	$(if $(or $(WERROR),$(CI)),-Werror)
# libarchive's writer of tar brings a table of all formats along, and that libxml2, unless what
# nobody calls is left out.
LDFLAGS += -pie -Wl,-z,relro,-z,now -Wl,--gc-sections $(CFLAGS.$(V))
LDLIBS += $(shell pkg-config --libs $(LINK_PKGS) 2>/dev/null) \
	-Wl,--push-state,--as-needed $(ARCHIVE) -lresolv -Wl,--pop-state
# What a test calls itself of the others.
TESTLIBS := -Wl,--as-needed $(shell pkg-config --libs $(LAZY_PKGS) 2>/dev/null) -lcmocka -lvterm

BACKEND := $(sort $(wildcard backend/*/*.c))
TUI := $(filter-out tui/main.c,$(sort $(wildcard tui/*.c tui/*/*.c)))
UNIT := $(sort $(wildcard tests/unit/test-*.c))
FUZZ := $(sort $(wildcard tests/fuzz/fuzz-*.c))
TESTLIB := $(sort $(wildcard tests/lib/*.c))

obj = $(patsubst %.c,$(B)/%.o,$(1))
EXE := $(B)/slipway
LIB := $(B)/libslipway.a
TUILIB := $(B)/libtui.a
UNITBIN := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(UNIT))
VMBIN := $(B)/tests/vm/real-firmware
FUZZBIN := $(patsubst tests/fuzz/%.c,$(B)/tests/fuzz/%,$(FUZZ))

.PHONY: all
all: $(if $(wildcard tui/main.c),$(EXE)) $(LIB)

$(B)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(if $(Q),,@echo "  CC  $<";)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(B)/backend/base/clock.o: CPPFLAGS += -DSW_BUILD_TIME=INT64_C\($(BUILD_TIME)\)

# What the console's page about slipway says it was built with.
LIBRARIES := $(foreach p,$(PKGS) libarchive,$(p) $(shell pkg-config --modversion $(p) 2>/dev/null),)
$(B)/tui/screens/about.o: CPPFLAGS += -DSW_LIBRARIES='"$(LIBRARIES)"'

$(LIB): $(call obj,$(BACKEND))
	@mkdir -p $(@D)
	@rm -f $@; ar rcsD $@ $^

$(TUILIB): $(call obj,$(TUI))
	@mkdir -p $(@D)
	@rm -f $@; ar rcsD $@ $^

# An archive, so that a target takes in only those helpers that it uses.
$(B)/libtest.a: $(call obj,$(TESTLIB))
	@mkdir -p $(@D)
	@rm -f $@; ar rcsD $@ $^

$(EXE): $(call obj,tui/main.c) $(TUILIB) $(LIB)
	@echo "  LD  $@"
	@$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(B)/tests/unit/%: $(B)/tests/unit/%.o $(B)/libtest.a $(TUILIB) $(LIB)
	@echo "  LD  $@"
	@$(CC) $(LDFLAGS) -o $@ $^ -larchive $(LDLIBS) $(TESTLIBS)

# Run inside a VM, so with as few libraries as possible.
$(VMBIN): $(B)/tests/vm/real-firmware.o $(B)/libtest.a $(LIB)
	@echo "  LD  $@"
	@$(CC) $(LDFLAGS) -Wl,--as-needed -o $@ $^ $(LDLIBS)

# A fuzz target linked with a plain driver replays its corpus; `make fuzz` links libFuzzer instead.
$(B)/tests/fuzz/%: $(B)/tests/fuzz/%.o $(B)/tests/fuzz/replay.o $(B)/libtest.a $(TUILIB) $(LIB)
	@echo "  LD  $@"
	@$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

.SECONDARY:
-include $(patsubst %.o,%.d,$(call obj,$(BACKEND) $(TUI) tui/main.c node/table.c \
	$(UNIT) $(FUZZ) $(TESTLIB) tests/vm/real-firmware.c))

.PHONY: tests-bin
tests-bin: $(UNITBIN) $(FUZZBIN) $(VMBIN)

.PHONY: clean
clean:
	rm -rf build

-include rules.mk
