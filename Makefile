# Tambo. `make run` and `make test` are the whole of it; `make help` lists the rest.

SHELL    := /bin/bash
GO       ?= go
PROGRAMS := tambo tambo-diag tambo-devsim tambo-hub
# Packages whose tests run a second time under the race detector.
RACE     := ./devices/... ./store/... ./sync/... ./kiosk/gallery/... ./kiosk/capture/... ./kiosk/session/...
# The eyes and pages that the virtual devices show: `make run EYES=DIR PAGES=DIR`.
EYES     ?=
PAGES    ?=
FUZZTIME ?= 20s
SOAK     ?= 1h

.DEFAULT_GOAL := help
.PHONY: help run test build lint race test-crash test-hub test-usb test-umock test-soak test-window fuzz bench clean setup setup-test setup-usb

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
	TAMBO_TEST_USB=1 $(GO) test -count=1 -timeout 20m -v -run TestOnRealKernel ./devices/usb/kerneltest
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
	    echo "$$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$p; done; done

bench: ## Benchmarks; what counts in them are the ratios
	$(GO) test -run '^$$' -bench . -benchtime 1s ./kiosk/... ./store/... ./sync/... ./devices/...

clean: ## Remove what was built
	rm -rf bin

setup:
	@.ci/setup build

setup-test:
	@.ci/setup test

setup-usb:
	@.ci/setup usb
