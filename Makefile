# The two commands a newcomer needs: make demo, make test. Everything else is for those who work on Candor.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEV_STAMP := $(VENV)/.installed-dev
BENCH_STAMP := $(VENV)/.installed-bench
SPARK_STAMP := $(VENV)/.installed-spark
export OMP_NUM_THREADS ?= 1

.PHONY: demo test soak venv dev lint bench lock browser spark node clean

demo: venv  ## The whole loop on a local CRM: first Salesforce, then HubSpot. No account needed.
	@$(BIN)/candor demo

venv: $(STAMP)  ## .venv/ with the candor command

$(VENV)/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Candor needs Python 3.11 or newer: make PYTHON=python3.11")'
	@echo "Making the environment in $(VENV)/ ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt

$(STAMP): requirements/candor.txt pyproject.toml | $(VENV)/bin/uv
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes -r requirements/candor.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

dev: $(DEV_STAMP)  ## the environment with the tools of tests and lint

$(DEV_STAMP): requirements/dev.txt $(STAMP)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes -r requirements/dev.txt
	@touch $@

$(BENCH_STAMP): requirements/bench.txt $(DEV_STAMP)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes -r requirements/bench.txt
	@touch $@

$(SPARK_STAMP): requirements/spark.txt $(DEV_STAMP)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes -r requirements/spark.txt
	@touch $@

test: dev  ## everything tested, in at most 10 minutes on 2 cores
	@$(BIN)/python -m pytest -n 2 --dist worksteal

soak: dev  ## the same, with a kill at every write where `make test` takes every second one (tests/faults/rounds.py)
	@CANDOR_SOAK=1 $(BIN)/python -m pytest -n 2 --dist worksteal

lint: dev  ## ruff, mypy --strict, import-linter
	@$(BIN)/ruff check connector crm_schema scoring tests benchmarks
	@$(BIN)/ruff format --check connector crm_schema scoring tests benchmarks
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(BENCH_STAMP)  ## the figures of the README, rivals in the same run
	@$(BIN)/python -m benchmarks

browser:  ## Chromium for the browser tests, from the system's packages
	@command -v chromium >/dev/null || (apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-liberation)

spark: $(SPARK_STAMP)  ## Spark for the tests of engines (480 MB), and Java from the system's packages
	@command -v java >/dev/null || (apt-get update -qq && apt-get install -y -qq --no-install-recommends openjdk-17-jre-headless)

node:  ## the vendor's own source tooling, for the test of deploy/salesforce
	@cd deploy/salesforce && npm ci --silent --no-audit --no-fund

lock: | $(VENV)/bin/uv  ## lock files without any address
	@for set in candor dev bench spark; do \
	  case $$set in candor) extra="--group pack";; dev) extra="--group pack --group dev";; bench) extra="--group pack --group dev --group bench";; \
	    spark) extra="--group pack --group dev --extra spark";; esac; \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
	    pyproject.toml $$extra -o requirements/$$set.txt; \
	done
	@echo uv | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header - -o requirements/uv.txt

clean:
	@rm -rf $(VENV) candor-demo
