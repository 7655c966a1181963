# make demo, make test: each is all that a fresh clone needs (Python 3.10 to 3.13, a package index).
# make check: what takes long, before a release.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
RUN := runs/demo
MODELS := runs/demo-models
PARALLEL := -n 2 --dist loadgroup --no-loadscope-reorder

.PHONY: demo test check lint docs audit clean

demo: $(READY)
	$(BIN)/rnnsuite train sentiment --config sample --run $(RUN)
	$(BIN)/rnnsuite evaluate sentiment --model $(RUN)
	$(BIN)/rnnsuite export sentiment --run $(RUN) --to $(MODELS)
	@echo
	$(BIN)/rnnsuite predict sentiment --model $$(ls -d $(MODELS)/sentiment/[0-9]* | sort -V | tail -1) \
		"The plot was dull, but the acting was superb." \
		"The acting was superb, but the plot was dull." \
		"Nobody would call the ending anything but moving, although the pacing was clumsy."

test: lint
	$(BIN)/python -m pytest $(PARALLEL)

# Branch coverage has a floor (setup.cfg); the samples must teach; the documentation must build.
check: lint docs
	$(BIN)/pip install --quiet --editable ".[beam,ray]"
	$(BIN)/python -m pytest $(PARALLEL) -m "not learns" --cov --cov-config=setup.cfg --cov-report=term:skip-covered
	$(BIN)/python -m pytest -m learns

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/basedpyright

docs: $(READY)
	$(BIN)/pip install --quiet --editable ".[docs]"
	$(BIN)/mkdocs build --strict

# Known faults in what is installed and in our own code, and what a release is made of.
audit: $(READY)
	$(BIN)/pip install --quiet --editable ".[audit]"
	$(BIN)/bandit --quiet --recursive --severity-level medium --configfile pyproject.toml rnnsuite apps
	$(BIN)/pip-audit --skip-editable
	$(BIN)/cyclonedx-py environment --output-file build/sbom.json $(BIN)/python

# pip is made new first: an old one can search for a solution for very long.
$(READY): setup.py setup.cfg pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] < (3, 14))' \
		|| { echo "rnnsuite needs Python 3.10 to 3.13: make PYTHON=python3.12 ..."; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[dev]"
	touch $(READY)

clean:
	rm -rf .venv build dist site *.egg-info
