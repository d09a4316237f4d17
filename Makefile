# make run: everything a visitor needs.
# make test-fast: no browser; before a commit.  make test: the browser too.  make test-all: the slow
# tests as well.  make test-ray: those of two replicas. ARGS go to pytest: make test ARGS="-x tests/test_shell.py"
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
ARGS   ?=

# One worker for each core, but no more than memory is there for: 1.5 GB each. A third one on two
# cores makes nothing quicker.
WORKERS := -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder
PYTEST  := $(BIN)/python -m pytest $(WORKERS)

PYTHONS := 3.11 3.12 3.13 3.14

.PHONY: run test test-fast test-all test-ray check format cache bundle sums wheels clean

run: $(VENV)/.installed
	$(BIN)/python app.py $(ARGS)

test-fast: check
	$(PYTEST) --hypothesis-profile=fast -m "not browser and not heavy and not slow" $(ARGS)

test: check $(VENV)/.browser
	$(PYTEST) -m "not slow" $(ARGS)

test-all: check $(VENV)/.browser
	$(PYTEST) --hypothesis-profile=all $(ARGS)

test-ray: $(VENV)/.installed-dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-ray.txt
	$(BIN)/python -m pytest tests/test_ray.py $(ARGS)

check: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

cache: $(VENV)/.installed
	$(BIN)/python -m demos.page.examples

bundle: $(VENV)/.installed
	@$(BIN)/python -m demos.bundle $(ARGS)

sums:
	cd weights && find . -type f ! -name SHA256SUMS ! -name '*.partial' | sed 's|^\./||' \
	  | LC_ALL=C sort | xargs sha256sum > SHA256SUMS

# Whether there is a wheel of every requirement for each version of Python. Installs nothing.
wheels: $(VENV)/bin/python
	@for version in $(PYTHONS); do \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --dry-run \
	    --ignore-installed --target $(VENV)/none --python-version $$version \
	    --only-binary=:all: -r requirements.txt \
	  && echo "Python $$version: there is a wheel of every requirement" || exit 1; \
	done

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; try: make PYTHON=python3.12 run"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

# A Chromium that is there already, else playwright's own, else the system's package.
CHROMIUM := $(BIN)/python tests/chromium.py
$(VENV)/.browser: $(VENV)/.installed-dev
	@$(CHROMIUM) 2>/dev/null \
	  || { PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT=15000 \
	       $(BIN)/python -m playwright install chromium && $(CHROMIUM); } \
	  || { [ "$$(id -u)" = 0 ] && apt-get update -qq \
	       && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium && $(CHROMIUM); } \
	  || { echo "The browser tests need Chromium: install it and run make test again"; exit 1; }
	@touch $@

clean:
	rm -rf $(VENV) test-results .pytest_cache .ruff_cache
