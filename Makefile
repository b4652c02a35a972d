# Everything installs into this folder (.tools, .venv, nlu/.venv, .cache, var); nothing outside is touched.
SHELL := /bin/bash
export UV_CACHE_DIR := $(CURDIR)/.cache/uv
export UV_PYTHON_INSTALL_DIR := $(CURDIR)/.cache/python
UV := $(shell command -v uv 2>/dev/null || echo $(CURDIR)/.tools/bin/uv)
PYTHON3 ?= python3

.DEFAULT_GOAL := help
.PHONY: help run setup test test-fast test-nlu lint types contracts format clean browser

help: ## Show the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

run: setup ## Install what is missing, prepare, start everything on loopback
	@$(UV) run --no-sync nghedan up

setup: .venv/.done nlu/.venv/.done ## Make both environments from their lock files

.tools/bin/uv:
	@echo "uv: đang cài…" >&2
	@$(PYTHON3) -m venv .tools
	@.tools/bin/python -m pip install --quiet uv

.venv/.done: uv.lock pyproject.toml | $(filter $(CURDIR)/%,$(UV))
	@echo "Môi trường ứng dụng: đang cài (khoảng một phút lần đầu)…" >&2
	@$(UV) sync --frozen --compile-bytecode
	@touch $@

nlu/.venv/.done: nlu/uv.lock nlu/pyproject.toml | $(filter $(CURDIR)/%,$(UV))
	@echo "Môi trường Rasa: đang cài (khoảng 2,5 GB, vài phút lần đầu)…" >&2
	@cd nlu && $(UV) sync --frozen --compile-bytecode --python "$$(../scripts/find-python-3.10 $(UV))"
	@touch $@

ifneq ($(filter $(CURDIR)/%,$(UV)),)
$(UV): .tools/bin/uv
endif

browser: ## Install Debian's Chromium for the browser tests, where that is possible
	@scripts/install-chromium

test: setup browser ## All tests: rules, adapters, both databases, real Rasa, real browser
	@$(UV) run --no-sync python -m pytest tests
	@$(MAKE) --no-print-directory test-nlu

test-nlu: setup ## The tests of the Rasa room, in its own environment
	@cd nlu && .venv/bin/python -m pytest -q tests

test-fast: setup ## Tests without Rasa, browser and killed processes; about a minute
	@$(UV) run --no-sync python -m pytest tests -m "not slow and not browser"

lint: setup types contracts ## Style, types, import contracts
	@$(UV) run --no-sync ruff check .
	@$(UV) run --no-sync ruff format --check .

types: setup
	@$(UV) run --no-sync mypy

contracts: setup
	@$(UV) run --no-sync lint-imports

format: setup ## Format the code
	@$(UV) run --no-sync ruff check --fix .
	@$(UV) run --no-sync ruff format .

clean: ## Remove environments, caches and local data
	rm -rf .tools .venv nlu/.venv nlu/models .cache var .mypy_cache .ruff_cache .pytest_cache
