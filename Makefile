# `make demo` and `make test` each do all of their own set-up: Python 3.11+, make and a package index suffice.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PYTEST_ARGS ?= -n auto --dist loadgroup

.PHONY: demo test test-oldest lint bench lock clean
.DEFAULT_GOAL := test

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "plexsync needs Python 3.11 or newer; say which: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

# A stamp per set of locked packages; the project itself is installed editable, without asking the index again.
$(VENV)/.demo: requirements/demo.lock pyproject.toml | $(VENV)/bin/python
	$(PIP) install --require-hashes -r requirements/demo.lock
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements/dev.lock pyproject.toml | $(VENV)/bin/python
	$(PIP) install --require-hashes -r requirements/dev.lock
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/.demo

demo: $(VENV)/.demo
	@$(BIN)/plexsync demo

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint
	$(BIN)/pytest -W error $(PYTEST_ARGS)

# The suite on the oldest versions pyproject.toml allows, in an environment of its own.
test-oldest: requirements/oldest.lock
	$(PYTHON) -m venv --clear .venv-oldest
	.venv-oldest/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r requirements/oldest.lock
	.venv-oldest/bin/python -m pip --disable-pip-version-check --quiet install --no-deps --no-build-isolation -e .
	.venv-oldest/bin/pytest $(PYTEST_ARGS)

bench: $(VENV)/.dev
	@for one in hook state matching incremental grouped review first_run; do \
		echo "== $$one"; $(BIN)/python -m benchmarks.$$one || exit 1; \
	done

# Rewrites the lock files from pyproject.toml: the newest versions its ranges allow, and the oldest.
# Extras stay in the locks ("coverage[toml]"): without them older versions of pip refuse a lock once the index holds a newer release.
COMPILE = $(BIN)/uv pip compile pyproject.toml requirements/build.in --universal --python-version 3.11 --no-strip-extras --generate-hashes --no-header --quiet
lock: $(VENV)/bin/python
	$(PIP) install uv
	$(COMPILE) --extra demo -o requirements/demo.lock
	$(COMPILE) --extra dev -o requirements/dev.lock
	$(COMPILE) --extra dev --resolution lowest-direct -o requirements/oldest.lock

clean:
	rm -rf $(VENV) .venv-oldest .mypy_cache .pytest_cache .ruff_cache .hypothesis
