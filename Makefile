# bondd: make demo shows it, make test proves it. Everything else is below.
SWIFT ?= swift
PREFIX ?= /usr/local
RELEASE := .build/release
# With the Swift run time inside, bondd runs without the toolchain and in 4 MB less. (lld comes with the toolchain; the
# usual linker warns of Foundation's own code then.)
RELEASE_FLAGS := -c release --static-swift-stdlib -Xswiftc -use-ld=lld
TSAN := .build/tsan

.PHONY: help setup build lint test unit end-to-end simulation simulation-table demo bench install deb test-deb clean

help:
	@echo "make demo     two links, one killed and brought back, live in the terminal (under a minute)"
	@echo "make test     all checks and tests"
	@echo "make bench    measure, as docs/benchmarks.md does (about an hour; bondlab bench --help for parts)"
	@echo "make simulation-table   renew docs/simulation.md (about 2 minutes)"
	@echo "make build    $(RELEASE)/bondd and $(RELEASE)/bondlab"
	@echo "make deb      Debian packages in .build/deb (make test-deb tries them in a fresh Debian 12; needs root)"
	@echo "make install  bondd into PREFIX/bin (PREFIX=$(PREFIX))"

# The Debian packages that building and testing need. Asks nothing; nothing to do is the usual case.
setup:
	@scripts/setup

build: setup
	$(SWIFT) build $(RELEASE_FLAGS) --product bondd
	$(SWIFT) build $(RELEASE_FLAGS) --product bondlab

lint: setup
	$(SWIFT) format lint --strict -r Sources Tests Package.swift
	scripts/check-imports --self-test
	scripts/check-imports
	scripts/check-units

test: lint unit simulation end-to-end
	@echo
	@echo "make test: all passed"

# What needs no tunnel: units, properties, simulations, and single devices and sockets in namespaces.
unit: setup
	$(SWIFT) build --build-tests
	scripts/as-root $(SWIFT) test --skip-build --skip EndToEndTests

# Real daemons as they ship (release), emulated links, real TCP, and a server built with the thread sanitizer; then the
# tunnel's suites once more without any offloads.
END_TO_END := BONDD=$(CURDIR)/$(RELEASE)/bondd BONDLAB=$(CURDIR)/$(RELEASE)/bondlab \
	BONDD_TSAN=$(CURDIR)/$(TSAN)/debug/bondd scripts/as-root $(SWIFT) test --skip-build --filter EndToEndTests
# What is no different without offloads.
WITHOUT_OFFLOADS := 'CommandLineTests|DemoAndBench|Footprint|Sanitizer|/(Clients|DataCaps|MeasureTests|Modes|Recovery|Reload|Status)/'
end-to-end: build
	$(SWIFT) build --build-tests
	$(SWIFT) build --sanitize=thread --scratch-path $(TSAN) --product bondd
	$(END_TO_END)
	BONDD_OFFLOAD=off $(END_TO_END) --skip $(WITHOUT_OFFLOADS)

# What the tunnel makes of many mixes of links, in virtual time: fails when it is not what docs/simulation.md says.
simulation: build
	$(RELEASE)/bondlab sim --jobs $$(nproc) --check docs/simulation.md

simulation-table: build
	$(RELEASE)/bondlab sim --jobs $$(nproc) --update docs/simulation.md

demo: build
	@$(RELEASE)/bondlab demo

# Without wireguard-go, to compare with, it goes on; with CEILING=/path/to/run.sh it compares with that, too.
bench: build
	@scripts/fetch-wireguard-go .build/wireguard-go || true
	@$(RELEASE)/bondlab bench

install: build
	install -D -m 755 $(RELEASE)/bondd $(DESTDIR)$(PREFIX)/bin/bondd

deb: build
	@if grep -q '"bondd-control"' Package.swift; then $(SWIFT) build $(RELEASE_FLAGS) --product bondd-control; fi
	packaging/deb/build

test-deb: deb
	packaging/deb/test

clean:
	rm -rf .build
