# `make build` and `make test` need Python 3.11 and make, and nothing else. See README.md.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:

# The first Python 3.11 on the path.
PYTHON ?= $(shell for python in python3.11 python3 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2> /dev/null \
	&& echo $$python && break; done)
VENV := .venv
RUN := $(VENV)/bin/python -m scripts
export PYTHONDONTWRITEBYTECODE = 1
export DBT_SEND_ANONYMOUS_USAGE_STATS = false

# Variables given to make (`make build SOURCE=exports WAREHOUSE=warehouse`) win over the environment.
ifdef SOURCE
export USERPILOT_SOURCE = $(SOURCE)
endif
ifdef WAREHOUSE
export USERPILOT_WAREHOUSE = $(WAREHOUSE)
endif

.PHONY: help setup doctor build load publish report docs superset test-superset test lint format benchmark lock clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

setup: $(VENV)/.installed  ## create the environment from requirements.lock

$(VENV)/.installed: requirements.lock
	@$(or $(PYTHON),false) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2> /dev/null || {
		echo "Python 3.11 is needed$(if $(PYTHON), and $(PYTHON) is $$($(PYTHON) --version 2>&1 || true)): install it, or name it by make PYTHON=..." >&2
		exit 1
	}
	$(PYTHON) -m venv --clear $(VENV)
	$(VENV)/bin/python -m pip --disable-pip-version-check install --quiet --no-deps --require-hashes -r requirements.lock
	touch $@

doctor: setup  ## check the set-up (SOURCE, WAREHOUSE, seeds, vars) and say what to mend
	$(RUN) doctor

build: setup  ## load SOURCE (a sample export by default), dbt build, publish, report
	$(RUN) build

load: setup  ## load new files of SOURCE into WAREHOUSE
	$(RUN) load

publish: setup  ## replace the published files by what the last complete dbt build made
	$(RUN) publish

report: setup  ## write the report page from the published database
	$(RUN) report

docs: setup  ## write dbt's documentation page of the build database
	$(RUN) docs

superset: $(VENV)-superset/.installed  ## serve a ready dashboard at 127.0.0.1:8088 (docs/bi.md)
	$(VENV)-superset/bin/python bi/superset/start.py

test-superset: setup $(VENV)-superset/.installed  ## test it from the start to the numbers: three minutes
	$(VENV)-superset/bin/python -m pytest bi/superset

$(VENV)-superset/.installed: bi/superset/requirements.txt
	$(PYTHON) -m venv --clear $(VENV)-superset
	$(VENV)-superset/bin/python -m pip --disable-pip-version-check install --quiet --no-deps --require-hashes -r bi/superset/requirements.txt
	touch $@

lint: setup  ## check style: SQL, YAML, Python
	$(VENV)/bin/python tests/lint.py

# Files go whole to a worker, as the tests of one share what they build, in the order of conftest.py.
# More than four workers would wait for the longest file.
test: setup lint  ## all checks and tests
	$(VENV)/bin/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

format: setup  ## let the formatters rewrite Python and SQL
	$(VENV)/bin/ruff check --fix --quiet . && $(VENV)/bin/ruff format --quiet .
	export USERPILOT_WAREHOUSE=$$(mktemp -d)  # dbt wants one to connect to, and locks it
	trap 'rm -r "$$USERPILOT_WAREHOUSE"' EXIT
	$(VENV)/bin/sqlfluff fix models analyses
	$(VENV)/bin/sqlfluff fix --templater jinja macros tests

benchmark: setup $(VENV)-benchmark/.installed  ## measure against a floor and rivals; takes hours (docs/benchmarks)
	$(RUN) benchmark

# Where it cannot be made, the benchmark reports the rivals as skipped.
$(VENV)-benchmark/.installed: requirements-benchmark.lock
	$(PYTHON) -m venv --clear $(VENV)-benchmark
	if $(VENV)-benchmark/bin/python -m pip --disable-pip-version-check install --quiet --no-deps --require-hashes -r requirements-benchmark.lock; then
		touch $@
	else
		echo 'The packages of the rivals cannot be installed: they will be skipped.' >&2
	fi

lock:  ## resolve requirements.lock anew from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --custom-compile-command 'make lock' --quiet -o requirements.lock
	uv pip compile --group benchmark --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --custom-compile-command 'make lock' --quiet -o requirements-benchmark.lock
	uv pip compile bi/superset/requirements.in --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --custom-compile-command 'make lock' --quiet -o bi/superset/requirements.txt

# A warehouse may hold what its source no longer has.
clean:  ## remove the environment and everything else that can be made again; no warehouse
	rm -rf $(VENV) $(VENV)-benchmark $(VENV)-superset benchmark_data sample_export target logs .pytest_cache .mypy_cache .ruff_cache .hypothesis
