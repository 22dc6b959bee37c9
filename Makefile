# SPDX-License-Identifier: BSD-2-Clause
# Sealane: a folder is a static library; each variant is built in build/<variant>/. 'make help' lists the targets.

VERSION  = 0.1.0
PREFIX  ?= /usr/local
SYSCONFDIR ?= /etc
VARIANT ?= release
ifeq ($(origin CC),default)
  CC := gcc
endif
PYTHON  ?= /usr/bin/python3
BUILD   := build/$(VARIANT)
# libev installs no pkg-config file on Debian.
PKG_CFLAGS := $(shell pkg-config --cflags gnutls inih 2>/dev/null)
PKG_LIBS   := $(shell pkg-config --libs gnutls inih 2>/dev/null || echo -lgnutls -linih) -lev
# llhttp: a library where the system has one, else the sources of Debian's node-llhttp, compiled into worker/http.
ifeq ($(shell pkg-config --exists libllhttp 2>/dev/null && echo yes),yes)
  PKG_CFLAGS += $(shell pkg-config --cflags libllhttp)
  PKG_LIBS   += $(shell pkg-config --libs libllhttp)
else
  LLHTTP_SOURCES := /usr/share/llhttp
  LLHTTP_OBJECTS := $(patsubst %,$(BUILD)/llhttp/%.o,api http llhttp)
  PKG_CFLAGS += -isystem /usr/share/include/llhttp
endif

WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings \
	-Wcast-qual -Wvla -Wformat=2 -Wundef -Wswitch-enum
CFLAGS  ?= -O2 -g
HARDENING := -fstack-protector-strong -fPIE
ifeq ($(VARIANT),asan)
  SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
else ifeq ($(VARIANT),fuzz)
  CC := clang
  SANITIZE := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
else ifeq ($(VARIANT),coverage)
  SANITIZE := --coverage -O0
else
  HARDENING += -D_FORTIFY_SOURCE=2
endif
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -DSEALANE_VERSION='"$(VERSION)"' -DSEALANE_SYSCONFDIR='"$(SYSCONFDIR)"' -I. \
	$(WARNINGS) $(if $(CI),-Werror) $(HARDENING) $(CFLAGS) $(SANITIZE) $(PKG_CFLAGS) -MMD -MP
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now $(LDFLAGS) $(SANITIZE)

# Top to bottom: a library may use only those after it, which 'make layers' checks.
LAYERS := master worker worker/http worker/tcp worker/session worker/upstream worker/tls worker/io shared
lib     = $(BUILD)/lib$(subst /,_,$1).a
LIBS   := $(foreach l,$(LAYERS),$(call lib,$l))
sources = $(filter-out master/main.c,$(wildcard $1/*.c))
objects = $(patsubst %.c,$(BUILD)/%.o,$1)
BIN    := $(BUILD)/sealane

UNIT_SOURCES := $(shell find tests/unit -name '*_test.c' 2>/dev/null | sort)
UNIT_BINS    := $(patsubst tests/%.c,$(BUILD)/%,$(UNIT_SOURCES))
SUPPORT_LIB  := $(BUILD)/libtests_support.a
FUZZ_SOURCES := $(wildcard tests/fuzz/fuzz_*.c)
FUZZ_NAMES   := $(patsubst tests/fuzz/fuzz_%.c,%,$(FUZZ_SOURCES))
FUZZ_BINS    := $(FUZZ_NAMES:%=$(BUILD)/fuzz/%)

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-6s %s\n' $1 $2)

MAKEFLAGS += --no-print-directory
.DELETE_ON_ERROR:
.PRECIOUS: $(BUILD)/%.o
.PHONY: all deps deps-test demo test unit unit-build e2e check-asan check-valgrind bench fuzz fuzz-replay lint layers format \
	format-check coverage manual install uninstall dist clean help
all: $(BIN)                     ## build build/release/sealane

$(BIN): $(BUILD)/master/main.o $(LIBS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)

$(BUILD)/%.o: %.c Makefile
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

# What is compiled in from the command line: another SYSCONFDIR compiles those files again.
PATHS := $(BUILD)/paths
$(shell mkdir -p $(BUILD); echo '$(VERSION) $(SYSCONFDIR)' | cmp -s - $(PATHS) || echo '$(VERSION) $(SYSCONFDIR)' >$(PATHS))
$(patsubst %.c,$(BUILD)/%.o,$(shell grep -l SEALANE_ master/*.c)): $(PATHS)

# Not ours: no warnings.
$(BUILD)/llhttp/%.o: $(LLHTTP_SOURCES)/%.c Makefile
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -w -c -o $@ $<

define library
$(call lib,$1): $(call objects,$(call sources,$1))
	$(call say,AR,$$@)
	$(Q)mkdir -p $$(@D) && rm -f $$@ && ar rcs $$@ $$^
endef
$(foreach l,$(LAYERS),$(eval $(call library,$l)))
$(call lib,worker/http): $(LLHTTP_OBJECTS)

# Only tests that include fake_loop.h, be it by another header, get its object, in place of the library's real loop.
FAKE_LOOP := $(BUILD)/tests/support/fake_loop.o
fakes_for = $(if $(findstring fake_loop.h,$(shell cat $(1:.o=.d))),$(FAKE_LOOP))
# Without libFuzzer a driver runs what stands in its corpus.
FUZZ_MAIN := $(if $(filter fuzz,$(VARIANT)),-fsanitize=fuzzer,$(BUILD)/tests/support/fuzz_replay_main.o)
FUZZ_LIBS ?= -Wl,--as-needed -lssl -lcrypto

$(SUPPORT_LIB): $(call objects,$(filter-out %/fake_loop.c %/fuzz_replay_main.c,$(wildcard tests/support/*.c)))
	$(call say,AR,$@)
	$(Q)mkdir -p $(@D) && rm -f $@ && ar rcs $@ $^

$(BUILD)/unit/%_test: $(BUILD)/tests/unit/%_test.o $(FAKE_LOOP) $(SUPPORT_LIB) $(LIBS)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $< $(call fakes_for,$<) $(SUPPORT_LIB) $(LIBS) -lcmocka $(PKG_LIBS)

$(BUILD)/fuzz/%: $(BUILD)/tests/fuzz/fuzz_%.o $(FAKE_LOOP) $(filter %.o,$(FUZZ_MAIN)) $(SUPPORT_LIB) $(LIBS)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $< $(FUZZ_MAIN) $(call fakes_for,$<) $(SUPPORT_LIB) $(LIBS) $(PKG_LIBS) $(FUZZ_LIBS)

# Compiling uses all CPUs unless -j says otherwise.
JOBS = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))
PYTEST = PYTHONDONTWRITEBYTECODE=1 VARIANT=$(VARIANT) $(PYTHON) -m pytest -p no:cacheprovider -q -rfEs --durations=5

deps:                           ## install what building and running need (Debian packages; as root)
	$(Q)tests/support/install_packages.sh build
deps-test:                      ## install what the tests and checks need besides
	$(Q)tests/support/install_packages.sh build test

demo:                           ## the whole example of etc/seed.ini on this machine, with throw-away certificates
	$(Q)tests/support/install_packages.sh build demo
	$(Q)$(MAKE) $(JOBS) all
	$(Q)etc/demo/run.sh $(BIN) build/demo

test:                           ## install what is missing, build, run all tests: under 10 minutes
	$(Q)$(MAKE) deps-test
	$(Q)$(MAKE) $(JOBS) all unit-build
	$(Q)$(MAKE) layers unit
	$(Q)$(MAKE) e2e; status=$$?; cat $(BUILD)/unit.summary; exit $$status
unit-build: $(UNIT_BINS) $(FUZZ_BINS)
unit: unit-build                ## unit tests, and the fuzz drivers on their corpus; T=name: only those of that name
	$(Q)BUILD=$(BUILD) tests/support/run_unit.sh $(if $(T),'$(T)')
fuzz-replay: $(FUZZ_BINS)       ## the fuzz drivers on their corpus
	$(Q)BUILD=$(BUILD) tests/support/run_unit.sh fuzz/
# A file of tests on each CPU; then those that measure delays, by themselves.
e2e: $(BIN)                     ## end-to-end tests; T=name: only those whose file or name has it, one after another
ifdef T
	$(Q)$(PYTEST) tests/e2e -k '$(T)'
else
	$(Q)$(PYTEST) tests/e2e -m 'not alone' -n $(shell nproc) --dist loadfile
	$(Q)$(PYTEST) tests/e2e -m alone
endif

check-asan:                     ## all tests under address and undefined-behaviour sanitizers; leaks fail
	$(Q)$(MAKE) $(JOBS) VARIANT=asan all unit-build
	$(Q)$(MAKE) VARIANT=asan unit e2e
# Leaks are check-asan's: here every child that ends in _exit would count as one.
check-valgrind:                 ## unit tests under memcheck
	$(Q)$(MAKE) $(JOBS) unit-build
	$(Q)BUILD=$(BUILD) RUN='valgrind -q --error-exitcode=99 --leak-check=no --trace-children=no --suppressions=tests/support/valgrind.supp' \
		tests/support/run_unit.sh $(if $(T),'$(T)',unit/)
fuzz:                           ## libFuzzer: F=driver (all in turn without it), TIME=seconds each
	$(Q)$(MAKE) $(JOBS) VARIANT=fuzz $(patsubst %,build/fuzz/fuzz/%,$(or $(F),$(FUZZ_NAMES)))
	$(Q)set -e; for name in $(or $(F),$(FUZZ_NAMES)); do mkdir -p build/fuzz/corpus/$$name; \
		build/fuzz/fuzz/$$name -max_total_time=$(or $(TIME),60) -timeout=20 -print_final_stats=1 \
		-artifact_prefix=build/fuzz/$$name- build/fuzz/corpus/$$name \
		$$(ls -d tests/fuzz/corpus/$$name 2>/dev/null) $$(ls tests/fuzz/$$name.dict 2>/dev/null | sed 's/^/-dict=/'); done
coverage:                       ## lines executed by the unit tests, by file, lowest first
	$(Q)$(MAKE) $(JOBS) VARIANT=coverage unit-build
	$(Q)$(MAKE) VARIANT=coverage unit
	$(Q)$(PYTHON) tests/support/coverage.py build/coverage

C_FILES := $(shell find master worker shared tests -name '*.[ch]' 2>/dev/null | sort)
lint: layers format-check $(BIN) ## layers, format, clang-tidy, cppcheck, manual pages
	$(Q)tests/support/run_tidy.sh $(filter %.c,$(C_FILES)) -- $(filter-out -MMD -MP,$(ALL_CFLAGS))
	$(Q)cppcheck --quiet --std=c11 -j2 -I. -D_GNU_SOURCE --enable=warning,performance,portability --inline-suppr \
		--suppressions-list=tests/support/cppcheck.txt --error-exitcode=1 master worker shared
	$(Q)$(MAKE) manual && mandoc -T lint -W warning etc/man/sealane.8 $(BUILD)/sealane.ini.5
layers: $(LIBS)                 ## who may include and call whom
	$(Q)$(PYTHON) tests/support/check_layers.py --build $(BUILD) --cc '$(CC)' --flags '-std=c11 -D_GNU_SOURCE -I. $(WARNINGS) $(PKG_CFLAGS)' \
		--link '$(ALL_LDFLAGS) $(PKG_LIBS)' $(LAYERS)
format:                         ## put all C files into the tree's format
	$(Q)clang-format -i $(C_FILES)
format-check:                   ## fails where a C file is not in it
	$(Q)clang-format --dry-run -Werror $(C_FILES)

manual: $(BUILD)/sealane.ini.5  ## the manual page of the configuration, from the schema
$(BUILD)/sealane.ini.5: $(BIN)
	$(Q)$(BIN) --manual >$@

EXAMPLES = $(wildcard etc/*.ini)
installed = sed -e 's|/usr/sbin/sealane|$(PREFIX)/sbin/sealane|g' -e 's|/etc/sealane|$(SYSCONFDIR)/sealane|g'
install: $(BIN) manual          ## into DESTDIR; PREFIX=/usr/local, SYSCONFDIR=/etc; keeps an existing configuration
	install -d $(addprefix $(DESTDIR),$(PREFIX)/sbin $(PREFIX)/share/man/man8 $(PREFIX)/share/man/man5 \
		$(PREFIX)/share/doc/sealane/etc $(PREFIX)/lib/systemd/system $(SYSCONFDIR)/sealane $(SYSCONFDIR)/logrotate.d)
	install -m 755 $(BIN) $(DESTDIR)$(PREFIX)/sbin/sealane
	install -m 644 etc/man/sealane.8 $(DESTDIR)$(PREFIX)/share/man/man8/sealane.8
	install -m 644 $(BUILD)/sealane.ini.5 $(DESTDIR)$(PREFIX)/share/man/man5/sealane.ini.5
	install -m 644 $(EXAMPLES) $(DESTDIR)$(PREFIX)/share/doc/sealane/etc
	install -m 644 README.md CHANGELOG.md LICENSE $(DESTDIR)$(PREFIX)/share/doc/sealane
	cp -R --no-preserve=mode,ownership etc/doc etc/ansible $(DESTDIR)$(PREFIX)/share/doc/sealane/etc
	$(installed) etc/sealane.service >$(DESTDIR)$(PREFIX)/lib/systemd/system/sealane.service
	test -e $(DESTDIR)$(SYSCONFDIR)/logrotate.d/sealane || \
		$(installed) etc/logrotate >$(DESTDIR)$(SYSCONFDIR)/logrotate.d/sealane
uninstall:                      ## what install put there; the configuration stays
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/,sbin/sealane share/man/man8/sealane.8 share/man/man5/sealane.ini.5 \
		lib/systemd/system/sealane.service) $(DESTDIR)$(SYSCONFDIR)/logrotate.d/sealane
	rm -rf $(DESTDIR)$(PREFIX)/share/doc/sealane
dist:                           ## build/sealane-VERSION.tar.gz of what is committed
	mkdir -p build && git archive --prefix=sealane-$(VERSION)/ -o build/sealane-$(VERSION).tar.gz HEAD
clean:                          ## remove all that was built
	rm -rf build
help:                           ## this list
	@sed -n 's/^\([a-z][a-z0-9-]*\):.*##/\1:/p' Makefile tests/bench/bench.mk | awk -F': *' '{ printf "  %-15s %s\n", $$1, substr($$0, index($$0, ":") + 2) }'
	@echo 'Variables: VARIANT=release|asan|fuzz|coverage CC= CFLAGS= LDFLAGS= CI=1 (warnings are errors) V=1 (show commands)'

include tests/bench/bench.mk
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
