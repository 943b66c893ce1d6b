# Two commands do everything: `make curate` and `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

CONFIG ?= examples/holdfast.yaml
INPUT ?=
OUTPUT ?=
ARGS ?=
PYTEST_ARGS ?= -n 2

.PHONY: help setup curate verify test lint format bench bench-quick lock clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

$(INSTALLED): requirements.lock pyproject.toml
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	$(BIN)/python -m pip check
	touch $@

setup: $(INSTALLED)  ## make .venv from the lock file

curate: setup  ## run the job on examples/; INPUT=, OUTPUT=, CONFIG= and ARGS= override
	$(BIN)/holdfast curate $(CONFIG) $(addprefix --input ,$(INPUT)) $(addprefix --output ,$(OUTPUT)) $(ARGS)

verify: setup  ## recompute every promise of OUTPUT= (default: that of the examples)
	$(BIN)/holdfast verify $(or $(OUTPUT),out/example)

test: setup  ## run the tests
	$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: setup  ## check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup  ## put the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup  ## measure the whole job on mixed text (see benchmarks/README.md)
	$(BIN)/python -m benchmarks.job $(ARGS)

bench-quick: setup  ## the same on the small sizes only
	$(BIN)/python -m benchmarks.job --quick $(ARGS)

lock: setup  ## resolve requirements.lock anew
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet --upgrade --output-file requirements.lock

clean:  ## remove what was made
	rm -rf $(VENV) out build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
