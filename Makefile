# Tongcheng: `make run` shows it, `make test` proves it, `make help` lists the rest.
# No target is longer than five lines.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
SETUP := .venv/setup.stamp

.DEFAULT_GOAL := help
.PHONY: help setup run test lint kill simulate-nation lock vendor pictures bench clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(SETUP) ## make .venv with everything in it; nothing to do when nothing changed

$(SETUP): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Tongcheng needs Python 3.11 or later with its venv module (Debian: apt-get install python3-venv)."; exit 1; }
	test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	sed -n '/^uv==/,/[^\\]$$/p' requirements.lock | $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r /dev/stdin
	$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable . && touch $(SETUP)

run: setup ## start three nodes and watch stays being settled between them
	$(BIN)/tongcheng up

test: lint ## everything that must be true: lint, types, import contracts, tests
	$(BIN)/pytest -n 2 --dist worksteal

lint: setup ## style, types, import contracts
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

kill: setup ## 20 rounds of 200 stays under kill -9 of random nodes; takes about half an hour
	$(BIN)/python -m tests.kill_loop

simulate-nation: setup ## a million settlements under faults; stopped, it goes on where it was
	$(BIN)/tongcheng simulate-nation --results .bench/nation.jsonl

lock: ## compute requirements.lock anew from pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate \
		--python-version 3.11 --extra dev --extra analysis --extra postgres --custom-compile-command "make lock" pyproject.toml -o requirements.lock

vendor: setup ## fetch the scripts of others that pages load, by npm, and check them
	$(BIN)/python -m tools.vendor

pictures: setup ## draw the README's pictures anew from a made-up region, in Chromium
	$(BIN)/python -m tools.pictures

bench: setup ## run the benchmarks, one table; the first time 20,000 stays are played, four minutes or more
	$(BIN)/python -m benchmarks

clean: ## remove the environment and the caches; a region's data stays
	rm -rf .venv .bench .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist build
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
