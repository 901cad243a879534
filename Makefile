# The two commands: `make demo` shows it, `make test` proves it. Both install what is missing.
.DEFAULT_GOAL := help
.PHONY: help setup test demo bench screenshots fmt lint

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what the tests and the demo need: Debian packages and cargo tools
	@scripts/setup

test:  ## prove the tree: format, lints, tests, licences, the unit
	@scripts/test

demo:  ## watch three incidents from the first bad minute to the resolve (ONCE=1 ends by itself)
	@scripts/demo

bench:  ## measure a release build from the outside (ONLY=exactness: one section); prints the table
	@scripts/bench $(ONLY)

screenshots: ## take the pictures of README and docs/dashboard.md anew, with Chromium
	@scripts/screenshots

fmt:   ## format everything
	@cargo fmt --all

lint:  ## format, clippy and cargo-deny, without the tests
	@scripts/test --lint
