# Two words do everything: `make run` and `make test`. The virtual environment is made on the way.
PYTHON ?= python3
READY := .venv/.installed

.PHONY: test lint clean

$(READY): requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Perpdeck needs Python 3.11 or newer as python3"; exit 1; }
	test -x .venv/bin/python || $(PYTHON) -m venv .venv
	.venv/bin/pip install -q -r requirements-dev.txt
	touch $(READY)

lint: $(READY)
	.venv/bin/ruff check core tests

test: lint
	.venv/bin/pytest -q -n 2 tests/test_rooms.py tests/simulator

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis test-artifacts
