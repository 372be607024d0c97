# bondd: make demo shows it, make test proves it. Everything else is below.
SWIFT ?= swift
PREFIX ?= /usr/local
RELEASE := .build/release
# With the Swift run time inside, bondd runs without the toolchain and in 4 MB less. (lld comes with the toolchain; the
# usual linker warns of Foundation's own code then.)
RELEASE_FLAGS := -c release --static-swift-stdlib -Xswiftc -use-ld=lld
TSAN := .build/tsan
# Nobody looks at the tests with a debugger: without what it needs there is less to build and to link.
DEBUG_FLAGS := -debug-info-format none
# The python3 that plays a control plane in tests.
CONFORMANCE := $(CURDIR)/.build/conformance/bin/python3

.PHONY: help setup build programs lint check test unit soak fuzz end-to-end simulation simulation-table demo bench install deb test-deb clean

help:
	@echo "make demo     two links, one killed and brought back, live in the terminal (under a minute)"
	@echo "make check    formats, imports, and unit tests of what differs from main: a few minutes, for daily work"
	@echo "make test     all checks and tests"
	@echo "make soak     a server among clients that lie, SEEDS=1000 of them from FIRST=0 on (about 20 minutes)"
	@echo "make fuzz     feed the parsers by libFuzzer, led by coverage, for SECONDS=600 (make test replays what it found)"
	@echo "make bench    measure, as docs/benchmarks.md does (about an hour; bondlab bench --help for parts)"
	@echo "make simulation-table   renew docs/simulation.md (about 2 minutes)"
	@echo "make build    bondd, bondd-control and bondlab in $(RELEASE)"
	@echo "make deb      Debian packages in .build/deb (make test-deb tries them in a fresh Debian 12; needs root)"
	@echo "make install  bondd and bondd-control into PREFIX/bin (PREFIX=$(PREFIX))"

# The Debian packages that building and testing need. Asks nothing; nothing to do is the usual case.
setup:
	@scripts/setup

build: programs
	$(SWIFT) build $(RELEASE_FLAGS) --product bondd-control

# What tests, demo and benchmarks run as it ships.
programs: setup
	$(SWIFT) build $(RELEASE_FLAGS) --product bondd
	$(SWIFT) build $(RELEASE_FLAGS) --product bondlab

lint: setup
	$(SWIFT) format lint --strict -r Sources Tests Fuzz Package.swift
	scripts/check-imports --self-test
	scripts/check-imports
	scripts/check-units

# For daily work: formats, imports, and the unit tests of the modules that differ from BASE (main's last common commit).
check: lint
	$(SWIFT) build --build-tests $(DEBUG_FLAGS)
	@scripts/test-changed '$(RUNNER)' $(BASE)

test: lint unit simulation end-to-end
	@echo
	@echo "make test: all passed"

# Every way in for others' bytes. It builds what it needs a second time, with libFuzzer's counters.
SECONDS ?= 600
fuzz: setup
	BONDD_FUZZ=1 $(SWIFT) build -c release --sanitize=fuzzer --scratch-path .build/fuzz --product Fuzz
	scripts/fuzz $(SECONDS) $(INPUTS)

# These have no sockets, no clock but a virtual one, and no excuse.
CORE := ^(Packet|Proto|Scheduler|Reorder|FEC|Engine|Simulation|Rules|ControlProtocol|Settings|Fuzz)Tests\.
# The client here is Swift tasks, which tests that block would keep from running.
ASYNC := ^PortunusTests\.
RUNNER := .build/debug/bonddPackageTests.xctest --testing-library swift-testing
# What needs no tunnel: units, properties, simulations, and single devices and sockets in namespaces.
unit: setup
	$(SWIFT) build --build-tests $(DEBUG_FLAGS)
	@scripts/fetch-promtool .build/promtool || true # without it, what it checks is skipped and says so
	@scripts/fetch-grpcio .build/conformance || true # likewise
	$(SWIFT) test --skip-build $(DEBUG_FLAGS) --filter '$(CORE)'
	PROMTOOL=$(CURDIR)/.build/promtool/promtool \
		scripts/as-root scripts/run-twice .build/unit.log '$(RUNNER)' . --skip '$(CORE)' --skip '$(ASYNC)' --skip EndToEndTests
	CONFORMANCE=$(CONFORMANCE) scripts/run-twice .build/async.log '$(RUNNER)' '$(ASYNC)'

# Lies in virtual time, each with a seed of its own; the last line before a crash has the seed.
FIRST ?= 0
SEEDS ?= 1000
soak: setup
	$(SWIFT) build --build-tests $(DEBUG_FLAGS)
	HOSTILE_FIRST=$(FIRST) HOSTILE_COUNT=$(SEEDS) $(RUNNER) --filter 'EngineTests\.HostileTests/' >.build/soak.log 2>&1 \
		|| { grep -E 'recorded an issue|Expectation|Fatal' .build/soak.log; tail -n 3 .build/soak.log; exit 1; }
	@tail -n 1 .build/soak.log

# Real daemons as they ship (release; but bondd-control, which would take as long again to build), emulated links, real TCP, and
# a server built with the thread sanitizer; then what is different without offloads once more without any.
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

# What the tunnel makes of many mixes of links, in virtual time: fails when it is not what docs/simulation.md says.
simulation: programs
	$(RELEASE)/bondlab sim --jobs $$(nproc) --check docs/simulation.md

simulation-table: programs
	$(RELEASE)/bondlab sim --jobs $$(nproc) --update docs/simulation.md

demo: programs
	@$(RELEASE)/bondlab demo

# Without wireguard-go, to compare with, it goes on; with CEILING=/path/to/run.sh it compares with that, too.
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
