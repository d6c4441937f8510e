# `make demo` and `make test` each do all of their own set-up: Python 3.11+, make and a package index suffice.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
LOCKS_PIP = .venv-locks/bin/python -m pip --disable-pip-version-check --quiet
PYTEST_ARGS ?= -n auto --dist loadgroup

# What Python 3.11.5 to 3.11.7 bring along; no lock may need a newer one.
OLDEST_PIP := 23.2.1

.PHONY: demo test test-faults browser test-oldest check-locks lint bench lock clean
.DEFAULT_GOAL := test

# The environment has its own pip, at the version of its lock: which one Python brings along does not matter.
$(VENV)/.pip: requirements/pip.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "plexsync needs Python 3.11 or newer; say which: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --require-hashes -r requirements/pip.lock
	@touch $@

# A stamp per set of locked packages; the project itself is installed editable, without asking the index again.
$(VENV)/.demo: requirements/demo.lock pyproject.toml | $(VENV)/.pip
	$(PIP) install --require-hashes -r requirements/demo.lock
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements/dev.lock pyproject.toml | $(VENV)/.pip
	$(PIP) install --require-hashes -r requirements/dev.lock
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/.demo

demo: $(VENV)/.demo
	@$(BIN)/plexsync demo

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/vulture
	$(BIN)/vulture plexsync --exclude '*/simulators/*,*/output/formats/documents.py,*/output/formats/parts.py'
	$(BIN)/python -m tests.support.words

test: lint browser
	$(BIN)/pytest -W error $(PYTEST_ARGS)

# Ten thousand crash points and more, each recovered, compared and taken back, and every cell of the matrix of faults;
# `test` looks at a thousand points and a quarter of the cells.
test-faults: $(VENV)/.dev
	PLEXSYNC_CRASH_POINTS=10000 $(BIN)/pytest -W error $(PYTEST_ARGS) tests/faults

# The browser of the review's tests: one of the system, since Python packages bring none.
browser:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
		|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq \
			&& DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium >/dev/null; } \
		|| echo "make: no Chromium found, and none could be installed (that takes root and apt-get): install Chromium or Chrome for the tests of the review in a browser" >&2

# The suite on the oldest versions pyproject.toml allows, in an environment of its own.
test-oldest:
	$(MAKE) VENV=.venv-oldest .venv-oldest/.pip
	.venv-oldest/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r requirements/oldest.lock
	.venv-oldest/bin/python -m pip --disable-pip-version-check --quiet install --no-deps --no-build-isolation -e .
	.venv-oldest/bin/pytest $(PYTEST_ARGS)

# Every lock, installed with the oldest pip allowed and with the newest of the index.
check-locks:
	@for pip in pip==$(OLDEST_PIP) pip; do \
		$(PYTHON) -m venv --clear .venv-locks || exit 1; \
		$(LOCKS_PIP) install --upgrade $$pip || exit 1; \
		for lock in demo container dev oldest; do \
			echo "== $$lock.lock with $$($(LOCKS_PIP) --version | cut -d' ' -f1,2)"; \
			$(LOCKS_PIP) install --require-hashes -r requirements/$$lock.lock || exit 1; \
		done; \
	done; rm -rf .venv-locks

bench: $(VENV)/.dev
	@for one in start_up beside state matching incremental grouped review first_run; do \
		echo "== $$one"; $(BIN)/python -m benchmarks.$$one || exit 1; \
	done

# Rewrites the lock files from pyproject.toml: the newest versions its ranges allow, and the oldest.
# Extras stay in the locks ("coverage[toml]"): without them older versions of pip refuse a lock once the index holds a newer release.
COMPILE = $(BIN)/uv pip compile --universal --python-version 3.11 --no-strip-extras --generate-hashes --no-header --quiet
lock: $(VENV)/.pip
	$(PIP) install uv
	$(COMPILE) requirements/pip.in -o requirements/pip.lock
	$(COMPILE) pyproject.toml requirements/build.in --extra demo -o requirements/demo.lock
	$(COMPILE) pyproject.toml requirements/build.in --extra demo --extra metrics --extra notify --extra pad --extra web -o requirements/container.lock
	$(COMPILE) pyproject.toml requirements/build.in --extra dev -o requirements/dev.lock
	$(COMPILE) pyproject.toml requirements/build.in --extra dev --resolution lowest-direct -o requirements/oldest.lock

clean:
	rm -rf $(VENV) .venv-oldest .venv-locks .mypy_cache .pytest_cache .ruff_cache .hypothesis
