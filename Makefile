# Two words do everything: `make run` opens the dashboard, `make test` proves it. The environment is made on the way.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN_READY := $(VENV)/.run-ready
TEST_READY := $(VENV)/.test-ready
SEEDS ?= 2000
export PERPDECK_PORT ?= 8501
PERPDECK_ADDRESS ?= 127.0.0.1
PERPDECK_HOSTS ?=

TESTS ?= tests

.PHONY: run test check lint messages hooks lock bench soak clean

run: $(RUN_READY)
	@$(BIN)/python scripts/port.py
	@exec $(BIN)/streamlit run app.py --server.address $(PERPDECK_ADDRESS) --server.port $(PERPDECK_PORT) \
	  $(foreach host,$(if $(PERPDECK_HOSTS),127.0.0.1 localhost $(PERPDECK_HOSTS)),--server.allowedHosts $(host))

# Files stay whole on one worker: the stories of a browser file share one running product. The longest come first.
test: lint
	@CHROMIUM="$$(scripts/chromium)" && export CHROMIUM && \
	  PROMETHEUS="$$(scripts/prometheus $(VENV) || true)" && export PROMETHEUS && \
	  $(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not soak" $(TESTS)

# For every save: style, types, and the rules with what they stand on, which must reach what they reached.
# What draws seeds or needs the simulator is left to `make test`.
MEASURED := $(addprefix --cov core/,domain decision execution exchange)
check: lint
	@$(BIN)/pytest -n 2 --quiet -p no:schemathesis $(MEASURED) --cov-report= --ignore tests/decision/stress \
	  --ignore-glob "*simulator*" --deselect tests/execution/test_promises.py \
	  tests/test_rooms.py tests/domain tests/decision tests/execution tests/strategies tests/wire
	@$(BIN)/python scripts/coverage_floor.py

lint: $(TEST_READY)
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/typos
	$(BIN)/python scripts/messages.py check
	$(BIN)/mypy

# Brings the catalogues of sentences up to date with the code; what is new there waits for its translation.
messages: $(TEST_READY)
	$(BIN)/python scripts/messages.py extract

# The same before each commit, of the files that change.
hooks: $(TEST_READY)
	$(BIN)/pre-commit install

# What is installed, with hashes, from the readable lists. `make lock UPGRADE=--upgrade` takes newer packages as well.
lock: $(TEST_READY)
	scripts/lock $(VENV) $(UPGRADE)

bench: $(TEST_READY)
	$(BIN)/python -m benchmarks

soak: $(TEST_READY)
	SEEDS=$(SEEDS) $(BIN)/pytest -n 2 tests/decision/stress/test_properties.py
	SEEDS=$(SEEDS) $(BIN)/pytest -n 2 -m soak tests/faults tests/scenario

# Only what can be made again; the trader's data lies elsewhere and is never touched.
clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis test-artifacts
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(RUN_READY): requirements.lock scripts/venv $(wildcard locale/*/LC_MESSAGES/*.po)
	@scripts/venv "$(PYTHON)" $(VENV) requirements.lock
	@$(BIN)/python scripts/messages.py compile
	@touch $@

$(TEST_READY): requirements-dev.lock $(RUN_READY)
	@scripts/venv "$(PYTHON)" $(VENV) requirements-dev.lock
	@touch $@
