# Every target works on a fresh machine with Python 3.11 or newer and make.
.DEFAULT_GOAL := help
.PHONY: help demo test kill-test check fmt lock clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# the suite waits more than it works: three at once halve its time on two cores
PARALLEL ?= -n 3 --dist worksteal

help: ## say what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 11

demo: $(VENV)/.ready ## run the whole service on this machine alone, with nothing to configure
	$(BIN)/digest demo $(ARGS)

test: $(VENV)/.ready-dev ## run the whole test suite; nothing to start by hand
	$(BIN)/pytest $(PARALLEL) $(ARGS)

KILLS ?= 200
kill-test: $(VENV)/.ready-dev ## kill workers at random, and at every write and word of SMTP: KILLS=200 on each database
	DIGEST_TEST_KILLS=$(KILLS) $(BIN)/pytest -m kill tests/journeys $(ARGS)

check: $(VENV)/.ready-dev ## lint, types, import rules and tests, as CI runs them
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest $(PARALLEL) $(ARGS)

fmt: $(VENV)/.ready-dev ## put the code into its form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: ## bring the lock files up to date with pyproject.toml (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q pyproject.toml -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q pyproject.toml --group dev -o requirements-dev.lock

clean: ## forget the environment and all caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache demo-out

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; $(PYTHON) is older: make PYTHON=python3.11 …" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.ready: $(VENV)/.made requirements.lock pyproject.toml build_words.py $(wildcard digest/words/locales/*/LC_MESSAGES/*.po)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

$(VENV)/.ready-dev: $(VENV)/.ready requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@
