# The two commands that matter: `make run` and `make test`. Both set up .venv first; the second
# time that takes no time.

VENV := .venv
READY := $(VENV)/.ready
BENCH_READY := $(VENV)/.bench-ready
PYTEST := $(VENV)/bin/python -m pytest

# Byte code saves every process of the pipeline a second of CPU, also where the environment says
# not to write it.
unexport PYTHONDONTWRITEBYTECODE
export PYTHON

.PHONY: help run test check torture fuzz bench demo shots wheel lock clean

help:
	@echo "make run      the pipeline: polls, keeps the history, alerts; Ctrl-C ends it"
	@echo "make test     the tests"
	@echo "make check    lint, formatting, types, known vulnerabilities"
	@echo "make torture  kills, races and long loops"
	@echo "make fuzz     ten minutes of strange answers for every parser"
	@echo "make bench    size and speed beside plain rows, dlt and chdb (BENCH_DAYS=90)"
	@echo "make demo     30 days of made-up history to look around in"
	@echo "make shots    the pictures in docs/, from a real run (needs Chromium)"
	@echo "make wheel    dist/, installed and tried outside the checkout"
	@echo "make lock     writes the lock files anew (needs uv)"
	@echo "make clean    removes what make made; never data"

$(READY): requirements-dev.lock pyproject.toml .ci/set-up
	@.ci/set-up
	@touch $@

run: $(READY)
	@$(VENV)/bin/ccpay up

test: $(READY)
	@$(PYTEST) -n auto --dist worksteal

check: $(READY)
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/python .ci/audit.py

torture: $(READY)
	@$(PYTEST) -m torture

fuzz: $(READY)
	@$(PYTEST) -m fuzz

# Without dependencies: all of them are in the lock, but for pandas, which stays out.
$(BENCH_READY): requirements-bench.lock $(READY)
	@echo "Installing dlt and chdb (700 MB) beside the locked packages, once."
	@$(VENV)/bin/python -m pip --disable-pip-version-check --no-input install --quiet \
		--require-hashes --no-deps -r requirements-bench.lock
	@touch $@

bench: $(BENCH_READY)
	@$(VENV)/bin/python -m bench
	@$(VENV)/bin/python -m bench.board

demo: $(READY)
	@$(VENV)/bin/ccpay demo --days 30

shots: $(READY)
	@.ci/shots

wheel: $(READY)
	@.ci/wheel

# LOCK_FLAGS=--upgrade takes the newest versions that pyproject.toml allows; without it only what
# has to change changes.
lock:
	@.ci/lock $(LOCK_FLAGS)

clean:
	rm -rf $(VENV) dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find ccpay_io pipelines tests -name __pycache__ -type d -prune -exec rm -rf {} +
