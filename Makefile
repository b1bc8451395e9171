.DEFAULT_GOAL := help
PORT ?= 8080
CONTROLLER ?= simulator
PYTHON := .venv/bin/python
PYTEST := .venv/bin/pytest

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install what `make run` needs (says what, repeats in a second)
	@.ci/setup run

run: setup ## the whole product with a demo clip and a simulated barrier; prints address and code
	@[ "$(CONTROLLER)" != firmware ] || .ci/setup yard
	@$(PYTHON) -m appliance demo --port $(PORT) --controller $(CONTROLLER)

fmt: ## format the code
	@$(PYTHON) -m ruff format appliance models tests
	@$(PYTHON) -m ruff check --fix --quiet appliance models tests

lint: ## ruff and mypy --strict
	@$(PYTHON) -m ruff check appliance models tests
	@$(PYTHON) -m mypy

check: ## the fast tests alone, no program started
	@$(PYTEST) -m "not system and not browser and not kills and not shared and not firmware"

test: ## lint and every test that fits in about 15 minutes on two cores
	@.ci/setup test
	@$(MAKE) --no-print-directory lint
	@POSTERN_KILLS=$${POSTERN_KILLS:-30} $(PYTEST) -m "not browser and not firmware" --durations=12

kills: ## the whole SIGKILL campaign: 200 kills of five programs, about ten minutes
	@.ci/setup test
	@$(PYTEST) -m kills -s

coverage: ## branch coverage of the fast tests
	@$(PYTEST) -m "not system and not browser and not kills and not shared and not firmware" --cov --cov-report=term:skip-covered

browser: ## each page and journey in Debian's Chromium, screenshots in tests/browser/screens
	@.ci/setup browser
	@$(PYTEST) -m browser

firmware: ## the firmware in real MicroPython, its long proofs, four .mpy targets, pyright
	@.ci/setup firmware
	@$(PYTHON) firmware/build.py
	@cd firmware && sim/node_modules/.bin/pyright
	@$(PYTEST) -m firmware -s --durations=12

bench: ## accuracy, speed and memory into BENCHMARKS.md
	@.ci/setup test
	@$(PYTHON) -m appliance bench

lock: ## make the hashed lock files anew
	@.ci/lock

clean: ## remove the demo site and caches
	@rm -rf .run .cache .hypothesis .mypy_cache .ruff_cache .coverage firmware/build

.PHONY: help setup run fmt lint check test kills coverage browser firmware bench lock clean
