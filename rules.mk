# SPDX-License-Identifier: Apache-2.0
# The verbs. Each does its own set-up through .ci/packages and calls make again,
# so that nothing is compiled before what it needs is installed.

PREFIX ?= /usr
SBINDIR ?= $(PREFIX)/sbin
DATADIR ?= $(PREFIX)/share
MANDIR ?= $(DATADIR)/man
TESTS := python3 tests/run --build $(B)
PACKAGES := .ci/packages
FUZZFLAGS := -O1 -g -fsanitize=fuzzer,address,undefined -fno-omit-frame-pointer \
	-ffunction-sections -Wl,--gc-sections
FUZZTIME ?= 60
MANPAGES := docs/slipway.8 docs/slipway-answers.5

.PHONY: fleet
.PHONY: node demo test check check-vm test-all lint fuzz fuzz-list bench iso man check-man install

# The console on a stand-in machine; without a terminal an unattended install on it.
demo:
	@$(PACKAGES) demo
	@$(MAKE) --no-print-directory all
	@tui/demo/run $(EXE) build/demo

# Everything: one summary line for the whole run is the last line.
test:
	@$(PACKAGES) test
	@$(MAKE) --no-print-directory all tests-bin
	@$(MAKE) --no-print-directory iso-files build/slipway-node.cpio
	@$(TESTS) --check --builds --vm

# What `make test` runs, what is too long for it, and unit tests and corpora under sanitizers.
test-all:
	@$(PACKAGES) test
	@$(MAKE) --no-print-directory all tests-bin
	@$(MAKE) --no-print-directory V=asan all tests-bin
	@$(MAKE) --no-print-directory iso-files build/slipway-node.cpio
	@test -f build/ipxe-amd64.efi || tests/vm/get-ipxe.sh build/ipxe-amd64.efi || true
	@$(TESTS) --check --builds --asan build/asan --vm --long

# Unit, command and corpus tests and the house rules: no root, no network, no machine. Of what is
# enumerated (power cuts, failing writes, generated layouts) a smaller sample than in `make test`.
check:
	@$(PACKAGES) test
	@$(MAKE) --no-print-directory all tests-bin
	@$(TESTS) --check --quick $(if $(ONLY),--only '$(ONLY)')

check-vm:
	@$(PACKAGES) test
	@$(MAKE) --no-print-directory all $(VMBIN)
	@$(MAKE) --no-print-directory iso-files build/slipway-node.cpio
	@$(TESTS) --vm $(if $(ONLY),--only '$(ONLY)')

lint: all check-man
	@python3 tests/lint/house.py
	@sh tests/lint/others.sh
	@python3 tests/lint/catalogue.py check

# Ten thousand machines and one server by a counted clock: request rates, and when all are done.
fleet: $(B)/tests/unit/test-fleet
	@$< 2>&1 | grep '^#'

fuzz-list:
	@printf '%s\n' $(patsubst tests/fuzz/fuzz-%.c,%,$(FUZZ))

# libFuzzer on one target: make fuzz T=facts [FUZZTIME=seconds]
fuzz: all
	@test -f "tests/fuzz/fuzz-$(T).c" || \
		{ echo "make fuzz T=NAME; names: make fuzz-list"; exit 2; }
	@$(PACKAGES) test
	@mkdir -p build/fuzz/corpus/$(T) tests/fuzz/corpus/$(T)
	clang $(CPPFLAGS) -DSW_BUILD_TIME=0 -std=gnu17 $(FUZZFLAGS) -o build/fuzz/$(T) \
		tests/fuzz/fuzz-$(T).c \
		$(TESTLIB) $(TUI) $(BACKEND) -larchive $(LDLIBS) -lcmocka -lvterm
	@sh tests/fuzz/dictionary.sh $(B)/slipway > build/fuzz/dictionary
	build/fuzz/$(T) -max_total_time=$(FUZZTIME) -artifact_prefix=build/fuzz/ \
		-dict=build/fuzz/dictionary build/fuzz/corpus/$(T) tests/fuzz/corpus/$(T)

# The catalogue of what people read (backend/base/catalogue.h): what is marked, what takes a format
# for people, and the backend's sentences.
POT := $(B)/slipway.pot
POT_KEYWORDS := _ N_ _n:1,2 sw_frame_putf:4 sw_state_notice:2 sw_state_refuse:2 sw_fail:4 \
	sw_fail_errno:4 sw_error_why:2 sw_error_hint:2 sw_error_where:2

.PHONY: pot
pot: $(POT)
	@echo "$(POT): $$(grep -c '^msgid ' $(POT)) texts"

$(POT): $(BACKEND) $(TUI) tests/lint/catalogue.py rules.mk
	@$(PACKAGES) test >/dev/null
	@mkdir -p $(@D)
	@python3 tests/lint/catalogue.py sentences >$(@D)/sentences.c
	@xgettext -L C --from-code=UTF-8 --sort-output --add-comments=backend/ -k \
		$(POT_KEYWORDS:%=--keyword=%) --package-name=slipway \
		--package-version=$(VERSION) -o $@ $(BACKEND) $(TUI) $(@D)/sentences.c

bench:
	@$(PACKAGES) bench
	@$(MAKE) --no-print-directory all $(B)/tests/unit/test-viewer
	@$(MAKE) --no-print-directory iso-files build/slipway-node.cpio
	@python3 tests/bench/run.py --slipway $(EXE) --out build/bench $(BENCH)

# The medium. FIRMWARE=DIR adds firmware that Debian main does not have.
iso:
	@$(PACKAGES) iso
	@$(MAKE) --no-print-directory all
	@$(MAKE) --no-print-directory iso-files FORCE_ISO=1

# What a running node does for itself, to be put behind any initrd (docs/examples/node).
NODE := $(B)/node
NODE_LINK := -Wl,--as-needed -Wl,--dynamic-linker=/slipway-node/ld.so \
	-Wl,--disable-new-dtags,-rpath,/slipway-node

node:
	@$(PACKAGES) test
	@$(MAKE) --no-print-directory build/slipway-node.cpio

$(NODE)/slipway: $(call obj,tui/main.c node/table.c) $(TUILIB) $(LIB)
	@mkdir -p $(@D)
	@echo "  LD  $@"
	@$(CC) $(LDFLAGS) $(NODE_LINK) -o $@ $^ $(LDLIBS)

$(NODE)/libuser.so: node/user.c
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) -shared -fPIC -o $@ $<

build/slipway-node.cpio: $(NODE)/slipway $(NODE)/libuser.so node/build.sh
	node/build.sh --program $(NODE)/slipway --user $(NODE)/libuser.so --out $@

.PHONY: iso-files
iso-files: build/slipway.iso

build/slipway.iso: $(EXE) $(shell find installer-iso -type f 2>/dev/null) \
		$(if $(FORCE_ISO)$(FIRMWARE),FORCE)
	installer-iso/build.sh --slipway $(EXE) --out build $(if $(FIRMWARE),--firmware $(FIRMWARE))
	@touch $@

.PHONY: FORCE
FORCE:

# slipway-answers(5) comes from the field table; the copy in docs/ is for reading without a build.
man: $(EXE)
	$(EXE) answers manual >docs/slipway-answers.5

check-man: $(EXE)
	@$(EXE) answers manual | cmp - docs/slipway-answers.5 || \
		{ echo "docs/slipway-answers.5 is not what the field table says: make man"; \
		exit 1; }

install: all
	install -D -m 755 $(EXE) $(DESTDIR)$(SBINDIR)/slipway
	for f in layouts/*/*.conf; do \
		install -D -m 644 "$$f" "$(DESTDIR)$(DATADIR)/slipway/$$f" || exit 1; done
	install -D -m 644 docs/slipway.8 $(DESTDIR)$(MANDIR)/man8/slipway.8
	install -D -m 644 docs/slipway-answers.5 $(DESTDIR)$(MANDIR)/man5/slipway-answers.5
