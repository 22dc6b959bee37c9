# SPDX-License-Identifier: BSD-2-Clause
# Sealane: a folder is a static library; each variant is built in build/<variant>/. 'make help' lists the targets.

VERSION  = 0.1.0
PREFIX  ?= /usr/local
SYSCONFDIR ?= /etc
VARIANT ?= release
CC      ?= gcc
PYTHON  ?= /usr/bin/python3
BUILD   := build/$(VARIANT)
PKGS    := gnutls libev inih
# libev installs no pkg-config file on Debian.
PKG_CFLAGS := $(shell pkg-config --cflags gnutls inih 2>/dev/null)
PKG_LIBS   := $(shell pkg-config --libs gnutls inih 2>/dev/null || echo -lgnutls -linih) -lev

WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings \
	-Wcast-qual -Wvla -Wformat=2 -Wundef -Wswitch-enum
CFLAGS  ?= -O2 -g
HARDENING := -fstack-protector-strong -fPIE
ifeq ($(VARIANT),asan)
  SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
else ifeq ($(VARIANT),fuzz)
  CC := clang
  SANITIZE := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
else
  HARDENING += -D_FORTIFY_SOURCE=2
endif
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -DSEALANE_VERSION='"$(VERSION)"' -DSEALANE_SYSCONFDIR='"$(SYSCONFDIR)"' -I. \
	$(WARNINGS) $(if $(CI),-Werror) $(HARDENING) $(CFLAGS) $(SANITIZE) $(PKG_CFLAGS) -MMD -MP
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now $(LDFLAGS) $(SANITIZE)

# Top to bottom: a library may use only those after it. tests/support/check_layers.py holds the same order.
LAYERS := master worker worker/tcp worker/session worker/upstream worker/tls worker/io shared
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

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-6s %s\n' $1 $2)

.DELETE_ON_ERROR:
.PRECIOUS: $(BUILD)/%.o
.PHONY: all deps deps-test test unit e2e check-asan check-valgrind bench fuzz fuzz-replay lint layers format \
	format-check coverage manual install uninstall dist clean help
all: $(BIN)                     ## build build/release/sealane

$(BIN): $(BUILD)/master/main.o $(LIBS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)

$(BUILD)/%.o: %.c Makefile
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

define library
$(call lib,$1): $(call objects,$(call sources,$1))
	$(call say,AR,$$@)
	$(Q)mkdir -p $$(@D) && rm -f $$@ && ar rcs $$@ $$^
endef
$(foreach l,$(LAYERS),$(eval $(call library,$l)))

# Only tests that include fake_loop.h, be it by another header, get its object, in place of the library's real loop.
FAKE_LOOP := $(BUILD)/tests/support/fake_loop.o
fakes_for = $(if $(findstring fake_loop.h,$(shell cat $(1:.o=.d))),$(FAKE_LOOP))

$(SUPPORT_LIB): $(call objects,$(filter-out tests/support/fake_loop.c,$(wildcard tests/support/*.c)))
	$(call say,AR,$@)
	$(Q)mkdir -p $(@D) && rm -f $@ && ar rcs $@ $^

$(BUILD)/unit/%_test: $(BUILD)/tests/unit/%_test.o $(FAKE_LOOP) $(SUPPORT_LIB) $(LIBS)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $< $(call fakes_for,$<) $(SUPPORT_LIB) $(LIBS) -lcmocka $(PKG_LIBS)

$(BUILD)/fuzz/%: $(BUILD)/tests/fuzz/fuzz_%.o $(FAKE_LOOP) $(SUPPORT_LIB) $(LIBS)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) $(if $(filter fuzz,$(VARIANT)),-fsanitize=fuzzer,-DREPLAY tests/support/fuzz_replay_main.c -I.) \
		-o $@ $< $(call fakes_for,$<) $(SUPPORT_LIB) $(LIBS) $(PKG_LIBS) $(FUZZ_LIBS)
