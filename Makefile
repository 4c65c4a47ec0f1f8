# kgce: `make demo` and `make test` are the two commands to know.
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: setup demo test check fuzz mutants bench lock servers clean
.DEFAULT_GOAL := demo

setup: $(READY)            ## .venv with exactly the locked packages

$(READY): requirements.lock pyproject.toml deploy/setup.sh
	@bash deploy/setup.sh $(VENV)
	@touch $(READY)

demo: setup                ## simulated buildings, gateway, store, API and console on 127.0.0.1:8000
	@$(BIN)/kgce demo

servers:                   ## what the tests need beside Python: real servers from Debian's packages
	@bash deploy/test-servers.sh

test: setup servers        ## every test
	$(BIN)/python -m pytest

check: setup               ## lint, types, layers, file length
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tests/file_length.py

fuzz: setup                ## a million damaged frames for each protocol's parser
	KGCE_FUZZ_FRAMES=1000000 $(BIN)/python -m pytest tests/fuzz

mutants: setup servers     ## take each protection of the gateway away: its fault test must fail
	$(BIN)/python -m tests.faults.mutants

bench: setup servers       ## speed as ratios to a peer in the same run; NAMES="soak gateways" runs only those
	$(BIN)/python -m benchmarks $(NAMES)

lock:                      ## pin every package with its hash; names no host
	uv pip compile -q --python-version 3.11 --all-extras --generate-hashes --no-emit-index-url --no-header pyproject.toml -o requirements.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache test-output
