# Two commands do all the set-up: `make demo` and `make test`.
# uv is used where it is installed, plain venv and pip where not.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)

ifdef UV
  CREATE := uv venv --quiet --allow-existing --python $(PYTHON) $(VENV)
  INSTALL := uv pip install --quiet --python $(BIN)/python -c constraints.txt
else
  CREATE := $(PYTHON) -m venv $(VENV)
  INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
endif

.PHONY: help demo test lint format bench clean

help:  ## Say what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

demo: $(VENV)/.installed  ## Set up, then build RAF-DB from a synthetic copy into out/rafdb
	$(BIN)/ferdata build rafdb --demo --augment balance --out out/rafdb

test: $(VENV)/.installed-dev  ## Set up, then run the tests
	$(BIN)/python -m pytest -n 2 --dist loadgroup

lint: $(VENV)/.installed-dev  ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.installed-dev  ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.installed-dev  ## Measure loader, build, landmarks, ingest and duplicates beside their limits
	$(BIN)/python tools/bench/loader.py
	$(BIN)/python tools/bench/build.py
	$(BIN)/python tools/bench/landmarks.py
	$(BIN)/python tools/bench/ingest.py
	$(BIN)/python tools/bench/duplicates.py

clean:  ## Remove the environment and everything built
	rm -rf $(VENV) out build dist *.egg-info

$(VENV)/.installed: pyproject.toml constraints.txt
	$(CREATE)
	$(INSTALL) -e '.[train]'
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt
	$(CREATE)
	$(INSTALL) -e '.[dev]'
	@touch $@ $(VENV)/.installed
