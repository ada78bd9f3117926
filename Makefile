# Two commands are all a fresh machine needs: `make demo` and `make test`.
# Everything runs from .venv, which this file makes and fills with plain pip.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
WORKERS ?= 2
# Where it is set, every process of a test run compiles the whole package and rewrites every assertion anew: 3 s each.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test unit check format simulate crash storm fuzz bench coverage clean
.DEFAULT_GOAL := help

help:
	@echo "make demo      one payment provider's bad day, end to end, in under a minute"
	@echo "make test      every test"
	@echo "make check     ruff, format, mypy --strict, import walls"
	@echo "make simulate  50 simulated days in process      make crash  kill -9 at every commit point, both databases"
	@echo "make storm     races, restarts and killed connections at full size: tens of minutes"
	@echo "make fuzz      mutants of signed bodies for FUZZ_SECONDS (600); a failure prints its FUZZ_SEED"
	@echo "make bench     measurements beside their floors  make coverage  branch coverage"

$(STAMP): pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV) (first run only) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $(STAMP)

demo: $(STAMP)
	@$(BIN)/razorpay-hardened demo

test: $(STAMP)
	@$(BIN)/python -m pytest tests -n $(WORKERS) --dist loadscope -m "not campaign"

unit: $(STAMP)
	@$(BIN)/python -m pytest tests/unit -n $(WORKERS) --dist loadscope -m "not slow and not campaign" --hypothesis-profile quick

check: $(STAMP)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(STAMP)
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

simulate: $(STAMP)
	@$(BIN)/python -m pytest tests/simulation -m campaign -n $(WORKERS) --timeout 1800

crash: $(STAMP)
	@$(BIN)/python -m pytest tests/integration/test_crash.py -m campaign -n $(WORKERS) --timeout 7200 -rP

storm: $(STAMP)
	@$(BIN)/python -m pytest tests/integration -m campaign -n $(WORKERS) --dist loadscope --timeout 7200 -rP --ignore tests/integration/test_crash.py
	@PAYMENTS=20000 $(BIN)/python -m pytest tests/integration/test_client_threads.py -n 0 -rx --timeout 600
	@CONVERGE=all $(BIN)/python -m pytest tests/integration/test_convergence.py -n $(WORKERS) --timeout 1800

fuzz: $(STAMP)
	@$(BIN)/python -m pytest tests/acceptance/test_bad_inputs_fuzz.py -m campaign -n 0 -rP

bench: $(STAMP)
	@$(BIN)/python -m benchmarks

coverage: $(STAMP)
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest tests/unit -m "not campaign" -q
	@$(BIN)/coverage combine -q
	@$(BIN)/coverage report --include '*/domain/*,*/signing/*,*/ledger.py,*/effects/*,*/webhooks/*' --fail-under 100

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist demo-report*.html
