# make demo    see the server at work on a sample shop: installs everything, starts a database, walks through the tools
# make test    all checks and tests, on real databases
# make bench   benchmarks, each against a floor measured in the same run
# make fuzz    the long search for a write that passes the read-only gate
# make lint    ruff and mypy        make format  let ruff rewrite the code
# make docs    the documents, into site/        make clean   remove what the above made
#
# Works with the make of Debian, Ubuntu and macOS. ARGS goes to the program: make test ARGS="-k pool", make demo ARGS=--reset

PYTHON := .venv/bin/python
ARGS ?=
BASE_PYTHON ?=
export BASE_PYTHON

.PHONY: demo test lint format bench fuzz docs clean help

help:
	@sed -n '1,/^$$/s/^# \{0,1\}//p' Makefile

.venv/.demo: pyproject.toml setup.py scripts/venv.sh
	@sh scripts/venv.sh -e ".[demo]"
	@touch $@

.venv/.dev: pyproject.toml setup.py requirements.txt requirements-dev.txt scripts/venv.sh
	@sh scripts/venv.sh -r requirements-dev.txt
	@sh scripts/odbc.sh
	@touch $@ .venv/.demo

demo: .venv/.demo
	@$(PYTHON) -m mssqlclient_mcp demo $(ARGS)

test: lint
	$(PYTHON) -m pytest $(ARGS)

lint: .venv/.dev
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy

format: .venv/.dev
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

bench: .venv/.dev
	$(PYTHON) -m benchmarks $(ARGS)

fuzz: .venv/.dev
	$(PYTHON) -m pytest tests/fuzz --fuzz $(ARGS)

docs: .venv/.dev
	$(PYTHON) docs/generate.py
	NO_MKDOCS_2_WARNING=1 $(PYTHON) -m mkdocs build --strict --quiet

clean:
	rm -rf .venv build dist site htmlcov .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
