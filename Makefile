# make run: everything a visitor needs.  make test: everything a developer needs, the browser too.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
ARGS   ?=

.PHONY: run test check format cache clean

run: $(VENV)/.installed
	$(BIN)/python app.py $(ARGS)

test: check
	$(BIN)/python -m pytest $(ARGS)

check: $(VENV)/.installed-dev $(VENV)/.browser
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

cache: $(VENV)/.installed
	$(BIN)/python -m demos.cache

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
	rm -rf $(VENV) .pytest_cache .ruff_cache
