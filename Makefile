# Three commands do all the set-up: `make demo`, `make train` and `make test`.
# uv is used where it is installed, plain venv and pip where not. With uv, `UV_TORCH_BACKEND=cpu` in
# front of any of them installs torch without CUDA's libraries.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)

ifdef UV
  CREATE := uv venv --quiet --allow-existing --python $(PYTHON) $(VENV)
  INSTALL := uv pip install --quiet --python $(BIN)/python -c constraints.txt
else
  CREATE := $(PYTHON) -m venv $(VENV)
  INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile \
    -c constraints.txt
endif

# What is installed, one stamp a level; each level holds those before it.
LIGHT := $(VENV)/.installed
TRAIN := $(VENV)/.installed-train
DEV := $(VENV)/.installed-dev

DEMO := out/rafdb
RUN := runs/demo
CLEAN := build/wheel
EXTRAS := model
ifdef UV
  INSTALL_WHEEL := uv pip install --quiet --python $(CLEAN)/env/bin/python
else
  INSTALL_WHEEL := $(CLEAN)/env/bin/pip install --quiet --disable-pip-version-check
endif
SPHINX := $(BIN)/python -m sphinx --quiet -W --keep-going -d build/docs/doctrees

.PHONY: help demo train test coverage wheel docs linkcheck lint format bench clean

help:  ## List what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

demo: $(LIGHT)  ## Set up without torch, then build RAF-DB from a synthetic copy into out/rafdb
	$(BIN)/ferdata build rafdb --demo --augment balance --out $(DEMO)
	@printf '  %s\n' 'make train'

train: $(TRAIN) $(DEMO)/build.json  ## Set up torch too, then train, evaluate and predict on the demo
	$(BIN)/ferdata train $(DEMO) --epochs 3 --out $(RUN) $(if $(wildcard $(RUN)/run.json),--resume)
	$(BIN)/ferdata eval $(RUN) $(DEMO) --split test
	$(BIN)/ferdata predict $(RUN) $(DEMO)/demo/basic/Image/original/test_0001.jpg
	@printf '\nWhat to do next:\n  %s\n  %s\n' \
	  '$(BIN)/ferdata predict $(RUN) $(DEMO)/demo/basic/Image/original --out out/predictions' \
	  '$(BIN)/ferdata train $(DEMO) --model a_mobilenet --epochs 3'

$(DEMO)/build.json: | $(TRAIN)
	$(MAKE) demo

test: $(DEV)  ## Set up, then run the tests
	$(BIN)/python -m pytest -n 2 --dist loadgroup

coverage: $(DEV)  ## Run the tests, and tell which lines of the package they run
	$(BIN)/python -m pytest -n 2 --dist loadgroup --cov --cov-report=term:skip-covered

wheel:  ## Build the wheel, install it alone, without constraints, and use it; EXTRAS adds training
	rm -rf $(CLEAN)
	$(PYTHON) -m venv $(CLEAN)/env
	$(CLEAN)/env/bin/pip wheel --quiet --disable-pip-version-check --no-deps -w $(CLEAN) .
	$(INSTALL_WHEEL) "$$(ls $(CLEAN)/*.whl)"
	cd $(CLEAN) && env/bin/ferdata build rafdb --demo --demo-scale 0.01 --out core
	cd $(CLEAN) && env/bin/ferdata verify core && env/bin/ferdata doctor && env/bin/pip check
	$(INSTALL_WHEEL) "$$(ls $(CLEAN)/*.whl)[$(EXTRAS)]"
	cd $(CLEAN) && env/bin/ferdata build rafdb --demo --demo-scale 0.01 --augment balance --out out
	cd $(CLEAN) && env/bin/ferdata verify out && env/bin/ferdata doctor && env/bin/pip check
ifneq ($(findstring train,$(EXTRAS)),)
	cd $(CLEAN) && env/bin/ferdata train out --epochs 1 --device cpu --out run
endif
ifneq ($(findstring onnx,$(EXTRAS)),)
	cd $(CLEAN) && env/bin/ferdata export run --out fer.onnx
endif

docs: $(DEV)  ## Build the documentation into build/docs/html; warnings are errors
	$(SPHINX) -b html docs build/docs/html
	$(SPHINX) -b doctest docs build/docs/doctest

linkcheck: $(DEV)  ## Check the documentation's external links, where there is a network
	$(SPHINX) -b linkcheck docs build/docs/linkcheck

lint: $(DEV)  ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(DEV)  ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(DEV)  ## Measure loader, build, landmarks, ingest and duplicates beside their limits
	$(BIN)/python tools/bench/loader.py
	$(BIN)/python tools/bench/build.py
	$(BIN)/python tools/bench/landmarks.py
	$(BIN)/python tools/bench/ingest.py
	$(BIN)/python tools/bench/duplicates.py

clean:  ## Remove the environment and everything built
	rm -rf $(VENV) out $(RUN) build dist *.egg-info

$(LIGHT): pyproject.toml constraints.txt
	$(CREATE)
	$(INSTALL) -e '.[model,hf]'
	@touch $@

$(TRAIN): pyproject.toml constraints.txt
	$(CREATE)
	$(INSTALL) -e '.[model,hf,train]'
	@touch $@ $(LIGHT)

$(DEV): pyproject.toml constraints.txt
	$(CREATE)
	$(INSTALL) -e '.[dev]'
	@touch $@ $(TRAIN) $(LIGHT)
