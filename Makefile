# One door: `make test` is what CI runs, what the README shows and what a newcomer types.

PYTHON ?= python3
VENV ?= .venv
WORKERS ?= 2

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
PEERS ?= .venv-peers
STAMP_DEV := $(VENV)/.stamp-dev
STAMP_TRAIN := $(VENV)/.stamp-train
CODE := games mcts models selfplay

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help test verify lint format demo bench bench-peers meta-init meta-report clean distclean

help: ## show this list
	@echo "make TARGET, where TARGET is one of:"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-11s %s\n", $$1, $$2 }' Makefile

test: lint ## all checks: style, types, imports, tests, kernels with bounds checks
	@echo "==> pytest"
	@$(BIN)/python -m pytest -n $(WORKERS)
	@echo "==> pytest, kernels with bounds checks"
	@NUMBA_BOUNDSCHECK=1 $(BIN)/python -m pytest -n $(WORKERS) -m kernels tests/games tests/mcts tests/selfplay
	@echo "==> all checks passed"

verify: $(STAMP_DEV) ## the long sweep: 1,000 games against each outside engine, slow theory, real matches, a browser (an hour)
	@SELFPLAY_PARITY_GAMES=1000 SELFPLAY_EXAMPLES=2000 SELFPLAY_SLOW=1 $(BIN)/python -m pytest -n $(WORKERS) tests/games
	@SELFPLAY_PARITY_GAMES=10 $(BIN)/python -m pytest -n $(WORKERS) tests/selfplay/opponents
	@$(BIN)/python benchmarks/debian_engines.py
	@$(PIP) playwright
	@$(BIN)/python benchmarks/browser_games.py
	@cd benchmarks/gtp_match && npm install --silent --no-package-lock && PATH="$$PATH:/usr/games" \
		node match.js --engine "$(abspath $(BIN))/selfplay engine gtp --variant go-7 --agent mcts:300"
	@$(BIN)/python examples/check.py
	@$(BIN)/python benchmarks/runtime_versions.py
	@$(BIN)/python benchmarks/clean_install.py

lint: $(STAMP_DEV) ## style, types and imports only
	@echo "==> ruff check"
	@$(BIN)/ruff check .
	@echo "==> ruff format --check"
	@$(BIN)/ruff format --check .
	@echo "==> mypy"
	@$(BIN)/mypy
	@echo "==> lint-imports"
	@$(BIN)/lint-imports --no-logo

format: $(STAMP_DEV) ## rewrite the code in the house's style
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

demo: $(STAMP_TRAIN) ## train Connect Four for three minutes, export agent.onnx and measure it
	@$(BIN)/selfplay demo

bench: $(STAMP_TRAIN) ## measure speed on this machine, into benchmarks/results/bench.json
	@mkdir -p benchmarks/results
	@$(BIN)/selfplay bench --json benchmarks/results/bench.json

bench-peers: $(STAMP_TRAIN) $(PEERS)/.stamp ## measure self-play beside other AlphaZero programs, in an environment of their own
	@$(BIN)/python -m benchmarks.peers --python $(PEERS)/bin/python --json benchmarks/results/peers_selfplay.json

meta-init: $(STAMP_TRAIN) ## meta-train an initialisation in place of the released one, for two hours; an interrupted run goes on
	@if [ -e runs/meta ]; then $(BIN)/selfplay meta-train --run runs/meta --resume; \
	else $(BIN)/selfplay meta-train --run runs/meta --minutes 120; fi
	@cp runs/meta/best.safetensors models/zoo/meta.safetensors
	@$(BIN)/selfplay export models/zoo/meta.safetensors --output models/zoo/meta.onnx

meta-report: $(STAMP_TRAIN) ## rebuild docs/meta-learning.md from the committed results
	@$(BIN)/python -m benchmarks.meta_report

clean: ## remove caches and build products; runs and the environment stay
	@rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find $(CODE) tests benchmarks examples -type d -name __pycache__ -exec rm -rf {} +

distclean: clean ## the same, and the environment as well
	@rm -rf $(VENV) $(PEERS)

# The stamps make a second run skip the installation. `dev` holds everything that `train` holds.

$(STAMP_DEV): pyproject.toml constraints.txt | $(BIN)/python
	@echo "==> Installing the package with its development tools (about a minute, longer on a slow line)"
	@$(PIP) -e ".[dev]"
	@touch $(STAMP_DEV) $(STAMP_TRAIN)

$(STAMP_TRAIN): pyproject.toml constraints.txt | $(BIN)/python
	@echo "==> Installing the package (about a minute, longer on a slow line)"
	@$(PIP) -e ".[train]"
	@touch $(STAMP_TRAIN)

$(PEERS)/.stamp: benchmarks/peers/requirements.txt | $(BIN)/python
	@echo "==> Installing the peers into $(PEERS) (a minute or two, about 1 GB)"
	@$(PYTHON) -m venv $(PEERS)
	@$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check -r benchmarks/peers/requirements.txt
	@touch $@

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { \
		echo "Python 3.11 or newer is needed, and $(PYTHON) was not found; try: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed, $(PYTHON) is $$($(PYTHON) -V 2>&1); try: make PYTHON=python3.12" >&2; exit 1; }
	@echo "==> Making the environment $(VENV) with $$($(PYTHON) -V)"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "$(PYTHON) -m venv failed (see above)" >&2; exit 1; }
