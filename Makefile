# Verbs only. Each is safe to repeat; what it needs, it installs.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

CARGO_HOME ?= $(HOME)/.cargo
TOOLS := $(CURDIR)/target/tools
export PATH := $(TOOLS):$(CARGO_HOME)/bin:$(PATH)
TRIPLE := x86_64-unknown-linux-gnu
BIN := target/$(TRIPLE)/debug
CLUSTER := target/cluster/cluster
# Everything that a test suite can prove without a cluster.
UNIT := --workspace -E 'not package(internet-disk-e2e)'

.PHONY: help
help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: tools
tools: ## Install what the other verbs need
	@e2e/tools.sh

.PHONY: ui
ui: ## Build the page
	@e2e/step.sh "the page" web-pod/ui/build.sh

.PHONY: build
build: ui ## Build the three programs
	cargo build --workspace --all-targets

.PHONY: cluster
cluster: tools ## Build the embedded cluster
	@e2e/cluster/build.sh

.PHONY: images
images: build cluster ## Make the three images (OCI archives in target/images)
	@e2e/images.sh

.PHONY: check
check: tools ui ## Formatting, lints, licences, rooms and arrows, generated files, alerts, pages
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo fetch --quiet --locked
	cargo deny --offline check bans licenses sources
	cargo nextest run -p internet-disk-tidy
	cd web-pod/ui && npm run --silent check
	charts/test.sh
	docs/test.sh

.PHONY: unit
unit: tools ui ## Tests that need no cluster
	cargo nextest run $(UNIT)
	cd web-pod/ui && npm test
	e2e/cluster/test.sh

.PHONY: test
test: ## Everything: what CI runs
	@e2e/step.sh "tools" $(MAKE) --no-print-directory tools
	@e2e/step.sh "checks" $(MAKE) --no-print-directory check
	@e2e/step.sh "unit tests" $(MAKE) --no-print-directory unit
	@e2e/step.sh "file systems" $(MAKE) --no-print-directory filesystems
	@e2e/step.sh "a cluster's life" $(MAKE) --no-print-directory cluster-test
	@e2e/step.sh "end-to-end tests" $(MAKE) --no-print-directory e2e

.PHONY: filesystems
filesystems: tools ## The engine on ext4, MooseFS and CephFS, with processes and servers killed
	@e2e/filesystems/run.sh

.PHONY: cluster-test
cluster-test: cluster ## Start, harm, and remove a cluster beside those that run; the chart's life on another
	@e2e/cluster/test.sh machine
	@e2e/chart.sh

.PHONY: e2e
e2e: images ## End-to-end tests, on a cluster of their own, and a part with MooseFS on each node
	@e2e/run.sh
	@DEMO_FILE_SYSTEM=moosefs e2e/run.sh

.PHONY: generate
generate: ## Write the generated files anew
	INTERNET_DISK_REGENERATE=1 cargo test -p internet-disk-api --features kubernetes
	INTERNET_DISK_REGENERATE=1 cargo nextest run --workspace --test pod -E 'test(openapi::the_committed_document)'
	charts/generate.sh
	docs/generate.sh

.PHONY: demo
demo: ## A working internet disk on a three-node Kubernetes
	@e2e/demo/up.sh

.PHONY: demo-story
demo-story: ## Take disk servers away in the middle of real uploads, and watch
	@e2e/demo/story.sh

.PHONY: demo-down
demo-down: ## Remove all that `make demo` made
	@e2e/demo/down.sh

.PHONY: soak
soak: ## The long runs: make soak MINUTES=30
	SPACES_MINUTES=$(or $(MINUTES),10) cargo nextest run -p internet-disk-spaces --run-ignored all --no-fail-fast \
		-E 'not test(/^tests::processes::/)'
	INTERNET_DISK_FUZZ_SECONDS=600 cargo nextest run --workspace --test pod --profile soak -E 'test(fuzz::)'
	e2e/filesystems/run.sh soak

.PHONY: bench-spaces
bench-spaces: ## How fast the engine is, against the raw cost of the disk (DIRECTORY=...; not while anything else runs)
	cargo run --quiet -p internet-disk-bench --bin bench-spaces -- $(DIRECTORY)

.PHONY: bench
bench: tools ## How fast a disk pod is, beside nginx, Apache, dufs, rclone and copyparty (not while anything else runs)
	bench/peers.sh
	cargo build --quiet -p internet-disk-bench -p internet-disk-disk-pod
	ulimit -n "$$(ulimit -Hn)"; taskset -c 1 $(BIN)/bench-serving $(DIRECTORY)

.PHONY: bench-sign-in
bench-sign-in: ## Members' requests beside a flood of attempts to sign in (not while anything else runs)
	cargo nextest run --workspace --test web --run-ignored only --no-capture -E 'test(flood_of_sign_ins)'

.PHONY: bench-selector
bench-selector: ## How disk pods are chosen, simulated, against two choices, round robin and chance (minutes)
	cargo nextest run --workspace --lib --run-ignored all --no-capture \
		-E 'package(internet-disk-web-pod) & test(selector::tests::simulation::table)'

.PHONY: compare-webdav
compare-webdav: tools ## How well a disk pod and other servers speak WebDAV: litmus and six clients
	bench/peers.sh
	cargo build --quiet -p internet-disk-disk-pod
	bench/webdav.sh
