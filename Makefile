# `make demo` and `make test` do everything, set-up included; they need Python 3.11 and make.
PYTHON ?= python3.11
VENV   := .venv
STAMP  := $(VENV)/.installed
BIN    := $(VENV)/bin

.PHONY: setup demo results test lint format types docs check clean

setup: $(STAMP)

# The stamp is written last, so that an interrupted set-up starts again.
$(STAMP): requirements.lock requirements-cpu.lock requirements-torch.lock pyproject.toml .ci/install
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) not found: install Python 3.11, or name it: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 2; }
	@rm -f $(STAMP)
	$(PYTHON) -m venv $(VENV)
	.ci/install $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $(STAMP)

demo: setup
	$(BIN)/rapport demo

results: setup
	$(BIN)/python benchmark/make_results.py

test: setup
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

types: setup
	$(BIN)/mypy

# Into site/; a link that leads nowhere stops it.
docs: setup
	$(BIN)/zensical build --strict --clean

check: lint types docs test

clean:
	rm -rf $(VENV) dist site .cache .pytest_cache .mypy_cache .ruff_cache
