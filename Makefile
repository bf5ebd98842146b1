# The two commands are "make run" and "make test"; each does all the set-up it needs.
# Only Python (3.11 or newer) and make must be there before.

PYTHON    ?=
PORTFOLIO ?=
HOSTS     ?=
CHECKS    ?=
OPTIONS   ?=
FILE      ?=
LIVE      ?=
ARGS      ?=
# One process more than two cores: who waits leaves its core to another. The tests of one file stay together and in order,
# and files come in that of tests/order.py: the long ones would be last.
PYTEST    ?= -n 3 --dist loadfile --no-loadscope-reorder

# A run has dozens of processes: where this stands in the environment each would compile the same modules anew.
unexport PYTHONDONTWRITEBYTECODE

PY   := .venv/bin/python
CONTRACTS := $(PY) -c 'import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_logo=True))'
STEP := $(PY) -m local.step
FOLDERS := shared local sync_scheduler webhook_receiver sync_worker conflict_resolver health_monitor console tests bench
CODE    := function_app.py $(wildcard $(FOLDERS))

.DEFAULT_GOAL := help
.PHONY: help setup run live notify webhooks quarantine backup restore cli test prove bench cost check format lint types contracts package licences pins clean

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1|/p' Makefile | while IFS='|' read -r name text; do printf '%-17s %s\n' "$$name" "$$text"; done

setup: .venv/.ready node_modules/.ready ## install everything into .venv and node_modules (done once)

.venv/.ready: requirements.txt requirements-dev.txt constraints.txt
	@PYTHON="$(PYTHON)" sh local/setup.sh

node_modules/.ready: package.json package-lock.json | .venv/.ready
	@$(STEP) "table emulator" $(PY) -m local.azurite --install
	@touch node_modules/.ready

run: setup ## the whole engine here: the example with simulated platforms, or PORTFOLIO=my.yaml, or PORTFOLIO=none
	@$(PY) -m local.run $(if $(PORTFOLIO),--portfolio "$(PORTFOLIO)") $(if $(HOSTS),--hosts "$(HOSTS)") $(if $(CHECKS),--checks) $(OPTIONS)

notify: setup ## send a test notice through every channel that NOTIFY names
	@$(PY) -m local.notify_test

webhooks: setup ## where platforms should call us, and when they last did; OPTIONS=--show for the secrets
	@$(PY) -m local.webhooks $(OPTIONS)

quarantine: setup ## the messages nobody could process, and why
	@$(PY) -m local.quarantine $(OPTIONS)

live: setup ## try your own platforms: LIVE=live.yaml reads, LIVE_WRITES=1 closes one far night and opens it again
	@$(PY) -m local.live $(if $(LIVE),"$(LIVE)") $(OPTIONS)

backup: setup ## copy the tables into FILE=..., for this user alone; beside an engine at work
	@$(PY) -m local.tables backup $(or $(FILE),$(error say where to: make backup FILE=...)) $(OPTIONS)

restore: setup ## put the copy FILE=... back, while no engine is at work; OPTIONS=--replace over rows that are there
	@$(PY) -m local.tables restore $(or $(FILE),$(error say what: make restore FILE=...)) $(OPTIONS)

cli: setup ## the console's work from a terminal: ARGS="status"; without ARGS the list of commands
	@$(PY) -m local.cli $(or $(ARGS),--help) || test $$? -eq 1

test: check ## format, lint, types, import contracts and all tests on seeded samples
	@$(PY) -m pytest -q $(PYTEST)

prove: check ## the same with the full counts; takes a while
	@PROVE=1 $(PY) -m pytest -q $(PYTEST)

bench: setup ## measure the speed
	@$(PY) -m bench

cost: setup ## what a month on Azure costs: counted figures times the prices of docs/cost-prices.json, into docs/cost.md
	@$(PY) -m local.cost_page

check: setup
	@$(STEP) "format" $(PY) -m ruff format --check $(CODE)
	@$(STEP) "lint" $(PY) -m ruff check $(CODE)
	@$(STEP) "types" $(PY) -m mypy
	@$(STEP) "import contracts" $(CONTRACTS)

format: setup ## rewrite the code in the house format
	@$(PY) -m ruff format $(CODE)
	@$(PY) -m ruff check --fix $(CODE)

lint: setup ## look for mistakes and bad habits
	@$(PY) -m ruff check $(CODE)

types: setup ## check the types
	@$(PY) -m mypy

contracts: setup ## check who imports whom
	@$(CONTRACTS)

package: setup ## write what Azure runs to .local/package, the same bytes each time, and have it examined
	@$(PY) -m local.package
	@$(PY) -m local.doctor

licences: setup ## write docs/licences.md anew, after a change of requirements.txt
	@$(PY) -m local.licences

pins: ## pin anew what requirements*.txt brings along, after a change there: constraints.txt, and requirements.txt itself
	@$(PY) -m local.pins --forget
	@$(PY) -m pip install -q -r requirements-dev.txt
	@$(PY) -m pip freeze > constraints.txt
	@$(PY) -m local.pins

clean: ## remove what was installed and cached; your portfolio and the tables of "make run" stay
	@rm -rf .venv node_modules .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
