# SPDX-License-Identifier: BSD-2-Clause
# The benchmark: included by the Makefile. Its two C programs speak OpenSSL, so they share no code with Sealane.

ROUNDS  ?= 3
SECONDS ?= 2
PROXIES ?=
WORKLOADS ?=
BENCH_TOOLS   := build/bench/upstream build/bench/load
BENCH_CFLAGS  := -std=c11 -D_GNU_SOURCE -I. $(WARNINGS) $(if $(CI),-Werror) -O2 -g -MMD -MP
bench_objects  = $(patsubst %,build/bench/%.o,$1)

build/bench/%.o: tests/bench/%.c tests/bench/bench.mk
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(BENCH_CFLAGS) -c -o $@ $<

build/bench/upstream: $(call bench_objects,upstream upstream_http connection http_head socket tls)
build/bench/load: $(call bench_objects,load load_plan load_client http_head socket tls)
$(BENCH_TOOLS):
	$(call say,LINK,$@)
	$(Q)$(CC) -o $@ $^ -lssl -lcrypto

bench: $(BIN) $(BENCH_TOOLS)    ## compare with nginx, HAProxy and stunnel: ROUNDS=3 SECONDS=2 PROXIES= WORKLOADS=
	$(Q)$(PYTHON) tests/bench/bench.py --sealane $(BIN) --tools build/bench --rounds $(ROUNDS) --seconds $(SECONDS) \
		--proxies "$(PROXIES)" --workloads "$(WORKLOADS)"

-include $(wildcard build/bench/*.d)
