# Targets run in the active environment; ARGS goes to pytest: make test ARGS="-k floors"
PYTHON ?= python

.PHONY: all test bounds lint types floors format

all: lint types floors test

test:
	$(PYTHON) -m pytest $(ARGS)

# array bounds checked in the compiled kernels, with caches of their own
bounds:
	rm -rf .numba-bounds
	NUMBA_BOUNDSCHECK=1 NUMBA_CACHE_DIR=.numba-bounds $(PYTHON) -m pytest tests/kernels tests/learning/test_eprop.py $(ARGS)

lint:
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .

types:
	$(PYTHON) -m mypy

floors:
	$(PYTHON) -m pytest -q tests/house/test_floors.py

format:
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .
