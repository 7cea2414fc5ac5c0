# The front door: `make` lists the targets. Each target installs what it needs into .venv, once.
ifeq ($(OS),Windows_NT)
PYTHON ?= python
BIN := .venv/Scripts
EXE := .exe
else
PYTHON ?= python3
BIN := .venv/bin
endif
VENV := $(BIN)/python$(EXE)
INSTALLED := .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help train test test-docs test-formats test-cluster coverage dist test-install test-browser torture fuzz \
	mutation lint audit bench \
	bench-results bench-peers pretrained pictures clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

train: $(INSTALLED)-report  ## train the default network (a few seconds) and show its test accuracy
	$(BIN)/bpcli train

test: $(INSTALLED)-test $(INSTALLED)-report  ## run the tests, on all cores
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal

test-docs: $(INSTALLED)-test $(INSTALLED)-report  ## follow the README and the documents line by line (a minute or two)
	$(BIN)/python -m pytest tests/documents -m documents

test-formats: $(INSTALLED)-test $(INSTALLED)-formats  ## read exported networks with the programs that they are for, on all test images
	$(BIN)/python -m pytest tests/formats -m formats

coverage: $(INSTALLED)-test $(INSTALLED)-report $(INSTALLED)-coverage  ## run the tests, and list the lines and branches of bpcli that none of them reaches
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run -m pytest --numprocesses auto --dist worksteal
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report

test-cluster: $(INSTALLED)-test $(INSTALLED)-report $(INSTALLED)-cluster $(INSTALLED)-search  ## train series and searches on workers of Dask, and kill them (a minute or two)
	$(BIN)/python -m pytest tests/dask -m cluster

torture: $(INSTALLED)-test $(INSTALLED)-report $(INSTALLED)-cluster $(INSTALLED)-search  ## run the tests that take minutes: kills, signals, every bit, thousands of damaged files
	$(BIN)/python -m pytest tests/reliability -m torture --timeout 3600

fuzz: $(INSTALLED)-test  ## throw a million damaged files at each parser (an hour or two)
	for parser in checkpoint member idx yaml setting picture; do \
		$(BIN)/python -m tests.reliability.fuzz $$parser 1000000 || exit 1; done

mutation: $(INSTALLED)-test $(INSTALLED)-mutation  ## change the code that must not be wrong, and see that the tests notice (an hour)
	$(BIN)/python -m tests.reliability.mutants

test-browser: $(INSTALLED)-test $(INSTALLED)-report $(INSTALLED)-browser  ## try the pages in Chromium, if it is installed
	$(BIN)/python -m pytest -s tests/browser --timeout 600

dist: $(INSTALLED)-dist  ## build sdist and wheel, check them, and use the wheel in an empty environment
	rm -rf dist
	$(BIN)/python -m build --quiet --outdir dist  # the wheel is built from the sdist, so the sdist is complete
	$(BIN)/twine check --strict dist/*
	$(BIN)/check-wheel-contents --package bpcli --ignore W102 dist/*.whl  # W102: presets and MNIST come from other folders
	PYTHON=$(BIN)/python bash tests/install.sh dist/*.whl

test-install: dist  ## the same as dist

lint: $(INSTALLED)-test $(INSTALLED)-report $(INSTALLED)-lint  ## check style (ruff) and types (mypy, strict)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

audit: $(INSTALLED)-audit  ## look for known holes in the locked packages (asks the package index) and for risky code in bpcli
	$(BIN)/bandit --quiet --recursive bpcli
	$(BIN)/pip-audit --strict --no-deps --disable-pip --requirement requirements.lock

bench: $(INSTALLED)-run  ## time training and whole commands beside others (some minutes, on an idle machine)
	$(BIN)/python -m benchmarks
	$(BIN)/python benchmarks/pictures.py

bench-results: $(INSTALLED)-run  ## the same, and write benchmarks/RESULTS.md
	$(BIN)/python -m benchmarks --out benchmarks/RESULTS.md

bench-peers: benchmarks/requirements-peers.txt  ## install what bench compares with: PyTorch, JAX and scikit-learn
	$(PYTHON) -m venv .peers
	.peers/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<

pretrained: $(INSTALLED)-run $(INSTALLED)-report  ## train the network that comes with bpcli again, and put it into the package
	rm -rf runs/pretrained
	$(BIN)/bpcli train -q -c pretrained -o runs/pretrained
	$(BIN)/python benchmarks/pretrained.py runs/pretrained

pictures: $(INSTALLED)-test $(INSTALLED)-report $(INSTALLED)-browser  ## draw the pictures of the README from the product, in Chromium
	$(BIN)/python -m tests.browser.images

clean:  ## remove what the other targets made, but for the runs
	rm -rf .venv .peers build dist .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "bpcli needs Python 3.11 or newer; name one with: make PYTHON=python3.12 ..." >&2; exit 1; }
	$(PYTHON) -m venv .venv

# One stamp for each set of packages: run (no extra), report, test, lint, ...; their versions are those of the lock
$(INSTALLED)-%: setup.cfg pyproject.toml requirements.lock | $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint requirements.lock --editable ".$(if $(filter-out run,$*),[$*])"
	@touch $@
