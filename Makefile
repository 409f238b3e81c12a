# Tambo. `make run` and `make test` are the whole of it; `make help` lists the rest.

SHELL    := /bin/bash
GO       ?= go
PROGRAMS := tambo tambo-diag tambo-devsim tambo-hub
# Packages whose tests run a second time under the race detector.
RACE     := ./devices/... ./store/... ./sync/... ./kiosk/gallery/... ./kiosk/capture/... ./kiosk/session/... ./kiosk/ui
# The eyes and pages that the virtual devices show: `make run EYES=DIR PAGES=DIR`.
EYES     ?=
PAGES    ?=
FUZZTIME ?= 20s
SOAK     ?= 1h

.DEFAULT_GOAL := help
.PHONY: help run test build lint race test-crash test-hub test-usb test-umock test-soak test-window fuzz bench install install-files uninstall clean setup setup-test setup-usb

help: ## List the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build ## The kiosk's window on a training hub and virtual devices; without a display the same walk in words
	@bin/tambo-diag walk $(if $(DISPLAY)$(WAYLAND_DISPLAY),--window) $(if $(EYES),--eyes '$(EYES)') $(if $(PAGES),--pages '$(PAGES)')

test: setup-test lint ## Everything that must hold before a change lands
	$(GO) test -timeout 20m ./...
	$(MAKE) --no-print-directory race

build: setup ## Build the programs into bin/
	@mkdir -p bin
	@for p in $(PROGRAMS); do $(GO) build -o bin/$$p ./cmd/$$p || exit 1; done

lint: ## gofmt, go vet, staticcheck
	@bad=$$(gofmt -l cmd kiosk devices store sync assets); [ -z "$$bad" ] || { echo "not gofmt-ed:"; echo "$$bad"; exit 1; }
	$(GO) vet ./...
	$(GO) tool staticcheck ./...

race: ## Concurrent packages under the race detector, short form
	$(GO) test -race -short -timeout 20m $(RACE)

test-crash: setup-test ## Kill and power-cut loops on the vault, in full
	TAMBO_LONG=1 $(GO) test -count=1 -timeout 60m -run 'Crash|Kill|Power' -v ./store/...

test-hub: setup-test ## Cuts, kills and repeats on the road, in full
	TAMBO_LONG=1 $(GO) test -count=1 -timeout 60m -v ./sync/...

test-usb: setup-usb ## Drivers and outside judges on the real Linux USB stack, in a virtual machine; full fault schedules
	TAMBO_TEST_USB=1 $(GO) test -count=1 -timeout 25m -v -run TestOnRealKernel ./devices/usb/kerneltest
	TAMBO_LONG=1 $(GO) test -count=1 -timeout 60m ./devices/...

test-umock: setup-test ## Drivers on the real libusb, over a mocked usbfs
	$(GO) test -count=1 -v -run UnderUmockdev ./devices/usb/libusb

test-soak: setup-test ## Two eyes at 30 frames a second for SOAK (default 1h), in process: memory stays flat
	TAMBO_SOAK=$(SOAK) $(GO) test -count=1 -timeout 25h -v -run TestSoak ./devices/uvc

test-window: setup-test ## The real window under Xvfb, driven by mouse and keyboard; pictures in docs/screens
	TAMBO_TEST_WINDOW=1 $(GO) test -count=1 -timeout 30m -v -run TestTheW ./cmd/tambo/internal/app

fuzz: ## Every fuzz target for FUZZTIME each (default 20s)
	@set -e; for p in $$($(GO) list ./...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$p 2>/dev/null | grep '^Fuzz' || true); do \
	    echo "$$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1s $$p; done; done

bench: ## Benchmarks; what counts in them are the ratios
	$(GO) test -run '^$$' -bench . -benchtime 1s ./kiosk/... ./store/... ./sync/... ./devices/...

# Where `make install` puts things; DESTDIR is put before all of it.
PREFIX  ?= /usr/local
DESTDIR ?=
BINDIR  := $(PREFIX)/bin
LIBDIR  := $(PREFIX)/lib
DOCDIR  := $(PREFIX)/share/doc/tambo
FILES   := assets/install
UNITS   := tambo.service tambo-courier.service tambo-disk.service tambo-disk.timer

install: build install-files ## Programs, systemd units, udev rules, the kiosk's user (PREFIX, DESTDIR)
	install -d '$(DESTDIR)$(BINDIR)'
	@for p in tambo tambo-diag tambo-hub; do echo "install bin/$$p"; install -m 755 bin/$$p '$(DESTDIR)$(BINDIR)/' || exit 1; done
	@[ -n '$(DESTDIR)' ] || { \
	  if command -v systemd-sysusers >/dev/null; then systemd-sysusers; systemd-tmpfiles --create tambo.conf; fi; \
	  if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi; \
	  if command -v udevadm >/dev/null && [ -d /run/udev ]; then udevadm control --reload && udevadm trigger --subsystem-match=usb; fi; \
	  echo "install: copy $(DOCDIR)/kiosk.json.example to /etc/tambo/kiosk.json, then: systemctl enable --now tambo.service tambo-disk.timer"; }

install-files:
	install -d '$(DESTDIR)$(LIBDIR)/systemd/system' '$(DESTDIR)$(LIBDIR)/udev/rules.d' '$(DESTDIR)$(LIBDIR)/sysusers.d' '$(DESTDIR)$(LIBDIR)/tmpfiles.d' '$(DESTDIR)$(DOCDIR)'
	for u in $(UNITS); do \
	  sed -e 's|@BINDIR@|$(BINDIR)|g' -e 's|@DOCDIR@|$(DOCDIR)|g' $(FILES)/$$u > '$(DESTDIR)$(LIBDIR)/systemd/system/'$$u && chmod 644 '$(DESTDIR)$(LIBDIR)/systemd/system/'$$u || exit 1; done
	install -m 644 $(FILES)/60-tambo.rules '$(DESTDIR)$(LIBDIR)/udev/rules.d/60-tambo.rules'
	install -m 644 $(FILES)/tambo.sysusers '$(DESTDIR)$(LIBDIR)/sysusers.d/tambo.conf'
	install -m 644 $(FILES)/tambo.tmpfiles '$(DESTDIR)$(LIBDIR)/tmpfiles.d/tambo.conf'
	install -m 644 $(FILES)/kiosk.json.example docs/DEVICES.md '$(DESTDIR)$(DOCDIR)/'

uninstall: ## Take away what install put; the vault, the configuration and the user stay
	@[ -n '$(DESTDIR)' ] || [ ! -d /run/systemd/system ] || systemctl disable --now tambo.service tambo-courier.service tambo-disk.timer || true
	rm -f $(addprefix '$(DESTDIR)$(BINDIR)'/,tambo tambo-diag tambo-hub) $(addprefix '$(DESTDIR)$(LIBDIR)/systemd/system'/,$(UNITS)) \
	  '$(DESTDIR)$(LIBDIR)/udev/rules.d/60-tambo.rules' '$(DESTDIR)$(LIBDIR)/sysusers.d/tambo.conf' '$(DESTDIR)$(LIBDIR)/tmpfiles.d/tambo.conf' \
	  '$(DESTDIR)$(DOCDIR)/kiosk.json.example' '$(DESTDIR)$(DOCDIR)/DEVICES.md'

clean: ## Remove what was built
	rm -rf bin

setup:
	@.ci/setup build

setup-test:
	@.ci/setup test

setup-usb:
	@.ci/setup usb
