# Taptill. `make run` starts the till on the simulator, `make test` proves it.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON := .venv/bin/python
# Tests wait for cards and hosts more than they reckon, so there are more of them than cores.
JOBS ?= 3

.PHONY: help run setup test check format coverage bench fresh lock shots pin

help: ## Says what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Installs what is missing: system packages and .venv
	@tools/setup test

run: ## Installs what is missing and starts the till on the simulated bench
	@tools/setup run
	@exec $(PYTHON) -m ui run --bench

test: ## Runs every test: the real pcscd, a real pty, real TLS
	@tools/setup test
	@$(PYTHON) -m pytest -n $(JOBS) --dist worksteal

check: ## The developers' door: format, lint, types, import rules, tests
	@tools/setup test
	@echo "==> format"       && .venv/bin/ruff format --check .
	@echo "==> lint"         && .venv/bin/ruff check .
	@echo "==> types"        && .venv/bin/mypy
	@echo "==> import rules" && .venv/bin/lint-imports
	@echo "==> tests"        && $(PYTHON) -m pytest -n $(JOBS) --dist worksteal

format: ## Formats the code and mends what lint can mend
	@.venv/bin/ruff format .
	@.venv/bin/ruff check --fix .

coverage: ## Branch coverage of the kernels (terminal/emv), which is 100 %
	@tools/setup test
	@$(PYTHON) -m coverage run --branch --source=terminal/emv -m pytest -q -p no:cacheprovider \
	  tests/terminal/emv tests/ui/test_cli_cards.py hardware-sim/tests/recording \
	  tests/drivers/test_ca_key_store.py tests/drivers/test_exception_store.py
	@$(PYTHON) -m coverage report --skip-covered --show-missing --fail-under=100

bench: ## Runs the benchmarks and prints their figures
	@tools/setup test
	@$(PYTHON) -m benchmarks

fresh: ## Proves run and test in new Debian roots (needs root and debootstrap)
	@tools/fresh

lock: ## Makes requirements.txt anew from pyproject.toml (needs uv on PATH)
	@tools/lock

shots: ## Draws the README's pictures into docs/img, and every screen into .shots
	@tools/setup test
	@PYTHONPATH=. $(PYTHON) tools/shots.py docs/img --readme
	@PYTHONPATH=. $(PYTHON) tools/shots.py .shots

pin: ## Keeps the hashes of the key screens, once you have looked at the contact sheets
	@tools/setup test
	@PYTHONPATH=. $(PYTHON) tools/shots.py --pin
