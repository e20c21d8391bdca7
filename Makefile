# Everything runs from a virtual environment inside the clone; nothing installed elsewhere is used.
# The first Python on the path that is new enough; another one: make PYTHON=/path/to/python
PYTHON ?= $(shell for python in python3 python3.11 python3.12 python3.13; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check --constraint constraints.txt

.PHONY: demo page check test format clean
.DELETE_ON_ERROR:

demo: $(VENV)/base.installed
	$(BIN)/tumorscope demo

page: $(VENV)/serve.installed
	$(BIN)/tumorscope serve --open

# What is imported is declared; tests and scripts may import what is declared for tests alone.
check: $(VENV)/full.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/deptry src
	$(BIN)/deptry tests benchmarks tools --exclude '\.venv' --ignore DEP002,DEP004

test: $(VENV)/full.installed
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --cov

format: $(VENV)/full.installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build dist .coverage .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# The base install is what a user of a model gets: no torch.
$(VENV)/base.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) --editable .
	touch $@

$(VENV)/serve.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) --editable ".[serve,client]"
	touch $@ $(VENV)/base.installed

$(VENV)/full.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) --editable ".[train,serve,client,test]"
	touch $@ $(VENV)/base.installed $(VENV)/serve.installed
