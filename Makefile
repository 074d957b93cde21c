# Needs Python 3.11 or 3.12 and make; everything else is installed into .venv from hash-checked locks.

SHELL := /bin/sh
BIN := .venv/bin
INSTALLED := .venv/installed
DEMO := build/demo
# Two at a time: a run of the company needs a gigabyte and a half, and most machines have two of those to spare.
# In the order of tests/conftest.py, what takes longest first; xdist would begin with what has most tests.
WORKERS := --numprocesses=2 --dist=loadgroup --no-loadscope-reorder
UPHELD_HOME ?= $(DEMO)

export DO_NOT_TRACK = 1
export GX_ANALYTICS_ENABLED = false

.PHONY: help demo test check bench ui docs install clean

help:
	@echo "make demo   a year of a small company's exports, from landing to the auditor's bundle ($(DEMO))"
	@echo "make test   all tests, dbt's unit tests among them"
	@echo "make check  what must hold before a commit: ruff and the tests"
	@echo "make ui     Dagster on http://127.0.0.1:3000, for the home in UPHELD_HOME (now $(UPHELD_HOME))"
	@echo "make docs   every model with its lineage, in one page (build/docs/static_index.html)"
	@echo "make bench  ingest against its floor; how long a run and a bundle of 100,000 operations take, and how much memory"

install: $(INSTALLED)

$(INSTALLED): installer.lock requirements.lock
	@.ci/install
	@touch $@

# Exit status 1 means: done, with findings. The demo's company has findings, or there would be nothing to see.
demo: $(INSTALLED)
	@rm -rf $(DEMO) && mkdir -p $(DEMO) && cp -Rp tests/company/landing $(DEMO)/landing
	@$(BIN)/upheld --home $(DEMO) run --as-of 2026-07-20T06:00:00Z || test $$? -eq 1

test: $(INSTALLED)
	@$(BIN)/python -m pytest $(WORKERS)

check: $(INSTALLED)
	@$(BIN)/ruff check .
	@$(BIN)/python -m pytest $(WORKERS)

bench: $(INSTALLED)
	@$(BIN)/python bench/ingest.py
	@$(BIN)/python bench/company.py
	@$(BIN)/python bench/bundle.py

ui: $(INSTALLED)
	@UPHELD_HOME=$(UPHELD_HOME) $(BIN)/python -m pipelines.orchestration.ui

DBT := --project-dir dbt_project --profiles-dir dbt_project --quiet --no-print \
    --target-path $(CURDIR)/build/docs --log-path $(CURDIR)/build/docs

docs: $(INSTALLED)
	@$(BIN)/dbt parse $(DBT)
	@$(BIN)/dbt docs generate --static --empty-catalog --no-compile $(DBT)
	@echo build/docs/static_index.html

clean:
	@rm -rf .venv build
