# What a person types. Every target sets up what it needs: a virtual environment in .venv from requirements.lock, once.

PYTHON ?= python3
BIN := .venv/bin
# uv installs five times as fast as pip. Where it is not there, it comes through pip into a folder of its own.
OWN_UV := build/uv/bin/uv
UV ?= uv

# The numbers must not depend on the number of threads, and parallel workers must not fight for the cores.
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
export MKL_NUM_THREADS := 1
# A kernel that finds a backend set shows no picture, and nbval would miss it.
unexport MPLBACKEND
# Containers often set it: every process would then compile whatever it imports.
unexport PYTHONDONTWRITEBYTECODE

# Notebooks are tested in their own folder: a relative path would be lost there.
ifdef MENTORING_REAL_DATA
override MENTORING_REAL_DATA := $(abspath $(MENTORING_REAL_DATA))
export MENTORING_REAL_DATA
endif

.PHONY: help venv reports test lab lint docs expected tables simulations benchmarks lock clean venv-uv venv-pip
.DEFAULT_GOAL := help

help:  ## show this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-11s %s\n", $$1, $$2}'

venv: .venv/.built  ## the environment alone, with the command .venv/bin/mentoring

reports: .venv/.built  ## the reports of every study under data/, the demo studies first of all
	$(BIN)/mentoring report --all

# One run for tests and notebooks; whole files go to a worker, so that a notebook's cells share one kernel, in the order of tests/conftest.py.
test: .venv/.built  ## every test, the notebooks among them
	$(BIN)/python -m pytest --nbval --nbval-current-env -n logical --maxprocesses 8 --dist loadfile \
	    --no-loadscope-reorder

# It looks for no news, updates or extensions: nothing leaves the machine.
lab: .venv/.built  ## JupyterLab on the notebooks
	$(BIN)/jupyter lab --LabApp.default_url=/lab/tree/notebooks/00_start.ipynb \
	    --LabApp.news_url=None --LabApp.extension_manager=readonly \
	    --LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate

lint: .venv/.built  ## style, common mistakes and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check src tests benchmarks
	$(BIN)/mypy

docs: .venv/.built  ## the documentation as a site: build/docs/index.html (with search: .venv/bin/mkdocs serve)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

expected: .venv/.built  ## renew reports/expected/ and the notebooks' outputs, after a change of numbers that is meant
	$(BIN)/python tests/expected.py

tables: .venv/.built  ## renew the tables of data/README.md that are made from the catalogue and the rules
	$(BIN)/python tests/document_tables.py

simulations: .venv/.built  ## the simulation studies (some four hours on two cores; what has results is not made again)
	PYTHONPATH=tests $(BIN)/python -m simulations
	PYTHONPATH=tests $(BIN)/python -m simulations.scales
	PYTHONPATH=tests $(BIN)/python -m simulations.silence
	PYTHONPATH=tests $(BIN)/python -m simulations.synthesis
	PYTHONPATH=tests $(BIN)/python -m simulations.situations
	PYTHONPATH=tests $(BIN)/python -m simulations.diagnostics
	PYTHONPATH=tests $(BIN)/python -m simulations.one_jackknife
	PYTHONPATH=tests $(BIN)/python -m simulations.degenerate

benchmarks: .venv/.built  ## reading, retention, scales and the change of scores beside R and pandas, our peak memory, start-up (needs Rscript)
	$(BIN)/python benchmarks/retention.py --employees 3000 --repetitions 500
	$(BIN)/python benchmarks/retention.py --employees 100000 --repetitions 5
	$(BIN)/python benchmarks/retention.py --memory
	$(BIN)/python benchmarks/scales.py --employees 100000
	$(BIN)/python benchmarks/scales.py --employees 100000 --share 0.45
	$(BIN)/python benchmarks/ingest.py --employees 1000000
	$(BIN)/python benchmarks/ingest.py --employees 1000000 --shape wide
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/synthesis.py

lock: $(OWN_UV)  ## renew requirements.lock after a change of pyproject.toml
	$(OWN_UV) pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-header --quiet -o requirements.lock

clean:  ## remove the environment and the caches; reports stay
	rm -rf .venv .pytest_cache .ruff_cache build dist
	find src tests notebooks -name __pycache__ -prune -exec rm -rf {} +

# uv where it gets through, else pip. The stamp is written last: a build that was broken off starts again.
.venv/.built: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo \
	    "Python 3.11 or newer is needed; '$(PYTHON)' is missing or older. Name another: make PYTHON=python3.11" >&2; exit 1; }
	@rm -rf .venv
	@if $(UV) --version >/dev/null 2>&1 && $(MAKE) --no-print-directory venv-uv; then :; \
	    elif $(MAKE) --no-print-directory $(OWN_UV) >/dev/null 2>&1 && $(MAKE) --no-print-directory venv-uv UV=$(OWN_UV); then :; \
	    else $(MAKE) --no-print-directory venv-pip; fi
	@# What most commands import is compiled once, also for those who let Python write nothing later.
	@$(BIN)/python -c "from importlib import import_module; from analysis.runs.workers import PRELOADED; \
	    [import_module(name) for name in PRELOADED]"
	@touch $@

# --require-hashes: what is installed is what was locked. The package itself comes last, editable, from this folder alone.
venv-uv:
	$(UV) venv --quiet --python "$$(command -v $(PYTHON))" .venv
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .

venv-pip:
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo \
	    "'$(PYTHON)' cannot make a virtual environment. On Debian or Ubuntu: apt install python3-venv; or install uv." >&2; exit 1; }
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .

# The version and the hashes are those of the lock.
$(OWN_UV): requirements.lock
	$(PYTHON) -m venv --clear build/uv
	sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > build/uv/uv.lock
	build/uv/bin/python -m pip install --quiet --require-hashes -r build/uv/uv.lock
	@touch $@
