# bondd: make demo shows it, make test proves it; make help lists the rest.
SWIFT ?= swift
PREFIX ?= /usr/local
RELEASE := .build/release
# With the Swift runtime linked statically, bondd needs no toolchain and 4 MB less memory. (lld comes with the toolchain; the
# default linker would warn about Foundation's own code.)
RELEASE_FLAGS := -c release --static-swift-stdlib -Xswiftc -use-ld=lld
TSAN := .build/tsan
# Without debug information there is less to build and to link; tests are not run under a debugger.
DEBUG_FLAGS := -debug-info-format none
# The python3 that runs the control plane of the tests.
CONFORMANCE := $(CURDIR)/.build/conformance/bin/python3

.PHONY: help setup build programs lint check test unit soak fuzz end-to-end simulation simulation-table demo bench install deb test-deb clean

help:
	@echo "make demo     two links, one killed and brought back, live in the terminal (under a minute)"
	@echo "make check    formats, imports, and unit tests of what differs from main: a few minutes, for daily work"
	@echo "make test     all checks and tests"
	@echo "make soak     a server with clients that lie, SEEDS=1000 of them from FIRST=0 on (about 20 minutes)"
	@echo "make fuzz     fuzz the parsers with libFuzzer for SECONDS=600 (make test replays its findings)"
	@echo "make bench    measure the figures of docs/benchmarks.md (about an hour; bondlab bench --help for parts)"
	@echo "make simulation-table   update docs/simulation.md (about 2 minutes)"
	@echo "make build    bondd, bondd-control and bondlab in $(RELEASE)"
	@echo "make deb      Debian packages in .build/deb (make test-deb tests them in a fresh Debian 12; needs root)"
	@echo "make install  bondd and bondd-control into PREFIX/bin (PREFIX=$(PREFIX))"

# Installs the Debian packages needed for building and testing, without asking; usually there is nothing to do.
setup:
	@scripts/setup

build: programs
	$(SWIFT) build $(RELEASE_FLAGS) --product bondd-control

# The programs that tests, demo and benchmarks run as shipped.
programs: setup
	$(SWIFT) build $(RELEASE_FLAGS) --product bondd
	$(SWIFT) build $(RELEASE_FLAGS) --product bondlab

lint: setup
	$(SWIFT) format lint --strict -r Sources Tests Fuzz Package.swift
	scripts/check-imports --self-test
	scripts/check-imports
	scripts/check-conversions --self-test
	scripts/check-conversions
	scripts/check-units

# For daily work: formats, imports, and the unit tests of the modules that differ from BASE (main's last common commit).
check: lint
	$(SWIFT) build --build-tests $(DEBUG_FLAGS)
	@scripts/test-changed '$(RUNNER)' $(BASE)

test: lint unit simulation end-to-end
	@echo
	@echo "make test: all passed"

# Fuzzes every parser of external input. It builds its code a second time, with libFuzzer's counters.
SECONDS ?= 600
fuzz: setup
	BONDD_FUZZ=1 $(SWIFT) build -c release --sanitize=fuzzer --scratch-path .build/fuzz --product Fuzz
	scripts/fuzz $(SECONDS) $(INPUTS)

# Deterministic tests: no sockets, and only a virtual clock.
CORE := ^(Packet|Proto|Scheduler|Reorder|FEC|Engine|Simulation|Rules|ControlProtocol|Settings|Fuzz)Tests\.
# The client under test runs as Swift tasks, which blocking tests would starve.
ASYNC := ^PortunusTests\.
RUNNER := .build/debug/bonddPackageTests.xctest --testing-library swift-testing
# Tests without a tunnel: units, properties, simulations, and single devices and sockets in namespaces.
unit: setup
	$(SWIFT) build --build-tests $(DEBUG_FLAGS)
	@scripts/fetch-promtool .build/promtool || true # without it, its checks are skipped with a message
	@scripts/fetch-grpcio .build/conformance || true # likewise
	$(SWIFT) test --skip-build $(DEBUG_FLAGS) --filter '$(CORE)'
	PROMTOOL=$(CURDIR)/.build/promtool/promtool \
		scripts/as-root scripts/run-twice .build/unit.log '$(RUNNER)' . --skip '$(CORE)' --skip '$(ASYNC)' --skip EndToEndTests
	CONFORMANCE=$(CONFORMANCE) scripts/run-twice .build/async.log '$(RUNNER)' '$(ASYNC)'

# Runs hostile clients in virtual time, each with its own seed; the last line before a crash shows the seed.
FIRST ?= 0
SEEDS ?= 1000
soak: setup
	$(SWIFT) build --build-tests $(DEBUG_FLAGS)
	HOSTILE_FIRST=$(FIRST) HOSTILE_COUNT=$(SEEDS) $(RUNNER) --filter 'EngineTests\.HostileTests/' >.build/soak.log 2>&1 \
		|| { grep -E 'recorded an issue|Expectation|Fatal' .build/soak.log; tail -n 3 .build/soak.log; exit 1; }
	@tail -n 1 .build/soak.log

# Real daemons as shipped (release, except for bondd-control, which would take as long again to build), emulated links, real TCP,
# and a server built with the thread sanitizer; then the tests that depend on offloads once more without any.
END_TO_END := BONDD=$(CURDIR)/$(RELEASE)/bondd BONDLAB=$(CURDIR)/$(RELEASE)/bondlab \
	BONDD_TSAN=$(CURDIR)/$(TSAN)/debug/bondd PATH=$(CURDIR)/.build/debug:$$PATH \
	CONFORMANCE=$(CONFORMANCE) \
	scripts/as-root scripts/run-twice
WITHOUT_OFFLOADS := EndToEndTests/(Packets|Threads|Throughput)/
# Each suite names its lane (Tests/EndToEndTests/Lane.swift): three of them mostly wait and run at the same time.
end-to-end: programs
	$(SWIFT) build --build-tests $(DEBUG_FLAGS)
	@scripts/fetch-grpcio .build/conformance || true
	$(SWIFT) build --sanitize=thread --scratch-path $(TSAN) --product bondd
	LANE=waiting $(END_TO_END) .build/waiting.log '$(RUNNER)' EndToEndTests >.build/waiting.out 2>&1 & first=$$!; \
	LANE=waiting-too $(END_TO_END) .build/waiting-too.log '$(RUNNER)' EndToEndTests >.build/waiting-too.out 2>&1 & second=$$!; \
	LANE=services $(END_TO_END) .build/services.log '$(RUNNER)' EndToEndTests --no-parallel; third=$$?; \
	wait $$first; first=$$?; cat .build/waiting.out; wait $$second; second=$$?; cat .build/waiting-too.out; \
	exit $$((first + second + third))
	LANE=measuring $(END_TO_END) .build/measuring.log '$(RUNNER)' EndToEndTests
	LANE=measuring BONDD_OFFLOAD=off $(END_TO_END) .build/without-offloads.log '$(RUNNER)' '$(WITHOUT_OFFLOADS)'

# Simulates the tunnel over many mixes of links, in virtual time: fails if the results differ from docs/simulation.md.
simulation: programs
	$(RELEASE)/bondlab sim --jobs $$(nproc) --check docs/simulation.md

simulation-table: programs
	$(RELEASE)/bondlab sim --jobs $$(nproc) --update docs/simulation.md

demo: programs
	@$(RELEASE)/bondlab demo

# Works without wireguard-go, its reference; with CEILING=/path/to/run.sh it compares with that, too.
bench: programs
	@scripts/fetch-wireguard-go .build/wireguard-go || true
	@$(RELEASE)/bondlab bench

install: build
	install -D -m 755 $(RELEASE)/bondd $(DESTDIR)$(PREFIX)/bin/bondd
	install -D -m 755 $(RELEASE)/bondd-control $(DESTDIR)$(PREFIX)/bin/bondd-control

deb: build
	packaging/deb/build

test-deb: deb
	packaging/deb/test

clean:
	rm -rf .build
