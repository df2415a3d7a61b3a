# Each target makes .venv by itself, with the versions that requirements/ pins.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.made-from-requirements

.PHONY: demo example docs test check format chaos fuzz bench clean

demo: $(STAMP) ## run a real workflow on an embedded server and show it
	@$(BIN)/dramatiq-baton demo

example: $(STAMP) ## run the example with several models, against a stand-in for their provider
	@$(BIN)/python -m tests.examples.research_brief

# Most tests wait for real workers, so more of them run at a time than there are cores. The crash tests have lanes of
# their own, and are about how long things take.
test: $(STAMP) ## all tests, on real servers and real workers
	@$(BIN)/python -m pytest -n 4 --dist loadgroup --ignore tests/crash
	@$(BIN)/python -m pytest -n 2 --dist loadgroup tests/crash

check: $(STAMP) ## format, lint, types, import rules, docs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	@$(MAKE) --no-print-directory docs

docs: $(STAMP) ## build the site into build/docs; what leads nowhere is an error
	$(BIN)/python -m sphinx -E -W --keep-going -n -q docs build/docs

format: $(STAMP) ## put the code into shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

chaos: $(STAMP) ## kill, pause and cut things for ten minutes; ROUND="--seconds 60 --seed 1" for another round
	$(BIN)/python -m tests.chaos $(or $(ROUND),--seconds 600)

fuzz: $(STAMP) ## look for stored bytes that break their readers; ARGS="-max_total_time=60" for a shorter look
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/fuzz.txt
	$(BIN)/python -m tests.fuzz.codec $(or $(ARGS),-max_total_time=600)

bench: $(STAMP) ## compare with the peers; ARGS=--quick for one short round
	@$(BIN)/python -m benchmarks $(ARGS)

clean:
	rm -rf $(VENV) build dist *.egg-info

$(STAMP): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; say which: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
