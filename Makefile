# Zahlwerk: `make run` starts everything, `make test` checks everything.

PORT ?= 8700
export PORT

PYTHON := .venv/bin/python
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run stop test nightly lint audit shots translations venv venv-test clean

help: ## Show this list
	@echo "make TARGET [PORT=$(PORT)]"; echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-16s%s\n", $$1, $$2}'

run: venv translations ## Start everything with demo data; Ctrl-C stops it (PORT=8700 moves it)
	@exec $(PYTHON) -m tools.stack run --with-parent

stop: ## Stop what `make run` started elsewhere
	@exec $(PYTHON) -m tools.stack stop

test: venv-test translations lint ## Install what tests need, then check everything
	@exec $(PYTHON) -m tools.run_tests

nightly: venv-test translations ## Random histories of payments and requests to the API (an hour; HISTORIES=1000 SPEC_EXAMPLES=20 for fewer)
	@exec $(PYTHON) -m tools.nightly

lint: ## Style, security rules, types and the direction of imports (after `make test` has installed the tools)
	$(PYTHON) -m ruff check .
	PATH="$$PWD/.venv/bin:$$PATH" .venv/bin/pyright
	PATH="$$PWD/.venv/bin:$$PATH" .venv/bin/lint-imports

audit: venv ## Ask the public advisories about every package (needs a network; not part of `make test`)
	@exec $(PYTHON) -m tools.audit

shots: venv-test translations ## Take the pictures of the README (start `make run` elsewhere first)
	@exec $(PYTHON) -m tools.shots

translations: # Compiled texts are built, not kept in git
	@if [ -e tools/translations.py ] || [ -d tools/translations ]; then $(PYTHON) -m tools.translations compile; fi

venv: # A .venv that fits requirements.txt
	@sh tools/python.sh -m tools.bootstrap run

venv-test: # The same with what tests and lint need
	@sh tools/python.sh -m tools.bootstrap test

clean: ## Remove the environment and caches; data stays
	@sh tools/clean.sh
