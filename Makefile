# Every command by name. `make` alone lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
export PATH := $(HOME)/.cargo/bin:$(PATH)

.PHONY: help setup ui run test test-rust test-ui test-window check deny bench package schemas conformance

help: ## List the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-12s %s\n", $$1, $$2 }'

setup: ## Install what is missing: system packages, npm packages
	@scripts/setup

ui: setup ## Build the frontend into ui/dist
	@scripts/build-ui

run: ui ## Build and open the window (with no display: on a virtual one, and a screenshot)
	@scripts/run

test: ui test-rust test-ui test-window ## Every test: Rust, frontend, the real window

test-rust: ui
	@scripts/say "Rust: rooms and whole-app scenarios"
	@scripts/cargo-test --workspace --exclude scenarios
	@scripts/say "Rust: the program from outside"
	@cargo build --workspace --bin switchyard --bin switchyard-window --bin stand-in-acp-agent
	@scripts/cargo-test --workspace --test program --test flows --test flow-commands --test agents --test changes --test machines

test-ui: setup
	@scripts/say "Frontend"
	@npm --prefix ui run --silent test

test-window: ui
	@scripts/say "The real window, through WebDriver"
	@scripts/test-window

check: ui ## Format, lints, generated files fresh, rooms apart
	@scripts/check

deny: ## Licences, sources and versions of what is built in (needs cargo-deny)
	@cargo deny check

schemas: ui ## Rewrite what is generated: ui/src/bindings.ts, JSON Schemas
	@UPDATE_BINDINGS=1 UPDATE_SCHEMAS=1 scripts/cargo-test --workspace --exclude scenarios the_committed

conformance: ## Judge real agents from npm by one script of behaviours (minutes; not part of CI)
	@tests/conformance/run

bench: ui ## Measure, beside the peers that this machine has
	@scripts/bench

package: ui ## Build the deb, and what else this machine can build
	@scripts/package
