.DEFAULT_GOAL := help
.PHONY: help install demo serve test lint format pairs bench matrix requirements bootstrap-demo bootstrap-dev bootstrap-test

HOST ?= 127.0.0.1
PORT ?= 8000
TEST_WORKERS ?= auto
export HOST PORT TEST_WORKERS

VENV := .venv/bin
PYTEST := $(VENV)/python -m pytest
IN_PARALLEL := -n $(TEST_WORKERS) --maxprocesses=4
ON_POSTGRESQL := OIDC_PKCE_TEST_DATABASE=postgresql

# The first Python that runs and is new enough. "python3" alone will not do: it may be old, or a
# pyenv shim that fails because no version is selected.
PYTHON ?= $(shell for candidate in $(VENV)/python python3 python3.13 python3.12 python3.11 \
	/usr/local/bin/python3 /usr/bin/python3 $(HOME)/.pyenv/versions/3.1[1-9]*/bin/python3; do \
	"$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' </dev/null >/dev/null 2>&1 \
	&& { echo "$$candidate"; break; }; done)

help: ## Show this list
	@echo "Usage: make TARGET"
	@sed -nE 's/^([a-z]+):.*## (.*)/  \1	\2/p' Makefile | expand -t 16

install: bootstrap-dev ## Make .venv with everything that development needs

demo: bootstrap-demo ## Set everything up, serve the provider on 8000 and a sample client on 5000
	$(VENV)/python manage.py demo

serve: bootstrap-demo ## Serve demo_site with the production server on $HOST:$PORT
	@exec $(VENV)/python scripts/serve.py

test: bootstrap-test ## Run every test: SQLite, Chromium, JavaScript clients, PostgreSQL
	@$(VENV)/python -c "import django, platform; print('Django', django.__version__, 'on Python', platform.python_version())"
	$(PYTEST) $(IN_PARALLEL) -m "not browser and not performance"
	$(PYTEST) -m browser --must-run
	$(ON_POSTGRESQL) $(PYTEST) $(IN_PARALLEL) -m "not browser and not performance and not packaging"
	$(ON_POSTGRESQL) $(PYTEST) -m performance

lint: bootstrap-dev ## Check style, types, the direction of imports and the migrations
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
	$(VENV)/mypy
	$(VENV)/lint-imports
	DATABASE_URL=sqlite://:memory: $(VENV)/python manage.py makemigrations --check --dry-run

format: bootstrap-dev ## Mend what ruff can mend
	$(VENV)/ruff check --fix .
	$(VENV)/ruff format .

pairs: bootstrap-dev ## Run the suite on the other supported pairs of Django and Python
	$(VENV)/python scripts/supported_pairs.py

bench: bootstrap-test ## Compare the token endpoint with a bare Django view
	$(VENV)/python -m tests.performance.benchmark

matrix: bootstrap-dev ## Write docs/reference/conformance.md from the tests' spec markers
	$(PYTEST) --collect-only -q --write-matrix

# No index address and no hash of a host goes into the pins: they install from any index.
UV_COMPILE := uv pip compile --universal --python-version 3.11 --no-header --no-annotate --all-extras --upgrade --quiet
requirements: bootstrap-dev ## Renew the pins in requirements/*.txt
	@PATH="$(CURDIR)/$(VENV):$$PATH"; \
	$(UV_COMPILE) pyproject.toml -o requirements/demo.txt && \
	$(UV_COMPILE) pyproject.toml requirements/dev.in -c requirements/demo.txt -o requirements/dev.txt && \
	$(UV_COMPILE) pyproject.toml requirements/dev.in requirements/django52.in -o requirements/django52.txt

bootstrap-demo bootstrap-dev bootstrap-test:
	@python="$(PYTHON)"; test -n "$$python" || { \
		echo "oidc_pkce needs Python 3.11 or newer, and no python3 that runs was found: install one, then run the same command again." >&2; \
		exit 1; }; \
	"$$python" scripts/bootstrap.py $(@:bootstrap-%=%)
