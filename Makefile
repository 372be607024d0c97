# bondd: make demo shows it, make test proves it. Everything else is below.
SWIFT ?= swift
PREFIX ?= /usr/local
RELEASE := .build/release
TSAN := .build/tsan

.PHONY: help setup build lint test unit end-to-end demo bench install clean

help:
	@echo "make demo     two links, one killed and brought back, live in the terminal (under a minute)"
	@echo "make test     all checks and tests"
	@echo "make bench    measure, as docs/benchmarks.md does (about 10 minutes)"
	@echo "make build    $(RELEASE)/bondd and $(RELEASE)/bondlab"
	@echo "make install  bondd into PREFIX/bin (PREFIX=$(PREFIX))"

# The Debian packages that building and testing need. Asks nothing; nothing to do is the usual case.
setup:
	@scripts/setup

build: setup
	$(SWIFT) build -c release --product bondd
	$(SWIFT) build -c release --product bondlab

lint: setup
	$(SWIFT) format lint --strict -r Sources Tests Package.swift
	scripts/check-imports --self-test
	scripts/check-imports

test: lint unit end-to-end
	@echo
	@echo "make test: all passed"

# What needs no tunnel: units, properties, simulations, and single devices and sockets in namespaces.
unit: setup
	$(SWIFT) build --build-tests
	scripts/as-root $(SWIFT) test --skip-build --skip EndToEndTests

# Real daemons as they ship (release), emulated links, real TCP; and a server built with the thread sanitizer.
end-to-end: build
	$(SWIFT) build --build-tests
	$(SWIFT) build --sanitize=thread --scratch-path $(TSAN) --product bondd
	BONDD=$(CURDIR)/$(RELEASE)/bondd BONDLAB=$(CURDIR)/$(RELEASE)/bondlab \
		BONDD_TSAN=$(CURDIR)/$(TSAN)/debug/bondd \
		scripts/as-root $(SWIFT) test --skip-build --filter EndToEndTests

demo: build
	@$(RELEASE)/bondlab demo

bench: build
	@$(RELEASE)/bondlab bench

install: build
	install -D -m 755 $(RELEASE)/bondd $(DESTDIR)$(PREFIX)/bin/bondd

clean:
	rm -rf .build
